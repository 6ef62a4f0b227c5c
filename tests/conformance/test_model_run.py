# SPDX-License-Identifier: Apache-2.0
"""Contract 16 and 17: datasets and execution."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from conformance import acl, running, small

fake_only = pytest.mark.fake_only

CODES = acl.codes()
INVALID_PARAM = CODES["ACL_ERROR_INVALID_PARAM"]
BAD_ID = CODES["ACL_ERROR_GE_EXEC_MODEL_ID_INVALID"]
GE_FAILURE = CODES["ACL_ERROR_GE_FAILURE"]
MODEL_EXECUTE = CODES["ACL_ERROR_RT_MODEL_EXECUTE"]
NO_CONTEXT = CODES["ACL_ERROR_RT_CONTEXT_NULL"]
OTHER_CONTEXT = CODES["ACL_ERROR_RT_MODEL_CONTEXT"]
SYNC_TIMEOUT = CODES["ACL_ERROR_RT_STREAM_SYNC_TIMEOUT"]

X = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def model(lib: acl.Library) -> Iterator[int]:
    """x float32 (2, 3) -> y = x + x."""
    model_id = running.load(lib, small.double())
    yield model_id
    assert lib.aclmdlUnload(model_id) == 0


@pytest.fixture
def device(lib: acl.Library) -> Iterator[running.Buffers]:
    """Buffers of one test."""
    with running.Buffers(lib) as buffers:
        yield buffers


@pytest.fixture
def stream(lib: acl.Library) -> Iterator[ctypes.c_void_p]:
    """A stream."""
    handle = ctypes.c_void_p()
    assert lib.aclrtCreateStream(ctypes.byref(handle)) == 0
    yield handle
    assert lib.aclrtDestroyStream(handle) == 0


def pair(device: running.Buffers, x: np.ndarray = X) -> tuple[int, int, int]:
    """(input dataset, output dataset, address of the output) for the model ``double``."""
    target = device.alloc(x.nbytes)
    return (
        device.dataset((device.upload(x), x.nbytes)),
        device.dataset((target, x.nbytes)),
        target,
    )


# ---- 16: datasets --------------------------------------------------------------------------------


def test_c16_dataset_keeps_order(lib: acl.Library, device: running.Buffers) -> None:
    """MDL-RUN-01 (16): Buffers come back by position; the same one may stand twice."""
    dataset = device.dataset()
    first, second = device.buffer(None, 0), device.buffer(None, 0)
    for buffer in (first, second, first):
        assert lib.aclmdlAddDatasetBuffer(dataset, buffer) == 0
    assert lib.aclmdlGetDatasetNumBuffers(dataset) == 3
    got = [lib.aclmdlGetDatasetBuffer(dataset, i) for i in range(4)]
    assert got == [first, second, first, None]


def test_c16_null_arguments(lib: acl.Library, device: running.Buffers) -> None:
    """MDL-RUN-02 (16): Null: 100000, 0 or NULL."""
    dataset = device.dataset()
    assert lib.aclmdlAddDatasetBuffer(None, device.buffer(None, 0)) == INVALID_PARAM
    assert lib.aclmdlAddDatasetBuffer(dataset, None) == INVALID_PARAM
    assert lib.aclmdlGetDatasetNumBuffers(None) == 0
    assert lib.aclmdlGetDatasetBuffer(None, 0) is None
    assert lib.aclmdlGetDatasetTensorDesc(None, 0) is None
    assert lib.aclmdlDestroyDataset(None) == INVALID_PARAM


def test_c16_destroyed_twice(lib: acl.Library) -> None:
    """MDL-RUN-03 (16): The second destroy is noticed."""
    dataset = lib.aclmdlCreateDataset()
    assert lib.aclmdlDestroyDataset(dataset) == 0
    assert lib.aclmdlDestroyDataset(dataset) == INVALID_PARAM
    assert lib.aclmdlGetDatasetNumBuffers(dataset) == 0


def test_c16_tensor_descs_are_copied(lib: acl.Library, device: running.Buffers) -> None:
    """MDL-RUN-04 (16): A slot holds a copy; NULL clears it; the slot must exist."""
    dataset = device.dataset((None, 0))
    dims = (ctypes.c_int64 * 2)(4, 5)
    desc = lib.aclCreateTensorDesc(acl.INT32, 2, dims, 0)
    assert lib.aclmdlGetDatasetTensorDesc(dataset, 0) is None
    assert lib.aclmdlSetDatasetTensorDesc(dataset, desc, 1) == INVALID_PARAM
    assert lib.aclmdlSetDatasetTensorDesc(dataset, desc, 0) == 0
    lib.aclDestroyTensorDesc(desc)
    held = lib.aclmdlGetDatasetTensorDesc(dataset, 0)
    assert lib.aclGetTensorDescNumDims(held) == 2
    assert lib.aclGetTensorDescElementCount(held) == 20
    assert lib.aclmdlSetDatasetTensorDesc(dataset, None, 0) == 0
    assert lib.aclmdlGetDatasetTensorDesc(dataset, 0) is None
    assert lib.aclGetTensorDescNumDims(held) == 0  # gone with the slot


# ---- 17: synchronous execution -------------------------------------------------------------------


def test_c17_execute(lib: acl.Library, model: int) -> None:
    """MDL-RUN-05 (17): True results, again and again."""
    for factor in (1, 2, 3):
        (y,) = running.execute(lib, model, [X * factor], [X])
        np.testing.assert_array_equal(y, X * factor * 2)


def test_c17_several_inputs_and_outputs(lib: acl.Library) -> None:
    """MDL-RUN-06 (17): Positions in the datasets are positions in the model."""
    model_id = running.load(lib, small.two_in_two_out())
    a = np.array([1, -2, 3, -4], np.float32)
    b = np.array([[1, 2], [3, 2**40]], np.int64)
    s, t = running.execute(lib, model_id, [a, b], [a, b])
    np.testing.assert_array_equal(s, -a)
    np.testing.assert_array_equal(t, b + b)
    assert lib.aclmdlUnload(model_id) == 0


def test_c17_null_datasets_before_the_id(
    lib: acl.Library, model: int, device: running.Buffers
) -> None:
    """MDL-RUN-07 (17): Null dataset 100000, then the id 145003."""
    source, target, _ = pair(device)
    assert lib.aclmdlExecute(model, None, target) == INVALID_PARAM
    assert lib.aclmdlExecute(model, source, None) == INVALID_PARAM
    assert lib.aclmdlExecute(model + 9, None, target) == INVALID_PARAM
    assert lib.aclmdlExecute(model + 9, source, target) == BAD_ID


def test_c17_destroyed_buffer_in_a_dataset(
    lib: acl.Library, model: int, device: running.Buffers
) -> None:
    """MDL-RUN-08 (17): A slot whose data buffer was destroyed is 100000."""
    source, target, _ = pair(device)
    assert lib.aclDestroyDataBuffer(device.buffers.pop()) == 0
    assert lib.aclmdlExecute(model, source, target) == INVALID_PARAM
    assert "output dataset" in lib.message()


def test_c17_number_of_buffers(lib: acl.Library, model: int, device: running.Buffers) -> None:
    """MDL-RUN-09 (17): Too few and too many inputs or outputs: 500002, the message has E13025."""
    source, target, where = pair(device)
    none, two = device.dataset(), device.dataset((where, X.nbytes), (where, X.nbytes))
    for bad in ((none, target), (two, target), (source, none), (source, two)):
        lib.message()
        assert lib.aclmdlExecute(model, *bad) == GE_FAILURE
        assert "E13025" in lib.message()


@pytest.mark.parametrize("short", [1, 23])
def test_c17_tolerance_of_64_bytes(
    lib: acl.Library, model: int, device: running.Buffers, short: int
) -> None:
    """MDL-RUN-10 (17): Buffers up to 64 bytes smaller than the tensor pass; nothing outside of them
    is written.
    """
    where = device.upload(np.full(64, 0x77, np.uint8))
    source = device.dataset((device.upload(X), X.nbytes - short))
    target = device.dataset((where, X.nbytes - short))
    assert lib.aclmdlExecute(model, source, target) == 0
    got = device.read(where, np.empty(64, np.uint8))
    kept = X.nbytes - short
    whole = kept // 4 * 4
    assert bytes(got[:whole]) == (X * 2).tobytes()[:whole]
    assert (got[kept:] == 0x77).all()


def test_c17_more_than_64_bytes_short(lib: acl.Library, device: running.Buffers) -> None:
    """MDL-RUN-11 (17): 65 bytes short is refused, 64 passes."""
    model_id = running.load(lib, small.slow(2, 16))
    x = np.ones((16, 16), np.float32)
    data, where = device.upload(x), device.alloc(x.nbytes)
    for short, code in ((64, 0), (65, GE_FAILURE)):
        source = device.dataset((data, x.nbytes - short))
        assert lib.aclmdlExecute(model_id, source, device.dataset((where, x.nbytes))) == code
        target = device.dataset((where, x.nbytes - short))
        assert lib.aclmdlExecute(model_id, device.dataset((data, x.nbytes)), target) == code
    assert lib.aclmdlUnload(model_id) == 0


def test_c17_larger_buffers(lib: acl.Library, model: int, device: running.Buffers) -> None:
    """MDL-RUN-12 (17): Larger buffers are fine; behind the tensor nothing is written."""
    where = device.upload(np.full(100, 0x33, np.uint8))
    source = device.dataset((device.upload(np.resize(X, 25)), 100))
    assert lib.aclmdlExecute(model, source, device.dataset((where, 100))) == 0
    got = device.read(where, np.empty(100, np.uint8))
    assert bytes(got[:24]) == (X * 2).tobytes()
    assert (got[24:] == 0x33).all()


def test_c17_outputs_without_memory(lib: acl.Library, model: int, device: running.Buffers) -> None:
    """MDL-RUN-13 (17): (nullptr, 0) as output: execute allocates, the caller frees; the next run
    uses it again.
    """
    source = device.dataset((device.upload(X), X.nbytes))
    target = device.dataset((None, 0))
    buffer = lib.aclmdlGetDatasetBuffer(target, 0)
    assert lib.aclmdlExecute(model, source, target) == 0
    made = lib.aclGetDataBufferAddr(buffer)
    assert made
    assert lib.aclGetDataBufferSizeV2(buffer) == X.nbytes
    np.testing.assert_array_equal(device.read(made, X), X * 2)
    assert lib.aclmdlExecute(model, source, target) == 0
    assert lib.aclGetDataBufferAddr(buffer) == made
    assert lib.aclrtFree(made) == 0


def test_c17_inputs_need_memory(lib: acl.Library, model: int, device: running.Buffers) -> None:
    """MDL-RUN-14 (17): An input without memory is refused."""
    _, target, _ = pair(device)
    assert lib.aclmdlExecute(model, device.dataset((None, 0)), target) == GE_FAILURE


@pytest.mark.parametrize("kind", ["host", "freed", "too long"])
def test_c17_buffers_must_be_live_device_memory(
    lib: acl.Library, model: int, device: running.Buffers, kind: str
) -> None:
    """MDL-RUN-15 (17): Host memory, freed memory and claims beyond an allocation fail the
    execution, by name.
    """
    host = ctypes.create_string_buffer(64)
    _, target, _ = pair(device)
    if kind == "host":
        data, text = ctypes.addressof(host), "not device memory"
    elif kind == "freed":
        data, text = device.alloc(64), "freed"
        assert lib.aclrtFree(device.memory.pop()) == 0
    else:
        data, text = device.alloc(1000) + 1048, "ends before"  # 1024 and a slack of 32
    source = device.dataset((data, 1024))
    lib.message()
    assert lib.aclmdlExecute(model, source, target) == MODEL_EXECUTE
    assert text in lib.message()


def test_c17_needs_the_models_context(
    lib: acl.Library, model: int, device: running.Buffers
) -> None:
    """MDL-RUN-16 (17): A thread without context: 107002; under another context of the device:
    107004.
    """
    source, target, _ = pair(device)
    result: list[int] = []

    def elsewhere() -> None:
        result.append(lib.aclmdlExecute(model, source, target))
        context = ctypes.c_void_p()
        assert lib.aclrtCreateContext(ctypes.byref(context), 0) == 0
        result.append(lib.aclmdlExecute(model, source, target))
        assert lib.aclrtDestroyContext(context) == 0

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert result == [NO_CONTEXT, OTHER_CONTEXT]


def test_c17_output_descs_of_static_models(
    lib: acl.Library, model: int, device: running.Buffers
) -> None:
    """MDL-RUN-17 (17): Output slots stay NULL, unless an input has a desc: then they are empty
    descs.
    """
    source, target, _ = pair(device)
    assert lib.aclmdlExecute(model, source, target) == 0
    assert lib.aclmdlGetDatasetTensorDesc(target, 0) is None
    desc = lib.aclCreateTensorDesc(acl.FLOAT, 2, (ctypes.c_int64 * 2)(2, 3), 0)
    assert lib.aclmdlSetDatasetTensorDesc(source, desc, 0) == 0
    lib.aclDestroyTensorDesc(desc)
    assert lib.aclmdlExecute(model, source, target) == 0
    empty = lib.aclmdlGetDatasetTensorDesc(target, 0)
    assert empty is not None
    assert lib.aclGetTensorDescNumDims(empty) == 0
    assert (lib.aclGetTensorDescType(empty), lib.aclGetTensorDescFormat(empty)) == (-1, -1)


def test_c17_one_execution_of_an_id_at_a_time(lib: acl.Library) -> None:
    """MDL-RUN-18 (17): Concurrent executions of one id are refused with 500002, those of two ids
    are not.
    """
    x = np.eye(256, dtype=np.float32)
    ids = [running.load(lib, small.slow()) for _ in range(2)]
    context = ctypes.c_void_p()
    assert lib.aclrtGetCurrentContext(ctypes.byref(context)) == 0
    barrier = threading.Barrier(3)
    found: dict[str, set[int]] = {"shared": set(), "own": set()}

    def work(model_id: int, key: str) -> None:
        assert lib.aclrtSetCurrentContext(context) == 0
        with running.Buffers(lib) as device:
            source, target, _ = pair(device, x)
            barrier.wait()
            for _ in range(20):
                found[key].add(lib.aclmdlExecute(model_id, source, target))

    plan = ((ids[0], "shared"), (ids[0], "shared"), (ids[1], "own"))
    threads = [threading.Thread(target=work, args=arguments) for arguments in plan]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"shared": {0, GE_FAILURE}, "own": {0}}
    assert [lib.aclmdlUnload(i) for i in ids] == [0, 0]


# ---- 17: with options and asynchronous -----------------------------------------------------------


@pytest.fixture
def options(lib: acl.Library) -> Iterator[Any]:
    """An execute config handle."""
    handle = lib.aclmdlCreateExecConfigHandle()
    yield handle
    assert lib.aclmdlDestroyExecConfigHandle(handle) == 0


@pytest.mark.parametrize("on_stream", [False, True])
def test_c17_execute_v2(
    lib: acl.Library,
    model: int,
    device: running.Buffers,
    stream: ctypes.c_void_p,
    options: Any,
    on_stream: bool,
) -> None:
    """MDL-RUN-19 (17): Synchronous with and without a stream; outputs without memory are
    allocated.
    """
    source = device.dataset((device.upload(X), X.nbytes))
    target = device.dataset((None, 0))
    chosen = stream if on_stream else None
    assert lib.aclmdlExecuteV2(model, source, target, chosen, None) == INVALID_PARAM
    assert lib.aclmdlExecuteV2(model, source, target, chosen, options) == 0
    made = lib.aclGetDataBufferAddr(lib.aclmdlGetDatasetBuffer(target, 0))
    np.testing.assert_array_equal(device.read(made, X), X * 2)
    assert lib.aclrtFree(made) == 0


def test_c17_execute_v2_timeout(
    lib: acl.Library, device: running.Buffers, stream: ctypes.c_void_p, options: Any
) -> None:
    """MDL-RUN-20 (17): The stream timeout gives 507046; the work itself goes on."""
    x = np.eye(256, dtype=np.float32)
    model_id = running.load(lib, small.slow(600))
    source, target, where = pair(device, x)
    limit = ctypes.c_int32(1)
    assert lib.aclmdlSetExecConfigOpt(options, 0, ctypes.byref(limit), 4) == 0
    assert lib.aclmdlExecuteV2(model_id, source, target, stream, options) == SYNC_TIMEOUT
    assert lib.aclrtSynchronizeStream(stream) == 0
    np.testing.assert_array_equal(device.read(where, x), x)
    assert lib.aclmdlUnload(model_id) == 0


def test_c17_execute_async(
    lib: acl.Library, model: int, device: running.Buffers, stream: ctypes.c_void_p
) -> None:
    """MDL-RUN-21 (17): Queued executions run in order; the datasets may go at once, the memory may
    not.
    """
    first, middle, last = device.upload(X), device.alloc(X.nbytes), device.alloc(X.nbytes)
    for source, target in ((first, middle), (middle, last), (last, last)):
        with running.Buffers(lib) as short_lived:
            args = (
                short_lived.dataset((source, X.nbytes)),
                short_lived.dataset((target, X.nbytes)),
            )
            assert lib.aclmdlExecuteAsync(model, *args, stream) == 0
    assert lib.aclrtSynchronizeStream(stream) == 0
    np.testing.assert_array_equal(device.read(middle, X), X * 2)
    np.testing.assert_array_equal(device.read(last, X), X * 8)


def test_c17_execute_async_on_the_default_stream(
    lib: acl.Library, model: int, device: running.Buffers
) -> None:
    """MDL-RUN-22 (17): NULL is the context's default stream."""
    source, target, where = pair(device)
    assert lib.aclmdlExecuteAsync(model, source, target, None) == 0
    assert lib.aclrtSynchronizeDevice() == 0
    np.testing.assert_array_equal(device.read(where, X), X * 2)


