# SPDX-License-Identifier: Apache-2.0
"""Contract 19: what a model with AIPP tells, and the tests of aclmdlSetInputAIPP in their order."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from conformance import acl, running
from conformance.test_aipp_values import DYNAMIC, Info, first_info, identity, om_of

pytestmark = pytest.mark.fake_only  # models are simulated ones

CODES = acl.codes()
INVALID = CODES["ACL_ERROR_INVALID_PARAM"]
NOT_EXIST = CODES["ACL_ERROR_GE_AIPP_NOT_EXIST"]
NO_MODEL = CODES["ACL_ERROR_GE_EXEC_MODEL_ID_INVALID"]
NONE = 0xFFFFFFFF
ROOM = 2 * 6 * 6 * 3

STATIC = """aipp_op {
  aipp_mode: static  input_format: YUV420SP_U8  src_image_size_w: 8  src_image_size_h: 6
  crop: true  load_start_pos_w: 2  load_start_pos_h: 4  crop_size_w: 3  crop_size_h: 2
  padding: true  left_padding_size: 1  top_padding_size: 2
  csc_switch: true  rbuv_swap_switch: true
  mean_chn_0: 7  min_chn_1: 0.5  var_reci_chn_3: 0.25
}"""


def aipp_type(lib: acl.Library, model_id: int, index: int) -> tuple[int, int, int]:
    """(code, type, attached index)."""
    kind, attached = ctypes.c_int(-1), ctypes.c_size_t(7)
    code = lib.aclmdlGetAippType(model_id, index, ctypes.byref(kind), ctypes.byref(attached))
    return code, kind.value, attached.value


@pytest.fixture
def dynamic(lib: acl.Library, tmp_path: Path) -> Iterator[int]:
    """x float32 (2, 3, 4, 4) behind dynamic AIPP."""
    om = om_of(
        identity((2, 3, 4, 4), "float32"), str(tmp_path), insert_op_conf=DYNAMIC.format(ROOM)
    )
    model_id = running.load(lib, om)
    yield model_id
    assert lib.aclmdlUnload(model_id) == 0


def test_static_model_tells(lib: acl.Library, tmp_path: Path) -> None:
    """MDL-AIPP-20 (15, 19.1): type 1, the image and its memory, every parameter."""
    om = om_of(identity((2, 3, 4, 4), "float32"), str(tmp_path), insert_op_conf=STATIC)
    model_id = running.load(lib, om)
    assert aipp_type(lib, model_id, 0) == (0, 1, NONE)
    desc = lib.aclmdlCreateDesc()
    assert lib.aclmdlGetDesc(desc, model_id) == 0
    dims = ctypes.create_string_buffer(1160)
    for get, wanted in (
        (lib.aclmdlGetInputDims, [2, 6, 8, 3]),
        (lib.aclmdlGetInputDimsV2, [2, 9, 8, 1]),
    ):
        assert get(desc, 0, dims) == 0
        raw = Info(dims.raw)
        assert [raw.i64(136 + 8 * i) for i in range(raw.i64(128))] == wanted
    assert lib.aclmdlGetInputSizeByIndex(desc, 0) == 2 * 72
    assert lib.aclmdlDestroyDesc(desc) == 0
    info = first_info(lib, model_id)
    assert [info.i32(at) for at in (0, 4, 8)] == [1, 8, 6]
    assert (info.raw[12], [info.i32(at) for at in (16, 20, 24, 28)]) == (1, [2, 4, 3, 2])
    assert (info.raw[32], info.raw[44]) == (0, 1)
    assert [info.i32(at) for at in (48, 52, 56, 60)] == [1, 0, 2, 0]
    assert list(info.raw[64:68]) == [1, 1, 0, 0]
    assert [info.i32(68 + 4 * i) for i in range(9)] == [298, 516, 0, 298, -100, -208, 298, 0, 409]
    assert [info.i32(104 + 4 * i) for i in range(6)] == [16, 128, 128] * 2
    assert [info.i32(128 + 4 * i) for i in range(4)] == [7, 0, 0, 0]
    floats = np.frombuffer(info.raw[144:176], np.float32)
    assert floats.tolist() == [0, 0.5, 0, 0, 1, 1, 1, 0.25]
    assert [info.i32(176), info.i32(180), info.i64(184), info.shape_count] == [0, 0, 4, 1]
    assert info.dims(0) == info.dims(0, 1) == [2, 3, 4, 4]
    assert (info.i64(200 + 1160), info.i64(200 + 2328)) == (2 * 48 * 4, 2 * 48 * 2)
    assert lib.aclmdlUnload(model_id) == 0


def test_dynamic_model_tells(lib: acl.Library, dynamic: int) -> None:
    """MDL-AIPP-21 (15, 19.1): types 2 and 3, who belongs to whom, no info of the block."""
    assert aipp_type(lib, dynamic, 0) == (0, 2, 1)
    assert aipp_type(lib, dynamic, 1) == (0, 3, NONE)
    assert aipp_type(lib, dynamic, 2) == (INVALID, -1, 7)
    assert aipp_type(lib, dynamic + 99, 0) == (NO_MODEL, -1, 7)
    memory = ctypes.create_string_buffer(299216)
    assert lib.aclmdlGetFirstAippInfo(dynamic, 1, memory) == NOT_EXIST
    assert lib.aclmdlGetFirstAippInfo(dynamic, 2, memory) == INVALID
    assert lib.aclmdlGetFirstAippInfo(dynamic, 0, None) == INVALID
    info = first_info(lib, dynamic)
    assert [info.i32(176), info.i32(180), info.i64(184), info.shape_count] == [0, 0, 4, 1]
    assert info.dims(0) == [2, 3, 4, 4]
    desc = lib.aclmdlCreateDesc()
    assert lib.aclmdlGetDesc(desc, dynamic) == 0
    assert lib.aclmdlGetNumInputs(desc) == 2
    assert lib.aclmdlGetInputNameByIndex(desc, 1) == b"ascend_dynamic_aipp_data"
    assert [lib.aclmdlGetInputSizeByIndex(desc, i) for i in (0, 1)] == [ROOM, 64 + 96 * 2]
    assert lib.aclmdlDestroyDesc(desc) == 0


def fitting(lib: acl.Library, images: int = 2) -> int:
    """A set that the model takes: RGB888 of 4x4."""
    handle = lib.aclmdlCreateAIPP(images)
    assert lib.aclmdlSetAIPPInputFormat(handle, 3) == 0
    assert lib.aclmdlSetAIPPSrcImageSize(handle, 4, 4) == 0
    return int(handle)


Change = Callable[[acl.Library, int], list[int]]


def no_format(lib: acl.Library, handle: int) -> list[int]:
    """A format that only older chips take; its bytes fit."""
    return [lib.aclmdlSetAIPPInputFormat(handle, 8)]


REFUSED: dict[str, Change] = {
    "too many bytes": lambda lib, h: [lib.aclmdlSetAIPPSrcImageSize(h, 7, 6)],
    "another size comes out": lambda lib, h: [lib.aclmdlSetAIPPSrcImageSize(h, 6, 4)],
    "a format of older chips": no_format,
    "csc of gray": lambda lib, h: [
        lib.aclmdlSetAIPPInputFormat(h, 4),
        lib.aclmdlSetAIPPCscParams(h, 1, *[0] * 15),
    ],
    "an odd height": lambda lib, h: [
        lib.aclmdlSetAIPPInputFormat(h, 1),
        lib.aclmdlSetAIPPSrcImageSize(h, 6, 5),
        lib.aclmdlSetAIPPCropParams(h, 1, 0, 0, 4, 4, 0),
        lib.aclmdlSetAIPPCropParams(h, 1, 0, 0, 4, 4, 1),
    ],
    "resize": lambda lib, h: [lib.aclmdlSetAIPPScfParams(h, 1, 16, 16, 16, 16, 1)],
    "a crop outside": lambda lib, h: [
        lib.aclmdlSetAIPPCropParams(h, 1, 1, 0, 4, 4, 0),
    ],
    "an odd start": lambda lib, h: [
        lib.aclmdlSetAIPPInputFormat(h, 1),
        lib.aclmdlSetAIPPSrcImageSize(h, 8, 6),
        lib.aclmdlSetAIPPCropParams(h, 1, 1, 0, 4, 4, 0),
        lib.aclmdlSetAIPPCropParams(h, 1, 0, 0, 4, 4, 1),
    ],
    "images of different sizes": lambda lib, h: [
        lib.aclmdlSetAIPPPaddingParams(h, 1, 1, 0, 0, 0, 1),
    ],
}


@pytest.mark.parametrize("change", REFUSED)
def test_refused_sets(lib: acl.Library, dynamic: int, change: str) -> None:
    """MDL-AIPP-22 (19.2): 100000, and the block in device memory stays as it was."""
    handle = fitting(lib)
    before = np.arange(256, dtype=np.uint8)
    with running.Buffers(lib) as device:
        block = device.upload(before)
        dataset = device.dataset((device.alloc(ROOM), ROOM), (block, 256))
        codes = REFUSED[change](lib, handle)
        assert codes == [0] * len(codes)
        assert lib.aclmdlSetInputAIPP(dynamic, dataset, 1, handle) == INVALID
        assert lib.aclmdlSetAIPPByInputIndex(dynamic, dataset, 0, handle) == INVALID
        np.testing.assert_array_equal(device.read(block, before), before)
    assert lib.aclmdlDestroyAIPP(handle) == 0


def test_refused_places(lib: acl.Library, dynamic: int) -> None:
    """MDL-AIPP-23 (19.2): the wrong input, batch, dataset or buffer; a small buffer is 145012."""
    handle, other = fitting(lib), fitting(lib, 3)
    unset = lib.aclmdlCreateAIPP(2)
    with running.Buffers(lib) as device:
        image = (device.alloc(ROOM), ROOM)
        full = device.dataset(image, (device.alloc(256), 256))
        short = device.dataset(image, (device.alloc(255), 255))
        empty = device.dataset(image, (None, 0))
        alone = device.dataset(image)
        calls = [
            (lib.aclmdlSetInputAIPP, (dynamic, full, 0, handle), INVALID),
            (lib.aclmdlSetInputAIPP, (dynamic, full, 2, handle), INVALID),
            (lib.aclmdlSetInputAIPP, (dynamic, full, 1, other), INVALID),
            (lib.aclmdlSetInputAIPP, (dynamic, full, 1, unset), INVALID),
            (lib.aclmdlSetInputAIPP, (dynamic, empty, 1, handle), INVALID),
            (lib.aclmdlSetInputAIPP, (dynamic, alone, 1, handle), INVALID),
            (lib.aclmdlSetInputAIPP, (dynamic + 9, full, 1, handle), NO_MODEL),
            (
                lib.aclmdlSetInputAIPP,
                (dynamic, short, 1, handle),
                CODES["ACL_ERROR_GE_DYNAMIC_INPUT_LENGTH_INVALID"],
            ),
            (
                lib.aclmdlSetAIPPByInputIndex,
                (dynamic, full, 1, handle),
                CODES["ACL_ERROR_FAILURE"],
            ),
            (lib.aclmdlSetAIPPByInputIndex, (dynamic, alone, 1, handle), INVALID),
            (lib.aclmdlSetInputAIPP, (dynamic, full, 1, handle), 0),
            (lib.aclmdlSetAIPPByInputIndex, (dynamic, full, 0, handle), 0),
        ]
        assert [call(*arguments) for call, arguments, _ in calls] == [code for *_, code in calls]
    for made in (handle, other, unset):
        assert lib.aclmdlDestroyAIPP(made) == 0


def test_wide_after_padding(lib: acl.Library, tmp_path: Path) -> None:
    """MDL-AIPP-24 (19.2): 1080 is the widest with padding, 1081 is refused; without it 1081 is
    taken.
    """
    for width, padding, code in ((1080, 2, 0), (1081, 2, INVALID), (1081, 0, 0)):
        om = om_of(
            identity((1, 3, 1, width), "uint8"),
            str(tmp_path),
            insert_op_conf=DYNAMIC.format(3 * width),
        )
        model_id = running.load(lib, om)
        handle = lib.aclmdlCreateAIPP(1)
        assert lib.aclmdlSetAIPPInputFormat(handle, 3) == 0
        assert lib.aclmdlSetAIPPSrcImageSize(handle, width - padding, 1) == 0
        assert lib.aclmdlSetAIPPPaddingParams(handle, int(padding > 0), 0, 0, padding, 0, 0) == 0
        with running.Buffers(lib) as device:
            dataset = device.dataset((device.alloc(3 * width), 3 * width), (device.alloc(160), 160))
            assert lib.aclmdlSetInputAIPP(model_id, dataset, 1, handle) == code
        assert lib.aclmdlDestroyAIPP(handle) == 0
        assert lib.aclmdlUnload(model_id) == 0


def test_block_layout(lib: acl.Library, dynamic: int) -> None:
    """MDL-AIPP-25 (19.2): the bytes that go to the device, field by field."""
    handle = fitting(lib)
    codes = [
        lib.aclmdlSetAIPPInputFormat(handle, 2),
        lib.aclmdlSetAIPPAxSwapSwitch(handle, 1),
        lib.aclmdlSetAIPPRbuvSwapSwitch(handle, 1),
        lib.aclmdlSetAIPPCscParams(handle, 1, *range(-4, 5), 1, 2, 3, 4, 5, 6),
        lib.aclmdlSetAIPPCropParams(handle, 1, 1, 0, 3, 4, 1),
        lib.aclmdlSetAIPPPaddingParams(handle, 1, 0, 0, 1, 0, 1),
        lib.aclmdlSetAIPPDtcPixelMean(handle, 1, 2, 3, 4, 1),
        lib.aclmdlSetAIPPDtcPixelMin(handle, 0.5, 1.0, 2.0, 4.0, 1),
        lib.aclmdlSetAIPPPixelVarReci(handle, -1.0, 0.25, 0.5, 2.0, 1),
    ]
    assert codes == [0] * len(codes)
    like = np.zeros(256, np.uint8)
    with running.Buffers(lib) as device:
        block = device.upload(like)
        dataset = device.dataset((device.alloc(ROOM), ROOM), (block, 256))
        assert lib.aclmdlSetInputAIPP(dynamic, dataset, 1, handle) == 0, lib.message()
        raw = device.read(block, like).tobytes()
    assert lib.aclmdlDestroyAIPP(handle) == 0
    assert list(raw[:8]) == [2, 1, 1, 1, 2, 0, 0, 0]
    assert np.frombuffer(raw[8:16], np.int32).tolist() == [4, 4]
    assert np.frombuffer(raw[16:34], np.int16).tolist() == list(range(-4, 5))
    assert list(raw[40:46]) == [1, 2, 3, 4, 5, 6]
    first, second = raw[64:160], raw[160:]
    assert first[:4] == bytes(4)
    assert np.frombuffer(first[72:80], np.float16).tolist() == [1, 1, 1, 1]
    assert list(second[:4]) == [1, 0, 1, 0]
    numbers = np.frombuffer(second[8:56], np.int32).tolist()
    assert numbers == [1, 0, 3, 4, 0, 0, 0, 0, 0, 0, 1, 0]
    assert np.frombuffer(second[56:64], np.int16).tolist() == [1, 2, 3, 4]
    assert np.frombuffer(second[64:72], np.float16).tolist() == [0.5, 1, 2, 4]
    assert np.frombuffer(second[72:80], np.float16).tolist() == [-1, 0.25, 0.5, 2]


def run_with_block(lib: acl.Library, model_id: int, block: np.ndarray) -> int:
    """The code of an execution with these bytes as parameters."""
    with running.Buffers(lib) as device:
        image = (device.upload(np.zeros(ROOM, np.uint8)), ROOM)
        inputs = device.dataset(image, (device.upload(block), block.nbytes))
        outputs = device.dataset((device.alloc(384), 384))
        return int(lib.aclmdlExecute(model_id, inputs, outputs))


def test_parameters_that_make_no_sense(lib: acl.Library, dynamic: int) -> None:
    """MDL-AIPP-26 (16): a block never set, or garbage, fails the execution and no more."""
    failed = CODES["ACL_ERROR_RT_MODEL_EXECUTE"]
    assert run_with_block(lib, dynamic, np.zeros(256, np.uint8)) == failed
    assert "aclmdlSetInputAIPP was not called" in lib.message()
    random = np.random.default_rng(1)
    good = np.zeros(256, np.uint8)
    good[:16] = [5, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0]
    assert run_with_block(lib, dynamic, good) == 0, lib.message()
    codes = set()
    for _ in range(300):
        block = good.copy()
        for place in random.integers(0, 256, 3):
            block[place] = random.integers(0, 256)
        codes.add(run_with_block(lib, dynamic, block))
    assert codes == {0, failed}
