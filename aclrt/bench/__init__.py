# SPDX-License-Identifier: Apache-2.0
"""Measures a model: how long one inference takes, and how many a second there are.

>>> import aclrt.bench
>>> result = aclrt.bench.run("resnet50.om", iterations=1000)    # doctest: +SKIP
>>> result.p50_ms, result.throughput_per_s                      # doctest: +SKIP
"""

from __future__ import annotations

from .result import BenchResult
from .runner import run

__all__ = ["BenchResult", "run"]
