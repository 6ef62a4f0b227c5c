# SPDX-License-Identifier: Apache-2.0
"""Models built in the process: the graph builder's entry points, and the converter under them."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx_graphs
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper, shape_inference

import aclrt
from programs.conftest import DROP_IN, onnxruntime_library

Converter = Callable[..., bytes]
value = onnx_graphs.value


@pytest.fixture
def convert(tmp_path: Path) -> Iterator[Converter]:
    """convert(model, input_shape=None, name=...): what aclfake_convert makes; its reason raised."""
    library = ctypes.CDLL(str(DROP_IN / "libascendcl.so"))
    library.aclfake_set_onnxruntime(os.fsencode(onnxruntime_library()))
    library.aclGetRecentErrMsg.restype = ctypes.c_char_p
    library.aclfake_free.argtypes = [ctypes.c_void_p]

    def build(model: ModelProto | bytes, shape: str | None = None, name: str = "net") -> bytes:
        data = model if isinstance(model, bytes) else model.SerializeToString()
        om, size = ctypes.c_void_p(), ctypes.c_size_t()
        given = None if shape is None else shape.encode()
        length = ctypes.c_size_t(len(data))
        results = (ctypes.byref(om), ctypes.byref(size))
        code = library.aclfake_convert(data, length, name.encode(), given, *results)
        if code != 0:
            assert om.value is None
            raise RuntimeError(code, library.aclGetRecentErrMsg().decode())
        made = ctypes.string_at(om, size.value)
        library.aclfake_free(om)
        return made

    yield build
    library.aclfake_set_onnxruntime(None)


def test_a_client_of_the_graph_builder(
    compile_program: Callable[..., Path],
    run_program: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """The eight C++ entry points in the order of ONNX Runtime's provider, and what they refuse."""
    constant = numpy_helper.from_array(np.float32(1), "one")
    model = onnx_graphs.make(
        [("Add", ["x", "one"], ["y"])], [value("x", ["N", 4])], [value("y", ["N", 4])], [constant]
    )
    (tmp_path / "add.onnx").write_bytes(model.SerializeToString())
    program = compile_program("ge_client.cpp", "-lascendcl", "-lfmk_onnx_parser")
    done = run_program(program, tmp_path / "add.onnx", tmp_path / "added")
    assert (done.code, done.err, done.live) == (0, "", {})
    info = aclrt.inspect(tmp_path / "added.om")
    assert (info.name, info.simulated) == ("added", True)
    assert [(t.name, t.shape) for t in info.inputs] == [("x", (2, 4))]
    assert [(t.name, t.shape) for t in info.outputs] == [("y", (2, 4))]
    assert [path.name for path in tmp_path.glob("added*")] == ["added.om"]


