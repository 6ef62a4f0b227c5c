# SPDX-License-Identifier: Apache-2.0
"""What every test shares: the fake device, small models made in memory, a clean ledger.

The backend is chosen here, before aclrt is imported, and child processes inherit it.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

os.environ.setdefault("ACLRT_BACKEND", "fake")  # npu: tests/conformance alone, on a card
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # of the onnxruntime that tests import themselves

import numpy as np
import pytest
from hypothesis import settings

import aclrt

settings.register_profile("push", derandomize=True, deadline=None, max_examples=40, database=None)
settings.load_profile("push")

Tensor = tuple[str, str, tuple[int, ...]]  # name, dtype, shape


def _live() -> dict[str, int]:
    """The objects alive on the fake device, by kind; none alive is left out."""
    objects = aclrt.fake.ledger()["objects"]
    return {kind: count["live"] for kind, count in objects.items() if count["live"]}


@pytest.fixture(autouse=True, scope="module")
def small_heap() -> None:
    """What the tests before have left stays out of every collection: it took most of their time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def clean_ledger(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test leaves the device as it found it."""
    before = _live()
    yield
    if _live() != before:  # rarely: a collection takes longer than most tests
        gc.collect()
    assert _live() == before


@pytest.fixture
def live_objects() -> Callable[[], dict[str, int]]:
    """The objects alive on the fake device, by kind."""
    return _live


class ModelFactory:
    """Small models, made in memory: ONNX bytes, and the simulated .om converted from them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self.om_of = lru_cache(maxsize=None)(self._convert)

    def _convert(self, onnx_bytes: bytes) -> bytes:
        self._count += 1
        source = self._folder / f"{self._count}.onnx"
        source.write_bytes(onnx_bytes)
        aclrt.convert(source, source.with_suffix(".om"))
        return source.with_suffix(".om").read_bytes()

    @staticmethod
    def onnx(
        nodes: Sequence[tuple[Any, ...]],
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        constants: dict[str, np.ndarray] | None = None,
    ) -> bytes:
        """An ONNX model; a node is (op, input names, output names, attributes)."""
        from onnx import TensorProto, checker, helper, numpy_helper

        def value(name: str, dtype: str, shape: tuple[int, ...]) -> Any:
            element = {"bfloat16": TensorProto.BFLOAT16}.get(dtype)
            if element is None:
                element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
            return helper.make_tensor_value_info(name, element, shape)

        graph = helper.make_graph(
            [
                helper.make_node(op, ins, outs, name=f"{op}_{i}", **(rest[0] if rest else {}))
                for i, (op, ins, outs, *rest) in enumerate(nodes)
            ],
            "small",
            [value(*tensor) for tensor in inputs],
            [value(*tensor) for tensor in outputs],
            [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
        )
        opsets = [helper.make_opsetid("", 19)]
        model = helper.make_model(graph, ir_version=9, opset_imports=opsets)
        checker.check_model(model)
        serialised: bytes = model.SerializeToString(deterministic=True)
        return serialised

    def __call__(
        self,
        nodes: Sequence[tuple[Any, ...]],
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        constants: dict[str, np.ndarray] | None = None,
    ) -> bytes:
        """The simulated .om of such a model."""
        return self.om_of(self.onnx(nodes, inputs, outputs, constants))

    def identity(self, dtype: str = "float32", shape: tuple[int, ...] = (2, 3)) -> bytes:
        """x -> y, unchanged."""
        return self([("Identity", ["x"], ["y"])], [("x", dtype, shape)], [("y", dtype, shape)])

    def two_in_two_out(self) -> bytes:
        """image float32 (1, 2, 4), mask bool (2,) -> probs = -image, flags = not mask."""
        return self(
            [("Neg", ["image"], ["probs"]), ("Not", ["mask"], ["flags"])],
            [("image", "float32", (1, 2, 4)), ("mask", "bool", (2,))],
            [("probs", "float32", (1, 2, 4)), ("flags", "bool", (2,))],
        )


@pytest.fixture(scope="session")
def om_factory(tmp_path_factory: pytest.TempPathFactory) -> ModelFactory:
    """Makes small models, each converted once a session."""
    return ModelFactory(tmp_path_factory.mktemp("models"))


@pytest.fixture
def pair(om_factory: ModelFactory) -> Iterator[aclrt.OfflineModel]:
    """A loaded model with two inputs and two outputs (see ``two_in_two_out``)."""
    with aclrt.OfflineModel(om_factory.two_in_two_out()) as model:
        yield model


@pytest.fixture
def image() -> np.ndarray:
    """A value for the input ``image`` of ``pair``."""
    return np.arange(8, dtype=np.float32).reshape(1, 2, 4)


@pytest.fixture
def mask() -> np.ndarray:
    """A value for the input ``mask`` of ``pair``."""
    return np.array([True, False])
