# SPDX-License-Identifier: Apache-2.0
"""Contract 8 and 10: streams, and callbacks on them."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from conformance import acl
from conformance.test_rt_device import in_thread

fake_only = pytest.mark.fake_only

FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def new_stream(lib: acl.Library) -> int:
    """A stream of the current context."""
    stream = ctypes.c_void_p()
    assert lib.aclrtCreateStream(ctypes.byref(stream)) == 0
    assert stream.value
    return stream.value


def query(lib: acl.Library, stream: int | None) -> int:
    """aclrtStreamQuery's status."""
    status = ctypes.c_int(-1)
    assert lib.aclrtStreamQuery(stream, ctypes.byref(status)) == 0
    return status.value


class Gate:
    """A host function that holds a stream until it is opened."""

    def __init__(self, lib: acl.Library, stream: int | None) -> None:
        self.opened, self.reached = threading.Event(), threading.Event()
        self._function = FUNCTION(self._wait)
        code = lib.aclrtLaunchHostFunc(stream, ctypes.cast(self._function, ctypes.c_void_p), None)
        assert code == 0

    def _wait(self, _: int | None) -> None:
        self.reached.set()
        self.opened.wait(20)


@contextmanager
def held(lib: acl.Library, stream: int | None) -> Iterator[Gate]:
    """A stream that is busy inside the block."""
    gate = Gate(lib, stream)
    try:
        yield gate
    finally:
        gate.opened.set()
        assert lib.aclrtSynchronizeStream(stream) == 0


@contextmanager
def other_context(lib: acl.Library) -> Iterator[None]:
    """Another context is current inside the block, the former one afterwards."""
    before, context = ctypes.c_void_p(), ctypes.c_void_p()
    assert lib.aclrtGetCurrentContext(ctypes.byref(before)) == 0
    assert lib.aclrtCreateContext(ctypes.byref(context), 0) == 0
    yield
    assert lib.aclrtDestroyContext(context) == 0
    assert lib.aclrtSetCurrentContext(before) == 0


def test_create_and_destroy(lib: acl.Library) -> None:
    """RT-STR-01 (8): NULL is 100000; destroyed, an event, an invented value are 107017."""
    stream, event = new_stream(lib), ctypes.c_void_p()
    assert lib.aclrtCreateStream(None) == 100000
    assert lib.aclrtDestroyStream(None) == 100000
    assert lib.aclrtDestroyStreamForce(None) == 100000
    assert lib.aclrtDestroyStream(stream) == 0
    assert lib.aclrtDestroyStream(stream) == 107017
    assert lib.aclrtSynchronizeStream(stream) == 107017
    assert lib.aclrtCreateEvent(ctypes.byref(event)) == 0
    assert lib.aclrtSynchronizeStream(event) == 107017
    assert lib.aclrtDestroyEvent(event) == 0
    assert lib.aclrtSynchronizeStream(0x7F0012345678) == 107017


def test_needs_a_context(lib: acl.Library) -> None:
    """RT-STR-02 (8): create, destroy, synchronise and query give 107002 in a fresh thread."""
    stream = new_stream(lib)
    out = ctypes.byref(ctypes.c_void_p())
    assert in_thread(lambda: lib.aclrtCreateStream(out)) == 107002
    assert in_thread(lambda: lib.aclrtDestroyStream(stream)) == 107002
    assert in_thread(lambda: lib.aclrtSynchronizeStream(stream)) == 107002
    assert in_thread(lambda: lib.aclrtStreamQuery(stream, out)) == 107002
    assert in_thread(lambda: lib.aclrtSynchronizeDevice()) == 107002
    assert lib.aclrtDestroyStream(stream) == 0


def test_foreign_context(lib: acl.Library) -> None:
    """RT-STR-03 (1.3): enqueueing into another context's stream is 107003, waiting is not."""
    stream, event = new_stream(lib), ctypes.c_void_p()
    with other_context(lib):
        assert lib.aclrtCreateEvent(ctypes.byref(event)) == 0
        assert lib.aclrtRecordEvent(event, stream) == 107003
        assert lib.aclrtStreamWaitEvent(stream, event) == 107003
        assert lib.aclrtDestroyStream(stream) == 107003
        assert lib.aclrtSetStreamFailureMode(stream, 1) == 107003
        assert lib.aclrtSynchronizeStream(stream) == 0
        assert query(lib, stream) == 0
    assert lib.aclrtDestroyEvent(event) == 0
    assert lib.aclrtDestroyStream(stream) == 0


