# SPDX-License-Identifier: Apache-2.0
"""Results are ONNX Runtime's own, bit for bit, for every dtype and many inputs and outputs."""

from __future__ import annotations

from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import aclrt

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


class Case(NamedTuple):
    """One model; a node is (op, inputs, outputs, attributes)."""

    nodes: list[tuple[Any, ...]]
    inputs: list[tuple[str, str, tuple[int, ...]]]
    outputs: list[tuple[str, str, tuple[int, ...]]]
    constants: dict[str, np.ndarray] = {}  # noqa: RUF012


def weights(*shape: int, dtype: str = "float32", seed: int = 1) -> np.ndarray:
    """Numbers that look random and are always the same."""
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def binary(op: str, dtype: str, shape: tuple[int, ...] = (3, 5)) -> Case:
    """y = op(a, b)."""
    return Case(
        [(op, ["a", "b"], ["y"])], [("a", dtype, shape), ("b", dtype, shape)], [("y", dtype, shape)]
    )


CASES = {
    "float32 matmul and bias": Case(
        [("MatMul", ["x", "w"], ["m"]), ("Add", ["m", "b"], ["y"])],
        [("x", "float32", (7, 33))],
        [("y", "float32", (7, 17))],
        {"w": weights(33, 17), "b": weights(17, seed=2)},
    ),
    "float32 convolution, pool, softmax": Case(
        [
            ("Conv", ["x", "w"], ["c"], {"pads": [1, 1, 1, 1]}),
            ("Relu", ["c"], ["r"]),
            ("GlobalAveragePool", ["r"], ["g"]),
            ("Flatten", ["g"], ["f"]),
            ("Softmax", ["f"], ["probs"], {"axis": 1}),
        ],
        [("x", "float32", (2, 3, 9, 9))],
        [("probs", "float32", (2, 8))],
        {"w": weights(8, 3, 3, 3)},
    ),
    "float32 transcendental": Case(
        [("Sigmoid", ["x"], ["s"]), ("Tanh", ["s"], ["t"]), ("Exp", ["t"], ["y"])],
        [("x", "float32", (4, 100))],
        [("y", "float32", (4, 100))],
    ),
    "float32 two in, two out": Case(
        [("Add", ["a", "b"], ["sum"]), ("Mul", ["a", "b"], ["product"])],
        [("a", "float32", (5,)), ("b", "float32", (5,))],
        [("sum", "float32", (5,)), ("product", "float32", (5,))],
    ),
    "eight in, four out": Case(
        [
            (op, [f"i{2 * n}", f"i{2 * n + 1}"], [f"o{n}"])
            for n, op in enumerate(["Add", "Sub", "Mul", "Div"])
        ],
        [(f"i{n}", "float32", (n // 2 + 1, 3)) for n in range(8)],
        [(f"o{n}", "float32", (n + 1, 3)) for n in range(4)],
    ),
    "one in, three out": Case(
        [("Split", ["x"], ["a", "b", "c"], {"axis": 0, "num_outputs": 3})],
        [("x", "int32", (6, 2))],
        [("a", "int32", (2, 2)), ("b", "int32", (2, 2)), ("c", "int32", (2, 2))],
    ),
    "no input": Case([("Neg", ["c"], ["y"])], [], [("y", "float32", (4,))], {"c": weights(4)}),
    "an input is an output's twin": Case(
        [("Identity", ["x"], ["y"]), ("Identity", ["x"], ["z"])],
        [("x", "float32", (3,))],
        [("y", "float32", (3,)), ("z", "float32", (3,))],
    ),
    "float16 add": binary("Add", "float16"),
    "float16 matmul": Case(
        [("MatMul", ["x", "w"], ["y"])],
        [("x", "float16", (4, 8))],
        [("y", "float16", (4, 6))],
        {"w": weights(8, 6, dtype="float16")},
    ),
    "float64 division": binary("Div", "float64"),
    "float64 matmul": binary("MatMul", "float64", (6, 6)),
    "bfloat16 transpose": Case(
        [("Transpose", ["x"], ["y"], {"perm": [1, 0]})],
        [("x", "bfloat16", (3, 4))],
        [("y", "bfloat16", (4, 3))],
    ),
    "bfloat16 from float32": Case(
        [("Cast", ["x"], ["y"], {"to": TensorProto.BFLOAT16})],
        [("x", "float32", (64,))],
        [("y", "bfloat16", (64,))],
    ),
    "bfloat16 to float32": Case(
        [("Cast", ["x"], ["y"], {"to": TensorProto.FLOAT})],
        [("x", "bfloat16", (64,))],
        [("y", "float32", (64,))],
    ),
    "int8 quantised": Case(
        [("DequantizeLinear", ["x", "s", "z"], ["y"])],
        [("x", "int8", (4, 4))],
        [("y", "float32", (4, 4))],
        {"s": np.array(0.037, np.float32), "z": np.array(-3, np.int8)},
    ),
    "uint8 quantise": Case(
        [("QuantizeLinear", ["x", "s", "z"], ["y"])],
        [("x", "float32", (4, 4))],
        [("y", "uint8", (4, 4))],
        {"s": np.array(0.021, np.float32), "z": np.array(128, np.uint8)},
    ),
    "int16 identity": Case(
        [("Identity", ["x"], ["y"])], [("x", "int16", (9,))], [("y", "int16", (9,))]
    ),
    "uint16 concat": Case(
        [("Concat", ["a", "b"], ["y"], {"axis": 0})],
        [("a", "uint16", (2, 3)), ("b", "uint16", (1, 3))],
        [("y", "uint16", (3, 3))],
    ),
    "int32 add": binary("Add", "int32"),
    "uint32 multiply": binary("Mul", "uint32"),
    "int64 reduce": Case(
        [("ReduceSum", ["x", "axes"], ["y"], {"keepdims": 0})],
        [("x", "int64", (3, 4))],
        [("y", "int64", (3,))],
        {"axes": np.array([1], np.int64)},
    ),
    "uint64 subtract": binary("Sub", "uint64"),
    "bool logic": Case(
        [("And", ["a", "b"], ["y"]), ("Not", ["y"], ["z"])],
        [("a", "bool", (11,)), ("b", "bool", (11,))],
        [("y", "bool", (11,)), ("z", "bool", (11,))],
    ),
    "mixed dtypes": Case(
        [("Where", ["mask", "a", "b"], ["y"]), ("TopK", ["y", "k"], ["top", "index"])],
        [("mask", "bool", (8,)), ("a", "float32", (8,)), ("b", "float32", (8,))],
        [("y", "float32", (8,)), ("top", "float32", (3,)), ("index", "int64", (3,))],
        {"k": np.array([3], np.int64)},
    ),
    "gather by int32": Case(
        [("Gather", ["table", "i"], ["y"])],
        [("i", "int32", (2, 3))],
        [("y", "float32", (2, 3, 4))],
        {"table": weights(5, 4)},
    ),
    "scalar": Case([("Mul", ["x", "x"], ["y"])], [("x", "float32", ())], [("y", "float32", ())]),
    "empty": Case([("Neg", ["x"], ["y"])], [("x", "float32", (0, 3))], [("y", "float32", (0, 3))]),
}


def made_up(spec: aclrt.TensorSpec, seed: int) -> np.ndarray:
    """Values of every size for the dtype; small indices for integers that may be some."""
    rng = np.random.default_rng(seed)
    if spec.dtype == bool:
        return rng.random(spec.shape) < 0.5
    if spec.name == "i":
        return np.asarray(rng.integers(0, 5, spec.shape)).astype(spec.dtype)
    if spec.dtype.kind in "iu":
        info = np.iinfo(spec.dtype)
        return np.asarray(rng.integers(info.min, info.max, spec.shape, spec.dtype, endpoint=True))
    return np.asarray(rng.standard_normal(spec.shape) * 3).astype(spec.dtype)


def onnxruntime_results(source: bytes, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
    """What ONNX Runtime gives; for bfloat16 through exact casts from and to float32."""
    model = onnx.load_from_string(source)
    graph = model.graph
    rounded = set()
    for value in list(graph.input):
        if value.type.tensor_type.elem_type == TensorProto.BFLOAT16:
            graph.node.insert(
                0,
                helper.make_node(
                    "Cast", [value.name + "_32"], [value.name], to=TensorProto.BFLOAT16
                ),
            )
            value.name += "_32"
            value.type.tensor_type.elem_type = TensorProto.FLOAT
            rounded.add(value.name)
    narrow = []
    for value in list(graph.output):
        narrow.append(value.type.tensor_type.elem_type == TensorProto.BFLOAT16)
        if narrow[-1]:
            graph.node.append(
                helper.make_node("Cast", [value.name], [value.name + "_32"], to=TensorProto.FLOAT)
            )
            value.name += "_32"
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    feed = {
        node.name: feed[node.name.removesuffix("_32")].astype(np.float32)
        if node.name in rounded
        else feed[node.name]
        for node in session.get_inputs()
    }
    results = session.run(None, feed)
    return [
        y.astype(BFLOAT16) if is_narrow else y for y, is_narrow in zip(results, narrow, strict=True)
    ]


@pytest.mark.parametrize("name", CASES)
def test_bit_for_bit_onnxruntime(om_factory, name):
    """The same model, the same numbers, the same bits."""
    case = CASES[name]
    source = om_factory.onnx(*case)
    with aclrt.OfflineModel(om_factory.om_of(source)) as model:
        assert [tensor[0] for tensor in case.inputs] == [spec.name for spec in model.inputs]
        assert [tensor[0] for tensor in case.outputs] == [spec.name for spec in model.outputs]
        feed = {spec.name: made_up(spec, seed) for seed, spec in enumerate(model.inputs)}
        results = model.run(None, feed)
        again = model.run(None, feed)
    expected = onnxruntime_results(source, feed)
    assert len(expected) == len(results)
    for want, got, repeated in zip(expected, results, again, strict=True):
        assert want.dtype == got.dtype
        assert want.shape == got.shape
        assert want.tobytes() == got.tobytes()
        assert got.tobytes() == repeated.tobytes()


def test_every_dtype_of_onnx_and_ascendcl_is_covered():
    """The list above leaves no element type out."""
    used = {tensor[1] for case in CASES.values() for tensor in (*case.inputs, *case.outputs)}
    widths = ("8", "16", "32", "64")
    integers = {sign + bits for sign in ("int", "uint") for bits in widths}
    assert integers | {"float16", "bfloat16", "float32", "float64", "bool"} == used
    assert len(CASES) >= 20
