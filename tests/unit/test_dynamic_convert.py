# SPDX-License-Identifier: Apache-2.0
"""`aclrt.convert` with gears and shape ranges: what the file then says, and what is refused."""

from __future__ import annotations

import struct

import numpy as np
import onnx
import onnxruntime
import pytest
from om_bytes import HEADER, attrs, fields, groups, packed, partitions, records, tensors
from onnx import helper
from onnx_graphs import INT64, clip, image, make, value

import aclrt

GEARS = "ascend_mbatch_shape_data"
CASE = "ascend_mbatch_shape_case"


@pytest.fixture
def convert(tmp_path):
    """Converts; gives the path."""

    def run(model, **options):
        path = aclrt.convert(model, tmp_path / "m", **options)
        info = aclrt.inspect(path)
        assert ("both", (), "") == (info.io_source, info.disagreements, info.io_problem)
        return path

    return run


@pytest.fixture
def converted(convert):
    """Converts and inspects."""
    return lambda model, **options: aclrt.inspect(convert(model, **options))


@pytest.fixture
def refused(tmp_path):
    """Converts, expects the error and no file; gives the error's text."""

    def check(error, model, **options):
        with pytest.raises(error) as caught:
            aclrt.convert(model, tmp_path / "out.om", **options)
        assert [] == list(tmp_path.glob("*.om")) + list(tmp_path.glob(".*"))
        return str(caught.value)

    return check


def rows(tensors):
    return [(tensor.name, tensor.shape, tensor.nbytes, tensor.format) for tensor in tensors]


def body(path):
    return onnx.load_model_from_string(partitions(path.read_bytes())["body"][24:])


# ---- gears -------------------------------------------------------------------------------------


def test_batch_sizes(converted):
    """Sizes are the largest gear's, dims have -1, and outputs have dims under every gear."""
    info = converted(image(), input_shape="x:-1,3,4,5", dynamic_batch_size="1,8,4")
    assert ("batch", ((1,), (8,), (4,)), ("x",)) == (info.dynamic, info.gears, info.gear_order)
    assert [("x", (-1, 3, 4, 5), 8 * 240, "NCHW")] == rows(info.inputs)
    assert [
        ("y", (8, 3, 4, 5), 8 * 240, "NCHW"),
        ("mean", (8, 3, 1, 1), 96, "NCHW"),
    ] == rows(info.outputs)
    assert {"x": (4, 3, 4, 5), "y": (4, 3, 4, 5), "mean": (4, 3, 1, 1)} == info.gear_shapes(2)
    assert not info.unknown_shape
    total = 8 * 240 * 2 + 96 + 4  # with the four bytes of the gear
    assert -(-total // 512) * 512 == info.work_size == info.zero_copy_size


def test_image_sizes(converted):
    """Height and width; an output may be as large under all gears."""
    info = converted(image(), input_shape="x:2,3,-1,-1", dynamic_image_size="8,8;16,4;2,3")
    assert ("image", ((8, 8), (16, 4), (2, 3))) == (info.dynamic, info.gears)
    assert [("x", (2, 3, -1, -1), 4 * 6 * 64, "NCHW")] == rows(info.inputs)
    assert [(2, 3, 8, 8), (2, 3, 1, 1)] == [tensor.shape for tensor in info.outputs]
    assert {"x": (2, 3, 2, 3), "y": (2, 3, 2, 3), "mean": (2, 3, 1, 1)} == info.gear_shapes(2)


def test_dims(converted):
    """A value for every -1, in the order of input_shape, which need not be the model's; each
    tensor has the size of the gear that is largest for it."""
    info = converted(
        clip(),
        input_shape={"pixels": (-1, 3), "input_ids": (-1, -1)},
        dynamic_dims="9,1,4;2,4,8",
    )
    assert ("dims", ("pixels", "input_ids")) == (info.dynamic, info.gear_order)
    assert ((9, 1, 4), (2, 4, 8)) == info.gears
    assert [
        ("input_ids", (-1, -1), 8 * 32, "ND"),
        ("pixels", (-1, 3), 4 * 27, "ND"),
    ] == rows(info.inputs)
    assert {"input_ids": (1, 4), "pixels": (9, 3), "ids": (1, 4), "colours": (9, 3)} == (
        info.gear_shapes(0)
    )
    assert {"input_ids": (4, 8), "pixels": (2, 3), "ids": (4, 8), "colours": (2, 3)} == (
        info.gear_shapes(1)
    )


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ({"dynamic_batch_size": " 1, 8,4,"}, {"dynamic_batch_size": (1, np.int64(8), 4)}),
        (
            {"dynamic_image_size": "4,4; 8,8;"},
            {"dynamic_image_size": [(4, 4), np.array([8, 8])]},
        ),
        ({"dynamic_dims": "1,4,4;2,8,8;"}, {"dynamic_dims": ([1, 4, 4], (2, 8, 8))}),
    ],
)
def test_texts_and_values_say_the_same(text, values, convert):
    """The files are the same to the byte, and ATC's separator at the end is no gear."""
    (name,) = text
    shape = {"dynamic_batch_size": "x:-1,3,4,4", "dynamic_image_size": "x:1,3,-1,-1"}.get(
        name, "x:-1,3,-1,-1"
    )
    first = convert(image(), input_shape=shape, **text).read_bytes()
    assert first == convert(image(), input_shape=shape, **values).read_bytes()