def test_c17_async_reads_its_input_late(
    lib: acl.Library, model: int, device: running.Buffers, stream: ctypes.c_void_p
) -> None:
    """MDL-RUN-23 (17): The bytes count that are there when the stream reaches the execution."""
    slow = running.load(lib, small.slow())
    eye = np.eye(256, dtype=np.float32)
    before = pair(device, eye)
    data, where = device.upload(X), device.alloc(X.nbytes)
    args = device.dataset((data, X.nbytes)), device.dataset((where, X.nbytes))
    assert lib.aclmdlExecuteAsync(slow, *before[:2], stream) == 0
    assert lib.aclmdlExecuteAsync(model, *args, stream) == 0
    device.write(data, X + 100)
    assert lib.aclrtSynchronizeStream(stream) == 0
    np.testing.assert_array_equal(device.read(where, X), (X + 100) * 2)
    assert lib.aclmdlUnload(slow) == 0


def test_c17_async_allocates_nothing(
    lib: acl.Library, model: int, device: running.Buffers, stream: ctypes.c_void_p
) -> None:
    """MDL-RUN-24 (17): An output without memory is 500002."""
    source = device.dataset((device.upload(X), X.nbytes))
    code = lib.aclmdlExecuteAsync(model, source, device.dataset((None, 0)), stream)
    assert code == GE_FAILURE


