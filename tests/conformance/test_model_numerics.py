# SPDX-License-Identifier: Apache-2.0
"""The fake computes: outputs equal Python's onnxruntime bit for bit; made-up ones are stable."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from conformance import acl, running, small

fake_only = pytest.mark.fake_only

RANDOM = np.random.default_rng(20)
FLOAT, HALF, DOUBLE = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE


def oracle(model: onnx.ModelProto, feeds: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What onnxruntime itself says."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [port.name for port in session.get_inputs()]
    outputs: list[np.ndarray] = session.run(None, dict(zip(names, feeds, strict=True)))
    return outputs


def check(lib: acl.Library, model: onnx.ModelProto, feeds: Sequence[np.ndarray]) -> None:
    """Fake and onnxruntime agree in every bit, twice."""
    expected = oracle(model, feeds)
    model_id = running.load(lib, small.om_of(model))
    for _ in range(2):
        got = running.execute(lib, model_id, feeds, expected)
        assert [y.tobytes() for y in got] == [y.tobytes() for y in expected]
    assert lib.aclmdlUnload(model_id) == 0


def numbers(*shape: int, dtype: type = np.float32) -> np.ndarray:
    """Random numbers."""
    return RANDOM.standard_normal(shape).astype(dtype)


def unary(op: str, kind: int, shape: Sequence[int], **attributes: object) -> onnx.ModelProto:
    """y = op(x)."""
    node = helper.make_node(op, ["x"], ["y"], "n", **attributes)
    return small.graph([node], [("x", kind, shape)], [("y", kind, shape)])


def convolution() -> tuple[onnx.ModelProto, list[np.ndarray]]:
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], "relu"),
        helper.make_node("MaxPool", ["r"], ["p"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"], "flatten"),
        helper.make_node("Gemm", ["f", "g"], ["l"], "fc"),
        helper.make_node("Softmax", ["l"], ["probs"], "softmax"),
    ]
    constants = {"w": numbers(4, 3, 3, 3), "b": numbers(4), "g": numbers(4 * 8 * 8, 10)}
    ports = [("x", FLOAT, (2, 3, 16, 16))], [("probs", FLOAT, (2, 10))]
    return small.graph(nodes, *ports, constants), [numbers(2, 3, 16, 16)]


def three_outputs() -> tuple[onnx.ModelProto, list[np.ndarray]]:
    nodes = [
        helper.make_node("Split", ["x"], ["first", "second"], "cut", axis=1, num_outputs=2),
        helper.make_node("ReduceSum", ["second"], ["sum"], "sum", keepdims=0),
    ]
    outputs = [("first", FLOAT, (3, 4)), ("second", FLOAT, (3, 4)), ("sum", FLOAT, ())]
    return small.graph(nodes, [("x", FLOAT, (3, 8))], outputs), [numbers(3, 8)]


def eight_inputs() -> tuple[onnx.ModelProto, list[np.ndarray]]:
    names = [f"i{n}" for n in range(8)]
    node = helper.make_node("Concat", names, ["y"], "join", axis=0)
    ports = [(name, FLOAT, (n + 1, 2)) for n, name in enumerate(names)]
    feeds = [numbers(n + 1, 2) for n in range(8)]
    return small.graph([node], ports, [("y", FLOAT, (36, 2))]), feeds


def mixed_types() -> tuple[onnx.ModelProto, list[np.ndarray]]:
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], "half", to=HALF),
        helper.make_node("Greater", ["x", "x2"], ["mask"], "greater"),
        helper.make_node("ArgMax", ["x"], ["where"], "argmax", axis=1, keepdims=0),
        helper.make_node("Cast", ["x2"], ["d"], "wide", to=DOUBLE),
    ]
    outputs = [
        ("h", HALF, (4, 5)),
        ("mask", TensorProto.BOOL, (4, 5)),
        ("where", TensorProto.INT64, (4,)),
        ("d", DOUBLE, (4, 5)),
    ]
    inputs = [("x", FLOAT, (4, 5)), ("x2", FLOAT, (4, 5))]
    return small.graph(nodes, inputs, outputs), [numbers(4, 5), numbers(4, 5)]


def constant_output() -> tuple[onnx.ModelProto, list[np.ndarray]]:
    nodes = [helper.make_node("Neg", ["x"], ["y"], "n"), helper.make_node("Neg", ["k"], ["c"], "m")]
    outputs = [("y", FLOAT, (2,)), ("c", FLOAT, (3,))]
    constants = {"k": numbers(3)}
    return small.graph(nodes, [("x", FLOAT, (2,))], outputs, constants), [numbers(2)]


def no_inputs() -> tuple[onnx.ModelProto, list[np.ndarray]]:
    node = helper.make_node("Neg", ["k"], ["y"], "n")
    return small.graph([node], [], [("y", FLOAT, (3,))], {"k": numbers(3)}), []


def shared_buffers() -> tuple[onnx.ModelProto, list[np.ndarray]]:
    nodes = [
        helper.make_node("Identity", ["x"], ["same"], "i"),
        helper.make_node("Identity", ["same"], ["again"], "j"),
        helper.make_node("Reshape", ["x", "shape"], ["flat"], "r"),
    ]
    outputs = [("same", FLOAT, (2, 3)), ("again", FLOAT, (2, 3)), ("flat", FLOAT, (6,))]
    constants = {"shape": np.array([6], np.int64)}
    return small.graph(nodes, [("x", FLOAT, (2, 3))], outputs, constants), [numbers(2, 3)]


@pytest.mark.parametrize(
    "make",
    [
        convolution,
        three_outputs,
        eight_inputs,
        mixed_types,
        constant_output,
        no_inputs,
        shared_buffers,
    ],
)
def test_bit_equal_to_onnxruntime(
    lib: acl.Library, make: Callable[[], tuple[onnx.ModelProto, list[np.ndarray]]]
) -> None:
    """MDL-NUM-01 (17): Small models of several shapes."""
    check(lib, *make())


@pytest.mark.parametrize("op", ["Sigmoid", "Tanh", "Exp", "Sqrt", "Erf", "Gelu"])
def test_bit_equal_elementwise(lib: acl.Library, op: str) -> None:
    """MDL-NUM-02 (17): Elementwise float32; NaN and infinities included."""
    x = np.concatenate([numbers(500) * 10, np.float32([np.nan, np.inf, -np.inf, -0.0, 1e-42])])
    model = unary(op, FLOAT, x.shape)
    if op == "Gelu":
        model.opset_import[0].version = 20
    check(lib, model, [x])


@pytest.mark.parametrize(
    "dtype",
    [
        "float16",
        "float32",
        "float64",
        "int8",
        "uint8",
        "int16",
        "uint16",
        "int32",
        "uint32",
        "int64",
        "uint64",
        "bool",
    ],
)
def test_every_dtype_goes_through_unchanged(lib: acl.Library, dtype: str) -> None:
    """MDL-NUM-03 (17): All bit patterns of inputs arrive, and results of a shape operator leave
    unchanged.
    """
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    raw = RANDOM.integers(0, 256, 35 * np.dtype(dtype).itemsize, np.uint8)
    x = (raw & 1).view(bool) if dtype == "bool" else raw.view(dtype)
    node = helper.make_node("Transpose", ["x"], ["y"], "n", perm=[1, 0])
    model = small.graph([node], [("x", kind, (5, 7))], [("y", kind, (7, 5))])
    check(lib, model, [x.reshape(5, 7)])


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (TensorProto.BFLOAT16, ml_dtypes.bfloat16),
        (TensorProto.FLOAT8E4M3FN, ml_dtypes.float8_e4m3fn),
        (TensorProto.FLOAT8E5M2, ml_dtypes.float8_e5m2),
    ],
)
def test_types_that_numpy_lacks(lib: acl.Library, kind: int, dtype: type) -> None:
    """MDL-NUM-04 (17): bfloat16 and the 8-bit floats: cast to float32 and back."""
    nodes = [
        helper.make_node("Cast", ["x"], ["wide"], "up", to=FLOAT),
        helper.make_node("Cast", ["wide"], ["y"], "down", to=kind),
    ]
    outputs = [("wide", FLOAT, (64,)), ("y", kind, (64,))]
    model_id = running.load(lib, small.om_of(small.graph(nodes, [("x", kind, (64,))], outputs)))
    x = numbers(64).astype(dtype)
    wide, y = running.execute(lib, model_id, [x], [x.astype(np.float32), x])
    np.testing.assert_array_equal(wide, x.astype(np.float32))
    assert y.tobytes() == x.tobytes()
    assert lib.aclmdlUnload(model_id) == 0


@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0, 2)])
def test_scalars_and_empty_tensors(lib: acl.Library, shape: tuple[int, ...]) -> None:
    """MDL-NUM-05 (17): 0-d tensors and tensors of no elements."""
    check(lib, unary("Neg", FLOAT, shape), [numbers(*shape).reshape(shape)])


def test_empty_tensors_need_no_memory(lib: acl.Library) -> None:
    """MDL-NUM-06 (17): A buffer of (nullptr, 0) serves a tensor of no elements, in and out."""
    model_id = running.load(lib, small.om_of(unary("Neg", FLOAT, (0, 4))))
    with running.Buffers(lib) as device:
        target = device.dataset((None, 0))
        assert lib.aclmdlExecute(model_id, device.dataset((None, 0)), target) == 0
        assert lib.aclGetDataBufferAddr(lib.aclmdlGetDatasetBuffer(target, 0)) is None
    assert lib.aclmdlUnload(model_id) == 0


def test_unaligned_addresses(lib: acl.Library) -> None:
    """MDL-NUM-07 (17): Buffers at odd addresses inside an allocation give the same result."""
    x = numbers(2, 3)
    model_id = running.load(lib, small.double())
    with running.Buffers(lib) as device:
        source, target = device.alloc(64) + 1, device.alloc(64) + 3
        device.write(source, x)
        args = device.dataset((source, x.nbytes)), device.dataset((target, x.nbytes))
        assert lib.aclmdlExecute(model_id, *args) == 0
        np.testing.assert_array_equal(device.read(target, x), x + x)
    assert lib.aclmdlUnload(model_id) == 0


def test_failing_operator(lib: acl.Library) -> None:
    """MDL-NUM-08 (17): An operator that fails at run time is 507011 with ONNX Runtime's text; the
    next run works.
    """
    node = helper.make_node("Gather", ["x", "i"], ["y"], "pick")
    inputs = [("x", FLOAT, (4,)), ("i", TensorProto.INT64, (2,))]
    model_id = running.load(lib, small.om_of(small.graph([node], inputs, [("y", FLOAT, (2,))])))
    x = numbers(4)
    with running.Buffers(lib) as device:
        target = device.dataset((device.alloc(8), 8))
        bad = device.upload(np.array([0, 99], np.int64))
        source = device.dataset((device.upload(x), 16), (bad, 16))
        lib.message()
        code = lib.aclmdlExecute(model_id, source, target)
        assert code == acl.codes()["ACL_ERROR_RT_MODEL_EXECUTE"]
        assert "ONNX Runtime" in lib.message()
    (y,) = running.execute(lib, model_id, [x, np.array([0, 3], np.int64)], [x[:2]])
    np.testing.assert_array_equal(y, x[[0, 3]])
    assert lib.aclmdlUnload(model_id) == 0


# ---- made-up outputs -----------------------------------------------------------------------------


@pytest.fixture
def synthetic(lib: acl.Library, monkeypatch: pytest.MonkeyPatch) -> acl.Library:
    """The library with ACLRT_FAKE_ENGINE=synthetic."""
    monkeypatch.setenv("ACLRT_FAKE_ENGINE", "synthetic")
    return lib


@fake_only
def test_synthetic_outputs_depend_on_their_inputs(synthetic: acl.Library) -> None:
    """MDL-NUM-09 (fake): Equal bytes in, equal bytes out, in two loads; one changed byte changes
    the output.
    """
    x = numbers(2, 3)
    other = x.copy()
    other[1, 2] += 1
    results = []
    for _ in range(2):
        model_id = running.load(synthetic, small.double())
        for feed in (x, other, x):
            results.append(running.execute(synthetic, model_id, [feed], [x])[0].tobytes())
        assert synthetic.aclmdlUnload(model_id) == 0
    assert results[:3] == results[3:]
    assert results[0] == results[2] != results[1]


@fake_only
def test_synthetic_outputs_are_sane_numbers(synthetic: acl.Library) -> None:
    """MDL-NUM-10 (fake): Floats lie in [1, 2), bools are 0 or 1, and each output has numbers of its
    own.
    """
    model, feeds = mixed_types()
    model_id = running.load(synthetic, small.om_of(model))
    likes = oracle(model, feeds)
    half, mask, _, double = running.execute(synthetic, model_id, feeds, likes)
    for floats in (half, double):
        assert ((floats >= 1) & (floats < 2)).all()
        assert len(set(floats.ravel().tolist())) > 10
    assert set(mask.view(np.uint8).ravel().tolist()) == {0, 1}
    assert synthetic.aclmdlUnload(model_id) == 0


@fake_only
def test_synthetic_ignores_bytes_behind_the_tensor(synthetic: acl.Library) -> None:
    """MDL-NUM-11 (fake): A larger buffer gives the same result."""
    x = numbers(2, 3)
    model_id = running.load(synthetic, small.double())
    (expected,) = running.execute(synthetic, model_id, [x], [x])
    with running.Buffers(synthetic) as device:
        data, where = device.upload(np.resize(x, 100)), device.alloc(400)
        args = device.dataset((data, 400)), device.dataset((where, 400))
        assert synthetic.aclmdlExecute(model_id, *args) == 0
        assert device.read(where, x).tobytes() == expected.tobytes()
    assert synthetic.aclmdlUnload(model_id) == 0


# ---- the library that computes -------------------------------------------------------------------


@fake_only
def test_a_missing_onnxruntime_is_explained(tmp_path: Path) -> None:
    """MDL-NUM-12 (fake): Where it was looked for, and what to do: the whole list is in the
    message.
    """
    om = tmp_path / "model.om"
    om.write_bytes(small.double())
    program = """
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
lib.aclGetRecentErrMsg.restype = ctypes.c_char_p
if sys.argv[3]:
    lib.aclfake_set_onnxruntime(sys.argv[3].encode())
assert lib.aclInit(None) == 0 and lib.aclrtSetDevice(0) == 0
code = lib.aclmdlLoadFromFile(sys.argv[2].encode(), ctypes.byref(ctypes.c_uint32()))
print(code, lib.aclGetRecentErrMsg().decode())
"""
    environment = {k: v for k, v in os.environ.items() if k != "ACLRT_FAKE_ONNXRUNTIME"}
    environment["VIRTUAL_ENV"] = str(tmp_path)
    for named in ("", "/nowhere/libonnxruntime.so"):
        done = subprocess.run(
            [sys.executable, "-c", program, str(acl.library_path()), str(om), named],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert done.stdout.startswith("545002 ")
        assert "pip install onnxruntime" in done.stdout
        assert "ACLRT_FAKE_ONNXRUNTIME" in done.stdout
        looked_at = [named] if named else ["libonnxruntime.so.1", "beside aclrt", "VIRTUAL_ENV"]
        for place in looked_at:
            assert place in done.stdout
        assert ("beside aclrt" in done.stdout) == (not named)
