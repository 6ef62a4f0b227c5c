# SPDX-License-Identifier: Apache-2.0
"""Runs in flight in hostile hands: callbacks that end threads, wait and close; interrupts; leaks.

As in ``test_in_flight``, executions hang until the test lets them go.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

import aclrt
from aclrt import _flight

faults = aclrt.fake.faults
LONG_S = 600


@contextmanager
def held() -> Iterator[None]:
    """Executions hang inside the block."""
    faults.clear()
    with faults.fault(function="aclmdlExecute", action="hang", ms=LONG_S * 1000, persistent=True):
        yield
    faults.clear()


@pytest.fixture
def model(om_factory):
    """x float32 (2, 3) -> y = x."""
    with aclrt.OfflineModel(om_factory.identity()) as loaded:
        yield loaded


def array(value: float) -> np.ndarray:
    return np.full((2, 3), value, np.float32)


def value_of(future) -> int:
    return int(future.result(LONG_S)["y"][0, 0])


def outcome(call) -> object:
    """What it returns, or the class of what it raises."""
    try:
        return call()
    except BaseException as error:
        return type(error)


# ---- callbacks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, asyncio.CancelledError])
def test_a_callback_cannot_end_the_thread_of_the_library(model, caplog, kind):
    """It is logged as other errors of callbacks are; the rest is called, and runs go on."""

    def end(_):
        raise kind("a callback's")

    called = threading.Event()
    with held():
        first, second = model.submit(array(1)), model.submit(array(2))
        first.add_done_callback(end)
        first.add_done_callback(lambda _: called.set())
    assert [1, 2, 3] == [value_of(one) for one in (first, second, model.submit(array(3)))]
    assert called.wait(LONG_S)
    assert kind.__name__ in caplog.text
    with pytest.raises(kind):  # in the caller's own thread it is the caller's
        first.add_done_callback(end)


def test_a_callback_may_wait_for_runs(model):
    """By result(), by a call with a time-out: what it waits for is served."""
    seen, done = [], threading.Event()

    def wait(_):
        seen.append(value_of(last))
        seen.append(int(model(array(7), timeout_s=LONG_S)["y"][0, 0]))
        seen.append(value_of(model.submit(array(8))))
        seen.append(model.submit(array(9)).exception(LONG_S))
        seen.append([int(one["y"][0, 0]) for one in model.map([array(10)])])
        done.set()

    with held():
        futures = [model.submit(array(i)) for i in range(8)]
        last = futures[-1]
        futures[0].add_done_callback(wait)
    assert list(range(8)) == [value_of(one) for one in futures]
    assert done.wait(LONG_S)
    assert [7, 7, 8, None, [10]] == seen


def test_waiting_in_a_callback_ends_in_time(model):
    """As it would elsewhere, although the device hangs."""
    seen, let_go, done = [], threading.Event(), threading.Event()

    def wait(_):
        assert let_go.wait(LONG_S)
        faults.arm(function="aclmdlExecute", action="hang", ms=LONG_S * 1000)
        more = model.submit(array(1))
        for timeout in (0, 0.001):
            seen.append(outcome(lambda: more.result(timeout)))  # noqa: B023
        faults.clear()
        seen.append(value_of(more))
        done.set()

    with held():
        model.submit(array(0)).add_done_callback(wait)
    let_go.set()
    assert done.wait(LONG_S)
    assert [TimeoutError, TimeoutError, 1] == seen


def test_a_destructor_in_the_thread_may_close(om_factory):
    """While it takes what has landed; it loses nothing, and gives everything back in the end."""
    model = aclrt.OfflineModel(om_factory.identity())
    pipeline = model._in_flight().pipeline()
    flight, landed = pipeline._flight, pipeline._flight._landed

    def close_first():
        flight._landed = landed
        pipeline.close()
        return landed()

    flight._landed = close_first
    with held():
        futures = [model.submit(array(i)) for i in range(3)]
    assert [0, 1, 2] == [value_of(one) for one in futures]
    with pytest.raises(aclrt.ClosedError):
        model.submit(array(3))
    model.close()


def test_callbacks_of_two_queues_may_close_the_model(om_factory):
    """At once: neither waits for the other's callback."""
    model = aclrt.OfflineModel(om_factory.identity())
    both = threading.Barrier(2)
    closed = []

    def close(_, name):
        both.wait()
        model.close()
        closed.append(name)

    queues = [aclrt.AsyncQueue(model, 2), aclrt.AsyncQueue(model, 2)]
    with held():
        for place, queue in enumerate(queues):
            queue.set_callback(close)
            queue.start_async(array(place), place)
    for queue in queues:
        queue.wait_all()
    model.close()
    assert {0, 1} == set(closed)


