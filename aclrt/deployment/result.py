# SPDX-License-Identifier: Apache-2.0
"""What a deployment did, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..bench import BenchReport
    from ..compare import Comparison

__all__ = ["DeployInterrupted", "DeployStep", "DeployedModel", "Deployment"]

SCHEMA = "aclrt-deploy/1"
_DIFFERENT = 3
_INTERRUPTED = 130


@dataclass(frozen=True)
class DeployStep:
    """One step.

    Attributes:
        name: ``"doctor"``, ``"convert"``, ``"compare"`` or ``"bench"``.
        status: ``"done"``; ``"failed"``; ``"different"`` (compare: outputs out of tolerance);
            ``"skipped"`` (as asked); ``"not run"`` (something that it needs failed);
            ``"interrupted"``.
        seconds: How long it took; 0 where it did not run.
        summary: One sentence: what came out, or why it did not run.
        next_step: What to do where it failed; else ``""``.
    """

    name: str
    status: str
    seconds: float
    summary: str
    next_step: str = ""

    def to_dict(self) -> dict[str, Any]:
        """All fields."""
        return dict(vars(self))


@dataclass(frozen=True)
class DeployedModel:
    """One offline model that was made, or found.

    Attributes:
        path: The file.
        batch: Its batch size; None where it has several, or none.
        nbytes: Its size.
        simulated: Made without CANN: it runs on the fake device.
    """

    path: Path
    batch: int | None
    nbytes: int
    simulated: bool

    def to_dict(self) -> dict[str, Any]:
        """All fields, with values that can be written as JSON."""
        return {**vars(self), "path": str(self.path)}


@dataclass(frozen=True)
class Deployment:
    """What ``deploy`` did.

    Attributes:
        created: When, as ISO 8601 in UTC.
        onnx: The model that was deployed.
        output: The folder with everything.
        is_partial: Interrupted; what came out until then is there.
        steps: All four, in order.
        models: What was made, one for each batch size.
        doctor: The document of ``aclrt.doctor.collect``; None if it was skipped.
        comparisons: One for each model.
        bench: The measurements; None if there are none.
        files: What was written into ``output``.
    """

    created: str
    onnx: str
    output: Path
    is_partial: bool
    steps: tuple[DeployStep, ...]
    models: tuple[DeployedModel, ...]
    doctor: dict[str, Any] | None
    comparisons: tuple[Comparison, ...]
    bench: BenchReport | None
    files: tuple[Path, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every step that was asked for is done."""
        return not self.is_partial and all(s.status in ("done", "skipped") for s in self.steps)

    @property
    def exit_code(self) -> int:
        """Of ``aclrt deploy``: 0, 1 (a step failed), 3 (outputs differ, all else is well), 130."""
        if self.is_partial:
            return _INTERRUPTED
        found = {step.status for step in self.steps} - {"done", "skipped"}
        return (_DIFFERENT if found == {"different"} else 1) if found else 0

    def to_dict(self) -> dict[str, Any]:
        """The JSON document, schema ``aclrt-deploy/1``."""
        return {
            "schema": SCHEMA,
            "created": self.created,
            "onnx": self.onnx,
            "output": str(self.output),
            "ok": self.ok,
            "is_partial": self.is_partial,
            "steps": [step.to_dict() for step in self.steps],
            "models": [model.to_dict() for model in self.models],
            "doctor": self.doctor,
            "comparisons": [comparison.to_dict() for comparison in self.comparisons],
            "bench": None if self.bench is None else self.bench.to_dict(),
            "files": [str(file) for file in self.files],
        }

    def to_markdown(self) -> str:
        """The report for a pull request or a ticket."""
        from .report import markdown

        return markdown(self)

    def to_html(self) -> str:
        """One page with everything in it, the full reports of compare and bench too."""
        from .report import page

        return page(self)


class DeployInterrupted(KeyboardInterrupt):
    """Ctrl-C came; the reports in the folder say what was done until then.

    Attributes:
        result: The same as a ``Deployment``, marked partial.
    """

    def __init__(self, result: Deployment) -> None:
        super().__init__("interrupted")
        self.result = result
