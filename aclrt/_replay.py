# SPDX-License-Identifier: Apache-2.0
"""Reads what ``ACLRT_RECORD`` wrote, and makes faults of the fake device of its failures."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import InputError

SCHEMA = "aclrec/1"
DEVICE_LOST = 507010


@dataclass(frozen=True)
class Failure:
    """A recorded call that failed: the nth of its function (from 1), and its code."""

    function: str
    nth: int
    code: int

    @property
    def fault(self) -> str:
        """As ``ACLRT_FAKE_FAULTS`` takes it; a lost device stays lost."""
        text = f"function={self.function},nth={self.nth},code={self.code}"
        return f"{text},action=lose-device" if self.code == DEVICE_LOST else text


def failures(path: str | os.PathLike[str]) -> list[Failure]:
    """The failing calls of a record, in its order; a last line that is cut short is left out.

    Of a lost device the first answer alone counts: the later ones follow from it.

    Raises:
        InputError: The file is no record, or one of a newer version.
        OSError: It cannot be read.
    """
    with Path(path).open(encoding="utf-8", errors="replace") as file:
        lines = file.read().split("\n")
    header = _parsed(lines[0])
    schema = str(header.get("schema", ""))
    if not schema.startswith("aclrec/"):
        raise InputError(
            f"{os.fspath(path)} is not a record of AscendCL's calls",
            hint="Run the program with ACLRT_RECORD=trace.aclrec to make one.",
        )
    if schema != SCHEMA:
        raise InputError(
            f"{os.fspath(path)} is of version {schema}; this aclrt reads {SCHEMA}",
            hint="Use the aclrt that wrote it, or a newer one.",
        )
    seen: Counter[str] = Counter()
    found: list[Failure] = []
    is_lost = False
    for number, line in enumerate(lines[1:-1], 2):
        call = _parsed(line)
        if "function" not in call:
            raise InputError(f"{os.fspath(path)}, line {number}: not a call", hint="Record again.")
        function, code = str(call["function"]), int(call.get("code", 0))
        seen[function] += 1
        if code == 0 or (is_lost and code == DEVICE_LOST):
            continue
        is_lost = is_lost or code == DEVICE_LOST
        found.append(Failure(function, seen[function], code))
    return found


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
