# SPDX-License-Identifier: Apache-2.0
"""`aclrt.convert`: what kinds of ONNX models become files, and which are refused, and how."""

from __future__ import annotations

import os

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import aclrt

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def value(name, kind, dims):
    return helper.make_tensor_value_info(name, kind, dims)


def make(nodes, inputs, outputs, constants=(), *, ir=8):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(constants))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


@pytest.fixture
def converted(tmp_path):
    """Converts; gives what inspect says and an ONNX Runtime session over the file's body."""

    def run(model, **options):
        path = aclrt.convert(model, tmp_path / "m", **options)
        info = aclrt.inspect(path)
        (body,) = (part for part in info.partitions if part.name == "ACLRT_ONNX")
        raw = path.read_bytes()[body.offset + 24 : body.offset + body.size]
        assert info.onnx_size == len(raw)
        session = onnxruntime.InferenceSession(raw, providers=["CPUExecutionProvider"])
        assert [t.name for t in info.inputs] == [t.name for t in session.get_inputs()]
        assert [t.name for t in info.outputs] == [t.name for t in session.get_outputs()]
        assert [list(t.shape) for t in info.inputs] == [t.shape for t in session.get_inputs()]
        return info, session

    return run


@pytest.fixture
def refused(tmp_path):
    """Converts, expects ModelFormatError and no file; gives the text."""

    def check(model, **options):
        with pytest.raises(aclrt.ModelFormatError) as caught:
            aclrt.convert(model, tmp_path / "out.om", **options)
        assert not (tmp_path / "out.om").exists()
        return str(caught.value)

    return check


# ---- inputs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ir", [3, 8])
def test_constant_that_is_listed_as_an_input(ir, converted):
    """Before IR version 4 it had to be; it is not fed."""
    model = make(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        [value("x", FLOAT, ["N"]), value("w", FLOAT, [2])],
        [value("y", FLOAT, ["N"])],
        [constant("w", np.ones(2, np.float32))],
        ir=ir,
    )
    info, _ = converted(model, input_shape="x:2")
    assert ["x"] == [tensor.name for tensor in info.inputs]


def test_constant_cannot_be_shaped(tmp_path):
    """Naming it in input_shape is the caller's mistake."""
    model = make(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        [value("x", FLOAT, [2]), value("w", FLOAT, [2])],
        [value("y", FLOAT, [2])],
        [constant("w", np.ones(2, np.float32))],
        ir=3,
    )
    with pytest.raises(aclrt.InputError, match="'w' is a constant of the model"):
        aclrt.convert(model, tmp_path / "m", input_shape={"w": (2,)})


@pytest.mark.parametrize("kind", ["input", "output"])
def test_name_that_is_empty(kind, refused):
    """It could not be fed, nor asked for."""
    names = {"input": "x", "output": "y", kind: ""}
    model = make(
        [helper.make_node("Relu", [names["input"]], [names["output"]])],
        [value(names["input"], FLOAT, [1])],
        [value(names["output"], FLOAT, [1])],
    )
    assert f"has an {kind} without a name" in refused(model)


def test_unused_input_stays(converted):
    """It is part of the signature."""
    model = make(
        [helper.make_node("Relu", ["x"], ["y"])],
        [value("unused", INT64, ["N", 4]), value("x", FLOAT, [2])],
        [value("y", FLOAT, [2])],
    )
    info, _ = converted(model, input_shape="unused:3,4")
    assert [("unused", (3, 4)), ("x", (2,))] == [(t.name, t.shape) for t in info.inputs]


def test_no_inputs(converted):
    """A model of constants has none."""
    model = make(
        [helper.make_node("Relu", ["c"], ["y"])],
        [],
        [value("y", FLOAT, [2])],
        [constant("c", np.ones(2, np.float32))],
    )
    info, _ = converted(model)
    assert ((), (2,)) == (info.inputs, info.outputs[0].shape)


@pytest.mark.parametrize("kind", ["sequence", "optional"])
def test_input_that_is_no_tensor(kind, refused):
    """Sequences and optionals have no place in the format."""
    tensor = helper.make_tensor_type_proto(FLOAT, [2])
    wrap = {
        "sequence": helper.make_sequence_type_proto,
        "optional": helper.make_optional_type_proto,
    }[kind]
    model = make(
        [helper.make_node("Identity", ["x"], ["y"])],
        [helper.make_value_info("x", wrap(tensor))],
        [helper.make_value_info("y", wrap(tensor))],
    )
    assert f"input 'x' is of kind {kind}" in refused(model)


def test_many_inputs_keep_their_order(converted):
    """Thirty of them, the shapes of all different."""
    names = [f"in_{(i * 7) % 30}" for i in range(30)]
    model = make(
        [helper.make_node("Relu", [name], [f"{name}_out"]) for name in names],
        [value(name, FLOAT, [i + 1]) for i, name in enumerate(names)],
        [value(f"{name}_out", FLOAT, [i + 1]) for i, name in enumerate(names)],
    )
    info, _ = converted(model)
    assert names == [tensor.name for tensor in info.inputs]
    assert [(i + 1,) for i in range(30)] == [tensor.shape for tensor in info.outputs]


