# SPDX-License-Identifier: Apache-2.0
"""Models whose shapes vary: gears chosen by what is fed, padding, splitting, shape ranges."""

from __future__ import annotations

import pickle
import threading
from collections import Counter

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper

import aclrt
from aclrt import _gears

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def value(name, dims, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, dims)


def make(nodes, inputs, outputs):
    nodes = [
        helper.make_node(op, ins, outs, **(rest[0] if rest else {}))
        for op, ins, outs, *rest in nodes
    ]
    opsets = [helper.make_opsetid("", 17)]
    graph = helper.make_graph(nodes, "g", inputs, outputs)
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


@pytest.fixture
def load(tmp_path):
    """Converts and loads a model; closes it after the test."""
    models = []

    def run(onnx, options=None, **keywords):
        path = aclrt.convert(onnx, tmp_path / f"m{len(models)}.om", **keywords)
        models.append(aclrt.OfflineModel(path, **(options or {})))
        return models[-1]

    yield run
    for model in models:
        model.close()


@pytest.fixture
def batches(load):
    """x (N, 3) -> y = -x; N is 1, 4 or 8."""
    onnx = make([("Neg", ["x"], ["y"])], [value("x", ["N", 3])], [value("y", ["N", 3])])
    return load(onnx, input_shape={"x": (-1, 3)}, dynamic_batch_size=(1, 4, 8))


@pytest.fixture
def images(load):
    """x (1, 2, H, W) -> y = max of each 2 x 2 block, mean (1, 2, 1, 1); 4 x 4, 4 x 8 or 8 x 8."""
    onnx = make(
        [
            ("MaxPool", ["x"], ["y"], {"kernel_shape": [2, 2], "strides": [2, 2]}),
            ("GlobalAveragePool", ["x"], ["mean"]),
        ],
        [value("x", [1, 2, "H", "W"])],
        [value("y", None), value("mean", None)],
    )
    return load(
        onnx, input_shape={"x": (1, 2, -1, -1)}, dynamic_image_size=((4, 4), (4, 8), (8, 8))
    )


@pytest.fixture
def dims(load):
    """ids (N, T) int64, pixels (M, 3) -> minus = -ids, colours = -pixels."""
    onnx = make(
        [("Neg", ["ids"], ["minus"]), ("Neg", ["pixels"], ["colours"])],
        [value("ids", ["N", "T"], INT64), value("pixels", ["M", 3])],
        [value("minus", None, INT64), value("colours", None)],
    )
    return load(
        onnx,
        input_shape={"ids": (-1, -1), "pixels": (-1, 3)},
        dynamic_dims=((1, 4, 1), (2, 4, 2), (2, 8, 2)),
    )


@pytest.fixture
def ranges(load):
    """x (1..6, any) -> y = -x, first = the first column of x."""
    onnx = make(
        [("Neg", ["x"], ["y"]), ("ReduceSum", ["x"], ["total"], {"keepdims": 0})],
        [value("x", ["N", "L"])],
        [value("y", ["N", "L"]), value("total", [])],
    )
    return load(onnx, input_shape_range={"x": ((1, 6), (1, -1))})


def numbers(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape) + 1


def calls_of(run):
    """How often each AscendCL function is called by it; those not called are left out."""
    before = Counter(aclrt.fake.ledger()["calls"])
    run()
    return Counter(aclrt.fake.ledger()["calls"]) - before


# ---- gears -----------------------------------------------------------------------------------


def test_a_model_with_gears_describes_itself(batches):
    """-1 where a dim varies, its range, the gears; no internal input."""
    (x,), (y,) = batches.inputs, batches.outputs
    assert ((1,), (4,), (8,)) == batches.gears
    assert ("x", (-1, 3), True, 8 * 3 * 4) == (x.name, x.shape, x.dynamic, x.nbytes)
    assert ((1, 8), (3, 3)) == x.range == y.range
    assert [None, 3] == batches.get_inputs()[0].shape
    assert (-1, 3) == y.shape


