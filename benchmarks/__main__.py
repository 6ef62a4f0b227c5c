# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks``: every topic, the goals with measured value, bound and verdict, JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from . import machine, models
from .child import ROOT, Options, run
from .figures import FAIL, Figure, Goal, figure_lines, goal_lines, markdown

TOPICS = (
    "calls",
    "copies",
    "acl_calls",
    "threads",
    "pipeline",
    "instances",
    "growth",
    "load",
    "engine",
    "imports",
)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    topics = ", ".join(TOPICS)
    add("--only", action="append", choices=TOPICS, metavar="TOPIC",
        help=f"this topic; may be given several times: {topics}")  # fmt: skip
    add("--quick", action="store_true", help="fewer repetitions, smaller sizes")
    add("--json", type=Path, metavar="FILE",
        help="where the JSON goes (default: benchmarks/out/DATE.json)")  # fmt: skip
    add("--markdown", type=Path, metavar="FILE", help="also a page of tables")
    add("--backend", choices=("fake", "npu"), help="default: $ACLRT_BACKEND, else fake",
        default="npu" if os.environ.get("ACLRT_BACKEND") == "npu" else "fake")  # fmt: skip
    add("--models", type=Path, metavar="FOLDER",
        help="where the models are kept; on a card: what atc made of them")  # fmt: skip
    add("--write-onnx", type=Path, metavar="FOLDER",
        help="write the ONNX models there, for atc, and end")  # fmt: skip
    add("--cpu-time", action="store_true",
        help="of calls and copies: CPU time, which a busy machine does not stretch")  # fmt: skip
    add("--with-openvino", action="store_true",
        help="beside the others; pip install openvino first")  # fmt: skip
    return parser.parse_args()


def measure(topic: str, options: Options) -> tuple[list[Goal], list[Figure], dict[str, object]]:
    """The topic's goals and figures, and what its cases gave."""
    module = import_module(f"benchmarks.{topic}")
    raw: dict[str, dict[str, object]] = {}
    for case, variables in module.CASES.items():
        if options.on_card and case not in module.ON_CARD:
            continue
        raw[case] = run(topic, case, variables, options)
    goals, figures = module.judge(raw, options) if raw else ([], [])
    return goals, figures, raw


def main() -> int:
    given = arguments()
    if given.write_onnx:
        models.write_all(given.write_onnx)
        print(*sorted(given.write_onnx.glob("*.onnx")), sep="\n")
        return 0
    described = machine.describe()
    caution = machine.caution(described)
    for key, value in described.items():
        print(f"{key:12} {value}")
    print(caution, flush=True)
    with tempfile.TemporaryDirectory(prefix="aclrt-benchmarks-") as temporary:
        folder = (given.models or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        options = Options(folder, given.backend, given.quick, given.with_openvino, given.cpu_time)
        goals: list[Goal] = []
        figures: list[Figure] = []
        raws: dict[str, object] = {}
        failures = []
        for topic in given.only or TOPICS:
            begin = time.monotonic()
            try:
                more, others, raws[topic] = measure(topic, options)
            except RuntimeError as error:
                failures.append(topic)
                print(f"\n{topic} failed: {error}", file=sys.stderr)
                continue
            goals += more
            figures += others
            print(f"\n{topic} ({time.monotonic() - begin:.0f} s)")
            print("\n".join(f"  {line}" for line in [*goal_lines(more), *figure_lines(others)]))
            sys.stdout.flush()
    described["busy_after"] = f"{machine.busy_share():.0%}"
    print("\nAll goals\n" + "\n".join(goal_lines(goals)))
    missed = sorted({g.number for g in goals if g.verdict == FAIL})
    print(f"\nmissed: {', '.join(map(str, missed)) or 'none'}", caution, sep="\n")
    out = given.json or ROOT / "benchmarks/out" / time.strftime("%Y%m%d-%H%M%S.json", time.gmtime())
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(
        json.dumps(
            {
                "schema": "aclrt-benchmarks/1",
                "machine": described,
                "options": {
                    "quick": given.quick,
                    "backend": given.backend,
                    "cpu_time": given.cpu_time,
                },
                "goals": [goal.to_json() for goal in goals],
                "figures": [figure.to_json() for figure in figures],
                "cases": raws,
                "failed": failures,
            },
            indent=1,
        )
        + "\n"
    )
    print(f"\nwritten: {out}")
    if given.markdown:
        given.markdown.write_text(markdown(goals, figures, described))
        print(f"written: {given.markdown}")
    return 1 if failures or missed else 0


if __name__ == "__main__":
    sys.exit(main())
