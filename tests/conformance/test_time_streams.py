# SPDX-License-Identifier: Apache-2.0
"""Contract 8 to 10 and 17: timeouts, aborts, failures and waits, with a real and a virtual clock.

Each case runs twice; what it asserts is codes and order, never how long something took.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator

import pytest

from conformance import acl, timing
from conformance.timing import Work

pytestmark = pytest.mark.fake_only

SYNC_TIMEOUT, EVENT_TIMEOUT, WAIT_TIMEOUT, BAD_COPY = 507046, 507047, 107019, 507899
SYNC_FLAG, TIME_FLAG = 1, 8


@pytest.fixture(params=["real", "virtual"])
def work(
    request: pytest.FixtureRequest, raw: acl.Library, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Work]:
    """A device whose copies to it take 1 ms, executes 40 ms, copies back 1 ms."""
    times = {"H2D_US": 1000, "COMPUTE_US": 40000, "D2H_US": 1000}
    timing.environment(monkeypatch, PROFILE="null", **times)
    if request.param == "virtual":
        timing.environment(monkeypatch, SEED=5)
    with timing.working(raw) as made:
        yield made


def status(work: Work, stream: int) -> int:
    out = ctypes.c_int(-1)
    assert work.lib.aclrtStreamQuery(stream, ctypes.byref(out)) == 0
    return out.value


def test_synchronize_timeout(work: Work) -> None:
    """TIME-STR-01 (8): expiry is 507046 and the work goes on; a later synchronise is 0."""
    stream, model = work.stream(), work.model()
    work.request(stream, model)
    assert work.sync_within(stream, 5) == SYNC_TIMEOUT
    assert work.sync(stream) == 0
    assert work.sync_within(stream, 1) == 0


def test_synchronize_timeout_that_suffices(work: Work) -> None:
    """TIME-STR-02 (8): work that ends within the timeout is 0."""
    stream, model = work.stream(), work.model()
    work.request(stream, model)
    assert work.sync_within(stream, 5000) == 0


def test_device_timeout(work: Work) -> None:
    """TIME-STR-03 (6): the device's timeout covers all streams of the context."""
    first, second, model = work.stream(), work.stream(), work.model()
    work.request(first, model)
    work.upload(second)
    assert work.lib.aclrtSynchronizeDeviceWithTimeout(5) == SYNC_TIMEOUT
    assert work.lib.aclrtSynchronizeDeviceWithTimeout(5000) == 0
    assert status(work, first) == status(work, second) == 0


def test_event_timeout(work: Work) -> None:
    """TIME-EVT-01 (9): expiry of an event's synchronise is 507047."""
    stream, model = work.stream(), work.model()
    work.request(stream, model)
    event = work.record(stream)
    assert work.lib.aclrtSynchronizeEventWithTimeout(event, 5) == EVENT_TIMEOUT
    assert work.lib.aclrtSynchronizeEventWithTimeout(event, 5000) == 0


def test_execute_timeout(work: Work) -> None:
    """TIME-RUN-01 (17): ExecuteV2's stream timeout is 507046; the execute itself ends well."""
    stream, model = work.stream(), work.model()
    handle = work.lib.aclmdlCreateExecConfigHandle()
    limit = ctypes.c_int32(5)
    assert work.lib.aclmdlSetExecConfigOpt(handle, 0, ctypes.byref(limit), 4) == 0
    device = work.device
    source, target = device.upload(timing.ramp()), device.alloc(timing.NBYTES)
    pieces = (device.dataset((source, timing.NBYTES)), device.dataset((target, timing.NBYTES)))
    assert work.lib.aclmdlExecuteV2(model, *pieces, stream, handle) == SYNC_TIMEOUT
    assert work.sync(stream) == 0
    assert (device.read(target, timing.ramp()) == 2 * timing.ramp()).all()
    assert work.lib.aclmdlDestroyExecConfigHandle(handle) == 0


