# SPDX-License-Identifier: Apache-2.0
"""pyACL's conventions, call by call (section 23 of the contract)."""

from __future__ import annotations

import gc
import re
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aclrt
from aclrt.compat import acl
from aclrt.compat.acl import _abi, _functions, _special, _table

from .conftest import Job
from .contract import listed

FUNCTIONS = Path(__file__).parents[2] / "csrc/acl/functions.def"
H2D, D2H = 1, 2
FLOAT32 = 11


def resolve(group: str, name: str) -> Any:
    return getattr(getattr(acl, group) if group else acl, name)


@pytest.fixture
def device() -> Iterator[None]:
    """Initialised, device 0 selected; as if aclrt were not there."""
    aclrt.fake.reset()
    assert acl.init() == 0
    assert acl.rt.set_device(0) == 0
    yield
    assert acl.rt.reset_device(0) == 0
    assert acl.finalize() == 0


def describe(om: Path) -> tuple[int, int]:
    model, ret = acl.mdl.load_from_file(str(om))
    assert ret == 0
    desc = acl.mdl.create_desc()
    assert acl.mdl.get_desc(desc, model) == 0
    return model, desc


@pytest.mark.parametrize(("group", "name", "count"), listed(), ids=lambda value: str(value))
def test_every_function_of_the_contract_is_there(group: str, name: str, count: int) -> None:
    """Its name and the number of its arguments; keywords are refused."""
    function = resolve(group, name)
    path = f"acl.{group}.{name}" if group else f"acl.{name}"
    with pytest.raises(TypeError, match=rf"{re.escape(path)}\(.*takes exactly {count} argument"):
        function(*range(count + 1))
    assert function.__name__ == name
    assert function.__doc__.startswith(path)
    assert name in dir(getattr(acl, group) if group else acl)


def test_nothing_of_functions_def_is_missing() -> None:
    """Each row is a function, but those that take functions or lists of handles."""
    rows = re.findall(r"^ACL_FUNCTION\([^,]+, (\w+), ", FUNCTIONS.read_text("utf-8"), re.M)
    prototypes = _abi.prototypes()
    assert sorted(rows) == sorted(row.symbol for row in prototypes.values())
    assert len(rows) == len(prototypes)
    without = {
        name
        for name, row in prototypes.items()
        if not _functions.is_convertible(row) and name not in _special.FUNCTIONS
    }
    assert without == {
        "finalize_callback_register",
        "finalize_callback_un_register",
        "init_callback_register",
        "init_callback_un_register",
        "op.compile_and_execute",
    }
    assert set(_table.names(None)) == (set(prototypes) - without) | set(_special.FUNCTIONS)


def test_every_function_can_be_called_through(device: None) -> None:
    """The loader has an address for each, and its prototype can be bound."""
    for name, row in _abi.prototypes().items():
        if _functions.is_convertible(row):
            assert callable(_abi.pointer(name))


def test_there_are_no_constants() -> None:
    """What a script may expect gives an error that says what to write."""
    with pytest.raises(AttributeError, match="numpy's type number, 23 for float16"):
        _ = acl.NPY_FLOAT16
    with pytest.raises(AttributeError, match=r"ACL_MEMCPY_HOST_TO_DEVICE = 1"):
        _ = acl.ACL_MEMCPY_HOST_TO_DEVICE
    with pytest.raises(AttributeError, match=r"acl\.rt\.mallok: .*did you mean malloc\?"):
        _ = acl.rt.mallok
    with pytest.raises(AttributeError, match=r"there is acl\.get_soc_name"):
        _ = acl.rt.get_soc_name
    with pytest.raises(AttributeError, match="DVPP media is not supported"):
        _ = acl.media.vdec_create_channel
    with pytest.raises(AttributeError, match="single operators"):
        _ = acl.op.execute
    with pytest.raises(AttributeError):
        _ = acl.rt._private
    with pytest.raises(AttributeError):
        _ = acl._private
    assert repr(acl.rt) == "<acl.rt of aclrt.compat>"


