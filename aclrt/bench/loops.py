# SPDX-License-Identifier: Apache-2.0
"""The measuring loops: who calls when, and the stamps before and after each call.

Closed loop: each worker calls again as soon as its last call is over. Open loop: call number i is
due at start + i / rate, whatever became of the calls before it; its latency counts from when it was
due, not from when a worker was free for it, so a stall is charged to every call that waited for it
(the correction of what Gil Tene calls coordinated omission). Either loop can have calls in flight,
of steps that can ``start``. Nothing here knows what is called.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .. import tracing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Clock", "DeviceClock", "Plan", "Samples", "SystemClock", "measure"]

Step = Callable[[int], object]  # takes the number of the inference
_NS_PER_S = 1_000_000_000
_LOOK_S = 0.05  # between two looks at the workers


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> int:
        """Monotonic nanoseconds."""

    def wait_until(self, due: int) -> None:
        """Returns once ``now()`` is at least ``due``."""


class SystemClock:
    """The machine's monotonic clock."""

    now = staticmethod(time.perf_counter_ns)

    def wait_until(self, due: int) -> None:
        """Sleeps until shortly before, then looks: a sleeper wakes some 60 microseconds late."""
        while (left := due - time.perf_counter_ns()) > 0:
            if left > 200_000:
                time.sleep((left - 100_000) / _NS_PER_S)


class DeviceClock:
    """The fake device's virtual clock, which only its work moves on."""

    now = staticmethod(tracing.clock_ns)

    def wait_until(self, due: int) -> None:
        """Never: nothing would move the clock meanwhile; plans that wait are refused before."""
        raise NotImplementedError(due)


@dataclass(frozen=True)
class Plan:
    """How long to warm up and to measure; at least one of ``iterations`` and ``duration_s``."""

    iterations: int | None
    duration_s: float | None
    warmup: int
    warmup_s: float
    rate: float | None

    @property
    def total(self) -> int | None:
        """The number of inferences, where it is known before: the rate fixes it too."""
        if self.rate is None or self.duration_s is None:
            return self.iterations
        offered = max(1, int(self.duration_s * self.rate))
        return offered if self.iterations is None else min(offered, self.iterations)


@dataclass(frozen=True)
class Samples:
    """What was measured, an entry for each inference, in the order in which they ended.

    Attributes:
        due: Nanoseconds when it should have begun; in a closed loop when it began.
        begin: When it began.
        end: When it was over.
        worker: Which worker called.
        is_partial: Interrupted before the plan was done.
        warmed: Inferences of the warm-up, all workers together.
        start: When measuring began.
    """

    due: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    worker: NDArray[np.int64]
    is_partial: bool
    warmed: int
    start: int


