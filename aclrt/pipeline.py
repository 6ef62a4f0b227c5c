# SPDX-License-Identifier: Apache-2.0
"""Runs in flight: copies of one overlap with the execution of another.

``model.submit``, ``model.run_async`` and ``AsyncQueue`` share a ``Pipeline`` each: requests wait
for a slot of the library's queue in the order in which they came, and one thread takes what has
landed. ``model.map`` needs no thread: the generator takes all results and feeds all free slots
whenever it wakes, so a busy Python thread beside it costs nothing as long as enough is in flight.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ._flight import DEFAULT_DEPTH, SLICE_MS, Flight, Landing, depth_of, refuse_fork
from ._requests import Preparer, Request, timeout_ms_of
from .errors import ClosedError, DeviceTimeoutError, InputError
from .result import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Overlap", "Pipeline"]

_IDLE_S: Final = 1.0  # how long the thread of a pipeline outlives its last request


class _RunFuture(Future[Result]):
    """A future whose ``cancel`` tells the queue."""

    def __init__(self, pipeline: Pipeline, request: Request) -> None:
        super().__init__()
        self._pipeline = pipeline
        self._request = request

    def cancel(self) -> bool:
        cancelled = super().cancel()
        if cancelled:
            self._pipeline.give_up(self._request)
        return cancelled


class Pipeline:
    """A queue with futures, and one thread that completes them.

    Args:
        overlap: The model's.
        depth: Runs in flight for each instance of the model.
    """

    def __init__(self, overlap: Overlap, depth: int) -> None:
        self._flight = overlap.open(depth)
        self._flights = overlap.flights
        self._waiting: deque[Request] = deque()
        # Taken by itself: an interrupt inside Condition.__enter__, which is Python, would keep it.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_closing = False

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
                raise _closed()
            if given:
                _refuse_in_use([*self._flights, *self._waiting], given)
            if self._waiting or self._flight.submit([request]) == 0:
                self._waiting.append(request)
            self._start()
            # A callback of this very thread's must not wait for itself.
            if not wait or threading.current_thread() is self._thread:
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
                self._waiting.remove(request)
                self._end(request)
            else:
                self._flight.cancel(request)

    def _end(self, request: Request) -> None:
        request.is_over = True
        self._changed.notify_all()

    def _start(self) -> None:
        self._wake.set()
        if self._thread is None:
            arguments = (weakref.ref(self), self._wake)
            self._thread = threading.Thread(
                target=_serve, args=arguments, name="aclrt-pipeline", daemon=True
            )
            self._thread.start()

    def serve(self) -> bool:
        """One round of the thread: False where nothing is in flight."""
        with self._lock:
            if self._flight.is_empty and not self._waiting:
                return False
        landings = self._flight.take(self._patience())
        over = [(one.request, one.error, one.is_cancelled) for one in landings]
        with self._lock:
            over += [(one, _timed_out(), False) for one in self._late()]
            over += self._pump()
            for request, _, _ in over:
                self._end(request)
            self._changed.notify_all()
        for request, error, is_cancelled in over:
            _deliver(request, error, is_cancelled)
        return True

    def _patience(self) -> int:
        if not self._waiting:
            return SLICE_MS
        deadlines = [one.deadline for one in list(self._waiting) if one.deadline is not None]
        if not deadlines:
            return SLICE_MS
        return max(0, min(SLICE_MS, round((min(deadlines) - time.monotonic()) * 1000) + 1))

    def _late(self) -> list[Request]:
        now = time.monotonic()
        late = [one for one in self._waiting if one.deadline is not None and one.deadline <= now]
        for request in late:
            self._waiting.remove(request)
        return late

    def _pump(self) -> list[tuple[Request, BaseException, bool]]:
        """Feeds all free slots; what the library refuses comes back with its error."""
        refused: list[tuple[Request, BaseException, bool]] = []
        while self._waiting and self._flight.room:
            batch = [
                self._waiting[place] for place in range(min(len(self._waiting), self._flight.room))
            ]
            now = time.monotonic()
            for request in batch:
                if request.deadline is not None:
                    request.timeout_ms = max(1, round((request.deadline - now) * 1000))
            try:
                accepted = self._flight.submit(batch)
            except Exception as error:
                while self._waiting[0].is_accepted:
                    self._waiting.popleft()
                refused.append((self._waiting.popleft(), error, False))
                continue
            for _ in range(accepted):
                self._waiting.popleft()
            if accepted < len(batch):
                break
        return refused

    def end_thread(self) -> bool:
        """For the thread, when it has been idle: whether it may end."""
        with self._lock:
            if not self._flight.is_empty or self._waiting:
                return False
            self._thread = None
            return True

    @property
    def is_closing(self) -> bool:
        """Whether ``close`` was called."""
        return self._is_closing

    def close(self) -> None:
        """Fails what waits for a slot, finishes what has one, gives everything back. Idempotent."""
        with self._lock:
            self._is_closing = True
            waiting = list(self._waiting)
            self._waiting.clear()
            for request in waiting:
                self._end(request)
            thread = self._thread
            self._wake.set()
        for request in waiting:
            _deliver(request, _closed(), False)
        if thread is threading.current_thread():
            while self.serve():
                pass
        elif thread is not None:
            while thread.is_alive():
                thread.join(SLICE_MS / 1000)
        self._flight.close()


def _serve(reference: weakref.ref[Pipeline], wake: threading.Event) -> None:
    while True:
        pipeline = reference()
        if pipeline is None:
            return
        wake.clear()
        if pipeline.serve():
            continue
        if pipeline.is_closing and pipeline.end_thread():
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
        future.set_exception(_closed())
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


def _closed() -> ClosedError:
    return ClosedError("the model was closed before this run began", hint="load it again")


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
        self._lock = threading.Lock()
        self._pipeline: Pipeline | None = None
        self._spare: Flight | None = None
        self._flights: weakref.WeakSet[Flight] = weakref.WeakSet()
        self._pipelines: weakref.WeakSet[Pipeline] = weakref.WeakSet()
        self._is_closed = False

    @property
    def preparer(self) -> Preparer:
        """What makes its requests."""
        return self._preparer

    @property
    def flights(self) -> weakref.WeakSet[Flight]:
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

    def pipeline(self) -> Pipeline:
        """The one that ``submit`` and ``run_async`` share."""
        refuse_fork()
        with self._lock:
            if self._is_closed:
                raise _closed()
            if self._pipeline is None:
                self._pipeline = self.new_pipeline(DEFAULT_DEPTH)
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
    ) -> Future[Result]:
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
        given = [values] if isinstance(values, np.ndarray) else list(values)
        _refuse_in_use(self._flights, [one for one in given if isinstance(one, np.ndarray)])

    def borrow(self, depth: int) -> Flight:
        """A queue for one generator; ``give_back`` keeps one for the next."""
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is not None and spare.asked == depth:
            return spare
        if spare is not None:
            spare.close()
        return self.open(depth)

    def give_back(self, flight: Flight, settle: bool) -> None:
        """Takes a queue back. settle: whether to wait until nothing is in flight any more."""
        if not flight.is_empty:
            flight.cancel_all()
            if not settle:
                return  # its requests stay in quarantine until the device lets go of them
            flight.settle()
        with self._lock:
            if not self._is_closed and self._spare is None:
                self._spare = flight
                return
        flight.close()

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

        return _map(self, iter(items), request, depth, ordered)


def _map(
    overlap: Overlap,
    source: Iterator[Any],
    request_of: Callable[[Any], Request],
    depth: int,
    ordered: bool,
) -> Iterator[Result]:
    flight = overlap.borrow(depth)
    places: dict[Request, int] = {}  # of those that have not landed
    landed: dict[int, tuple[Request, BaseException | None]] = {}
    taken = given = 0  # items from the source, results to the caller
    end: BaseException | None = None  # what comes after the last result
    settle = True  # whether to wait for the device in the end
    try:
        while True:
            batch: list[Request] = []
            room = min(flight.room, flight.depth - (taken - given))
            while end is None and len(batch) < room:
                try:
                    batch.append(request_of(next(source)))
                except Exception as error:  # of the source, or an item that does not fit
                    end = error
                    break
                places[batch[-1]] = taken
                taken += 1
            if not batch and taken == given:
                if end is None or isinstance(end, StopIteration):
                    return
                raise end
            landings: list[Landing] = []
            try:
                landings = flight.exchange(batch, SLICE_MS)
            except Exception as error:
                end = error
            for one in batch:
                if not one.is_accepted:
                    del places[one]
                    taken -= 1
            for landing in landings:
                place = places.pop(landing.request, None)
                if place is None:
                    continue
                settle = settle and landing.is_final
                failure = _closed() if landing.is_cancelled else landing.error
                landed[place] = (landing.request, failure)
            for place in [given] if ordered else list(landed):
                while place in landed:
                    request, failure = landed.pop(place)
                    given += 1
                    if failure is not None:
                        raise failure
                    yield request.result()
                    place += ordered
    except KeyboardInterrupt:
        settle = False
        raise
    finally:
        overlap.give_back(flight, settle)