@pytest.mark.parametrize("batch", [4, 1, 8])
def test_the_fed_batch_selects_the_gear(batches, batch):
    """Nothing is declared; the result has the batch's shape and says which gear ran."""
    x = numbers(batch, 3)
    y = batches(x)
    np.testing.assert_array_equal(-x, y["y"])
    assert ((batch,), 0.0) == (y.gear, y.waste)
    assert (batch,) == pickle.loads(pickle.dumps(y)).gear


def test_a_gear_may_change_at_every_call(batches):
    """In any order, by position, by name, through run(), and into the caller's array."""
    for batch in (8, 1, 4, 4, 8, 1):
        x = numbers(batch, 3)
        buffer = np.empty((batch, 3), np.float32)
        np.testing.assert_array_equal(-x, batches({"x": x})[0])
        np.testing.assert_array_equal(-x, batches(x=x)[0])
        np.testing.assert_array_equal(-x, batches.run(None, {"x": x})[0])
        assert batches(x, out=buffer)[0] is buffer
        np.testing.assert_array_equal(-x, buffer)


def test_a_batch_without_a_gear_is_refused_with_a_table(batches):
    """Every gear with its shapes, what was given, and the ways out."""
    with pytest.raises(aclrt.InputError) as caught:
        batches(numbers(3, 3))
    lines = [line.split() for line in str(caught.value).splitlines()]
    assert ["batch", "4", "(4,", "3)"] in lines
    assert ["given", "(3,", "3)"] in lines
    assert 'pad="up"' in caught.value.hint
    with pytest.raises(aclrt.InputError) as caught:
        batches(numbers(9, 3))
    assert "split=True" in caught.value.hint
    assert "pad" not in caught.value.hint
    np.testing.assert_array_equal(-numbers(4, 3), batches(numbers(4, 3))[0])


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.ones((4, 2), np.float32), "dim 1 is 2, not 3"),
        (np.ones(3, np.float32), "rank is 1, not 2"),
        (np.ones((4, 3), np.float64), "dtype is float64"),
    ],
)
def test_feeding_stays_strict(batches, array, problem):
    """Fixed dims, rank and dtype are judged before any gear."""
    with pytest.raises(aclrt.InputError, match=problem):
        batches(array)


def test_an_output_array_has_the_gears_shape(batches):
    """An array for another gear is refused before the run."""
    with pytest.raises(aclrt.InputError, match="dim 0 is 8, not 4"):
        batches(numbers(4, 3), out=np.empty((8, 3), np.float32))


def test_an_image_size_is_height_and_width(images):
    """Gears are (height, width); outputs have their own size for each."""
    assert ((4, 4), (4, 8), (8, 8)) == images.gears
    assert (1, 2, -1, -1) == images.inputs[0].shape == images.outputs[0].shape
    assert (1, 2, 1, 1) == images.outputs[1].shape
    x = numbers(1, 2, 4, 8)
    y = images(x)
    assert ((4, 8), (1, 2, 2, 4)) == (y.gear, y[0].shape)
    np.testing.assert_array_equal(x.reshape(1, 2, 2, 2, 4, 2).max((3, 5)), y[0])
    with pytest.raises(aclrt.InputError, match="8 x 8"):
        images(numbers(1, 2, 8, 4))


def test_dims_gears_take_several_inputs(dims):
    """One gear fixes the dims of all inputs together."""
    assert ((1, 4, 1), (2, 4, 2), (2, 8, 2)) == dims.gears
    ids, pixels = np.ones((2, 8), np.int64), numbers(2, 3)
    y = dims(ids, pixels)
    assert (2, 8, 2) == y.gear
    np.testing.assert_array_equal(-ids, y["minus"])
    np.testing.assert_array_equal(-pixels, y["colours"])
    with pytest.raises(aclrt.InputError, match=r"ids \(2, 8\), pixels \(1, 3\)"):
        dims(ids, pixels[:1])


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_dims_gears_follow_the_order_of_atcs_flag(load, order):
    """The values of a gear are for the inputs in --input_shape's order, not the model's."""
    onnx = make(
        [("Neg", ["a"], ["y"]), ("Neg", ["b"], ["z"])],
        [value("a", ["N", "L"]), value("b", ["M", "K"])],
        [value("y", None), value("z", None)],
    )
    text = ";".join(f"{name}:-1,-1" for name in order)
    model = load(onnx, input_shape=text, dynamic_dims="1,2,3,4;5,6,7,8")
    shapes = dict(zip(order, ((5, 6), (7, 8)), strict=True))
    y = model(numbers(*shapes["a"]), numbers(*shapes["b"]))
    assert ((5, 6, 7, 8), shapes["a"], shapes["b"]) == (y.gear, y["y"].shape, y["z"].shape)
    with pytest.raises(aclrt.InputError, match="no gear"):
        model(numbers(*shapes["b"]), numbers(*shapes["a"]))


