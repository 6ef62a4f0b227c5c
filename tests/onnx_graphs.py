# SPDX-License-Identifier: Apache-2.0
"""Small ONNX models, made by hand."""

from __future__ import annotations

from onnx import TensorProto, helper

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def value(name, dims, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, dims)


def make(nodes, inputs, outputs, constants=()):
    nodes = [helper.make_node(*node) if isinstance(node, tuple) else node for node in nodes]
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(constants))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def image():
    """x (N, 3, H, W) -> y of the same dims, and mean (N, 3, 1, 1)."""
    return make(
        [("Relu", ["x"], ["y"]), ("GlobalAveragePool", ["x"], ["mean"])],
        [value("x", ["N", 3, "H", "W"])],
        [value("y", ["N", 3, "H", "W"]), value("mean", None)],
    )


def clip():
    """input_ids (N, T), pixels (M, 3) -> both as floats side by side (N, T), (M, 3)."""
    return make(
        [("Neg", ["input_ids"], ["ids"]), ("Relu", ["pixels"], ["colours"])],
        [value("input_ids", ["N", "T"], INT64), value("pixels", ["M", 3])],
        [value("ids", None, INT64), value("colours", None)],
    )
