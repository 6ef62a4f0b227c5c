# SPDX-License-Identifier: Apache-2.0
"""Requests on their way through one of the library's queues.

A flight with requests in it is kept by this module, whoever else drops it: the device may still
write their arrays. At exit all flights are closed while the interpreter is whole.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import operator
import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

from ._ffi import ffi, lib, out_of_cycles, raise_for
from .errors import AclrtError, ClosedError, ForkedProcessError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._requests import Request

__all__ = [
    "DEFAULT_DEPTH",
    "SLICE_MS",
    "Flight",
    "Landing",
    "Living",
    "closed_before",
    "depth_of",
    "refuse_fork",
]

T = TypeVar("T")

# Enough for five milliseconds, CPython's switch interval, of a model that takes one.
DEFAULT_DEPTH: Final = 8
SLICE_MS: Final = 50  # so that Ctrl-C is heard
_CANCELLED: Final = lib.ACLRT_OUTCOME_CANCELLED


class Living(Generic[T]):
    """What somebody else keeps alive; may be looked at while another thread adds to it."""

    def __init__(self) -> None:
        self._all: weakref.WeakValueDictionary[int, T] = weakref.WeakValueDictionary()

    def add(self, one: T) -> None:
        """Adds one that can be referred to weakly."""
        self._all[id(one)] = one

    def __iter__(self) -> Iterator[T]:
        """Those that live now."""
        return iter([one for one in (kept() for kept in self._all.valuerefs()) if one is not None])


_in_flight: set[Flight] = set()
_open: Living[Flight] = Living()
_pid = os.getpid()


def refuse_fork() -> None:
    """Refuses a child of the process that imported this: its threads and locks are not there.

    Raises:
        ForkedProcessError: This is such a child.
    """
    if os.getpid() != _pid:
        raise ForkedProcessError(
            "runs in flight belong to the process that submitted them, not to its fork",
            hint="start workers by spawn or forkserver, and load the model there",
        )


def depth_of(in_flight: object) -> int:
    """A number of runs in flight.

    Raises:
        InputError: It is no integer from 1 to 4096.
    """
    try:
        number = operator.index(in_flight)  # type: ignore[arg-type]
    except TypeError:
        raise InputError(f"in_flight must be an integer, not {in_flight!r}") from None
    if isinstance(in_flight, bool) or not 1 <= number <= 4096:
        raise InputError(f"in_flight must be from 1 to 4096, not {in_flight!r}")
    return number


def _release_closed(status: Any) -> None:
    """Releases the status of a take: where the queue is closed, nothing is left to be taken."""
    with contextlib.suppress(ClosedError):
        raise_for(status)


def closed_before() -> ClosedError:
    """What a run fails with that close() came before."""
    return ClosedError("the model was closed before this run began", hint="load it again")


class Landing(NamedTuple):
    """What became of a request."""

    request: Request
    error: BaseException | None
    is_cancelled: bool
    is_final: bool  # False: it timed out, and the device still has its arrays


class Flight:
    """One queue of the library, with the requests that are in it.

    Its owner serialises ``submit``; ``take`` may run beside it, in one thread at a time.

    Args:
        handle: The model's.
        depth: Runs in flight, for each instance of the model.
    """

    def __init__(self, handle: Any, depth: int) -> None:
        options = ffi.new("aclrt_queue_options_t *")
        options.struct_size, options.depth = ffi.sizeof("aclrt_queue_options_t"), depth
        queue = ffi.new("aclrt_queue_t **")
        raise_for(lib.aclrt_queue_create(handle, options, queue))
        self._queue = ffi.gc(queue[0], lib.aclrt_queue_release)
        self._holder = out_of_cycles(self._queue)
        info = ffi.new("aclrt_queue_info_t *")
        raise_for(lib.aclrt_queue_info(self._queue, info))
        self.depth = int(info.depth)
        self.asked = depth
        self._frames: list[Any] = []  # a call interrupted by a signal handler's keeps its own
        self._completions = ffi.new("aclrt_completion_t[]", 2 * self.depth)
        self._count = ffi.new("size_t *")
        self._tags = itertools.count(1)
        self._requests: dict[int, Request] = {}
        self._lock = threading.RLock()
        _open.add(self)

    @property
    def requests(self) -> list[Request]:
        """Those whose arrays the device may still use."""
        return list(self._requests.values())

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return not self._requests

    @property
    def room(self) -> int:
        """How many requests ``submit`` will take."""
        return max(0, self.depth - len(self._requests))

    def submit(self, requests: Sequence[Request]) -> int:
        """Submits as many as there is room for.

        Returns:
            How many.

        Raises:
            InputError: The next one uses memory that a run in flight uses.
            ClosedError: The queue or its model is closed.
            DeviceLostError: The device died.
        """
        batch = requests[: self.room]
        submissions, accepted = frame = self._frame()
        try:
            self._enter(batch, submissions)
            status = lib.aclrt_queue_submit(self._queue, submissions, len(batch), accepted)
        finally:
            self._entered(batch, frame)
        raise_for(status)
        return sum(request.is_accepted for request in batch)

    def take(self, timeout_ms: int) -> list[Landing]:
        """All that have landed; waits for the first.

        Args:
            timeout_ms: How long to wait at most; keep to ``SLICE_MS`` where Ctrl-C has to be heard.
        """
        self._count[0] = 0
        status = lib.aclrt_queue_take(
            self._queue, self._completions, 2 * self.depth, timeout_ms, self._count
        )
        _release_closed(status)
        return self._landed()

    def exchange(self, requests: Sequence[Request], timeout_ms: int) -> list[Landing]:
        """``submit`` and ``take`` by one call, which lets go of the interpreter once.

        Raises:
            InputError: As ``submit``; then nothing was taken.
            ClosedError: The same.
            DeviceLostError: The same.
        """
        batch = requests[: self.room]
        submissions, accepted = frame = self._frame()
        self._count[0] = 0
        try:
            self._enter(batch, submissions)
            status = lib.aclrt_queue_exchange(
                *(self._queue, submissions, len(batch), accepted),
                *(self._completions, 2 * self.depth, timeout_ms, self._count),
            )
        finally:
            self._entered(batch, frame)
        if all(request.is_accepted for request in batch):
            _release_closed(status)  # by take
        else:
            raise_for(status)
        return self._landed()

    def _frame(self) -> Any:
        if self._frames:
            frame = self._frames.pop()
        else:
            frame = ffi.new("aclrt_submission_t[]", self.depth), ffi.new("size_t *")
        frame[1][0] = 0
        return frame

    def _enter(self, batch: Sequence[Request], submissions: Any) -> None:
        with self._lock:
            for place, request in enumerate(batch):
                request.tag = next(self._tags)
                request.write(submissions[place], request.timeout_ms)
                # Before the call: it may be taken before the call returns.
                self._requests[request.tag] = request
            _in_flight.add(self)

    def _entered(self, batch: Sequence[Request], frame: Any) -> None:
        accepted = int(frame[1][0])
        for request in batch[:accepted]:
            request.is_accepted = True
        self._forget(batch[accepted:])
        self._frames.append(frame)

    def _landed(self) -> list[Landing]:
        landings = []
        for place in range(self._count[0]):
            completion = self._completions[place]
            request = self._requests[completion.tag]
            error = request.failure(completion.status) if completion.status else None
            is_final = bool(completion.is_final)
            landings.append(Landing(request, error, completion.outcome == _CANCELLED, is_final))
        self._forget([landing.request for landing in landings if landing.is_final])
        return landings

    def _forget(self, requests: Sequence[Request]) -> None:
        with self._lock:
            for request in requests:
                self._requests.pop(request.tag, None)
            if not self._requests:
                _in_flight.discard(self)

    def cancel(self, request: Request) -> None:
        """Gives a request up; it lands all the same."""
        if request.tag in self._requests:
            raise_for(lib.aclrt_queue_cancel(self._queue, request.tag, ffi.NULL))

    def cancel_all(self) -> None:
        """Gives all of them up."""
        for request in self.requests:
            self.cancel(request)

    def settle(self) -> None:
        """Waits until the device has let go of everything; drops what lands."""
        while not self.is_empty:
            self.take(SLICE_MS)

    def sweep(self) -> None:
        """Drops what has landed."""
        if not self.is_empty:
            self.take(0)

    def await_runs(self) -> None:
        """Waits until the device has let go of what is in flight now."""
        tags, idle = set(self._requests), ffi.new("int32_t *")
        while not idle[0] and not tags.isdisjoint(self._requests):
            raise_for(lib.aclrt_queue_drain(self._queue, SLICE_MS, idle))

    def close(self) -> None:
        """Waits for the device, then gives everything back. Idempotent.

        Raises:
            AclError: The device refused to give something back; the rest is released all the same.
        """
        idle = ffi.new("int32_t *")
        while not idle[0]:
            raise_for(lib.aclrt_queue_drain(self._queue, SLICE_MS, idle))
        raise_for(lib.aclrt_queue_close(self._queue))

    def uses(self, arrays: Sequence[NDArray[Any]]) -> bool:
        """Whether a run in flight reads or writes memory of one of these."""
        return any(request.uses(arrays) for request in self.requests)


def _close_all() -> None:
    if os.getpid() != _pid:
        return
    for flight in list(_open):
        with contextlib.suppress(AclrtError):
            flight.close()


atexit.register(_close_all)
