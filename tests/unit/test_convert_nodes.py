# SPDX-License-Identifier: Apache-2.0
"""`aclrt.convert` with `out_nodes`, `output_type` and `input_fp16_nodes`: the model changed at its
edges, with true results."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from om_bytes import partitions
from onnx import TensorProto, helper, numpy_helper

import aclrt
from aclrt.om import _edit

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def value(name, dims, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, dims)


def make(nodes, inputs, outputs, constants=(), *, ir=8):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(constants))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir)


def node(kind, inputs, outputs, name="", **attributes):
    return helper.make_node(kind, inputs, outputs, name=name, **attributes)


def chain(*, ir=8):
    """x (N, 3) -> scaled = x * w; two = halves of it; y = -scaled; flag = y > 0."""
    return make(
        [
            node("Mul", ["x", "w"], ["scaled"], "scale"),
            node("Split", ["scaled"], ["left", "right"], "net/cut:1", axis=1),
            node("Neg", ["scaled"], ["y"], "negate"),
            node("Add", ["y", "bias"], ["z"]),
            node("Greater", ["y", "zero"], ["flag"], "positive"),
        ],
        [value("x", ["N", 4]), *([value("bias", [4])] if ir < 4 else [])],
        [value("y", ["N", 4]), value("z", ["N", 4]), value("flag", ["N", 4], BOOL)],
        [
            numpy_helper.from_array(np.float32([1, 2, 3, 4]), "w"),
            numpy_helper.from_array(np.float32([9, 9, 9, 9]), "bias"),
            numpy_helper.from_array(np.float32(0), "zero"),
        ],
        ir=ir,
    )


X = np.float32([[1, -2, 300, 0.7]])


@pytest.fixture
def converted(tmp_path):
    """Converts; gives what inspect says, the body, and what the body computes."""

    def run(model, feeds=None, **options):
        path = aclrt.convert(model, tmp_path / "m", **options)
        info = aclrt.inspect(path)
        assert () == info.disagreements
        body = partitions(path.read_bytes())["body"][24:]
        session = onnxruntime.InferenceSession(body)
        assert [t.name for t in info.outputs] == [t.name for t in session.get_outputs()]
        outputs = session.run(None, feeds or {})
        assert [(t.shape, t.dtype) for t in info.outputs] == [(o.shape, o.dtype) for o in outputs]
        return info, onnx.load_model_from_string(body), outputs

    return run


@pytest.fixture
def refused(tmp_path):
    """Converts, expects the error and no file; gives the error's text."""

    def check(model, error=aclrt.InputError, **options):
        options.setdefault("input_shape", "x:1,4")
        with pytest.raises(error) as caught:
            aclrt.convert(model, tmp_path / "out.om", **options)
        assert [] == list(tmp_path.iterdir())
        return str(caught.value)

    return check


# ---- out_nodes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    ["net/cut:1:1;scale:0", ["right", "scaled"], ("net/cut:1:1", "scaled"), "right;scaled;"],
)
def test_out_nodes(names, converted):
    """Nodes with an index or tensors, in the order given, whether they were outputs or not."""
    info, body, (right, scaled) = converted(chain(), {"x": X}, input_shape="x:1,4", out_nodes=names)
    assert ["net/cut_1:1:right", "scale:0:scaled"] == [t.acl_name for t in info.outputs]
    assert [[900, np.float32(0.7) * 4]] == right.tolist()
    assert [[1, -4, 900, np.float32(0.7) * 4]] == scaled.tolist()
    assert ["Mul", "Split"] == [node.op_type for node in body.graph.node]
    assert ["w"] == [tensor.name for tensor in body.graph.initializer]


@pytest.mark.parametrize("ir", [3, 8])
def test_unneeded_constants_are_dropped(ir, converted):
    """Also where they are listed as inputs, which they must not become."""
    model = chain(ir=ir)
    if ir < 4:
        model.graph.input.extend([value("w", [4]), value("zero", [])])
    info, body, _ = converted(model, {"x": X}, input_shape="x:1,4", out_nodes="negate:0")
    assert ["x"] == [tensor.name for tensor in info.inputs]
    assert ["w"] == [tensor.name for tensor in body.graph.initializer]


def test_out_nodes_under_gears(converted):
    """The dims of what was an inner tensor, for every gear."""
    info, _, _ = converted(
        chain(), {"x": X}, input_shape="x:1,4", out_nodes="scale:0", output_type="FP16"
    )
    assert (1, 4) == info.outputs[0].shape


