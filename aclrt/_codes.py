# SPDX-License-Identifier: Apache-2.0
"""AscendCL's status codes and the fake's checks, from the tables that the libraries are built from.

Needs nothing compiled, so that codes can be explained where the extension cannot be loaded.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from ._generated.checks import CHECKS
from ._generated.codes import CODES

__all__ = ["Check", "Code", "category_of", "checks", "find", "layer_of", "table"]

# The thousands of a code name the part that gave it, its first digit says what kind of failure.
_LAYERS: Final = {
    100: "ACL",
    107: "runtime",
    145: "graph engine",
    148: "ACL",
    200: "ACL",
    207: "runtime",
    245: "graph engine",
    300: "ACL",
    345: "graph engine",
    500: "ACL",
    507: "runtime",
    545: "graph engine",
}
_CATEGORIES: Final = {
    1: "the caller's mistake",
    2: "a resource, or a limit of the hardware",
    3: "a state of the work",
    5: "a failure inside CANN or the device",
}


class Code(NamedTuple):
    """One row of the table; ``causes`` are ordered, the most usual first."""

    value: int
    kind: int
    name: str
    meaning: str
    causes: tuple[str, ...]
    hint: str


@cache
def table() -> tuple[Code, ...]:
    """All rows, ordered by value; success has three names and so three rows."""
    return tuple(
        Code(value, kind, name, meaning, tuple(causes.splitlines()), hint)
        for value, kind, name, meaning, causes, hint in CODES
    )


class Check(NamedTuple):
    """One of the fake's misuse checks: error, notice or hint; ``codes`` is what the call gives."""

    id: str
    kind: str
    codes: str
    title: str
    remedy: str


@cache
def checks() -> dict[str, Check]:
    """All checks by id."""
    return {row[0]: Check(*row) for row in CHECKS}


@cache
def _by_value() -> dict[int, Code]:
    return {row.value: row for row in reversed(table())}  # the first of several names wins


def find(value: int) -> Code | None:
    """The row of a code; None if the table does not have it."""
    return _by_value().get(value)


def layer_of(value: int) -> str:
    """The part of CANN that gives codes like this; ``""`` if there is none."""
    return _LAYERS.get(value // 1000, "")


def category_of(value: int) -> str:
    """What kind of failure the code's first digit stands for; ``""`` if there is none."""
    return _CATEGORIES.get(value // 100_000, "") if layer_of(value) else ""
