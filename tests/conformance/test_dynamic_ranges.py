# SPDX-License-Identifier: Apache-2.0
"""Contract 18.4: models with ranges of dims; results against ONNX Runtime."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from conformance import acl, dynamic
from conformance.dynamic import ALL_INPUTS, Bench, bench, numbers

CODES = acl.codes()
INVALID_PARAM = CODES["ACL_ERROR_INVALID_PARAM"]
BAD_ID = CODES["ACL_ERROR_GE_EXEC_MODEL_ID_INVALID"]
LENGTH = CODES["ACL_ERROR_GE_DYNAMIC_INPUT_LENGTH_INVALID"]
GE_FAILURE = CODES["ACL_ERROR_GE_FAILURE"]
NOT_SUPPORTED = CODES["ACL_ERROR_API_NOT_SUPPORT"]

SHAPES = [(1, 3, 1), (8, 3, 5), (3, 3, 40), (1, 3, 1), (5, 3, 0)]

fake_only = pytest.mark.fake_only


@pytest.fixture
def stream(lib: acl.Library) -> Iterator[ctypes.c_void_p]:
    """A stream."""
    handle = ctypes.c_void_p()
    assert lib.aclrtCreateStream(ctypes.byref(handle)) == 0
    yield handle
    assert lib.aclrtDestroyStream(handle) == 0


@pytest.fixture
def work(lib: acl.Library) -> Iterator[Bench]:
    """x (1~8, 3, any) -> y = x + x, s = sum of each."""
    with bench(lib, dynamic.ranges(), room=8192) as made:
        yield made


def test_c18_ranges_of_a_model(lib: acl.Library, work: Bench) -> None:
    """DYN-RANGE-01 (15, 18.4): -1 in the dims, the range by its own call, size 0 where a dim has no
    upper bound; no gears, no further input.
    """
    dims, ranges = acl.IODims(), acl.IODimsRange()
    batch, hw, count = acl.Batch(batchCount=9), acl.HW(hwCount=9), ctypes.c_size_t(9)
    assert lib.aclmdlGetNumInputs(work.desc) == 1
    assert lib.aclmdlGetInputDims(work.desc, 0, ctypes.byref(dims)) == 0
    assert dims.shape() == (-1, 3, -1)
    assert lib.aclmdlGetInputDimsRange(work.desc, 0, ctypes.byref(ranges)) == 0
    told = [tuple(ranges.range[i]) for i in range(ranges.rangeCount)]
    assert told[:2] == [(1, 8), (3, 3)]
    assert told[2][1] == -1
    assert lib.aclmdlGetInputDimsRange(work.desc, 1, ctypes.byref(ranges)) == INVALID_PARAM
    assert lib.aclmdlGetInputSizeByIndex(work.desc, 0) == 0
    assert lib.aclmdlGetOutputSizeByIndex(work.desc, 0) == 0
    assert lib.aclmdlGetDynamicBatch(work.desc, ctypes.byref(batch)) == 0
    assert lib.aclmdlGetDynamicHW(work.desc, ALL_INPUTS, ctypes.byref(hw)) == 0
    every = (ALL_INPUTS, ctypes.byref(count))
    assert lib.aclmdlGetInputDynamicGearCount(work.desc, *every) == 0
    assert (batch.batchCount, hw.hwCount, count.value) == (0, 0, 0)


def test_c18_size_of_bounded_ranges(lib: acl.Library) -> None:
    """DYN-RANGE-02 (15): the product of the upper bounds where every dim has one."""
    with bench(lib, dynamic.ranges("x:[2~8,3,1~10]")) as work:
        assert lib.aclmdlGetInputSizeByIndex(work.desc, 0) == 8 * 3 * 10 * 4


def test_c18_ranges_run(lib: acl.Library, work: Bench) -> None:
    """DYN-RANGE-03 (18.4): one shape after the other: ONNX Runtime's results, real dims, type and
    size in the output's descs; bytes behind the result are left alone.
    """
    graph = dynamic.ranges()
    for shape in SHAPES:
        for target, size in work.targets:
            assert lib.aclrtMemset(target, size, 0xA5, size) == 0
        x = numbers(*shape, seed=shape[2])
        work.feed(x)
        work.set_desc(0, *shape)
        assert work.run() == 0, lib.message()
        expected = graph.expected(x)
        work.check(expected)
        for output, array in enumerate(expected):
            assert work.real_shape(output) == array.shape
            desc = lib.aclmdlGetDatasetTensorDesc(work.outputs, output)
            assert lib.aclGetTensorDescSize(desc) == array.nbytes
            assert lib.aclGetTensorDescType(desc) == acl.FLOAT
            whole = work.device.read(work.targets[output][0], np.empty(8192, np.uint8))
            assert (whole[array.nbytes :] == 0xA5).all()


def test_c18_a_desc_stays(lib: acl.Library, work: Bench) -> None:
    """DYN-RANGE-04 (18.4): a desc counts until it is replaced or cleared; without one the run
    fails, for its dims are not known.
    """
    x = numbers(2, 3, 4)
    work.feed(x)
    assert work.run() == GE_FAILURE
    work.set_desc(0, *x.shape)
    for _ in range(2):
        assert work.run() == 0
        work.check(dynamic.ranges().expected(x))
    assert lib.aclmdlSetDatasetTensorDesc(work.inputs, None, 0) == 0
    assert work.run() == GE_FAILURE
    work.set_desc(0, 2, 3, -1)
    assert work.run() == GE_FAILURE


@pytest.mark.parametrize(
    "shape", [(0, 3, 4), (9, 3, 4), (2, 2, 4), (2, 3), (2, 3, 4, 1), (), (2, 3, -5)]
)
def test_c18_outside_of_the_range(lib: acl.Library, work: Bench, shape: tuple[int, ...]) -> None:
    """DYN-RANGE-05 (18.4): another rank, a dim outside of its range: 100000, at both calls."""
    work.set_desc(0, *shape)
    assert work.run() == INVALID_PARAM
    assert work.queue(None) == INVALID_PARAM
    work.set_desc(0, 2, 3, 4)
    work.feed(numbers(2, 3, 4))
    assert work.run() == 0


def test_c18_setters_of_gears(lib: acl.Library, work: Bench) -> None:
    """DYN-RANGE-06 (18.1 to 18.3): the gear setters know no such model: 145003, after 100000 and
    145012.
    """
    assert work.set_batch(2) == BAD_ID
    assert work.set_image(2, 2) == BAD_ID
    assert work.set_dims(2, 3, 4) == BAD_ID
    tiny = work.device.dataset((work.sources[0][0], 3))
    assert lib.aclmdlSetDynamicBatchSize(work.model, tiny, 0, 2) == LENGTH
    assert lib.aclmdlSetDynamicBatchSize(work.model, tiny, 0, 0) == INVALID_PARAM


def test_c18_current_dims_are_refused(lib: acl.Library, work: Bench) -> None:
    """DYN-RANGE-07 (18.4): aclmdlGetCurOutputDims is 200001, whatever the index; NULL is 100000."""
    dims = acl.IODims()
    for index in (0, 77):
        assert lib.aclmdlGetCurOutputDims(work.desc, index, ctypes.byref(dims)) == NOT_SUPPORTED
    assert lib.aclmdlGetCurOutputDims(work.desc, 0, None) == INVALID_PARAM
    assert lib.aclmdlGetCurOutputDims(None, 0, ctypes.byref(dims)) == INVALID_PARAM


def test_c18_outputs_without_memory(lib: acl.Library, work: Bench) -> None:
    """DYN-RANGE-08 (17, 18.4): (NULL, 0) gets exactly the result's bytes, the client's to free; the
    memory is used again until the buffer is reset.
    """
    for shape in [(2, 3, 4), (8, 3, 9)]:
        outputs = work.device.dataset((None, 0), (None, 0))
        x = numbers(*shape)
        work.feed(x)
        work.set_desc(0, *shape)
        assert work.run(None, outputs) == 0, lib.message()
        for output, array in enumerate(dynamic.ranges().expected(x)):
            buffer = lib.aclmdlGetDatasetBuffer(outputs, output)
            assert lib.aclGetDataBufferSizeV2(buffer) == array.nbytes
            where = lib.aclGetDataBufferAddr(buffer)
            np.testing.assert_array_equal(work.device.read(where, array), array)
            assert work.real_shape(output, outputs) == array.shape
        work.set_desc(0, 8, 3, 10)
        assert work.run(None, outputs) == GE_FAILURE  # the memory of before is too small
        for output in range(2):
            buffer = lib.aclmdlGetDatasetBuffer(outputs, output)
            assert lib.aclrtFree(lib.aclGetDataBufferAddr(buffer)) == 0


def test_c18_output_too_small(lib: acl.Library, work: Bench) -> None:
    """DYN-RANGE-09 (17): one byte short is 500002 with the needed size; nothing is written."""
    x = numbers(4, 3, 5)
    work.feed(x)
    work.set_desc(0, *x.shape)
    (first, _), second = work.targets
    short = work.device.dataset((first, x.nbytes - 1), second)
    for target in (first, second[0]):
        assert lib.aclrtMemset(target, 16, 0xA5, 16) == 0
    assert work.run(None, short) == GE_FAILURE
    message = lib.message()
    assert "E13031" in message
    assert str(x.nbytes) in message
    for target in (first, second[0]):
        assert (work.device.read(target, np.empty(16, np.uint8)) == 0xA5).all()
    assert work.queue(None, None, short) == GE_FAILURE
    assert "E13031" in lib.message()
    assert lib.aclrtSynchronizeStream(None) == 0
    exact = work.device.dataset((first, x.nbytes), (second[0], 16))
    assert work.run(None, exact) == 0


def test_c18_number_of_buffers(lib: acl.Library, work: Bench) -> None:
    """DYN-RANGE-10 (17): fewer inputs: 100000; more are ignored; outputs have to be as many."""
    x = numbers(2, 3, 4)
    assert work.run(work.device.dataset()) == INVALID_PARAM
    work.inputs = work.device.dataset(work.sources[0], work.sources[0])
    work.feed(x)
    work.set_desc(0, *x.shape)
    assert work.run() == 0
    work.check(dynamic.ranges().expected(x))
    for pieces in (work.targets[:1], [*work.targets, work.targets[0]]):
        assert work.run(None, work.device.dataset(*pieces)) == GE_FAILURE


def test_c18_sync_and_async(lib: acl.Library, work: Bench, stream: ctypes.c_void_p) -> None:
    """DYN-RANGE-11 (17): one id runs in both forms; descs are there when the call returns; V2 does
    not look at the stream.
    """
    config = lib.aclmdlCreateExecConfigHandle()
    graph = dynamic.ranges()
    for turn, shape in enumerate(SHAPES):
        x = numbers(*shape, seed=turn)
        work.feed(x)
        work.set_desc(0, *shape)
        if turn % 3 == 0:
            assert work.run() == 0
        elif turn % 3 == 1:
            assert work.queue(stream) == 0, lib.message()
        else:
            sets = (work.inputs, work.outputs)
            assert lib.aclmdlExecuteV2(work.model, *sets, stream, config) == 0
        expected = graph.expected(x)
        assert [work.real_shape(i) for i in range(2)] == [array.shape for array in expected]
        assert lib.aclrtSynchronizeStream(stream) == 0
        work.check(expected)
    assert lib.aclmdlDestroyExecConfigHandle(config) == 0


def test_c18_async_needs_memory(lib: acl.Library, work: Bench, stream: ctypes.c_void_p) -> None:
    """DYN-RANGE-12 (17): the asynchronous form allocates nothing: 500002."""
    work.set_desc(0, 2, 3, 4)
    outputs = work.device.dataset((None, 0), work.targets[1])
    assert work.queue(stream, None, outputs) == GE_FAILURE


def test_c18_descs_are_replaced(lib: acl.Library, work: Bench) -> None:
    """DYN-RANGE-13 (16, 17): the output's desc of the run before is gone with the next."""
    work.set_desc(0, 2, 3, 4)
    work.feed(numbers(2, 3, 4))
    assert work.run() == 0
    first = lib.aclmdlGetDatasetTensorDesc(work.outputs, 0)
    assert work.run() == 0
    assert lib.aclmdlGetDatasetTensorDesc(work.outputs, 0) != first


