# SPDX-License-Identifier: Apache-2.0
"""Runs the suite on the wheel, prints the counts and writes docs/onnx-suite-cann.md.

``python tests/ort_cann/report.py FOLDER`` in the environment of ``make build``; FOLDER is where the
wheel's environment is, or is made.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import textwrap
from collections import Counter
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ort_cann.environment import ROOT, Environment

DOCUMENT = ROOT / "docs" / "onnx-suite-cann.md"
MAX_ENDS = 100  # tests that end the process

HEAD = """\
# The ONNX backend test suite through the `onnxruntime-cann` wheel

The unmodified wheel from PyPI runs the node tests of the `onnx` package on the fake device: its
CANN provider hands each model to the graph builder, loads what comes back and executes it. A test
counts only if the provider takes every node (`session.disable_cpu_ep_fallback`); the suite's own
comparison judges. `python tests/ort_cann/report.py FOLDER` writes this file, with the wheel's own
`libonnxruntime` as the fake's engine; with `ACLRT_TEST_ONNXRUNTIME_CANN=FOLDER` the tests do the
same and fail if anything is a defect of aclrt. Categories are computed from the model, or from what
plain ONNX Runtime does with it.
"""

Outcomes = dict[str, tuple[str, str]]  # by test: category, reason


def run_all(environment: Environment, folder: Path) -> tuple[Outcomes, dict[str, str]]:
    """Every test, and the versions that the counts depend on."""
    file = folder / "outcomes.jsonl"
    for _ in range(MAX_ENDS):
        done = environment.run(folder, "suite.py", file)
        if done.code == 0:
            break
    else:
        raise RuntimeError(done.err)
    assert done.live == {}
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return {row[0]: (row[1], row[2]) for row in rows if len(row) == 3}, json.loads(done.out)


def categories() -> dict[str, str]:
    """Category to its meaning, as suite.py has them; the module itself needs the wheel."""
    text = (Path(__file__).parent / "suite.py").read_text("utf-8")
    names: dict[str, str] = {}
    found = re.search(r"^PASSED = .*?^}$", text, re.M | re.S)
    assert found, "suite.py states its categories"
    exec(found[0], names)
    return dict(names["CATEGORIES"])


def counts(outcomes: Outcomes) -> dict[str, int]:
    """How many tests are in each category."""
    counted = Counter(category for category, _ in outcomes.values())
    return {category: counted[category] for category in categories()}


def document(outcomes: Outcomes, versions: dict[str, str]) -> str:
    """The text of the page."""
    stated = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [HEAD, f"Versions: {stated}.", "", "| | tests | |", "|---|---:|---|"]
    for category, count in counts(outcomes).items():
        lines.append(f"| {category} | {count} | {categories()[category]} |")
    lines += [f"| all | {len(outcomes)} |  |", "", "## Tests that do not pass", ""]
    for category in list(categories())[1:]:
        names = sorted(name for name, (what, _) in outcomes.items() if what == category)
        if names:
            lines += [f"### {category} ({len(names)})", "", "```"]
            lines += [*textwrap.wrap(" ".join(names), 150, break_long_words=False), "```", ""]
    return "\n".join(lines)


def main() -> int:
    environment = Environment(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        outcomes, versions = run_all(environment, Path(folder))
    for category, count in counts(outcomes).items():
        print(f"{category:28}{count:6}")
    for name, (category, reason) in outcomes.items():
        if category == "failed":
            print(f"{name}: {reason}")
    DOCUMENT.write_text(document(outcomes, versions), "utf-8")
    return int(counts(outcomes)["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
