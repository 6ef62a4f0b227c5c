# SPDX-License-Identifier: Apache-2.0
"""Overlapped copies and compute: 1 ms in, 2 ms compute, 1 ms out. Goal 9.

One after the other that is 250 a second; overlapped, the slowest stage alone counts: 500. Measured
alone and beside a thread of pure Python that never waits, whose own rate is to be kept too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from . import models
from .child import NULL, Options
from .figures import Figure, Goal

CASES = {
    "1/2/1 ms": NULL
    | {
        "ACLRT_FAKE_H2D_US": "1000",
        "ACLRT_FAKE_COMPUTE_US": "2000",
        "ACLRT_FAKE_D2H_US": "1000",
    }
}
ON_CARD = ()  # the ideal is known only where the stages' times are
IDEAL = 500.0
IN_FLIGHT = 8


class Busy:
    """A thread that counts in pure Python."""

    def __enter__(self) -> Busy:
        self.count, self._stop = 0, False
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def _work(self) -> None:
        while not self._stop:
            self.count += 1

    def __exit__(self, *_: object) -> None:
        self._stop = True
        self._thread.join()


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def measure(case: str, options: Options) -> dict[str, Any]:
    import aclrt

    n, repetitions = (100, 3) if options.quick else (300, 5)
    result: dict[str, Any] = {}
    with aclrt.OfflineModel(models.om_of("tiny", options.folder)) as model:
        xs = [np.full((1, 16), i, np.float32) for i in range(n)]

        def sequential() -> None:
            for x in xs[: n // 4]:
                model(x)

        result["sequential"] = median(n // 4 / _seconds(sequential) for _ in range(repetitions))

        def mapped() -> None:
            assert sum(1 for _ in model.map(xs, in_flight=IN_FLIGHT)) == n

        mapped()
        idle, beside, kept = [], [], []
        for _ in range(repetitions):
            idle.append(n / _seconds(mapped))
            with Busy() as alone:
                time.sleep(n / IDEAL)
            with Busy() as busy:
                before, begin = busy.count, time.perf_counter()
                mapped()
                took = time.perf_counter() - begin
                counted = busy.count - before
            beside.append(n / took)
            kept.append(counted / took / (alone.count / (n / IDEAL)))
        result |= {"idle": median(idle), "busy": median(beside), "kept": median(kept)}
        for depth in (1, 2, 3, 4):
            work = lambda d=depth: sum(1 for _ in model.map(xs, in_flight=d))  # noqa: E731
            result[f"in_flight={depth}"] = median(n / _seconds(work) for _ in range(3))
    return result


def judge(raw: dict[str, Any], options: Options) -> tuple[list[Goal], list[Figure]]:
    result = raw["1/2/1 ms"]
    share = {k: result[k] / IDEAL if k in result else None for k in ("idle", "busy")}
    what = f"map(..., in_flight={IN_FLIGHT})"
    goals = [
        Goal(9, f"{what}, of the ideal 500/s", share["idle"], 0.90, at_most=False),
        Goal(9, f"{what} beside a busy thread, of the ideal", share["busy"], 0.90, at_most=False),
        Goal(9, "the busy thread's rate that is kept", result.get("kept"), 0.80, at_most=False),
    ]
    figures = [
        Figure("pipeline 1/2/1 ms", name, value, "x" if name == "kept" else "/s")
        for name, value in result.items()
    ]
    return goals, figures
