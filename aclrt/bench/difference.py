# SPDX-License-Identifier: Apache-2.0
"""Two reports compared: has anything become worse by more than a limit, and is that certain?"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .config import load
from .schema import DIFF, REPORT, check
from .statistics import change, label

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BenchDiff", "Change", "diff"]

_LEAST = 30  # samples, for an interval that means something


@dataclass(frozen=True)
class Change:
    """How one figure of a measurement changed.

    Attributes:
        metric: ``"p50"`` and the like (milliseconds), or ``"throughput"`` (inferences a second).
        old: The figure before.
        new: The figure now.
        change: Relative: 0.1 is a tenth more.
        low: The lower end of the interval of ``change``.
        high: The upper end.
        verdict: ``"worse"``: by more than the limit, the whole interval beyond it; ``"better"``:
            likewise; ``"same"``: the whole interval within the limit; ``"uncertain"``: the interval
            reaches over the limit, so more samples are needed.
    """

    metric: str
    old: float
    new: float
    change: float
    low: float
    high: float
    verdict: str


@dataclass(frozen=True)
class BenchDiff:
    """The comparison of two reports.

    Attributes:
        old: The file before.
        new: The file now.
        fail_on: The limit, relative.
        confidence: Of the intervals.
        runs: Name and changes of each measurement that both have.
        cautions: What to bear in mind, a sentence each.
    """

    old: str
    new: str
    fail_on: float
    confidence: float
    runs: tuple[tuple[str, tuple[Change, ...]], ...]
    cautions: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is certainly worse by more than the limit."""
        return all(c.verdict != "worse" for _, changes in self.runs for c in changes)

    def to_dict(self) -> dict[str, Any]:
        """The JSON document, schema ``aclrt-bench-diff/1``."""
        return {
            "schema": DIFF,
            "old": self.old,
            "new": self.new,
            "fail_on": self.fail_on,
            "confidence": self.confidence,
            "ok": self.ok,
            "runs": [
                {"name": name, "changes": [dict(vars(c)) for c in changes]}
                for name, changes in self.runs
            ],
            "cautions": list(self.cautions),
        }


def diff(
    old: str | os.PathLike[str],
    new: str | os.PathLike[str],
    *,
    fail_on: float = 0.05,
    confidence: float = 0.95,
    metrics: tuple[str, ...] = ("p50", "throughput"),
) -> BenchDiff:
    """Compares two reports that ``aclrt bench --json`` wrote.

    Args:
        old: The report before.
        new: The report now.
        fail_on: How much worse is too much, relative.
        confidence: Of the intervals.
        metrics: ``"throughput"``, ``"mean"``, or ``"p"`` and a percentile. Throughput of an open
            loop is the rate that was asked for, so it is left out there.

    Returns:
        The comparison; ``ok`` is the verdict.

    Raises:
        InputError: A file is no such report, has too few samples, or nothing in common with the
            other.
        OSError: A file cannot be read.
    """
    if not 0 < fail_on < 10:
        raise InputError(f"fail_on must be above 0 and below 10 (1000 %), not {fail_on}")
    if not 0.5 <= confidence < 1:
        raise InputError(f"confidence must be at least 0.5 and below 1, not {confidence}")
    for metric in metrics:
        _percent(metric)
    documents = [load(path) for path in (old, new)]
    for path, document in zip((old, new), documents, strict=True):
        check(document, REPORT, os.fspath(path))
    before, after = (_runs(document) for document in documents)
    if len(before) == len(after) == 1:  # one and one: meant to be compared, whatever their names
        before = dict(zip(after, before.values(), strict=True))
    common = [name for name in after if name in before]
    if not common:
        raise InputError(
            f"the reports have no measurement in common: {', '.join(before)} and {', '.join(after)}"
        )
    cautions = _cautions(documents, before, after)
    compared = []
    for name in common:
        pair = before[name], after[name]
        changes = [
            _change(*pair, metric, fail_on, confidence)
            for metric in metrics
            if metric != "throughput" or not any(run["rate"] for run in pair)
        ]
        compared.append((name, tuple(changes)))
    return BenchDiff(
        os.fspath(old), os.fspath(new), fail_on, confidence, tuple(compared), tuple(cautions)
    )


def _percent(metric: str) -> float | None:
    """The percentile that a metric is; None for the mean and for throughput."""
    if metric in ("throughput", "mean"):
        return None
    try:
        percent = float(metric.removeprefix("p"))
    except ValueError:
        percent = 0
    if not metric.startswith("p") or not 0 < percent < 100:
        raise InputError(f"the metric {metric!r} is not throughput, mean, p50, p90 or the like")
    return percent


def _runs(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    runs = {}
    for run in document["runs"]:
        name = f"{Path(run['model']).name or 'model'}, batch {run['batch']}"
        name += f", {run['threads']} x {run['instances']} on {len(run['devices'])}"
        runs[name + (f", {run['rate']:g}/s" if run["rate"] else "")] = run
    return runs


def _cautions(
    documents: list[dict[str, Any]], before: dict[str, Any], after: dict[str, Any]
) -> list[str]:
    cautions = []
    first, second = (document["machine"] for document in documents)
    for name in ("cpu", "cores", "backend", "soc_name", "acl_version", "fake_profile"):
        if first[name] != second[name]:
            cautions.append(f"{name} was {first[name]!r} and is {second[name]!r}")
    if any(document["is_partial"] for document in documents):
        cautions.append("a measurement was interrupted")
    lost = [name for name in before if name not in after]
    new = [name for name in after if name not in before]
    if lost:
        cautions.append(f"only in the old report: {', '.join(lost)}")
    if new:
        cautions.append(f"only in the new report: {', '.join(new)}")
    return cautions


def _change(
    old: dict[str, Any], new: dict[str, Any], metric: str, fail_on: float, confidence: float
) -> Change:
    percent = _percent(metric)
    rows = [_row(run, metric) for run in (old, new)]

    def statistic(samples: NDArray[Any]) -> NDArray[Any]:
        if percent is None:
            return np.asarray(samples.mean(axis=-1))
        return np.asarray(np.quantile(samples, percent / 100, axis=-1, method="inverted_cdf"))

    relative, low, high = change(rows[0], rows[1], statistic, confidence=confidence)
    figures = [float(statistic(row[None])[0]) / 1e6 for row in rows]
    if metric == "throughput":  # the mean time between two ends, turned over
        relative, low, high = -relative / (1 + relative), -high / (1 + high), -low / (1 + low)
        figures = [1000 / figure for figure in figures]
        worse, better = -high, -low  # a loss, from its least to its most
    else:
        worse, better = low, high
    if worse > fail_on:
        verdict = "worse"
    elif better < -fail_on:
        verdict = "better"
    elif -fail_on <= low and high <= fail_on:
        verdict = "same"
    else:
        verdict = "uncertain"
    name = label(percent) if percent is not None else metric
    return Change(name, figures[0], figures[1], relative, low, high, verdict)


def _row(run: dict[str, Any], metric: str) -> NDArray[np.float64]:
    samples = np.asarray(run["samples"]["latency_ns"], np.float64)
    if len(samples) < _LEAST:
        raise InputError(
            f"{run['model']} has {len(samples)} samples: {_LEAST} at least are needed",
            hint="measure with more iterations",
        )
    if metric == "throughput":
        ends = np.concatenate([[0], np.sort(np.asarray(run["samples"]["end_ns"], np.float64))])
        samples = np.diff(ends)
    return np.maximum(samples, 1)
