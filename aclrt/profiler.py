# SPDX-License-Identifier: Apache-2.0
"""``Profiler``: how long the parts of any program take, and what memory they need.

>>> profiler = aclrt.Profiler()                               # doctest: +SKIP
>>> for image in images:                                      # doctest: +SKIP
...     with profiler.phase("preprocess"):
...         x = preprocess(image)
...     with profiler.phase("model"):
...         y = model(x)
>>> print(profiler.report())                                  # doctest: +SKIP

Nothing outside of the blocks is touched: a program that opens none pays nothing, and a profiler
that is off hands out one empty block.
"""

from __future__ import annotations

import functools
import json
import os
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import InputError

if TYPE_CHECKING:
    from typing_extensions import Self

    from .device import Device

__all__ = ["PhaseReport", "ProfileReport", "Profiler"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_OFF: AbstractContextManager[None] = nullcontext()
_NS_PER_MS = 1e6
_STATM = Path("/proc/self/statm")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class PhaseReport:
    """One phase.

    Attributes:
        name: As given.
        count: How often it ran to its end; blocks that raised are among them.
        total_s: Seconds in all, of all threads.
        mean_ms: Their mean.
        min_ms: The shortest.
        max_ms: The longest.
        percentiles: Milliseconds by percent; times that were measured, not interpolations.
        per_s: Blocks a second, from the first one's begin to the last one's end.
        host_peak_bytes: The most memory of this process (resident) at the begin or end of one of
            its blocks; None where it was not asked for.
        device_peak_bytes: The most memory in use on the device, likewise; None without a device.
    """

    name: str
    count: int
    total_s: float
    mean_ms: float
    min_ms: float
    max_ms: float
    percentiles: dict[float, float]
    per_s: float
    host_peak_bytes: int | None
    device_peak_bytes: int | None


@dataclass(frozen=True)
class ProfileReport:
    """What a profiler has seen; ``str()`` is a table for people.

    Attributes:
        wall_s: Seconds from the profiler's begin (its ``with`` block, or its making) to this
            report or to the end of that block.
        phases: In the order in which they first ended.
    """

    wall_s: float
    phases: tuple[PhaseReport, ...]

    def __getitem__(self, name: str) -> PhaseReport:
        """A phase by its name.

        Raises:
            KeyError: There is none.
        """
        for phase in self.phases:
            if phase.name == name:
                return phase
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it; percentiles by their text."""
        phases = []
        for phase in self.phases:
            row = dict(vars(phase))
            row["percentiles"] = {f"{p:g}": ms for p, ms in phase.percentiles.items()}
            phases.append(row)
        return {"schema": "aclrt-profile/1", "wall_s": self.wall_s, "phases": phases}

    def to_json(self) -> str:
        """The same as text."""
        return json.dumps(self.to_dict(), allow_nan=False)

    def __str__(self) -> str:
        """A line for each phase."""
        if not self.phases:
            return f"no phase has ended in {self.wall_s:.3f} s"
        names = [f"p{percent:g}" for percent in self.phases[0].percentiles]
        rows = [
            ["phase", "count", "share", "mean ms", *(f"{n} ms" for n in names), "max ms", "per s"]
        ]
        has_host = any(phase.host_peak_bytes is not None for phase in self.phases)
        has_device = any(phase.device_peak_bytes is not None for phase in self.phases)
        rows[0] += ["host MiB"] * has_host + ["device MiB"] * has_device
        for phase in self.phases:
            share = phase.total_s / self.wall_s if self.wall_s else 0.0
            times = [phase.mean_ms, *phase.percentiles.values(), phase.max_ms]
            row = [phase.name, str(phase.count), f"{share:.1%}", *(f"{ms:.4f}" for ms in times)]
            row.append(f"{phase.per_s:.1f}")
            peaks = [phase.host_peak_bytes] * has_host + [phase.device_peak_bytes] * has_device
            rows.append([*row, *("" if n is None else f"{n / 2**20:.1f}" for n in peaks)])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(width) if at else cell.ljust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        return "\n".join([*lines, f"wall {self.wall_s:.3f} s"])


class _Times:
    """The stamps of one phase."""

    def __init__(self) -> None:
        self.begin, self.end = array("q"), array("q")
        self.host = self.device = -1


class _Block:
    """One block of a phase; a new one each time, so that threads and recursion are no matter."""

    __slots__ = ("_begin", "_name", "_profiler")

    def __init__(self, profiler: Profiler, name: str) -> None:
        self._profiler, self._name, self._begin = profiler, name, 0

    def __enter__(self) -> None:
        self._profiler._look(self._name)
        self._begin = time.perf_counter_ns()

    def __exit__(self, *_: object) -> None:
        self._profiler._note(self._name, self._begin, time.perf_counter_ns())


class Profiler:
    """Times named phases of a program, in any number of threads.

    Use ``phase(name)`` as a block or ``wrap`` as a decorator; the profiler itself may be a ``with``
    block, whose time is then the report's wall time.

    Args:
        enabled: False: all of it does nothing, so that it can stay in the program.
        memory: Whether to look at this process's memory at the ends of each block, which takes
            some 30 microseconds (outside of the times, where no other phase encloses them).
        device: Whose memory to look at likewise; on a card this asks the driver.
        percentiles: To report, above 0 and up to 100.

    Raises:
        InputError: A percentile is out of range.
    """

    def __init__(
        self,
        *,
        enabled: bool = True,
        memory: bool = False,
        device: Device | None = None,
        percentiles: Sequence[float] = (50, 90, 99),
    ) -> None:
        if not percentiles or not all(0 < percent <= 100 for percent in percentiles):
            raise InputError(f"percentiles must be above 0 and up to 100, not {list(percentiles)}")
        self._enabled, self._memory, self._device = enabled, memory, device
        self._percentiles = tuple(percentiles)
        self._lock = threading.Lock()
        self._phases: dict[str, _Times] = {}
        self._begin, self._end = time.perf_counter_ns(), 0

    def __enter__(self) -> Self:
        self._begin, self._end = time.perf_counter_ns(), 0
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end = time.perf_counter_ns()

    @property
    def is_enabled(self) -> bool:
        """Whether anything is timed."""
        return self._enabled

    def phase(self, name: str) -> AbstractContextManager[None]:
        """A block that is timed under a name, also where it raises. Blocks may be nested."""
        return _Block(self, name) if self._enabled else _OFF

    def wrap(self, function: _Function) -> _Function:
        """A function whose calls are timed, under its qualified name; itself if this is off."""
        if not self._enabled:
            return function
        name = function.__qualname__

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.phase(name):
                return function(*args, **kwargs)

        return timed  # type: ignore[return-value]

    def reset(self) -> None:
        """Forgets what was timed, and begins anew."""
        with self._lock:
            self._phases = {}
            self._begin, self._end = time.perf_counter_ns(), 0

    def report(self) -> ProfileReport:
        """What was timed until now."""
        wall_ns = (self._end or time.perf_counter_ns()) - self._begin
        with self._lock:
            rows = [(n, t) for n, t in self._phases.items() if t.end]
            phases = tuple(self._summary(name, times) for name, times in rows)
        return ProfileReport(wall_ns / 1e9, phases)

    def save(self, path: str | Path) -> None:
        """Writes the report as JSON, schema ``aclrt-profile/1``.

        Raises:
            OSError: The file cannot be written.
        """
        Path(path).write_text(self.report().to_json() + "\n", "utf-8")

    def _summary(self, name: str, times: _Times) -> PhaseReport:
        lengths = sorted(end - begin for begin, end in zip(times.begin, times.end, strict=True))
        count, total = len(lengths), sum(lengths)
        ranks = {p: max(1, ceil(count * Fraction(str(p)) / 100)) for p in self._percentiles}
        span = max(times.end) - min(times.begin)
        return PhaseReport(
            name=name,
            count=count,
            total_s=total / 1e9,
            mean_ms=total / count / _NS_PER_MS,
            min_ms=lengths[0] / _NS_PER_MS,
            max_ms=lengths[-1] / _NS_PER_MS,
            percentiles={p: lengths[rank - 1] / _NS_PER_MS for p, rank in ranks.items()},
            per_s=count * 1e9 / span if span else 0.0,
            host_peak_bytes=times.host if times.host >= 0 else None,
            device_peak_bytes=times.device if times.device >= 0 else None,
        )

    def _times(self, name: str) -> _Times:
        times = self._phases.get(name)
        return times if times is not None else self._phases.setdefault(name, _Times())

    def _look(self, name: str) -> None:
        if not self._memory and self._device is None:
            return
        host = _resident_bytes() if self._memory else -1
        device = -1
        if self._device is not None:
            memory = self._device.memory
            device = memory.total - memory.free
        with self._lock:
            times = self._times(name)
            times.host, times.device = max(times.host, host), max(times.device, device)

    def _note(self, name: str, begin: int, end: int) -> None:
        with self._lock:
            times = self._times(name)
            times.begin.append(begin)
            times.end.append(end)
        self._look(name)


def _resident_bytes() -> int:
    """-1 where /proc does not tell."""
    try:
        return int(_STATM.read_bytes().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return -1
