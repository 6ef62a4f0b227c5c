# SPDX-License-Identifier: Apache-2.0
"""Instances of one model, and devices of a pool: 1 to 8, with a device that takes 1/2/1 ms."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import numpy as np

from . import models
from .child import Options
from .figures import Figure, Goal
from .pipeline import CASES as PIPELINE

STAGES = PIPELINE["1/2/1 ms"]
CASES = {
    "instances": STAGES | {"ACLRT_FAKE_DEVICES": "1"},
    "devices": STAGES | {"ACLRT_FAKE_DEVICES": "8"},
}
ON_CARD = ("instances", "devices")
COUNTS = (1, 2, 4, 8)


def _rate(target: Any, calls: int, threads: int) -> float:
    x = np.zeros((1, 16), np.float32)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: target(x), range(threads)))
        begin = time.perf_counter()
        list(pool.map(lambda _: target(x), range(calls)))
        return calls / (time.perf_counter() - begin)


def measure(case: str, options: Options) -> dict[str, Any]:
    import aclrt

    om = models.om_of("tiny", options.folder)
    calls, repetitions = (100, 1) if options.quick else (200, 3)
    result: dict[str, Any] = {}
    for n in COUNTS:
        if case == "instances":
            made: Any = aclrt.OfflineModel(om, instances=n)
        elif n > len(aclrt.devices()):
            break
        else:
            made = aclrt.DevicePool(om, devices=list(range(n)))
        with made:
            rates = [_rate(made, calls * n, 2 * n) for _ in range(repetitions)]
        result[str(n)] = median(rates)
    return result


def judge(raw: dict[str, Any], options: Options) -> tuple[list[Goal], list[Figure]]:
    figures = []
    for case, rates in raw.items():
        figures += [
            Figure(f"{case}, 1/2/1 ms, 2n threads", n, value, "/s", f"{value / rates['1']:.2f}x")
            for n, value in rates.items()
        ]
    return [], figures
