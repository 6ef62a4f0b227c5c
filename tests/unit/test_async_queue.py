# SPDX-License-Identifier: Apache-2.0
"""AsyncQueue: callbacks with userdata, and where errors go."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import aclrt

faults = aclrt.fake.faults


@pytest.fixture
def model(om_factory):
    """x float32 (2, 3) -> y = x."""
    with aclrt.OfflineModel(om_factory.identity()) as loaded:
        yield loaded


def array(value: float) -> np.ndarray:
    return np.full((2, 3), value, np.float32)


def test_callbacks_get_result_and_userdata(model):
    """In the order in which the runs finish, one after the other, in one other thread."""
    seen, threads = [], set()

    def note(result, userdata):
        seen.append((int(result["y"][0, 0]), userdata))
        threads.add(threading.get_ident())

    with aclrt.AsyncQueue(model, 3) as queue:
        assert 3 == len(queue)
        queue.set_callback(note)
        for i in range(40):
            queue.start_async(array(i), f"run {i}")
        queue.wait_all()
        assert [(i, f"run {i}") for i in range(40)] == seen
        assert threading.get_ident() not in threads
        assert 1 == len(threads)
        queue.set_callback(None)
        future = queue.start_async({"x": array(41)})
        assert (future.result()["y"] == 41).all()
    assert 40 == len(seen)


def test_is_ready_says_whether_a_slot_is_free(model):
    """False while all of them are taken."""
    with aclrt.AsyncQueue(model, 1) as queue:
        assert queue.is_ready()
        with faults.fault(function="aclmdlExecute", action="hang", ms=600_000):
            queue.start_async(array(1))
            assert not queue.is_ready()
        queue.wait_all()
        assert queue.is_ready()


def test_what_a_callback_raises_is_raised_by_wait_all(model):
    """The first of them, with the others as notes, once; a run that failed too."""

    def fail(result, userdata):
        raise ValueError(userdata)

    queue = aclrt.AsyncQueue(model, 2)
    queue.set_callback(fail)
    for name in ("first", "second"):
        queue.start_async(array(1), name)
    with pytest.raises(ValueError, match="first") as caught:
        queue.wait_all()
    assert ["also: ValueError: second"] == getattr(caught.value, "__notes__", None) or not hasattr(
        caught.value, "add_note"
    )
    queue.wait_all()
    with faults.fault(function="aclmdlExecute", code=500000):
        queue.start_async(array(1))
        with pytest.raises(aclrt.AclError):
            queue.wait_all()
    queue.start_async(array(1), "at the end")
    with pytest.raises(ValueError, match="at the end"), queue:
        pass
    queue.close()


def test_a_callback_may_start_runs_but_not_wait(model):
    """More than there are slots, without a deadlock."""
    seen = []

    def again(result, userdata):
        seen.append(userdata)
        if userdata < 5:
            queue.start_async(array(userdata + 1), userdata + 1)
        elif userdata == 5:
            with pytest.raises(aclrt.InputError, match="wait for itself"):
                queue.wait_all()

    with aclrt.AsyncQueue(model, 1) as queue:
        queue.set_callback(again)
        queue.start_async(array(0), 0)
        queue.wait_all()
    assert [0, 1, 2, 3, 4, 5] == seen


def test_a_late_or_cancelled_run(model):
    """A time-out is an error of the run; cancelling is none."""
    queue = aclrt.AsyncQueue(model, 2)
    with faults.fault(function="aclmdlExecute", action="hang", ms=600_000, persistent=True):
        queue.start_async(array(1), timeout_s=0.001)
        with pytest.raises(aclrt.DeviceTimeoutError):
            queue.wait_all()
        assert queue.start_async(array(2)).cancel()
        queue.wait_all()
    queue.close()


def test_wrong_use_is_refused(model, om_factory):
    """Arguments, and everything after close."""
    for in_flight in (0, "2", 10**6):
        with pytest.raises(aclrt.InputError):
            aclrt.AsyncQueue(model, in_flight)
    queue = aclrt.AsyncQueue(model)
    assert 8 == len(queue)
    with pytest.raises(aclrt.InputError, match="callable"):
        queue.set_callback("print")
    with pytest.raises(aclrt.InputError):
        queue.start_async(np.zeros(7))
    queue.wait_all()
    queue.close()
    with pytest.raises(aclrt.ClosedError):
        queue.start_async(array(1))
    other = aclrt.OfflineModel(om_factory.identity())
    left = aclrt.AsyncQueue(other, 2)
    other.close()
    with pytest.raises(aclrt.ClosedError):
        left.start_async(array(1))
    with pytest.raises(aclrt.ClosedError):
        aclrt.AsyncQueue(other, 2)
