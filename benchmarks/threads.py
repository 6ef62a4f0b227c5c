# SPDX-License-Identifier: Apache-2.0
"""Threads that each call a model of their own, on a device that takes 2 ms. Goal 8.

Each thread has a device to itself, and once more all share one (on the null board no model waits
for another): what is measured is whether anything on the host, the GIL above all, makes threads
take turns.
"""

from __future__ import annotations

import threading
import time
from statistics import median
from typing import Any

import numpy as np

from . import models
from .child import NULL, Options
from .figures import Figure, Goal

SLOW = NULL | {"ACLRT_FAKE_COMPUTE_US": "2000"}
CASES = {
    "a device each": SLOW | {"ACLRT_FAKE_DEVICES": "4"},
    "one device": SLOW | {"ACLRT_FAKE_DEVICES": "1"},
}
ON_CARD = ("a device each",)
THREADS = (1, 2, 4)


def rate(om: Any, threads: int, calls: int, devices: int) -> float:
    """Inferences a second, all threads together."""
    import aclrt

    loaded = [aclrt.OfflineModel(om, device_id=i % devices) for i in range(threads)]
    barrier = threading.Barrier(threads + 1)
    errors: list[BaseException] = []

    def work(model: aclrt.OfflineModel) -> None:
        arrays = [np.zeros(spec.shape, spec.dtype) for spec in model.inputs]
        barrier.wait()
        try:
            for _ in range(calls):
                model(*arrays)
        except BaseException as error:
            errors.append(error)
        barrier.wait()

    workers = [threading.Thread(target=work, args=(model,)) for model in loaded]
    for worker in workers:
        worker.start()
    barrier.wait()
    begin = time.perf_counter()
    barrier.wait()
    took = time.perf_counter() - begin
    for worker in workers:
        worker.join()
    for model in loaded:
        model.close()
    if errors:
        raise errors[0]
    return threads * calls / took


def measure(case: str, options: Options) -> dict[str, Any]:
    import aclrt

    om = models.om_of("tiny", options.folder)
    devices = len(aclrt.devices())
    calls, repetitions = (50, 3) if options.quick else (150, 5)
    samples: dict[int, list[float]] = {n: [] for n in THREADS}
    for _ in range(repetitions):
        for n in THREADS:
            samples[n].append(rate(om, n, calls, devices))
    return {
        "devices": devices,
        "per_s": {str(n): median(rates) for n, rates in samples.items()},
        "scale": {
            str(n): median(a / b for a, b in zip(samples[n], samples[1], strict=True))
            for n in THREADS
        },
    }


def judge(raw: dict[str, Any], options: Options) -> tuple[list[Goal], list[Figure]]:
    goals = [
        Goal(8, f"{n} threads, {case}, of one", result["scale"][str(n)], limit, at_most=False)
        for case, result in raw.items()
        for n, limit in ((2, 1.90), (4, 3.7))
        if n <= result["devices"] or case == "one device"
    ]
    figures = [
        Figure(f"threads, {case}", f"{n} threads", value, "/s", f"{result['scale'][n]:.2f}x")
        for case, result in raw.items()
        for n, value in result["per_s"].items()
    ]
    return goals, figures