def test_statuses_come_last_and_are_not_raised(device: None) -> None:
    """A bare int alone; out-parameters before it; a value without any."""
    assert acl.init() == 100002
    assert acl.rt.get_device() == (0, 0)
    assert acl.rt.get_run_mode() == (1, 0)
    count, ret = acl.rt.get_device_count()
    assert (count >= 1, ret) == (True, 0)
    assert acl.rt.set_device(99) == 107001
    assert "99" in acl.get_recent_err_msg()
    assert acl.get_recent_err_msg() is None
    assert acl.get_soc_name() == "Ascend310P3"
    version = acl.get_version()
    assert (len(version), version[0], version[-1]) == (4, 1, 0)
    assert acl.data_type_size(0) == 4
    assert acl.float16_to_float(acl.float_to_float16(0.5)) == 0.5
    pointer, ret = acl.rt.malloc(0, 0)
    assert (pointer, ret) == (0, 100000)
    free, total, ret = acl.rt.get_mem_info(0)
    assert (0 < free <= total, ret) == (True, 0)
    rate, ret = acl.rt.get_device_utilization_rate(0)
    assert "cube_utilization" in rate
    values, count, ret = acl.get_cann_attribute_list()
    assert (len(values), ret) == (count, 0)
    assert acl.app_log(1, "100% done") is None
    assert acl.finalize_reference()[1] == 0  # the count of the second init
    assert acl.rt.get_device() == (0, 0)


def test_an_argument_of_a_wrong_type_is_named() -> None:
    """TypeError with position, name and the right call; not a crash, not a code."""
    with pytest.raises(TypeError, match=r"acl\.rt\.malloc: argument 1 \(size\) must be int, not"):
        acl.rt.malloc(1.5, 0)
    with pytest.raises(TypeError, match=r"argument 3 \(src\) .*acl\.util\.bytes_to_ptr"):
        acl.rt.memcpy(1, 1, b"x", 1, H2D)
    with pytest.raises(TypeError, match=r"argument 3 \(src\) .*acl\.util\.numpy_to_ptr"):
        acl.rt.memcpy(1, 1, np.zeros(1), 1, H2D)
    with pytest.raises(TypeError, match=r"not a tuple: .*\(value, ret\); unpack it"):
        acl.rt.free((1, 0))
    with pytest.raises(TypeError, match="not NoneType"):
        acl.mdl.get_num_inputs(None)
    with pytest.raises(TypeError, match=r"argument 1 \(model_path\) must be str, not PosixPath"):
        acl.mdl.load_from_file(Path("m.om"))
    with pytest.raises(ValueError, match="NUL"):
        acl.mdl.load_from_file("a\0b")
    with pytest.raises(TypeError, match="takes no keyword arguments"):
        acl.rt.malloc(size=1, policy=0)
    with pytest.raises(TypeError, match="must be a list of ints, not tuple"):
        acl.create_tensor_desc(0, (1, 2), 2)
    with pytest.raises(TypeError, match=r"must be a list of \[min, max\] lists"):
        acl.set_tensor_shape_range(1, [1])
    with pytest.raises(TypeError, match="must be float"):
        acl.float_to_float16("x")
    with pytest.raises(TypeError, match=r"takes at most 1 argument"):
        acl.init("a", "b")


def test_tensor_descs(device: None) -> None:
    """Dims are lists; ranges are lists of pairs."""
    desc = acl.create_tensor_desc(0, [2, 3, 4], 2)
    assert desc != 0
    assert acl.get_tensor_desc_num_dims(desc) == 3
    assert acl.get_tensor_desc_element_count(desc) == 24
    assert acl.get_tensor_desc_size(desc) == 96
    assert (acl.get_tensor_desc_type(desc), acl.get_tensor_desc_format(desc)) == (0, 2)
    assert acl.get_tensor_desc_dim(desc, 1) == 3
    assert acl.get_tensor_desc_dim_v2(desc, 2) == (4, 0)
    assert acl.get_tensor_desc_dim_v2(desc, 9)[1] == 100000
    assert acl.set_tensor_desc_name(desc, "x") is None
    assert acl.get_tensor_desc_name(desc) == "x"
    assert acl.set_tensor_shape_range(desc, [[2, 2], [1, 8], [4, 4]]) == 0
    assert acl.get_tensor_desc_dim_range(desc, 1, 2) == ([1, 8], 0)
    assert acl.get_tensor_desc_dim_range(desc, 9, 2)[0] is None
    assert acl.set_tensor_shape(desc, [4, 6]) == 0
    assert acl.destroy_tensor_desc(desc) is None


