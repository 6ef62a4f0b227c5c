# SPDX-License-Identifier: Apache-2.0
"""Runs in flight: submit, run_async, map, time-outs, cancelling, closing, a lost device.

Where a run has to be found at work, the device hangs until the test ends it; nothing here depends
on how long something takes.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager

import numpy as np
import pytest

import aclrt

faults = aclrt.fake.faults
LONG_S = 600


def struck(count: int = 1) -> None:
    """Waits until faults have met that many calls."""
    while len(faults.fired()) < count:
        pass


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


# ---- submit -------------------------------------------------------------------------------------


def test_futures_hold_the_results(model):
    """More runs than fit at once: each future has its own result, and plain calls go on."""
    futures = [model.submit(array(i)) for i in range(50)]
    assert model(array(-1))["y"][0, 0] == -1
    for i, future in enumerate(futures):
        result = future.result(LONG_S)
        assert isinstance(result, aclrt.Result)
        assert (result["y"] == i).all()


def test_every_way_of_feeding(pair, image, mask):
    """By position, by name, by dict, and into the caller's arrays."""
    probs = np.empty((1, 2, 4), np.float32)
    results = [
        pair.submit(image, mask),
        pair.submit(image=image, mask=mask),
        pair.submit({"mask": mask}, image=image),
        pair.submit({"image": image, "mask": mask}, out={"probs": probs}),
        pair.submit(image.astype(np.float16), mask, cast="safe"),
    ]
    for future in results:
        assert (future.result(LONG_S)["probs"] == -image).all()
    assert results[3].result()["probs"] is probs


def test_wrong_feeding_is_refused_in_the_callers_thread(pair, image, mask):
    """Nothing is submitted."""
    for args, named in (
        ((image,), {}),
        ((image, mask), {"out": {"nothing": image}}),
        ((image, mask), {"timeout_s": 0}),
        ((image, mask), {"timeout_s": "1"}),
        ((image, mask), {"split": True}),
        ((image, mask), {"pad": "up"}),
        (({"image": image, "mask": mask},), {"image": image}),
    ):
        with pytest.raises(aclrt.InputError):
            pair.submit(*args, **named)


def test_an_array_in_flight_cannot_be_given_again(model):
    """Neither to a run in flight nor to a plain call; afterwards it can."""
    y = np.empty((2, 3), np.float32)
    with held():
        first = model.submit(array(1), out=y)
        struck()
        for run in (model.submit, model):
            with pytest.raises(aclrt.InputError, match="in use by a run in flight"):
                run(array(2), out=[y])
        with pytest.raises(aclrt.InputError, match="a run in flight writes"):
            model.submit(y)
    assert first.result(LONG_S)["y"] is y
    assert (y == 1).all()
    assert model(array(3), out=y)["y"] is y


def test_a_failed_run_fails_its_future_alone(model):
    """The error says what was fed; the runs around it succeed."""
    model(array(0))
    faults.clear()
    with faults.fault(function="aclmdlExecute", nth=2, code=500000):
        futures = [model.submit(array(i)) for i in range(4)]
        errors = [future.exception(LONG_S) for future in futures]
    assert [None, None, None] == [errors[0], *errors[2:]]
    assert isinstance(errors[1], aclrt.AclError)
    assert "aclmdlExecute" == errors[1].call
    assert "float32 (2, 3)" in errors[1].fed[0]


def test_a_cancelled_run_leaves_nothing(model):
    """Before it begins and while the device works on it; what is behind it runs."""
    with held():
        running, waiting, last = (model.submit(array(i)) for i in range(3))
        struck()
        assert running.cancel()
        assert waiting.cancel()
        with pytest.raises(CancelledError):
            running.result()
    assert (last.result(LONG_S)["y"] == 2).all()
    assert not last.cancel()


def test_a_callback_may_submit_and_fail(model, caplog):
    """A future's callback runs in the library's thread: it may submit; what it raises is logged."""
    more = []
    with held():
        first = model.submit(array(1))
        first.add_done_callback(lambda _: more.extend(model.submit(array(i)) for i in range(20)))
        first.add_done_callback(lambda _: 1 / 0)
    first.result(LONG_S)
    while len(more) < 20:
        pass
    assert list(range(20)) == [int(one.result(LONG_S)["y"][0, 0]) for one in more]
    assert "ZeroDivisionError" in caplog.text


