# SPDX-License-Identifier: Apache-2.0
"""What the cases about time share: a device with a chosen clock, its trace, work for streams."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from conformance import acl, running, small

FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
NBYTES = 24  # small.double()'s input and output


def document(lib: acl.Library, name: str) -> dict[str, Any]:
    """What aclfake_profile_json or aclfake_trace_json gives."""
    write = getattr(lib, name)
    write.restype, write.argtypes = ctypes.c_size_t, [ctypes.c_void_p, ctypes.c_size_t]
    buffer = ctypes.create_string_buffer(write(None, 0) + 1)
    write(buffer, len(buffer))
    loaded: dict[str, Any] = json.loads(buffer.value)
    return loaded


def trace(lib: acl.Library) -> list[dict[str, Any]]:
    """What the deterministic scheduler has done."""
    entries: list[dict[str, Any]] = document(lib, "aclfake_trace_json")["entries"]
    return entries


def now_us(lib: acl.Library) -> float:
    """The virtual clock."""
    return float(document(lib, "aclfake_trace_json")["now_us"])


def environment(monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    """The fake's variables, without the prefix; the devices read them when they are made."""
    for name, value in values.items():
        monkeypatch.setenv(f"ACLRT_FAKE_{name}", str(value))


class Work:
    """Streams, events, page-locked memory and a model; everything made here is freed by close()."""

    def __init__(self, lib: acl.Library) -> None:
        self.lib = lib
        self.device = running.Buffers(lib)
        self.streams: list[int] = []
        self.events: list[int] = []
        self.host: list[int] = []
        self.models: list[int] = []
        self._keep: list[Any] = []

    def stream(self) -> int:
        handle = ctypes.c_void_p()
        assert self.lib.aclrtCreateStream(ctypes.byref(handle)) == 0
        self.streams.append(handle.value or 0)
        return self.streams[-1]

    def event(self, flags: int | None = None) -> int:
        handle = ctypes.c_void_p()
        if flags is None:
            assert self.lib.aclrtCreateEvent(ctypes.byref(handle)) == 0
        else:
            assert self.lib.aclrtCreateEventWithFlag(ctypes.byref(handle), flags) == 0
        self.events.append(handle.value or 0)
        return self.events[-1]

    def pinned(self, size: int = NBYTES) -> int:
        handle = ctypes.c_void_p()
        assert self.lib.aclrtMallocHost(ctypes.byref(handle), size) == 0
        self.host.append(handle.value or 0)
        return self.host[-1]

    def model(self) -> int:
        self.models.append(running.load(self.lib, small.double()))
        return self.models[-1]

    def record(self, stream: int, event: int | None = None) -> int:
        event = event or self.event()
        assert self.lib.aclrtRecordEvent(event, stream) == 0
        return event

    def upload(self, stream: int, size: int = NBYTES) -> int:
        """A copy to the device, queued; the target."""
        target = self.device.alloc(size)
        args = (target, size, self.pinned(size), size, acl.HOST_TO_DEVICE, stream)
        assert self.lib.aclrtMemcpyAsync(*args) == 0
        return target

    def download(self, stream: int, source: int, size: int = NBYTES) -> int:
        """A copy to the host, queued; the target."""
        target = self.pinned(size)
        args = (target, size, source, size, acl.DEVICE_TO_HOST, stream)
        assert self.lib.aclrtMemcpyAsync(*args) == 0
        return target

    def execute(self, stream: int, model: int, source: int) -> int:
        """An execute, queued; where the output will be."""
        target = self.device.alloc(NBYTES)
        pieces = (self.device.dataset((source, NBYTES)), self.device.dataset((target, NBYTES)))
        assert self.lib.aclmdlExecuteAsync(model, *pieces, stream) == 0
        return target

    def request(self, stream: int, model: int) -> int:
        """Copy in, execute, copy out, queued."""
        return self.download(stream, self.execute(stream, model, self.upload(stream)))

    def fail(self, stream: int) -> None:
        """Work that fails: its memory is freed before it runs."""
        target = self.upload(stream)
        assert self.lib.aclrtFree(target) == 0
        self.device.memory.remove(target)

    def host_function(self, stream: int, function: Any) -> None:
        wrapped = FUNCTION(lambda _: function())
        self._keep.append(wrapped)
        pointer = ctypes.cast(wrapped, ctypes.c_void_p)
        assert self.lib.aclrtLaunchHostFunc(stream, pointer, None) == 0

    def sync(self, stream: int | None) -> int:
        return int(self.lib.aclrtSynchronizeStream(stream))

    def sync_within(self, stream: int | None, ms: int) -> int:
        return int(self.lib.aclrtSynchronizeStreamWithTimeout(stream, ms))

    def elapsed_ms(self, start: int, end: int) -> float:
        ms = ctypes.c_float()
        assert self.lib.aclrtEventElapsedTime(ctypes.byref(ms), start, end) == 0
        return ms.value

    def timestamp(self, event: int) -> int:
        us = ctypes.c_uint64()
        assert self.lib.aclrtEventGetTimestamp(event, ctypes.byref(us)) == 0
        return us.value

    def close(self) -> None:
        for stream in self.streams:
            assert self.lib.aclrtDestroyStream(stream) == 0
        for model in self.models:
            assert self.lib.aclmdlUnload(model) == 0
        for event in self.events:
            assert self.lib.aclrtDestroyEvent(event) == 0
        for host in self.host:
            assert self.lib.aclrtFreeHost(host) == 0
        self.device.close()


@contextmanager
def working(lib: acl.Library) -> Iterator[Work]:
    """Work on device 0, from aclInit to aclFinalize."""
    assert lib.aclInit(None) == 0
    assert lib.aclrtSetDevice(0) == 0
    work = Work(lib)
    yield work
    work.close()
    assert lib.aclrtResetDevice(0) == 0
    assert lib.aclFinalize() == 0


def spans(entries: Sequence[dict[str, Any]], engine: str) -> list[tuple[float, float]]:
    """When an engine was occupied, in order."""
    return sorted((e["begin_us"], e["end_us"]) for e in entries if e["engine"] == engine)


def disjoint(intervals: Sequence[tuple[float, float]]) -> bool:
    """Whether no two of these overlap."""
    ordered = sorted(intervals)
    return all(a[1] <= b[0] for a, b in pairwise(ordered))


def ramp() -> np.ndarray:
    """An input of small.double()."""
    return np.arange(6, dtype=np.float32).reshape(2, 3)
