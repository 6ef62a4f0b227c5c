# SPDX-License-Identifier: Apache-2.0
"""Functions that no other file is about: one case each, null arguments and effect."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np

from conformance import acl, running, small

CODES = acl.codes()
INVALID = CODES["ACL_ERROR_INVALID_PARAM"]
NOT_SUPPORTED = CODES["ACL_ERROR_API_NOT_SUPPORT"]
X = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_operator_attributes(raw: acl.Library) -> None:
    """OP-ATTR-01 (26): attributes of each type are taken, NULL objects, names and values not."""
    attr = raw.aclopCreateAttr()
    assert attr
    numbers = (ctypes.c_int64 * 2)(1, 2)
    assert raw.aclopSetAttrBool(attr, b"b", 1) == 0
    assert raw.aclopSetAttrFloat(attr, b"f", 0.5) == 0
    assert raw.aclopSetAttrInt(attr, b"i", 7) == 0
    assert raw.aclopSetAttrListInt(attr, b"l", 2, numbers) == 0
    assert raw.aclopSetAttrListInt(attr, b"l", 2, None) == INVALID
    assert raw.aclopSetAttrString(attr, b"s", b"text") == 0
    assert raw.aclopSetAttrString(attr, b"s", None) == INVALID
    assert raw.aclopSetAttrInt(None, b"i", 7) == INVALID
    assert raw.aclopSetAttrInt(attr, None, 7) == INVALID
    raw.aclopDestroyAttr(attr)
    raw.aclopDestroyAttr(None)


def test_calls_of_the_small_chip_runtime(lib: acl.Library, tmp_path: Path) -> None:
    """MDL-ODD-01 (13, 17): ExecuteAsyncV2 and QueryExeOMDesc are 200001 where there is no such
    runtime.
    """
    assert lib.aclmdlExecuteAsyncV2(1, None, None, None, None) == NOT_SUPPORTED
    sizes = ctypes.create_string_buffer(128)
    assert lib.aclmdlQueryExeOMDesc(str(tmp_path).encode(), sizes) == NOT_SUPPORTED


def test_load_from_file_with_memory(lib: acl.Library, tmp_path: Path) -> None:
    """MDL-ODD-02 (13): NULL memory is the system's; the model runs."""
    path = tmp_path / "m.om"
    path.write_bytes(small.double())
    model = ctypes.c_uint32()
    name = str(path).encode()
    assert lib.aclmdlLoadFromFileWithMem(name, ctypes.byref(model), None, 0, None, 0) == 0
    (y,) = running.execute(lib, model.value, [X], [X])
    np.testing.assert_array_equal(y, X + X)
    assert lib.aclmdlUnload(model) == 0
    assert lib.aclmdlLoadFromFileWithMem(name, None, None, 0, None, 0) == INVALID
    assert lib.aclmdlLoadFromFileWithMem(None, ctypes.byref(model), None, 0, None, 0) == INVALID


def test_bundle_queries_and_options(lib: acl.Library) -> None:
    """MDL-ODD-03 (19.3): a query info that nothing was read into; NULL 100000; bad ids 148053."""
    info = lib.aclmdlBundleCreateQueryInfo()
    number, other = ctypes.c_size_t(9), ctypes.c_size_t(9)
    assert lib.aclmdlBundleGetQueryModelNum(info, ctypes.byref(number)) == 0
    assert number.value == 0
    assert lib.aclmdlBundleGetVarWeightSize(info, ctypes.byref(number)) == 0
    assert number.value == 0
    both = (ctypes.byref(number), ctypes.byref(other))
    assert lib.aclmdlBundleGetSize(info, 0, *both) == INVALID
    assert lib.aclmdlBundleGetQueryModelNum(info, None) == INVALID
    assert lib.aclmdlBundleGetQueryModelNum(None, ctypes.byref(number)) == INVALID
    assert lib.aclmdlBundleGetVarWeightSize(info, None) == INVALID
    assert lib.aclmdlBundleDestroyQueryInfo(info) == 0
    config, model = lib.aclmdlCreateConfigHandle(), ctypes.c_uint32()
    bad = CODES["ACL_ERROR_INVALID_BUNDLE_MODEL_ID"]
    assert lib.aclmdlBundleLoadModelWithConfig(77, 0, config, ctypes.byref(model)) == bad
    assert lib.aclmdlDestroyConfigHandle(config) == 0