def test_gears_of_an_inner_tensor(tmp_path):
    """The same with gears."""
    path = aclrt.convert(chain(), tmp_path / "m", dynamic_batch_size="1,8", out_nodes="net/cut:1:0")
    info = aclrt.inspect(path)
    assert [(1, 2), (8, 2)] == [item.shape for item in info.output_shapes]


def test_node_before_a_tensor_of_that_name(converted):
    """ "a:0" is the node a where there is one, and else the tensor."""
    model = make(
        [node("Neg", ["x"], ["b"], "a"), node("Relu", ["x"], ["a:0"]), node("Abs", ["x"], ["c:0"])],
        [value("x", [2])],
        [value("b", [2]), value("a:0", [2]), value("c:0", [2])],
    )
    feeds = {"x": np.float32([1, -2])}
    info, _, outputs = converted(model, feeds, out_nodes="a:0;c:0")
    assert ["b", "c:0"] == [tensor.name for tensor in info.outputs]
    assert [[-1, 2], [1, 2]] == [output.tolist() for output in outputs]


def test_out_node_inside_which_names_are_used(converted):
    """What a subgraph takes from around it stays."""
    then = helper.make_graph([node("Neg", ["doubled"], ["t"])], "then", [], [value("t", None)])
    other = helper.make_graph([node("Abs", ["doubled"], ["e"])], "else", [], [value("e", None)])
    model = make(
        [
            node("Add", ["x", "x"], ["doubled"]),
            node("If", ["choice"], ["y"], "choose", then_branch=then, else_branch=other),
            node("Relu", ["y"], ["last"]),
        ],
        [value("x", [2]), value("choice", [], BOOL)],
        [value("last", [2])],
    )
    feeds = {"x": np.float32([1, -2]), "choice": np.array(True)}
    _, body, (y,) = converted(model, feeds, out_nodes="choose:0")
    assert [-2, 4] == y.tolist()
    assert ["Add", "If"] == [node.op_type for node in body.graph.node]


def test_weights_in_other_files(tmp_path):
    """Only those that are needed get into the file, and each finds its own."""
    constants = [
        numpy_helper.from_array(np.full((64, 64), number, np.float32), f"w{number}")
        for number in range(3)
    ]
    model = make(
        [
            node("Mul", ["x", "w0"], ["a"], "a"),
            node("Add", ["x", "w2"], ["b"], "b"),
            node("Add", ["a", "w1"], ["y"]),
        ],
        [value("x", ["N", 1])],
        [value("y", None), value("b", None)],
        constants,
    )
    onnx.save(
        model, tmp_path / "m.onnx", save_as_external_data=True, location="w", size_threshold=0
    )
    whole = aclrt.convert(tmp_path / "m.onnx", tmp_path / "whole", input_shape="x:64,1")
    size = whole.stat().st_size
    path = aclrt.convert(tmp_path / "m.onnx", tmp_path / "m", input_shape="x:64,1", out_nodes="b:0")
    assert -2 * 64 * 64 * 4 == path.stat().st_size - size
    with aclrt.OfflineModel(path) as loaded:
        assert np.all(loaded(np.ones((64, 1), np.float32))[0] == 3)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ("nowhere:0", "the model has no node output or tensor 'nowhere:0'"),
        ("scale:1", "the node 'scale' has 1 outputs, given index 1"),
        ("scale:0;scaled", "out_nodes: 'scaled' is given twice"),
        ("scale", "no node output or tensor 'scale'"),
        ("", "expected names with ';' between them, given ''"),
        (";", "expected names"),
        ([], "expected names"),
        (["scale:0", 3], "expected names, given 3"),
        (3, "expected a text or a sequence of names, given int"),
        ({"scale:0": 1}, "expected a text or a sequence of names, given dict"),
    ],
)
def test_out_nodes_that_are_not_there(names, text, refused):
    """The error says how they are named."""
    assert text in refused(chain(), out_nodes=names)


def test_type_of_an_out_node_that_is_unknown(refused):
    """Nothing tells it: the operator is outside ONNX, and the graph is silent."""
    model = make(
        [
            node("Gelu", ["x"], ["inner"], "inner", domain="com.microsoft"),
            node("Relu", ["inner"], ["y"]),
        ],
        [value("x", [1, 4])],
        [value("y", [1, 4])],
    )
    message = refused(model, aclrt.ModelFormatError, out_nodes="inner:0")
    assert "the element type of 'inner' cannot be told" in message


