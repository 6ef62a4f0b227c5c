# SPDX-License-Identifier: Apache-2.0
"""Models with gears and with ranges, what a client does around them, and what ONNX Runtime says."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

import aclrt
from conformance import acl, running, small

FLOAT = TensorProto.FLOAT
GEAR_INPUT = b"ascend_mbatch_shape_data"
ALL_INPUTS = ctypes.c_size_t(-1).value
BATCHES = (1, 4, 8)
IMAGES = ((4, 6), (8, 6), (5, 9))
# The example of the contract, 18.3: data 1,1,40,-1; label 1,-1; mask -1,-1.
DIMS = ((20, 20, 1, 1), (40, 40, 2, 2), (7, 11, 3, 5))


@dataclass(frozen=True)
class Dynamic:
    """An ONNX graph and the .om made of it."""

    onnx: bytes
    om: bytes

    def expected(self, *feeds: np.ndarray) -> list[np.ndarray]:
        """The results of ONNX Runtime."""
        session = onnxruntime.InferenceSession(self.onnx, providers=["CPUExecutionProvider"])
        names = [port.name for port in session.get_inputs()]
        return list(session.run(None, dict(zip(names, feeds, strict=True))))


def _made(model: onnx.ModelProto, **options: Any) -> Dynamic:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(aclrt.convert(model, Path(folder) / "model.om", **options))
        return Dynamic(model.SerializeToString(), path.read_bytes())


@cache
def batch(sizes: tuple[int, ...] = BATCHES) -> Dynamic:
    """x (N, 3, 2) -> y = x + x, s (N,) = sum, c (2, 2) whatever the gear is."""
    nodes = [
        helper.make_node("Add", ["x", "x"], ["y"], "twice"),
        helper.make_node("ReduceSum", ["x", "axes"], ["s"], "sum", keepdims=0),
        helper.make_node("Neg", ["k"], ["c"], "constant"),
    ]
    graph = small.graph(
        nodes,
        [("x", FLOAT, ("N", 3, 2))],
        [("y", FLOAT, ("N", 3, 2)), ("s", FLOAT, ("N",)), ("c", FLOAT, (2, 2))],
        {"axes": np.array([1, 2]), "k": np.arange(4, dtype=np.float32).reshape(2, 2)},
    )
    return _made(graph, input_shape="x:-1,3,2", dynamic_batch_size=",".join(map(str, sizes)))


@cache
def image() -> Dynamic:
    """x (1, 2, H, W) -> y = x * x, g (1, 2, 1, 1) = the mean of each channel."""
    nodes = [
        helper.make_node("Mul", ["x", "x"], ["y"], "square"),
        helper.make_node("GlobalAveragePool", ["x"], ["g"], "mean"),
    ]
    graph = small.graph(
        nodes,
        [("x", FLOAT, (1, 2, "H", "W"))],
        [("y", FLOAT, (1, 2, "H", "W")), ("g", FLOAT, (1, 2, 1, 1))],
    )
    sizes = ";".join(f"{height},{width}" for height, width in IMAGES)
    return _made(graph, input_shape="x:1,2,-1,-1", dynamic_image_size=sizes)


@cache
def dims() -> Dynamic:
    """data (1, 1, 40, A), label (1, B), mask (C, D) -> each of them plus itself."""
    pairs = [("data", "d"), ("label", "l"), ("mask", "m")]
    nodes = [helper.make_node("Add", [a, a], [b], f"twice_{a}") for a, b in pairs]
    shapes: list[tuple[Any, ...]] = [(1, 1, 40, "A"), (1, "B"), ("C", "D")]
    graph = small.graph(
        nodes,
        [(pair[0], FLOAT, shape) for pair, shape in zip(pairs, shapes, strict=True)],
        [(pair[1], FLOAT, shape) for pair, shape in zip(pairs, shapes, strict=True)],
    )
    gears = ";".join(",".join(map(str, gear)) for gear in DIMS)
    return _made(graph, input_shape="data:1,1,40,-1;label:1,-1;mask:-1,-1", dynamic_dims=gears)


@cache
def ranges(spec: str = "x:[1~8,3,-1]") -> Dynamic:
    """x (1~8, 3, any) -> y = x + x, s (N,) = sum."""
    nodes = [
        helper.make_node("Add", ["x", "x"], ["y"], "twice"),
        helper.make_node("ReduceSum", ["x", "axes"], ["s"], "sum", keepdims=0),
    ]
    graph = small.graph(
        nodes,
        [("x", FLOAT, ("N", 3, "L"))],
        [("y", FLOAT, ("N", 3, "L")), ("s", FLOAT, ("N",))],
        {"axes": np.array([1, 2])},
    )
    return _made(graph, input_shape_range=spec)


@cache
def found() -> Dynamic:
    """x (1~16,) -> where int64 (1, any): the places that are not 0, as many as the data say."""
    node = helper.make_node("NonZero", ["x"], ["where"], "find")
    graph = small.graph([node], [("x", FLOAT, ("N",))], [("where", TensorProto.INT64, (1, "K"))])
    return _made(graph, input_shape_range="x:[1~16]")


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    """float32 of both signs."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@dataclass
class Bench:
    """A loaded model with buffers of the sizes that it asks for."""

    lib: acl.Library
    model: int
    desc: int
    device: running.Buffers
    sources: list[tuple[int, int]] = field(default_factory=list)
    targets: list[tuple[int, int]] = field(default_factory=list)
    inputs: int = 0
    outputs: int = 0
    gear: int = 0  # index of the gear input

    def name(self, index: int) -> bytes:
        """Of an input."""
        return bytes(self.lib.aclmdlGetInputNameByIndex(self.desc, index))

    def set_batch(self, size: int, inputs: int | None = None) -> int:
        """aclmdlSetDynamicBatchSize."""
        function = self.lib.aclmdlSetDynamicBatchSize
        return int(function(self.model, inputs or self.inputs, self.gear, size))

    def set_image(self, height: int, width: int) -> int:
        """aclmdlSetDynamicHWSize."""
        function = self.lib.aclmdlSetDynamicHWSize
        return int(function(self.model, self.inputs, self.gear, height, width))

    def set_dims(self, *dims: int) -> int:
        """aclmdlSetInputDynamicDims."""
        given = acl.IODims(dimCount=len(dims))
        given.dims[: len(dims)] = dims
        function = self.lib.aclmdlSetInputDynamicDims
        return int(function(self.model, self.inputs, self.gear, ctypes.byref(given)))

    def set_desc(self, index: int, *shape: int) -> None:
        """aclmdlSetDatasetTensorDesc with these dims; the type is not looked at."""
        made = (ctypes.c_int64 * max(len(shape), 1))(*shape)
        desc = self.lib.aclCreateTensorDesc(0, len(shape), made, 2)
        assert desc
        assert self.lib.aclmdlSetDatasetTensorDesc(self.inputs, desc, index) == 0
        self.lib.aclDestroyTensorDesc(desc)

    def feed(self, *feeds: np.ndarray) -> None:
        """Copies into the first inputs."""
        for (target, size), array in zip(self.sources, feeds, strict=False):
            assert array.nbytes <= size
            self.device.write(target, np.ascontiguousarray(array))

    def run(self, inputs: int | None = None, outputs: int | None = None) -> int:
        """aclmdlExecute."""
        function = self.lib.aclmdlExecute
        return int(function(self.model, inputs or self.inputs, outputs or self.outputs))

    def queue(self, stream: Any, inputs: int | None = None, outputs: int | None = None) -> int:
        """aclmdlExecuteAsync."""
        function = self.lib.aclmdlExecuteAsync
        return int(function(self.model, inputs or self.inputs, outputs or self.outputs, stream))

    def shape(self, output: int) -> tuple[int, ...]:
        """aclmdlGetCurOutputDims."""
        dims = acl.IODims()
        code = self.lib.aclmdlGetCurOutputDims(self.desc, output, ctypes.byref(dims))
        assert code == 0, self.lib.message()
        return dims.shape()

    def real_shape(self, output: int, outputs: int | None = None) -> tuple[int, ...]:
        """Of the output's tensor desc in the dataset."""
        desc = self.lib.aclmdlGetDatasetTensorDesc(outputs or self.outputs, output)
        assert desc
        rank = self.lib.aclGetTensorDescNumDims(desc)
        return tuple(self.lib.aclGetTensorDescDim(desc, i) for i in range(rank))

    def read(self, output: int, like: np.ndarray) -> np.ndarray:
        """The first bytes of an output's memory."""
        return self.device.read(self.targets[output][0], like)

    def check(self, expected: Sequence[np.ndarray]) -> None:
        """The outputs hold ONNX Runtime's results, to the last bit."""
        for output, array in enumerate(expected):
            np.testing.assert_array_equal(self.read(output, array), array)


