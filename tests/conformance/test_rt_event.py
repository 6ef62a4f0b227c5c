# SPDX-License-Identifier: Apache-2.0
"""Contract 9: events."""

from __future__ import annotations

import ctypes
import time

import pytest

from conformance import acl
from conformance.test_rt_device import in_thread
from conformance.test_rt_stream import Gate, held, new_stream, other_context, query

SYNC, PROGRESS, TIME_LINE, DEVICE_ONLY, EXTERNAL, IPC = 0x1, 0x2, 0x8, 0x10, 0x20, 0x40


def new_event(lib: acl.Library, flag: int | None = None, ex: bool = False) -> int:
    """An event; of aclrtCreateEvent without a flag."""
    event = ctypes.c_void_p()
    if flag is None:
        code = lib.aclrtCreateEvent(ctypes.byref(event))
    elif ex:
        code = lib.aclrtCreateEventExWithFlag(ctypes.byref(event), flag)
    else:
        code = lib.aclrtCreateEventWithFlag(ctypes.byref(event), flag)
    assert code == 0
    assert event.value
    return event.value


def status(lib: acl.Library, function: str, event: int) -> tuple[int, int]:
    """Code and value of a query; -1 where it was left alone."""
    value = ctypes.c_int(-1)
    return getattr(lib, function)(event, ctypes.byref(value)), value.value


def destroy(lib: acl.Library, *events: int) -> None:
    for event in events:
        assert lib.aclrtDestroyEvent(event) == 0


@pytest.mark.parametrize(
    ("flag", "plain", "ex"),
    [
        (0, 107000, 107000),
        (SYNC, 0, 0),
        (PROGRESS | TIME_LINE, 0, 0),
        (0x4, 0, 0),
        (SYNC | PROGRESS | TIME_LINE, 0, 0),
        (DEVICE_ONLY, 0, 107000),
        (DEVICE_ONLY | SYNC, 107000, 107000),
        (EXTERNAL, 0, 107000),
        (IPC, 107000, 0),
        (IPC | SYNC, 107000, 107000),
        (0x80, 107000, 107000),
    ],
)
def test_flags(lib: acl.Library, flag: int, plain: int, ex: int) -> None:
    """RT-EVT-01 (9): which flags each creator takes."""
    for name, code in (("aclrtCreateEventWithFlag", plain), ("aclrtCreateEventExWithFlag", ex)):
        event = ctypes.c_void_p()
        assert getattr(lib, name)(ctypes.byref(event), flag) == code
        assert getattr(lib, name)(None, flag) == 100000
        if code == 0:
            destroy(lib, event.value or 0)


def test_create_and_destroy(lib: acl.Library) -> None:
    """RT-EVT-02 (9): 100000, 107002, 107017; destroying needs no context."""
    event = new_event(lib)
    assert lib.aclrtCreateEvent(None) == 100000
    assert lib.aclrtDestroyEvent(None) == 100000
    assert in_thread(lambda: lib.aclrtCreateEvent(ctypes.byref(ctypes.c_void_p()))) == 107002
    assert in_thread(lambda: lib.aclrtDestroyEvent(event)) == 0
    assert lib.aclrtDestroyEvent(event) == 107017
    assert lib.aclrtRecordEvent(event, None) == 107017
    assert lib.aclrtSynchronizeEvent(event) == 107017


def test_never_recorded(lib: acl.Library) -> None:
    """RT-EVT-03 (9): QueryEvent COMPLETE, QueryEventStatus NOT_READY (but Ex), synchronise 0."""
    plain, flagged, ex = new_event(lib), new_event(lib, SYNC), new_event(lib, SYNC, ex=True)
    for event in (plain, flagged):
        assert status(lib, "aclrtQueryEvent", event) == (0, 0)
        assert status(lib, "aclrtQueryEventStatus", event) == (0, 0)
        assert status(lib, "aclrtQueryEventWaitStatus", event) == (0, 0)
    assert status(lib, "aclrtQueryEvent", ex) == (207000, -1)
    assert status(lib, "aclrtQueryEventStatus", ex) == (0, 1)
    assert status(lib, "aclrtQueryEventWaitStatus", ex) == (207000, -1)
    for event in (plain, flagged, ex):
        assert lib.aclrtSynchronizeEvent(event) == 0
    destroy(lib, plain, flagged, ex)


def test_record_and_query(lib: acl.Library) -> None:
    """RT-EVT-04 (9): not ready while the stream is behind; the two queries number inversely."""
    stream, event = new_stream(lib), new_event(lib)
    with held(lib, stream):
        assert lib.aclrtRecordEvent(event, stream) == 0
        assert status(lib, "aclrtQueryEvent", event) == (0, 1)
        assert status(lib, "aclrtQueryEventStatus", event) == (0, 0)
        assert lib.aclrtSynchronizeEventWithTimeout(event, 5) == 507047
    assert lib.aclrtSynchronizeEvent(event) == 0
    assert status(lib, "aclrtQueryEvent", event) == (0, 0)
    assert status(lib, "aclrtQueryEventStatus", event) == (0, 1)
    destroy(lib, event)
    assert lib.aclrtDestroyStream(stream) == 0


