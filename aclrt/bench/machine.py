# SPDX-License-Identifier: Apache-2.0
"""What the figures were measured on: the host, its memory, the library in use."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

from .. import runtime

__all__ = ["describe", "host_memory"]


def _field(path: str, name: str) -> str:
    """The first "name: value" of a file of /proc; "" where there is none."""
    try:
        lines = Path(path).read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _bytes(path: str, name: str) -> int:
    words = _field(path, name).split()
    return int(words[0]) * 1024 if words else 0


def host_memory() -> tuple[int, int]:
    """Bytes of this process in memory: now, and at most until now; 0 where unknown."""
    return _bytes("/proc/self/status", "VmRSS"), _bytes("/proc/self/status", "VmHWM")


def describe() -> dict[str, Any]:
    """The machine and the software; nothing that names it or its user.

    Returns:
        As in JSON.
    """
    info = runtime.runtime_info()
    return {
        "cpu": _field("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": _bytes("/proc/meminfo", "MemTotal"),
        "load_average": os.getloadavg()[0],
        "platform": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "aclrt": info.version,
        "backend": info.backend,
        "library": info.library,
        "acl_version": ".".join(map(str, info.acl_version)) if info.acl_version else None,
        "soc_name": info.soc_name,
        "fake_profile": _fake_profile() if info.is_fake else None,
    }


def _fake_profile() -> str:
    return os.environ.get("ACLRT_FAKE_PROFILE") or "no board: this CPU's own times"