def test_a_static_input_need_not_be_in_the_gears(load):
    """Inputs with fixed dims beside dynamic ones are as ever."""
    onnx = make(
        [("Neg", ["a"], ["y"]), ("Neg", ["b"], ["z"])],
        [value("a", [2, 2]), value("b", ["N", 2])],
        [value("y", None), value("z", None)],
    )
    model = load(onnx, input_shape={"b": (-1, 2)}, dynamic_dims=((1,), (3,)))
    y = model(numbers(2, 2), numbers(3, 2))
    np.testing.assert_array_equal(-numbers(3, 2), y["z"])
    assert (2, 2) == model.inputs[0].shape == y["y"].shape
    with pytest.raises(aclrt.InputError, match="dim 0 is 1, not 2"):
        model(numbers(1, 2), numbers(3, 2))


@pytest.mark.parametrize(
    ("config", "rows"), [("YUV420SP_U8", 1.5), ("RGB888_U8", 1), ("YUV400_U8", 1)]
)
def test_image_gears_behind_static_aipp_take_the_images_bytes(load, config, rows):
    """The fed shape is that of the image's memory: a YUV image has half as many rows again."""
    channels = 1 if config == "YUV400_U8" else 3
    onnx = make(
        [("Neg", ["x"], ["y"])],
        [value("x", [1, channels, "H", "W"])],
        [value("y", [1, channels, "H", "W"])],
    )
    text = f"aipp_op {{ aipp_mode: static input_format: {config} csc_switch: false }}"
    model = load(
        onnx,
        input_shape={"x": (1, channels, -1, -1)},
        dynamic_image_size=((4, 4), (8, 4)),
        insert_op_conf=text,
    )
    depth = 3 if config == "RGB888_U8" else 1
    for height in (8, 4):
        image = np.full((1, int(height * rows), 4, depth), 7, np.uint8)
        y = model(image)
        assert ((height, 4), (1, channels, height, 4)) == (y.gear, y[0].shape)
        assert -7 == y[0][0, 0, 0, 0]


def test_int4_is_packed_by_the_shape_that_runs(load):
    """Two elements in a byte on the device, whatever the gear or the range."""
    onnx = make(
        [
            ("Cast", ["x"], ["wide"], {"to": TensorProto.FLOAT}),
            ("Cast", ["wide"], ["y"], {"to": TensorProto.INT4}),
        ],
        [value("x", ["N", 3], TensorProto.INT4)],
        [value("y", ["N", 3], TensorProto.INT4)],
    )
    onnx.opset_import[0].version = 21
    onnx.ir_version = 10
    gears = load(onnx, input_shape={"x": (-1, 3)}, dynamic_batch_size=(1, 4))
    ranges = load(onnx, input_shape_range={"x": ((1, 8), 3)})
    for model in (gears, ranges):
        for batch in (4, 1):
            x = (np.arange(3 * batch) % 16 - 8).reshape(batch, 3).astype(ml_dtypes.int4)
            np.testing.assert_array_equal(x, model(x)[0])


def test_an_empty_output_of_a_range_is_an_array_too(load):
    """Its shape is real, and it has no element."""
    onnx = make(
        [("NonZero", ["x"], ["places"])], [value("x", ["N"])], [value("places", None, INT64)]
    )
    model = load(onnx, input_shape_range={"x": ((1, 9),)})
    for x in (np.zeros(4, np.float32), numbers(3), np.zeros(9, np.float32)):
        np.testing.assert_array_equal(np.array(np.nonzero(x)), model(x)[0])


