# SPDX-License-Identifier: Apache-2.0
"""The models that are measured: made by script with random weights, nothing is downloaded.

``onnx_of`` makes one, ``om_of`` converts it into the folder of a run (once). On a card ``om_of``
takes the files that ATC made of ``write_all``'s.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def _value(name: str, shape: list[int], kind: int = FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def _model(nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: list[Any]) -> Any:
    graph = helper.make_graph(nodes, "bench", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def identity(n_in: int, n_out: int, shape: list[int]) -> Any:
    """x0.. -> y0.., each output the input of its number."""
    nodes = [helper.make_node("Identity", [f"x{i}"], [f"y{i}"]) for i in range(n_out)]
    inputs = [_value(f"x{i}", shape) for i in range(n_in)]
    return _model(nodes, inputs, [_value(f"y{i}", shape) for i in range(n_out)], [])


def classifier(batch: int) -> Any:
    """x (batch, 3, 224, 224), 602 KB an image -> y (batch, 3): much in, little out, as usual."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["y"]),
    ]
    return _model(nodes, [_value("x", [batch, 3, 224, 224])], [_value("y", [batch, 3])], [])


def gears() -> Any:
    """x (-1, 16) -> y (-1, 16), for gears of 1, 2 and 4."""
    node = helper.make_node("Identity", ["x"], ["y"])
    value = helper.make_tensor_value_info
    return _model([node], [value("x", FLOAT, ["N", 16])], [value("y", FLOAT, ["N", 16])], [])


class _Graph:
    """Nodes and random weights, one after the other."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def weight(self, shape: tuple[int, ...], scale: float) -> str:
        values = self.random.standard_normal(shape, np.float32) * np.float32(scale)
        return self.constant(values)

    def constant(self, values: np.ndarray) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def add(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def convolve(
        self, x: str, channels: tuple[int, int], kernel: int, stride: int = 1, relu: bool = True
    ) -> str:
        fan_in = channels[0] * kernel * kernel
        inputs = [
            x,
            self.weight((channels[1], channels[0], kernel, kernel), (2 / fan_in) ** 0.5),
            self.weight((channels[1],), 0.1),
        ]
        pads = [kernel // 2] * 4
        y = self.add("Conv", inputs, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads)
        return self.add("Relu", [y]) if relu else y

    def linear(self, x: str, n_in: int, n_out: int) -> str:
        y = self.add("MatMul", [x, self.weight((n_in, n_out), n_in**-0.5)])
        return self.add("Add", [y, self.weight((n_out,), 0.1)])

    def finish(self, result: str, inputs: list[Any], output: Any) -> Any:
        self.nodes.append(helper.make_node("Identity", [result], ["y"]))
        return _model(self.nodes, inputs, [output], self.weights)


def resnet50() -> Any:
    """The convolutions of ResNet-50, batch normalisation folded: 25.5 million weights, 102 MB."""
    graph = _Graph(50)
    x = graph.convolve("x", (3, 64), 7, 2)
    x = graph.add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    width = 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        middle = 64 << stage
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            y = graph.convolve(x, (width, middle), 1)
            y = graph.convolve(y, (middle, middle), 3, stride)
            y = graph.convolve(y, (middle, 4 * middle), 1, relu=False)
            if not block:
                x = graph.convolve(x, (width, 4 * middle), 1, stride, relu=False)
            width = 4 * middle
            x = graph.add("Relu", [graph.add("Add", [x, y])])
    x = graph.add("Flatten", [graph.add("GlobalAveragePool", [x])])
    result = graph.linear(x, width, 1000)
    return graph.finish(result, [_value("x", [1, 3, 224, 224])], _value("y", [1, 1000]))


def transformer() -> Any:
    """Four encoder layers of width 256 over 128 tokens: 3 million weights."""
    graph = _Graph(4)
    width, heads, tokens = 256, 4, 128
    shape = graph.constant(np.array([1, tokens, heads, width // heads], np.int64))
    joined = graph.constant(np.array([1, tokens, width], np.int64))
    scale = graph.constant(np.array((width // heads) ** -0.5, np.float32))

    def split(x: str, perm: list[int]) -> str:
        y = graph.add("Reshape", [graph.linear(x, width, width), shape])
        return graph.add("Transpose", [y], perm=perm)

    def normalised(x: str) -> str:
        ones, zeros = np.ones(width, np.float32), np.zeros(width, np.float32)
        inputs = [x, graph.constant(ones), graph.constant(zeros)]
        return graph.add("LayerNormalization", inputs, axis=-1)

    x = "x"
    for _ in range(4):
        query, key = split(x, [0, 2, 1, 3]), split(x, [0, 2, 3, 1])
        scores = graph.add("Mul", [graph.add("MatMul", [query, key]), scale])
        weighted = graph.add(
            "MatMul", [graph.add("Softmax", [scores], axis=-1), split(x, [0, 2, 1, 3])]
        )
        y = graph.add("Reshape", [graph.add("Transpose", [weighted], perm=[0, 2, 1, 3]), joined])
        x = normalised(graph.add("Add", [x, graph.linear(y, width, width)]))
        y = graph.add("Relu", [graph.linear(x, width, 4 * width)])
        x = normalised(graph.add("Add", [x, graph.linear(y, 4 * width, width)]))
    value = [1, tokens, width]
    return graph.finish(x, [_value("x", value)], _value("y", value))


def large(megabytes: int) -> Any:
    """x (1, 1024) -> y (1, 1024) through a table of so many MB: y = x + row of the table."""
    rows = megabytes * 2**20 // (1024 * 4)
    table = np.random.default_rng(1).random((rows, 1024), np.float32)
    weights = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(np.array([rows - 1], np.int64), "row"),
    ]
    nodes = [
        helper.make_node("Gather", ["table", "row"], ["picked"], axis=0),
        helper.make_node("Add", ["x", "picked"], ["y"]),
    ]
    value = [1, 1024]
    return _model(nodes, [_value("x", value)], [_value("y", value)], weights)


MODELS: dict[str, Callable[[], Any]] = {
    "tiny": lambda: identity(1, 1, [1, 16]),
    "many": lambda: identity(8, 4, [1, 16]),
    "image": lambda: classifier(1),
    "batch": lambda: classifier(8),
    "echo": lambda: identity(1, 1, [1, 3, 224, 224]),
    "gears": gears,
    "resnet50": resnet50,
    "transformer": transformer,
}
CONVERT = {"gears": {"dynamic_batch_size": "1,2,4", "input_shape": "x:-1,16"}}


def onnx_of(name: str, folder: Path) -> Path:
    """The ONNX file; made if it is not there. ``large-N`` has N MB."""
    path = folder / f"{name}.onnx"
    if not path.exists():
        made = large(int(name[6:])) if name.startswith("large-") else MODELS[name]()
        part = path.with_suffix(f".{os.getpid()}")
        part.write_bytes(made.SerializeToString())
        part.rename(path)
    return path


def om_of(name: str, folder: Path) -> Path:
    """The offline model; converted if it is not there."""
    path = folder / f"{name}.om"
    if path.exists():
        return path
    if os.environ.get("ACLRT_BACKEND") == "npu":
        raise FileNotFoundError(
            f"{path} is not there: make it with atc from {name}.onnx (benchmarks/README.md)"
        )
    import aclrt

    part = path.with_suffix(f".{os.getpid()}.om")
    aclrt.convert(onnx_of(name, folder), part, **CONVERT.get(name, {}))
    part.rename(path)
    return path


def write_all(folder: Path) -> None:
    """The ONNX files, for ATC."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in MODELS:
        onnx_of(name, folder)
