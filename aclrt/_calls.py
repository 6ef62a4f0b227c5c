# SPDX-License-Identifier: Apache-2.0
"""Calls that a pool makes in threads of its own, with futures whose callbacks may do anything.

A callback runs in a thread that makes calls, so it waits for no slot, and where it waits for a call
that has no thread yet, it makes that call itself.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from ._futures import SteadyFuture
from .errors import ClosedError, InputError
from .result import Result

__all__ = ["Call", "Calls", "arrays_in"]

_here = threading.local()  # calls: whose thread this is

Arrays = Sequence["np.ndarray"]


def arrays_in(value: Any) -> list[np.ndarray]:
    """The NumPy arrays in what a call takes: an array, or a sequence or dict of them."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, (tuple, list)):
        return []
    return [array for one in value for array in arrays_in(one)]


def _share(some: Arrays, others: Arrays) -> bool:
    return any(np.may_share_memory(one, other) for one in some for other in others)


class Call(SteadyFuture):
    """A call that waits for a thread, is made, or is over."""

    def __init__(self, calls: Calls, work: Callable[[], Result], fed: Arrays, given: Arrays):
        super().__init__()
        self._calls = calls
        self._work = [work]  # taken by who makes it
        self.fed, self.given = fed, given
        self.has_slot = False

    def is_called_here(self) -> bool:
        """Whether this is a thread of its pool."""
        return self._calls.is_here

    def make(self) -> None:
        """Makes the call, unless somebody else does or it was cancelled."""
        try:
            work = self._work.pop()
        except IndexError:
            return
        if not self.set_running_or_notify_cancel():
            return
        try:
            result = work()
        except BaseException as error:
            self.set_exception(error)
            self = None  # type: ignore[assignment]  # which the error's frames hold
        else:
            self.set_result(result)

    def result(self, timeout: float | None = None) -> Result:
        """As in the base class; in a callback, a call that has no thread yet is made here."""
        if self._calls.is_here:
            self.make()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """As ``result``."""
        if self._calls.is_here:
            self.make()
        return super().exception(timeout)


class Calls:
    """The calls of one pool.

    Args:
        threads: Calls that are made at a time.
        most: Calls in flight before ``submit`` waits.
        name: Of the threads.
    """

    def __init__(self, threads: int, most: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._slots = threading.BoundedSemaphore(most)
        self._lock = threading.RLock()
        self._open: set[Call] = set()
        self._is_closed = False

    @property
    def is_here(self) -> bool:
        """Whether this is one of its threads, in a callback."""
        return getattr(_here, "calls", None) is self

    @property
    def open(self) -> list[Call]:
        """Those that are not over."""
        with self._lock:
            return list(self._open)

    def submit(
        self, work: Callable[[], Result], fed: Arrays = (), given: Arrays = (), wait: bool = True
    ) -> Call:
        """Starts a call.

        Args:
            work: What to do.
            fed: Arrays that it reads.
            given: Arrays that it writes.
            wait: Whether to wait while too many are in flight; a callback never does.

        Raises:
            ClosedError: The pool is closed.
            InputError: A call in flight writes one of the arrays, or reads one of ``given``.
        """
        call = Call(self, work, fed, given)
        if wait and not self.is_here:
            self._slots.acquire()
            call.has_slot = True
        try:
            call.add_done_callback(self._end)
            with self._lock:
                if self._is_closed:
                    raise ClosedError("the pool is closed", hint="open another one")
                self.refuse_in_use(fed, given)
                self._open.add(call)
                self._threads.submit(self._make, call)
        except BaseException:
            call.cancel()
            raise
        return call

    def _make(self, call: Call) -> None:
        _here.calls = self
        call.make()

    def _end(self, call: Any) -> None:
        with self._lock:
            self._open.discard(call)
            has_slot, call.has_slot = call.has_slot, False
        if has_slot:
            self._slots.release()

    def refuse_in_use(self, fed: Arrays, given: Arrays) -> None:
        """Refuses arrays that would be read and written, or written twice, at a time.

        Raises:
            InputError: One would be.
        """
        for call in self.open:
            if _share(given, call.given) or _share(given, call.fed):
                raise InputError(
                    "an array given for an output is in use by a call in flight",
                    hint="wait for that call, or give each call in flight arrays of its own",
                )
            if _share(fed, call.given):
                raise InputError(
                    "an input is an array that a call in flight writes its output to",
                    hint="wait for that call before its outputs are fed",
                )

    def map(
        self,
        items: Iterator[Any],
        start: Callable[[Any], Future[Result]],
        depth: int,
        ordered: bool,
    ) -> Iterator[Result]:
        """The results of calls for each item.

        Args:
            items: What to call with.
            start: Starts the call for an item.
            depth: Calls in flight, at most.
            ordered: Whether results come in the order of the items, or as they finish.
        """
        flying: deque[Future[Result]] = deque()
        end: Exception | None = None  # what comes after the last result
        settle = True
        try:
            while True:
                while end is None and len(flying) < depth:
                    try:
                        flying.append(start(next(items)))
                    except Exception as error:
                        end = error
                if flying:
                    yield self._next(flying, ordered)
                elif isinstance(end, StopIteration):
                    return
                elif end is not None:
                    raise end
        except KeyboardInterrupt:
            settle = False
            raise
        finally:
            for call in flying:
                call.cancel()
            if settle:
                wait(flying)

    def _next(self, flying: deque[Future[Result]], ordered: bool) -> Result:
        call = flying[0]
        if self.is_here and isinstance(call, Call):
            call.make()
        if not ordered:
            done = wait(flying, return_when=FIRST_COMPLETED).done
            call = next(one for one in flying if one in done)
        flying.remove(call)
        return call.result()

    def close(self) -> None:
        """Refuses further calls, and cancels those that have no thread yet."""
        with self._lock:
            self._is_closed = True
        for call in self.open:
            call.cancel()
        self._threads.shutdown(wait=False)

    def join(self) -> None:
        """After ``close``: waits for calls in progress; not in a callback, for callbacks too."""
        if self.is_here:
            wait(self.open)
        else:
            self._threads.shutdown(wait=True)