def size_of(lib: acl.Library, desc: int, index: int, output: bool = False) -> int:
    """What aclmdlGet...SizeByIndex says."""
    name = "aclmdlGetOutputSizeByIndex" if output else "aclmdlGetInputSizeByIndex"
    return int(getattr(lib, name)(desc, index))


@contextmanager
def bench(
    lib: acl.Library, made: Dynamic, room: int = 4096, gear_bytes: int | None = None
) -> Iterator[Bench]:
    """Loads, and frees at the end. room: bytes of a buffer whose size the model does not tell."""
    model = running.load(lib, made.om)
    desc = lib.aclmdlCreateDesc()
    assert lib.aclmdlGetDesc(desc, model) == 0
    with running.Buffers(lib) as device:
        work = Bench(lib, model, desc, device)
        count = lib.aclmdlGetNumInputs(desc)
        for index in range(count):
            size = size_of(lib, desc, index) or room
            if work.name(index) == GEAR_INPUT:
                work.gear = index
                size = gear_bytes or size
            work.sources.append((device.alloc(size), size))
        for index in range(lib.aclmdlGetNumOutputs(desc)):
            size = size_of(lib, desc, index, output=True) or room
            work.targets.append((device.alloc(size), size))
        work.inputs = device.dataset(*work.sources)
        work.outputs = device.dataset(*work.targets)
        yield work
    assert lib.aclmdlDestroyDesc(desc) == 0
    if work.model:
        assert lib.aclmdlUnload(work.model) == 0