def test_a_steady_gear_costs_what_a_fixed_shape_costs(batches):
    """The setter is called when the gear changes, and then the output's shape is read back."""
    x = numbers(4, 3)
    batches(x)
    steady = {"aclrtGetCurrentContext": 1, "aclrtMemcpy": 2, "aclmdlExecute": 1}
    assert steady == calls_of(lambda: batches(x))
    change = {"aclmdlSetDynamicBatchSize": 1, "aclmdlGetCurOutputDims": 1}
    assert steady | change == calls_of(lambda: batches(x[:1]))


def test_a_setter_that_fails_leaves_the_model_usable(batches):
    """The call fails with the setter's name; the next one sets the gear again."""
    batches(numbers(4, 3))
    with (
        aclrt.fake.fault(function="aclmdlSetDynamicBatchSize", code=500002),
        pytest.raises(aclrt.AclError) as caught,
    ):
        batches(numbers(8, 3))
    assert "aclmdlSetDynamicBatchSize" == caught.value.call
    for batch in (4, 8):
        np.testing.assert_array_equal(-numbers(batch, 3), batches(numbers(batch, 3))[0])


@pytest.mark.parametrize("function", ["aclmdlGetCurOutputDims", "aclrtMemcpy", "aclmdlExecute"])
def test_a_run_that_fails_leaves_the_model_usable(batches, function):
    """Whatever fails after the gear was set, the same call works again, with the setter."""
    batches(numbers(1, 3))
    with aclrt.fake.fault(function=function, code=500002), pytest.raises(aclrt.AclError):
        batches(numbers(8, 3))
    x = numbers(8, 3)
    calls = calls_of(lambda: np.testing.assert_array_equal(-x, batches(x)[0]))
    assert 1 == calls["aclmdlSetDynamicBatchSize"]


