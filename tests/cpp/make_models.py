# SPDX-License-Identifier: Apache-2.0
"""Writes the simulated models that the C++ tests run: `make_models.py FOLDER`.

digits.om   the example: image float32 (1, 1, 8, 8) -> probs
add.om      a, b float32 (2, 3) -> sum, difference
types.om    f16, i8, u8, i64, flag: each goes out as <name>_out unchanged
gears.om    x float32 (N, 3) -> y = -x; N is 1, 2 or 4
range.om    x float32 (N, L) -> y = -x; N is 1 to 4, L any
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

import aclrt

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "digits" / "digits.onnx"
TYPES = {
    "f16": TensorProto.FLOAT16,
    "i8": TensorProto.INT8,
    "u8": TensorProto.UINT8,
    "i64": TensorProto.INT64,
    "flag": TensorProto.BOOL,
}


def model(
    nodes: list[onnx.NodeProto], inputs: dict[str, int], outputs: dict[str, int], shape: list[Any]
) -> onnx.ModelProto:
    """An ONNX model whose tensors all have one shape."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, dtype, shape) for name, dtype in inputs.items()],
        [helper.make_tensor_value_info(name, dtype, shape) for name, dtype in outputs.items()],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="aclrt"
    )


def add() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Add", ["a", "b"], ["sum"], "plus"),
        helper.make_node("Sub", ["a", "b"], ["difference"], "minus"),
    ]
    both = dict.fromkeys(("a", "b"), TensorProto.FLOAT)
    return model(nodes, both, dict.fromkeys(("sum", "difference"), TensorProto.FLOAT), [2, 3])


def types() -> onnx.ModelProto:
    nodes = [helper.make_node("Identity", [name], [f"{name}_out"], name) for name in TYPES]
    return model(nodes, TYPES, {f"{name}_out": dtype for name, dtype in TYPES.items()}, [4])


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    aclrt.convert(EXAMPLE, folder / "digits.om", input_shape={"image": (1, 1, 8, 8)})
    for name, made in {"add": add(), "types": types()}.items():
        onnx.save(made, folder / f"{name}.onnx")
        aclrt.convert(folder / f"{name}.onnx", folder / f"{name}.om")
    shapes = {"x": TensorProto.FLOAT}, {"y": TensorProto.FLOAT}
    negative = [helper.make_node("Neg", ["x"], ["y"], "negative")]
    aclrt.convert(
        model(negative, *shapes, ["N", 3]),
        folder / "gears.om",
        input_shape={"x": (-1, 3)},
        dynamic_batch_size=(1, 2, 4),
    )
    aclrt.convert(
        model(negative, *shapes, ["N", "L"]),
        folder / "range.om",
        input_shape_range={"x": ((1, 4), (1, -1))},
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