# ---- output_type -------------------------------------------------------------------------------

DTYPES = {"FP32": np.float32, "FP16": np.float16, "UINT8": np.uint8, "INT8": np.int8}
VALUES = {
    "FP32": [-1, 4, -900],
    "FP16": [-1, 4, -900],
    "UINT8": [0, 4, 0],
    "INT8": [-1, 4, -128],
}


@pytest.mark.parametrize("name", DTYPES)
def test_one_type_for_all_outputs(name, converted):
    """Names stay those of the model's nodes; what does not fit becomes the nearest value."""
    info, _, (y, z, flag) = converted(chain(), {"x": X}, input_shape="x:1,4", output_type=name)
    assert ["negate:0:y", "Add:0:z", "positive:0:flag"] == [t.acl_name for t in info.outputs]
    assert [np.dtype(DTYPES[name])] * 3 == [y.dtype, z.dtype, flag.dtype]
    assert VALUES[name] == y[0, :3].tolist()
    assert [0, 1, 0, 0] == flag[0].tolist()
    assert f"--output_type={name}" in info.command_line


@pytest.mark.parametrize(
    "options",
    [
        {"output_type": {"y": "FP16"}},
        {"output_type": {"negate:0": "FP16"}},
        {"output_type": "negate:0:FP16", "out_nodes": "negate:0;z;flag"},
        {"output_type": "y:FP16", "out_nodes": ["y", "z", "flag"]},
    ],
)
def test_type_of_one_output(options, converted):
    """The others keep theirs, and what reads the tensor inside still gets the old type."""
    _, _, (y, z, flag) = converted(chain(), {"x": X}, input_shape="x:1,4", **options)
    assert (np.float16, np.float32, np.bool_) == (y.dtype, z.dtype, flag.dtype)
    assert [8, 13, -891] == z[0, :3].tolist()


@pytest.mark.parametrize(("choice", "expected"), [(True, [6.25, 4]), (False, [2.5, 2])])
def test_output_that_subgraphs_read(choice, expected, converted):
    """They read the value before the cast, one of them in a subgraph of its own."""
    inner = helper.make_graph([node("Abs", ["y"], ["i"])], "inner", [], [value("i", None)])
    nested = node("If", ["choice"], ["e"], then_branch=inner, else_branch=inner)
    branches = [
        helper.make_graph([node("Mul", ["y", "y"], ["t"])], "then", [], [value("t", None)]),
        helper.make_graph([nested], "else", [], [value("e", None)]),
    ]
    model = make(
        [
            node("Neg", ["x"], ["y"]),
            node("If", ["choice"], ["z"], then_branch=branches[0], else_branch=branches[1]),
        ],
        [value("x", [2]), value("choice", [], BOOL)],
        [value("y", [2]), value("z", [2])],
    )
    feeds = {"x": np.float32([2.5, -2]), "choice": np.array(choice)}
    _, _, (y, z) = converted(model, feeds, output_type={"y": "INT8"})
    assert ([-2, 2], expected) == (y.tolist(), z.tolist())


def test_subgraph_with_a_tensor_of_the_same_name():
    """Its own stays what it was."""
    inner = helper.make_graph(
        [node("Abs", ["x"], ["y"]), node("Neg", ["y"], ["i"])], "inner", [], [value("i", None)]
    )
    model = make(
        [
            node("Neg", ["x"], ["y"]),
            node("If", ["choice"], ["z"], then_branch=inner, else_branch=inner),
        ],
        [value("x", [2]), value("choice", [], BOOL)],
        [value("y", [2]), value("z", [2])],
    )
    _edit.cast_outputs(model, {"y": TensorProto.FLOAT16})
    assert ["y_aclrt"] == model.graph.node[0].output
    assert inner == model.graph.node[1].attribute[0].g


