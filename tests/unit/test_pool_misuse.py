# SPDX-License-Identifier: Apache-2.0
"""Pools in hostile hands: callbacks that end, wait, submit and close; outputs given twice."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress

import numpy as np
import pytest

import aclrt

faults = aclrt.fake.faults
LONG_S = 600


@contextmanager
def held() -> Iterator[None]:
    """Executions hang inside the block."""
    faults.clear()
    with faults.fault(function="aclmdlExecute", action="hang", ms=LONG_S * 1000, persistent=True):
        yield
    faults.clear()


def struck() -> None:
    while not faults.fired():
        pass


@pytest.fixture
def pool(om_factory):
    """x float32 (2, 3) -> y = x, on one device: two threads."""
    with aclrt.DevicePool(om_factory.identity(), devices=[0]) as opened:
        yield opened


def array(value: float) -> np.ndarray:
    return np.full((2, 3), value, np.float32)


def value_of(future) -> int:
    return int(future.result(LONG_S)["y"][0, 0])


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, ValueError])
def test_a_callback_cannot_end_a_thread_of_the_pool(pool, caplog, kind):
    """More of them than there are threads; each is logged."""

    def end(_):
        raise kind("a callback's")

    with held():
        futures = [pool.submit(array(i)) for i in range(6)]
        for future in futures:
            future.add_done_callback(end)
    assert [*range(6), 7] == [value_of(one) for one in (*futures, pool.submit(array(7)))]
    pool.close()
    assert 6 == caplog.text.count(f"{kind.__name__}: a callback's")


def test_callbacks_may_submit_more_than_fits(pool):
    """They wait for no slot, which only they could free."""
    lock, left, done = threading.Lock(), [100], threading.Event()

    def more(_):
        for _ in range(2):
            with lock:
                left[0] -= 1
            if left[0] < 0:
                done.set()
                return
            pool.submit(array(1)).add_done_callback(more)

    pool.submit(array(0)).add_done_callback(more)
    assert done.wait(LONG_S)


def test_callbacks_in_all_threads_may_wait(pool):
    """For calls that have no thread yet: they are made in the callbacks'."""
    seen, both, over = [], threading.Barrier(2), threading.Semaphore(0)

    def wait(_):
        both.wait()
        seen.append(value_of(pool.submit(array(5))))
        over.release()

    with held():
        futures = [pool.submit(array(i)) for i in range(2)]
        for future in futures:
            future.add_done_callback(wait)
    pool.submit(array(3)).result(LONG_S)
    assert over.acquire(timeout=LONG_S)
    assert over.acquire(timeout=LONG_S)
    pool.close()
    assert [5, 5] == seen


def test_callbacks_may_close(pool):
    """All at once; calls in progress end, those not begun are cancelled."""
    both, closed = threading.Barrier(2), []

    def close(_):
        both.wait()
        pool.close()
        closed.append(True)

    with held():
        futures = [pool.submit(array(i)) for i in range(8)]
        for future in futures[:2]:
            future.add_done_callback(close)
        struck()
    assert [0, 1] == [value_of(one) for one in futures[:2]]
    for future in futures[2:]:
        with suppress(CancelledError, aclrt.ClosedError):
            future.result(LONG_S)
    pool.close()
    with pytest.raises(aclrt.ClosedError):
        pool.submit(array(1))
    while len(closed) < 2:
        pass


def test_an_output_cannot_be_given_twice(pool):
    """Nor an input for an output, nor an output that is still written for an input."""
    y, x = np.empty((2, 3), np.float32), array(1)
    with held():
        first = pool.submit(x, out=y)
        struck()
        for again in (
            lambda: pool.submit(array(2), out=[y]),
            lambda: pool.submit(array(2), out={"y": y}),
            lambda: pool(array(2), out=y),
            lambda: pool.submit(array(2), out=x),
        ):
            with pytest.raises(aclrt.InputError, match="in use by a call in flight"):
                again()
        for fed in (y, {"x": y}):
            with pytest.raises(aclrt.InputError, match="a call in flight writes"):
                pool.submit(fed)
        with pytest.raises(aclrt.InputError, match="a call in flight writes"):
            asyncio.run(pool.run_async(x=y))
    assert first.result(LONG_S)["y"] is y
    assert (y == 1).all()
    assert 3 == value_of(pool.submit(array(3), out=y))


def test_ctrl_c_leaves_a_map_on_a_hung_device(pool):
    """At once: what is in flight ends when the device does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with held():

            def interrupt() -> None:
                struck()
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

            thread = threading.Thread(target=interrupt)
            thread.start()
            with pytest.raises(KeyboardInterrupt):
                list(pool.map([array(1)] * 5))
            thread.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert 2 == value_of(pool.submit(array(2)))


@pytest.mark.parametrize("ordered", [True, False])
def test_an_error_of_the_iterable_comes_after_the_results(pool, ordered):
    """As for a model."""

    def items():
        yield from (array(i) for i in range(3))
        raise KeyError("no more")

    results = pool.map(items(), in_flight=3, ordered=ordered)
    assert {0, 1, 2} == {int(next(results)["y"][0, 0]) for _ in range(3)}
    with pytest.raises(KeyError, match="no more"):
        next(results)
