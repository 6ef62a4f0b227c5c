# SPDX-License-Identifier: Apache-2.0
"""Loading a model of 1 GB from a path: peak memory of the host, and time. Goal 12.

With the null device, which like a card takes the file and computes nothing, the process's memory is
what the wrapper and the container's reader need. With the engine on, the fake is a device too, and
ONNX Runtime's own copy of the weights is its device memory: a figure, no goal.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from . import models
from .child import NULL, Options
from .figures import Figure, Goal
from .machine import forget_peak, peak_resident, resident

CASES: dict[str, dict[str, str]] = {"null device": NULL, "fake device": {}}
ON_CARD = ("null device",)


def measure(case: str, options: Options) -> dict[str, Any]:
    import aclrt

    megabytes = 128 if options.quick else 1024
    om = models.om_of(f"large-{megabytes}", options.folder)
    size = om.stat().st_size
    with aclrt.OfflineModel(models.om_of("tiny", options.folder)):
        pass  # the backend is loaded now, and no part of what follows
    times = []
    before = resident()
    forget_peak()
    for _ in range(1 if options.quick else 3):
        begin = time.perf_counter()
        model = aclrt.OfflineModel(om)
        times.append(time.perf_counter() - begin)
        model.close()
    return {
        "file_bytes": size,
        "peak_bytes": peak_resident() - before,
        "ratio": (peak_resident() - before) / size,
        "seconds": median(times),
    }


def judge(raw: dict[str, Any], options: Options) -> tuple[list[Goal], list[Figure]]:
    size = f"{raw['null device']['file_bytes'] / 2**20:.0f} MiB"
    what = f"peak memory of loading a model of {size}, of the file"
    goals = [Goal(12, what, raw["null device"]["ratio"], 1.1)]
    figures = []
    for case, result in raw.items():
        figures.append(Figure(f"load {size}, {case}", "time", result["seconds"], "s"))
        peak = Figure(f"load {size}, {case}", "peak memory, of the file", result["ratio"], "x")
        figures.append(peak)
    return goals, figures
