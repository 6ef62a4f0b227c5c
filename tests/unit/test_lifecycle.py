# SPDX-License-Identifier: Apache-2.0
"""Closing, dropping, and using a model from many threads."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import aclrt


def test_a_with_block_gives_everything_back(om_factory, live_objects):
    """Inside there are objects on the device, afterwards there are none."""
    before = live_objects()
    with aclrt.OfflineModel(om_factory.identity()) as model:
        assert not model.is_closed
        assert live_objects() != before
    assert model.is_closed
    assert before == live_objects()


def test_close_is_idempotent(om_factory):
    """Closing twice, also after a with block, is nothing."""
    model = aclrt.OfflineModel(om_factory.identity())
    for _ in range(3):
        model.close()
    with pytest.raises(aclrt.ClosedError), model:
        pass


def test_use_after_close_is_a_closed_error(om_factory):
    """Every way of running is refused; what describes the model stays."""
    model = aclrt.OfflineModel(om_factory.identity())
    model.close()
    x = np.ones((2, 3), np.float32)
    for attempt in (lambda: model(x), lambda: model(x=x), lambda: model.run(None, {"x": x})):
        with pytest.raises(aclrt.ClosedError):
            attempt()
    assert "x" == model.inputs[0].name
    assert "y" == model.get_outputs()[0].name


def test_a_dropped_model_is_released(om_factory, live_objects):
    """Without close(), the last reference gives everything back; also from a cycle."""
    before = live_objects()
    aclrt.OfflineModel(om_factory.identity())
    assert before == live_objects()
    model = aclrt.OfflineModel(om_factory.identity())
    cycle = [model]
    cycle.append(cycle)
    gone = weakref.ref(model)
    del model, cycle
    gc.collect()
    assert gone() is None
    assert before == live_objects()


@pytest.mark.parametrize(
    "use",
    [
        lambda model: (model, model.close),
        lambda model: (model, lambda: model.submit(model.x).result()),
        lambda model: (step := model.bind(model.x), step),
        lambda model: (step := model.bind(model.x), step.close),
        lambda model: (tensor := aclrt.DeviceTensor.from_numpy(model.x), tensor.numpy),
        lambda model: (queue := aclrt.AsyncQueue(model), lambda: queue.start_async(model.x)),
        lambda model: (pool := aclrt.DevicePool(model.om), lambda: (pool(model.x), pool.close())),
        lambda model: (
            trace := aclrt.trace().__enter__(),
            lambda: trace.__exit__(None, None, None),
        ),
        lambda model: (device := aclrt.Device(), lambda: (device.memory, device.close())),
    ],
)
def test_a_destructor_may_use_what_is_in_its_cycle(om_factory, live_objects, use):
    """The collector calls destructors in any order: none finds its model's memory gone."""

    class Owner:
        def __init__(self, *held):
            self.held, self.itself = held, self

        def __del__(self):
            self.held[-1]()
            done.append(True)

    class Model(aclrt.OfflineModel):
        x = np.ones((2, 3), np.float32)

    before, done = live_objects(), []
    model = Model(om_factory.identity())
    model.om = om_factory.identity()
    model.submit(model.x).result()
    owner = Owner(model, *use(model))
    del model, owner
    while not done or live_objects() != before:
        gc.collect()
    assert [True] == done


def test_a_failed_load_leaves_nothing(om_factory, live_objects):
    """Bad bytes, a bad device, a bad option."""
    before = live_objects()
    om = om_factory.identity()
    for attempt in (
        lambda: aclrt.OfflineModel(om[:-1]),
        lambda: aclrt.OfflineModel(om, device_id=999),
        lambda: aclrt.OfflineModel(om, cast="no"),
        lambda: aclrt.OfflineModel(om, backend="npu"),
    ):
        with pytest.raises(aclrt.AclrtError):
            attempt()
        assert before == live_objects()


def test_the_exception_of_the_block_is_the_one_raised(om_factory):
    """Closing never hides it."""
    with pytest.raises(ZeroDivisionError), aclrt.OfflineModel(om_factory.identity()):
        raise ZeroDivisionError


