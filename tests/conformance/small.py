# SPDX-License-Identifier: Apache-2.0
"""Fixtures' models: small ONNX graphs as bytes and as simulated .om files."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper, numpy_helper

import aclrt
from conformance import acl

Port = tuple[str, int, Sequence[int]]  # name, TensorProto's type, shape


def graph(
    nodes: Sequence[Any],
    inputs: Sequence[Port],
    outputs: Sequence[Port],
    constants: dict[str, Any] | None = None,
) -> onnx.ModelProto:
    """An ONNX model."""
    made = helper.make_graph(
        list(nodes),
        "small",
        [helper.make_tensor_value_info(*port) for port in inputs],
        [helper.make_tensor_value_info(*port) for port in outputs],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    return helper.make_model(made, ir_version=9, opset_imports=[helper.make_opsetid("", 19)])


def om_of(model: onnx.ModelProto) -> bytes:
    """The .om of an ONNX model: simulated, or for the card at hand, by CANN's own compiler."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "model.om"
        if not acl.on_card():
            return Path(aclrt.convert(model, target)).read_bytes()
        atc = shutil.which("atc")
        assert atc, "atc is not on PATH: source CANN's set_env.sh"
        source = Path(folder) / "model.onnx"
        source.write_bytes(model.SerializeToString())
        soc = acl.library().aclrtGetSocName().decode()
        flags = [f"--model={source}", "--framework=5", f"--output={target.with_suffix('')}"]
        subprocess.run([atc, *flags, f"--soc_version={soc}"], cwd=folder, check=True)
        return target.read_bytes()


@cache
def double() -> bytes:
    """x float32 (2, 3) -> y = x + x."""
    x, y = ("x", TensorProto.FLOAT, (2, 3)), ("y", TensorProto.FLOAT, (2, 3))
    return om_of(graph([helper.make_node("Add", ["x", "x"], ["y"], "twice")], [x], [y]))


@cache
def two_in_two_out() -> bytes:
    """a float32 (4,), b int64 (2, 2) -> s = -a, t = b + b."""
    nodes = [
        helper.make_node("Neg", ["a"], ["s"], "negate"),
        helper.make_node("Add", ["b", "b"], ["t"], "twice"),
    ]
    a, b = ("a", TensorProto.FLOAT, (4,)), ("b", TensorProto.INT64, (2, 2))
    s, t = ("s", TensorProto.FLOAT, (4,)), ("t", TensorProto.INT64, (2, 2))
    return om_of(graph(nodes, [a, b], [s, t]))


@cache
def slow(rounds: int = 60, side: int = 256) -> bytes:
    """x float32 (side, side) -> y: a chain of matrix products that takes a while."""
    names = ["x", *(f"h{i}" for i in range(rounds - 1)), "y"]
    nodes = [
        helper.make_node("MatMul", [names[i], "x"], [names[i + 1]], f"m{i}") for i in range(rounds)
    ]
    shape = (side, side)
    return om_of(graph(nodes, [("x", TensorProto.FLOAT, shape)], [("y", TensorProto.FLOAT, shape)]))


@cache
def long_names() -> bytes:
    """An input and an output whose names do not fit into aclmdlIODims."""
    x, y = "x" * 200, "y" * 200
    return om_of(
        graph(
            [helper.make_node("Neg", [x], [y], "n")],
            [(x, TensorProto.FLOAT, (3,))],
            [(y, TensorProto.FLOAT, (3,))],
        )
    )
