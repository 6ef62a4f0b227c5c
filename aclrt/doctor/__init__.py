# SPDX-License-Identifier: Apache-2.0
"""What this machine offers: backend, driver, CANN, device files, versions, and what is missing.

It works where nothing else does: without the compiled part of aclrt, without NumPy, with a driver
that hangs.

>>> from aclrt import doctor
>>> report = doctor.collect()
>>> [problem["next_step"] for problem in report["problems"]]    # doctest: +SKIP
"""

from __future__ import annotations

from .machine import survey
from .problems import Problem, problems
from .report import collect

__all__ = ["Problem", "collect", "problems", "survey"]
