# SPDX-License-Identifier: Apache-2.0
"""Dynamic AIPP through OfflineModel: parameters in ATC's words, limits, and true results."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aipp_reference as reference
import numpy as np
import onnx
import pytest
from aipp_reference import Parameters
from onnx import TensorProto, helper

import aclrt
from aclrt.errors import ClosedError, InputError

SIZE: dict[str, Any] = {"src_image_size_w": 6, "src_image_size_h": 5}
CROP: dict[str, Any] = {"crop": True, "crop_size_w": 4, "crop_size_h": 4}
RGB: dict[str, Any] = {"input_format": "RGB888_U8", **SIZE, **CROP}


def identity(*names: str, batch: int | str = 2) -> onnx.ModelProto:
    """y = x for each input, (batch, 3, 4, 4)."""
    shape = (batch, 3, 4, 4)
    graph = helper.make_graph(
        [helper.make_node("Identity", [name], [f"{name}_out"], f"same_{name}") for name in names],
        "small",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in names],
        [helper.make_tensor_value_info(f"{name}_out", TensorProto.FLOAT, shape) for name in names],
    )
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 19)])


def dynamic(room: int, rank: int = 0) -> str:
    """ATC's block for one input."""
    return (
        f"aipp_op {{ aipp_mode: dynamic max_src_image_size: {room} related_input_rank: {rank} }}\n"
    )


@pytest.fixture
def model(tmp_path: Path) -> Iterator[aclrt.OfflineModel]:
    """One image input, two images."""
    om = aclrt.convert(identity("x"), tmp_path / "one", insert_op_conf=dynamic(400))
    with aclrt.OfflineModel(om) as loaded:
        yield loaded


def images(seed: int = 1, count: int = 2) -> np.ndarray:
    """RGB888, 6x5."""
    return np.random.default_rng(seed).integers(0, 256, (count, 5, 6, 3), np.uint8)


def expected(batch: np.ndarray, *parameters: Parameters) -> np.ndarray:
    """What the network gets."""
    return np.stack(
        [
            reference.process(one, image.ravel(), 3, "float32")
            for one, image in zip(parameters, batch, strict=True)
        ]
    )


def test_keywords(model: aclrt.OfflineModel) -> None:
    """One set for all images; the next set replaces it."""
    assert (2, -1, -1, -1) == model.inputs[0].shape
    batch = images()
    model.set_aipp(**RGB, load_start_pos_w=2, mean_chn_0=3, var_reci_chn_2=0.5)
    one = Parameters("RGB888_U8", (6, 5), (2, 0, 4, 4), mean=(3, 0, 0, 0), var_reci=(1, 1, 0.5, 1))
    np.testing.assert_array_equal(model(batch)[0], expected(batch, one, one))
    model.set_aipp(**RGB)
    one = Parameters("RGB888_U8", (6, 5), (0, 0, 4, 4))
    np.testing.assert_array_equal(model(batch)[0], expected(batch, one, one))


def test_every_image_its_own(model: aclrt.OfflineModel) -> None:
    """Crops, padding and normalisation of each image of the batch."""
    batch = images(2)
    model.set_aipp(
        **RGB,
        rbuv_swap_switch=True,
        images=[
            {"load_start_pos_h": 1, "min_chn_1": 0.25},
            {"crop_size_w": 3, "padding": True, "right_padding_size": 1},
        ],
    )
    first = Parameters("RGB888_U8", (6, 5), (0, 1, 4, 4), rbuv_swap=True, min=(0, 0.25, 0, 0))
    second = Parameters("RGB888_U8", (6, 5), (0, 0, 3, 4), (0, 1, 0, 0), rbuv_swap=True)
    np.testing.assert_array_equal(model(batch)[0], expected(batch, first, second))


def test_a_static_configuration_as_it_stands(model: aclrt.OfflineModel, tmp_path: Path) -> None:
    """Text or file, in any layout that has the bytes; csc_switch with ATC's default matrix."""
    text = """aipp_op {
        aipp_mode: static  input_format: YUV420SP_U8  csc_switch: true
        src_image_size_w: 6  src_image_size_h: 4  crop: true  crop_size_w: 4  crop_size_h: 4
    }"""
    path = tmp_path / "aipp.cfg"
    path.write_text(text, encoding="utf-8")
    matrix = (298, 516, 0, 298, -100, -208, 298, 0, 409)
    one = Parameters("YUV420SP_U8", (6, 4), (0, 0, 4, 4), matrix=matrix, input_bias=(16, 128, 128))
    batch = np.random.default_rng(3).integers(0, 256, (2, 6, 6, 1), np.uint8)
    for given in (text, path):
        model.set_aipp(given)
        np.testing.assert_array_equal(model(batch)[0], expected(batch, one, one))