def test_a_callback_that_closes_its_queue_is_still_one(model):
    """wait_all() behind the close in it is refused; the runs behind it are finished."""
    seen = []

    def close(_, name):
        seen.append(name)
        if name == 0:
            queue.close()
            with pytest.raises(aclrt.InputError, match="wait for itself"):
                queue.wait_all()

    queue = aclrt.AsyncQueue(model, 2)
    queue.set_callback(close)
    with held():
        futures = [queue.start_async(array(i), i) for i in range(2)]
    queue.wait_all()
    assert [0, 1] == seen
    assert [0, 1] == [value_of(one) for one in futures]


def test_a_queue_belongs_to_its_process(model):
    """It cannot be copied, nor sent elsewhere."""
    with aclrt.AsyncQueue(model) as queue:
        for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="AsyncQueue cannot be pickled or copied"):
                attempt(queue)


def test_a_queue_goes_on_after_errors(model):
    """Of a run, of a callback, of what is fed; each is told once."""

    def fail(_, name):
        if name == "callback":
            raise SystemExit(name)

    with aclrt.AsyncQueue(model, 2) as queue:
        queue.set_callback(fail)
        with faults.fault(function="aclmdlExecute", code=500000):
            queue.start_async(array(0))
            with pytest.raises(aclrt.AclError):
                queue.wait_all()
        with pytest.raises(aclrt.InputError):
            queue.start_async(np.zeros(5))
        queue.start_async(array(1), "callback")
        with pytest.raises(SystemExit):
            queue.wait_all()
        assert 2 == value_of(queue.start_async(array(2)))
        queue.wait_all()


# ---- interrupts ---------------------------------------------------------------------------------


def interrupted(call) -> None:
    """SIGINT in the call, once the device hangs in it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with held():

            def interrupt() -> None:
                while not faults.fired():
                    pass
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

            thread = threading.Thread(target=interrupt)
            thread.start()
            with pytest.raises(KeyboardInterrupt):
                call()
            thread.join()
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_interrupted_map_is_given_back(model, live_objects):
    """Its slots are the next one's once the device has let go, however often; arrays are freed."""
    list(model.map([array(0)], in_flight=3))
    before = live_objects()
    for _ in range(3):
        interrupted(lambda: list(model.map([array(1)] * 9, in_flight=3)))
        assert 9 == len(list(model.map([array(2)] * 9, in_flight=3)))
        assert before == live_objects()
    interrupted(lambda: list(model.map([array(1)] * 9, in_flight=3)))
    model.close()
    assert not _flight._in_flight


def test_a_late_map_is_given_back(model, live_objects):
    """The same after a time-out."""
    list(model.map([array(0)], in_flight=3))
    before = live_objects()
    with held(), pytest.raises(aclrt.DeviceTimeoutError):
        next(model.map([array(1)] * 3, in_flight=3, timeout_s=0.001))
    model(array(2))  # the device has done what it had
    while _flight._in_flight:
        next(model.map([array(2)], in_flight=3))
    assert 1 == len(list(model.map([array(2)], in_flight=3)))
    assert before == live_objects()


class _Interrupting:
    """A lock that an interrupt follows."""

    def __init__(self, lock):
        self._lock = lock

    def __enter__(self):
        self._lock.acquire()

    def __exit__(self, *_):
        self._lock.release()
        raise KeyboardInterrupt


def test_an_interrupt_before_the_library_has_it(model):
    """What was never submitted takes no slot, and close waits for nothing."""
    pipeline = model._in_flight().pipeline()
    flight = pipeline._flight
    lock, flight._lock = flight._lock, _Interrupting(flight._lock)
    for _ in range(flight.depth + 1):
        with pytest.raises(KeyboardInterrupt):
            model.submit(array(1))
    flight._lock = lock
    assert 2 == value_of(model.submit(array(2)))
    assert flight.is_empty
    model.close()