# ---- outputs -----------------------------------------------------------------------------------


def test_output_that_is_an_input(converted):
    """Passed through: its own source."""
    x = value("x", FLOAT, [2])
    model = make([helper.make_node("Relu", ["x"], ["y"])], [x], [x, value("y", FLOAT, [2])])
    info, session = converted(model)
    assert ["x:0:x", "Relu:0:y"] == [tensor.acl_name for tensor in info.outputs]
    out = session.run(None, {"x": np.array([-1, 2], np.float32)})
    assert [[-1, 2], [0, 2]] == [array.tolist() for array in out]


def test_output_that_is_a_constant(converted):
    """It has a shape and a name like any other."""
    model = make(
        [helper.make_node("Relu", ["x"], ["y"])],
        [value("x", FLOAT, [2])],
        [value("c", INT64, [3]), value("y", FLOAT, [2])],
        [constant("c", np.arange(3))],
    )
    info, _ = converted(model)
    assert [("c", (3,)), ("y", (2,))] == [(t.name, t.shape) for t in info.outputs]


def test_one_tensor_twice(refused):
    """Two outputs of one name cannot be told apart."""
    y = value("y", FLOAT, [2])
    model = make([helper.make_node("Relu", ["x"], ["y"])], [value("x", FLOAT, [2])], [y, y])
    message = refused(model)
    assert "lists the output 'y' twice" in message
    assert "Identity" in message


def test_two_outputs_of_one_node(converted):
    """The index is the node's own numbering."""
    model = make(
        [helper.make_node("Split", ["x"], ["a", "b"], name="cut", axis=0)],
        [value("x", FLOAT, [4])],
        [value("b", FLOAT, [2]), value("a", FLOAT, [2])],
    )
    info, _ = converted(model)
    assert ["cut:1:b", "cut:0:a"] == [tensor.acl_name for tensor in info.outputs]


def test_long_names(converted):
    """Names beyond AscendCL's 127 characters are whole in the file."""
    x, y, node = "x" * 128, "é" * 300, "n" * 1000
    model = make(
        [helper.make_node("Relu", [x], [y], name=node)],
        [value(x, FLOAT, [2])],
        [value(y, FLOAT, [2])],
    )
    info, _ = converted(model)
    assert (x, y, f"{node}:0:{y}") == (
        info.inputs[0].name,
        info.outputs[0].name,
        info.outputs[0].acl_name,
    )


def test_no_outputs(refused):
    """Nothing to compute."""
    model = make([helper.make_node("Relu", ["x"], ["y"])], [value("x", FLOAT, [2])], [])
    assert "no outputs" in refused(model)