def test_streams_die_with_their_context(lib: acl.Library) -> None:
    """RT-STR-04 (7): after DestroyContext its streams' handles are 107017."""
    with other_context(lib):
        stream = new_stream(lib)
    assert lib.aclrtSynchronizeStream(stream) == 107017


def test_configured_streams(lib: acl.Library) -> None:
    """RT-STR-05 (8): priority up to 7, unknown flags dropped, HUGE 207000, DEVICE_ONLY alone."""
    stream, value = ctypes.c_void_p(), ctypes.c_uint32()
    out = ctypes.byref(stream)
    assert lib.aclrtCreateStreamWithConfig(None, 0, 0) == 100000
    assert lib.aclrtCreateStreamWithConfig(out, 0, 0x8) == 207000
    assert lib.aclrtCreateStreamWithConfig(out, 0, 0x21) == 107000
    assert lib.aclrtCreateStreamWithConfig(out, 99, 0x101) == 0
    assert lib.aclrtStreamGetPriority(stream, ctypes.byref(value)) == 0
    assert value.value == 7
    assert lib.aclrtStreamGetFlags(stream, ctypes.byref(value)) == 0
    assert value.value == 1
    assert lib.aclrtDestroyStream(stream) == 0


def test_persistent_streams_never_wait(lib: acl.Library) -> None:
    """RT-STR-06 (8): synchronise and query on PERSISTENT streams return at once, no context."""
    stream = ctypes.c_void_p()
    assert lib.aclrtCreateStreamWithConfig(ctypes.byref(stream), 0, 0x4) == 0
    assert in_thread(lambda: lib.aclrtSynchronizeStream(stream)) == 0
    assert in_thread(lambda: query(lib, stream.value)) == 0
    assert lib.aclrtDestroyStream(stream) == 0


def test_stream_config_handle(lib: acl.Library) -> None:
    """RT-STR-07 (8): aclrtCreateStreamV2 takes priority and flag from its handle."""
    config, stream = lib.aclrtCreateStreamConfigHandle(), ctypes.c_void_p()
    priority = ctypes.c_uint32(3)
    got = ctypes.c_uint32()
    assert lib.aclrtSetStreamConfigOpt(config, 3, ctypes.byref(priority), 4) == 0
    assert lib.aclrtSetStreamConfigOpt(config, 3, ctypes.byref(priority), 8) == 100000
    assert lib.aclrtSetStreamConfigOpt(config, 9, ctypes.byref(priority), 4) == 100000
    assert lib.aclrtCreateStreamV2(ctypes.byref(stream), config) == 0
    assert lib.aclrtStreamGetPriority(stream, ctypes.byref(got)) == 0
    assert got.value == 3
    assert lib.aclrtDestroyStreamConfigHandle(config) == 0
    assert lib.aclrtDestroyStreamConfigHandle(config) == 100000
    assert lib.aclrtDestroyStream(stream) == 0


def test_timeouts(lib: acl.Library) -> None:
    """RT-STR-08 (8, 6): 0 and below -1 are 107000, expiry is 507046, work goes on."""
    stream = new_stream(lib)
    for timeout in (0, -2):
        assert lib.aclrtSynchronizeStreamWithTimeout(stream, timeout) == 107000
        assert lib.aclrtSynchronizeDeviceWithTimeout(timeout) == 107000
    with held(lib, stream):
        assert query(lib, stream) == 1
        assert lib.aclrtSynchronizeStreamWithTimeout(stream, 5) == 507046
        assert lib.aclrtSynchronizeDeviceWithTimeout(5) == 507046
    assert lib.aclrtSynchronizeStreamWithTimeout(stream, -1) == 0
    assert lib.aclrtSynchronizeDeviceWithTimeout(1000) == 0
    assert query(lib, stream) == 0
    assert lib.aclrtDestroyStream(stream) == 0


def test_default_stream(lib: acl.Library) -> None:
    """RT-STR-09 (1.3): NULL is the default stream; it is not the caller's to destroy."""
    default = ctypes.c_void_p()
    assert lib.aclrtCtxGetCurrentDefaultStream(ctypes.byref(default)) == 0
    with held(lib, None):
        assert query(lib, default.value) == 1
        assert query(lib, None) == 1
    assert lib.aclrtDestroyStream(default) == 107000


