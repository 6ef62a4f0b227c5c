# SPDX-License-Identifier: Apache-2.0
"""`aclrt.convert`: arguments, element types, shapes, and how the file is written."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import aclrt

FLOAT = TensorProto.FLOAT


def make(nodes, inputs, outputs, constants=(), *, opset=17, ir=8):
    """A model; inputs and outputs are (name, element type, dims)."""
    values = [
        [helper.make_tensor_value_info(name, kind, dims) for name, kind, dims in tensors]
        for tensors in (inputs, outputs)
    ]
    graph = helper.make_graph(
        [helper.make_node(*node) for node in nodes], "g", *values, list(constants)
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir)


def identity(kind=FLOAT, dims=(2, 3), **options):
    dims = list(dims)
    return make([("Identity", ["x"], ["y"])], [("x", kind, dims)], [("y", kind, dims)], **options)


def two_inputs(a, b, out=("N", 3)):
    return make(
        [("Add", ["a", "b"], ["sum"])],
        [("a", FLOAT, list(a)), ("b", FLOAT, list(b))],
        [("sum", FLOAT, list(out))],
    )


@pytest.fixture
def refused(tmp_path):
    """Converts, expects the error, and that nothing is left behind; gives its text."""

    def check(error, model, **options):
        with pytest.raises(error) as caught:
            aclrt.convert(model, tmp_path / "out.om", **options)
        assert [] == list(tmp_path.glob("*.om")) + list(tmp_path.glob(".*"))
        return str(caught.value)

    return check


@pytest.fixture
def converted(tmp_path):
    """Converts and inspects."""

    def run(model, **options):
        return aclrt.inspect(aclrt.convert(model, tmp_path / "out", **options))

    return run


def signature(info):
    return [
        [(tensor.name, tensor.dtype_name, tensor.shape, tensor.nbytes) for tensor in tensors]
        for tensors in (info.inputs, info.outputs)
    ]


# ---- element types -----------------------------------------------------------------------------

DTYPES = {
    "float32": (TensorProto.FLOAT, 4),
    "float16": (TensorProto.FLOAT16, 2),
    "bfloat16": (TensorProto.BFLOAT16, 2),
    "float64": (TensorProto.DOUBLE, 8),
    "int8": (TensorProto.INT8, 1),
    "int16": (TensorProto.INT16, 2),
    "int32": (TensorProto.INT32, 4),
    "int64": (TensorProto.INT64, 8),
    "uint8": (TensorProto.UINT8, 1),
    "uint16": (TensorProto.UINT16, 2),
    "uint32": (TensorProto.UINT32, 4),
    "uint64": (TensorProto.UINT64, 8),
    "bool": (TensorProto.BOOL, 1),
    "float8_e4m3fn": (TensorProto.FLOAT8E4M3FN, 1),
    "float8_e5m2": (TensorProto.FLOAT8E5M2, 1),
    "float8_e8m0fnu": (TensorProto.FLOAT8E8M0, 1),
    "int4": (TensorProto.INT4, 0.5),
}


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("dims", [(), (0,), (3,), (2, 0, 4), (1, 3, 2, 2), (1, 2, 1, 2, 1)])
def test_every_element_type(name, dims, converted):
    """Type, shape and bytes come back; four dims are NCHW, others ND."""
    kind, size = DTYPES[name]
    info = converted(identity(kind, dims, opset=24, ir=11))
    nbytes = math.ceil(size * math.prod(dims))
    assert [[("x", name, dims, nbytes)], [("y", name, dims, nbytes)]] == signature(info)
    assert ("NCHW" if len(dims) == 4 else "ND") == info.inputs[0].format
    assert name == info.inputs[0].dtype.name


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (TensorProto.STRING, "string"),
        (TensorProto.COMPLEX64, "complex64"),
        (TensorProto.COMPLEX128, "complex128"),
        (TensorProto.FLOAT8E4M3FNUZ, "float8e4m3fnuz"),
        (TensorProto.UINT4, "uint4"),
        (TensorProto.FLOAT4E2M1, "float4e2m1"),
    ],
)
def test_element_type_without_counterpart(kind, text, refused):
    """The error names the tensor, its type and the types that are possible."""
    message = refused(aclrt.ModelFormatError, identity(kind, opset=24, ir=11))
    assert f"input 'x' has elements of type {text}" in message
    assert "float16, float64" in message


def test_string_output(refused):
    """An output of strings is refused as well."""
    model = make([("Cast", ["x"], ["y"])], [("x", FLOAT, [1])], [("y", TensorProto.STRING, [1])])
    model.graph.node[0].attribute.append(helper.make_attribute("to", TensorProto.STRING))
    assert "output 'y' has elements of type string" in refused(aclrt.ModelFormatError, model)


# ---- input_shape -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {"a": (4, 3), "b": (4, 3)},
        {"a": [4, 3], "b": np.array([4, 3])},
        {"a": (np.int64(4), 3)},
        "a:4,3;b:4,3",
        " a : 4, 3 ; b:4,3; ",
        "b:4,3",
        "4,3;4,3",
        "4,3",
    ],
)
def test_ways_to_state_shapes(given, converted):
    """A mapping or ATC's text, with names or without; a symbol bound in one input holds in the
    other."""
    info = converted(two_inputs(("N", 3), ("N", 3)), input_shape=given)
    rows = ("float32", (4, 3), 48)
    assert [[("a", *rows), ("b", *rows)], [("sum", *rows)]] == signature(info)


def test_shapes_of_a_static_model_may_be_repeated(converted):
    """No shape is needed; the same one does no harm."""
    assert converted(identity()) == converted(identity(), input_shape=None)
    assert (2, 3) == converted(identity(), input_shape={"x": (2, 3)}).inputs[0].shape


def test_names_with_colons(converted):
    """ATC's text splits at the last colon of an entry."""
    model = make(
        [("Relu", ["in:0"], ["out:0"])], [("in:0", FLOAT, ["N"])], [("out:0", FLOAT, ["N"])]
    )
    info = converted(model, input_shape="in:0:5")
    assert ["in:0", "out:0"] == [info.inputs[0].name, info.outputs[0].name]
    assert (5,) == info.outputs[0].shape


