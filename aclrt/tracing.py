# SPDX-License-Identifier: Apache-2.0
"""Traces: every call of AscendCL, and what each engine of the device did for it.

>>> with aclrt.trace("out.json"):                      # doctest: +SKIP
...     model(x)

The file opens in https://ui.perfetto.dev and in chrome://tracing. Calls are seen below the shim,
so it works on a card and on the fake alike; outside of the block tracing costs nothing.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from ._ffi import ffi, lib, out_of_cycles, raise_for, text
from .errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Self

__all__ = ["LANES", "clock_ns", "is_clock_virtual", "trace"]

LANES = ("host", "h2d", "compute", "d2h", "other")

_SPAN = np.dtype(
    [
        ("function", np.int32),
        ("lane", np.int32),
        ("thread", np.int32),
        ("device", np.int32),
        ("begin_ns", np.int64),
        ("end_ns", np.int64),
        ("result", np.int64),
        ("stream", np.uint64),
        ("nbytes", np.uint64),
        ("model", np.int64),
    ]
)


def clock_ns() -> int:
    """Now, in nanoseconds, by the clock that spans are stamped with.

    It is ``time.perf_counter_ns()``'s, unless the fake device's clock is virtual
    (``ACLRT_FAKE_SEED``).
    """
    return int(lib.aclrt_trace_clock(ffi.NULL))


def is_clock_virtual() -> bool:
    """Whether that clock is the fake device's virtual one, in which host code takes no time."""
    flag = ffi.new("int32_t *")
    lib.aclrt_trace_clock(flag)
    return bool(flag[0])


class trace:  # noqa: N801  a context manager that is used like a function
    """Traces what is done with AscendCL inside of a ``with`` block, in all threads.

    A block may be entered again; what it sees is added. Traces may be nested. Functions that
    ``aclrt.compat.acl`` has looked up before the first block are not seen.

    Args:
        path: Where to write the trace, in Chrome's JSON format, each time a block ends, however it
            ends; None: nowhere, for ``spans()`` alone.
        capacity: The most calls to keep, at least 1; further ones are counted in ``left_out``.
            A call takes 64 bytes here, and some 200 in the file.

    Raises:
        InputError: An argument is out of range; or the block is entered while it is open.
        OSError: The file cannot be written.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, *, capacity: int = 1_000_000
    ) -> None:
        if capacity < 1:
            raise InputError(f"capacity must be at least 1, not {capacity}")
        self._path = None if path is None else os.fspath(path)
        raw = ffi.new("aclrt_trace_t **")
        raise_for(lib.aclrt_trace_create(capacity, raw))
        self._handle = ffi.gc(raw[0], lib.aclrt_trace_release)
        self._holder = out_of_cycles(self._handle)
        self._is_open = False

    def __enter__(self) -> Self:
        if self._is_open:
            raise InputError("the trace's block is open", hint="take another trace")
        raise_for(lib.aclrt_trace_start(self._handle))
        self._is_open = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        raise_for(lib.aclrt_trace_stop(self._handle))
        if self._path is not None:
            self.save(self._path)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes what was seen until now, outside of the block.

        Raises:
            InputError: The block is open.
            OSError: The file cannot be written.
        """
        name = os.fspath(path)
        raise_for(lib.aclrt_trace_write(self._handle, os.fsencode(name)), name)

    def spans(self) -> NDArray[Any]:
        """What was seen until now, outside of the block.

        Returns:
            A structured array of its own, ordered by begin: ``function`` (row; ``name_of`` tells
            its name), ``lane`` (position in ``LANES``: the calls are ``"host"``, the others the
            device's engines), ``thread``, ``device`` (-1 in the host's lane), ``begin_ns``,
            ``end_ns`` (of ``clock_ns``), ``result``, ``stream``, ``nbytes``, ``model`` (-1: none).

        Raises:
            InputError: The block is open.
        """
        raw, count = ffi.new("aclrt_trace_span_t **"), ffi.new("size_t *")
        raise_for(lib.aclrt_trace_spans(self._handle, raw, count, ffi.NULL))
        if not count[0]:
            return np.empty(0, _SPAN)
        data = ffi.buffer(raw[0], count[0] * _SPAN.itemsize)
        return np.array(np.frombuffer(data, _SPAN))

    @property
    def left_out(self) -> int:
        """Calls beyond the capacity, and asynchronous work whose times could not be read.

        Raises:
            InputError: The block is open.
        """
        raw, count = ffi.new("aclrt_trace_span_t **"), ffi.new("size_t *")
        left_out = ffi.new("uint64_t *")
        raise_for(lib.aclrt_trace_spans(self._handle, raw, count, left_out))
        return int(left_out[0])

    @staticmethod
    def name_of(function: int) -> str:
        """The name of a function of AscendCL by its row; ``""`` for a row that there is not."""
        return text(lib.aclrt_function_at(function).name)