def test_synchronize_device_takes_the_context_only(lib: acl.Library) -> None:
    """RT-STR-10 (6): SynchronizeDevice does not wait for streams of another context."""
    stream = new_stream(lib)
    gate = Gate(lib, stream)
    with other_context(lib):
        assert lib.aclrtSynchronizeDevice() == 0
    assert query(lib, stream) == 1
    gate.opened.set()
    assert lib.aclrtSynchronizeDevice() == 0
    assert query(lib, stream) == 0
    assert lib.aclrtDestroyStream(stream) == 0


def test_destroy_waits_force_does_not(lib: acl.Library) -> None:
    """RT-STR-11 (8): DestroyStream finishes the work, DestroyStreamForce drops it."""
    done: list[str] = []

    def sleep(_: int | None) -> None:
        time.sleep(0.05)
        done.append("run")

    slow = FUNCTION(sleep)
    address = ctypes.cast(slow, ctypes.c_void_p)
    stream = new_stream(lib)
    assert lib.aclrtLaunchHostFunc(stream, address, None) == 0
    assert lib.aclrtDestroyStream(stream) == 0
    assert done == ["run"]
    stream, event = new_stream(lib), ctypes.c_void_p()
    assert lib.aclrtCreateEventWithFlag(ctypes.byref(event), 1) == 0
    assert lib.aclrtStreamWaitEvent(stream, event) == 0
    assert lib.aclrtLaunchHostFunc(stream, address, None) == 0
    assert lib.aclrtDestroyStreamForce(stream) == 0
    assert lib.aclrtDestroyEvent(event) == 0
    assert done == ["run"]


def test_failure_mode(lib: acl.Library) -> None:
    """RT-STR-12 (8): only bit 0 counts; the same again is 0; back to continue is 207000."""
    stream = new_stream(lib)
    assert lib.aclrtSetStreamFailureMode(stream, 2) == 0
    assert lib.aclrtSetStreamFailureMode(stream, 1) == 0
    assert lib.aclrtSetStreamFailureMode(stream, 3) == 0
    assert lib.aclrtSetStreamFailureMode(stream, 0) == 207000
    assert lib.aclrtDestroyStream(stream) == 0


def test_task_errors_come_at_synchronise(lib: acl.Library) -> None:
    """RT-STR-13 (1.4): a task that fails is reported once, at the next synchronise."""
    stream, host, device = new_stream(lib), ctypes.c_void_p(), ctypes.c_void_p()
    assert lib.aclrtMallocHost(ctypes.byref(host), 64) == 0
    assert lib.aclrtMalloc(ctypes.byref(device), 64, 0) == 0
    seen: list[int] = []
    getter = lib.aclrtGetErrorCodeFromExceptionInfo
    callback = FUNCTION(lambda info: seen.append(getter(info)))
    lib.aclrtSetExceptionInfoCallback(ctypes.cast(callback, ctypes.c_void_p))
    with_gate = Gate(lib, stream)
    assert lib.aclrtMemcpyAsync(device, 64, host, 64, 1, stream) == 0
    assert lib.aclrtFree(device) == 0
    with_gate.opened.set()
    assert lib.aclrtSynchronizeStream(stream) == 507899
    assert "device memory" in lib.message()
    assert lib.aclrtSynchronizeStream(stream) == 0
    assert seen == [507899]
    assert getter(None) == 0xFFFFFFFF
    assert lib.aclrtSetExceptionInfoCallback(None) == 0
    assert lib.aclrtFreeHost(host) == 0
    assert lib.aclrtDestroyStream(stream) == 0


def test_abort(lib: acl.Library) -> None:
    """RT-STR-14 (8): StreamAbort drops what is queued."""
    stream, ran = new_stream(lib), []
    late = FUNCTION(lambda _: ran.append(1))
    gate = Gate(lib, stream)
    assert gate.reached.wait(10)
    assert lib.aclrtLaunchHostFunc(stream, ctypes.cast(late, ctypes.c_void_p), None) == 0
    threading.Timer(0.05, gate.opened.set).start()
    assert lib.aclrtStreamAbort(stream) == 0
    assert lib.aclrtSynchronizeStream(stream) == 0
    assert ran == []
    assert lib.aclrtDestroyStream(stream) == 0