def test_c17_sync_or_async_for_life(
    lib: acl.Library, device: running.Buffers, stream: ctypes.c_void_p, options: Any
) -> None:
    """MDL-RUN-25 (17): The first execution decides; the other kind is 500002 from then on."""
    source, target, _ = pair(device)
    first, second = (running.load(lib, small.double()) for _ in range(2))
    assert lib.aclmdlExecute(first, source, target) == 0
    assert lib.aclmdlExecuteAsync(first, source, target, stream) == GE_FAILURE
    assert lib.aclmdlExecute(first, source, target) == 0
    assert lib.aclmdlExecuteAsync(second, source, target, stream) == 0
    assert lib.aclrtSynchronizeStream(stream) == 0
    assert lib.aclmdlExecute(second, source, target) == GE_FAILURE
    assert lib.aclmdlExecuteV2(second, source, target, stream, options) == GE_FAILURE
    assert [lib.aclmdlUnload(i) for i in (first, second)] == [0, 0]


def test_c17_a_refused_call_decides_nothing(
    lib: acl.Library, model: int, device: running.Buffers, stream: ctypes.c_void_p
) -> None:
    """MDL-RUN-26 (17): After a refused synchronous call the model may still become asynchronous."""
    source, target, _ = pair(device)
    assert lib.aclmdlExecute(model, source, device.dataset()) == GE_FAILURE
    assert lib.aclmdlExecuteAsync(model, source, target, stream) == 0
    assert lib.aclrtSynchronizeStream(stream) == 0