# ---- time-outs ----------------------------------------------------------------------------------


def test_a_run_that_is_late(model):
    """The call and the future fail; the device keeps its arrays until it is done."""
    given = []
    with held():
        # On a slow machine its time may be over before it is executed.
        while not faults.fired():
            given.append(np.zeros((2, 3), np.float32))
            with pytest.raises(aclrt.DeviceTimeoutError, match="did not finish in time"):
                model(array(1), out=given[-1], timeout_s=0.05)
        late = model.submit(array(2), timeout_s=0.001)
        assert isinstance(late.exception(LONG_S), aclrt.DeviceTimeoutError)
        with pytest.raises(aclrt.InputError, match="in use"):
            model.submit(array(3), out=given[-1])
    assert (model.submit(array(4)).result(LONG_S)["y"] == 4).all()
    assert not np.any(given)  # given up: nothing was copied back
    assert (model(array(5), timeout_s=LONG_S)["y"] == 5).all()


def test_waiting_for_a_slot_counts(model):
    """A run whose time is over before it got a slot fails too."""
    with held():
        futures = [model.submit(array(i)) for i in range(8)]
        with pytest.raises(aclrt.DeviceTimeoutError, match="did not begin"):
            model.submit(array(9), timeout_s=0.001).result()
    assert [0, 1, 2, 3, 4, 5, 6, 7] == [int(one.result(LONG_S)["y"][0, 0]) for one in futures]


# ---- asyncio ------------------------------------------------------------------------------------


def test_tasks_wait_for_slots_in_turn(model):
    """Far more tasks than slots, no thread for each, and the event loop stays free."""
    threads = threading.active_count()

    async def main():
        results = await asyncio.gather(*(model.run_async(array(i)) for i in range(100)))
        assert threading.active_count() <= threads + 1
        return [int(result["y"][0, 0]) for result in results]

    assert list(range(100)) == asyncio.run(main())


def test_a_cancelled_task_gives_its_run_up(model):
    """Whether it runs or waits; and wait_for's time-out is a cancelling."""

    async def main():
        with held():
            running, *waiting = (
                asyncio.ensure_future(model.run_async(array(i))) for i in range(12)
            )
            while not faults.fired():
                await asyncio.sleep(0)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(running, 0.001)
            waiting[-1].cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting[-1]
        return [int((await one)["y"][0, 0]) for one in waiting[:-1]]

    assert list(range(1, 11)) == asyncio.run(main())


def test_a_late_run_of_a_task(model):
    """timeout_s raises in the task, and so does wrong feeding."""

    async def main():
        with held(), pytest.raises(aclrt.DeviceTimeoutError):
            await model.run_async(array(1), timeout_s=0.001)
        with pytest.raises(aclrt.InputError):
            await model.run_async(np.zeros(7))

    asyncio.run(main())


# ---- map ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_flight", [1, 3, 8])
def test_map_keeps_the_order(model, in_flight):
    """One result for each item; an item is an array, a tuple or a dict."""
    items = [array(0), (array(1),), {"x": array(2)}, *(array(i) for i in range(3, 40))]
    results = [int(r["y"][0, 0]) for r in model.map(items, in_flight=in_flight)]
    assert list(range(40)) == results
    unordered = model.map(items, in_flight=in_flight, ordered=False)
    assert set(range(40)) == {int(r["y"][0, 0]) for r in unordered}
    assert [] == list(model.map([]))


def test_map_takes_no_more_than_it_says(model):
    """Items are taken lazily: at most in_flight more than results were given."""
    taken = []

    def items():
        for i in range(20):
            taken.append(i)
            yield array(i)

    given = 0
    for _ in model.map(items(), in_flight=3):
        given += 1
        assert len(taken) <= given - 1 + 3
    assert 20 == given