def test_static_inputs_beside_dynamic_ones(converted):
    """They keep their dims, and are counted in the order."""
    model = make(
        [("Relu", ["x"], ["y"]), ("Neg", ["k"], ["z"])],
        [value("k", [5]), value("x", ["N", 2])],
        [value("y", None), value("z", None)],
    )
    info = converted(model, input_shape="x:-1,2", dynamic_batch_size="1,2")
    assert ("x", "k") == info.gear_order
    assert [(5,), (-1, 2)] == [tensor.shape for tensor in info.inputs]
    assert {"k": (5,), "x": (2, 2), "y": (2, 2), "z": (5,)} == info.gear_shapes(1)


def test_dims_that_are_open_in_the_model_are_dynamic(converted):
    """With gears nothing need be stated twice: what nobody bound is filled in by them."""
    info = converted(image(), dynamic_dims="1,2,3;4,5,6")
    assert (-1, 3, -1, -1) == info.inputs[0].shape
    assert (4, 3, 5, 6) == info.outputs[0].shape
    part = converted(image(), input_shape="x:2,3,-1,4", dynamic_dims="3;5")
    assert ((2, 3, -1, 4), (2, 3, 5, 4)) == (part.inputs[0].shape, part.outputs[0].shape)


def test_a_symbol_stated_at_one_input_holds_at_the_other(converted):
    """As for static shapes: -1 and numbers alike."""
    model = make(
        [("Add", ["a", "b"], ["sum"])],
        [value("a", ["N", "K"]), value("b", ["N", "K"])],
        [value("sum", ["N", "K"])],
    )
    info = converted(model, input_shape="a:-1,3", dynamic_batch_size="2,6")
    assert [(-1, 3), (-1, 3)] == [tensor.shape for tensor in info.inputs]
    assert (6, 3) == info.outputs[0].shape


def test_the_body_has_symbols(convert):
    """The model's own, or new ones where it has none; what is bound is a number."""
    model = make(
        [("Relu", ["x"], ["y"]), ("Relu", ["u"], ["v"])],
        [value("x", ["N", None, "K"]), value("u", [None, "x_dim_1"])],
        [value("y", ["N", None, "K"]), value("v", None)],
    )
    path = convert(model, input_shape="x:-1,-1,7;u:2,-1", dynamic_dims="1,2,3;4,5,6")
    session = onnxruntime.InferenceSession(body(path).SerializeToString())
    x, u = session.get_inputs()
    assert ["N", "x_dim_1_1", 7] == x.shape
    assert [2, "x_dim_1"] == u.shape
    assert 7 == session.get_outputs()[0].shape[2]
    for n, t, k in ((1, 2, 3), (4, 5, 6)):
        feeds = {"x": np.ones((n, t, 7), np.float32), "u": np.ones((2, k), np.float32)}
        assert [(n, t, 7), (2, k)] == [out.shape for out in session.run(None, feeds)]