def test_dims_are_dicts(device: None, job: Job) -> None:
    """name, dimCount, dims; empty on an error."""
    model, desc = describe(job.om)
    dims, ret = acl.mdl.get_input_dims(desc, 0)
    assert (dims, ret) == ({"name": "x", "dimCount": 4, "dims": [2, 3, 8, 8]}, 0)
    empty, ret = acl.mdl.get_input_dims(desc, 7)
    assert (empty, ret != 0) == ({}, True)
    assert acl.mdl.get_dynamic_batch(desc) == ({"batchCount": 0, "batch": []}, 0)
    assert acl.mdl.get_dynamic_hw(desc, -1) == ({"hwCount": 0, "hw": []}, 0)
    assert acl.mdl.get_input_dynamic_gear_count(desc, -1) == (0, 0)
    assert acl.mdl.get_input_dynamic_dims(desc, -1, 5000) == (None, 100000)
    index, ret = acl.mdl.get_input_index_by_name(desc, "x")
    assert (index, ret) == (0, 0)
    assert acl.mdl.get_input_index_by_name(desc, "ascend_mbatch_shape_data")[1] != 0
    info, ret = acl.mdl.get_first_aipp_info(model, 0)
    assert (info, ret != 0) == (None, True)
    kind, _, ret = acl.mdl.get_aipp_type(model, 0)
    assert (kind, ret) == (0, 0)
    work, weight, ret = acl.mdl.query_size(str(job.om))
    assert (work >= 0, weight >= 0, ret) == (True, True, 0)
    assert acl.mdl.destroy_desc(desc) == 0
    assert acl.mdl.unload(model) == 0


def test_adding_to_a_dataset_gives_a_pair(device: None) -> None:
    """pyACL's oddity: (dataset, ret)."""
    dataset = acl.mdl.create_dataset()
    memory, _ = acl.rt.malloc(64, 0)
    buffer = acl.create_data_buffer(memory, 64)
    assert acl.mdl.add_dataset_buffer(dataset, buffer) == (dataset, 0)
    desc = acl.create_tensor_desc(0, [4], 2)
    assert acl.mdl.set_dataset_tensor_desc(dataset, desc, 0) == (dataset, 0)
    assert acl.mdl.get_dataset_num_buffers(dataset) == 1
    assert acl.mdl.get_dataset_buffer(dataset, 0) == buffer
    assert acl.get_data_buffer_addr(buffer) == memory
    assert acl.get_data_buffer_size_v2(buffer) == 64
    assert acl.get_data_buffer_addr(acl.mdl.get_dataset_buffer(dataset, 3)) == 0
    wrong = acl.mdl.set_dynamic_batch_size(1, dataset, 0, 4)
    assert wrong != 0
    assert acl.mdl.set_dynamic_hw_size(1, dataset, 0, 4, 4) != 0
    shape = {"dimCount": 1, "name": "", "dims": [4]}
    assert acl.mdl.set_input_dynamic_dims(1, dataset, 0, shape) != 0
    with pytest.raises(ValueError, match="dimCount is 2, but dims has 1"):
        acl.mdl.set_input_dynamic_dims(1, dataset, 0, {**shape, "dimCount": 2})
    with pytest.raises(ValueError, match="lacks dimCount"):
        acl.mdl.set_input_dynamic_dims(1, dataset, 0, {"dims": [1]})
    with pytest.raises(TypeError, match="must be a dict"):
        acl.mdl.set_input_dynamic_dims(1, dataset, 0, [1])
    acl.destroy_tensor_desc(desc)
    assert acl.destroy_data_buffer(buffer) == 0
    assert acl.mdl.destroy_dataset(dataset) == 0
    assert acl.rt.free(memory) == 0


def test_options_are_passed_by_what_they_are(device: None, job: Job) -> None:
    """A text for a path, an int for a number, an address for memory."""
    data = job.om.read_bytes()
    handle = acl.mdl.create_config_handle()
    assert acl.mdl.set_config_opt(handle, 1, 3) == 0  # load from memory
    assert acl.mdl.set_config_opt(handle, 3, acl.util.bytes_to_ptr(data)) == 0
    assert acl.mdl.set_config_opt(handle, 4, len(data)) == 0
    assert acl.mdl.set_config_opt(handle, 0, 0) == 0
    with pytest.raises(TypeError, match=r"ACL_MDL_PATH_PTR\) must be str"):
        acl.mdl.set_config_opt(handle, 2, 5)
    model, ret = acl.mdl.load_with_config(handle)
    assert ret == 0
    assert acl.mdl.unload(model) == 0
    assert acl.mdl.destroy_config_handle(handle) == 0
    handle = acl.mdl.create_exec_config_handle()
    assert acl.mdl.set_exec_config_opt(handle, 0, 1000) == 0
    assert acl.mdl.destroy_exec_config_handle(handle) == 0