def test_integers_that_do_not_fit(converted):
    """Any type is cut at the ends of a small one."""
    model = make([node("Neg", ["x"], ["y"])], [value("x", [4], INT64)], [value("y", [4], INT64)])
    feeds = {"x": np.array([-300, -255, 1, 7])}
    assert [255, 255, 0, 0] == converted(model, feeds, output_type="UINT8")[2][0].tolist()
    assert [127, 127, -1, -7] == converted(model, feeds, output_type="INT8")[2][0].tolist()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"output_type": "FP64"}, "expected FP32, FP16, UINT8, INT8, given 'FP64'"),
        ({"output_type": "fp16"}, "given 'fp16'"),
        ({"output_type": ""}, "given ''"),
        ({"output_type": {"y": np.float16}}, "output_type: expected FP32"),
        ({"output_type": {1: "FP16"}}, "expected names of outputs, given 1"),
        ({"output_type": 3}, "expected a text or a mapping, given int"),
        ({"output_type": {"scaled": "FP16"}}, "'scaled' is not an output of the model"),
        ({"output_type": {"nowhere": "FP16"}}, "no node output or tensor 'nowhere'"),
        ({"output_type": {"y": "FP16", "negate:0": "FP32"}}, "two types are given for"),
        ({"output_type": "negate:0:FP16"}, "'negate:0' is not one of out_nodes"),
        (
            {"output_type": "negate:0:FP16;negate:0:FP32", "out_nodes": "negate:0"},
            "'negate:0' is given twice",
        ),
        ({"output_type": ":FP16", "out_nodes": "negate:0"}, 'expected "node:index:type"'),
    ],
)
def test_types_that_do_not_fit(options, text, refused):
    """The error says what is allowed."""
    assert text in refused(chain(), **options)


def test_type_of_an_output_that_nothing_computes(refused):
    """An input passed through keeps its type."""
    x = value("x", [1, 4])
    model = make([node("Relu", ["x"], ["y"])], [x], [x, value("y", [1, 4])])
    assert "'x' is an input or a constant" in refused(model, output_type="FP16")
    assert "'x' is an output of the model as well" in refused(model, input_fp16_nodes="x")


# ---- input_fp16_nodes --------------------------------------------------------------------------


@pytest.mark.parametrize("names", ["x", "x;", ["x", "x"]])
def test_float16_inputs(names, converted):
    """They are fed as float16; the model still computes in float32."""
    info, _, (y, *_) = converted(
        chain(), {"x": X.astype(np.float16)}, input_shape="x:1,4", input_fp16_nodes=names
    )
    (x,) = info.inputs
    assert (np.float16, 8) == (x.dtype, x.nbytes)
    assert [-1, 4, -900, -4 * np.float32(np.float16(0.7))] == y[0].tolist()


def test_input_that_is_float16_already(converted):
    """Nothing is to be done."""
    half = TensorProto.FLOAT16
    model = make([node("Neg", ["x"], ["y"])], [value("x", [2], half)], [value("y", [2], half)])
    _, body, _ = converted(model, {"x": np.float16([1, 2])}, input_fp16_nodes="x")
    assert ["Neg"] == [node.op_type for node in body.graph.node]


def test_stated_inner_tensors(converted):
    """What a graph says of inner tensors moves along with them, and goes with them."""
    model = chain()
    model.graph.value_info.extend([value("scaled", ["N", 4]), value("left", ["N", 2])])
    _, body, _ = converted(
        model, {"x": X}, input_shape="x:1,4", out_nodes="negate:0;scale:0", output_type="FP16"
    )
    names = [item.name for item in body.graph.value_info]
    assert ["scaled_aclrt"] == names


def test_names_that_are_taken(converted):
    """New tensors do not meet the model's own."""
    model = make(
        [node("Neg", ["x"], ["x_aclrt"]), node("Add", ["x", "x_aclrt"], ["y"], "y_aclrt_cast")],
        [value("x", [2])],
        [value("y", [2])],
    )
    options = {"input_fp16_nodes": "x", "output_type": "INT8"}
    _, _, (y,) = converted(model, {"x": np.float16([1, 2])}, **options)
    assert [0, 0] == y.tolist()


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ("nowhere", "the model has no input 'nowhere'"),
        ("bias", "the model has no input 'bias'"),
        ("x;;x", "expected names with ';' between them"),
        ("ids", "expected inputs of float32, given 'ids' of int64"),
    ],
)
def test_inputs_that_cannot_be_float16(names, text, refused):
    """Not there, a constant, or no float."""
    model = chain(ir=3)
    model.graph.input.extend([value("w", [4]), value("zero", []), value("ids", [1], INT64)])
    assert text in refused(model, input_fp16_nodes=names)