# ---- the bytes ---------------------------------------------------------------------------------


@pytest.fixture
def parts(convert):
    path = convert(
        clip(),
        input_shape={"pixels": (-1, 3), "input_ids": (-1, 7)},
        dynamic_dims=((1, 2), (4, 1)),
    )
    return partitions(path.read_bytes())


def test_inout_info_of_gears(parts):
    """Records 0, 1, 4, 5 and 6; the internal input is the last."""
    found = records(parts["inout"])
    assert [0, 1, 4, 5, 6] == list(found)
    ids, pixels, gear = tensors(found[0])
    assert {
        "name": "input_ids",
        "size": 8 * 14,
        "format": 2,
        "dtype": 9,
        "dims": [-1, 7],
        "dims_v2": [-1, 7],
        "range": [],
    } == ids
    assert ([-1, 3], 4 * 12) == (pixels["dims"], pixels["size"])
    assert {
        "name": GEARS,
        "size": 8,
        "format": 2,
        "dtype": 3,
        "dims": [2],
        "dims_v2": [2],
        "range": [],
    } == gear
    assert [[2, 7], [4, 3]] == [tensor["dims"] for tensor in tensors(found[1])]
    assert [[1, 2], [4, 1]] == groups(found[4], 8)
    assert ["0,0,2,7", "0,1,1,3", "1,0,1,7", "1,1,4,3"] == groups(found[5], 1)
    assert ["pixels", "input_ids"] == groups(found[6], 1)


@pytest.mark.parametrize(
    ("options", "kind", "raw"),
    [
        (
            {"input_shape": "x:-1,3,2,2", "dynamic_batch_size": "4,1"},
            2,
            struct.pack("<IQQ", 2, 4, 1),
        ),
        (
            {"input_shape": "x:1,3,-1,-1", "dynamic_image_size": "4,5;6,7"},
            3,
            struct.pack("<III4Q", 2, 2, 2, 4, 5, 6, 7),
        ),
    ],
)
def test_gear_records(options, kind, raw, convert):
    """Batches are numbers alone; image sizes have lengths before them."""
    found = records(partitions(convert(image(), **options).read_bytes())["inout"])
    assert [0, 1, kind, 5, 6] == list(found)
    assert raw == found[kind]


def test_graph_of_gears(parts):
    """Data, Data, Data of the gear, Case, NetOutput, with the compiler's attributes."""
    (graph,) = fields(parts["model_def"])[7]
    graph = fields(graph)
    ops = [fields(op) for op in graph[6]]
    assert ["Data", "Data", "Data", "Case", "NetOutput"] == [op[2][0].decode() for op in ops]
    assert [f"{CASE}:0".encode(), f"{CASE}:1".encode()] == graph[5]
    ids, _, gear, case, output = (attrs(op[10]) for op in ops)
    assert {
        "index": 0,
        "_mbatch_origin_input_dims": [-1, 7],
        "_all_origin_gears_inputs": [
            "ND:DT_INT64:input_ids:112:2:2,7",
            "ND:DT_INT64:input_ids:56:2:1,7",
        ],
    } == ids
    assert {"index": 2, "_is_multi_batch_shape_data": True, "mbatch-inserted-node": True} == gear
    assert {
        "_batch_num": 2,
        "_pred_value_0": [1, 2],
        "_pred_value_1": [4, 1],
        "mbatch_dynamic_type": 3,
        "user_designate_shape_order": ["pixels", "input_ids"],
    } == case
    assert {"_dynamic_output_dims": ["0,0,2,7", "0,1,1,3", "1,0,1,7", "1,1,4,3"]} == output
    assert [f"{GEARS}:0".encode(), b"input_ids:0", b"pixels:0"] == ops[3][5]
    (desc,) = ops[0][33]
    desc = fields(desc)
    assert ([2, 7], [112]) == (packed(fields(desc[3][0])[1][0]), desc[10])


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ({"input_shape": "x:-1,3,2,2", "dynamic_batch_size": "4,1"}, 1),
        ({"input_shape": "x:1,3,-1,-1", "dynamic_image_size": "4,5;6,7"}, 2),
    ],
)
def test_kind_of_gears(options, number, convert):
    """It stands on the Case node as a number."""
    (graph,) = fields(partitions(convert(image(), **options).read_bytes())["model_def"])[7]
    case = fields(fields(graph)[6][2])
    assert number == attrs(case[10])["mbatch_dynamic_type"]


