# SPDX-License-Identifier: Apache-2.0
"""Runs the whole suite, prints the counts and writes docs/onnx-suite.md.

``python tests/onnx_suite/report.py`` in the environment of ``make build``. The file depends on the
versions that it names and on nothing else.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
import textwrap
from collections import Counter
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

if __name__ == "__main__":
    os.environ["ACLRT_BACKEND"] = "fake"
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from onnx_suite import cases, running

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "onnx-suite.md"
PACKAGES = ("onnx", "onnxruntime", "numpy", "ml_dtypes")

HEAD = """\
# The ONNX backend test suite on the fake device

The `onnx` package ships tests for backends: a model, inputs, and the outputs that the specification
asks for. `aclrt.convert` makes each of them a simulated `.om` with the dims of the test's data,
`aclrt.OfflineModel` runs it on the fake device, and the suite's own comparison judges: number of
outputs, shapes, dtypes, values within the suite's tolerances, for all data sets of the test.
`python tests/onnx_suite/report.py` writes this file; `tests/onnx_suite/test_suite.py` runs the same
in every test run and fails if a test that is not listed here does not pass.

A test is left out only for a reason that is computed from its model, or because ONNX Runtime alone,
without anything of aclrt, fails on the same model and data. It is tried all the same: none of the
tests that are listed below passes.
"""


def versions() -> str:
    """The versions that the counts depend on."""
    return ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)


def text() -> str:
    """The written report."""
    return DOCUMENT.read_text("utf-8")


def documented() -> tuple[str, dict[str, str]]:
    """The versions of the written report, and the category of each test that it lists."""
    written = text()
    stated = re.search(r"^Versions: (.*) on \w+\.$", written, re.MULTILINE)
    assert stated, "the report states its versions"
    listed: dict[str, str] = {}
    sections = re.findall(r"^### (.+?) \(\d+\)\n\n```\n(.*?)\n```", written, re.M | re.S)
    for category, names in sections:
        listed |= dict.fromkeys(names.split(), category)
    return stated[1], listed


def run_all() -> list[running.Outcome]:
    """Every test of the suite, in order."""
    with tempfile.TemporaryDirectory() as folder:
        return [running.run(case, Path(folder)) for case in cases.load()]


def table(outcomes: Sequence[running.Outcome]) -> list[tuple[str, list[int]]]:
    """Category, and its count in each kind and in all; the last row is the sum."""
    counts = Counter((outcome.category, outcome.kind) for outcome in outcomes)
    rows = []
    for category in running.CATEGORIES:
        row = [counts[category, kind] for kind in cases.KINDS]
        rows.append((category, [*row, sum(row)]))
    rows.append(("all", [sum(column) for column in zip(*(row for _, row in rows), strict=True)]))
    return rows


def document(outcomes: Sequence[running.Outcome]) -> str:
    """The text of docs/onnx-suite.md."""
    lines = [HEAD, f"Versions: {versions()} on {platform.machine()}.", ""]
    lines.append(f"| | {' | '.join(cases.KINDS)} | all | |")
    lines.append("|---|---:|---:|---:|---|")
    for category, row in table(outcomes):
        what = running.CATEGORIES.get(category, "")
        lines.append(f"| {category} | {' | '.join(map(str, row))} | {what} |")
    lines += ["", "## Tests that do not pass", ""]
    for category in running.CATEGORIES:
        names = sorted(o.name for o in outcomes if o.category == category)
        if not names or category == running.PASSED:
            continue
        lines += [f"### {category} ({len(names)})", "", "```"]
        lines += textwrap.wrap(" ".join(names), 150, break_long_words=False)
        lines += ["```", ""]
    return "\n".join(lines)


def main() -> int:
    outcomes = run_all()
    for category, row in table(outcomes):
        print(f"{category:28}" + "".join(f"{count:7}" for count in row))
    for outcome in outcomes:
        if outcome.category == running.FAILED:
            print(f"{outcome.name}: {outcome.detail}")
    DOCUMENT.write_text(document(outcomes), "utf-8")
    print(f"{versions()}; written: {DOCUMENT.relative_to(DOCUMENT.parents[1])}")
    return int(any(outcome.category == running.FAILED for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
