# SPDX-License-Identifier: Apache-2.0
"""``ProcessPool``: a model in each of several processes, for callers that the GIL holds back.

Workers are spawned and open the model themselves. Arrays travel in shared memory: each worker has
two blocks, one for what is fed and one for what comes back, which grow with what is fed and are
unlinked by the parent. A thread of the parent's serves each worker, so a worker has one call at a
time, and whoever waits holds no lock of Python's.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from multiprocessing.shared_memory import SharedMemory
from queue import SimpleQueue
from typing import Any

import numpy as np

from . import _check
from ._calls import Calls
from ._surface import Surface
from ._worker import Layout, layout_of, put, serve, view
from .errors import AclrtError, DeviceError, InputError
from .result import Result

__all__ = ["ProcessPool", "WorkerDiedError"]

_MOST = 256
_QUEUED_PER_WORKER = 4


class WorkerDiedError(AclrtError, RuntimeError):
    """A process of a ``ProcessPool`` ended in the middle of a call, or could not start."""


class _Block:
    """Shared memory that grows; its name goes to the worker with each call."""

    def __init__(self) -> None:
        self.memory: SharedMemory | None = None

    def fit(self, nbytes: int) -> SharedMemory:
        if self.memory is None or self.memory.size < nbytes:
            self.release()
            self.memory = SharedMemory(create=True, size=max(nbytes, 4096))
        return self.memory

    def release(self) -> None:
        if self.memory is not None:
            self.memory.close()
            self.memory.unlink()
            self.memory = None


class _Worker:
    """One process, as its thread in the parent sees it."""

    def __init__(self, source: Any, options: dict[str, Any]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.feed, self.fetch = _Block(), _Block()
        self.process = context.Process(
            target=serve, args=(theirs, source, options), name="aclrt-worker", daemon=True
        )
        try:
            self.process.start()
        finally:
            theirs.close()

    def receive(self, doing: str) -> Any:
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            raise WorkerDiedError(
                f"a worker process (pid {self.process.pid}) ended {doing}, with exit code "
                f"{self.process.exitcode}",
                hint="a negative code is the signal that killed it, -9 often for want of memory",
            ) from None

    def call(self, arrays: dict[str, np.ndarray], options: dict[str, Any]) -> Any:
        feed, size = layout_of(arrays)
        block = self.feed.fit(size)
        put(arrays, feed, block.buf)
        with suppress(BrokenPipeError, ConnectionResetError):  # then the answer says why
            self.pipe.send((block.name, feed, options))
        kind, *answer = self.receive("in the middle of a call")
        while kind == "room":
            self.pipe.send(self.fetch.fit(answer[0]).name)
            kind, *answer = self.receive("in the middle of a call")
        if kind == "error":
            raise answer[0]
        layout: Layout = answer[0]
        assert self.fetch.memory is not None
        found = view(layout, self.fetch.memory.buf)
        return {name: array.copy() for name, array in found.items()}, *answer[1:]

    def close(self) -> None:
        self.pipe.close()  # which ends it
        self.process.join(10)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()
        self.feed.release()
        self.fetch.release()


def _end(workers: set[_Worker]) -> None:
    while workers:
        workers.pop().close()


class ProcessPool(Surface):
    """A model loaded in each of several processes, called like a model.

    For programs whose own Python work keeps the interpreter busy; on several devices
    ``DevicePool`` needs no further process. The program has to be importable: a script starts its
    work under ``if __name__ == "__main__":``.

    Args:
        source: A path, or the model's bytes.
        processes: How many.
        devices: Logical ids that the workers take in turn; each opens its model on one.
        on_death: What happens to the call of a worker that dies: ``"raise"`` fails it with
            ``WorkerDiedError``; ``"retry"`` makes it again, once. The worker is replaced.
        **options: As for ``OfflineModel``: ``backend``, ``onnx``, ``cast``, ``pad``, ``split``,
            ``instances``.

    Raises:
        InputError: An argument is wrong.
        RuntimeError: This process is a daemonic worker of multiprocessing, which may start none.
        WorkerDiedError: A worker ended before it had loaded the model.
        AclrtError: As for ``OfflineModel``, in the class that the worker raised.
    """

    _again = "open another one"
    _elsewhere = "its processes are this one's"

    def __init__(
        self,
        source: str | os.PathLike[str] | bytes,
        *,
        processes: int = 2,
        devices: Sequence[int] = (0,),
        on_death: str = "raise",
        **options: Any,
    ) -> None:
        count = _check.count_of(processes, "processes", _MOST)
        if on_death not in ("raise", "retry"):
            raise InputError(f'on_death must be "raise" or "retry", not {on_death!r}')
        ids = [_check.device_id_of(device) for device in devices]
        if not ids:
            raise InputError("devices names none", hint="devices=[0]")
        if not isinstance(source, (str, os.PathLike)):
            source = bytes(source)
        if multiprocessing.current_process().daemon:
            raise RuntimeError(
                "a daemonic process of multiprocessing may not start processes: open the "
                "ProcessPool in its parent, or use OfflineModel(..., instances=n) here"
            )
        self._source, self._options, self._ids = source, options, ids
        self._retries = on_death == "retry"
        self._lock = threading.Lock()
        self._closed = False
        self._killing = False
        self._deaths = 0
        self._free: SimpleQueue[tuple[int, _Worker | None]] = SimpleQueue()
        self._calls = Calls(count, _QUEUED_PER_WORKER * count, "aclrt-processes")
        self._count = count
        self._depth = 2 * count
        self._safe = _check.cast_of(options.get("cast"))
        self._workers: set[_Worker] = set()
        # At exit too, so that no shared memory is left by a pool that nobody closed.
        self._end = weakref.finalize(self, _end, self._workers)
        with ThreadPoolExecutor(count, thread_name_prefix="aclrt-processes") as threads:
            starting = [threads.submit(self._begin, index) for index in range(count)]
        errors = [error for error in (one.exception() for one in starting) if error is not None]
        if errors:
            self._end()
            raise errors[0]
        self._inputs, self._outputs, self._gears, self._kind = starting[0].result()[1]
        for index, one in enumerate(starting):
            self._free.put((index, one.result()[0]))

    def _what(self) -> str:
        return "the pool"

    def _begin(self, index: int) -> tuple[_Worker, Any]:
        options = {**self._options, "device_id": self._ids[index % len(self._ids)]}
        worker = _Worker(self._source, options)
        with self._lock:
            self._workers.add(worker)
            if self._killing:
                worker.process.kill()  # close() has ended the others already
        try:
            kind, answer = worker.receive("before it had loaded the model")
            if kind == "error":
                raise answer
        except BaseException:
            self._drop(worker)
            raise
        return worker, answer

    def _drop(self, worker: _Worker) -> None:
        with self._lock:
            self._workers.discard(worker)
        worker.close()

    def _run(self, arrays: dict[str, np.ndarray], options: dict[str, Any]) -> Result:
        attempts = 2 if self._retries else 1
        while True:
            index, worker = self._free.get()
            try:
                if worker is None:
                    worker = self._begin(index)[0]
                found, gear, waste = worker.call(arrays, options)
                names = tuple(found)
                places = {name: place for place, name in enumerate(names)}
                return Result(tuple(found.values()), names, places, gear, waste)
            except WorkerDiedError:
                attempts -= 1
                with self._lock:
                    self._deaths += 1
                if worker is not None:
                    self._drop(worker)
                    worker = None  # started anew by the next call that gets the place
                if attempts == 0 or self._closed:
                    raise
            except DeviceError:
                if worker is not None:
                    self._drop(worker)
                    worker = None
                raise
            finally:
                self._free.put((index, worker))

    def _start(
        self, args: Sequence[Any], named: Mapping[str, Any], wait: bool = False
    ) -> Future[Result]:
        named = dict(named)
        options: dict[str, Any] = {
            word: named.pop(word) for word in ("cast", "pad", "split", "timeout_s") if word in named
        }
        if named.pop("out", None) is not None:
            raise InputError("a ProcessPool takes no out=: results come from another process")
        values = self._fed(args, {**named, "cast": options.get("cast")})
        self._refuse_device_tensors(values)
        arrays = {spec.name: value for spec, value in zip(self._inputs, values, strict=True)}

        return self._calls.submit(lambda: self._run(arrays, options), wait=wait)

    def __call__(self, /, *args: Any, **named: Any) -> Result:
        """Runs the model once, in a process that is free.

        Args:
            *args: As for ``OfflineModel``.
            **named: As for ``OfflineModel``, without ``out``.

        Returns:
            The outputs.

        Raises:
            WorkerDiedError: The worker died.
            ClosedError: The pool is closed.
            AclrtError: As for a call of ``OfflineModel``.
        """
        return self.submit(*args, **named).result()

    @property
    def deaths(self) -> int:
        """How many workers have died and were replaced."""
        return self._deaths

    def close(self, *, grace_s: float | None = None) -> None:
        """Waits for calls in progress, cancels those not begun, ends the processes. Idempotent.

        No shared memory is left.

        Args:
            grace_s: Seconds after which the workers of calls still in progress are killed, and
                these calls fail with ``WorkerDiedError``; None, the default, waits for them.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._calls.close()
        if grace_s is not None:
            _, late = wait(self._calls.open, timeout=grace_s)
            if late:
                with self._lock:
                    self._killing = True
                    for worker in self._workers:
                        worker.process.kill()
        self._calls.join()
        self._end()

    def __repr__(self) -> str:
        """How many processes."""
        return f"<ProcessPool of {self._count} processes{', closed' if self._closed else ''}>"