def test_c17_async_errors_surface_at_synchronise(
    lib: acl.Library, model: int, device: running.Buffers, stream: ctypes.c_void_p
) -> None:
    """MDL-RUN-27 (17): Memory freed before the stream reaches the execution: 0 at the call, 507011
    later.
    """
    slow = running.load(lib, small.slow())
    before = pair(device, np.eye(256, dtype=np.float32))
    source = device.dataset((device.alloc(64), X.nbytes))
    gone = device.memory.pop()
    target = device.dataset((device.alloc(64), X.nbytes))
    assert lib.aclmdlExecuteAsync(slow, *before[:2], stream) == 0
    assert lib.aclmdlExecuteAsync(model, source, target, stream) == 0
    assert lib.aclrtFree(gone) == 0
    assert lib.aclrtSynchronizeStream(stream) == MODEL_EXECUTE
    assert lib.aclmdlUnload(slow) == 0


def test_c13_unload_with_queued_executions(
    lib: acl.Library, device: running.Buffers, stream: ctypes.c_void_p
) -> None:
    """MDL-RUN-28 (13): Unload does not wait; what is still queued then fails with 507011."""
    slow, quick = running.load(lib, small.slow()), running.load(lib, small.double())
    before = pair(device, np.eye(256, dtype=np.float32))
    source, target, _ = pair(device)
    assert lib.aclmdlExecuteAsync(slow, *before[:2], stream) == 0
    assert lib.aclmdlExecuteAsync(quick, source, target, stream) == 0
    assert lib.aclmdlUnload(quick) == 0
    assert lib.aclrtSynchronizeStream(stream) == MODEL_EXECUTE
    assert lib.aclmdlUnload(slow) == 0