class _Run:
    """The state that workers share while they measure."""

    def __init__(self, plan: Plan, clock: Clock, workers: int) -> None:
        self.plan = plan
        self.clock = clock
        self.numbers = count()  # next() is atomic: each number goes to one worker
        self.stopping = False
        self.error: BaseException | None = None
        self.begun = False
        self.start = 0
        self.warmed = [0] * workers
        self.due = [array("q") for _ in range(workers)]
        self.begin = [array("q") for _ in range(workers)]
        self.end = [array("q") for _ in range(workers)]
        self.gate = threading.Barrier(workers, action=self._open)

    def _open(self) -> None:
        self.start = self.clock.now()
        self.begun = True

    def done(self) -> int:
        """Inferences measured until now."""
        return sum(map(len, self.end))

    def fraction(self) -> float:
        """How much of the plan is done, 0 to 1."""
        if not self.begun:
            return 0.0
        total, shares = self.plan.total, [0.0]
        if total:
            shares.append(self.done() / total)
        if self.plan.duration_s and self.plan.rate is None:
            shares.append((self.clock.now() - self.start) / (self.plan.duration_s * _NS_PER_S))
        return min(max(shares), 1.0)

    def work(self, worker: int, step: Step) -> None:
        """All that one worker does."""
        self._warm_up(worker, step)
        self.gate.wait()
        if hasattr(step, "start") and self.plan.rate is not None:
            self._overlapping_open_loop(worker, step, self.plan.rate)
        elif hasattr(step, "start"):
            self._overlapping(worker, step)
        elif self.plan.rate is None:
            self._closed(worker, step)
        else:
            self._open_loop(worker, step, self.plan.rate)

    def _warm_up(self, worker: int, step: Step) -> None:
        now = self.clock.now
        ready = now() + int(self.plan.warmup_s * _NS_PER_S)
        while not self.stopping and (self.warmed[worker] < self.plan.warmup or now() < ready):
            step(self.warmed[worker])
            self.warmed[worker] += 1

    def _closed(self, worker: int, step: Step) -> None:
        now, numbers = self.clock.now, self.numbers
        begins, ends = self.begin[worker], self.end[worker]
        limit = self.plan.iterations
        seconds = self.plan.duration_s
        deadline = None if seconds is None else self.start + int(seconds * _NS_PER_S)
        while not self.stopping:
            number = next(numbers)
            if limit is not None and number >= limit:
                break
            begin = now()
            step(number)
            end = now()
            begins.append(begin)
            ends.append(end)
            if deadline is not None and end >= deadline:
                break

    def _overlapping(self, worker: int, step: Any) -> None:
        """As many inferences in flight as the step has room for; each ends when it is taken."""
        now, numbers, limit = self.clock.now, self.numbers, self.plan.iterations
        seconds = self.plan.duration_s
        deadline = None if seconds is None else self.start + int(seconds * _NS_PER_S)
        pending: deque[tuple[int, Any]] = deque()
        is_over = False
        try:
            while pending or not is_over:
                while not is_over and len(pending) < step.depth:
                    number = next(numbers)
                    if self.stopping or (limit is not None and number >= limit):
                        is_over = True
                        break
                    begin = now()
                    pending.append((begin, step.start(number)))
                if not pending:
                    break
                begin, run = pending.popleft()
                run.result()
                end = now()
                self.begin[worker].append(begin)
                self.end[worker].append(end)
                is_over = is_over or (deadline is not None and end >= deadline)
        finally:
            for _, run in pending:
                run.cancel()

    def _open_loop(self, worker: int, step: Step, rate: float) -> None:
        now, wait_until, total = self.clock.now, self.clock.wait_until, self.plan.total
        assert total is not None
        while not self.stopping:
            number = next(self.numbers)
            if number >= total:
                break
            due = self.start + int(number * _NS_PER_S / rate)
            wait_until(due)
            begin = now()
            step(number)
            end = now()
            self.due[worker].append(due)
            self.begin[worker].append(begin)
            self.end[worker].append(end)

    def _overlapping_open_loop(self, worker: int, step: Any, rate: float) -> None:
        """Starts each inference when it is due, or once there is room; it ends when it lands."""
        now, wait_until, total = self.clock.now, self.clock.wait_until, self.plan.total
        assert total is not None
        landing = _Landing(self, worker, step.depth)
        try:
            while landing.wait_for_room():  # first: a number that waits here nobody else can take
                number = next(self.numbers)
                if number >= total:
                    landing.room.release()
                    break
                due = self.start + int(number * _NS_PER_S / rate)
                wait_until(due)
                landing.start(step, number, due, now())
        except BaseException:
            landing.cancel()
            raise
        finally:
            landing.wait_for_all()

    def samples(self, is_partial: bool) -> Samples:
        """All workers' stamps. An interrupt may have come between two appends."""
        columns: list[list[Any]] = [[], [], [], []]
        for worker, ends in enumerate(self.end):
            size = len(ends)
            dues = self.begin[worker] if self.plan.rate is None else self.due[worker]
            rows = (dues[:size], self.begin[worker][:size], ends, [worker] * size)
            for column, row in zip(columns, rows, strict=True):
                column.append(np.array(row, np.int64))
        due, begin, end, worker_of = (np.concatenate(column) for column in columns)
        order = np.argsort(end, kind="stable")
        return Samples(
            due[order],
            begin[order],
            end[order],
            worker_of[order],
            is_partial,
            sum(self.warmed),
            self.start,
        )


