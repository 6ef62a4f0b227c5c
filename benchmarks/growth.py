# SPDX-License-Identifier: Apache-2.0
"""Memory over a million bound calls and a hundred thousand plain ones. Goal 10."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import models
from .child import NULL, Options
from .figures import Figure, Goal
from .machine import resident

CASES = {"plain": NULL, "bound": NULL}
ON_CARD = ("plain", "bound")
SAMPLES = 100


def measure(case: str, options: Options) -> dict[str, Any]:
    import aclrt

    n = {"plain": 100_000, "bound": 1_000_000}[case]
    model = aclrt.OfflineModel(models.om_of("tiny", options.folder))
    x, y = np.zeros((1, 16), np.float32), np.empty((1, 16), np.float32)
    call: Callable[[], object] = (lambda: model(x)) if case == "plain" else model.bind(x0=x, y0=y)

    def live() -> Any:
        return None if options.on_card else aclrt.fake.ledger()["objects"]

    live()  # reading a ledger makes the heap a little larger, once
    samples = []
    for i in range(SAMPLES):
        for _ in range(n // SAMPLES):
            call()
        samples.append(resident())
        if i == SAMPLES // 5:
            before = live()
    after = live()
    changed = [
        kind
        for kind in before or {}
        if (before[kind]["live"], before[kind]["live_bytes"])
        != (after[kind]["live"], after[kind]["live_bytes"])
    ]
    # From a fifth of the run on: before that, pools and caches fill.
    grown = samples[-1] - samples[SAMPLES // 5]
    return {
        "calls": n,
        "grown_bytes": grown,
        "bytes_per_call": grown / (n * (SAMPLES - 1 - SAMPLES // 5) / SAMPLES),
        "ledger_changed": changed,
        "resident": samples,
    }


def judge(raw: dict[str, Any], options: Options) -> tuple[list[Goal], list[Figure]]:
    goals, figures = [], []
    for case, result in raw.items():
        calls = {"plain": "10^5 plain calls", "bound": "10^6 bound calls"}[case]
        note = ""
        if result and result["ledger_changed"]:
            note = f"the ledger grew: {', '.join(result['ledger_changed'])}"
        value = result.get("bytes_per_call")
        goals.append(Goal(10, f"growth over {calls}", value, 1, "B/call", note=note))
        if result:
            figures.append(Figure("growth", calls, result["grown_bytes"], "B", note))
    return goals, figures
