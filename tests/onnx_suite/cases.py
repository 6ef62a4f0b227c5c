# SPDX-License-Identifier: Apache-2.0
"""The backend tests that ship inside the onnx package: node tests and simple models.

Models and data sets as ``onnx.backend.test.runner`` would use them; all of them are local. Loading
takes some seconds, because onnx computes the node tests' expected outputs then; it is done once a
process.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import onnx
from onnx import numpy_helper
from onnx.backend.test.case.test_case import TestCase
from onnx.backend.test.loader import load_model_tests
from onnx.backend.test.runner import Runner

KINDS = ("node", "simple")

DataSet = tuple[list[Any], list[Any]]  # inputs, expected outputs


@dataclass(frozen=True)
class Case:
    """One test of the suite."""

    name: str
    kind: str
    model: onnx.ModelProto
    data_sets: list[DataSet]
    rtol: float
    atol: float

    @property
    def input_names(self) -> list[str]:
        """The inputs that are fed: old models list their constants as inputs too."""
        constants = {tensor.name for tensor in self.model.graph.initializer}
        return [value.name for value in self.model.graph.input if value.name not in constants]

    def judge(self, expected: list[Any], given: list[Any]) -> None:
        """The suite's own comparison: count, dtype, shape, values within its tolerances.

        Raises:
            AssertionError: The outputs are not what the suite asks for.
        """
        Runner.assert_similar_outputs(expected, given, self.rtol, self.atol)


@cache
def load() -> tuple[Case, ...]:
    """Every test of both kinds, in the suite's order."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # overflows that the node tests provoke on purpose
        found = [(kind, test) for kind in KINDS for test in load_model_tests(kind=kind)]
        return tuple(_case(kind, test) for kind, test in found)


def _case(kind: str, test: TestCase) -> Case:
    model = test.model
    if model is None:
        model = onnx.load(Path(test.model_dir) / "model.onnx")
    if test.data_sets is not None:
        data_sets = [
            ([_array(item) for item in inputs], [_array(item) for item in outputs])
            for inputs, outputs in test.data_sets
        ]
    else:
        data_sets = list(_stored(model, Path(test.model_dir)))
    assert data_sets, f"{test.name} has no data"
    return Case(test.name, kind, model, data_sets, test.rtol, test.atol)


def _array(item: Any) -> Any:
    return numpy_helper.to_array(item) if isinstance(item, onnx.TensorProto) else item


def _stored(model: onnx.ModelProto, folder: Path) -> Iterator[DataSet]:
    for data_set in sorted(folder.glob("test_data_set*")):
        sides: list[list[Any]] = []
        for side, values in (("input", model.graph.input), ("output", model.graph.output)):
            count = len(list(data_set.glob(f"{side}_*.pb")))
            files = [data_set / f"{side}_{index}.pb" for index in range(count)]
            sides.append(
                [
                    _value(path.read_bytes(), value.type)
                    for path, value in zip(files, values, strict=False)
                ]
            )
        yield sides[0], sides[1]


def _value(raw: bytes, kind: onnx.TypeProto) -> Any:
    if kind.HasField("sequence_type"):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(raw))
    if kind.HasField("optional_type"):
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(raw))
    return numpy_helper.to_array(onnx.TensorProto.FromString(raw))