def test_c18_queued_behind_held_work(lib: acl.Library, work: Bench) -> None:
    """DYN-RANGE-16 (17): dims are told on the host: the call returns, with the output's descs,
    although the stream stands still; the input is read when the stream gets there.
    """
    graph, gate = dynamic.ranges(), threading.Event()
    function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: gate.wait(20) and None)
    held = ctypes.cast(function, ctypes.c_void_p)
    work.feed(numbers(8, 3, 7))
    assert lib.aclrtLaunchHostFunc(None, held, None) == 0
    second = [(work.device.alloc(size), size) for _, size in work.targets]
    more = work.device.dataset(*second)
    work.set_desc(0, 2, 3, 4)
    assert work.queue(None) == 0
    work.set_desc(0, 8, 3, 7)
    assert work.queue(None, None, more) == 0
    short = work.device.dataset((second[0][0], 671), second[1])
    assert work.queue(None, None, short) == GE_FAILURE
    assert "672" in lib.message()
    assert [work.real_shape(i) for i in range(2)] == [(2, 3, 4), (2,)]
    assert [work.real_shape(i, more) for i in range(2)] == [(8, 3, 7), (8,)]
    late = numbers(8, 3, 7, seed=9)
    work.feed(late)
    gate.set()
    assert lib.aclrtSynchronizeStream(None) == 0
    work.check(graph.expected(late.reshape(-1)[:24].reshape(2, 3, 4)))
    work.targets = second
    work.check(graph.expected(late))


