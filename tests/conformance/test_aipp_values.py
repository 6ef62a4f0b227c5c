# SPDX-License-Identifier: Apache-2.0
"""Contract 19.2: what AIPP computes, through the C ABI, against NumPy to the last bit."""

from __future__ import annotations

import ctypes
import dataclasses
from collections.abc import Sequence

import aipp_reference as reference
import numpy as np
import onnx
import pytest
from aipp_reference import Parameters
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

import aclrt
from conformance import acl, running, small

pytestmark = pytest.mark.fake_only  # a card's own rounding is not known

CODES = acl.codes()
INVALID = CODES["ACL_ERROR_INVALID_PARAM"]
TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "uint8": TensorProto.UINT8}
NUMBERS = {"YUV420SP_U8": 1, "XRGB8888_U8": 2, "RGB888_U8": 3, "YUV400_U8": 4}
EVEN = {"YUV420SP_U8": (2, 2), "YUYV_U8": (2, 1), "YUV422SP_U8": (2, 1)}


def identity(shape: Sequence[int | str], dtype: str) -> onnx.ModelProto:
    """x -> y = x, so that an execution shows what AIPP gave."""
    node = helper.make_node("Identity", ["x"], ["y"], "same")
    return small.graph([node], [("x", TYPES[dtype], shape)], [("y", TYPES[dtype], shape)])


def om_of(model: onnx.ModelProto, folder: str, **options: object) -> bytes:
    """The simulated .om."""
    return aclrt.convert(model, f"{folder}/model.om", **options).read_bytes()


def config(parameters: Parameters) -> str:
    """ATC's text of static AIPP."""
    p = parameters
    lines = [
        "aipp_mode: static",
        f"input_format: {p.format}",
        f"src_image_size_w: {p.size[0]}",
        f"src_image_size_h: {p.size[1]}",
        f"ax_swap_switch: {str(p.ax_swap).lower()}",
        f"rbuv_swap_switch: {str(p.rbuv_swap).lower()}",
    ]
    if p.crop is not None:
        keys = ("load_start_pos_w", "load_start_pos_h", "crop_size_w", "crop_size_h")
        lines += ["crop: true", *(f"{k}: {v}" for k, v in zip(keys, p.crop, strict=True))]
    if any(p.padding):
        sides = ("left", "right", "top", "bottom")
        lines += ["padding: true", f"padding_value: {p.padding_value!r}"]
        lines += [f"{side}_padding_size: {v}" for side, v in zip(sides, p.padding, strict=True)]
    if p.matrix is not None:
        lines += ["csc_switch: true"]
        lines += [f"matrix_r{i // 3}c{i % 3}: {v}" for i, v in enumerate(p.matrix)]
        lines += [f"input_bias_{i}: {v}" for i, v in enumerate(p.input_bias)]
        lines += [f"output_bias_{i}: {v}" for i, v in enumerate(p.output_bias)]
    for key, values in (("mean", p.mean), ("min", p.min), ("var_reci", p.var_reci)):
        neutral = 1 if key == "var_reci" else 0
        lines += [f"{key}_chn_{i}: {v!r}" for i, v in enumerate(values) if v != neutral]
    return "aipp_op {\n  " + "\n  ".join(lines) + "\n}\n"


def output_size(parameters: Parameters) -> tuple[int, int]:
    """Width and height that come out."""
    width, height = parameters.crop[2:] if parameters.crop else parameters.size
    left, right, top, bottom = parameters.padding
    return width + left + right, height + top + bottom


