# SPDX-License-Identifier: Apache-2.0
"""What a benchmark gives: figures, and goals that are met or not; as text, Markdown and JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

PASS, FAIL, ABSENT = "pass", "FAIL", "not available"


@dataclass(frozen=True)
class Figure:
    """One measured value, without a goal."""

    topic: str
    what: str
    value: float | None
    unit: str
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Goal:
    """One value and its bound. ``at_most`` says on which side of ``limit`` it has to be.

    A value of None could not be measured; ``note`` says why.
    """

    number: int
    what: str
    value: float | None
    limit: float
    unit: str = "x"
    at_most: bool = True
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.value is None:
            return ABSENT
        met = self.value <= self.limit if self.at_most else self.value >= self.limit
        return PASS if met else FAIL

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict}


def number(value: float | None, unit: str = "") -> str:
    """A value with three significant digits, and its unit."""
    if value is None:
        return "-"
    if value == int(value) and abs(value) < 1e6:
        text = str(int(value))
    elif abs(value) >= 100:
        text = f"{value:.0f}"
    elif abs(value) < 0.001:
        text = f"{value:.1e}"
    else:
        text = f"{value:.3g}"
    return f"{text} {unit}".rstrip() if unit not in ("x", "") else f"{text}{unit}"


def bound(goal: Goal) -> str:
    return f"{'<=' if goal.at_most else '>='} {number(goal.limit, goal.unit)}"


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return [line.rstrip() for line in padded]


def goal_lines(goals: list[Goal]) -> list[str]:
    """A table for a terminal."""
    head = ("goal", "what", "measured", "bound", "verdict", "")
    rows = [
        (str(g.number), g.what, number(g.value, g.unit), bound(g), g.verdict, g.note)
        for g in sorted(goals, key=lambda goal: goal.number)
    ]
    return _aligned([head, *rows])


def figure_lines(figures: list[Figure]) -> list[str]:
    """A table for a terminal, topic by topic."""
    rows = [(f.topic, f.what, number(f.value, f.unit), f.note) for f in figures]
    return _aligned(rows) if rows else []


def markdown(goals: list[Goal], figures: list[Figure], machine: dict[str, Any]) -> str:
    """A page: the machine, the goals, the figures."""
    lines = ["# Figures of one machine", "", "Written by `python -m benchmarks --markdown`."]
    lines += [
        "What each means: [README.md](README.md).",
        "",
        "## Machine",
        "",
        "| | |",
        "|---|---|",
    ]
    lines += [f"| {key.replace('_', ' ')} | {value} |" for key, value in machine.items()]
    lines += ["", "## Goals", "", "| # | what | measured | goal | |", "|---|---|---|---|---|"]
    for goal in sorted(goals, key=lambda goal: goal.number):
        verdict = f"{goal.verdict}{': ' + goal.note if goal.note else ''}"
        cells = (str(goal.number), goal.what, number(goal.value, goal.unit), bound(goal), verdict)
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "## Figures", "", "| topic | what | value | |", "|---|---|---|---|"]
    lines += [f"| {f.topic} | {f.what} | {number(f.value, f.unit)} | {f.note} |" for f in figures]
    return "\n".join(lines) + "\n"