@fake_only
def test_fake_ranges_in_virtual_time(raw: acl.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAKE-DYN-07 (fake): the deterministic mode, with dims told before and by the run."""
    monkeypatch.setenv("ACLRT_FAKE_SEED", "5")
    raw.aclfake_reset()
    assert raw.aclInit(None) == 0
    assert raw.aclrtSetDevice(0) == 0
    x = np.eye(4, 4, dtype=np.float32).reshape(16)
    for graph, feed in ((dynamic.ranges(), numbers(5, 3, 2)), (dynamic.found(), x)):
        with bench(raw, graph) as work:
            work.feed(feed)
            work.set_desc(0, *feed.shape)
            assert work.queue(None) == 0
            assert raw.aclrtSynchronizeStream(None) == 0
            work.check(graph.expected(feed))
    assert raw.aclrtResetDevice(0) == 0
    assert raw.aclFinalize() == 0
    monkeypatch.delenv("ACLRT_FAKE_SEED")


@pytest.mark.parametrize("queued", [False, True])
def test_c18_dims_that_the_data_decide(
    lib: acl.Library, stream: ctypes.c_void_p, queued: bool
) -> None:
    """DYN-RANGE-14 (18.4): a result whose dims only the run can tell, in both forms."""
    graph = dynamic.found()
    with bench(lib, graph) as work:
        for x in (np.eye(4, 4, dtype=np.float32).reshape(16), np.zeros(3, np.float32)):
            work.feed(x)
            work.set_desc(0, *x.shape)
            assert (work.queue(stream) if queued else work.run()) == 0
            (expected,) = graph.expected(x)
            assert work.real_shape(0) == expected.shape
            assert lib.aclrtSynchronizeStream(stream) == 0
            np.testing.assert_array_equal(work.read(0, expected), expected)


def test_c18_two_models_two_threads(lib: acl.Library) -> None:
    """DYN-RANGE-15 (17): two ids of one file, two threads, changing shapes."""
    graph, failures = dynamic.ranges(), []
    context = ctypes.c_void_p()
    assert lib.aclrtGetCurrentContext(ctypes.byref(context)) == 0
    feeds = [numbers(*shape) for shape in SHAPES]
    expected = [graph.expected(x) for x in feeds]

    def work_off(work: Bench, first: int) -> None:
        try:
            assert lib.aclrtSetCurrentContext(context) == 0
            for turn in range(60):
                which = (first + turn) % len(SHAPES)
                work.feed(feeds[which])
                work.set_desc(0, *SHAPES[which])
                assert work.run() == 0
                work.check(expected[which])
                assert work.real_shape(0) == SHAPES[which]
        except BaseException as error:
            failures.append(error)

    with bench(lib, graph, 8192) as one, bench(lib, graph, 8192) as other:
        threads = [
            threading.Thread(target=work_off, args=(w, i)) for i, w in enumerate((one, other))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


@fake_only
def test_fake_input_too_small_for_its_dims(lib: acl.Library, work: Bench) -> None:
    """FAKE-DYN-05 (fake): a buffer of fewer bytes than its desc says is 500002, with both."""
    inputs = work.device.dataset((work.sources[0][0], 95))
    work.inputs = inputs
    work.set_desc(0, 2, 3, 4)
    assert work.run() == GE_FAILURE
    message = lib.message()
    assert "ACLFAKE-DYN-10" in message
    assert "95 bytes" in message
    assert "needs 96" in message


@fake_only
def test_fake_outputs_that_share_memory(lib: acl.Library, work: Bench) -> None:
    """FAKE-DYN-10 (fake): an output in the input's memory is told with ranges too."""
    work.feed(numbers(2, 3, 4))
    work.set_desc(0, 2, 3, 4)
    shared = work.device.dataset(work.sources[0], work.targets[1])
    assert work.run(None, shared) == 0
    assert lib.aclfake_check_count(b"ACLFAKE-SET-09") == 1


@fake_only
def test_fake_made_up_outputs_need_dims(lib: acl.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAKE-DYN-06 (fake): the synthetic engine refuses a model whose results have no known dims."""
    monkeypatch.setenv("ACLRT_FAKE_ENGINE", "synthetic")
    om, model = dynamic.ranges().om, ctypes.c_uint32()
    assert lib.aclmdlLoadFromMem(om, len(om), ctypes.byref(model)) == 545002
    assert "ACLFAKE-MDL-02" in lib.message()
