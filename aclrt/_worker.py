# SPDX-License-Identifier: Apache-2.0
"""A process of ``ProcessPool``: opens the model, answers calls until its pipe ends.

What is fed lies in shared memory that the parent names with each call; for what comes back the
worker asks for room and is told where. Only the parent makes and unlinks such memory.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np

__all__ = ["Layout", "layout_of", "put", "serve", "view"]

# By name: where it begins, dtype, shape.
Layout = dict[str, tuple[int, np.dtype[Any], tuple[int, ...]]]

_ALIGNMENT = 64


def layout_of(arrays: Mapping[str, np.ndarray]) -> tuple[Layout, int]:
    """Where to put arrays one behind the other, and how many bytes that takes."""
    layout: Layout = {}
    end = 0
    for name, array in arrays.items():
        layout[name] = (end, array.dtype, array.shape)
        end += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
    return layout, end


def view(layout: Layout, buffer: Any) -> dict[str, np.ndarray]:
    """The arrays in place; they must be gone before the memory is closed."""
    return {
        name: np.ndarray(shape, dtype, buffer, offset)
        for name, (offset, dtype, shape) in layout.items()
    }


def put(arrays: Mapping[str, np.ndarray], layout: Layout, buffer: Any) -> None:
    """Copies arrays to their places."""
    for name, place in view(layout, buffer).items():
        np.copyto(place, arrays[name], casting="no")


class _Attached:
    """The block named last stays mapped, because the next call mostly has the same."""

    def __init__(self) -> None:
        self._memory: SharedMemory | None = None

    def buffer(self, name: str) -> Any:
        if self._memory is None or self._memory.name != name:
            self.close()
            self._memory = _attach(name)
        return self._memory.buf

    def close(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None


def _attach(name: str) -> SharedMemory:
    # The parent owns it. Before Python 3.13 attaching registers it as one's own too, with the
    # resource tracker that parent and child share, where a name counts once: nothing to undo.
    return SharedMemory(name)


def serve(pipe: Connection, source: Any, options: dict[str, Any]) -> None:
    """Runs in the worker until the parent closes its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends the workers
    from .model import OfflineModel

    try:
        model = OfflineModel(source, **options)
    except Exception as error:
        _send_error(pipe, error)
        return
    with model:
        pipe.send(("ready", (model.inputs, model.outputs, model.gears, model._kind)))
        feed, fetch = _Attached(), _Attached()
        try:
            while True:
                name, layout, words = pipe.recv()
                try:
                    result = model(view(layout, feed.buffer(name)), **words)
                except Exception as error:
                    _send_error(pipe, error)
                    continue
                _answer(pipe, model, result, fetch)
        except (EOFError, OSError):
            pass  # the parent has closed its end, or is gone
        finally:
            feed.close()
            fetch.close()


def _answer(pipe: Connection, model: Any, result: Any, fetch: _Attached) -> None:
    arrays = {spec.name: array for spec, array in zip(model.outputs, result, strict=True)}
    places, size = layout_of(arrays)
    pipe.send(("room", size))
    put(arrays, places, fetch.buffer(pipe.recv()))
    pipe.send(("done", places, result.gear, result.waste))


def _send_error(pipe: Connection, error: Exception) -> None:
    """As it is, or in words where it cannot travel."""
    try:
        pipe.send(("error", error))
    except (EOFError, OSError):
        raise
    except Exception:
        pipe.send(("error", RuntimeError(f"{type(error).__name__}: {error}")))