def test_polling_ends(work: Work) -> None:
    """TIME-STR-04 (8): a client that only asks sees the stream become complete."""
    stream, model = work.stream(), work.model()
    work.request(stream, model)
    seen = [status(work, stream)]
    while seen[-1] != 0:
        seen.append(status(work, stream))
    assert seen[0] == 1


def test_polling_an_event_ends(work: Work) -> None:
    """TIME-EVT-02 (9): the same of an event."""
    stream, model = work.stream(), work.model()
    work.request(stream, model)
    event, out = work.record(stream), ctypes.c_int(-1)
    while out.value != 1:
        assert work.lib.aclrtQueryEventStatus(event, ctypes.byref(out)) == 0


def test_abort_drops_what_is_queued(work: Work) -> None:
    """TIME-STR-05 (8): after StreamAbort the stream is idle, and usable."""
    stream, model = work.stream(), work.model()
    for _ in range(50):
        work.request(stream, model)
    assert work.lib.aclrtStreamAbort(stream) == 0
    assert status(work, stream) == 0
    assert work.sync(stream) == 0
    work.upload(stream)
    assert work.sync(stream) == 0


def test_abort_ends_a_wait(work: Work) -> None:
    """TIME-STR-06 (8, 9): a stream that waits for an event that nobody records can be aborted."""
    stream, event = work.stream(), work.event(SYNC_FLAG)
    assert work.lib.aclrtStreamWaitEvent(stream, event) == 0
    work.upload(stream)
    assert work.sync_within(stream, 30) == SYNC_TIMEOUT
    assert work.lib.aclrtStreamAbort(stream) == 0
    assert work.sync(stream) == 0


def test_abort_of_an_idle_stream(work: Work) -> None:
    """TIME-STR-07 (8): nothing to abort is 0."""
    assert work.lib.aclrtStreamAbort(work.stream()) == 0


def test_error_surfaces_once(work: Work) -> None:
    """TIME-STR-08 (1.4, 8): the enqueue is 0, the next synchronise has the error, the next not."""
    stream = work.stream()
    kept = work.upload(stream)
    work.fail(stream)
    work.download(stream, kept)
    assert work.sync(stream) == BAD_COPY
    assert work.sync(stream) == 0


def test_error_stays_in_its_stream(work: Work) -> None:
    """TIME-STR-09 (8): another stream's synchronise does not see it, the device's does."""
    good, bad = work.stream(), work.stream()
    work.upload(good)
    work.upload(bad)
    work.fail(bad)
    assert work.sync(good) == 0
    assert work.lib.aclrtSynchronizeDevice() == BAD_COPY


def test_work_goes_on_after_an_error(work: Work) -> None:
    """TIME-STR-10 (8): in continue mode what was queued behind the failure is done."""
    stream, ran = work.stream(), []
    work.upload(stream)
    work.fail(stream)
    work.host_function(stream, lambda: ran.append(1))
    assert work.sync(stream) == BAD_COPY
    assert ran == [1]


def test_stop_on_failure(work: Work) -> None:
    """TIME-STR-11 (8): in stop mode it is not, and the error stays."""
    stream, ran = work.stream(), []
    assert work.lib.aclrtSetStreamFailureMode(stream, 1) == 0
    work.upload(stream)
    work.fail(stream)
    work.host_function(stream, lambda: ran.append(1))
    assert work.sync(stream) == BAD_COPY
    assert work.sync(stream) == BAD_COPY
    assert ran == []


def test_stop_mode_is_the_contexts(work: Work) -> None:
    """TIME-STR-16 (8): it holds for every stream of the context, made before or after."""
    before, told = work.stream(), work.stream()
    assert work.lib.aclrtSetStreamFailureMode(told, 1) == 0
    for stream in (before, work.stream()):
        assert work.lib.aclrtSetStreamFailureMode(stream, 0) == 207000
        work.fail(stream)
        assert [work.sync(stream) for _ in range(2)] == [BAD_COPY] * 2


