# SPDX-License-Identifier: Apache-2.0
"""The backend and its devices, asked in this process or in one of its own.

A driver that hangs, or a library that crashes at its first call, must not take the report with
it: ``apart()`` runs ``python -m aclrt.doctor.probe`` with a bound.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from typing import IO, Any, Final

__all__ = ["apart", "here"]

SECONDS: Final = 60.0


def here(backend: str | None) -> dict[str, Any]:
    """Chooses and initialises the backend in this process.

    Args:
        backend: ``"auto"``, ``"npu"`` or ``"fake"``; None for ``$ACLRT_BACKEND``, else auto.

    Returns:
        ``backend`` (null if none is usable), ``trail``, ``devices``, ``failure`` (``problem`` and
        ``next_step``; null if there is none).
    """
    found: dict[str, Any] = {"backend": None, "trail": [], "devices": [], "failure": None}
    try:
        from .. import runtime
        from ..device import devices
    except ImportError:  # the package's own problems say why
        return found
    from ..errors import AclrtError

    with contextlib.suppress(AclrtError, OSError):  # initialising meets the same and reports it
        found["trail"] = [_place(line) for line in runtime.search(backend=backend)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the report says it itself
            info = runtime.runtime_info(backend=backend)
        found["trail"] = [_place(line) for line in info.trail]
        found["backend"] = {
            "name": info.backend,
            "reason": info.reason,
            "library": info.library,
            "is_default": info.is_default,
            "is_adopted": info.is_adopted,
            "acl_version": info.acl_version and ".".join(map(str, info.acl_version)),
            "soc_name": info.soc_name,
            "device_count": info.device_count,
        }
        found["devices"] = [_device(device) for device in devices(backend=backend)]
        if not found["devices"]:
            found["failure"] = {
                "problem": "no device is visible",
                "next_step": "check ASCEND_RT_VISIBLE_DEVICES",
            }
    except (AclrtError, OSError) as error:
        found["failure"] = _failure(error)
    return found


def _place(line: str) -> dict[str, str]:
    place, _, outcome = line.partition(": ")
    return {"place": place, "outcome": outcome}


def _device(device: Any) -> dict[str, Any]:
    free, total = device.memory
    return {
        "id": device.id,
        "soc_name": device.soc_name,
        "memory_free": free,
        "memory_total": total,
    }


def _failure(error: Exception) -> dict[str, str]:
    from ..errors import AclrtError, BackendError

    if not isinstance(error, AclrtError):
        return {"problem": str(error), "next_step": "check the file and its permissions"}
    lines = [error.message]
    if error.call or error.code:
        lines.append(f"{error.call} returned {error.code} {error.name}".strip())
    detail = error.detail.splitlines()
    if detail and not (isinstance(error, BackendError) and len(detail) > 1):  # that is the trail
        lines.append(detail[0])
    step = error.hint or "see the places above; ACLRT_BACKEND=fake runs without a card"
    return {"problem": "; ".join(lines), "next_step": step}


def apart(backend: str | None, seconds: float = SECONDS) -> dict[str, Any]:
    """``here()`` in a process of its own.

    Args:
        backend: As there.
        seconds: How long to wait.

    Returns:
        As there; a hang or a crash is a failure, with the search that preceded it.
    """
    command = [sys.executable, "-m", "aclrt.doctor.probe", backend or ""]
    try:
        with tempfile.TemporaryFile() as log:
            code, out = _run(command, seconds, log)
            log.seek(0)
            words = log.read(10_000).decode("utf-8", "replace")
    except OSError:  # no process, no file, no folder to write to
        return here(backend)
    lines = [line for line in out.splitlines() if line.startswith("{")]
    found: dict[str, Any] = json.loads(lines[0]) if lines else {}
    if code == 0 and len(lines) == 2:
        return dict(json.loads(lines[1]))
    what = (
        f"does not answer within {seconds:g} s"
        if code is None
        else f"crashes ({signal.strsignal(-code)})"
        if code < 0
        else f"ends with exit code {code}"
    )
    last = words.strip().splitlines()[-1:] or [""]
    return {
        "backend": None,
        "trail": found.get("trail", []),
        "devices": [],
        "failure": {
            "problem": f"initialising AscendCL {what}{last[0] and ': ' + last[0][:300]}",
            "next_step": "check the driver (npu-smi info, dmesg), and that driver and CANN belong "
            "together; ACLRT_BACKEND=fake runs without a card",
        },
    }


def _run(command: list[str], seconds: float, log: IO[bytes]) -> tuple[int | None, str]:
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        start_new_session=True,
    ) as process:
        try:
            out, _ = process.communicate(timeout=seconds)
            return process.returncode, out.decode("utf-8", "replace")
        except BaseException as error:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            try:
                out, _ = process.communicate(timeout=1)
            except subprocess.TimeoutExpired as stuck:  # inside the driver it may not die
                out, process.returncode = stuck.stdout or b"", -signal.SIGKILL
            return None, out.decode("utf-8", "replace")


def _main(backend: str) -> None:
    """Two lines on stdout: the search, which needs no library, then all of it."""
    from .. import runtime
    from ..errors import AclrtError

    trail: list[dict[str, str]] = []
    with contextlib.suppress(AclrtError, OSError):
        trail = [_place(line) for line in runtime.search(backend=backend or None)]
    print(json.dumps({"trail": trail}), flush=True)
    print(json.dumps(here(backend or None)), flush=True)


if __name__ == "__main__":
    _main(sys.argv[1])