def test_a_signal_handler_may_close_what_it_interrupts(om_factory):
    """In the middle of submit, whose lock its thread holds."""
    model = aclrt.OfflineModel(om_factory.identity())
    futures = [model.submit(array(1))]
    pipeline = model._in_flight().pipeline()
    with pipeline._lock:
        model.close()
    assert 1 == value_of(futures[0])
    with pytest.raises(aclrt.ClosedError):
        model.submit(array(2))


def test_a_signal_handler_may_submit(model):
    """In the middle of a submit: each request arrives once."""
    flight = model._in_flight().pipeline()._flight
    enter, inner = flight._enter, []

    def enter_twice(*args):
        flight._enter = enter
        entered = enter(*args)
        inner.append(model.submit(array(2)))
        return entered

    flight._enter = enter_twice
    assert 1 == value_of(model.submit(array(1)))
    assert 2 == value_of(inner[0])


# ---- threads ------------------------------------------------------------------------------------


def test_close_in_the_middle_of_eight_threads(om_factory):
    """Each run has its own result or ClosedError, and nothing else."""
    model = aclrt.OfflineModel(om_factory.identity())
    begun = threading.Barrier(9)
    wrong = []

    def work(number):
        begun.wait()
        futures = []
        try:
            for i in range(1000):
                futures.append((number * 1000 + i, model.submit(array(number * 1000 + i))))
        except aclrt.ClosedError:
            pass
        for expected, future in futures:
            got = outcome(lambda: value_of(future))  # noqa: B023  (called at once)
            if got not in (expected, aclrt.ClosedError):
                wrong.append((expected, got))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    begun.wait()
    model(array(0))
    model.close()
    for thread in threads:
        thread.join()
    assert [] == wrong


def test_queues_may_be_opened_while_others_are_looked_at(model):
    """As by submit(out=) beside the first run of a new AsyncQueue."""
    overlap = model._in_flight()
    kept = [overlap.open(1)]
    for _ in overlap.flights:
        kept.append(overlap.open(1))
    assert 2 == len(kept)
    for flight in kept:
        flight.close()


# ---- what is fed and given ----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_every_type_and_shape_in_flight(om_factory, dtype, shape):
    """The same by all ways; also a tensor without elements."""
    with aclrt.OfflineModel(om_factory.identity(dtype, shape)) as model:
        x = np.ones(shape, model.inputs[0].dtype)
        out = np.zeros_like(x)
        results = [model.submit(x).result(LONG_S), model(x, timeout_s=LONG_S), *model.map([x] * 3)]
        results.append(model.submit(x, out=out).result(LONG_S))
        with aclrt.AsyncQueue(model, 2) as queue:
            results.append(queue.start_async(x).result(LONG_S))
        for result in results:
            assert (shape, x.dtype) == (result["y"].shape, result["y"].dtype)
            assert x.tobytes() == result["y"].tobytes()
        assert results[-2]["y"] is out


def test_int4_in_flight(tmp_path):
    """Packed on the device, one element in a byte on the host; out= is filled."""
    import ml_dtypes
    from onnx import TensorProto, helper

    values = [helper.make_tensor_value_info(name, TensorProto.INT4, (3, 5)) for name in "xy"]
    casts = [  # for ONNX Runtime has no Identity of int4
        helper.make_node("Cast", ["x"], ["z"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["z"], ["y"], to=TensorProto.INT4),
    ]
    graph = helper.make_graph(casts, "g", values[:1], values[1:])
    onnx = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 21)])
    feeds = [(np.arange(15) % 7 - i).astype(ml_dtypes.int4).reshape(3, 5) for i in range(4)]
    given = np.zeros((3, 5), ml_dtypes.int4)
    with aclrt.OfflineModel(aclrt.convert(onnx, tmp_path / "m.om")) as model:
        futures = [model.submit(x) for x in feeds]
        for x, future, mapped in zip(feeds, futures, model.map(feeds), strict=True):
            np.testing.assert_array_equal(x, future.result(LONG_S)["y"])
            np.testing.assert_array_equal(x, mapped["y"])
        assert model.submit(feeds[3], out=given).result(LONG_S)["y"] is given
        np.testing.assert_array_equal(feeds[3], given)