def test_bytes_of_a_shape_range(convert):
    """The header is marked; ranges stand in both places, sizes are 0."""
    om = convert(clip(), input_shape="input_ids:1~4,-1;pixels:2,3").read_bytes()
    assert (0, 1, 0) == (om[0xC0], om[0xC1], om[0xC2])
    parts = partitions(om)
    found = records(parts["inout"])
    assert [0, 1] == list(found)
    ids, pixels = tensors(found[0])
    assert ([-1, -1], 0, [(1, 4), (0, -1)]) == (ids["dims"], ids["size"], ids["range"])
    assert ([2, 3], 24, []) == (pixels["dims"], pixels["size"], pixels["range"])
    (graph,) = fields(parts["model_def"])[7]
    data = fields(fields(graph)[6][0])
    desc = fields(data[33][0])
    assert [[1, 4], [0, -1]] == attrs(desc[5])["shape_range"]
    assert ([0], [-1, -1]) == (desc[10], packed(fields(desc[3][0])[1][0]))


def test_header_of_gears(convert):
    """Gears are static shapes to the container."""
    om = convert(image(), dynamic_dims="1,2,3;4,5,6").read_bytes()
    assert bytes(64) == om[0xC0:HEADER]


# ---- ranges ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"input_shape": "input_ids:1~4,-1;pixels:2,3"},
        {"input_shape": "1~4,-1;2,3"},
        {"input_shape": {"input_ids": ((1, 4), -1), "pixels": (2, 3)}},
        {"input_shape_range": "input_ids:[1~4,-1];pixels:[2,3]"},
        {"input_shape_range": "[1~4,-1],[2,3]"},
        {"input_shape_range": {"input_ids": [(1, 4), -1], "pixels": [2, (3, 3)]}},
    ],
)
def test_shape_range(options, converted):
    """Names or positions, the new argument or the old one."""
    info = converted(clip(), **options)
    assert ("range", (), True) == (info.dynamic, info.gears, info.unknown_shape)
    ids, pixels = info.inputs
    assert ((-1, -1), ((1, 4), (0, -1)), 0) == (ids.shape, ids.range, ids.nbytes)
    assert ((2, 3), (), 24) == (pixels.shape, pixels.range, pixels.nbytes)
    assert [("ids", (-1, -1), 0, "ND"), ("colours", (2, 3), 24, "ND")] == rows(info.outputs)
    assert 0 == info.work_size


def test_range_that_a_model_propagates(converted):
    """Dims that do not depend on the open ones are numbers."""
    info = converted(image(), input_shape="x:-1,3,8~64,8")
    assert [(-1, 3, -1, 8), (-1, 3, 1, 1)] == [tensor.shape for tensor in info.outputs]


