# SPDX-License-Identifier: Apache-2.0
"""Measures a model: how long one inference takes, and how many a second there are.

>>> import aclrt.bench
>>> result = aclrt.bench.run("resnet50.om", iterations=1000)    # doctest: +SKIP
>>> result.p50_ms, result.throughput_per_s                      # doctest: +SKIP

``run`` measures once, ``measure`` what a ``BenchConfig`` says (several files or batch sizes, a
search), ``diff`` compares two reports. What the figures mean is in docs/bench.md.
"""

from __future__ import annotations

from .config import BenchConfig
from .difference import BenchDiff, Change, diff
from .result import BenchInterrupted, BenchResult, Phase
from .runner import run
from .session import BenchReport, measure
from .statistics import Summary

__all__ = [
    "BenchConfig",
    "BenchDiff",
    "BenchInterrupted",
    "BenchReport",
    "BenchResult",
    "Change",
    "Phase",
    "Summary",
    "diff",
    "measure",
    "run",
]