def test_wait_orders_streams(work: Work) -> None:
    """TIME-EVT-03 (9): work behind StreamWaitEvent begins after what was recorded."""
    first, second, model, order = work.stream(), work.stream(), work.model(), []
    work.request(first, model)
    work.host_function(first, lambda: order.append("first"))
    event = work.record(first)
    assert work.lib.aclrtStreamWaitEvent(second, event) == 0
    work.host_function(second, lambda: order.append("second"))
    assert work.sync(second) == 0
    assert order == ["first", "second"]
    assert work.sync(first) == 0


def test_wait_keeps_its_capture(work: Work) -> None:
    """TIME-EVT-04 (9): a later record does not hold back waits that are queued already."""
    first, second, blocked = work.stream(), work.stream(), work.event(SYNC_FLAG)
    event = work.record(first)
    assert work.lib.aclrtStreamWaitEvent(second, event) == 0
    assert work.lib.aclrtStreamWaitEvent(first, blocked) == 0
    work.record(first, event)
    assert work.sync_within(second, 2000) == 0
    assert work.lib.aclrtStreamAbort(first) == 0


def test_wait_for_an_unrecorded_sync_event(work: Work) -> None:
    """TIME-EVT-05 (9): it blocks the stream until somebody records the event."""
    waiting, recording, event = work.stream(), work.stream(), work.event(SYNC_FLAG)
    assert work.lib.aclrtStreamWaitEvent(waiting, event) == 0
    work.upload(waiting)
    assert work.sync_within(waiting, 30) == SYNC_TIMEOUT
    work.record(recording, event)
    assert work.sync(waiting) == 0


def test_record_from_another_thread_ends_a_synchronise(work: Work) -> None:
    """TIME-EVT-06 (9): also one that blocks a synchronise without a timeout."""
    waiting, event, codes = work.stream(), work.event(SYNC_FLAG), []
    assert work.lib.aclrtStreamWaitEvent(waiting, event) == 0

    def wait() -> None:
        codes.append(work.lib.aclrtSetDevice(0))
        codes.append(work.sync(waiting))
        codes.append(work.lib.aclrtResetDevice(0))

    thread = threading.Thread(target=wait)
    thread.start()
    work.record(work.stream(), event)
    thread.join(20)
    assert codes == [0, 0, 0]


def test_op_wait_timeout(work: Work) -> None:
    """TIME-EVT-07 (9): an expired wait is an error of the next synchronise; later work is done."""
    stream, event, ran = work.stream(), work.event(SYNC_FLAG), []
    assert work.lib.aclrtSetOpWaitTimeout(1) == 0
    assert work.lib.aclrtStreamWaitEvent(stream, event) == 0
    work.host_function(stream, lambda: ran.append(1))
    assert work.sync(stream) == WAIT_TIMEOUT
    assert work.lib.aclrtSetOpWaitTimeout(0) == 0
    assert ran == [1]


def test_wait_status(work: Work) -> None:
    """TIME-EVT-08 (9): NOT_READY while a wait is queued, COMPLETE when it has passed."""
    stream, event, out = work.stream(), work.event(SYNC_FLAG), ctypes.c_int(-1)
    assert work.lib.aclrtStreamWaitEvent(stream, event) == 0
    assert work.lib.aclrtQueryEventWaitStatus(event, ctypes.byref(out)) == 0
    assert out.value == 1
    work.record(work.stream(), event)
    assert work.sync(stream) == 0
    assert work.lib.aclrtQueryEventWaitStatus(event, ctypes.byref(out)) == 0
    assert out.value == 0


def test_wait_across_contexts(work: Work) -> None:
    """TIME-EVT-09 (9): the event may belong to a stream of another context."""
    lib, first, model = work.lib, work.stream(), work.model()
    work.request(first, model)
    event = work.record(first)
    before, context, stream = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    assert lib.aclrtGetCurrentContext(ctypes.byref(before)) == 0
    assert lib.aclrtCreateContext(ctypes.byref(context), 0) == 0
    assert lib.aclrtCreateStream(ctypes.byref(stream)) == 0
    assert lib.aclrtStreamWaitEvent(stream, event) == 0
    assert work.sync(stream.value) == 0
    assert lib.aclrtSynchronizeEventWithTimeout(event, 1) == 0
    assert lib.aclrtDestroyStream(stream) == 0
    assert lib.aclrtDestroyContext(context) == 0
    assert lib.aclrtSetCurrentContext(before) == 0


