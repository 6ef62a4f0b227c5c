# SPDX-License-Identifier: Apache-2.0
"""Networks with random weights in the shape of well known ones; needs numpy and onnx alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

__all__ = ["resnet50", "transformer"]


class Net:
    """Nodes and weights, gathered one after the other."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def weight(self, array: Any) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def normal(self, *shape: int, scale: float) -> str:
        return self.weight(self.random.standard_normal(shape, np.float32) * np.float32(scale))

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        output = f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], output, **attributes))
        return output

    def model(self, inputs: list[Any], output: str, shape: list[Any]) -> ModelProto:
        self.nodes.append(helper.make_node("Identity", [output], ["y"], "last"))
        result = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, "net", inputs, [result], self.weights)
        opsets = [helper.make_opsetid("", 13)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def resnet50() -> ModelProto:
    """x (batch, 3, 224, 224) -> y (batch, 1000): 53 convolutions with batch normalisation."""
    net = Net(50)

    def conv(x: str, inner: int, outer: int, size: int, stride: int = 1, relu: bool = True) -> str:
        kernel = net.normal(outer, inner, size, size, scale=(2 / (inner * size * size)) ** 0.5)
        pads = [size // 2] * 4
        y = net.add("Conv", x, kernel, kernel_shape=[size] * 2, strides=[stride] * 2, pads=pads)
        ones, zeros = np.ones(outer, np.float32), np.zeros(outer, np.float32)
        y = net.add("BatchNormalization", y, *map(net.weight, (ones, zeros, zeros, ones)))
        return net.add("Relu", y) if relu else y

    x = conv("x", 3, 64, 7, 2)
    x = net.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            y = conv(x, channels, width, 1)
            y = conv(y, width, width, 3, stride)
            y = conv(y, width, 4 * width, 1, relu=False)
            if not block:
                x = conv(x, channels, 4 * width, 1, stride, relu=False)
            x = net.add("Relu", net.add("Add", x, y))
            channels = 4 * width
    x = net.add("Flatten", net.add("GlobalAveragePool", x))
    x = net.add("Gemm", x, net.normal(channels, 1000, scale=0.01), net.normal(1000, scale=0.01))
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 224, 224])
    return net.model([image], x, ["batch", 1000])


def transformer(layers: int = 4, width: int = 256, heads: int = 4, words: int = 1000) -> ModelProto:
    """ids (batch, 32) int64 -> y (batch, 32, width): an encoder with attention and GELU."""
    net = Net(12)
    length, size = 32, width // heads

    def dense(x: str, inner: int, outer: int) -> str:
        y = net.add("MatMul", x, net.normal(inner, outer, scale=inner**-0.5))
        return net.add("Add", y, net.normal(outer, scale=0.02))

    def norm(x: str) -> str:
        centred = net.add("Sub", x, net.add("ReduceMean", x, axes=[-1]))
        square = net.add("Mul", centred, centred)
        variance = net.add("ReduceMean", square, axes=[-1])
        deviation = net.add("Sqrt", net.add("Add", variance, net.weight(np.float32(1e-5))))
        scaled = net.add("Mul", net.add("Div", centred, deviation), net.normal(width, scale=1))
        return net.add("Add", scaled, net.normal(width, scale=0.02))

    def split(x: str, perm: list[int]) -> str:
        shape = net.weight(np.array([-1, length, heads, size], np.int64))
        return net.add("Transpose", net.add("Reshape", x, shape), perm=perm)

    def attention(x: str) -> str:
        query, key, value = (
            split(dense(x, width, width), perm)
            for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
        )
        scores = net.add("Mul", net.add("MatMul", query, key), net.weight(np.float32(size**-0.5)))
        mixed = net.add("MatMul", net.add("Softmax", scores, axis=-1), value)
        mixed = net.add("Transpose", mixed, perm=[0, 2, 1, 3])
        shape = net.weight(np.array([-1, length, width], np.int64))
        return dense(net.add("Reshape", mixed, shape), width, width)

    def gelu(x: str) -> str:
        root = net.add("Erf", net.add("Div", x, net.weight(np.float32(2**0.5))))
        half = net.add("Mul", x, net.weight(np.float32(0.5)))
        return net.add("Mul", half, net.add("Add", root, net.weight(np.float32(1))))

    x = net.add("Gather", net.normal(words, width, scale=1), "ids")
    x = net.add("Add", x, net.normal(length, width, scale=1))
    for _ in range(layers):
        x = norm(net.add("Add", x, attention(x)))
        hidden = gelu(dense(x, width, 4 * width))
        x = norm(net.add("Add", x, dense(hidden, 4 * width, width)))
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", length])
    return net.model([ids], x, ["batch", length, width])
