# SPDX-License-Identifier: Apache-2.0
"""``npu-smi``: run with a bound that holds, and its table of cards read.

The forms of the table are those of its documentation; none was recorded on a card.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

__all__ = ["ask", "cards", "version"]

SECONDS: Final = 10.0
_PLACES: Final = ("usr/local/bin/npu-smi", "usr/local/sbin/npu-smi", "usr/bin/npu-smi")
_MOST: Final = 200_000  # characters; it prints some thousand


def ask(root: Path, variables: Mapping[str, str], seconds: float = SECONDS) -> dict[str, Any]:
    """``npu-smi info``.

    Args:
        root: The folder that stands for ``/``; below another than the real one nothing is run.
        variables: The environment for it.
        seconds: How long to wait.

    Returns:
        ``path``, ``text``, ``error``, ``version`` and ``cards``; null and empty where unknown.
    """
    found: dict[str, Any] = {
        "path": None,
        "text": None,
        "error": None,
        "version": None,
        "cards": [],
    }
    if os.path.realpath(root) != "/":
        found["path"] = next((f"/{p}" for p in _PLACES if os.path.exists(root / p)), None)
        return found
    tool = shutil.which("npu-smi", path=variables.get("PATH"))
    if tool is None:
        return found
    found["path"] = tool
    try:
        code, out, err = _run([tool, "info"], variables, seconds)
    except OSError as error:
        return {**found, "error": str(error)}
    found["text"] = out
    if code is None:
        found["error"] = f"no answer within {seconds:g} s"
    elif code:
        found["error"] = f"exit code {code}: {err.strip() or out.strip()}"
    found["version"], found["cards"] = version(out), cards(out)
    return found


def _run(
    command: list[str], variables: Mapping[str, str], seconds: float
) -> tuple[int | None, str, str]:
    """Exit code (None: it hangs), stdout and stderr."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(variables),
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=seconds)
            code: int | None = process.returncode
        except subprocess.TimeoutExpired:
            # Its children too, which hold the pipes; one inside the driver may not die at all.
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            try:
                out, err = process.communicate(timeout=1)
            except subprocess.TimeoutExpired as error:
                out, err = error.stdout or b"", error.stderr or b""
                process.returncode = -signal.SIGKILL  # leaving the block must not wait for it
            code = None
    return code, _text(out), _text(err)


def _text(raw: bytes) -> str:
    """Whatever it printed, without what terminals and JSON readers stumble over."""
    text = raw[:_MOST].decode("utf-8", "replace")
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def version(text: str) -> str | None:
    """The version in the head of ``npu-smi info``; None where it has none."""
    found = re.search(r"npu-smi\s+\S+\s+Version:\s*(\S+)", text)
    return found[1] if found else None


def cards(text: str) -> list[dict[str, Any]]:
    """The chips in the table of ``npu-smi info``: two lines for each.

    Returns:
        ``npu``, ``name``, ``health``, ``chip``, ``bus_id`` of each chip.
    """
    found: list[dict[str, Any]] = []
    first: list[str] | None = None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        words = cells[0].split()
        if not line.lstrip().startswith("|") or len(cells) < 3 or not words[:1]:
            first = None
        elif words[0].isdecimal() and len(words) >= 2 and not words[1].isdecimal():
            first = [*words[:2], cells[1]]
        elif first is not None and words[0].isdecimal():
            found.append(
                {
                    "npu": int(first[0]),
                    "name": first[1],
                    "health": first[2],
                    "chip": int(words[0]),
                    "bus_id": cells[1],
                }
            )
            first = None
    return found
