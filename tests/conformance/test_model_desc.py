# SPDX-License-Identifier: Apache-2.0
"""Contract 15: descriptions of models; 18 and 19 as models without gears and AIPP answer."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance import acl, running, small

CODES = acl.codes()
INVALID_PARAM = CODES["ACL_ERROR_INVALID_PARAM"]
BAD_ID = CODES["ACL_ERROR_GE_EXEC_MODEL_ID_INVALID"]
UNDEFINED = -1
ALL_INPUTS = 2**64 - 1


@pytest.fixture
def model(lib: acl.Library) -> Iterator[int]:
    """A loaded model with two inputs and two outputs."""
    model_id = running.load(lib, small.two_in_two_out())
    yield model_id
    assert lib.aclmdlUnload(model_id) == 0


@pytest.fixture
def desc(lib: acl.Library, model: int) -> Iterator[int]:
    """Its description."""
    handle = lib.aclmdlCreateDesc()
    assert lib.aclmdlGetDesc(handle, model) == 0
    yield handle
    assert lib.aclmdlDestroyDesc(handle) == 0


def test_c15_counts(lib: acl.Library, desc: int) -> None:
    """MDL-DESC-01 (15): Number of inputs and outputs; 0 for NULL."""
    assert (lib.aclmdlGetNumInputs(desc), lib.aclmdlGetNumOutputs(desc)) == (2, 2)
    assert (lib.aclmdlGetNumInputs(None), lib.aclmdlGetNumOutputs(None)) == (0, 0)


def test_c15_names(lib: acl.Library, desc: int) -> None:
    """MDL-DESC-02 (15): Inputs have the framework's names, outputs "<node>:<index>:<name>"; "" on
    errors.
    """
    assert [lib.aclmdlGetInputNameByIndex(desc, i) for i in (0, 1)] == [b"a", b"b"]
    names = [lib.aclmdlGetOutputNameByIndex(desc, i) for i in (0, 1)]
    assert names == [b"negate:0:s", b"twice:0:t"]
    assert lib.aclmdlGetInputNameByIndex(desc, 2) == b""
    assert lib.aclmdlGetOutputNameByIndex(None, 0) == b""


def test_c15_types_formats_sizes(lib: acl.Library, desc: int) -> None:
    """MDL-DESC-03 (15): Type, format and bytes of each tensor; the neutral value on a bad index."""
    assert [lib.aclmdlGetInputDataType(desc, i) for i in (0, 1, 2)] == [
        acl.FLOAT,
        acl.INT64,
        UNDEFINED,
    ]
    assert [lib.aclmdlGetOutputDataType(desc, i) for i in (0, 1, 2)] == [
        acl.FLOAT,
        acl.INT64,
        UNDEFINED,
    ]
    assert [lib.aclmdlGetInputSizeByIndex(desc, i) for i in (0, 1, 2)] == [16, 32, 0]
    assert [lib.aclmdlGetOutputSizeByIndex(desc, i) for i in (0, 1, 2)] == [16, 32, 0]
    assert lib.aclmdlGetInputFormat(desc, 0) >= 0
    assert lib.aclmdlGetOutputFormat(desc, 0) >= 0
    assert lib.aclmdlGetInputFormat(desc, 2) == UNDEFINED
    assert lib.aclmdlGetOutputFormat(None, 0) == UNDEFINED


@pytest.mark.parametrize(
    ("function", "index", "name", "shape"),
    [
        ("aclmdlGetInputDims", 0, b"a", (4,)),
        ("aclmdlGetInputDims", 1, b"b", (2, 2)),
        ("aclmdlGetInputDimsV2", 1, b"b", (2, 2)),
        ("aclmdlGetOutputDims", 0, b"negate:0:s", (4,)),
        ("aclmdlGetCurOutputDims", 1, b"twice:0:t", (2, 2)),
    ],
)
def test_c15_dims(
    lib: acl.Library, desc: int, function: str, index: int, name: bytes, shape: tuple[int, ...]
) -> None:
    """MDL-DESC-04 (15): Name and dims; the tail of the struct is not written; 100000 for null and
    bad index.
    """
    dims = acl.IODims()
    ctypes.memset(ctypes.byref(dims), 0x5A, ctypes.sizeof(dims))
    get = getattr(lib, function)
    assert get(desc, index, ctypes.byref(dims)) == 0
    assert (dims.name, dims.shape()) == (name, shape)
    assert dims.dims[len(shape)] == 0x5A5A5A5A5A5A5A5A
    assert get(desc, 2, ctypes.byref(dims)) == INVALID_PARAM
    assert get(desc, index, None) == INVALID_PARAM
    assert get(None, index, ctypes.byref(dims)) == INVALID_PARAM


def test_c15_dims_range_of_static_dims(lib: acl.Library, desc: int) -> None:
    """MDL-DESC-05 (15): [d, d] for each dim."""
    ranges = acl.IODimsRange()
    assert lib.aclmdlGetInputDimsRange(desc, 1, ctypes.byref(ranges)) == 0
    assert [list(ranges.range[i]) for i in range(ranges.rangeCount)] == [[2, 2], [2, 2]]
    assert lib.aclmdlGetInputDimsRange(desc, 2, ctypes.byref(ranges)) == INVALID_PARAM


def test_c15_index_by_name(lib: acl.Library, desc: int) -> None:
    """MDL-DESC-06 (15): Exact names only; the index stays on a miss."""
    index = ctypes.c_size_t(9)
    ref = ctypes.byref(index)
    assert lib.aclmdlGetInputIndexByName(desc, b"b", ref) == 0
    assert index.value == 1
    assert lib.aclmdlGetOutputIndexByName(desc, b"twice:0:t", ref) == 0
    assert index.value == 1
    assert lib.aclmdlGetOutputIndexByName(desc, b"t", ref) == INVALID_PARAM
    assert lib.aclmdlGetInputIndexByName(desc, b"B", ref) == INVALID_PARAM
    assert lib.aclmdlGetInputIndexByName(desc, None, ref) == INVALID_PARAM
    assert lib.aclmdlGetInputIndexByName(desc, b"b", None) == INVALID_PARAM
    assert lib.aclmdlGetInputIndexByName(None, b"b", ref) == INVALID_PARAM
    assert index.value == 1


def test_c15_long_names(lib: acl.Library) -> None:
    """MDL-DESC-07 (15): Names over 127 characters are replaced in the struct and mapped back by
    GetTensorRealName.
    """
    model_id = running.load(lib, small.long_names())
    desc = lib.aclmdlCreateDesc()
    assert lib.aclmdlGetDesc(desc, model_id) == 0
    dims = acl.IODims()
    assert lib.aclmdlGetInputDims(desc, 0, ctypes.byref(dims)) == 0
    short = b"acl_modelId_%d_input_0" % model_id
    assert dims.name == short
    assert lib.aclmdlGetOutputDims(desc, 0, ctypes.byref(dims)) == 0
    assert dims.name == b"acl_modelId_%d_output_0" % model_id
    assert lib.aclmdlGetInputNameByIndex(desc, 0) == b"x" * 200
    assert lib.aclmdlGetTensorRealName(desc, short) == b"x" * 200
    assert lib.aclmdlGetTensorRealName(desc, b"x" * 200) == b"x" * 200
    assert lib.aclmdlGetTensorRealName(desc, b"nothing") is None
    assert lib.aclmdlGetTensorRealName(desc, None) is None
    assert lib.aclmdlGetTensorRealName(None, short) is None
    index = ctypes.c_size_t()
    assert lib.aclmdlGetInputIndexByName(desc, short, ctypes.byref(index)) == INVALID_PARAM
    assert lib.aclmdlDestroyDesc(desc) == 0
    assert lib.aclmdlUnload(model_id) == 0


def test_c15_desc_survives_unloading(lib: acl.Library) -> None:
    """MDL-DESC-08 (15): A desc is a copy; GetCurOutputDims alone asks the model: 145003."""
    model_id = running.load(lib, small.double())
    desc = lib.aclmdlCreateDesc()
    assert lib.aclmdlGetDesc(desc, model_id) == 0
    assert lib.aclmdlUnload(model_id) == 0
    assert lib.aclmdlGetInputNameByIndex(desc, 0) == b"x"
    dims = acl.IODims()
    assert lib.aclmdlGetOutputDims(desc, 0, ctypes.byref(dims)) == 0
    assert lib.aclmdlGetCurOutputDims(desc, 0, ctypes.byref(dims)) == BAD_ID
    assert lib.aclmdlGetDesc(desc, model_id) == BAD_ID
    assert lib.aclmdlDestroyDesc(desc) == 0


def test_c15_desc_is_reusable(lib: acl.Library, model: int, desc: int) -> None:
    """MDL-DESC-09 (15): Filling a desc again replaces what it held."""
    other = running.load(lib, small.double())
    assert lib.aclmdlGetDesc(desc, other) == 0
    assert lib.aclmdlGetNumInputs(desc) == 1
    assert lib.aclmdlUnload(other) == 0
    assert lib.aclmdlGetDesc(desc, model) == 0
    assert lib.aclmdlGetNumInputs(desc) == 2


def test_c15_desc_handles(lib: acl.Library, model: int) -> None:
    """MDL-DESC-10 (15): Null, destroyed and foreign handles are 100000."""
    desc = lib.aclmdlCreateDesc()
    assert lib.aclmdlGetNumInputs(desc) == 0  # never filled
    assert lib.aclmdlDestroyDesc(desc) == 0
    assert lib.aclmdlDestroyDesc(desc) == INVALID_PARAM
    assert lib.aclmdlDestroyDesc(None) == INVALID_PARAM
    assert lib.aclmdlGetDesc(desc, model) == INVALID_PARAM
    assert lib.aclmdlGetDesc(None, model) == INVALID_PARAM
    assert lib.aclmdlGetNumInputs(desc) == 0
    dataset = lib.aclmdlCreateDataset()
    assert lib.aclmdlGetDesc(dataset, model) == INVALID_PARAM
    assert lib.aclmdlDestroyDataset(dataset) == 0


def test_c15_desc_from_file_and_memory(raw: acl.Library, tmp_path: Path) -> None:
    """MDL-DESC-11 (15): Without a device; from a file only after aclInit; GetCurOutputDims has no
    model then.
    """
    om = small.two_in_two_out()
    path = tmp_path / "model.om"
    path.write_bytes(om)
    desc = raw.aclmdlCreateDesc()
    assert raw.aclmdlGetDescFromMem(desc, om, len(om)) == 0
    assert raw.aclmdlGetNumInputs(desc) == 2
    from_file = raw.aclmdlGetDescFromFile
    assert from_file(desc, str(path).encode()) == CODES["ACL_ERROR_GE_EXEC_NOT_INIT"]
    assert raw.aclInit(None) == 0
    assert from_file(desc, str(path).encode()) == 0
    assert raw.aclmdlGetInputNameByIndex(desc, 1) == b"b"
    dims = acl.IODims()
    assert raw.aclmdlGetCurOutputDims(desc, 0, ctypes.byref(dims)) == BAD_ID
    assert from_file(desc, None) == INVALID_PARAM
    assert from_file(None, str(path).encode()) == INVALID_PARAM
    assert from_file(desc, b"/none.om") == CODES["ACL_ERROR_GE_EXEC_MODEL_PATH_INVALID"]
    assert raw.aclmdlGetDescFromMem(desc, None, 5) == INVALID_PARAM
    assert raw.aclmdlGetDescFromMem(desc, om, 0) == INVALID_PARAM
    bad_magic = b"JUNK" + om[4:]
    code = raw.aclmdlGetDescFromMem(desc, bad_magic, len(bad_magic))
    assert code == CODES["ACL_ERROR_GE_PARAM_INVALID"]
    assert raw.aclmdlGetNumInputs(desc) == 0  # each Get clears it first
    assert raw.aclmdlDestroyDesc(desc) == 0
    assert raw.aclFinalize() == 0


def test_c15_operator_queries(lib: acl.Library, desc: int) -> None:
    """MDL-DESC-12 (15): Nothing is known about operators: NULL and 545000; null pointers 100000."""
    assert lib.aclmdlGetOpAttr(desc, b"op", b"_datadump_original_op_names") is None
    name = ctypes.create_string_buffer(64)
    out, count = ctypes.byref(ctypes.c_void_p()), ctypes.byref(ctypes.c_size_t())
    get = lib.aclmdlCreateAndGetOpDesc
    assert get(0, 0, 0, name, 64, out, count, out, count) == CODES["ACL_ERROR_GE_INTERNAL_ERROR"]
    assert get(0, 0, 0, None, 64, out, count, out, count) == INVALID_PARAM


# ---- 18: dynamic shapes, none here ---------------------------------------------------------------


def test_c18_no_gears(lib: acl.Library, desc: int) -> None:
    """MDL-DESC-13 (18): 0 batches, 0 image sizes, 0 gears; index (size_t)-1 where one is read."""
    batch, hw, count = acl.Batch(batchCount=7), acl.HW(hwCount=7), ctypes.c_size_t(7)
    assert lib.aclmdlGetDynamicBatch(desc, ctypes.byref(batch)) == 0
    assert lib.aclmdlGetDynamicHW(desc, 3, ctypes.byref(hw)) == 0
    assert lib.aclmdlGetInputDynamicGearCount(desc, ALL_INPUTS, ctypes.byref(count)) == 0
    assert (batch.batchCount, hw.hwCount, count.value) == (0, 0, 0)
    assert lib.aclmdlGetInputDynamicGearCount(desc, 0, ctypes.byref(count)) == INVALID_PARAM
    dims = acl.IODims()
    assert lib.aclmdlGetInputDynamicDims(desc, ALL_INPUTS, ctypes.byref(dims), 0) == 0
    assert lib.aclmdlGetInputDynamicDims(desc, 0, ctypes.byref(dims), 0) == INVALID_PARAM


def test_c18_null_arguments(lib: acl.Library, desc: int) -> None:
    """MDL-DESC-14 (18): Null desc or null result: 100000."""
    for get, extra in (
        (lib.aclmdlGetDynamicBatch, ()),
        (lib.aclmdlGetDynamicHW, (0,)),
        (lib.aclmdlGetInputDynamicGearCount, (ALL_INPUTS,)),
    ):
        assert get(desc, *extra, None) == INVALID_PARAM
        assert get(None, *extra, ctypes.byref(acl.HW())) == INVALID_PARAM


def test_c18_setters_on_a_static_model(lib: acl.Library, model: int) -> None:
    """MDL-DESC-15 (18): In the contract's order: 100000, 145012, 145003, 145013; dims: 145003
    before 145012.
    """
    length = CODES["ACL_ERROR_GE_DYNAMIC_INPUT_LENGTH_INVALID"]
    size = CODES["ACL_ERROR_GE_DYNAMIC_BATCH_SIZE_INVALID"]
    with running.Buffers(lib) as device:
        data = device.alloc(16)
        inputs = device.dataset((data, 16), (None, 0), (data, 3), (data, 4))
        batch = lib.aclmdlSetDynamicBatchSize
        assert batch(model, None, 0, 4) == INVALID_PARAM
        assert batch(model, inputs, 0, 0) == INVALID_PARAM
        assert batch(model, inputs, 9, 4) == INVALID_PARAM
        assert batch(model, inputs, 1, 4) == INVALID_PARAM
        assert batch(model + 9, inputs, 2, 4) == length
        assert batch(model + 9, inputs, 0, 4) == BAD_ID
        assert batch(model, inputs, 0, 4) == size
        image = lib.aclmdlSetDynamicHWSize
        assert image(model, inputs, 0, 0, 4) == INVALID_PARAM
        assert image(model + 9, inputs, 3, 4, 4) == length
        assert image(model + 9, inputs, 0, 4, 4) == BAD_ID
        assert image(model, inputs, 0, 4, 4) == size
        dims, shape = lib.aclmdlSetInputDynamicDims, acl.IODims(dimCount=1)
        assert dims(model, inputs, 0, None) == INVALID_PARAM
        assert dims(model, inputs, 0, ctypes.byref(acl.IODims())) == INVALID_PARAM
        assert dims(model + 9, inputs, 0, ctypes.byref(shape)) == BAD_ID
        assert dims(model, inputs, 0, ctypes.byref(shape)) == length


# ---- 19: AIPP and bundles, none here -------------------------------------------------------------


def test_c19_inputs_without_aipp(lib: acl.Library, model: int) -> None:
    """MDL-DESC-16 (19): Type 0, no attached input, no AIPP info (145015); 100000 and 145003."""
    kind, attached = ctypes.c_int(9), ctypes.c_size_t(9)
    refs = (ctypes.byref(kind), ctypes.byref(attached))
    assert lib.aclmdlGetAippType(model, 1, *refs) == 0
    assert (kind.value, attached.value) == (0, 0xFFFFFFFF)
    assert lib.aclmdlGetAippType(model, 2, *refs) == INVALID_PARAM
    assert lib.aclmdlGetAippType(model, 0, None, refs[1]) == INVALID_PARAM
    assert lib.aclmdlGetAippType(model + 9, 0, *refs) == BAD_ID
    info = ctypes.create_string_buffer(299216)
    code = lib.aclmdlGetFirstAippInfo(model, 0, info)
    assert code == CODES["ACL_ERROR_GE_AIPP_NOT_EXIST"]
    assert lib.aclmdlGetFirstAippInfo(model, 2, info) == INVALID_PARAM
    assert lib.aclmdlGetFirstAippInfo(model, 0, None) == INVALID_PARAM


def test_c19_size_of_aipp_parameters(raw: acl.Library) -> None:
    """MDL-DESC-17 (19): 64 + 96 a batch."""
    size = ctypes.c_size_t()
    assert raw.aclmdlGetAippDataSize(3, ctypes.byref(size)) == 0
    assert size.value == 64 + 96 * 3
    assert raw.aclmdlGetAippDataSize(0, ctypes.byref(size)) == INVALID_PARAM
    assert raw.aclmdlGetAippDataSize(1, None) == INVALID_PARAM


def test_c19_bundles(lib: acl.Library, tmp_path: Path) -> None:
    """MDL-DESC-18 (19): An ordinary file is no bundle (100000); unknown bundle ids are 148053."""
    om = small.double()
    path = tmp_path / "model.om"
    path.write_bytes(om)
    out = ctypes.byref(ctypes.c_uint32())
    bad = CODES["ACL_ERROR_INVALID_BUNDLE_MODEL_ID"]
    assert lib.aclmdlBundleLoadFromFile(str(path).encode(), out) == INVALID_PARAM
    assert lib.aclmdlBundleLoadFromMem(om, len(om), out) == INVALID_PARAM
    assert lib.aclmdlBundleInitFromFile(str(path).encode(), None, 0, out) == INVALID_PARAM
    assert lib.aclmdlBundleInitFromMem(om, len(om), None, 0, out) == INVALID_PARAM
    missing = lib.aclmdlBundleLoadFromFile(b"/none.om", out)
    assert missing == CODES["ACL_ERROR_GE_EXEC_MODEL_PATH_INVALID"]
    assert lib.aclmdlBundleUnload(5) == bad
    assert lib.aclmdlBundleGetModelNum(5, ctypes.byref(ctypes.c_size_t())) == bad
    assert lib.aclmdlBundleGetModelId(5, 0, out) == bad
    assert lib.aclmdlBundleLoadModel(5, 0, out) == bad
    assert lib.aclmdlBundleLoadModelWithMem(5, 0, None, 0, None, 0, out) == bad
    assert lib.aclmdlBundleUnloadModel(5, 1) == bad
    query = lib.aclmdlBundleCreateQueryInfo()
    assert lib.aclmdlBundleQueryInfoFromFile(str(path).encode(), query) == INVALID_PARAM
    assert lib.aclmdlBundleQueryInfoFromMem(om, len(om), query) == INVALID_PARAM
    assert lib.aclmdlBundleDestroyQueryInfo(query) == 0
    assert lib.aclmdlBundleDestroyQueryInfo(query) == INVALID_PARAM


# ---- 20: dump ------------------------------------------------------------------------------------


def test_c20_dump(raw: acl.Library, tmp_path: Path) -> None:
    """MDL-DESC-19 (20): Init needs aclInit and is done once; Set and Finalize need Init; bad
    configs differ.
    """
    not_run = CODES["ACL_ERROR_DUMP_NOT_RUN"]
    assert raw.aclmdlInitDump() == CODES["ACL_ERROR_UNINITIALIZE"]
    assert raw.aclInit(None) == 0
    path = tmp_path / "dump.json"
    path.write_text('{"dump": {"dump_path": "/tmp", "dump_mode": "output"}}', "utf-8")
    assert raw.aclmdlSetDump(str(path).encode()) == not_run
    assert raw.aclmdlFinalizeDump() == not_run
    assert raw.aclmdlInitDump() == 0
    assert raw.aclmdlInitDump() == CODES["ACL_ERROR_REPEAT_INITIALIZE"]
    assert raw.aclmdlSetDump(str(path).encode()) == 0
    assert raw.aclmdlSetDump(None) == INVALID_PARAM
    assert raw.aclmdlSetDump(b"/none.json") == CODES["ACL_ERROR_INVALID_FILE"]
    path.write_text("{", "utf-8")
    assert raw.aclmdlSetDump(str(path).encode()) == CODES["ACL_ERROR_PARSE_FILE"]
    path.write_text("{}", "utf-8")
    assert raw.aclmdlSetDump(str(path).encode()) == CODES["ACL_ERROR_INVALID_DUMP_CONFIG"]
    assert raw.aclmdlFinalizeDump() == 0
    assert raw.aclmdlFinalizeDump() == not_run
    assert raw.aclFinalize() == 0
