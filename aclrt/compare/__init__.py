# SPDX-License-Identifier: Apache-2.0
"""Compares what two models compute: an ``.om`` with its ``.onnx``, or with saved outputs.

>>> import aclrt.compare
>>> found = aclrt.compare.run("resnet50.om", "resnet50.onnx")    # doctest: +SKIP
>>> found.passed, found.advice                                   # doctest: +SKIP
"""

from __future__ import annotations

from .metrics import Census, OutputComparison, arrays
from .report import to_html, to_junit
from .result import Case, Comparison
from .runner import run
from .tolerance import Tolerance, Tolerances

__all__ = [
    "Case",
    "Census",
    "Comparison",
    "OutputComparison",
    "Tolerance",
    "Tolerances",
    "arrays",
    "run",
    "to_html",
    "to_junit",
]