def test_util_makes_addresses_and_views() -> None:
    """Views share the memory, copies do not; what cannot be viewed says why."""
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    with pytest.warns(Warning, match="deprecated"):
        address = acl.util.numpy_to_ptr(array)
    assert address == array.ctypes.data
    view = acl.util.ptr_to_numpy(address, (2, 3), FLOAT32)
    view[0, 0] = 9
    assert array[0, 0] == 9
    assert not view.flags.owndata
    assert acl.util.ptr_to_bytes(address, 24) == array.tobytes()
    assert acl.util.ptr_to_bytes(address, 0) == b""
    data = b"abcd"
    assert acl.util.ptr_to_bytes(acl.util.bytes_to_ptr(data), 4) == data
    address, contiguous = acl.util.numpy_contiguous_to_ptr(array.T)
    assert (address, contiguous.flags.c_contiguous) == (contiguous.ctypes.data, True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        acl.util.numpy_to_ptr(array.T)
    assert ["deprecated" in str(caught[0].message), "not contiguous" in str(caught[1].message)] == [
        True,
        True,
    ]
    assert acl.util.ptr_to_numpy(address, (0, 3), 1).shape == (0, 3)
    for number, dtype in ((0, "bool"), (2, "uint8"), (7, "int64"), (23, "float16")):
        assert acl.util.ptr_to_numpy(address, (2,), number).dtype == dtype
    with pytest.raises(ValueError, match="must be a numpy array, not list"):
        acl.util.numpy_to_ptr([1])
    with pytest.raises(TypeError, match="must be bytes, not bytearray"):
        acl.util.bytes_to_ptr(bytearray(b"x"))
    with pytest.raises(TypeError, match="must be a tuple of ints, not list"):
        acl.util.ptr_to_numpy(address, [2], FLOAT32)
    with pytest.raises(ValueError, match="none of numpy's type numbers"):
        acl.util.ptr_to_numpy(address, (2,), 999)
    with pytest.raises(ValueError, match="negative dim"):
        acl.util.ptr_to_numpy(address, (-1,), FLOAT32)
    with pytest.raises(ValueError, match=r"0 \(NULL\)"):
        acl.util.ptr_to_bytes(0, 4)
    with pytest.raises(ValueError, match="the size is -1"):
        acl.util.ptr_to_bytes(address, -1)


def test_nothing_is_kept_alive() -> None:
    """The script owns what it hands over, as with pyACL."""
    import weakref

    array = np.zeros(4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        acl.util.numpy_to_ptr(array)
    gone = weakref.ref(array)
    del array
    gc.collect()
    assert gone() is None


def test_device_memory_is_not_viewed(device: None) -> None:
    """The host cannot read it: an error in place of a crash; page-locked memory is fine."""
    memory, ret = acl.rt.malloc(64, 0)
    with pytest.raises(ValueError, match="is device memory, which the host cannot read"):
        acl.util.ptr_to_numpy(memory, (16,), FLOAT32)
    host, ret = acl.rt.malloc_host(64)
    acl.util.ptr_to_numpy(host, (64,), 2)[:] = 7
    assert acl.rt.memcpy(memory, 64, host, 64, H2D) == 0
    assert acl.rt.memset(host, 64, 0, 64) == 0
    assert acl.rt.memcpy(host, 64, memory, 64, D2H) == 0
    assert acl.util.ptr_to_bytes(host, 64) == b"\7" * 64
    attributes, ret = acl.rt.pointer_get_attributes(memory)
    assert (attributes["location"], ret) == ({"id": 0, "type": 1}, 0)
    assert acl.rt.free(memory) == 0
    assert acl.rt.free_host(host) == 0


def test_a_callback_gets_its_argument(device: None) -> None:
    """Any object; it runs on the thread that reports, while others wait without the lock."""
    stream, ret = acl.rt.create_stream()
    assert ret == 0
    seen: list[Any] = []
    stop = threading.Event()

    def serve(arguments: list[Any]) -> None:
        (context,) = arguments
        acl.rt.set_context(context)
        while not stop.is_set():
            acl.rt.process_report(20)

    context, ret = acl.rt.get_context()
    thread, ret = acl.util.start_thread(serve, [context])
    assert ret == 0
    assert acl.rt.subscribe_report(thread, stream) == 0
    what = {"number": 1}
    call = lambda given: seen.append((given, threading.get_ident()))  # noqa: E731
    assert acl.rt.launch_callback(call, what, 1, stream) == 0
    assert acl.rt.synchronize_stream(stream) == 0
    assert seen == [(what, thread)]
    assert seen[0][0] is what
    assert acl.rt.launch_callback(call, what, 9, stream) == 100000
    assert acl.rt.unsubscribe_report(thread, stream) == 0
    assert acl.rt.launch_callback(call, what, 1, stream) == 107015
    stop.set()
    assert acl.util.stop_thread(thread) == 0
    assert acl.util.stop_thread(thread) == 100000
    with pytest.raises(TypeError, match="must be a function"):
        acl.rt.launch_callback(None, what, 1, stream)
    assert acl.rt.destroy_stream(stream) == 0


def test_a_host_function_runs(device: None) -> None:
    """On a thread of the runtime's own."""
    stream, _ = acl.rt.create_stream()
    seen: list[Any] = []
    assert acl.rt.launch_host_func(stream, seen.append, "x") == 0
    assert acl.rt.synchronize_stream(stream) == 0
    assert seen == ["x"]
    assert acl.rt.destroy_stream(stream) == 0


def test_an_exception_callback_is_called(device: None) -> None:
    """Once for a task that fails on the device: a wait for an event that never comes."""
    codes: list[int] = []

    def on_exception(info: int) -> None:
        codes.append(acl.rt.get_error_code_from_exception_info(info))

    event, _ = acl.rt.create_event_with_flag(1)
    assert acl.rt.set_op_wait_timeout(1) == 0
    for function in (on_exception, None):
        assert acl.rt.set_exception_info_callback(function) == 0
        assert acl.rt.stream_wait_event(0, event) == 0
        assert acl.rt.synchronize_stream(0) == 107019
        assert codes == [107019]
    with pytest.raises(TypeError, match="must be a function"):
        acl.rt.set_exception_info_callback(1)
    assert acl.rt.set_op_wait_timeout(0) == 0
    assert acl.rt.destroy_event(event) == 0


def test_a_failed_execution_is_shown(device: None, job: Job) -> None:
    """A warning beside the code, and the message is still there to be asked for."""
    model, desc = describe(job.om)
    dataset = acl.mdl.create_dataset()
    with pytest.warns(RuntimeWarning, match=r"acl\.mdl\.execute returned 500002.*0 buffers"):
        assert acl.mdl.execute(model, dataset, dataset) == 500002
    assert "0 buffers" in acl.get_recent_err_msg()
    assert acl.mdl.destroy_dataset(dataset) == 0
    assert acl.mdl.destroy_desc(desc) == 0
    assert acl.mdl.unload(model) == 0


def test_profiling_functions_answer(device: None, tmp_path: Path) -> None:
    """The states of the profiler, by their codes."""
    assert acl.prof.init(str(tmp_path)) == 0
    config = acl.prof.create_config([0], 0, 0, 1)
    assert config != 0
    assert acl.prof.start(config) == 0
    assert acl.prof.stop(config) == 0
    assert acl.prof.destroy_config(config) == 0
    assert acl.prof.finalize() == 0
    text, ret = acl.prof.get_op_name(0, 0, 0, 64)
    assert (text, ret != 0) == ("", True)


def test_versions_and_op_descs(device: None) -> None:
    """The odd signatures: two texts, many results."""
    version, ret = acl.get_version_str("runtime")
    assert (isinstance(version, str), isinstance(ret, int)) == (True, True)
    number, ret = acl.get_version_num("runtime")
    assert isinstance(number, int)
    version, ret = acl.get_cann_version(0)
    assert isinstance(version, dict)
    name, inputs, n, outputs, m, ret = acl.mdl.create_and_get_op_desc(0, 1, 1, 64)
    assert (name, inputs, n, outputs, m) == ("", 0, 0, 0, 0)
    assert ret != 0