def test_an_error_of_the_iterable_comes_after_the_results(model):
    """Results of the items before it are not lost."""

    def items():
        yield from (array(i) for i in range(5))
        raise KeyError("no more")

    results = model.map(items())
    assert [0, 1, 2, 3, 4] == [int(next(results)["y"][0, 0]) for _ in range(5)]
    with pytest.raises(KeyError, match="no more"):
        next(results)
    assert [] == list(results)


@pytest.mark.parametrize("wrong", [np.zeros(3), None, {"z": array(0)}])
def test_an_item_that_does_not_fit(model, wrong):
    """Is refused in its place."""
    results = model.map([array(0), wrong, array(2)])
    assert (next(results)["y"] == 0).all()
    with pytest.raises(aclrt.InputError):
        next(results)
    assert [] == list(results)


def test_a_failed_run_ends_map_in_its_place(model):
    """After the results before it; the next map starts afresh."""
    with faults.fault(function="aclmdlExecute", nth=3, code=500000):
        results = model.map(array(i) for i in range(10))
        assert [0, 1] == [int(next(results)["y"][0, 0]) for _ in range(2)]
        with pytest.raises(aclrt.AclError):
            next(results)
    assert 10 == len(list(model.map(array(i) for i in range(10))))


def test_a_generator_that_is_dropped_leaves_nothing(om_factory, live_objects):
    """Closed early, dropped, or never begun: nothing stays in flight."""
    before = live_objects()
    with aclrt.OfflineModel(om_factory.identity()) as model:
        results = model.map(array(i) for i in range(100))
        next(results)
        results.close()
        results = model.map(array(i) for i in range(100))
        next(results)
        del results
        model.map([array(1)])
        gc.collect()
        assert (model(array(7))["y"] == 7).all()
    assert before == live_objects()


def test_a_late_run_in_map(model):
    """Raises without waiting for the device."""
    with held(), pytest.raises(aclrt.DeviceTimeoutError):
        next(model.map([array(1)], timeout_s=0.001))
    assert (next(model.map([array(2)]))["y"] == 2).all()


def test_wrong_arguments_of_map(model):
    """At the call, not at the first result."""
    for options in ({"in_flight": 0}, {"in_flight": "3"}, {"in_flight": True}, {"ordered": 1}):
        with pytest.raises(aclrt.InputError):
            model.map([], **options)
    with pytest.raises(TypeError):
        model.map(5)


# ---- shapes and element types -------------------------------------------------------------------


def test_gears_change_from_run_to_run(tmp_path):
    """Each slot has its gear; padding and what no gear takes are as in a call."""
    onnx = _neg(["N", 3])
    path = aclrt.convert(
        onnx, tmp_path / "m.om", input_shape={"x": (-1, 3)}, dynamic_batch_size=(1, 4, 8)
    )
    with aclrt.OfflineModel(path) as model:
        sizes = [1, 4, 8, 1, 1, 4] * 4
        feeds = [np.full((n, 3), i, np.float32) for i, n in enumerate(sizes)]
        for feed, result in zip(feeds, model.map(feeds), strict=True):
            assert (result["y"] == -feed).all()
            assert (len(feed),) == result.gear
        padded = model.submit(feeds[0].repeat(3, 0), pad="up").result(LONG_S)
        assert ((3, 3), (4,), 0.25) == (padded["y"].shape, padded.gear, padded.waste)
        out = np.empty((4, 3), np.float32)
        assert model.submit(feeds[1], out=out).result(LONG_S)["y"] is out
        with pytest.raises(aclrt.InputError, match="gear"):
            model.submit(feeds[0].repeat(3, 0))


def test_a_shape_range_has_the_shapes_of_its_run(tmp_path):
    """Outputs are allocated by the run; cancelling one leaves nothing."""
    path = aclrt.convert(_neg(["N", 3]), tmp_path / "m.om", input_shape_range={"x": ((1, 64), 3)})
    with aclrt.OfflineModel(path) as model:
        feeds = [np.full((n, 3), n, np.float32) for n in (1, 7, 64, 2)]
        for feed, result in zip(feeds, model.map(feeds), strict=True):
            assert (result["y"] == -feed).all()
        y = np.zeros((7, 3), np.float32)
        assert model.submit(feeds[1], out=y).result(LONG_S)["y"] is y
        assert (y == -7).all()
        for shape in ((1, 3), (64, 3)):
            with pytest.raises(aclrt.InputError, match="bytes"):
                model.submit(feeds[1], out=np.empty(shape, np.float32)).result(LONG_S)
        with held():
            given_up = model.submit(feeds[2])
            struck()
            assert given_up.cancel()
        assert model.submit(feeds[1]).result(LONG_S)["y"].shape == (7, 3)