def test_range_where_onnx_cannot_infer(converted):
    """The number of dims comes from a run; none of them is taken for fixed."""
    model = make(
        [helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft")],
        [value("x", ["N", 4])],
        [value("y", None)],
    )
    assert (-1, -1) == converted(model, input_shape="x:2~8,4").outputs[0].shape
    model = make(
        [("MeanVarianceNormalization", ["x"], ["y"])],
        [value("x", ["N", 3, 4, 5])],
        [value("y", None)],
    )
    assert (-1, -1, -1, -1) == converted(model, input_shape="x:-1,3,4,5").outputs[0].shape


def test_range_that_onnx_infers_wrongly(converted):
    """onnx 1.23 counts with an open dim as with 0: its answer is compared with one for numbers."""
    model = make(
        [helper.make_node("Attention", ["q", "k", "v"], ["y"], q_num_heads=3, kv_num_heads=3)],
        [value(name, [None, None, None]) for name in "qkv"],
        [value("y", None)],
    )
    model.opset_import[0].version = 23
    model.ir_version = 10
    info = converted(model, input_shape="-1,4,-1;-1,4,-1;-1,4,-1")
    assert (-1, 4, -1) == info.outputs[0].shape


def test_outputs_of_a_range_may_depend_on_the_data(converted):
    """Their dims are read back after each run anyway."""
    model = make([("NonZero", ["x"], ["y"])], [value("x", ["N"])], [value("y", None, INT64)])
    assert (1, -1) == converted(model, input_shape="x:-1").outputs[0].shape


# ---- outputs under gears -----------------------------------------------------------------------


def test_output_dims_from_runs_under_every_gear(converted):
    """An operator outside ONNX: ONNX Runtime is asked for each gear."""
    model = make(
        [helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft")],
        [value("x", ["N", 3])],
        [value("y", ["rows", "columns"])],
    )
    info = converted(model, input_shape="x:-1,3", dynamic_batch_size="2,5,1")
    assert [(2, 3), (5, 3), (1, 3)] == [item.shape for item in info.output_shapes]


def test_output_dims_where_onnx_is_wrong_under_every_gear(converted):
    """onnx 1.23 takes the body of this function for wrong."""
    model = make(
        [("MeanVarianceNormalization", ["x"], ["y"])],
        [value("x", ["N", 3, "H", "W"])],
        [value("y", ["N", 3, "H", "W"])],
    )
    info = converted(model, input_shape="x:2,3,-1,-1", dynamic_image_size="4,4;2,8")
    assert [(2, 3, 4, 4), (2, 3, 2, 8)] == [item.shape for item in info.output_shapes]


def test_shapes_that_a_model_computes(converted):
    """Flattening by Shape, Gather and Reshape, with weights that inference never sees."""
    weights = np.arange(64 * 1024, dtype=np.float32).reshape(64, 1024)
    constants = [
        onnx.numpy_helper.from_array(np.array(0), "zero"),
        onnx.numpy_helper.from_array(np.array([64]), "columns"),
        onnx.numpy_helper.from_array(np.array([0]), "axes"),
        onnx.numpy_helper.from_array(weights, "weights"),
    ]
    model = make(
        [
            ("Shape", ["x"], ["shape"]),
            helper.make_node("Gather", ["shape", "zero"], ["n"], axis=0),
            ("Unsqueeze", ["n", "axes"], ["rows"]),
            helper.make_node("Concat", ["rows", "columns"], ["flat"], axis=0),
            ("Reshape", ["x", "flat"], ["xs"]),
            ("MatMul", ["xs", "weights"], ["y"]),
        ],
        [value("x", ["N", 4, 4, 4])],
        [value("y", None)],
        constants,
    )
    info = converted(model, input_shape="x:-1,4,4,4", dynamic_batch_size="1,16")
    assert [(1, 1024), (16, 1024)] == [item.shape for item in info.output_shapes]


@pytest.mark.parametrize("length", [2048, 200_000])
def test_constants_in_other_files(length, converted, tmp_path):
    """Inference does without their values, also where it looks for those of shapes."""
    model = make(
        [
            helper.make_node("Gather", ["table", "places"], ["picked"], axis=0),
            ("Add", ["x", "picked"], ["y"]),
        ],
        [value("x", ["N", 2], INT64)],
        [value("y", None, INT64)],
        [
            onnx.numpy_helper.from_array(np.arange(length), "table"),
            onnx.numpy_helper.from_array(np.array([0, 5]), "places"),
        ],
    )
    onnx.save(model, tmp_path / "t.onnx", save_as_external_data=True, location="t.data")
    path = tmp_path / "t.onnx"
    assert (-1, 2) == converted(path, input_shape="x:-1,2").outputs[0].shape
    assert (4, 2) == converted(path, dynamic_batch_size="1,4").outputs[0].shape


@pytest.mark.parametrize(
    "options", [{"dynamic_batch_size": "2,5"}, {"input_shape": "x:1~5,3"}], ids=["gears", "range"]
)
def test_dims_that_an_exporter_left_static(options, convert):
    """Of outputs and inner tensors, where only the input was said to be dynamic: computed anew, and
    the body does not claim them."""
    model = make(
        [("Relu", ["x"], ["inner"]), ("Neg", ["inner"], ["y"])],
        [value("x", ["N", 3])],
        [value("y", [1, 3])],
    )
    model.graph.value_info.append(value("inner", [1, 3]))
    path = convert(model, **options)
    (y,) = aclrt.inspect(path).outputs
    assert ((5, 3) if "dynamic_batch_size" in options else (-1, 3)) == y.shape
    graph = body(path).graph
    for item in (*graph.output, *graph.value_info):
        assert not any(dim.HasField("dim_value") for dim in item.type.tensor_type.shape.dim)


def test_outputs_that_no_node_makes(converted):
    """An input passed on, and a constant."""
    x = value("x", ["N", 2])
    model = make(
        [("Relu", ["x"], ["y"])],
        [x],
        [value("y", None), x, value("c", [3])],
        [onnx.numpy_helper.from_array(np.arange(3, dtype=np.float32), "c")],
    )
    info = converted(model, dynamic_batch_size="2,4")
    assert {"x": (4, 2), "y": (4, 2), "c": (3,)} == info.gear_shapes(1)
    info = converted(model, input_shape="x:-1,2")
    assert ["y", "x", "c"] == [tensor.name for tensor in info.outputs]
    assert [(-1, 2), (-1, 2)] == [tensor.shape for tensor in info.outputs[:2]]


@pytest.mark.parametrize("name", [GEARS, "ascend_dynamic_aipp_data_1"])
def test_names_of_internal_inputs(name, refused):
    """They are AscendCL's own: an input of that name would never be asked for."""
    model = make([("Relu", [name], ["y"])], [value(name, [1])], [value("y", [1])])
    assert f"{name!r} is a name of AscendCL's own inputs" in refused(aclrt.ModelFormatError, model)


def test_output_dims_that_depend_on_the_data(refused):
    """No gear can state them."""
    model = make([("Unique", ["x"], ["y"])], [value("x", ["N"])], [value("y", None)])
    message = refused(aclrt.ModelFormatError, model, dynamic_batch_size="4,8")
    assert "gear 4: output 'y' has dims that depend on the data ((1,) or (4,))" in message


def test_gear_that_the_model_does_not_take(refused):
    """The gear is named."""
    model = make(
        [("Add", ["a", "b"], ["sum"])],
        [value("a", ["N", 3]), value("b", ["M", 3])],
        [value("sum", None)],
    )
    message = refused(aclrt.ModelFormatError, model, dynamic_dims="2,2;4,3")
    assert "gear 4,3: the shapes of the ONNX model do not fit together" in message


# ---- formats -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("input_format", "expected"),
    [
        (None, ["ND", "NCHW", "ND"]),
        ("NCHW", ["ND", "NCHW", "ND"]),
        ("NCDHW", ["ND", "ND", "NCDHW"]),
        ("ND", ["ND", "ND", "ND"]),
    ],
)
def test_input_format(input_format, expected, converted):
    """It names the dims of tensors that have as many."""
    names = ["a", "b", "c"]
    model = make(
        [("Relu", [name], [f"{name}_out"]) for name in names],
        [value(name, [1] * (3 + i)) for i, name in enumerate(names)],
        [value(f"{name}_out", None) for name in names],
    )
    options = {} if input_format is None else {"input_format": input_format}
    info = converted(model, **options)
    assert expected == [tensor.format for tensor in info.inputs]
    assert expected == [tensor.format for tensor in info.outputs]
    assert (f"--input_format={input_format}" in info.command_line) == bool(options)


def test_command_line(converted):
    """In ATC's words, whatever the arguments were written as."""
    info = converted(
        clip(), input_shape={"input_ids": (-1, 7), "pixels": (2, 3)}, dynamic_dims=[[1], [4]]
    )
    assert info.command_line.endswith(
        "--framework=5 --output=m --input_shape=input_ids:-1,7;pixels:2,3 --dynamic_dims=1;4"
    )
    info = converted(clip(), input_shape={"input_ids": (-1, (1, 7)), "pixels": (2, 3)})
    assert info.command_line.endswith("--input_shape=input_ids:-1,1~7;pixels:2,3")
