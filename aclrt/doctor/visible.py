# SPDX-License-Identifier: Apache-2.0
"""``ASCEND_RT_VISIBLE_DEVICES``: which physical device a logical id stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["visible_devices"]

_NAME = "ASCEND_RT_VISIBLE_DEVICES"


def visible_devices(value: str | None, cards: Sequence[int]) -> dict[str, Any]:
    """Reads the variable as CANN does: numbers, ascending, cut at the first bad one.

    Args:
        value: Of the variable; None where it is not set.
        cards: The physical ids that there are.

    Returns:
        ``value``, ``physical`` (its position is the logical id) and ``problems`` (each
        with ``problem`` and ``next_step``).
    """
    if value is None:
        return {"value": None, "physical": list(cards), "problems": []}
    problems: list[dict[str, str]] = []
    physical: list[int] = []
    step = f"set {_NAME} to ascending numbers, such as 0,1, or unset it"
    for part in value.split(","):
        word = part.strip()
        if not (word.isascii() and word.isdigit()):
            problems.append(
                {
                    "problem": f"{_NAME}={value}: {part!r} is no number; the rest is ignored",
                    "next_step": step,
                }
            )
            break
        if physical and int(word) <= physical[-1]:
            what = "twice" if int(word) in physical else "out of order"
            problems.append(
                {"problem": f"{_NAME}={value}: {word} is listed {what}", "next_step": step}
            )
            break
        if cards and int(word) not in cards:
            there = ", ".join(map(str, cards))
            problems.append(
                {
                    "problem": f"{_NAME}={value}: there is no device {word}, only {there}",
                    "next_step": step,
                }
            )
            break
        physical.append(int(word))
    return {"value": value, "physical": physical, "problems": problems}