def test_scalar_in_atc_s_words(converted):
    """Nothing after the colon is a scalar."""
    model = identity(dims=())
    model.graph.input[0].type.tensor_type.ClearField("shape")
    assert () == converted(model, input_shape="x:").inputs[0].shape


@pytest.mark.parametrize("given", [{"imgae": (1, 3)}, "imgae:1,3"])
def test_wrong_name_has_a_suggestion(given, refused):
    """The nearest name is offered."""
    model = make([("Relu", ["image"], ["y"])], [("image", FLOAT, [1, 3])], [("y", FLOAT, [1, 3])])
    message = refused(aclrt.InputError, model, input_shape=given)
    assert "no input 'imgae'" in message
    assert "did you mean 'image'?" in message


def test_wrong_name_far_from_all(refused):
    """Where no name is near, all are listed."""
    message = refused(aclrt.InputError, two_inputs((1,), (1,), (1,)), input_shape="qqqqq:1")
    assert "the inputs are 'a', 'b'" in message


def test_open_shapes_are_listed(refused):
    """All inputs that lack a shape at once, with an example that can be pasted."""
    message = refused(aclrt.InputError, two_inputs(("N", 3), ("M", 3)))
    assert "'a' (N, 3); 'b' (M, 3)" in message
    assert "input_shape={'a': (1, 3), 'b': (1, 3)}" in message


def test_anonymous_dims_are_open(refused, converted):
    """A dim without number and name is bound by stating it."""
    model = identity(dims=(None, 3))
    assert "'x' (?, 3)" in refused(aclrt.InputError, model)
    assert (7, 3) == converted(model, input_shape={"x": (7, 3)}).outputs[0].shape


def test_input_without_any_shape(refused, converted):
    """Not even the rank is known: it is stated by the caller."""
    model = identity()
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.ClearField("shape")
    assert "'x' unknown" in refused(aclrt.InputError, model)
    assert (2, 5) == converted(model, input_shape={"x": (2, 5)}).outputs[0].shape


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"a": (4, 4)}, "expected (N, 3), given (4, 4): dim 1 is 3 in the model"),
        ({"a": (4,)}, "expected (N, 3), which are 2 dims, given (4,)"),
        ({"a": (4, 3), "b": (5, 3)}, "'N' is 4 in the shape of 'a'"),
        ({"a": (-2, 3)}, "expected dims of at least 0, or -1 where runs differ, given -2"),
        ("a:-2,3", "expected dims of at least 0, or -1 where runs differ, given -2"),
        ({"a": (1.5, 3)}, "expected whole numbers, given 1.5"),
        ({"a": (True, 3)}, "expected whole numbers, given True"),
        ({"a": 4}, "expected a sequence of dims, given 4"),
        ({"a": "4,3"}, "expected a sequence of dims"),
        ({1: (4, 3)}, "expected names of inputs, given 1"),
        ({"a": (1 << 64, 3)}, "does not fit in 64 bits"),
        ("a:4,x", "expected whole numbers"),
        ("a:4,,3", "expected whole numbers"),
        ("4,3;4,3;4,3", "3 shapes are given, the model has 2 inputs"),
        (":4,3", 'expected "name:dims"'),
        ("a:4,3;a:4,3", "given twice"),
        ("", "expected the shape of an input"),
        (";", "expected the shape of an input"),
        ([("a", (4, 3))], "expected a mapping or a text, given list"),
        (7, "expected a mapping or a text, given int"),
    ],
)
def test_shapes_that_do_not_fit(given, text, refused):
    """InputError says what was expected and what was given."""
    message = refused(aclrt.InputError, two_inputs(("N", 3), ("N", 3)), input_shape=given)
    assert text in message