def test_memory_in_flight_cannot_be_given_back(model):
    """Although NumPy would let go of it, as of ``multiprocessing.shared_memory``."""
    lender = bytearray(24)
    memory = memoryview(lender)
    y = np.ndarray((2, 3), np.float32, memory)
    with held():
        future = model.submit(array(1), out=y[:])
        memory.release()
        with pytest.raises(BufferError):
            lender.clear()
    future.result(LONG_S)
    assert np.ones(6, np.float32).tobytes() == lender
    del future, y
    while lender:  # the queue's thread lets go of it after the future is done
        try:
            lender.clear()
        except BufferError:
            gc.collect()


def test_a_generator_of_three_instances_closed_early(om_factory, live_objects):
    """While all three work; what they had is given up, and the next one starts afresh."""
    before = live_objects()
    with aclrt.OfflineModel(om_factory.identity(), instances=3) as model:
        results = model.map((array(i) for i in range(100)), in_flight=2)
        assert 0 == int(next(results)["y"][0, 0])
        closing = threading.Thread(target=results.close)
        with held():
            futures = [model.submit(array(i)) for i in range(3)]
            while len(faults.fired()) < 3:
                pass
            closing.start()
        closing.join()
        assert [0, 1, 2] == [value_of(one) for one in futures]
        assert 9 == len(list(model.map([array(1)] * 9, in_flight=2, ordered=False)))
    assert before == live_objects()


def test_errors_of_an_iterable_end_an_unordered_map(model):
    """After the results of all items before it, whichever came first."""

    def items():
        yield from (array(i) for i in range(5))
        raise KeyError("no more")

    results = model.map(items(), in_flight=3, ordered=False)
    assert set(range(5)) == {int(next(results)["y"][0, 0]) for _ in range(5)}
    with pytest.raises(KeyError, match="no more"):
        next(results)


# ---- what waits for a slot ----------------------------------------------------------------------


def test_what_waits_for_a_slot_is_in_use_too(model):
    """A plain call cannot write where a run that waits will."""
    y = np.empty((2, 3), np.float32)

    async def main():
        with held():
            tasks = [asyncio.ensure_future(model.run_async(array(i))) for i in range(9)]
            tasks.append(asyncio.ensure_future(model.run_async(array(9), out=y)))
            await asyncio.sleep(0)
            for run in (model, model.submit):
                with pytest.raises(aclrt.InputError, match="in use"):
                    run(array(1), out=y)
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert (y == 9).all()


def test_the_time_of_what_waits_is_looked_at_when_it_is_over(model):
    """Not at each of the runs before it."""

    class Deadline(float):
        looks = 0

        def __le__(self, other):
            Deadline.looks += 1
            return float.__le__(self, other)

    pipeline = model._in_flight().pipeline()
    with held():
        futures = [
            model._in_flight().submit((array(i),), {}, None, None, None, None, LONG_S, wait=False)
            for i in range(200)
        ]
        with pipeline._lock:
            for request in pipeline._waiting:
                request.deadline = Deadline(request.deadline)
    assert list(range(200)) == [value_of(one) for one in futures]
    assert 0 == Deadline.looks


# ---- arguments ----------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout_s", [float("inf"), 10**400, np.float16(60), 1e-300])
def test_time_outs_of_any_size(model, timeout_s):
    """From none to speak of to longer than any clock."""
    for run in (
        lambda: model(array(1), timeout_s=timeout_s)["y"][0, 0],
        lambda: value_of(model.submit(array(1), timeout_s=timeout_s)),
    ):
        assert outcome(run) in (1, aclrt.DeviceTimeoutError)


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan"), -float("inf"), True, "1", [1]])
def test_no_time_outs(model, timeout_s):
    """Refused by all three."""
    for run in (
        lambda: model(array(1), timeout_s=timeout_s),
        lambda: model.submit(array(1), timeout_s=timeout_s),
        lambda: model.map([], timeout_s=timeout_s),
    ):
        with pytest.raises(aclrt.InputError, match="timeout_s"):
            run()


@pytest.mark.parametrize("ordered", [True, False])
def test_an_interrupt_out_of_the_iterable(model, ordered):
    """Ends the generator at once; nothing stays in flight."""

    def items():
        yield array(1)
        yield array(2)
        raise SystemExit

    with pytest.raises(SystemExit):
        list(model.map(items(), ordered=ordered))
    gc.collect()
    assert not _flight._in_flight