@fake_only
def test_c13_unload_while_executing(lib: acl.Library) -> None:
    """MDL-RUN-29 (13): A synchronous execution that is inside finishes; the id is dead at once."""
    x = np.eye(256, dtype=np.float32)
    model_id = running.load(lib, small.slow(600))
    context = ctypes.c_void_p()
    assert lib.aclrtGetCurrentContext(ctypes.byref(context)) == 0
    inside, result = threading.Event(), []

    def work() -> None:
        assert lib.aclrtSetCurrentContext(context) == 0
        with running.Buffers(lib) as device:
            source, target, where = pair(device, x)
            inside.set()
            result.append(lib.aclmdlExecute(model_id, source, target))
            result.append(device.read(where, x))

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    while not lib.ledger()["state"]["executing"]:
        assert thread.is_alive()
    assert lib.aclmdlUnload(model_id) == 0
    assert lib.aclmdlUnload(model_id) == BAD_ID
    thread.join()
    assert result[0] == 0
    np.testing.assert_array_equal(result[1], x)


def test_c17_wrong_stream(lib: acl.Library, model: int, device: running.Buffers) -> None:
    """MDL-RUN-30 (17): A destroyed stream is 107017."""
    source, target, _ = pair(device)
    handle = ctypes.c_void_p()
    assert lib.aclrtCreateStream(ctypes.byref(handle)) == 0
    assert lib.aclrtDestroyStream(handle) == 0
    code = lib.aclmdlExecuteAsync(model, source, target, handle)
    assert code == CODES["ACL_ERROR_RT_INVALID_HANDLE"]
