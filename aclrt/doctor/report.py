# SPDX-License-Identifier: Apache-2.0
"""What this machine offers: the backend in use and why, libraries, versions, devices.

``collect()`` never raises for what it finds: a runtime that cannot be initialised is a finding,
with the next step beside it.
"""

from __future__ import annotations

import os
import platform
import warnings
from importlib import metadata
from typing import Any

from .. import _drop_in, config, runtime
from ..device import Device, devices
from ..errors import AclrtError, BackendError
from . import machine

__all__ = ["collect"]

_PACKAGES = ("numpy", "cffi", "onnxruntime", "onnx", "ml_dtypes", "rich")
_VARIABLES = ("ACLRT_", "ASCEND_", "ACL_")
_FURTHER_VARIABLES = ("LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX")


def collect(*, backend: str | None = None, root: str = "/") -> dict[str, Any]:
    """Looks at everything that decides whether and where models run.

    Args:
        backend: ``"auto"``, ``"npu"`` or ``"fake"``; None for ``$ACLRT_BACKEND``, else auto.
        root: The folder to look at instead of ``/`` for driver, CANN and device files.

    Returns:
        ``ok`` (models can run), ``backend`` (None if there is no usable one), ``trail`` (where
        libascendcl was looked for), ``devices``, ``libraries``, ``versions``, ``environment``,
        ``machine`` (``survey``), and ``problems``: each with ``severity`` (``"error"`` or
        ``"warning"``), ``problem`` and ``next_step``. All values can be written as JSON.
    """
    problems: list[dict[str, str]] = []
    trail = _trail(backend)
    chosen: dict[str, Any] | None = None
    found: list[dict[str, Any]] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the report says it itself
            info = runtime.runtime_info(backend=backend)
        trail = [_place(line) for line in info.trail]
        chosen = {
            "name": info.backend,
            "reason": info.reason,
            "library": info.library,
            "is_default": info.is_default,
            "is_adopted": info.is_adopted,
            "acl_version": _dotted(info.acl_version),
            "soc_name": info.soc_name,
            "device_count": info.device_count,
        }
        found = [_device(device) for device in devices(backend=backend)]
        if not found:
            problems.append(_problem("no device is visible", "check ASCEND_RT_VISIBLE_DEVICES"))
    except (AclrtError, OSError) as error:
        problems.append(_failure(error))
    found_here = machine.survey(root=root)
    wanted = (backend or os.environ.get("ACLRT_BACKEND")) == "npu"
    for problem in machine.problems(found_here, wanted=wanted):
        severity = "error" if wanted and chosen is None else "warning"
        problems.append(_problem(problem.problem, problem.next_step, severity=severity))
    libraries = _libraries(chosen)
    if chosen is not None and chosen["name"] == "fake" and not libraries["onnxruntime"]:
        problems.append(
            _problem(
                "ONNX Runtime was not found: the fake device cannot run models",
                'pip install "aclrt[onnx]", or set ACLRT_FAKE_ONNXRUNTIME to libonnxruntime.so',
                severity="warning",
            )
        )
    return {
        "ok": not any(problem["severity"] == "error" for problem in problems),
        "backend": chosen,
        "trail": trail,
        "devices": found,
        "libraries": libraries,
        "versions": _versions(),
        "environment": _environment(),
        "machine": found_here,
        "problems": problems,
    }


def _trail(backend: str | None) -> list[dict[str, str]]:
    try:
        return [_place(line) for line in runtime.search(backend=backend)]
    except (AclrtError, OSError):  # initialising meets the same error and reports it
        return []


def _place(line: str) -> dict[str, str]:
    place, _, outcome = line.partition(": ")
    return {"place": place, "outcome": outcome}


def _device(device: Device) -> dict[str, Any]:
    free, total = device.memory
    return {
        "id": device.id,
        "soc_name": device.soc_name,
        "memory_free": free,
        "memory_total": total,
    }


def _dotted(version: tuple[int, int, int] | None) -> str | None:
    return None if version is None else ".".join(map(str, version))


def _problem(problem: str, next_step: str, *, severity: str = "error") -> dict[str, str]:
    return {"severity": severity, "problem": problem, "next_step": next_step}


def _failure(error: AclrtError | OSError) -> dict[str, str]:
    if not isinstance(error, AclrtError):
        return _problem(str(error), "check the file and its permissions")
    lines = [error.message]
    if error.call or error.code:
        lines.append(f"{error.call} returned {error.code} {error.name}".strip())
    detail = error.detail.splitlines()
    if detail and not (isinstance(error, BackendError) and len(detail) > 1):  # that is the trail
        lines.append(detail[0])
    step = error.hint or "see the places above; ACLRT_BACKEND=fake runs without a card"
    return _problem("; ".join(lines), step)


def _libraries(chosen: dict[str, Any] | None) -> dict[str, str | None]:
    try:
        own: str | None = config.get_library()
    except FileNotFoundError:
        own = None
    return {
        "aclrt": own,
        "ascendcl": chosen["library"] if chosen else None,
        "onnxruntime": _drop_in.onnxruntime_library() or None,
    }


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {
        "aclrt": runtime.version(),
        "python": platform.python_version(),
    }
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    found["platform"] = f"{platform.system()} {platform.release()} {platform.machine()}"
    return found


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith(_VARIABLES) or name in _FURTHER_VARIABLES
    }
