# SPDX-License-Identifier: Apache-2.0
"""What a comparison found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .metrics import OutputComparison

__all__ = ["Case", "Comparison"]


@dataclass(frozen=True)
class Case:
    """One set of inputs through both sides.

    Attributes:
        label: Where the inputs are from: ``"made up, seed 0"``, ``"given"``.
        outputs: Each output of the first side.
    """

    label: str
    outputs: tuple[OutputComparison, ...]

    @property
    def passed(self) -> bool:
        """Whether all outputs are within their tolerance."""
        return all(output.passed for output in self.outputs)

    def to_dict(self) -> dict[str, Any]:
        """All fields, with values that can be written as JSON."""
        outputs = [output.to_dict() for output in self.outputs]
        return {"label": self.label, "passed": self.passed, "outputs": outputs}


@dataclass(frozen=True)
class Comparison:
    """The outputs of one side beside those of the other, the reference.

    Attributes:
        first: The path under test.
        second: The path of the reference.
        first_kind: ``"om"``, ``"onnx"`` or ``"saved"``.
        second_kind: The same of the reference.
        cases: One for each set of inputs.
        cautions: What to bear in mind when reading the verdict.
        advice: What to look at next; empty where all passed.
    """

    first: str
    second: str
    first_kind: str
    second_kind: str
    cases: tuple[Case, ...]
    cautions: tuple[str, ...]
    advice: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether all outputs of all cases are within their tolerance."""
        return all(case.passed for case in self.cases)

    def to_dict(self) -> dict[str, Any]:
        """The JSON document, schema ``aclrt-compare/1``."""
        return {
            "schema": "aclrt-compare/1",
            "passed": self.passed,
            "first": {"path": self.first, "kind": self.first_kind},
            "second": {"path": self.second, "kind": self.second_kind},
            "cases": [case.to_dict() for case in self.cases],
            "cautions": list(self.cautions),
            "advice": list(self.advice),
        }
