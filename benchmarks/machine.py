# SPDX-License-Identifier: Apache-2.0
"""What the figures were measured on, and whether anything else was running there."""

from __future__ import annotations

import os
import platform
import time
from importlib import metadata
from pathlib import Path
from typing import Any

BUSY = 0.15  # of the cores, taken by other programs: figures wander from about here


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def busy_share(seconds: float = 1.0) -> float:
    """The share of all cores that is in use while this process sleeps."""

    def ticks() -> tuple[int, int]:
        values = [int(v) for v in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        return sum(values), values[3] + values[4]

    total, idle = ticks()
    time.sleep(seconds)
    later, later_idle = ticks()
    return 1 - (later_idle - idle) / max(1, later - total)


def describe() -> dict[str, Any]:
    """Nothing here names the machine or its user."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGESIZE') / 2**30:.0f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{p: _version(p) for p in ("numpy", "cffi", "onnxruntime", "openvino", "aclrt")},
        "load_average": f"{os.getloadavg()[0]:.2f}",
        "busy_before": f"{busy_share():.0%}",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def caution(machine: dict[str, Any]) -> str:
    """A sentence where the figures are not to be trusted, else ""."""
    if float(machine["busy_before"].rstrip("%")) / 100 <= BUSY:
        return ""
    return (
        f"CAUTION: other programs took {machine['busy_before']} of the cores just before "
        f"(load average {machine['load_average']}): times and ratios wander, counts do not."
    )


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def peak_resident() -> int:
    """The most bytes of this process in memory since ``forget_peak``, mapped files included."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the kernel does not tell VmHWM in /proc/self/status")


def forget_peak() -> None:
    """Starts ``peak_resident`` anew."""
    Path("/proc/self/clear_refs").write_text("5")
