# SPDX-License-Identifier: Apache-2.0
"""The ONNX backend test suite through ``aclrt.convert``, ``OfflineModel`` and the fake device.

Each pytest case runs an equal share of the suite and names every test that does not do what
docs/onnx-suite.md says: with some two thousand tests of a few milliseconds, pytest's own cost for
each would be larger than theirs.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from onnx_suite import cases, report, running

SHARES = 16


@pytest.mark.parametrize("share", range(SHARES))
def test_same_results_as_the_suite_asks_for(share: int, tmp_path: Path) -> None:
    """Nothing fails; and with the versions of the report, nothing else is left out.

    Where plain ONNX Runtime computes another result, rounding may be the cause, which differs
    between processors: those tests are not compared with the report.
    """
    outcomes = [running.run(case, tmp_path) for case in cases.load()[share::SHARES]]
    assert [o for o in outcomes if o.category == running.FAILED] == []
    reported_versions, listed = report.documented()
    if report.versions() == reported_versions:
        others = {o.name for o in outcomes if o.category not in (running.PASSED, running.ROUNDED)}
        assert others - set(listed) == set()


def test_report_counts_the_suite() -> None:
    """The report's numbers are those of its lists and of the onnx package."""
    reported_versions, listed = report.documented()
    if report.versions() == reported_versions:
        rows = re.findall(r"^\| ([^|]+) \| (\d+) \| (\d+) \| (\d+) \|", report.text(), re.MULTILINE)
        counts = {category: [int(count) for count in row] for category, *row in rows}
        kinds = Counter(case.kind for case in cases.load())
        assert [*(kinds[kind] for kind in cases.KINDS), kinds.total()] == counts["all"]
        assert kinds.total() - len(listed) == counts[running.PASSED][-1]
