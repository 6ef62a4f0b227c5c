# SPDX-License-Identifier: Apache-2.0
"""``AsyncQueue``: runs in flight with a callback, for programs written that way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._flight import DEFAULT_DEPTH, depth_of
from .errors import InputError
from .result import Result

if TYPE_CHECKING:
    from concurrent.futures import Future

    from typing_extensions import Self

    from .model import OfflineModel

__all__ = ["AsyncQueue"]

Callback = Callable[[Result, Any], Any]


_calling = threading.local()  # is_inside: this thread runs a callback


class _Run:
    """A run that was started: its callback is called, and it ends once."""

    def __init__(
        self,
        callback: Callback | None,
        userdata: Any,
        on_end: Callable[[BaseException | None], None],
    ) -> None:
        self._callback = callback
        self._userdata = userdata
        self._on_end: Callable[[BaseException | None], None] | None = on_end

    def end(self, failure: BaseException | None) -> None:
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end(failure)

    def finish(self, done: Future[Result]) -> None:
        if done.cancelled():
            self.end(None)
            return
        failure = done.exception()
        if failure is None and self._callback is not None:
            is_inside, _calling.is_inside = getattr(_calling, "is_inside", False), True
            try:
                self._callback(done.result(), self._userdata)
            except BaseException as error:
                failure = error
            finally:
                _calling.is_inside = is_inside  # another's, which closed this one's queue
        self.end(failure)


class AsyncQueue:
    """Runs of a model in flight, with a callback: the meaning of OpenVINO's ``AsyncInferQueue``.

    >>> with aclrt.AsyncQueue(model, 4) as queue:                       # doctest: +SKIP
    ...     queue.set_callback(lambda result, name: print(name, result["probs"]))
    ...     for name, image in images:
    ...         queue.start_async(image, name)
    ...     queue.wait_all()

    Args:
        model: What to run. It has to outlive the queue.
        in_flight: Runs in flight, for each instance of the model.

    Raises:
        InputError: ``in_flight`` is no number from 1 to 4096.
        ClosedError: The model is closed.
        DeviceOutOfMemoryError: There is no memory for that many runs.
    """

    def __init__(self, model: OfflineModel, in_flight: int = DEFAULT_DEPTH) -> None:
        self._overlap = model._in_flight()
        self._pipeline = self._overlap.new_pipeline(depth_of(in_flight))
        self._in_flight = in_flight
        self._callback: Callback | None = None
        # Taken by itself: an interrupt inside Condition.__enter__, which is Python, would keep it.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._open = 0
        self._failures: list[BaseException] = []

    def __len__(self) -> int:
        """The number of runs in flight that it was made for."""
        return self._in_flight

    def set_callback(self, callback: Callback | None) -> None:
        """Chooses what is called with the result and the userdata of each run that is started next.

        Callbacks run one after the other in a thread of the queue's, in the order in which runs
        finish. What a callback raises is raised by ``wait_all``.

        Args:
            callback: ``callback(result, userdata)``; None for none.

        Raises:
            InputError: It cannot be called.
        """
        if callback is not None and not callable(callback):
            raise InputError(f"a callback must be callable, not {callback!r}")
        self._callback = callback

    def start_async(
        self, inputs: Any, userdata: Any = None, *, timeout_s: float | None = None
    ) -> Future[Result]:
        """Starts a run; waits for a free slot, except in a callback.

        Args:
            inputs: An array, a tuple of arrays, or a dict by name. They must not change before the
                run is over.
            userdata: What the callback gets.
            timeout_s: Seconds from now after which the run is given up.

        Returns:
            The run's future, for whom a callback is not enough.

        Raises:
            InputError: The arrays do not fit.
            ClosedError: The queue or its model is closed.
        """
        args = inputs if isinstance(inputs, tuple) else (inputs,)
        run = _Run(self._callback, userdata, self._end)
        with self._lock:
            self._open += 1
        try:
            return self._overlap.submit(
                *(args, {}, None, None, None, None, timeout_s),
                wait=True,
                pipeline=self._pipeline,
                on_done=run.finish,
            )
        except BaseException:
            run.end(None)
            raise

    def _end(self, failure: BaseException | None) -> None:
        with self._lock:
            if failure is not None:
                self._failures.append(failure)
            self._open -= 1
            self._changed.notify_all()

    def is_ready(self) -> bool:
        """Whether ``start_async`` would find a free slot."""
        return self._pipeline.has_room

    def wait_all(self) -> None:
        """Waits until all runs are over and their callbacks have returned.

        Raises:
            AclrtError: A run failed; or what a callback raised. The first of them since the last
                call, with a note for each of the others.
            InputError: Called in a callback.
        """
        if getattr(_calling, "is_inside", False):
            raise InputError("wait_all() in a callback would wait for itself")
        with self._lock:
            while self._open:
                self._changed.wait()
            failures, self._failures = self._failures, []
        if failures:
            first, *others = failures
            for other in others:
                if hasattr(first, "add_note"):  # Python 3.11
                    first.add_note(f"also: {type(other).__name__}: {other}")
            raise first

    def close(self) -> None:
        """Finishes what has a slot, fails what waits for one, gives everything back. Idempotent.

        Raises:
            AclError: The device refused to give something back; the rest is released all the same.
        """
        self._pipeline.close()

    def __enter__(self) -> Self:
        """The queue itself."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Waits for all runs, then closes.

        Raises:
            AclrtError: As ``wait_all``, unless the block itself failed.
        """
        try:
            if exc is None:
                self.wait_all()
        finally:
            self.close()

    def __reduce__(self) -> Any:
        """Refuses: its runs belong to this process.

        Raises:
            TypeError: Always.
        """
        raise TypeError("an AsyncQueue cannot be pickled or copied: make one in the other process")
