# SPDX-License-Identifier: Apache-2.0
"""The ids that CANN puts before its error messages: E10001, EE1001, EH9999.

An id's letters say which part of CANN speaks. The ids that loading and running a model usually
meet are explained one by one; of others the part is told.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

__all__ = ["MessageId", "find", "part_of"]


class MessageId(NamedTuple):
    """One id of an error message of CANN."""

    id: str
    part: str
    meaning: str
    causes: tuple[str, ...]
    hint: str


# The longest beginning that fits decides.
_PARTS: Final = {
    "E1": "graph engine (ATC, loading and running models)",
    "E2": "fusion engine",
    "E3": "AI CPU operators",
    "E4": "operator compilation",
    "E5": "operator compilation",
    "EE": "runtime",
    "EH": "AscendCL",
    "EI": "collective communication",
    "EJ": "collective communication",
    "EK": "profiling",
    "EL": "driver",
    "EZ": "operators",
}
_INNER: Final = (
    "an internal error: the real one is in a line before it, or in CANN's log",
    (
        "an earlier failure on the device",
        "operators, driver and CANN are of different releases",
        "an operator got values that it cannot take",
    ),
    "Explain the codes beside it (aclrt explain takes the whole text), then read CANN's log "
    "(~/ascend/log/debug/plog).",
)
_SIZES: Final = "Compare number and sizes with the model's description (aclrt inspect)."
_ROWS: Final = (
    (
        "E10001",
        "a parameter has a value that is not allowed",
        (
            "the file is no .om: a wrong path, an ONNX model, a Git LFS pointer, or cut short",
            "soc_version: the .om was built for another chip",
            "a flag of ATC is misspelt or has a wrong value",
        ),
        "The message names the parameter; aclrt inspect tells the chip that an .om is for.",
    ),
    (
        "E10002",
        "a shape or another argument is not written as expected",
        ("a flag of ATC such as --input_shape has a wrong form or a name that is no input",),
        "Compare the flag with aclrt convert --help, and its names with the model's inputs.",
    ),
    (
        "E10055",
        "the operation is not possible with this file",
        ("sizes were asked of a file that has one partition alone",),
        "Build the .om again with the ATC of the installed CANN.",
    ),
    (
        "E13000",
        "the path does not exist or cannot be resolved",
        ("a misspelt or relative path", "a link that leads nowhere"),
        "Give an absolute path of an .om that this user can read.",
    ),
    (
        "E13001",
        "the file cannot be opened",
        ("this user may not read it", "too many files are open (ulimit -n)"),
        "Check rights and limits (ls -l, ulimit -n).",
    ),
    (
        "E13025",
        "number or size of the inputs does not fit the model",
        (
            "an input is missing or one too many (models with gears have an internal one)",
            "an input has another dtype or shape than the model's",
        ),
        _SIZES,
    ),
    (
        "E13031",
        "an output buffer is too small",
        ("it was sized for another gear or batch", "the model's range allows larger outputs"),
        _SIZES + " The message has the size that is needed.",
    ),
    (
        "EE1001",
        "an argument of a runtime call is wrong",
        (
            "a device id out of range, or hidden by ASCEND_RT_VISIBLE_DEVICES",
            "a null, freed or foreign handle or address",
            "the thread has no current context",
        ),
        "The message names the call and the argument.",
    ),
    (
        "EE2002",
        "ASCEND_RT_VISIBLE_DEVICES is not valid",
        ("an id is listed twice", "the ids do not ascend", "an id is no number"),
        "Set it to ascending numbers, such as 0,1, or unset it; aclrt doctor shows the pairs.",
    ),
    (
        "EH0001",
        "an argument of an AscendCL call is wrong",
        ("a null pointer, a size of 0 or an index out of range",),
        "The message names the call and the argument.",
    ),
    ("E19999", *_INNER),
    ("EE9999", *_INNER),
    ("EH9999", *_INNER),
    ("EL9999", *_INNER),
    ("EZ9999", *_INNER),
)


@cache
def _table() -> dict[str, MessageId]:
    return {row[0]: MessageId(row[0], part_of(row[0]), *row[1:]) for row in _ROWS}


def find(name: str) -> MessageId | None:
    """An id's row; None if it is not in the table."""
    return _table().get(name)


def part_of(name: str) -> str:
    """The part of CANN whose messages have ids like this; ``""`` if there is none."""
    return _PARTS.get(name[:2], "") if re.fullmatch(r"E(?:\d{5}|[A-Z]\d{4})", name) else ""