def test_threads_with_different_gears_get_their_own_results(batches):
    """Runs take turns, gear and all."""
    wrong = []

    def work(batch):
        for number in range(60):
            x = numbers(batch, 3) * number
            if not np.array_equal(-x, batches(x)[0]):
                wrong.append((batch, number))

    threads = [threading.Thread(target=work, args=(batch,)) for batch in (1, 4, 8, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == wrong


# ---- padding and splitting ---------------------------------------------------------------------


def test_padding_takes_the_next_gear_and_crops_back(batches):
    """The result has the fed batch, and says what was wasted."""
    x = numbers(3, 3)
    y = batches(x, pad="up")
    np.testing.assert_array_equal(-x, y[0])
    assert ((4,), 0.25) == (y.gear, y.waste)
    assert 0.0 == batches(numbers(4, 3), pad="up").waste
    with pytest.raises(aclrt.InputError, match="no gear"):
        batches(numbers(9, 3), pad="up")


def test_padding_may_be_the_models_default(load):
    """Set in the constructor it holds for every call that does not say otherwise."""
    onnx = make([("Neg", ["x"], ["y"])], [value("x", ["N", 3])], [value("y", ["N", 3])])
    options = {"pad": "up", "split": True}
    model = load(onnx, options, input_shape={"x": (-1, 3)}, dynamic_batch_size=(2, 4))
    np.testing.assert_array_equal(-numbers(11, 3), model(numbers(11, 3))[0])
    np.testing.assert_array_equal(-numbers(3, 3), model.run(None, {"x": numbers(3, 3)})[0])
    with pytest.raises(aclrt.InputError, match="no gear"):
        model(numbers(11, 3), split=False)


def test_padding_an_image_crops_what_follows_its_size(images):
    """Axes in a fixed ratio to the image are cropped; an output without them is as it came."""
    x = numbers(1, 2, 4, 6)
    y = images(x, pad="up")
    assert ((4, 8), 0.25) == (y.gear, y.waste)
    np.testing.assert_array_equal(x.reshape(1, 2, 2, 2, 3, 2).max((3, 5)), y[0])
    assert y[0].flags.c_contiguous
    np.testing.assert_allclose(x.sum((2, 3), keepdims=True) / 32, y[1], rtol=1e-6)
    with pytest.raises(aclrt.InputError, match="cannot be cropped back"):
        images(numbers(1, 2, 4, 5), pad="up")


def test_padding_fills_every_input_of_a_dims_gear(dims):
    """Each axis grows to the gear's, and is cropped by its own."""
    ids, pixels = np.ones((1, 6), np.int64), numbers(1, 3)
    y = dims(ids, pixels, pad="up")
    assert (2, 8, 2) == y.gear
    np.testing.assert_array_equal(-ids, y["minus"])
    np.testing.assert_array_equal(-pixels, y["colours"])
    assert pytest.approx(1 - (6 + 3) / (16 + 6)) == y.waste


def test_padding_into_the_callers_array(batches):
    """It has the cropped shape."""
    x, buffer = numbers(3, 3), np.empty((3, 3), np.float32)
    assert batches(x, pad="up", out={"y": buffer})[0] is buffer
    np.testing.assert_array_equal(-x, buffer)
    with pytest.raises(aclrt.InputError, match="dim 0 is 4, not 3"):
        batches(x, pad="up", out=np.empty((4, 3), np.float32))


@pytest.mark.parametrize(
    ("batch", "pad", "waste"), [(19, None, 0.0), (19, "up", 0.05), (16, None, 0.0), (3, None, 0.0)]
)
def test_a_large_batch_is_split_and_joined(batches, batch, pad, waste):
    """Into gears alone, or with the last part padded."""
    x = numbers(batch, 3)
    y = batches(x, split=True, pad=pad)
    np.testing.assert_array_equal(-x, y[0])
    assert (None, pytest.approx(waste)) == (y.gear, y.waste)
    buffer = np.empty((batch, 3), np.float32)
    assert batches(x, split=True, pad=pad, out=[buffer])[0] is buffer
    np.testing.assert_array_equal(-x, buffer)


def test_outputs_without_a_batch_are_not_joined(load):
    """Splitting such a model would make up a result."""
    onnx = make(
        [("ReduceSum", ["x"], ["total"], {"keepdims": 0})],
        [value("x", ["N", 3])],
        [value("total", [])],
    )
    model = load(onnx, input_shape={"x": (-1, 3)}, dynamic_batch_size=(1, 2))
    assert 21.0 == model(numbers(2, 3))[0]
    with pytest.raises(aclrt.InputError, match="cannot be joined"):
        model(numbers(4, 3), split=True)


def test_padding_and_splitting_need_what_they_work_on(om_factory, ranges, images):
    """Fixed shapes have neither, a range has no gears, an image size no batch."""
    with aclrt.OfflineModel(om_factory.identity()) as fixed:
        for keywords in ({"pad": "up"}, {"split": True}):
            with pytest.raises(aclrt.InputError, match="shapes are fixed"):
                fixed(numbers(2, 3), **keywords)
        np.testing.assert_array_equal(numbers(2, 3), fixed(numbers(2, 3), split=False)[0])
    with pytest.raises(aclrt.InputError, match="shapes are fixed"):
        aclrt.OfflineModel(om_factory.identity(), pad="up")
    with pytest.raises(aclrt.InputError, match="no gears"):
        ranges(numbers(2, 3), pad="up")
    with pytest.raises(aclrt.InputError, match="no dynamic batch"):
        images(numbers(1, 2, 8, 4), split=True)


@pytest.mark.parametrize(
    ("keyword", "wrong"), [("pad", "down"), ("pad", True), ("split", 1), ("split", "yes")]
)
def test_wrong_words_are_refused(batches, keyword, wrong):
    """With what is allowed."""
    with pytest.raises(aclrt.InputError, match=f"{keyword} must be"):
        batches(numbers(4, 3), **{keyword: wrong})


@pytest.mark.parametrize(
    ("total", "sizes", "padded", "expected"),
    [
        (16, [4, 8], False, [8, 8]),
        (19, [1, 4, 8], False, [8, 8, 1, 1, 1]),
        (8, [4, 6], False, [4, 4]),
        (20, [4, 6], False, [6, 6, 4, 4]),
        (7, [4, 6], False, None),
        (1, [4, 6], False, None),
        (19, [4, 8], True, [8, 8, 3]),
    ],
)
def test_parts_are_few_and_large(total, sizes, padded, expected):
    """As few runs as the gears allow."""
    assert expected == _gears.parts(total, sizes, padded)


# ---- shape ranges ------------------------------------------------------------------------------


def test_a_shape_range_is_described(ranges):
    """-1 and the limits; no gears."""
    (x,) = ranges.inputs
    assert ((), (-1, -1), ((1, 6), (1, -1))) == (ranges.gears, x.shape, x.range)
    assert 0 == x.nbytes


def test_a_shape_range_takes_any_shape_inside(ranges):
    """Outputs have their real shapes, whatever came before."""
    for shape in ((2, 3), (6, 500), (1, 1), (6, 501), (6, 500)):
        x = numbers(*shape)
        y = ranges(x)
        np.testing.assert_array_equal(-x, y["y"])
        assert ((), None) == (y["total"].shape, y.gear)
        y["y"][:] = 0  # its own memory


@pytest.mark.parametrize(("shape", "words"), [((7, 2), "1 to 6"), ((2, 0), "1 or more")])
def test_a_shape_outside_the_range_is_refused(ranges, shape, words):
    """With the limits of the dim."""
    with pytest.raises(aclrt.InputError, match=words):
        ranges(np.zeros(shape, np.float32))


def test_a_steady_shape_creates_and_frees_nothing(ranges):
    """A changed shape is told once; the outputs' shapes are read after each run."""
    x = numbers(4, 50)
    ranges(x)
    changing = {
        "aclrtMalloc",
        "aclrtFree",
        "aclCreateTensorDesc",
        "aclDestroyTensorDesc",
        "aclmdlSetDatasetTensorDesc",
        "aclUpdateDataBuffer",
    }
    steady = calls_of(lambda: ranges(x))
    assert not changing & set(steady)
    assert (3, 1, 2) == (
        steady["aclrtMemcpy"],
        steady["aclmdlExecute"],
        steady["aclmdlGetDatasetTensorDesc"],
    )
    smaller = calls_of(lambda: ranges(x[:1]))
    assert {"aclCreateTensorDesc": 1, "aclmdlSetDatasetTensorDesc": 1} == {
        name: smaller[name] for name in ("aclCreateTensorDesc", "aclmdlSetDatasetTensorDesc")
    }
    assert 0 == smaller["aclrtMalloc"]


@pytest.mark.parametrize(
    "function",
    ["aclrtMalloc", "aclUpdateDataBuffer", "aclmdlSetDatasetTensorDesc", "aclGetTensorDescDimV2"],
)
def test_a_range_run_that_fails_leaves_the_model_usable(ranges, function):
    """The same call works again."""
    ranges(numbers(1, 2))
    x = numbers(6, 300)
    with aclrt.fake.fault(function=function, code=207001), pytest.raises(aclrt.AclError):
        ranges(x)
    np.testing.assert_array_equal(-x, ranges(x)[0])


def test_range_outputs_go_into_the_callers_arrays(ranges):
    """Their shape is judged by the real one."""
    x, buffer = numbers(2, 3), np.empty((2, 3), np.float32)
    y = ranges(x, out={"y": buffer})
    assert y["y"] is buffer
    np.testing.assert_array_equal(-x, buffer)
    with pytest.raises(aclrt.InputError, match=r"is \(2, 3\) in this run"):
        ranges(x, out={"y": np.empty((3, 2), np.float32)})


def test_a_batch_over_the_range_is_split(load):
    """The greatest batch of the range is the largest part."""
    onnx = make([("Neg", ["x"], ["y"])], [value("x", ["N", "L"])], [value("y", ["N", "L"])])
    model = load(onnx, input_shape_range={"x": ((1, 6), (1, -1))})
    x = numbers(15, 2)
    np.testing.assert_array_equal(-x, model(x, split=True)[0])
    with pytest.raises(aclrt.InputError, match="1 to 6"):
        model(x)


def test_threads_with_different_shapes_get_their_own_results(ranges):
    """A range model, too, runs one call at a time."""
    wrong = []

    def work(length):
        for number in range(40):
            x = numbers(3, length) * number
            if not np.array_equal(-x, ranges(x)[0]):
                wrong.append((length, number))

    threads = [threading.Thread(target=work, args=(length,)) for length in (2, 70, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == wrong