def _neg(shape):
    from onnx import TensorProto, helper

    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", info[:1], info[1:])
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


# ---- closing and losing -------------------------------------------------------------------------


def test_close_finishes_what_has_a_slot(om_factory):
    """Runs that wait for one fail, as does all that comes later."""
    model = aclrt.OfflineModel(om_factory.identity())
    refused = []

    def wait_for_a_slot():
        with pytest.raises(aclrt.ClosedError):
            model.submit(array(8)).result()
        refused.append(True)

    with held():
        futures = [model.submit(array(i)) for i in range(8)]
        threads = [threading.Thread(target=wait_for_a_slot)]
        threads[0].start()
        while not model._in_flight().pipeline()._waiting:
            pass
        threads.append(threading.Thread(target=model.close))
        threads[1].start()
        while not refused:
            pass
        assert not any(future.done() for future in futures)
    for thread in threads:
        thread.join()
    assert list(range(8)) == [int(one.result(LONG_S)["y"][0, 0]) for one in futures]
    for use in (model.submit, lambda x: next(model.map([x]))):
        with pytest.raises(aclrt.ClosedError):
            use(array(1))
    model.close()


def test_map_of_a_closed_model(om_factory):
    """What had begun is given, then the generator says that the model is closed."""
    model = aclrt.OfflineModel(om_factory.identity())
    results = model.map((array(i) for i in range(100)), in_flight=2)
    next(results)
    model.close()
    with pytest.raises(aclrt.ClosedError):
        list(results)


@pytest.mark.parametrize("function", ["aclmdlExecute", "aclrtMemcpy"])
def test_a_lost_device_fails_everything_in_flight(om_factory, function):
    """Each future gets DeviceLostError, later calls fail at once, and close works."""
    model = aclrt.OfflineModel(om_factory.identity())
    model(array(0))
    faults.clear()
    number = faults.arm(function=function, action="hang", ms=LONG_S * 1000)
    futures = [model.submit(array(i)) for i in range(8)]
    results = model.map([array(i) for i in range(8)])
    struck()
    faults.lose_device(0)
    faults.disarm(number)
    for future in futures[1:]:
        assert isinstance(future.exception(LONG_S), aclrt.DeviceLostError)
    for use in (model, model.submit, lambda _: next(results)):
        with pytest.raises(aclrt.DeviceLostError):
            use(array(1))
    model.close()
    model.close()
    faults.clear()


def test_every_call_in_flight_fails_once(om_factory, live_objects):
    """The nth call of any function fails, for every n: one error, the rest succeeds, none hangs."""
    before = live_objects()

    def life():
        failed = 0
        try:
            model = aclrt.OfflineModel(om_factory.identity())
        except (aclrt.AclrtError, MemoryError):
            return 1
        try:
            for future in [model.submit(array(i)) for i in range(4)]:
                failed += future.exception(LONG_S) is not None
        except (aclrt.AclrtError, MemoryError):
            failed += 1
        try:
            model.close()
        except (aclrt.AclrtError, MemoryError):
            failed += 1
        return failed

    assert 0 == life()
    for function in (
        "aclrtMalloc",
        "aclrtMemcpy",
        "aclmdlExecute",
        "aclmdlCreateDataset",
        "aclrtFree",
        "aclmdlDestroyDataset",
    ):
        for n in itertools.count(1):
            faults.clear()
            with faults.fault(function=function, nth=n, code=500000):
                failed = life()
                if not faults.fired():
                    break
            assert failed >= 1, (function, n)
        faults.clear()
        assert n > 4
    aclrt.fake.reset()
    assert before == live_objects()