def test_several_inputs(tmp_path: Path) -> None:
    """By position, by name, and by a configuration with a block for each."""
    conf = dynamic(400) + dynamic(500, 1)
    om = aclrt.convert(identity("a", "b"), tmp_path / "two", insert_op_conf=conf)
    first, second = images(4), images(5)
    left = Parameters("RGB888_U8", (6, 5), (0, 0, 4, 4))
    right = Parameters("RGB888_U8", (6, 5), (2, 1, 4, 4))
    wanted = expected(first, left, left), expected(second, right, right)
    shared = " ".join(f"{k}: {str(v).lower() if v is True else v}" for k, v in RGB.items())
    text = f"aipp_op {{ {shared} }} aipp_op {{ {shared} related_input_rank: 1 "
    text += "load_start_pos_w: 2 load_start_pos_h: 1 }"
    with aclrt.OfflineModel(om) as model:
        model.set_aipp(**RGB)
        with pytest.raises(InputError, match='input "b" takes images, and nothing says'):
            model(first, second)
        model.set_aipp(input="b", **RGB, load_start_pos_w=2, load_start_pos_h=1)
        for got, want in zip(model(first, second), wanted, strict=True):
            np.testing.assert_array_equal(got, want)
    with aclrt.OfflineModel(om) as model:
        model.set_aipp(text)
        for got, want in zip(model(first, second), wanted, strict=True):
            np.testing.assert_array_equal(got, want)
        with pytest.raises(InputError, match="two blocks are for one input"):
            model.set_aipp(text.replace("related_input_rank: 1", ""))
        with pytest.raises(InputError, match="input=0 and a configuration of 2 blocks"):
            model.set_aipp(text, input=0)


def test_with_dynamic_batch(tmp_path: Path) -> None:
    """Parameters for the largest batch serve every gear."""
    om = aclrt.convert(
        identity("x", batch="N"),
        tmp_path / "gears",
        input_shape="x:-1,3,4,4",
        dynamic_batch_size="1,2,4",
        insert_op_conf=dynamic(400),
    )
    with aclrt.OfflineModel(om) as model:
        model.set_aipp(**RGB, images=[{"load_start_pos_w": i % 3} for i in range(4)])
        every = [Parameters("RGB888_U8", (6, 5), (i % 3, 0, 4, 4)) for i in range(4)]
        for count in (2, 4, 1):
            batch = images(count, count)
            np.testing.assert_array_equal(model(batch)[0], expected(batch, *every[:count]))