class _Landing:
    """Inferences in flight of one worker; their ends are stamped in the thread they land in."""

    def __init__(self, run: _Run, worker: int, depth: int) -> None:
        self.room = threading.Semaphore(depth)
        self._run, self._worker = run, worker
        self._error: BaseException | None = None
        self._open: dict[int, Any] = {}

    def wait_for_room(self) -> bool:
        """Whether there is room for one more; not if measuring is to stop."""
        while not self._run.stopping and self._error is None:
            if self.room.acquire(timeout=_LOOK_S):
                return True
        return False

    def start(self, step: Any, number: int, due: int, begin: int) -> None:
        """Starts an inference."""

        def landed(future: Any) -> None:
            end = self._run.clock.now()
            if not future.cancelled():
                self._error = self._error or future.exception()
                if future.exception() is None:
                    self._run.due[self._worker].append(due)
                    self._run.begin[self._worker].append(begin)
                    self._run.end[self._worker].append(end)  # last: it counts
            self._open.pop(number, None)
            self.room.release()

        future = step.start(number, landed)
        self._open[number] = future
        if future.done():
            self._open.pop(number, None)

    def cancel(self) -> None:
        """Gives up what is in flight."""
        for future in list(self._open.values()):
            future.cancel()

    def wait_for_all(self) -> None:
        """Until all have landed; raises what the first failed with."""
        while self._open:  # not by the room: an interrupt may have kept a place of it
            self.room.acquire(timeout=_LOOK_S)
            if self._run.stopping:
                self.cancel()
        if self._error is not None:
            raise self._error


def measure(
    steps: Sequence[Step],
    plan: Plan,
    clock: Clock,
    watch: Callable[[Callable[[], float]], Any] | None = None,
) -> Samples:
    """Warms up and measures, with one worker for each step.

    Args:
        steps: What each worker calls, with the number of the inference. One step is called by the
            calling thread itself; more have a thread each.
        plan: When to stop.
        clock: What tells the time.
        watch: Gets a function that tells how much is done, and returns a context manager that
            stays open meanwhile (a progress bar); None for none.

    Returns:
        The samples; marked partial, and perhaps none at all, if Ctrl-C came.

    Raises:
        BaseException: What a step raised, Ctrl-C apart.
    """
    run = _Run(plan, clock, len(steps))
    context = watch(run.fraction) if watch is not None else None
    if context is not None:
        context.__enter__()
    try:
        is_partial = False
        try:
            for _ in _workers(run, steps):
                pass
        except KeyboardInterrupt:
            is_partial = True
        return run.samples(is_partial)
    finally:
        if context is not None:
            context.__exit__(None, None, None)


def _workers(run: _Run, steps: Sequence[Step]) -> Iterator[None]:
    """Runs all workers to their end, whatever happens."""
    if len(steps) == 1:
        run.work(0, steps[0])
        return

    def work(worker: int, step: Step) -> None:
        try:
            run.work(worker, step)
        except BaseException as error:
            if not isinstance(error, threading.BrokenBarrierError):
                run.error = run.error or error
            run.stopping = True
            run.gate.abort()

    threads = [
        threading.Thread(target=work, args=pair, name=f"aclrt-bench-{pair[0]}", daemon=True)
        for pair in enumerate(steps)
    ]
    try:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            threads[0].join(_LOOK_S)
            for thread in threads[1:]:
                thread.join(0 if threads[0].is_alive() else _LOOK_S)
            yield
    finally:
        run.stopping = True
        run.gate.abort()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
    if run.error is not None:
        raise run.error