def test_timestamps_follow_the_engine(work: Work) -> None:
    """TIME-EVT-10 (9): events around one execute are 40 ms apart; the other way round -40."""
    stream, model = work.stream(), work.model()
    source = work.upload(stream)
    start = work.record(stream)
    work.execute(stream, model, source)
    end = work.record(stream)
    assert work.sync(stream) == 0
    assert work.elapsed_ms(start, end) == pytest.approx(40, abs=20)
    assert work.elapsed_ms(end, start) == -work.elapsed_ms(start, end)
    assert work.timestamp(end) > work.timestamp(start)


def test_unfinished_timestamp(work: Work) -> None:
    """TIME-EVT-11 (9): recorded but not finished is 107006."""
    stream, model, us = work.stream(), work.model(), ctypes.c_uint64()
    work.request(stream, model)
    event = work.record(stream)
    assert work.lib.aclrtEventGetTimestamp(event, ctypes.byref(us)) == 107006
    assert work.sync(stream) == 0


def test_synchronous_copy_does_not_wait(work: Work) -> None:
    """TIME-STR-12 (1.4): a stream that is blocked does not block aclrtMemcpy."""
    stream, event, device = work.stream(), work.event(SYNC_FLAG), work.device
    assert work.lib.aclrtStreamWaitEvent(stream, event) == 0
    work.upload(stream)
    source = device.upload(timing.ramp())
    assert (device.read(source, timing.ramp()) == timing.ramp()).all()
    work.record(work.stream(), event)
    assert work.sync(stream) == 0


def test_destroy_waits(work: Work) -> None:
    """TIME-STR-13 (8): DestroyStream waits for unfinished work."""
    stream, model, ran = work.stream(), work.model(), []
    work.request(stream, model)
    work.host_function(stream, lambda: ran.append(1))
    work.streams.remove(stream)
    assert work.lib.aclrtDestroyStream(stream) == 0
    assert ran == [1]


def test_destroy_force_does_not(work: Work) -> None:
    """TIME-STR-14 (8): DestroyStreamForce returns although the stream is blocked."""
    stream, event = work.stream(), work.event(SYNC_FLAG)
    assert work.lib.aclrtStreamWaitEvent(stream, event) == 0
    work.streams.remove(stream)
    assert work.lib.aclrtDestroyStreamForce(stream) == 0


def test_callback_on_a_report_thread(work: Work) -> None:
    """TIME-CBK-01 (10): a blocking callback holds its stream; 507012 when none comes in time."""
    stream, order, codes = work.stream(), [], []
    stop = threading.Event()

    def process() -> None:
        while not stop.is_set():
            codes.append(work.lib.aclrtProcessReport(50))

    thread = threading.Thread(target=process)
    thread.start()
    assert work.lib.aclrtSubscribeReport(thread.ident, stream) == 0
    callback = timing.FUNCTION(lambda _: order.append("callback"))
    pointer = ctypes.cast(callback, ctypes.c_void_p)
    work.upload(stream)
    assert work.lib.aclrtLaunchCallback(pointer, None, 1, stream) == 0
    work.record(stream)
    assert work.sync(stream) == 0
    assert order == ["callback"]
    stop.set()
    thread.join(20)
    assert work.lib.aclrtUnSubscribeReport(thread.ident, stream) == 0
    assert set(codes) <= {0, 507012, 107012}


def test_host_function_needs_no_call(work: Work) -> None:
    """TIME-CBK-02 (10): a client that waits by means of its own gets its function too."""
    stream, reached = work.stream(), threading.Event()
    work.host_function(stream, reached.set)
    assert reached.wait(20)
    assert work.sync(stream) == 0
