# SPDX-License-Identifier: Apache-2.0
"""Power of a card while a model runs, from npu-smi's text.

The text differs between versions, so the parsers look for words and not for columns, and say what
they could not find. The layouts that they were written for are in tests/data/npu_smi; they follow
npu-smi's documentation and were not recorded on a card.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import InputError

__all__ = ["Meter", "parse_map", "parse_power"]

_INTERVAL_S = 0.5
_TIMEOUT_S = 10
_POWER = re.compile(r"^\s*(?:NPU Real-time |Real-time )?Power(?: Dissipation)?\s*\(W\)\s*:\s*(\S+)")
_TABLE_HEAD = re.compile(r"Power\s*\(W\)")


def parse_power(text: str, npu_id: int) -> float:
    """The watts of one NPU.

    Args:
        text: What ``npu-smi info -t power -i ID`` or ``npu-smi info`` printed.
        npu_id: The NPU's number there.

    Returns:
        Watts.

    Raises:
        InputError: The text tells no power of that NPU.
    """
    number = None
    for line in text.splitlines():
        if match := re.match(r"^\s*NPU ID\s*:\s*(\d+)\s*$", line):
            number = int(match[1])
        elif (match := _POWER.match(line)) and number in (None, npu_id):
            return _watts(match[1], npu_id)
    if _TABLE_HEAD.search(text):
        # | 0     310P3     | OK      | 16.8     45      0    / 970   |
        for line in text.splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            names, fields = cells[0].split(), cells[-1].split()
            is_card = len(cells) == 3 and len(names) >= 2 and names[0].isdecimal() and fields
            if is_card and not names[1].isdecimal() and int(names[0]) == npu_id:
                return _watts(fields[0], npu_id)
    raise InputError(f"npu-smi told no power of NPU {npu_id}", hint="npu-smi info -t power -i ID")


def _watts(text: str, npu_id: int) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"NPU {npu_id} does not tell its power: npu-smi says {text!r}") from None


def parse_map(text: str) -> dict[int, int]:
    """The NPU of each logical device.

    Args:
        text: What ``npu-smi info -m`` printed.

    Returns:
        NPU number by logical device (chips without one, which are no AI chips, are left out).

    Raises:
        InputError: There is no such table in the text.
    """
    npus = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 3 and all(field.isdecimal() for field in fields[:3]):
            npus[int(fields[2])] = int(fields[0])
    if not npus:
        raise InputError("npu-smi info -m told no logical devices")
    return npus


def _npu_smi(*arguments: str) -> str:
    program = shutil.which("npu-smi")
    if program is None:
        raise InputError("npu-smi is not on PATH, so power cannot be measured")
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"npu-smi did not answer within {_TIMEOUT_S} s") from None
    if done.returncode:
        raise InputError(f"npu-smi {' '.join(arguments)} failed: {done.stdout + done.stderr}")
    return done.stdout


class Meter:
    """Reads the power of NPUs twice a second while a ``with`` block runs.

    Args:
        devices: Logical devices; their NPUs are looked up. Two devices may share one card.
        ask: Runs npu-smi with arguments and returns what it printed; None for the real one.

    Raises:
        InputError: npu-smi is missing, or does not tell the power.
    """

    def __init__(self, devices: Sequence[int], ask: Callable[..., str] | None = None) -> None:
        self._ask = ask or _npu_smi
        npus = parse_map(self._ask("info", "-m"))
        for device in devices:
            if device not in npus:
                raise InputError(f"npu-smi info -m has no logical device {device}")
        self._npus = sorted({npus[device] for device in devices})
        self._readings: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True, name="aclrt-power")
        self.idle_w = self.read()

    def read(self) -> float:
        """Watts now, all NPUs together."""
        return sum(
            parse_power(self._ask("info", "-t", "power", "-i", str(npu)), npu) for npu in self._npus
        )

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                self._readings.append(self.read())
            except InputError:
                return
            self._stop.wait(_INTERVAL_S)

    def __enter__(self) -> Meter:
        """Begins to read."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Ends it."""
        self._stop.set()
        self._thread.join()

    def figures(self, wall_s: float, inferences: int) -> dict[str, Any] | None:
        """What was read, as in JSON; None if nothing was."""
        if not self._readings or not inferences:
            return None
        mean = sum(self._readings) / len(self._readings)
        return {
            "readings": len(self._readings),
            "before_w": self.idle_w,
            "mean_w": mean,
            "max_w": max(self._readings),
            "joule_per_inference": mean * wall_s / inferences,
        }
