# SPDX-License-Identifier: Apache-2.0
"""Where the time of an inference goes: copies, device and host, from traced inferences.

The inferences of the samples are not disturbed: these are further ones, made by the same workers in
a closed loop, with every call of AscendCL stamped. Work that a call waits for is the caller's own;
work that other threads queued, or that has waited for an engine that others used, is shared out
evenly, by the time in which the engine was busy.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import tracing
from .loops import Clock, Plan, Samples, Step, measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Parts", "attribute", "count_for", "observe", "slots"]

MOST = 100  # traced inferences: enough for a mean, and soon over
_LEAST = 10
_DRAWN = 12  # inferences in the timeline
_ENGINES = ("host", "H2D", "compute", "D2H", "other")
_WARMUP = 2  # of each worker: the first traced call meets cold code
_H2D, _D2H = tracing.LANES.index("h2d"), tracing.LANES.index("d2h")


@dataclass(frozen=True)
class Parts:
    """Nanoseconds of each traced inference; where they overlap, one mean for all of them.

    Attributes:
        h2d: Copies to the device.
        device: Execution, and copies within the device.
        d2h: Copies back.
        host: The rest of the call; empty where other threads did the work meanwhile.
        note: How they were told apart.
        timeline: Row, begin and end of what took place in the first of them.
    """

    h2d: NDArray[np.int64]
    device: NDArray[np.int64]
    d2h: NDArray[np.int64]
    host: NDArray[np.int64]
    note: str
    timeline: tuple[tuple[str, int, int], ...] = ()


def count_for(samples: int, workers: int) -> int:
    """How many inferences to trace beside so many measured ones: a tenth, within limits."""
    return max(workers, min(MOST, max(min(samples, _LEAST), samples // 10)))


def observe(
    steps: Sequence[Step], plan: Plan, clock: Clock, count: int, trace: tracing.trace
) -> Parts | None:
    """Traces inferences and tells their parts.

    Args:
        steps: What each worker calls.
        plan: That of the samples.
        clock: What tells the time; it must be the trace's.
        count: Inferences, all workers together.
        trace: Closed; what it sees is added to it.

    Returns:
        The parts; None if Ctrl-C came.
    """
    native: list[int] = [0] * len(steps)

    def known(worker: int, step: Step) -> Callable[[int], object]:
        def call(number: int) -> object:
            native[worker] = threading.get_native_id()
            return step(number)

        return call

    wrapped = [s if hasattr(s, "start") else known(w, s) for w, s in enumerate(steps)]
    short = replace(
        plan, iterations=count, duration_s=None, warmup=_WARMUP, warmup_s=0.0, rate=None
    )
    seen = tracing.trace(capacity=4_000_000)
    with trace, seen:
        samples = measure(wrapped, short, clock)
    if samples.is_partial or not len(samples.end):
        return None
    spans = seen.spans()
    return replace(attribute(samples, native, spans), timeline=_timeline(samples, spans))


def slots(begin: NDArray[np.int64], end: NDArray[np.int64]) -> list[int]:
    """A row for each inference, in which it overlaps no other: the first that is free."""
    ends: list[int] = []
    found = [0] * len(begin)
    for i in np.argsort(begin, kind="stable"):
        free = [row for row, last in enumerate(ends) if last <= begin[i]]
        row = free[0] if free else len(ends)
        if not free:
            ends.append(0)
        ends[row] = int(end[i])
        found[i] = row
    return found


def _timeline(samples: Samples, spans: NDArray[Any]) -> tuple[tuple[str, int, int], ...]:
    """The first inferences and the engines' work meanwhile, from the first one's begin."""
    first = np.argsort(samples.begin, kind="stable")[:_DRAWN]
    start, stop = int(samples.begin[first].min()), int(samples.end[first].max())
    shown = np.flatnonzero(samples.end <= stop)
    rows = [
        (f"run {slot}", int(samples.begin[i]), int(samples.end[i]))
        for i, slot in zip(shown, slots(samples.begin[shown], samples.end[shown]), strict=True)
    ]
    work = spans[(spans["lane"] > 0) & (spans["begin_ns"] >= start) & (spans["end_ns"] <= stop)]
    several = len(set(work["device"].tolist())) > 1
    for span in work[np.lexsort((work["lane"], work["device"]))]:
        name = _ENGINES[span["lane"]]
        name = f"{name} {span['device']}" if several else name
        rows.append((name, int(span["begin_ns"]), int(span["end_ns"])))
    return tuple((row, begin - start, end - start) for row, begin, end in rows)


def attribute(samples: Samples, native: Sequence[int], spans: NDArray[Any]) -> Parts:
    """Shares the device's work out to inferences.

    Args:
        samples: The traced inferences.
        native: The thread id of each worker.
        spans: What the trace saw meanwhile.

    Returns:
        The parts.
    """
    work = spans[(spans["lane"] > 0) & (spans["begin_ns"] >= samples.start)]
    if len(work) and (not np.isin(work["thread"], native).all() or _is_contended(work)):
        return _shared_out(work, len(samples.end))
    size = len(samples.end)
    parts = np.zeros((3, size), np.int64)
    for worker, thread in enumerate(native):
        (mine,) = np.nonzero(samples.worker == worker)
        if not len(mine):
            continue
        mine = mine[np.argsort(samples.begin[mine], kind="stable")]
        own = work[work["thread"] == thread]
        at = np.searchsorted(samples.begin[mine], own["begin_ns"], side="right") - 1
        inside = (at >= 0) & (own["end_ns"] <= samples.end[mine][np.maximum(at, 0)])
        own, at = own[inside], at[inside]
        column = np.where(own["lane"] == _H2D, 0, np.where(own["lane"] == _D2H, 2, 1))
        np.add.at(parts, (column, mine[at]), own["end_ns"] - own["begin_ns"])
    host = samples.end - samples.begin - parts.sum(axis=0)
    return Parts(parts[0], parts[1], parts[2], host, "of further inferences, traced")


def _is_contended(work: NDArray[Any]) -> bool:
    """Whether calls overlap on one engine: then they have waited there for one another."""
    for lane, device in {(int(w["lane"]), int(w["device"])) for w in work}:
        rows = work[(work["lane"] == lane) & (work["device"] == device)]
        rows = rows[np.argsort(rows["begin_ns"], kind="stable")]
        if (rows["begin_ns"][1:] < np.maximum.accumulate(rows["end_ns"])[:-1]).any():
            return True
    return False


def _shared_out(work: NDArray[Any], size: int) -> Parts:
    """Busy time of each engine, of all devices, by inference: works overlap those of others."""
    busy = np.zeros(3, np.int64)
    for lane, device in {(int(w["lane"]), int(w["device"])) for w in work}:
        rows = work[(work["lane"] == lane) & (work["device"] == device)]
        rows = rows[np.argsort(rows["end_ns"], kind="stable")]
        last = np.concatenate([[0], rows["end_ns"][:-1]])
        alone = rows["end_ns"] - np.maximum(rows["begin_ns"], last)
        busy[0 if lane == _H2D else 2 if lane == _D2H else 1] += int(alone.sum())
    h2d, execution, d2h = (np.array([total // size], np.int64) for total in busy)
    note = "the engine's busy time by inference, of further ones, traced"
    return Parts(h2d, execution, d2h, np.zeros(0, np.int64), note)