def test_shape_too_large(refused):
    """More bytes than 64 bits count."""
    model = make([("Relu", ["x"], ["y"])], [("x", FLOAT, ["a", "b"])], [("y", FLOAT, ["a", "b"])])
    shape = {"x": (1 << 40, 1 << 40)}
    assert "2**63 bytes" in refused(aclrt.InputError, model, input_shape=shape)


# ---- other arguments ---------------------------------------------------------------------------


@pytest.mark.parametrize("model", [None, 3, b"bytes", object()])
def test_model_of_another_type(model, refused):
    """Neither a path nor a ModelProto."""
    assert "expected a path or an onnx.ModelProto" in refused(aclrt.InputError, model)


@pytest.mark.parametrize("output", [None, 3, "", "folder/", "a\0b"])
def test_output_that_is_no_path(output, tmp_path, monkeypatch):
    """Refused before the model is read."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(aclrt.InputError, match="output"):
        aclrt.convert("not_there.onnx", output)


def test_soc_version_is_noted(tmp_path):
    """In the command line; the file stays one that no device takes."""
    onnx.save(identity(), tmp_path / "m.onnx")
    path = aclrt.convert(
        tmp_path / "m.onnx", tmp_path / "m", input_shape="x:2,3", soc_version="Ascend310P3"
    )
    info = aclrt.inspect(path)
    assert "AscendSim" == info.soc_version
    assert info.command_line == (
        "aclrt simulated --model=m.onnx --framework=5 --output=m --input_shape=x:2,3 "
        "--soc_version=Ascend310P3"
    )
    with pytest.raises(aclrt.InputError, match="soc_version"):
        aclrt.convert(tmp_path / "m.onnx", tmp_path / "m", soc_version=310)


@pytest.mark.parametrize(
    ("given", "written"),
    [("m", "m.om"), ("m.om", "m.om"), ("m.onnx", "m.onnx.om"), ("m.", "m..om")],
)
def test_suffix(given, written, tmp_path):
    """As ATC does: .om is appended where it is missing."""
    path = aclrt.convert(identity(), str(tmp_path / given))
    assert isinstance(path, Path)
    assert tmp_path / written == path
    assert [path] == list(tmp_path.iterdir())


def test_model_proto_is_not_changed(tmp_path):
    """The caller's object keeps its open dims."""
    model = identity(dims=("N", 3))
    before = model.SerializeToString()
    aclrt.convert(model, tmp_path / "m", input_shape="x:1,3")
    assert before == model.SerializeToString()


# ---- writing -----------------------------------------------------------------------------------


def test_existing_file_is_replaced(tmp_path):
    """At once, with the permissions of a new file."""
    target = tmp_path / "m.om"
    target.write_bytes(b"old")
    aclrt.convert(identity(), target)
    assert aclrt.inspect(target).simulated
    fresh = tmp_path / "fresh"
    fresh.touch()
    assert fresh.stat().st_mode == target.stat().st_mode


def test_failure_keeps_the_old_file(tmp_path, monkeypatch):
    """A write that fails half-way leaves the old file and nothing else."""
    target = tmp_path / "m.om"
    target.write_bytes(b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        aclrt.convert(identity(), target)
    assert b"old" == target.read_bytes()
    assert [tmp_path / "m.om"] == list(tmp_path.iterdir())


def test_output_directory_missing(tmp_path):
    """The system's own error, about the path that was given; no directory is made."""
    with pytest.raises(FileNotFoundError) as caught:
        aclrt.convert(identity(), tmp_path / "none" / "m.om")
    assert str(tmp_path / "none" / "m.om") == caught.value.filename
    assert ".tmp" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_output_is_a_directory(tmp_path):
    """A directory of that name is not replaced."""
    (tmp_path / "m.om").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        aclrt.convert(identity(), tmp_path / "m.om")
    assert str(tmp_path / "m.om") == caught.value.filename
    assert ".tmp" not in str(caught.value)
    assert [tmp_path / "m.om"] == list(tmp_path.iterdir())


def test_same_model_same_bytes(tmp_path):
    """The file depends on model and arguments alone."""
    first = aclrt.convert(identity(), tmp_path / "m").read_bytes()
    assert first == aclrt.convert(identity(), tmp_path / "m").read_bytes()


# ---- packages ----------------------------------------------------------------------------------


def run_python(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_importing_does_not_import_onnx():
    """Neither the package nor aclrt.om needs it."""
    code = "import sys, aclrt, aclrt.om; aclrt.inspect; print('onnx' in sys.modules)"
    assert "False" == run_python(code)


def test_missing_onnx_says_how_to_get_it():
    """ImportError with the extra's name."""
    code = (
        "import sys, aclrt\n"
        "sys.modules['onnx'] = None\n"
        "try: aclrt.convert('m.onnx', 'm')\n"
        "except ImportError as error: print(error)\n"
    )
    assert "pip install aclrt[onnx]" in run_python(code)