def test_with_gears_of_image_size(tmp_path: Path) -> None:
    """Static AIPP follows the gear; dynamic AIPP runs under the largest, as AscendCL asks."""
    graph = identity("x", batch=1)
    for value in (*graph.graph.input, *graph.graph.output):
        value.type.tensor_type.shape.dim[2].dim_param = "H"
        value.type.tensor_type.shape.dim[3].dim_param = "W"
    sizes: dict[str, Any] = {"input_shape": "x:1,3,-1,-1", "dynamic_image_size": "4,4;6,8"}
    text = "aipp_op { aipp_mode: static input_format: YUV420SP_U8 }"
    om = aclrt.convert(graph, tmp_path / "static", insert_op_conf=text, **sizes)
    with aclrt.OfflineModel(om) as model:
        for height, width in ((6, 8), (4, 4)):
            raw = np.random.default_rng(height).integers(0, 256, height * width * 3 // 2, np.uint8)
            wanted = reference.process(
                Parameters("YUV420SP_U8", (width, height)), raw, 3, "float32"
            )
            result = model(raw.reshape(1, height * 3 // 2, width, 1))[0]
            np.testing.assert_array_equal(result, wanted[None])
    om = aclrt.convert(graph, tmp_path / "dynamic", insert_op_conf=dynamic(400), **sizes)
    with aclrt.OfflineModel(om) as model:
        model.set_aipp(input_format="RGB888_U8", src_image_size_w=8, src_image_size_h=6)
        batch = np.random.default_rng(1).integers(0, 256, (1, 6, 8, 3), np.uint8)
        wanted = expected(batch, Parameters("RGB888_U8", (8, 6)))
        np.testing.assert_array_equal(model(batch)[0], wanted)
        with pytest.raises(InputError, match="4x4 come out, the network takes 8x6"):
            model.set_aipp(input_format="RGB888_U8", src_image_size_w=4, src_image_size_h=4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "expected the text of a configuration or keywords, given neither"),
        ({"config": "aipp_op { }", "crop": True}, "given both"),
        ({**RGB, "mean_chn_0": 256}, "mean_chn_0: expected 0 to 255, given 256"),
        ({**RGB, "crop_size_w": 5}, "5x4 come out, the network takes 4x4"),
        ({**RGB, "src_image_size_w": 4096}, "max_src_image_size 400"),
        ({**RGB, "input_format": "YUYV_U8"}, "in dynamic AIPP, given YUYV_U8"),
        ({"input_format": "RGB888_U8"}, "src_image_size_w: dynamic AIPP needs it"),
        ({**RGB, "crop_size_w": 0}, "crop_size_w: dynamic AIPP needs it with crop"),
        ({**RGB, "padding_value": 1.0}, "dynamic AIPP pads with 0, given 1"),
        ({**RGB, "aipp_mode": "dynamic"}, "does not belong to aipp_mode dynamic"),
        ({**RGB, "colour": 1}, "unknown key 'colour'"),
        ({**RGB, "crop": 1}, "crop: expected true or false, given 1"),
        ({**RGB, "images": [{}]}, ""),
        ({**RGB, "images": [{}] * 3}, "one image for all, or of 2, given 3"),
        ({**RGB, "images": [{"input_format": "RGB888_U8"}]}, r"images\[0\]: input_format is the"),
        ({**RGB, "images": {}}, "images: expected a list"),
        ({**RGB, "input": 1}, "has no input 1"),
        ({**RGB, "input": "z"}, "has no input 'z'"),
    ],
)
def test_limits_are_named(model: aclrt.OfflineModel, given: dict[str, Any], message: str) -> None:
    """What is out of range is refused before a run, and changes nothing."""
    model.set_aipp(**RGB)
    batch = images()
    before = model(batch)[0]
    if message:
        with pytest.raises(InputError, match="(?s)" + message):
            model.set_aipp(given.pop("config", None), **given)
    else:
        model.set_aipp(**given)
    np.testing.assert_array_equal(model(batch)[0], before)


def test_images_of_another_size(model: aclrt.OfflineModel) -> None:
    """What is fed has to have the bytes that the parameters say."""
    with pytest.raises(InputError, match="set_aipp"):
        model(images())
    model.set_aipp(**RGB)
    with pytest.raises(InputError, match=r"2 images have 180 bytes .*given 144"):
        model(np.zeros((2, 4, 6, 3), np.uint8))


def test_models_without(tmp_path: Path) -> None:
    """A model without dynamic AIPP says how it is had; a closed one that it is closed."""
    om = aclrt.convert(identity("x"), tmp_path / "plain")
    message = r'(?s)"x" has no dynamic AIPP.*aipp_mode: dynamic'
    with aclrt.OfflineModel(om) as model, pytest.raises(InputError, match=message):
        model.set_aipp(**RGB)
    with pytest.raises(ClosedError):
        model.set_aipp(**RGB)


def test_static_is_transparent(tmp_path: Path) -> None:
    """Static AIPP needs nothing at a run: the image is fed as the file shows it."""
    text = (
        "aipp_op { aipp_mode: static input_format: RGB888_U8 src_image_size_w: 6 "
        "src_image_size_h: 5 crop: true crop_size_w: 4 crop_size_h: 4 var_reci_chn_0: 0.5 }"
    )
    om = aclrt.convert(identity("x"), tmp_path / "static", insert_op_conf=text)
    one = Parameters("RGB888_U8", (6, 5), (0, 0, 4, 4), var_reci=(0.5, 1, 1, 1))
    with aclrt.OfflineModel(om) as model:
        assert ((2, 5, 6, 3), np.dtype("u1")) == (model.inputs[0].shape, model.inputs[0].dtype)
        np.testing.assert_array_equal(model(images())[0], expected(images(), one, one))


def test_threads_set_and_run(model: aclrt.OfflineModel) -> None:
    """A run sees one set of parameters or the other, never a mixture."""
    batch = images()
    results = []
    for start in (0, 2):
        one = Parameters("RGB888_U8", (6, 5), (start, 0, 4, 4))
        results.append(expected(batch, one, one).tobytes())
    model.set_aipp(**RGB)
    stop = threading.Event()

    def change() -> None:
        start = 0
        while not stop.is_set():
            start = 2 - start
            model.set_aipp(**RGB, load_start_pos_w=start)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        seen = {model(batch)[0].tobytes() for _ in range(100)}
    finally:
        stop.set()
        thread.join()
    assert seen <= set(results)


def test_runs_in_flight_keep_what_was_stated_before_them(model: aclrt.OfflineModel) -> None:
    """Those with a slot and those that wait for one; set_aipp waits for them."""
    faults, batch, begun = aclrt.fake.faults, images(), threading.Event()
    wanted = []
    for start in (0, 2):
        one = Parameters("RGB888_U8", (6, 5), (start, 0, 4, 4))
        wanted.append(expected(batch, one, one))
    model.set_aipp(**RGB)
    before, results = [], model.map([batch] * 3, in_flight=2)

    def change() -> None:
        begun.set()
        model.set_aipp(**RGB, load_start_pos_w=2)

    next(results)
    with faults.fault(function="aclmdlExecute", action="hang", ms=600_000, persistent=True):
        overlap = model._in_flight()
        for _ in range(12):  # more than there are slots
            before.append(overlap.submit((batch,), {}, None, None, None, None, None, wait=False))
        thread = threading.Thread(target=change)
        thread.start()
        begun.wait()
    thread.join()
    after = model.submit(batch)
    for future in before:
        np.testing.assert_array_equal(wanted[0], future.result()[0])
    np.testing.assert_array_equal(wanted[1], after.result()[0])
    results.close()  # type: ignore[attr-defined]
    faults.clear()