def small() -> ModelProto:
    """Three inputs and outputs of several types and ranks, one scalar, one passed on."""
    nodes = [
        helper.make_node("Relu", ["image"], ["scores"], name="net/relu:1"),
        helper.make_node("Split", ["ids"], ["a", "b"], name="halves", num_outputs=2),
        helper.make_node("Not", ["flag"], ["no"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [
            value("image", [1, 3, 4, 5]),
            value("ids", [8], TensorProto.INT64),
            value("flag", [], TensorProto.BOOL),
        ],
        [
            value("scores", [1, 3, 4, 5]),
            value("b", [4], TensorProto.INT64),
            value("no", [], TensorProto.BOOL),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


@pytest.mark.parametrize("name", ["net", "n" * 40, "é" * 16], ids=["short", "long", "cut"])
def test_writes_the_bytes_that_python_writes(convert: Converter, tmp_path: Path, name: str) -> None:
    """One container, two writers: the same file, to the last byte."""
    made = convert(small(), name=name)
    assert made == aclrt.convert(small(), tmp_path / f"{name}.om").read_bytes()


def test_open_dims_become_numbers(convert: Converter, tmp_path: Path) -> None:
    """A symbol stated once is that number everywhere, in the body too."""
    model = onnx_graphs.make(
        [("Add", ["x", "y"], ["z"])],
        [value("x", ["N", "T"]), value("y", ["N", 1])],
        [value("z", ["N", "T"])],
    )
    info = aclrt.inspect(convert(model, " x:2,3 ;"))
    assert [t.shape for t in (*info.inputs, *info.outputs)] == [(2, 3), (2, 1), (2, 3)]
    (tmp_path / "z.om").write_bytes(convert(model, "x:2,3"))
    with aclrt.OfflineModel(tmp_path / "z.om") as net:
        x, y = np.ones((2, 3), np.float32), np.full((2, 1), 2, np.float32)
        np.testing.assert_array_equal(net(x, y)[0], x + y)


def test_scalars_are_named_without_dims(convert: Converter) -> None:
    """As the provider writes them, whatever is in the name; and with a colon, as ATC does."""
    model = onnx_graphs.make(
        [("Add", ["x", "k:0"], ["s"]), ("Add", ["s", "b"], ["y"])],
        [value("x", ["N"]), value("k:0", []), value("b", None)],
        [value("y", None)],
    )
    for shape in ("x:3;k:0;b", "k:0:;b:;x:3"):
        assert [t.shape for t in aclrt.inspect(convert(model, shape)).inputs] == [(3,), (), ()]
    with pytest.raises(RuntimeError, match='expected "name:dims", given "x"'):
        convert(model, "x;k:0;b")


def test_dims_that_inference_cannot_tell_are_measured(convert: Converter) -> None:
    """A scalar, and a shape that is computed; dims that the data decides are refused."""
    squeeze = onnx_graphs.make(
        [helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)],
        [value("x", [2, 3])],
        [value("y", None)],
    )
    assert aclrt.inspect(convert(squeeze)).outputs[0].shape == ()
    nonzero = onnx_graphs.make(
        [("NonZero", ["x"], ["y"])], [value("x", [4])], [value("y", [1, "K"], TensorProto.INT64)]
    )
    with pytest.raises(RuntimeError, match='output "y" has dims that depend on the data'):
        convert(nonzero)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (None, 'the shape of input "x" (N,4); state it'),
        ("x", 'expected "name:dims", given "x"'),
        ("x:1,-1", "expected dims of 0 or more"),
        ("x:1,4;x:1,4", '"x" is given twice'),
        ("x:4", "expected (N,4), given (4)"),
        ("w:1,4", 'no input "w"; it has "x"'),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    convert: Converter, shape: str | None, reason: str
) -> None:
    """With what was expected and what was given."""
    model = onnx_graphs.make([("Neg", ["x"], ["y"])], [value("x", ["N", 4])], [value("y", None)])
    with pytest.raises(RuntimeError) as caught:
        convert(model, shape)
    assert caught.value.args[0] == 500002
    assert reason in caught.value.args[1]


def test_models_that_cannot_be_files_are_refused(convert: Converter) -> None:
    """No model, an operator that does not exist, strings, names of AscendCL's own inputs."""
    for data in (b"", b"\xff\xff", b"\x08\x09"):
        with pytest.raises(RuntimeError, match="expected an ONNX model"):
            convert(data)
    unknown = onnx_graphs.make([("Nothing", ["x"], ["y"])], [value("x", [1])], [value("y", [1])])
    with pytest.raises(RuntimeError, match="Nothing"):
        convert(unknown)
    text = onnx_graphs.make(
        [("Identity", ["x"], ["y"])],
        [value("x", [1], TensorProto.STRING)],
        [value("y", [1], TensorProto.STRING)],
    )
    with pytest.raises(RuntimeError, match='input "x" has elements of ONNX type 8'):
        convert(text)
    name = "ascend_mbatch_shape_data"
    taken = onnx_graphs.make([("Neg", [name], ["y"])], [value(name, [1])], [value("y", [1])])
    with pytest.raises(RuntimeError, match="name of AscendCL"):
        convert(taken)


def test_mutated_models_are_refused_not_followed(convert: Converter) -> None:
    """Bytes cut and changed anywhere give a file or a reason, nothing else."""
    data = shape_inference.infer_shapes(small()).SerializeToString()
    random = np.random.default_rng(11)
    outcomes = set()
    for _ in range(150):
        changed = bytearray(data)
        for at in random.integers(0, len(data), 3):
            changed[at] = random.integers(0, 256)
        cut = len(data) - int(random.integers(0, 40))
        try:
            aclrt.inspect(convert(bytes(changed[:cut])))
            outcomes.add("file")
        except RuntimeError:
            outcomes.add("reason")
    assert "reason" in outcomes


def test_symbols_are_those_that_clients_ask_for() -> None:
    """The eight names of the reference, and no other; the C++ library is the client's."""
    library = DROP_IN / "libfmk_onnx_parser.so"
    options = "St3mapINS_12AscendStringE{0}St4lessIS{1}_ESaISt4pairIKS{1}_S{1}_EEE"
    listed = subprocess.run(
        ["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True
    )
    assert {line.split()[-1] for line in listed.stdout.splitlines()} == {
        "_ZN2ge12AscendStringC1EPKc",
        "_ZNK2ge12AscendStringltERKS0_",
        "_ZN2ge5GraphC1EPKc",
        "_ZN2ge22aclgrphBuildInitializeER" + options.format("S1_", 1),
        "_ZN2ge20aclgrphBuildFinalizeEv",
        "_ZN2ge23aclgrphParseONNXFromMemEPKcmRK" + options.format("S3_", 3) + "RNS_5GraphE",
        "_ZN2ge17aclgrphBuildModelERKNS_5GraphERK"
        + options.format("S4_", 4)
        + "RNS_15ModelBufferDataE",
        "_ZN2ge16aclgrphSaveModelEPKcRKNS_15ModelBufferDataE",
    }
    dynamic = subprocess.run(
        ["readelf", "-d", "-W", library], capture_output=True, text=True, check=True
    ).stdout
    assert "[libstdc++.so.6]" in dynamic
    assert "[libascendcl.so]" in dynamic
