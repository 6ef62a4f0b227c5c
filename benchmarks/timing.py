# SPDX-License-Identifier: Apache-2.0
"""Interleaved timing: every candidate once in each repetition, so that a disturbance hits all.

Times are medians over the repetitions, ratios medians of the repetitions' own ratios. The garbage
collector is off meanwhile, as in ``timeit``.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from statistics import median

# Set once by a case, before it makes loops: time.thread_time counts only what this thread computed,
# which other programs cannot stretch (--cpu-time).
clock: Callable[[], float] = time.perf_counter

Loop = Callable[[int], float]  # runs n times, returns the seconds


def loop(call: Callable[[], object]) -> Loop:
    """A loop of Python around a call."""

    def run(n: int) -> float:
        begin = clock()
        for _ in range(n):
            call()
        return clock() - begin

    return run


def interleave(
    loops: Mapping[str, Loop], repetitions: int, chunk_s: float = 0.002
) -> dict[str, list[float]]:
    """Seconds for one call, of each candidate, in each repetition."""
    counts = {}
    for name, run in loops.items():
        run(1)
        n, took = 1, min(run(1) for _ in range(5))
        while took < chunk_s / 4 and n < 1 << 24:
            n *= 4
            took = min(run(n) for _ in range(5))
        counts[name] = max(1, round(n * chunk_s / took))
    samples: dict[str, list[float]] = {name: [] for name in loops}
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for _ in range(repetitions):
            for name, run in loops.items():
                samples[name].append(run(counts[name]) / counts[name])
    finally:
        if was_enabled:
            gc.enable()
    return samples


def ratio(above: list[float], below: list[float]) -> float:
    """The median of the repetitions' ratios."""
    return median(a / b for a, b in zip(above, below, strict=True))
