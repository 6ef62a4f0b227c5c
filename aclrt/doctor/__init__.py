# SPDX-License-Identifier: Apache-2.0
"""What this machine offers: backend, driver, CANN, device files, versions, and what is missing.

>>> from aclrt import doctor
>>> report = doctor.collect()
>>> [problem["next_step"] for problem in report["problems"]]    # doctest: +SKIP
"""

from __future__ import annotations

from .machine import Problem, problems, survey
from .report import collect

__all__ = ["Problem", "collect", "problems", "survey"]