def float32s(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers that float32 has, so that the text says exactly them."""
    return st.floats(low, high, width=32, allow_nan=False)


@st.composite
def cases(draw: st.DrawFn, formats: Sequence[str], static: bool = True) -> tuple[Parameters, int]:
    """Parameters that a network of so many channels can have."""
    name = draw(st.sampled_from(formats))
    even_w, even_h = EVEN.get(name, (1, 1))
    width = draw(st.integers(max(1, 2 // even_w), 6)) * even_w
    height = draw(st.integers(1, 6)) * even_h
    width = max(width, 2)
    crop = None
    if draw(st.booleans()):
        left = draw(st.integers(0, (width - 1) // even_w)) * even_w
        top = draw(st.integers(0, (height - 1) // even_h)) * even_h
        crop = (
            left,
            top,
            draw(st.integers(1, width - left)),
            draw(st.integers(1, height - top)),
        )
    padding = draw(st.just((0, 0, 0, 0)) | st.tuples(*[st.integers(0, 3)] * 4))
    with_csc = name != "YUV400_U8" and draw(st.booleans())
    has_alpha = name in reference.ALPHA
    if name == "YUV400_U8":
        channels = 1
    elif with_csc:
        channels = draw(st.sampled_from((1, 3)))
    else:
        gray = [1] if name in reference.YUV else []
        channels = draw(st.sampled_from([3, *gray, *([4] if has_alpha else [])]))
    bias = st.tuples(*[st.integers(0, 255)] * 3)
    coefficient = st.integers(-600, 600) | st.sampled_from((-32677, 32676))
    parameters = Parameters(
        name,
        (width, height),
        crop,
        padding,
        draw(float32s(-65504, 65504)) if static and any(padding) else 0.0,
        ax_swap=has_alpha and draw(st.booleans()),
        rbuv_swap=name != "YUV400_U8" and draw(st.booleans()),
        matrix=draw(st.tuples(*[coefficient] * 9)) if with_csc else None,
        input_bias=draw(bias) if with_csc else (0, 0, 0),
        output_bias=draw(bias) if with_csc else (0, 0, 0),
    )
    return parameters, channels


@st.composite
def normalised(draw: st.DrawFn, parameters: Parameters) -> Parameters:
    """The same with mean, min and factor."""
    factor = float32s(-65504, 65504) | float32s(-0.0625, 0.0625)
    return dataclasses.replace(
        parameters,
        mean=draw(st.tuples(*[st.integers(0, 255)] * 4)),
        min=draw(st.tuples(*[float32s(0, 255)] * 4)),
        var_reci=draw(st.tuples(*[factor] * 4)),
    )


def images(parameters: Parameters, count: int, seed: int) -> np.ndarray:
    """Random bytes of so many images."""
    size = count * reference.image_bytes(parameters)
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8)


def expected(
    parameters: Sequence[Parameters], raw: np.ndarray, channels: int, dtype: str
) -> np.ndarray:
    """NCHW of all images."""
    parts = raw.reshape(len(parameters), -1)
    results = [
        reference.process(one, part, channels, dtype)
        for one, part in zip(parameters, parts, strict=True)
    ]
    return np.ascontiguousarray(np.stack(results))  # stack keeps the order of transposed parts


def same_bits(result: np.ndarray, wanted: np.ndarray) -> bool:
    """Also of -0.0."""
    return result.dtype == wanted.dtype and result.tobytes() == wanted.tobytes()


FUZZ = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FUZZ
@given(data=st.data())
def test_static_equals_numpy(
    lib: acl.Library, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """MDL-AIPP-10 (19.2): every input format with every parameter, in float32, float16, uint8."""
    parameters, channels = data.draw(cases(list(reference.BYTES_OF_TWO_BY_TWO)))
    dtype = data.draw(st.sampled_from(list(TYPES)))
    if dtype != "uint8":
        parameters = data.draw(normalised(parameters))
    batch = data.draw(st.integers(1, 2))
    width, height = output_size(parameters)
    folder = str(tmp_path_factory.getbasetemp())
    model = identity((batch, channels, height, width), dtype)
    om = om_of(model, folder, insert_op_conf=config(parameters))
    raw = images(parameters, batch, data.draw(st.integers(0, 9)))
    wanted = expected([parameters] * batch, raw, channels, dtype)
    model_id = running.load(lib, om)
    (result,) = running.execute(lib, model_id, [raw], [wanted])
    assert lib.aclmdlUnload(model_id) == 0
    assert same_bits(result, wanted)


def make_set(lib: acl.Library, parameters: Sequence[Parameters]) -> int:
    """A parameter object; the first tells what all images share."""
    handle = lib.aclmdlCreateAIPP(len(parameters))
    first = parameters[0]
    codes = [
        lib.aclmdlSetAIPPInputFormat(handle, NUMBERS[first.format]),
        lib.aclmdlSetAIPPSrcImageSize(handle, *first.size),
        lib.aclmdlSetAIPPRbuvSwapSwitch(handle, first.rbuv_swap),
        lib.aclmdlSetAIPPAxSwapSwitch(handle, first.ax_swap),
    ]
    if first.matrix is not None:
        biases = (*first.output_bias, *first.input_bias)
        codes.append(lib.aclmdlSetAIPPCscParams(handle, 1, *first.matrix, *biases))
    for index, one in enumerate(parameters):
        left, right, top, bottom = one.padding
        if one.crop is not None:
            codes.append(lib.aclmdlSetAIPPCropParams(handle, 1, *one.crop, index))
        if any(one.padding):
            padding = (top, bottom, left, right)
            codes.append(lib.aclmdlSetAIPPPaddingParams(handle, 1, *padding, index))
        codes += [
            lib.aclmdlSetAIPPDtcPixelMean(handle, *one.mean, index),
            lib.aclmdlSetAIPPDtcPixelMin(handle, *one.min, index),
            lib.aclmdlSetAIPPPixelVarReci(handle, *one.var_reci, index),
        ]
    assert codes == [0] * len(codes), lib.message()
    return int(handle)


DYNAMIC = "aipp_op {{ aipp_mode: dynamic  max_src_image_size: {} }}"


def execute_dynamic(
    lib: acl.Library,
    model_id: int,
    handle: int,
    raw: np.ndarray,
    like: np.ndarray,
    room: int,
    block: int,
    by_image: bool = False,
) -> np.ndarray:
    """Sets the parameters and runs once."""
    padded = np.zeros(room, np.uint8)
    padded[: raw.size] = raw
    with running.Buffers(lib) as device:
        image, memory = device.upload(padded), device.alloc(block)
        inputs = device.dataset((image, room), (memory, block))
        target = device.alloc(like.nbytes)
        setter = lib.aclmdlSetAIPPByInputIndex if by_image else lib.aclmdlSetInputAIPP
        assert setter(model_id, inputs, 0 if by_image else 1, handle) == 0, lib.message()
        outputs = device.dataset((target, like.nbytes))
        assert lib.aclmdlExecute(model_id, inputs, outputs) == 0, lib.message()
        return device.read(target, like)


@FUZZ
@given(data=st.data())
def test_dynamic_equals_numpy(
    lib: acl.Library, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """MDL-AIPP-11 (19.2): parameters of the run, of each image its own crop and normalisation."""
    first, channels = data.draw(cases(list(NUMBERS), static=False))
    dtype = data.draw(st.sampled_from(list(TYPES)))
    batch = data.draw(st.integers(1, 3))
    parameters = []
    for _ in range(batch):
        one = first
        if first.crop is not None:
            even_w, even_h = EVEN.get(first.format, (1, 1))
            _, _, width, height = first.crop
            left = data.draw(st.integers(0, (first.size[0] - width) // even_w)) * even_w
            top = data.draw(st.integers(0, (first.size[1] - height) // even_h)) * even_h
            one = dataclasses.replace(first, crop=(left, top, width, height))
        parameters.append(data.draw(normalised(one)) if dtype != "uint8" else one)
    width, height = output_size(first)
    raw = images(first, batch, data.draw(st.integers(0, 9)))
    room = raw.size + data.draw(st.integers(0, 50))
    folder = str(tmp_path_factory.getbasetemp())
    model = identity((batch, channels, height, width), dtype)
    om = om_of(model, folder, insert_op_conf=DYNAMIC.format(room))
    wanted = expected(parameters, raw, channels, dtype)
    model_id = running.load(lib, om)
    handle = make_set(lib, parameters)
    block = 64 + 96 * batch
    by_image = data.draw(st.booleans())
    result = execute_dynamic(lib, model_id, handle, raw, wanted, room, block, by_image)
    assert lib.aclmdlDestroyAIPP(handle) == 0
    assert lib.aclmdlUnload(model_id) == 0
    assert same_bits(result, wanted)


@pytest.mark.parametrize(
    ("matrix", "bias", "yuv", "rgb"),
    [
        ((256, 0, 359, 256, -88, -183, 256, 454, 0), (0, 128, 128), (255, 128, 128), (255,) * 3),
        ((256, 0, 359, 256, -88, -183, 256, 454, 0), (0, 128, 128), (76, 85, 255), (254, 0, 0)),
        ((298, 0, 409, 298, -100, -208, 298, 516, 0), (16, 128, 128), (235, 128, 128), (254,) * 3),
        ((298, 0, 409, 298, -100, -208, 298, 516, 0), (16, 128, 128), (16, 128, 128), (0,) * 3),
        ((256, 0, 403, 256, -48, -120, 256, 475, 0), (0, 128, 128), (0, 128, 128), (0,) * 3),
    ],
)
def test_colours_by_hand(
    lib: acl.Library,
    tmp_path: object,
    matrix: tuple[int, ...],
    bias: tuple[int, ...],
    yuv: tuple[int, ...],
    rgb: tuple[int, ...],
) -> None:
    """MDL-AIPP-12 (19.2): one colour, computed on paper, so that reference and fake cannot err
    alike.
    """
    parameters = Parameters("YUV420SP_U8", (2, 2), matrix=matrix, input_bias=bias)
    om = om_of(identity((1, 3, 2, 2), "uint8"), str(tmp_path), insert_op_conf=config(parameters))
    raw = np.array([yuv[0]] * 4 + [yuv[1], yuv[2]], np.uint8)
    model_id = running.load(lib, om)
    (result,) = running.execute(lib, model_id, [raw], [np.zeros((1, 3, 2, 2), np.uint8)])
    assert lib.aclmdlUnload(model_id) == 0
    assert [tuple(channel.ravel()) for channel in result[0]] == [(value,) * 4 for value in rgb]


def test_defaults_of_csc(lib: acl.Library, tmp_path: object) -> None:
    """MDL-AIPP-13 (19.2): csc_switch alone is BT.601 narrow, YUV420SP to BGR."""
    text = "aipp_op { aipp_mode: static input_format: YUV420SP_U8 csc_switch: true }"
    om = om_of(identity((1, 3, 4, 4), "float32"), str(tmp_path), insert_op_conf=text)
    parameters = Parameters(
        "YUV420SP_U8",
        (4, 4),
        matrix=(298, 516, 0, 298, -100, -208, 298, 0, 409),
        input_bias=(16, 128, 128),
    )
    raw = images(parameters, 1, 3)
    wanted = expected([parameters], raw, 3, "float32")
    model_id = running.load(lib, om)
    (result,) = running.execute(lib, model_id, [raw], [wanted])
    assert lib.aclmdlUnload(model_id) == 0
    assert same_bits(result, wanted)


def gear_run(
    lib: acl.Library, model_id: int, gear: int, memory: Sequence[np.ndarray], like: np.ndarray
) -> np.ndarray:
    """One execution under a gear; the last input is the gear's."""
    with running.Buffers(lib) as device:
        pieces = [(device.upload(part), part.nbytes) for part in memory]
        pieces.append((device.alloc(4), 4))
        inputs = device.dataset(*pieces)
        assert lib.aclmdlSetDynamicBatchSize(model_id, inputs, len(memory), gear) == 0
        target = device.alloc(like.nbytes)
        outputs = device.dataset((target, like.nbytes))
        assert lib.aclmdlExecute(model_id, inputs, outputs) == 0, lib.message()
        return device.read(target, like)


GEARS = {"input_shape": "x:-1,3,4,4", "dynamic_batch_size": "1,2,4"}


def test_static_with_dynamic_batch(lib: acl.Library, tmp_path: object) -> None:
    """MDL-AIPP-14 (19.1): the image's N is open, its bytes those of the gear."""
    parameters = Parameters("YUV420SP_U8", (8, 6), crop=(2, 2, 4, 4), mean=(1, 2, 3, 0))
    om = om_of(
        identity(("N", 3, 4, 4), "float32"),
        str(tmp_path),
        insert_op_conf=config(parameters),
        **GEARS,
    )
    model_id = running.load(lib, om)
    for gear in (1, 4, 2):
        raw = images(parameters, gear, gear)
        wanted = expected([parameters] * gear, raw, 3, "float32")
        assert same_bits(gear_run(lib, model_id, gear, [raw], wanted), wanted)
    info = first_info(lib, model_id)
    assert info.shape_count == 3
    assert [info.dims(i) for i in range(3)] == [[gear, 3, 4, 4] for gear in (1, 2, 4)]
    assert lib.aclmdlUnload(model_id) == 0


def test_dynamic_with_dynamic_batch(lib: acl.Library, tmp_path: object) -> None:
    """MDL-AIPP-15 (19.2): the set is made for the largest gear whatever gear runs."""
    shared = Parameters("RGB888_U8", (6, 5), crop=(0, 0, 4, 4))
    parameters = [dataclasses.replace(shared, crop=(i % 3, i % 2, 4, 4)) for i in range(4)]
    room = 4 * reference.image_bytes(shared)
    om = om_of(
        identity(("N", 3, 4, 4), "float16"),
        str(tmp_path),
        insert_op_conf=DYNAMIC.format(room),
        **GEARS,
    )
    model_id = running.load(lib, om)
    handle = make_set(lib, parameters)
    small_set = make_set(lib, parameters[:2])
    block = 64 + 96 * 4
    for gear in (2, 1, 4):
        raw = images(shared, gear, gear)
        wanted = expected(parameters[:gear], raw, 3, "float16")
        with running.Buffers(lib) as device:
            pieces = [(device.upload(raw), raw.nbytes), (device.alloc(block), block)]
            inputs = device.dataset(*pieces, (device.alloc(4), 4))
            target = device.alloc(wanted.nbytes)
            outputs = device.dataset((target, wanted.nbytes))
            assert lib.aclmdlSetInputAIPP(model_id, inputs, 1, small_set) == INVALID
            assert lib.aclmdlSetDynamicBatchSize(model_id, inputs, 2, gear) == 0
            assert lib.aclmdlSetInputAIPP(model_id, inputs, 1, handle) == 0, lib.message()
            assert lib.aclmdlExecute(model_id, inputs, outputs) == 0, lib.message()
            assert same_bits(device.read(target, wanted), wanted)
    for made in (handle, small_set):
        assert lib.aclmdlDestroyAIPP(made) == 0
    assert lib.aclmdlUnload(model_id) == 0


class Info:
    """aclAippInfo at the offsets of the contract's section 4."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def i32(self, at: int) -> int:
        """A number."""
        return int.from_bytes(self.raw[at : at + 4], "little", signed=True)

    def i64(self, at: int) -> int:
        """A number of eight bytes."""
        return int.from_bytes(self.raw[at : at + 8], "little", signed=True)

    @property
    def shape_count(self) -> int:
        """How many gears."""
        return self.i64(192)

    def dims(self, gear: int, side: int = 0) -> list[int]:
        """Of the source, or with side 1 of what AIPP gives."""
        at = 200 + 2336 * gear + 1168 * side
        return [self.i64(at + 136 + 8 * i) for i in range(self.i64(at + 128))]


def first_info(lib: acl.Library, model_id: int, index: int = 0) -> Info:
    """aclmdlGetFirstAippInfo."""
    memory = ctypes.create_string_buffer(299216)
    assert lib.aclmdlGetFirstAippInfo(model_id, index, memory) == 0, lib.message()
    return Info(memory.raw)
