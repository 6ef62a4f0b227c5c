# SPDX-License-Identifier: Apache-2.0
"""Contract 13 and 14: loading, unloading and sizing models, options; .om format 10: refusals."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance import acl, running, small
from conformance.files import content_of, entry_of, patched
from conformance.running import load_memory

fake_only = pytest.mark.fake_only

LIMIT = 8 << 40
CODES = acl.codes()
INVALID_PARAM = CODES["ACL_ERROR_INVALID_PARAM"]
NOT_INIT = CODES["ACL_ERROR_GE_EXEC_NOT_INIT"]
BAD_PATH = CODES["ACL_ERROR_GE_EXEC_MODEL_PATH_INVALID"]
BAD_ID = CODES["ACL_ERROR_GE_EXEC_MODEL_ID_INVALID"]
BAD_SIZE = CODES["ACL_ERROR_GE_EXEC_MODEL_DATA_SIZE_INVALID"]
GE_PARAM = CODES["ACL_ERROR_GE_PARAM_INVALID"]
GE_FAILURE = CODES["ACL_ERROR_GE_FAILURE"]
PARTITION = CODES["ACL_ERROR_GE_EXEC_LOAD_MODEL_PARTITION_FAILED"]
TASKS = CODES["ACL_ERROR_GE_EXEC_LOAD_TASK_PARTITION_FAILED"]
NO_CONTEXT = CODES["ACL_ERROR_RT_CONTEXT_NULL"]
NO_MEMORY = CODES["ACL_ERROR_GE_MEMORY_ALLOCATION"]
UNSUPPORTED = CODES["ACL_ERROR_API_NOT_SUPPORT"]


def test_c13_file_load_gives_an_id_and_unload_takes_it_back(
    lib: acl.Library, tmp_path: Path
) -> None:
    """MDL-LOAD-01 (13): An id is never 0, is written on success, and is dead after unloading."""
    path = tmp_path / "model.om"
    path.write_bytes(small.double())
    model_id = ctypes.c_uint32(0)
    assert lib.aclmdlLoadFromFile(str(path).encode(), ctypes.byref(model_id)) == 0
    assert model_id.value != 0
    assert lib.aclmdlUnload(model_id) == 0
    assert lib.aclmdlUnload(model_id) == BAD_ID


def test_c13_the_file_may_vanish_after_loading(lib: acl.Library, tmp_path: Path) -> None:
    """MDL-LOAD-02 (13): Loading copies what it needs."""
    path = tmp_path / "model.om"
    path.write_bytes(small.double())
    model_id = ctypes.c_uint32()
    assert lib.aclmdlLoadFromFile(str(path).encode(), ctypes.byref(model_id)) == 0
    path.write_bytes(b"")
    path.unlink()
    assert lib.aclmdlUnload(model_id) == 0


def test_c13_host_bytes_may_be_reused_after_loading(lib: acl.Library) -> None:
    """MDL-LOAD-03 (13): LoadFromMem keeps no reference to its buffer."""
    buffer = ctypes.create_string_buffer(small.double(), len(small.double()))
    model_id = ctypes.c_uint32()
    code = lib.aclmdlLoadFromMem(buffer, len(small.double()), ctypes.byref(model_id))
    ctypes.memset(buffer, 0xEE, len(buffer))
    assert code == 0
    assert lib.aclmdlUnload(model_id) == 0


def test_c13_ids_are_unique_while_loaded(lib: acl.Library) -> None:
    """MDL-LOAD-04 (13): The same file loaded three times gives three ids."""
    ids = [running.load(lib, small.double()) for _ in range(3)]
    assert len(set(ids)) == 3
    assert [lib.aclmdlUnload(i) for i in ids] == [0, 0, 0]


def test_c13_null_path_before_everything(raw: acl.Library) -> None:
    """MDL-LOAD-05 (13): A null path is 100000 even before aclInit."""
    assert raw.aclmdlLoadFromFile(None, None) == INVALID_PARAM


def test_c13_bad_path_before_null_id(raw: acl.Library, tmp_path: Path) -> None:
    """MDL-LOAD-06 (13): The path is looked at first: 145002 although the id is null and ACL not
    initialised.
    """
    assert raw.aclmdlLoadFromFile(str(tmp_path / "none.om").encode(), None) == BAD_PATH
    assert "none.om" in raw.message()


@pytest.mark.parametrize("kind", ["empty name", "folder", "fifo", "unreadable"])
def test_c13_paths_that_are_no_files(lib: acl.Library, tmp_path: Path, kind: str) -> None:
    """MDL-LOAD-07 (13): Whatever cannot be read as a file is 145002, and nothing waits."""
    path = tmp_path / "thing"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        import os

        os.mkfifo(path)
    elif kind == "unreadable":
        path.symlink_to(tmp_path / "nowhere")
    name = b"" if kind == "empty name" else str(path).encode()
    assert lib.aclmdlLoadFromFile(name, ctypes.byref(ctypes.c_uint32())) == BAD_PATH


@pytest.mark.parametrize("size", [0, 1, 3])
def test_f10_files_shorter_than_the_magic(lib: acl.Library, tmp_path: Path, size: int) -> None:
    """MDL-LOAD-08 (13, om 10): Fewer than 4 bytes in a file: 145006."""
    path = tmp_path / "short.om"
    path.write_bytes(small.double()[:size])
    assert lib.aclmdlLoadFromFile(str(path).encode(), None) == BAD_SIZE


def test_f10_file_shorter_than_its_header(lib: acl.Library, tmp_path: Path) -> None:
    """MDL-LOAD-09 (13, om 10): 4 to 255 bytes in a file: 145006."""
    path = tmp_path / "short.om"
    path.write_bytes(small.double()[:255])
    code = lib.aclmdlLoadFromFile(str(path).encode(), ctypes.byref(ctypes.c_uint32()))
    assert code == BAD_SIZE


@pytest.mark.parametrize(
    ("size", "code"), [(1, BAD_SIZE), (3, BAD_SIZE), (4, INVALID_PARAM), (255, INVALID_PARAM)]
)
def test_c13_memory_shorter_than_its_header(lib: acl.Library, size: int, code: int) -> None:
    """MDL-LOAD-10 (13): 1..3 bytes in memory: 145006; 4..255: 100000."""
    assert load_memory(lib, small.double()[:size]) == (code, 77)


def test_c13_null_memory_and_size_zero(lib: acl.Library) -> None:
    """MDL-LOAD-11 (13): Null data and size 0 are 100000."""
    om, model_id = small.double(), ctypes.c_uint32()
    assert lib.aclmdlLoadFromMem(None, len(om), ctypes.byref(model_id)) == INVALID_PARAM
    assert lib.aclmdlLoadFromMem(om, 0, ctypes.byref(model_id)) == INVALID_PARAM
    assert lib.aclmdlLoadFromMem(om, len(om), None) == INVALID_PARAM


def test_c13_needs_aclinit(raw: acl.Library) -> None:
    """MDL-LOAD-12 (13): Before aclInit a good file is 145001, and the id stays."""
    assert load_memory(raw, small.double()) == (NOT_INIT, 77)


def test_c13_needs_a_context(raw: acl.Library) -> None:
    """MDL-LOAD-13 (13): Without a current context loading is 107002."""
    assert raw.aclInit(None) == 0
    assert load_memory(raw, small.double()) == (NO_CONTEXT, 77)
    assert raw.aclFinalize() == 0


Damage = Callable[[bytes], bytes]
DAMAGES: dict[str, tuple[Damage, int]] = {
    "magic": (lambda om: b"JUNK" + om[4:], GE_PARAM),
    "one byte short": (lambda om: om[:-1], GE_PARAM),
    "one byte long": (lambda om: om + b"\0", GE_PARAM),
    "length + 1": (
        lambda om: patched(om, 0xB8, "<Q", struct.unpack_from("<Q", om, 0xB8)[0] + 1),
        GE_PARAM,
    ),
    "num 0": (lambda om: patched(om, 0x100, "<I", 0), GE_PARAM),
    "num 9": (lambda om: patched(om, 0x100, "<I", 9), GE_PARAM),
    "num 2^32-1": (lambda om: patched(om, 0x100, "<I", 2**32 - 1), GE_PARAM),
    "body of 8 bytes": (lambda om: patched(om, 0xB8, "<Q", 8)[: 256 + 8], BAD_SIZE),
    "partition beyond the body": (
        lambda om: patched(om, entry_of(om, 0) + 16, "<Q", LIMIT),
        BAD_SIZE,
    ),
    "partition size 2^64-1": (
        lambda om: patched(om, entry_of(om, 0) + 16, "<Q", 2**64 - 1),
        BAD_SIZE,
    ),
    "no MODEL_DEF": (lambda om: patched(om, entry_of(om, 0), "<I", 77), PARTITION),
    "MODEL_DEF broken": (
        lambda om: patched(om, content_of(om, 0)[0], "<8B", *b"\xff" * 8),
        PARTITION,
    ),
    "TASK_INFO broken": (
        lambda om: patched(om, content_of(om, 2)[0], "<B", 0xFF),
        TASKS,
    ),
    "TLV too long": (
        lambda om: patched(om, content_of(om, 8)[0] + 4, "<I", 2**31),
        GE_FAILURE,
    ),
    "TLV of unknown type": (lambda om: patched(om, content_of(om, 8)[0], "<I", 99), GE_FAILURE),
    "ONNX body damaged": (
        lambda om: patched(om, content_of(om, 0x4E4F4158)[0] + 30, "<I", 0xDEADBEEF),
        PARTITION,
    ),
    "phone model": (lambda om: patched(patched(om, 8, "<I", 1 << 28), 0x52, "<B", 4), GE_FAILURE),
    "bundle": (lambda om: patched(om, 0x52, "<B", 5), GE_FAILURE),
    "zip archive": (lambda om: b"PK\3\4" + om[4:], GE_FAILURE),
}


@fake_only
@pytest.mark.parametrize("name", DAMAGES)
def test_f10_damaged_files(lib: acl.Library, name: str) -> None:
    """MDL-LOAD-14 (13, om 10): Each malformation has its code and a message; nothing is loaded, the
    id is not written.
    """
    damage, code = DAMAGES[name]
    lib.message()
    assert load_memory(lib, damage(small.double())) == (code, 77)
    assert "memory" in lib.message()
    assert "model" not in lib.live()


def test_c13_query_size(raw: acl.Library, tmp_path: Path) -> None:
    """MDL-LOAD-15 (13): Sizes from file and memory agree, need aclInit but no device."""
    om = small.double()
    path = tmp_path / "model.om"
    path.write_bytes(om)
    work, weights = ctypes.c_size_t(5), ctypes.c_size_t(5)
    refs = (ctypes.byref(work), ctypes.byref(weights))
    assert raw.aclmdlQuerySize(str(path).encode(), *refs) == NOT_INIT
    assert (work.value, weights.value) == (5, 5)
    assert raw.aclInit(None) == 0
    assert raw.aclmdlQuerySize(str(path).encode(), *refs) == 0
    from_file = (work.value, weights.value)
    assert raw.aclmdlQuerySizeFromMem(om, len(om), *refs) == 0
    assert (work.value, weights.value) == from_file
    assert raw.aclFinalize() == 0


def test_c13_query_size_refusals(lib: acl.Library, tmp_path: Path) -> None:
    """MDL-LOAD-16 (13): Null arguments, a missing file, a bad magic; the outputs stay untouched."""
    om = small.double()
    work, weights = ctypes.c_size_t(5), ctypes.c_size_t(6)
    refs = (ctypes.byref(work), ctypes.byref(weights))
    assert lib.aclmdlQuerySize(None, *refs) == INVALID_PARAM
    assert lib.aclmdlQuerySize(str(tmp_path / "none").encode(), *refs) == BAD_PATH
    assert lib.aclmdlQuerySizeFromMem(om, len(om), None, refs[1]) == INVALID_PARAM
    assert lib.aclmdlQuerySizeFromMem(om, len(om), refs[0], None) == INVALID_PARAM
    assert lib.aclmdlQuerySizeFromMem(om, 0, *refs) == INVALID_PARAM
    assert lib.aclmdlQuerySizeFromMem(b"JUNK" + om[4:], len(om), *refs) == GE_PARAM
    assert (work.value, weights.value) == (5, 6)


def test_f10_query_size_of_a_lone_graph(lib: acl.Library) -> None:
    """MDL-LOAD-17 (13, om 10): A static file with one partition is 145000."""
    om = small.double()
    offset, size = content_of(om, 0)
    body = struct.pack("<II", 1, 0) + struct.pack("<IIQQ", 0, 0, 0, size) + om[offset:][:size]
    lone = patched(om[:256], 0xB8, "<Q", len(body)) + body
    work, weights = ctypes.c_size_t(), ctypes.c_size_t()
    refs = (ctypes.byref(work), ctypes.byref(weights))
    assert lib.aclmdlQuerySizeFromMem(lone, len(lone), *refs) == GE_PARAM


def sizes(lib: acl.Library, om: bytes) -> tuple[int, int]:
    """(work, weights) that a model needs."""
    work, weights = ctypes.c_size_t(), ctypes.c_size_t()
    code = lib.aclmdlQuerySizeFromMem(om, len(om), ctypes.byref(work), ctypes.byref(weights))
    assert code == 0
    return work.value, weights.value


def test_c13_load_with_own_memory(lib: acl.Library) -> None:
    """MDL-LOAD-18 (13): The client's work and weight memory serve; too little is 145000; null is
    the system's.
    """
    om, model_id = small.double(), ctypes.c_uint32()
    work, weights = sizes(lib, om)
    assert work > 0
    with running.Buffers(lib) as device:
        mine = device.alloc(work), device.alloc(max(weights, 1))
        args = (om, len(om), ctypes.byref(model_id))
        load = lib.aclmdlLoadFromMemWithMem
        assert load(*args, mine[0], work, mine[1], max(weights, 1)) == 0
        assert lib.aclmdlUnload(model_id) == 0
        assert load(*args, mine[0], work - 1, mine[1], max(weights, 1)) == GE_PARAM
        assert load(*args, None, 0, None, 0) == 0
        assert lib.aclmdlUnload(model_id) == 0


def test_c13_own_memory_must_be_the_devices(lib: acl.Library) -> None:
    """MDL-LOAD-19 (13): Host memory as work memory is refused."""
    om, model_id = small.double(), ctypes.c_uint32()
    work, _ = sizes(lib, om)
    host = ctypes.create_string_buffer(work)
    args = (om, len(om), ctypes.byref(model_id), ctypes.addressof(host), work, None, 0)
    assert lib.aclmdlLoadFromMemWithMem(*args) == GE_PARAM
    assert "device memory" in lib.message()


def test_c13_freeing_own_memory_too_early_is_noticed(lib: acl.Library) -> None:
    """MDL-LOAD-20 (13): Work memory must live until the model is unloaded."""
    import numpy as np

    om, model_id = small.double(), ctypes.c_uint32()
    work, _ = sizes(lib, om)
    with running.Buffers(lib) as device:
        mine = device.alloc(work)
        args = (om, len(om), ctypes.byref(model_id), mine, work, None, 0)
        assert lib.aclmdlLoadFromMemWithMem(*args) == 0
    x = np.ones((2, 3), np.float32)
    with running.Buffers(lib) as device:
        source = device.dataset((device.upload(x), x.nbytes))
        target = device.dataset((device.alloc(x.nbytes), x.nbytes))
        code = lib.aclmdlExecute(model_id, source, target)
    assert code == CODES["ACL_ERROR_RT_MODEL_EXECUTE"]
    assert lib.aclmdlUnload(model_id) == 0


@fake_only
def test_c13_models_take_device_memory(lib: acl.Library) -> None:
    """MDL-LOAD-21 (13): Work memory counts against the device and comes back."""
    free, total = ctypes.c_size_t(), ctypes.c_size_t()

    def left() -> int:
        assert lib.aclrtGetMemInfo(0, ctypes.byref(free), ctypes.byref(total)) == 0
        return free.value

    om = small.slow(2)
    before = left()
    model_id = running.load(lib, om)
    assert before - left() >= sum(sizes(lib, om))
    assert lib.ledger()["objects"]["model"]["live_bytes"] == sum(sizes(lib, om))
    assert lib.aclmdlUnload(model_id) == 0
    assert left() == before


@fake_only
def test_c13_no_device_memory_left(lib: acl.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """MDL-LOAD-22 (13): A model that does not fit is 245000 and leaves nothing behind; unloading
    makes room.
    """
    monkeypatch.setenv("ACLRT_FAKE_ENGINE", "synthetic")  # hundreds of sessions take a while
    om = small.double()
    at, size = content_of(om, 2)
    huge = bytearray(om)
    # TASK_INFO anew: field 11 (memory_size) fills the place; 4 times 7 bits say 256 MiB.
    huge[at : at + size] = b"\x58" + b"\xff" * 4 + b"\x80" * (size - 6) + b"\x00"
    work, _ = sizes(lib, bytes(huge))
    assert work > 100_000_000
    ids = []
    while (loaded := load_memory(lib, bytes(huge)))[0] == 0:
        ids.append(loaded[1])
    assert loaded == (NO_MEMORY, 77)
    assert "work memory" in lib.message()
    assert lib.live()["model"] == len(ids)
    assert lib.aclmdlUnload(ids[0]) == 0
    code, ids[0] = load_memory(lib, bytes(huge))
    assert code == 0
    assert [lib.aclmdlUnload(model_id) for model_id in ids] == [0] * len(ids)


def test_c13_queue_loads_are_not_supported(lib: acl.Library, tmp_path: Path) -> None:
    """MDL-LOAD-23 (13): WithQ: 100000 for null queues and counts of 0, else 200001."""
    om, model_id = small.double(), ctypes.byref(ctypes.c_uint32())
    queue = ctypes.byref(ctypes.c_uint32(1))
    assert lib.aclmdlLoadFromMemWithQ(om, len(om), model_id, queue, 1, queue, 1) == UNSUPPORTED
    assert lib.aclmdlLoadFromMemWithQ(om, len(om), model_id, None, 1, queue, 1) == INVALID_PARAM
    assert lib.aclmdlLoadFromMemWithQ(om, len(om), model_id, queue, 0, queue, 1) == INVALID_PARAM
    path = tmp_path / "model.om"
    path.write_bytes(om)
    load = lib.aclmdlLoadFromFileWithQ
    assert load(str(path).encode(), model_id, queue, 1, queue, 1) == UNSUPPORTED
    assert load(str(path).encode(), model_id, queue, 1, None, 1) == INVALID_PARAM


def test_c13_unload_of_unknown_ids(lib: acl.Library) -> None:
    """MDL-LOAD-24 (13): Never loaded: 145003."""
    assert lib.aclmdlUnload(0) == BAD_ID
    assert lib.aclmdlUnload(123456) == BAD_ID


def test_c13_priority_attribute(lib: acl.Library) -> None:
    """MDL-LOAD-25 (13): Priority of a loaded model: 0..7; unknown id 145003; bad attribute, null
    and value 100000.
    """
    model_id = running.load(lib, small.double())
    value = acl.AttrValue()
    ref = ctypes.byref(value)
    assert lib.aclmdlGetAttribute(model_id, 0, ref) == 0
    value.mdlPriority = 5
    assert lib.aclmdlSetAttribute(model_id, 0, ref) == 0
    value.mdlPriority = 0
    assert lib.aclmdlGetAttribute(model_id, 0, ref) == 0
    assert value.mdlPriority == 5
    value.mdlPriority = 8
    assert lib.aclmdlSetAttribute(model_id, 0, ref) == INVALID_PARAM
    assert lib.aclmdlSetAttribute(model_id, 9, ref) == INVALID_PARAM
    assert lib.aclmdlGetAttribute(model_id, 0, None) == INVALID_PARAM
    assert lib.aclmdlGetAttribute(model_id + 1, 0, ref) == BAD_ID
    assert lib.aclmdlUnload(model_id) == 0


# ---- 14: options ---------------------------------------------------------------------------------

PRIORITY, LOAD_TYPE, PATH, MEM, MEM_SIZE, WEIGHT, WEIGHT_SIZE, WORK, WORK_SIZE = range(9)
WEIGHT_PATH = 14


@pytest.fixture
def config(lib: acl.Library) -> object:
    """A load config handle."""
    handle = lib.aclmdlCreateConfigHandle()
    yield handle
    assert lib.aclmdlDestroyConfigHandle(handle) == 0


def option(lib: acl.Library, config: object, attribute: int, value: object) -> int:
    """aclmdlSetConfigOpt with the address and the size of a ctypes value."""
    code = lib.aclmdlSetConfigOpt(config, attribute, ctypes.byref(value), ctypes.sizeof(value))
    return int(code)


def test_c14_load_from_memory_by_config(lib: acl.Library, config: object) -> None:
    """MDL-LOAD-26 (14): A handle serves several loads."""
    om = ctypes.create_string_buffer(small.double(), len(small.double()))
    assert option(lib, config, LOAD_TYPE, ctypes.c_size_t(3)) == 0
    assert option(lib, config, MEM, ctypes.c_void_p(ctypes.addressof(om))) == 0
    assert option(lib, config, MEM_SIZE, ctypes.c_size_t(len(om))) == 0
    assert option(lib, config, PRIORITY, ctypes.c_int32(2)) == 0
    for _ in range(2):
        model_id = ctypes.c_uint32()
        assert lib.aclmdlLoadWithConfig(config, ctypes.byref(model_id)) == 0
        value = acl.AttrValue()
        assert lib.aclmdlGetAttribute(model_id, 0, ctypes.byref(value)) == 0
        assert value.mdlPriority == 2
        assert lib.aclmdlUnload(model_id) == 0


def test_c14_load_from_file_by_config(lib: acl.Library, config: object, tmp_path: Path) -> None:
    """MDL-LOAD-27 (14): The path is copied; a weight path beside it is refused."""
    (tmp_path / "m.om").write_bytes(small.double())
    text = ctypes.create_string_buffer(str(tmp_path / "m.om").encode())
    assert option(lib, config, LOAD_TYPE, ctypes.c_size_t(1)) == 0
    assert option(lib, config, PATH, ctypes.c_void_p(ctypes.addressof(text))) == 0
    ctypes.memset(text, 0, len(text))
    model_id = ctypes.c_uint32()
    assert lib.aclmdlLoadWithConfig(config, ctypes.byref(model_id)) == 0
    assert lib.aclmdlUnload(model_id) == 0
    folder = ctypes.create_string_buffer(b"/weights")
    assert option(lib, config, WEIGHT_PATH, ctypes.c_void_p(ctypes.addressof(folder))) == 0
    assert lib.aclmdlLoadWithConfig(config, ctypes.byref(model_id)) == INVALID_PARAM


def test_c14_incomplete_config(lib: acl.Library, config: object, tmp_path: Path) -> None:
    """MDL-LOAD-28 (14): Neither path nor memory: 100000; an unreadable path: 145002 even without a
    load type.
    """
    model_id = ctypes.c_uint32()
    assert lib.aclmdlLoadWithConfig(config, ctypes.byref(model_id)) == INVALID_PARAM
    text = ctypes.create_string_buffer(str(tmp_path / "none.om").encode())
    assert option(lib, config, PATH, ctypes.c_void_p(ctypes.addressof(text))) == 0
    assert lib.aclmdlLoadWithConfig(config, ctypes.byref(model_id)) == BAD_PATH
    (tmp_path / "m.om").write_bytes(small.double())
    text = ctypes.create_string_buffer(str(tmp_path / "m.om").encode())
    assert option(lib, config, PATH, ctypes.c_void_p(ctypes.addressof(text))) == 0
    assert lib.aclmdlLoadWithConfig(config, ctypes.byref(model_id)) == INVALID_PARAM  # no type
    assert option(lib, config, LOAD_TYPE, ctypes.c_size_t(3)) == 0
    assert lib.aclmdlLoadWithConfig(config, ctypes.byref(model_id)) == INVALID_PARAM  # no memory


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (LOAD_TYPE, ctypes.c_size_t(0)),
        (LOAD_TYPE, ctypes.c_size_t(7)),
        (LOAD_TYPE, ctypes.c_int32(1)),  # wrong size
        (PRIORITY, ctypes.c_int32(8)),
        (PRIORITY, ctypes.c_int32(-1)),
        (PATH, ctypes.c_void_p(None)),
        (MEM, ctypes.c_void_p(None)),
        (13, ctypes.c_size_t(2)),
        (15, ctypes.c_size_t(1)),
        (25, ctypes.c_size_t(1)),
        (28, ctypes.c_int32(2)),
        (29, ctypes.c_int32(1)),
        (999, ctypes.c_size_t(1)),
    ],
)
def test_c14_refused_load_options(
    lib: acl.Library, config: object, attribute: int, value: object
) -> None:
    """MDL-LOAD-29 (14): Values out of range, of another size, null pointers and foreign attributes:
    100000.
    """
    assert option(lib, config, attribute, value) == INVALID_PARAM


def test_c14_null_arguments(lib: acl.Library, config: object) -> None:
    """MDL-LOAD-30 (14): Null handles and values: 100000."""
    value = ctypes.c_size_t(1)
    assert lib.aclmdlSetConfigOpt(None, LOAD_TYPE, ctypes.byref(value), 8) == INVALID_PARAM
    assert lib.aclmdlSetConfigOpt(config, LOAD_TYPE, None, 8) == INVALID_PARAM
    assert lib.aclmdlLoadWithConfig(None, ctypes.byref(ctypes.c_uint32())) == INVALID_PARAM
    assert lib.aclmdlDestroyConfigHandle(None) == INVALID_PARAM


def test_c14_external_weight_address(lib: acl.Library, config: object) -> None:
    """MDL-LOAD-31 (14): The size must be a positive multiple of 32."""
    with running.Buffers(lib) as device:
        data = device.alloc(64)
        assert lib.aclmdlSetExternalWeightAddress(config, b"w", data, 64) == 0
        assert lib.aclmdlSetExternalWeightAddress(config, b"w", data, 33) == INVALID_PARAM
        assert lib.aclmdlSetExternalWeightAddress(config, b"w", data, 0) == INVALID_PARAM
        assert lib.aclmdlSetExternalWeightAddress(config, b"w", None, 64) == INVALID_PARAM


def test_c14_execute_options(lib: acl.Library) -> None:
    """MDL-LOAD-32 (14): The two timeouts: int32 from -1; others are 100000."""
    handle = lib.aclmdlCreateExecConfigHandle()
    for attribute in (0, 1):
        for value, code in ((-1, 0), (0, 0), (2**31 - 1, 0), (-2, INVALID_PARAM)):
            number = ctypes.c_int32(value)
            assert lib.aclmdlSetExecConfigOpt(handle, attribute, ctypes.byref(number), 4) == code, (
                value
            )
    number = ctypes.c_int32(1)
    assert lib.aclmdlSetExecConfigOpt(handle, 2, ctypes.byref(number), 4) == INVALID_PARAM
    assert lib.aclmdlSetExecConfigOpt(handle, 0, ctypes.byref(number), 8) == INVALID_PARAM
    assert lib.aclmdlSetExecConfigOpt(None, 0, ctypes.byref(number), 4) == INVALID_PARAM
    assert lib.aclmdlDestroyExecConfigHandle(handle) == 0
    assert lib.aclmdlDestroyExecConfigHandle(handle) == INVALID_PARAM  # destroyed already