def test_output_dims_that_inference_cannot_tell(converted):
    """An operator outside ONNX: ONNX Runtime is asked, on zeros."""
    model = make(
        [helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft")],
        [value("x", FLOAT, ["N", 3])],
        [value("y", FLOAT, ["rows", "columns"])],
    )
    info, _ = converted(model, input_shape="x:5,3")
    assert (5, 3) == info.outputs[0].shape


@pytest.mark.parametrize("kind", [TensorProto.BFLOAT16, TensorProto.BOOL, TensorProto.FLOAT16])
def test_measuring_feeds_every_type(kind, converted):
    """The shape comes from a run, whatever the element type."""
    model = make(
        [
            helper.make_node("Identity", ["x"], ["same"]),
            helper.make_node("Gelu", ["f"], ["y"], domain="com.microsoft"),
        ],
        [value("x", kind, [2]), value("f", FLOAT, [3])],
        [value("same", kind, [2]), value("y", FLOAT, ["n"])],
    )
    info, _ = converted(model)
    assert [(2,), (3,)] == [tensor.shape for tensor in info.outputs]


def test_output_dims_that_depend_on_the_data(refused):
    """No static file can hold them."""
    model = make(
        [helper.make_node("NonZero", ["x"], ["y"])],
        [value("x", FLOAT, [4])],
        [value("y", INT64, [1, "found"])],
    )
    assert "output 'y' has dims that depend on the data ((1, 0) or (1, 4))" in refused(model)


def test_output_dims_that_depend_on_the_data_in_general_only(refused):
    """Zeros and ones have the same number of distinct values; 0, 1, 2, ... have another."""
    model = make(
        [helper.make_node("Unique", ["x"], ["y"])],
        [value("x", FLOAT, [4])],
        [value("y", FLOAT, ["found"])],
    )
    assert "output 'y' has dims that depend on the data ((1,) or (4,))" in refused(model)


def test_operator_that_the_onnx_package_cannot_infer(converted):
    """onnx 1.23 takes the body of this function for wrong; ONNX Runtime has the last word."""
    model = make(
        [helper.make_node("MeanVarianceNormalization", ["x"], ["y"])],
        [value("x", FLOAT, [2, 3, 4, 5])],
        [value("y", FLOAT, None)],
    )
    info, _ = converted(model)
    assert (2, 3, 4, 5) == info.outputs[0].shape


def test_stale_symbols_in_inner_tensors(converted):
    """A symbol bound at the inputs is bound everywhere."""
    model = make(
        [helper.make_node("Relu", ["x"], ["m"]), helper.make_node("Neg", ["m"], ["y"])],
        [value("x", FLOAT, ["N", 3])],
        [value("y", FLOAT, ["N", 3])],
    )
    model.graph.value_info.append(value("m", FLOAT, ["N", 3]))
    info, _ = converted(model, input_shape={"x": (6, 3)})
    assert (6, 3) == info.outputs[0].shape


# ---- broken models -----------------------------------------------------------------------------


def test_not_an_onnx_file(tmp_path, refused):
    """Text, an empty file, another format."""
    for name, raw in {"a": b"", "b": b"hello world, no model", "c": bytes(range(256))}.items():
        (tmp_path / name).write_bytes(raw)
        assert "is not an ONNX model" in refused(tmp_path / name)


def test_missing_file(tmp_path):
    """The system's own errors."""
    with pytest.raises(FileNotFoundError):
        aclrt.convert(tmp_path / "none.onnx", tmp_path / "m")
    with pytest.raises(IsADirectoryError):
        aclrt.convert(tmp_path, tmp_path / "m")


def test_unknown_operator(refused):
    """The checker's words, and the node's type in them."""
    model = make(
        [helper.make_node("Nope", ["x"], ["y"])], [value("x", FLOAT, [1])], [value("y", FLOAT, [1])]
    )
    message = refused(model)
    assert "the ONNX model is not valid" in message
    assert "Nope" in message


def test_operator_that_onnx_runtime_lacks(refused):
    """Where its shape has to be measured, ONNX Runtime's refusal is shown."""
    model = make(
        [helper.make_node("Nope", ["x"], ["y"], domain="com.microsoft")],
        [value("x", FLOAT, [1])],
        [value("y", FLOAT, ["n"])],
    )
    assert "ONNX Runtime cannot load the model" in refused(model)


def test_undefined_tensor(refused):
    """A node that reads what nobody makes."""
    model = make(
        [helper.make_node("Relu", ["ghost"], ["y"])],
        [value("x", FLOAT, [1])],
        [value("y", FLOAT, [1])],
    )
    assert "ghost" in refused(model)


def test_contradicting_output_shape(refused):
    """What the model says of its output is not what it computes."""
    model = make(
        [helper.make_node("Relu", ["x"], ["y"])],
        [value("x", FLOAT, [1, 2])],
        [value("y", FLOAT, [3, 2])],
    )
    assert "do not fit together" in refused(model)


def test_shapes_that_the_model_cannot_take(refused):
    """A bound shape that an operator refuses."""
    model = make(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [value("x", FLOAT, ["N", "K"])],
        [value("y", FLOAT, ["N", 2])],
        [constant("w", np.ones((3, 2), np.float32))],
    )
    assert "do not fit together" in refused(model, input_shape="x:1,4")


# ---- external data -----------------------------------------------------------------------------


@pytest.fixture
def external(tmp_path):
    """m.onnx with its weights in m.data beside it."""
    weights = np.arange(4096, dtype=np.float32)
    model = make(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        [value("x", FLOAT, [4096])],
        [value("y", FLOAT, [4096])],
        [constant("w", weights)],
    )
    path = tmp_path / "external" / "m.onnx"
    path.parent.mkdir()
    onnx.save(model, path, save_as_external_data=True, location="m.data", size_threshold=0)
    return path, weights


def test_external_data_are_taken_in(external, tmp_path):
    """The file needs nothing beside it."""
    path, weights = external
    converted = aclrt.convert(path, tmp_path / "m")
    (path.parent / "m.data").unlink()
    with aclrt.OfflineModel(converted) as model:
        assert np.array_equal(weights, model(np.zeros(4096, np.float32))[0])


def test_external_data_missing(external, refused):
    """The error names the file that is not there."""
    path, _ = external
    (path.parent / "m.data").unlink()
    assert "m.data, which is not there" in refused(path)


def test_external_data_cut(external, refused):
    """A data file that is too short."""
    path, _ = external
    os.truncate(path.parent / "m.data", 100)
    assert "should be 16384 bytes at 0 of" in refused(path)


def test_external_data_of_a_model_in_memory(external, tmp_path):
    """Where its files are is not known."""
    path, _ = external
    model = onnx.load(path, load_external_data=False)
    with pytest.raises(aclrt.InputError, match="lie in other files"):
        aclrt.convert(model, tmp_path / "m")


def test_external_data_of_another_size(external, refused):
    """More or fewer bytes than the tensor has, where the file would have them."""
    path, _ = external
    model = onnx.load(path, load_external_data=False)
    (weights,) = model.graph.initializer
    for entry in weights.external_data:
        if entry.key == "length":
            entry.value = str(1 << 31)
    path.write_bytes(model.SerializeToString())
    os.truncate(path.parent / "m.data", 1 << 31)  # sparse
    message = refused(path)
    assert "2147483648 bytes of external data, its dims and type want 16384" in message