def test_record_errors(lib: acl.Library) -> None:
    """RT-EVT-05 (9): 100000, 107002, foreign stream 107003, DEVICE_USE_ONLY 107000."""
    stream, event, device = new_stream(lib), new_event(lib), new_event(lib, DEVICE_ONLY)
    assert lib.aclrtRecordEvent(None, stream) == 100000
    assert in_thread(lambda: lib.aclrtRecordEvent(event, None)) == 107002
    with other_context(lib):
        assert lib.aclrtRecordEvent(event, stream) == 107003
    assert lib.aclrtRecordEvent(device, stream) == 107000
    destroy(lib, event, device)
    assert lib.aclrtDestroyStream(stream) == 0


def test_timeout_arguments(lib: acl.Library) -> None:
    """RT-EVT-06 (9): below -1 is 107000 before the NULL test, 0 is 107000 after it."""
    event = new_event(lib)
    assert lib.aclrtSynchronizeEventWithTimeout(None, -2) == 107000
    assert lib.aclrtSynchronizeEventWithTimeout(None, 0) == 100000
    assert lib.aclrtSynchronizeEventWithTimeout(event, 0) == 107000
    assert lib.aclrtSynchronizeEventWithTimeout(event, -1) == 0
    destroy(lib, event)


def test_elapsed_time(lib: acl.Library) -> None:
    """RT-EVT-07 (9): milliseconds between two records; negative in the other order."""
    stream, start, end = new_stream(lib), new_event(lib), new_event(lib, TIME_LINE)
    ms = ctypes.c_float()
    out = ctypes.byref(ms)
    assert lib.aclrtEventElapsedTime(out, start, end) == 507000
    assert lib.aclrtRecordEvent(start, stream) == 0
    assert lib.aclrtEventElapsedTime(out, start, end) == 507000
    gate = Gate(lib, stream)
    assert lib.aclrtRecordEvent(end, stream) == 0
    assert lib.aclrtEventElapsedTime(out, start, end) == 107006
    time.sleep(0.02)
    gate.opened.set()
    assert lib.aclrtSynchronizeStream(stream) == 0
    assert lib.aclrtEventElapsedTime(out, start, end) == 0
    assert ms.value >= 15
    forward = ms.value
    assert lib.aclrtEventElapsedTime(out, end, start) == 0
    assert ms.value == -forward
    for arguments in ((None, start, end), (out, None, end), (out, start, None)):
        assert lib.aclrtEventElapsedTime(*arguments) == 100000
    destroy(lib, start, end)
    assert lib.aclrtDestroyStream(stream) == 0


def test_timestamp(lib: acl.Library) -> None:
    """RT-EVT-08 (9): microseconds, rising; 507000 never recorded; none without TIME_LINE."""
    first, second, blind = new_event(lib), new_event(lib), new_event(lib, SYNC)
    a, b = ctypes.c_uint64(), ctypes.c_uint64()
    assert lib.aclrtEventGetTimestamp(first, ctypes.byref(a)) == 507000
    for event in (first, second, blind):
        assert lib.aclrtRecordEvent(event, None) == 0
    assert lib.aclrtSynchronizeStream(None) == 0
    assert lib.aclrtEventGetTimestamp(first, ctypes.byref(a)) == 0
    assert lib.aclrtEventGetTimestamp(second, ctypes.byref(b)) == 0
    assert 0 < a.value <= b.value
    assert lib.aclrtEventGetTimestamp(blind, ctypes.byref(b)) == 107006
    assert lib.aclrtEventGetTimestamp(first, None) == 100000
    destroy(lib, first, second, blind)


def test_stream_waits_for_event(lib: acl.Library) -> None:
    """RT-EVT-09 (9): a waiting stream, of another context too, goes on when the work is done."""
    first, event = new_stream(lib), new_event(lib, SYNC)
    gate = Gate(lib, first)
    assert lib.aclrtRecordEvent(event, first) == 0
    with other_context(lib):
        second = new_stream(lib)
        assert lib.aclrtStreamWaitEvent(second, event) == 0
        assert lib.aclrtSynchronizeStreamWithTimeout(second, 10) == 507046
        assert status(lib, "aclrtQueryEventWaitStatus", event) == (0, 1)
        gate.opened.set()
        assert lib.aclrtSynchronizeStream(second) == 0
        assert status(lib, "aclrtQueryEventWaitStatus", event) == (0, 0)
        assert lib.aclrtDestroyStream(second) == 0
    destroy(lib, event)
    assert lib.aclrtDestroyStream(first) == 0