def test_stream_limit(lib: acl.Library) -> None:
    """RT-STR-15 (8): 1024 streams per device, the default stream included, then 207008."""
    left, stream = ctypes.c_uint32(), ctypes.c_void_p()
    assert lib.aclrtGetStreamAvailableNum(ctypes.byref(left)) == 0
    assert left.value == 1023
    streams = [new_stream(lib) for _ in range(1023)]
    assert lib.aclrtCreateStream(ctypes.byref(stream)) == 207008
    for handle in streams:
        assert lib.aclrtDestroyStream(handle) == 0


# ---- callbacks ---------------------------------------------------------------------------------


class Reporter:
    """A thread that loops on aclrtProcessReport."""

    def __init__(self, lib: acl.Library) -> None:
        self._lib, self._stop = lib, threading.Event()
        self.codes: list[int] = []
        self.thread = threading.Thread(target=self._loop)
        self.thread.start()

    @property
    def id(self) -> int:
        return self.thread.ident or 0

    def _loop(self) -> None:
        while not self._stop.is_set():
            code = self._lib.aclrtProcessReport(20)
            if not self.codes or self.codes[-1] != code:
                self.codes.append(code)
            if code == 107012:
                time.sleep(0.001)

    def close(self) -> None:
        self._stop.set()
        self.thread.join()


@pytest.fixture
def reporter(lib: acl.Library) -> Iterator[Reporter]:
    made = Reporter(lib)
    yield made
    made.close()


def pointer(function: Callable[..., Any]) -> ctypes.c_void_p:
    return ctypes.cast(function, ctypes.c_void_p)  # type: ignore[arg-type]


def test_callback_runs_on_the_bound_thread(lib: acl.Library, reporter: Reporter) -> None:
    """RT-CB-01 (10): the callback runs inside ProcessReport, in order, with its argument."""
    stream, seen = new_stream(lib), []
    function = FUNCTION(lambda data: seen.append((data, threading.get_ident())))
    assert lib.aclrtSubscribeReport(reporter.id, stream) == 0
    for number in (1, 2, 3):
        assert lib.aclrtLaunchCallback(pointer(function), number, 1, stream) == 0
    assert lib.aclrtSynchronizeStream(stream) == 0
    assert seen == [(number, reporter.id) for number in (1, 2, 3)]
    assert lib.aclrtUnSubscribeReport(reporter.id, stream) == 0
    assert lib.aclrtDestroyStream(stream) == 0


def test_blocking(lib: acl.Library, reporter: Reporter) -> None:
    """RT-CB-02 (10): a NO_BLOCK callback does not hold the stream, a BLOCK one does."""
    stream, go = new_stream(lib), threading.Event()
    function = FUNCTION(lambda _: go.wait(10))
    assert lib.aclrtSubscribeReport(reporter.id, stream) == 0
    assert lib.aclrtLaunchCallback(pointer(function), None, 0, stream) == 0
    assert lib.aclrtSynchronizeStreamWithTimeout(stream, 5000) == 0
    go.set()
    go = threading.Event()
    assert lib.aclrtLaunchCallback(pointer(function), None, 1, stream) == 0
    assert lib.aclrtSynchronizeStreamWithTimeout(stream, 20) == 507046
    go.set()
    assert lib.aclrtSynchronizeStream(stream) == 0
    assert lib.aclrtUnSubscribeReport(reporter.id, stream) == 0
    assert lib.aclrtDestroyStream(stream) == 0


def test_launch_callback_errors(lib: acl.Library, reporter: Reporter) -> None:
    """RT-CB-03 (10): the order of LaunchCallback's tests."""
    function = FUNCTION(lambda _: None)
    stream, dead = new_stream(lib), new_stream(lib)
    assert lib.aclrtDestroyStream(dead) == 0
    assert lib.aclrtLaunchCallback(None, None, 2, dead) == 100000
    assert lib.aclrtLaunchCallback(None, None, 1, dead) == 107017
    assert lib.aclrtLaunchCallback(None, None, 1, stream) == 107000
    assert lib.aclrtLaunchCallback(pointer(function), None, 1, stream) == 107015
    alone = in_thread(lambda: lib.aclrtLaunchCallback(pointer(function), None, 1, stream))
    assert alone == 107002
    with other_context(lib):
        assert lib.aclrtLaunchCallback(pointer(function), None, 1, stream) == 107003
    assert lib.aclrtLaunchHostFunc(stream, pointer(function), None) == 0
    assert lib.aclrtLaunchCallback(pointer(function), None, 1, stream) == 107011
    assert lib.aclrtDestroyStream(stream) == 0