def test_a_failure_to_close_becomes_a_note(om_factory, monkeypatch):
    """With an exception in flight it is added to that one, else it is raised."""

    class Stubborn(aclrt.OfflineModel):
        def close(self):
            super().close()
            raise aclrt.AclError("cannot close")

    with pytest.raises(aclrt.AclError, match="cannot close"), Stubborn(om_factory.identity()):
        pass
    with pytest.raises(ZeroDivisionError) as caught, Stubborn(om_factory.identity()):
        raise ZeroDivisionError
    if sys.version_info >= (3, 11):
        assert any("cannot close" in note for note in caught.value.__notes__)


def test_many_models_at_once(om_factory):
    """Models are independent, in any order of closing."""
    x = np.ones((2, 3), np.float32)
    models = [aclrt.OfflineModel(om_factory.identity()) for _ in range(8)]
    for model in (*models[::2], *models[1::2]):
        np.testing.assert_array_equal(x, model(x)[0])
        model.close()


def test_eight_threads_call_one_model(om_factory):
    """Every thread gets the results of its own inputs."""
    om = om_factory(
        [("MatMul", ["x", "w"], ["y"]), ("Neg", ["x"], ["n"])],
        [("x", "float32", (4, 4))],
        [("y", "float32", (4, 4)), ("n", "float32", (4, 4))],
        {"w": np.eye(4, dtype=np.float32) * 2},
    )
    barrier = threading.Barrier(8)
    with aclrt.OfflineModel(om) as model:

        def work(number: int) -> int:
            barrier.wait()
            for step in range(100):
                x = np.full((4, 4), number * 1000 + step, np.float32)
                y, n = model(x) if step % 2 else model({"x": x})
                np.testing.assert_array_equal(2 * x, y)
                np.testing.assert_array_equal(-x, n)
            return number

        with ThreadPoolExecutor(8) as pool:
            assert list(range(8)) == list(pool.map(work, range(8)))


def test_loading_in_threads(om_factory):
    """Eight threads load, run and close models of their own."""
    om = om_factory.identity()
    x = np.ones((2, 3), np.float32)

    def work(_: int) -> None:
        for _ in range(5):
            with aclrt.OfflineModel(om) as model:
                np.testing.assert_array_equal(x, model(x)[0])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


def run_until_refused(model: aclrt.OfflineModel, started: threading.Barrier) -> type:
    """Runs again and again; the class of the exception that ended it."""
    x = np.ones((2, 3), np.float32)
    started.wait()
    try:
        while True:
            np.testing.assert_array_equal(x, model(x)[0])
    except BaseException as error:
        return type(error)


def test_close_during_runs_in_other_threads(om_factory):
    """Runs finish or are refused with ClosedError; nothing else happens."""
    for _ in range(5):
        model = aclrt.OfflineModel(om_factory.identity())
        started = threading.Barrier(5)
        with ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(run_until_refused, model, started) for _ in range(4)]
            started.wait()
            model.close()
            assert [aclrt.ClosedError] * 4 == [future.result(30) for future in futures]


def test_threads_close_one_model_together(om_factory):
    """close() is idempotent across threads too."""
    model = aclrt.OfflineModel(om_factory.identity())
    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(model.close) for _ in range(8)]:
            future.result()
    assert model.is_closed


def test_runs_leave_no_objects_behind(om_factory, live_objects):
    """A run creates nothing on the device that outlives it."""
    x = np.ones((2, 3), np.float32)
    with aclrt.OfflineModel(om_factory.identity()) as model:
        model(x)
        before = live_objects()
        for _ in range(100):
            model(x)
        assert before == live_objects()


def test_a_run_makes_only_the_calls_that_it_needs(pair, image, mask):
    """Two inputs and two outputs: four copies, one execute, one question for the context."""
    pair(image, mask)
    before = aclrt.fake.ledger()["calls"]
    for _ in range(10):
        pair(image, mask)
    after = aclrt.fake.ledger()["calls"]
    made = {name: after[name] - before.get(name, 0) for name in after}
    made = {name: count for name, count in made.items() if count and "SetCurrent" not in name}
    assert {"aclrtMemcpy": 40, "aclmdlExecute": 10, "aclrtGetCurrentContext": 10} == made