def test_wait_for_unrecorded_event(lib: acl.Library) -> None:
    """RT-EVT-10 (9): CreateEvent 107000, SYNC blocks until it is recorded, Ex passes."""
    stream, other = new_stream(lib), new_stream(lib)
    plain, sync, ex, mute = (
        new_event(lib),
        new_event(lib, SYNC),
        new_event(lib, SYNC, ex=True),
        new_event(lib, TIME_LINE),
    )
    assert lib.aclrtStreamWaitEvent(stream, None) == 100000
    assert lib.aclrtStreamWaitEvent(stream, plain) == 107000
    assert lib.aclrtStreamWaitEvent(stream, mute) == 207000
    assert lib.aclrtStreamWaitEvent(stream, ex) == 0
    assert lib.aclrtSynchronizeStream(stream) == 0
    assert lib.aclrtStreamWaitEvent(stream, sync) == 0
    assert lib.aclrtSynchronizeStreamWithTimeout(stream, 20) == 507046
    assert lib.aclrtRecordEvent(sync, other) == 0
    assert lib.aclrtSynchronizeStreamWithTimeout(stream, 5000) == 0
    destroy(lib, plain, sync, ex, mute)
    assert lib.aclrtDestroyStream(stream) == 0
    assert lib.aclrtDestroyStream(other) == 0


def test_wait_keeps_its_capture(lib: acl.Library) -> None:
    """RT-EVT-11 (9): a wait that is queued keeps the record it was queued for."""
    first, second, third = (new_stream(lib) for _ in range(3))
    event = new_event(lib, SYNC)
    assert lib.aclrtRecordEvent(event, first) == 0
    assert lib.aclrtSynchronizeStream(first) == 0
    with held(lib, third):
        assert lib.aclrtStreamWaitEvent(second, event) == 0
        assert lib.aclrtRecordEvent(event, third) == 0
        assert lib.aclrtSynchronizeStreamWithTimeout(second, 5000) == 0
        assert query(lib, third) == 1
    destroy(lib, event)
    for stream in (first, second, third):
        assert lib.aclrtDestroyStream(stream) == 0


def test_reset_event(lib: acl.Library) -> None:
    """RT-EVT-12 (9): queued; SYNC and CreateEvent events pass, others 207000."""
    stream, sync, plain = new_stream(lib), new_event(lib, SYNC), new_event(lib)
    others = [
        new_event(lib, TIME_LINE),
        new_event(lib, SYNC, ex=True),
        new_event(lib, IPC, ex=True),
    ]
    assert lib.aclrtResetEvent(None, stream) == 100000
    assert lib.aclrtRecordEvent(sync, stream) == 0
    assert lib.aclrtResetEvent(sync, stream) == 0
    assert lib.aclrtResetEvent(plain, stream) == 0
    for event in others:
        assert lib.aclrtResetEvent(event, stream) == 207000
    assert lib.aclrtSynchronizeStream(stream) == 0
    assert status(lib, "aclrtQueryEventStatus", sync) == (0, 0)
    destroy(lib, sync, plain, *others)
    assert lib.aclrtDestroyStream(stream) == 0


def test_external_events(lib: acl.Library) -> None:
    """RT-EVT-13 (9): external events refuse query, synchronise and timing with 207000."""
    event, plain = new_event(lib, EXTERNAL), new_event(lib)
    ms = ctypes.c_float()
    assert status(lib, "aclrtQueryEvent", event)[0] == 207000
    assert status(lib, "aclrtQueryEventWaitStatus", event)[0] == 207000
    assert lib.aclrtSynchronizeEvent(event) == 207000
    assert lib.aclrtEventElapsedTime(ctypes.byref(ms), event, plain) == 207000
    destroy(lib, event, plain)


def test_destroy_while_pending(lib: acl.Library) -> None:
    """RT-EVT-14 (9): destroying a pending event does not block, and waits on it still end."""
    first, second, event = new_stream(lib), new_stream(lib), new_event(lib, SYNC)
    gate = Gate(lib, first)
    assert lib.aclrtRecordEvent(event, first) == 0
    assert lib.aclrtStreamWaitEvent(second, event) == 0
    destroy(lib, event)
    gate.opened.set()
    assert lib.aclrtSynchronizeStreamWithTimeout(second, 5000) == 0
    for stream in (first, second):
        assert lib.aclrtDestroyStream(stream) == 0


def test_wait_timeout(lib: acl.Library) -> None:
    """RT-EVT-15 (9): an expired wait surfaces at the next synchronise."""
    stream, event = new_stream(lib), new_event(lib, SYNC)
    assert lib.aclrtSetOpWaitTimeout(1) == 0
    assert lib.aclrtStreamWaitEvent(stream, event) == 0
    assert lib.aclrtSynchronizeStream(stream) == 107019
    assert lib.aclrtSetOpWaitTimeout(0) == 0
    destroy(lib, event)
    assert lib.aclrtDestroyStream(stream) == 0


def test_event_limit(lib: acl.Library) -> None:
    """RT-EVT-16 (9): 1023 SYNC events per device, then 207007."""
    events = [new_event(lib, SYNC) for _ in range(1023)]
    assert lib.aclrtCreateEventWithFlag(ctypes.byref(ctypes.c_void_p()), SYNC) == 207007
    destroy(lib, new_event(lib), *events)