def test_tensor_desc_extras(raw: acl.Library) -> None:
    """BASE-DESC-06 (12.2): the storage pair, value ranges, dynamic inputs and placement are taken;
    shapes and names must not be NULL.
    """
    dims = (ctypes.c_int64 * 2)(2, 3)
    ranges = ((ctypes.c_int64 * 2) * 1)((0, 9))
    desc = raw.aclCreateTensorDesc(acl.FLOAT, 2, dims, 2)
    assert raw.aclSetTensorStorageFormat(desc, 3) == 0
    assert raw.aclSetTensorStorageFormat(None, 3) == 0
    assert raw.aclSetTensorStorageShape(desc, 2, dims) == 0
    assert raw.aclSetTensorStorageShape(None, 2, dims) == INVALID
    assert raw.aclSetTensorStorageShape(desc, 2, None) == INVALID
    assert raw.aclSetTensorValueRange(desc, 1, ranges) == 0
    assert raw.aclSetTensorValueRange(None, 1, ranges) == INVALID
    assert raw.aclSetTensorDynamicInput(desc, b"x") == 0
    assert raw.aclSetTensorDynamicInput(desc, None) == INVALID
    assert raw.aclSetTensorPlaceMent(desc, 1) == 0
    assert raw.aclSetTensorPlaceMent(None, 1) == INVALID
    assert (raw.aclGetTensorDescFormat(desc), raw.aclGetTensorDescNumDims(desc)) == (2, 2)
    raw.aclDestroyTensorDesc(desc)


def test_memory_extras(lib: acl.Library) -> None:
    """RT-MEM-14 (11): the task scheduler's memory, host memory freed behind the device's work."""
    device, host = ctypes.c_void_p(), ctypes.c_void_p()
    assert lib.aclrtMallocForTaskScheduler(ctypes.byref(device), 64, 0, None) == 0
    assert lib.aclrtMallocForTaskScheduler(None, 64, 0, None) == INVALID
    assert lib.aclrtFree(device) == 0
    assert lib.aclrtMallocHost(ctypes.byref(host), 64) == 0
    assert lib.aclrtFreeHostWithDevSync(host) == 0
    assert lib.aclrtFreeHostWithDevSync(None) == INVALID


def test_copy_of_rows_on_a_stream(lib: acl.Library) -> None:
    """RT-CPY-13 (11.3): Memcpy2dAsync copies rows in stream order; its tests are Memcpy2d's."""
    rows = np.arange(32, dtype=np.uint8).reshape(4, 8)
    back = np.zeros((4, 8), np.uint8)
    with running.Buffers(lib) as device:
        target = device.alloc(4 * 16)
        there = (target, 16, running.address(rows), 8, 8, 4, acl.HOST_TO_DEVICE, None)
        here = (running.address(back), 8, target, 16, 8, 4, acl.DEVICE_TO_HOST, None)
        assert lib.aclrtMemcpy2dAsync(*there) == 0
        assert lib.aclrtMemcpy2dAsync(*here) == 0
        assert lib.aclrtSynchronizeStream(None) == 0
        np.testing.assert_array_equal(back, rows)
        wide = (target, 4, running.address(rows), 8, 8, 4, acl.HOST_TO_DEVICE, None)
        assert lib.aclrtMemcpy2dAsync(*wide) == INVALID
        nothing = (None, 16, None, 8, 0, 4, acl.HOST_TO_DEVICE, None)
        assert lib.aclrtMemcpy2dAsync(*nothing) == 0


def test_stream_ids(lib: acl.Library) -> None:
    """RT-STR-16 (8): NULL is the default stream; ids differ; NULL result 100000."""
    stream = ctypes.c_void_p()
    assert lib.aclrtCreateStream(ctypes.byref(stream)) == 0
    ids = []
    for handle in (None, stream):
        number = ctypes.c_int32(-1)
        assert lib.aclrtStreamGetId(handle, ctypes.byref(number)) == 0
        ids.append(number.value)
    assert ids[0] != ids[1]
    assert lib.aclrtStreamGetId(stream, None) == INVALID
    assert lib.aclrtDestroyStream(stream) == 0


def test_device_capability(lib: acl.Library) -> None:
    """RT-DEV-14 (6): features that are not modelled are 207000; NULL is 100000."""
    value = ctypes.c_int32()
    unsupported = CODES["ACL_ERROR_RT_FEATURE_NOT_SUPPORT"]
    assert lib.aclrtGetDeviceCapability(0, 999, ctypes.byref(value)) == unsupported
    assert lib.aclrtGetDeviceCapability(0, 999, None) == INVALID


def test_exception_getters_of_null(raw: acl.Library) -> None:
    """RT-CB-08 (10): 0xFFFFFFFF for NULL."""
    for getter in (
        raw.aclrtGetTaskIdFromExceptionInfo,
        raw.aclrtGetStreamIdFromExceptionInfo,
        raw.aclrtGetThreadIdFromExceptionInfo,
        raw.aclrtGetDeviceIdFromExceptionInfo,
        raw.aclrtGetErrorCodeFromExceptionInfo,
    ):
        assert getter(None) == 0xFFFFFFFF
    assert raw.aclrtSetExceptionInfoCallback(None) == 0
