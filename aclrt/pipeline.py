# SPDX-License-Identifier: Apache-2.0
"""Runs in flight: copies of one overlap with the execution of another.

``model.submit``, ``model.run_async`` and ``AsyncQueue`` share a ``Pipeline`` each: requests wait
for a slot of the library's queue in the order in which they came, and one thread takes what has
landed. ``model.map`` needs no thread: the generator takes all results and feeds all free slots
whenever it wakes, so a busy Python thread beside it costs nothing as long as enough is in flight.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ._flight import (
    DEFAULT_DEPTH,
    SLICE_MS,
    Flight,
    Living,
    closed_before,
    depth_of,
    refuse_fork,
)
from ._futures import SteadyFuture, log
from ._mapping import results
from ._requests import NEVER, Preparer, Request, timeout_ms_of
from .device_tensor import DeviceTensor
from .errors import AclrtError, DeviceTimeoutError, InputError
from .result import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Overlap", "Pipeline"]

_IDLE_S: Final = 1.0  # how long the thread of a pipeline outlives its last request

_here = threading.local()  # is_serving: this is the thread of a pipeline


class _RunFuture(SteadyFuture):
    """A future whose ``cancel`` tells the queue, and which a callback of another may wait for."""

    def __init__(self, pipeline: Pipeline, request: Request) -> None:
        super().__init__()
        self._pipeline = pipeline
        self._request = request

    def cancel(self) -> bool:
        cancelled = super().cancel()
        if cancelled:
            self._pipeline.give_up(self._request)
        return cancelled

    def result(self, timeout: float | None = None) -> Result:
        """As in the base class; in a callback, other runs are served meanwhile."""
        self._pipeline.serve_until(self.done, timeout)
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """As ``result``."""
        self._pipeline.serve_until(self.done, timeout)
        return super().exception(timeout)

    def is_called_here(self) -> bool:
        """Whether this is the thread of its pipeline."""
        return self._pipeline.is_served_here


class Pipeline:
    """A queue with futures, and one thread that completes them.

    Args:
        overlap: The model's.
        depth: Runs in flight for each instance of the model.
    """

    def __init__(self, overlap: Overlap, depth: int) -> None:
        self._flight = overlap.open(depth)
        self._flights = overlap.flights
        self._waiting: OrderedDict[Request, None] = OrderedDict()
        self._soonest = NEVER  # no deadline of those that wait is before
        self._over: deque[tuple[Request, BaseException | None, bool]] = deque()  # to be delivered
        # Taken by itself: an interrupt inside Condition.__enter__, which is Python, would keep it.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_closing = False
        self._reference = weakref.ref(self)  # the thread's
        self._is_gathering = False
        self._closes_itself = False

    @property
    def has_room(self) -> bool:
        """Whether a request would be submitted at once."""
        with self._lock:
            return not self._waiting and self._flight.room > 0

    def submit(
        self,
        request: Request,
        wait: bool,
        given: Sequence[NDArray[Any]] = (),
        on_done: Callable[[Future[Result]], object] | None = None,
    ) -> _RunFuture:
        """Submits a request.

        Args:
            request: What to run.
            wait: Whether to wait for a free slot, or to return and leave that to the thread.
            given: Arrays of the caller's that receive outputs.
            on_done: Called with the future when it is done, before its other callbacks.

        Raises:
            ClosedError: The model is closed.
            InputError: Memory of the request is in use by a run in flight.
        """
        refuse_fork()
        future = _RunFuture(self, request)
        request.future = future
        if on_done is not None:
            future.add_done_callback(on_done)
        if request.timeout_ms >= 0:
            request.deadline = time.monotonic() + request.timeout_ms / 1000
        with self._lock:
            if self._is_closing:
                raise closed_before()
            if given:
                _refuse_in_use([*self._flights, *self._waiting], given)
            self._start()  # first: after an interrupt there may be something to serve
            if self._waiting or self._flight.submit([request]) == 0:
                self._waiting[request] = None
                self._soonest = min(self._soonest, request.deadline)
            self._wake.set()
            # A callback of this very thread's must not wait for itself.
            if not wait or self.is_served_here:
                return future
            try:
                while not request.is_accepted and not request.is_over:
                    self._changed.wait()
            except BaseException:
                future.cancel()
                raise
        return future

    def give_up(self, request: Request) -> None:
        """After its future was cancelled."""
        with self._lock:
            if request in self._waiting:
                del self._waiting[request]
                self._end(request)
            else:
                self._flight.cancel(request)

    def _end(self, request: Request) -> None:
        request.is_over = True
        self._changed.notify_all()

    @property
    def is_served_here(self) -> bool:
        """Whether this is its thread, in a callback."""
        return threading.current_thread() is self._thread

    @property
    def waiting(self) -> list[Request]:
        """Those without a slot."""
        with self._lock:
            return list(self._waiting)

    def serve_until(self, is_over: Callable[[], bool], timeout: float | None) -> None:
        """In a callback: serves until something is over, the time is, or nothing is in flight."""
        if not self.is_served_here:
            return
        end = NEVER if timeout is None else time.monotonic() + timeout
        while not is_over():
            left = end - time.monotonic()
            if left <= 0 or not self.serve(int(min(SLICE_MS, left * 1000 + 1))):
                return

    def await_slots(self) -> None:
        """Waits until what waits for a slot now has had one."""
        waiting = self.waiting

        def have_had() -> bool:
            return all(request.is_accepted or request.is_over for request in waiting)

        self.serve_until(have_had, None)
        with self._lock:
            while not have_had():
                self._changed.wait()

    def _start(self) -> None:
        # Collected in a cycle with a destructor that submits, it has lost the first thread's.
        if self._thread is None or self._reference() is None:
            self._reference = weakref.ref(self)
            arguments = (self._reference, self._wake)
            self._thread = threading.Thread(
                target=_serve, args=arguments, name="aclrt-pipeline", daemon=True
            )
            self._thread.start()

    def serve(self, at_most_ms: int = SLICE_MS) -> bool:
        """One round of the thread, or of a callback in it: False where nothing is in flight."""
        with self._lock:
            if self._flight.is_empty and not self._waiting and not self._over:
                return False
        if not self._over:
            self._is_gathering = True
            try:
                self._gather(at_most_ms)
            finally:
                self._is_gathering = False
        while self._over:  # which a callback may take from, and add to
            _deliver(*self._over.popleft())
        return True

    def _gather(self, at_most_ms: int) -> None:
        landings = self._flight.take(self._patience(at_most_ms))
        self._over += [(one.request, one.error, one.is_cancelled) for one in landings]
        with self._lock:
            self._over += [(one, _timed_out(), False) for one in self._late()]
            self._over += self._pump()
            for request, _, _ in self._over:
                self._end(request)
            self._changed.notify_all()

    def _patience(self, at_most_ms: int) -> int:
        if self._soonest == NEVER:
            return at_most_ms
        return max(0, min(at_most_ms, round((self._soonest - time.monotonic()) * 1000) + 1))

    def _late(self) -> list[Request]:
        now = time.monotonic()
        if self._soonest > now:
            return []
        late = [one for one in self._waiting if one.deadline <= now]
        for request in late:
            del self._waiting[request]
        self._soonest = min((one.deadline for one in self._waiting), default=NEVER)
        return late

    def _pump(self) -> list[tuple[Request, BaseException, bool]]:
        """Feeds all free slots; what the library refuses comes back with its error."""
        refused: list[tuple[Request, BaseException, bool]] = []
        while self._waiting and self._flight.room:
            batch = list(islice(self._waiting, self._flight.room))
            now = time.monotonic()
            for request in batch:
                if request.deadline != NEVER:
                    request.timeout_ms = max(1, round((request.deadline - now) * 1000))
            try:
                accepted = self._flight.submit(batch)
            except Exception as error:
                accepted = sum(request.is_accepted for request in batch)
                refused.append((batch[accepted], error, False))
                for request in batch[: accepted + 1]:
                    del self._waiting[request]
                continue
            for request in batch[:accepted]:
                del self._waiting[request]
            if accepted < len(batch):
                break
        return refused

    def end_thread(self) -> bool:
        """For the thread, when it has been idle: whether it may end."""
        with self._lock:
            if not self._flight.is_empty or self._waiting:
                return False
            self._thread = None
            self._changed.notify_all()
            return True

    @property
    def is_closing(self) -> bool:
        """Whether ``close`` was called."""
        return self._is_closing

    def close(self) -> None:
        """Fails what waits for a slot, finishes what has one, gives everything back. Idempotent.

        In a callback of another pipeline it does not wait for this one's callbacks: they may wait
        for that.
        """
        with self._lock:
            self._is_closing = True
            waiting = list(self._waiting)
            self._waiting.clear()
            for request in waiting:
                self._end(request)
            thread = self._thread
            self._wake.set()
        for request in waiting:
            _deliver(request, closed_before(), False)
        if self.is_served_here:
            if self._is_gathering:  # in a destructor: the thread does the rest
                self._closes_itself = True
                return
            while self.serve():
                pass
        elif thread is not None and not getattr(_here, "is_serving", False):
            self._await(thread)
        self._flight.close()

    def end_close(self) -> None:
        """For the thread, at its end: what close() left to it."""
        if self._closes_itself:
            with contextlib.suppress(AclrtError):  # a destructor has nobody to tell
                self._flight.close()

    def _await(self, thread: threading.Thread) -> None:
        # A signal handler or a destructor may have interrupted this thread inside submit, with the
        # lock, which wait() lets go of and join() would not.
        with self._lock:
            while self._thread is thread and thread.is_alive():
                self._changed.wait(SLICE_MS / 1000)
        while thread.is_alive():
            thread.join(SLICE_MS / 1000)


def _serve(reference: weakref.ref[Pipeline], wake: threading.Event) -> None:
    _here.is_serving = True
    while True:
        pipeline = reference()
        if pipeline is None:
            return
        wake.clear()
        try:
            if pipeline.serve():
                continue
        except MemoryError:
            log.exception("no memory for the result of a run in flight")
            continue
        if pipeline.is_closing and pipeline.end_thread():
            pipeline.end_close()
            return
        del pipeline  # nobody else's: it goes, and its queue with it
        if wake.wait(_IDLE_S):
            continue
        pipeline = reference()
        if pipeline is None or pipeline.end_thread():
            return


def _deliver(request: Request, error: BaseException | None, is_cancelled: bool) -> None:
    future: _RunFuture | None = request.future
    if future is None:  # timed out before
        return
    request.future = None  # which holds the request
    if not future.set_running_or_notify_cancel():
        return  # cancelled
    if is_cancelled:
        future.set_exception(closed_before())
        return
    if error is None:
        try:
            result = request.result()
        except BaseException as failure:
            error = failure
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


def _timed_out() -> DeviceTimeoutError:
    return DeviceTimeoutError(
        "the run did not begin in time: the runs before it took too long",
        hint="wait longer, or submit less at once",
    )


def _refuse_in_use(users: Iterable[Flight | Request], arrays: Sequence[NDArray[Any]]) -> None:
    if any(user.uses(arrays) for user in users):
        raise InputError(
            "an array given for an output is in use by a run in flight",
            hint="wait for that run, or give each run in flight arrays of its own",
        )


class Overlap:
    """All that is in flight of one model; made when the first run is.

    Args:
        handle: The model's.
        preparer: Makes its requests.
    """

    def __init__(self, handle: Any, preparer: Preparer) -> None:
        self._handle = handle
        self._preparer = preparer
        self._lock = threading.RLock()  # a signal handler may interrupt, and close
        self._pipeline: Pipeline | None = None
        self._spare: Flight | None = None
        self._left: list[Flight] = []  # by generators, with requests that the device still has
        self._reclaiming = threading.Lock()
        self._flights: Living[Flight] = Living()
        self._pipelines: Living[Pipeline] = Living()
        self._is_closed = False

    @property
    def preparer(self) -> Preparer:
        """What makes its requests."""
        return self._preparer

    @property
    def flights(self) -> Living[Flight]:
        """All queues of the model."""
        return self._flights

    def open(self, depth: int) -> Flight:
        """A queue of its own.

        Raises:
            ClosedError: The model is closed.
            DeviceOutOfMemoryError: There is no memory for that many runs.
        """
        refuse_fork()
        flight = Flight(self._handle, depth)
        self._flights.add(flight)
        return flight

    def pipeline(self, depth: int = DEFAULT_DEPTH) -> Pipeline:
        """The one that ``submit`` and ``run_async`` share; depth: of it where there is none yet."""
        refuse_fork()
        with self._lock:
            if self._is_closed:
                raise closed_before()
            if self._pipeline is None:
                self._pipeline = self.new_pipeline(depth)
            return self._pipeline

    def new_pipeline(self, depth: int) -> Pipeline:
        """One for somebody else; closed with the model."""
        pipeline = Pipeline(self, depth)
        self._pipelines.add(pipeline)
        return pipeline

    def submit(
        self,
        args: Sequence[Any],
        named: Mapping[str, Any],
        out: Any,
        cast: str | None,
        pad: str | None,
        split: bool | None,
        timeout_s: Any,
        *,
        wait: bool,
        pipeline: Pipeline | None = None,
        on_done: Callable[[Future[Result]], object] | None = None,
    ) -> SteadyFuture:
        """Checks in the caller's thread, then submits."""
        timeout_ms = timeout_ms_of(timeout_s)
        request = self._preparer.request(args, named, out, cast, pad, split)
        request.timeout_ms = timeout_ms
        given = request.targets if out is not None else ()
        return (pipeline or self.pipeline()).submit(request, wait, given, on_done)

    def run(
        self,
        args: Sequence[Any],
        named: Mapping[str, Any],
        out: Any,
        cast: str | None,
        pad: str | None,
        split: bool | None,
        timeout_s: Any,
    ) -> Result:
        """One run with a time-out."""
        future = self.submit(args, named, out, cast, pad, split, timeout_s, wait=True)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # Ctrl-C; does nothing where the run itself failed
            raise

    def refuse_given(self, out: Any) -> None:
        """Refuses arrays of an ``out=`` that a run in flight reads or writes.

        Raises:
            InputError: One does.
        """
        values = out.values() if isinstance(out, Mapping) else out
        kinds = (np.ndarray, DeviceTensor)
        given: list[Any] = [values] if isinstance(values, kinds) else list(values)
        users: list[Flight | Request] = [*self._flights]
        for pipeline in self._pipelines:
            users += pipeline.waiting
        _refuse_in_use(users, list(filter(lambda one: isinstance(one, kinds), given)))

    def await_runs(self) -> None:
        """Waits until the runs that were submitted before are over, as far as the device goes."""
        for pipeline in self._pipelines:
            pipeline.await_slots()
        for flight in self._flights:
            flight.await_runs()

    def reserve(self, depth: int) -> None:
        """Opens the queue of ``submit`` and one for the first generator.

        Raises:
            ClosedError: The model is closed.
            DeviceOutOfMemoryError: There is no memory for that many runs.
        """
        self.pipeline(depth)
        self.give_back(self.borrow(depth), settle=True)

    def borrow(self, depth: int) -> Flight:
        """A queue for one generator, at least so deep; ``give_back`` keeps one for the next."""
        self._reclaim()
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is not None and spare.asked >= depth:
            return spare
        if spare is not None:
            spare.close()
        return self.open(depth)

    def give_back(self, flight: Flight, settle: bool) -> None:
        """Takes a queue back. settle: whether to wait until nothing is in flight any more."""
        try:
            flight.cancel_all()
            if settle:
                flight.settle()
        finally:
            self._left.append(flight)
            self._reclaim()

    def _reclaim(self) -> None:
        # What was left in flight stays in quarantine until the device has let go of it.
        if not self._reclaiming.acquire(blocking=False):
            return
        try:
            for flight in list(self._left):
                flight.sweep()
                if not flight.is_empty:
                    continue
                self._left.remove(flight)
                with self._lock:
                    is_spare = not self._is_closed and self._spare is None
                    if is_spare:
                        self._spare = flight
                if not is_spare:
                    flight.close()
        finally:
            self._reclaiming.release()

    def close(self) -> None:
        """Closes all pipelines and queues. Idempotent; can be repeated after Ctrl-C."""
        with self._lock:
            self._is_closed = True
            self._spare = None
        failures: list[Exception] = []
        closeables: list[Pipeline | Flight] = [*self._pipelines, *self._flights]
        for closeable in closeables:
            try:
                closeable.close()
            except Exception as error:
                failures.append(error)
        self._reclaim()
        if failures:
            raise failures[0]

    def map(
        self,
        items: Iterable[Any],
        in_flight: int,
        ordered: bool,
        cast: str | None,
        pad: str | None,
        timeout_s: Any,
    ) -> Iterator[Result]:
        """The results of ``model.map``."""
        depth, timeout_ms = depth_of(in_flight), timeout_ms_of(timeout_s)
        if not isinstance(ordered, bool):
            raise InputError(f"ordered must be True or False, not {ordered!r}")

        def request(item: Any) -> Request:
            args = item if isinstance(item, tuple) else (item,)
            one = self._preparer.request(args, {}, None, cast, pad, None)
            one.timeout_ms = timeout_ms
            return one

        return results(self, iter(items), request, depth, ordered)