def test_subscribe_errors(lib: acl.Library) -> None:
    """RT-CB-04 (10): a stream is subscribed once (107011) and released by its thread (107012)."""
    stream = new_stream(lib)
    assert lib.aclrtUnSubscribeReport(11, stream) == 107011
    assert lib.aclrtSubscribeReport(11, stream) == 0
    assert lib.aclrtSubscribeReport(11, stream) == 107011
    assert lib.aclrtSubscribeReport(12, stream) == 107011
    assert lib.aclrtUnSubscribeReport(12, stream) == 107012
    assert lib.aclrtUnSubscribeReport(11, stream) == 0
    assert lib.aclrtDestroyStream(stream) == 0
    assert in_thread(lambda: lib.aclrtSubscribeReport(11, None)) == 107002


@fake_only
def test_one_thread_serves_one_device(raw: acl.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """RT-CB-05 (10): a thread that serves a device is 107012 for a stream of another."""
    monkeypatch.setenv("ACLRT_FAKE_DEVICES", "2")
    assert raw.aclrtSetDevice(0) == 0
    assert raw.aclrtSubscribeReport(5, None) == 0
    assert raw.aclrtSetDevice(1) == 0
    assert raw.aclrtSubscribeReport(5, None) == 107012
    assert raw.aclrtResetDevice(1) == 0
    assert raw.aclrtResetDevice(0) == 0


def test_process_report_errors(lib: acl.Library) -> None:
    """RT-CB-06 (10): bad timeouts 100000, no subscription 107012 at once, nothing due 507012."""
    assert lib.aclrtProcessReport(0) == 100000
    assert lib.aclrtProcessReport(-2) == 100000
    assert lib.aclrtProcessReport(600_000) == 107012  # the test's own limit is shorter
    stream = new_stream(lib)
    assert lib.aclrtSubscribeReport(threading.get_ident(), stream) == 0
    assert lib.aclrtProcessReport(5) == 507012
    assert lib.aclrtUnSubscribeReport(threading.get_ident(), stream) == 0
    assert lib.aclrtProcessReport(5) == 107012
    assert lib.aclrtDestroyStream(stream) == 0


def test_host_function(lib: acl.Library) -> None:
    """RT-CB-07 (10): runs on one thread of the runtime, blocks the stream, excludes callbacks."""
    stream, threads = new_stream(lib), []
    function = FUNCTION(lambda data: threads.append((data, threading.get_ident())))
    for number in (1, 2):
        assert lib.aclrtLaunchHostFunc(stream, pointer(function), number) == 0
    assert lib.aclrtSynchronizeStream(stream) == 0
    assert [data for data, _ in threads] == [1, 2]
    assert len({thread for _, thread in threads} | {threading.get_ident()}) == 2
    assert lib.aclrtLaunchHostFunc(stream, None, None) == 107000
    assert lib.aclrtSubscribeReport(3, stream) == 107011
    assert lib.aclrtUnSubscribeReport(3, stream) == 107011
    subscribed = new_stream(lib)
    assert lib.aclrtSubscribeReport(3, subscribed) == 0
    assert lib.aclrtLaunchHostFunc(subscribed, pointer(function), None) == 107011
    assert lib.aclrtUnSubscribeReport(3, subscribed) == 0
    assert lib.aclrtDestroyStream(subscribed) == 0
    assert lib.aclrtDestroyStream(stream) == 0


@fake_only
def test_reset_waits_for_blocking_callbacks(raw: acl.Library) -> None:
    """RT-CB-09 (10): the last ResetDevice waits for queued callbacks, which are still served."""
    assert raw.aclrtSetDevice(0) == 0
    stream, seen = new_stream(raw), []
    function = FUNCTION(lambda data: seen.append(data))
    served = threading.Event()

    def serve() -> None:
        served.wait(10)
        while len(seen) < 2 and raw.aclrtProcessReport(5000) == 0:
            pass

    reporter = threading.Thread(target=serve)
    reporter.start()
    assert raw.aclrtSubscribeReport(reporter.ident, stream) == 0
    assert raw.aclrtLaunchCallback(pointer(function), 1, 1, stream) == 0
    assert raw.aclrtLaunchCallback(pointer(function), 2, 1, stream) == 0
    served.set()
    assert raw.aclrtResetDevice(0) == 0
    reporter.join(20)
    assert seen == [1, 2]
