# SPDX-License-Identifier: Apache-2.0
"""Device tensors in runs in flight: chains that stay on the device, and whose memory it is when."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
from unit.test_device_tensor import convert_add
from unit.test_in_flight import LONG_S, faults, held, struck

import aclrt
from aclrt import DeviceTensor, InputError

X = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture(scope="module")
def add_one(tmp_path_factory):
    """y = x + 1, float32 (2, 3)."""
    return convert_add(tmp_path_factory.mktemp("add") / "add_one.om", [2, 3])


@pytest.fixture
def model(add_one):
    with aclrt.OfflineModel(add_one) as loaded:
        yield loaded


@pytest.fixture
def tensor():
    with DeviceTensor.empty((2, 3), np.float32) as empty:
        yield empty


def copies(call) -> int:
    before = aclrt.fake.ledger()["calls"].get("aclrtMemcpy", 0)
    call()
    return aclrt.fake.ledger()["calls"].get("aclrtMemcpy", 0) - before


def test_models_follow_one_another_in_flight(add_one, model, tensor):
    """The first copies in, the second out; what lies between is copied by nobody."""
    with aclrt.OfflineModel(add_one) as second:

        def chain() -> None:
            assert model.submit(X, out=tensor).result(LONG_S)["y"] is tensor
            result = second.submit({"x": tensor}).result(LONG_S)
            np.testing.assert_array_equal(X + 2, result["y"], strict=True)

        assert [copies(chain) for _ in range(3)] == [2, 2, 2]
        with DeviceTensor.from_numpy(X) as x:
            assert copies(lambda: model.submit(x, out=[tensor]).result(LONG_S)) == 0
        np.testing.assert_array_equal(X + 1, tensor.numpy())


def test_every_way_in_flight_takes_them(model, tensor):
    """map, run_async, AsyncQueue and a call with a time-out."""
    tensor.copy_from(X)
    for result in model.map([tensor, X, (tensor,), {"x": tensor}], in_flight=2):
        np.testing.assert_array_equal(X + 1, result["y"])
    np.testing.assert_array_equal(X + 1, asyncio.run(model.run_async(tensor))["y"])
    np.testing.assert_array_equal(X + 1, model(tensor, timeout_s=LONG_S)["y"])
    seen = []
    with aclrt.AsyncQueue(model, 2) as queue:
        queue.set_callback(lambda result, _: seen.append(result["y"]))
        for _ in range(3):
            queue.start_async(tensor)
    np.testing.assert_array_equal([X + 1] * 3, seen)


def test_what_does_not_fit_never_enters(model, tensor):
    """Closed, of another shape or dtype, given twice: nothing is in flight."""
    closed = DeviceTensor.empty((2, 3), np.float32)
    closed.close()
    with DeviceTensor.empty((3, 2), np.float32) as turned:
        for args, out, message in (
            ((closed,), None, "is a closed DeviceTensor"),
            ((X,), closed, "is a closed DeviceTensor"),
            ((turned,), None, r"float32 \(3, 2\) on device 0"),
            ((X,), turned, "dims 0, 1 differ"),
            ((tensor,), tensor, "given twice"),
        ):
            with pytest.raises(InputError, match=message):
                model.submit(*args, out=out)
    assert model(X)["y"][0, 0] == 1


def test_a_tensor_of_another_device_is_refused(add_one, monkeypatch):
    """By the library, which knows where memory is."""
    monkeypatch.setenv("ACLRT_FAKE_DEVICES", "2")
    aclrt.fake.reset()
    with aclrt.OfflineModel(add_one) as model, DeviceTensor.from_numpy(X, device_id=1) as far:
        for arguments in ({"x": far}, {"x": X, "out": far}):
            with pytest.raises(InputError, match="is on device 1, the model on device 0"):
                model.submit(**arguments)
    monkeypatch.undo()
    aclrt.fake.reset()


def test_a_tensor_in_flight_cannot_be_given_again(model, tensor):
    """As an array cannot; to be read by two is allowed."""
    with held(), DeviceTensor.from_numpy(X) as x:
        first = model.submit(x, out=tensor)
        struck()
        for run in (model.submit, model):
            for out in (tensor, [x], {"y": tensor}):
                with pytest.raises(InputError, match="in use by a run in flight"):
                    run(X, out=out)
        with pytest.raises(InputError, match="a run in flight writes"):
            model.submit(tensor)
        second = model.submit(x)
        faults.clear()
        assert first.result(LONG_S)[0] is tensor
        np.testing.assert_array_equal(X + 1, second.result(LONG_S)[0])
    assert model(X, out=tensor)[0] is tensor


@pytest.mark.parametrize("given_up", ["cancelled", "late"])
def test_closing_waits_for_the_device(model, given_up):
    """Also where nobody waits for the run any more: its memory is freed after it, not before."""
    x = DeviceTensor.from_numpy(X)
    with held():
        # On a slow machine its time may be over before it is executed.
        while not faults.fired():
            y = DeviceTensor.empty((2, 3), np.float32)
            future = model.submit(x, out=y, timeout_s=0.3 if given_up == "late" else None)
            if given_up == "late":
                assert isinstance(future.exception(LONG_S), aclrt.DeviceTimeoutError)
            else:
                struck()
                assert future.cancel()
        closers = [threading.Thread(target=one.close) for one in (x, y)]
        for closer in closers:
            closer.start()
        freed = aclrt.fake.ledger()["calls"].get("aclrtFree", 0)
        while not (x.is_closed and y.is_closed):
            pass
        assert all(closer.is_alive() for closer in closers)
        assert aclrt.fake.ledger()["calls"].get("aclrtFree", 0) == freed
    for closer in closers:
        closer.join(LONG_S)
    assert aclrt.fake.ledger()["calls"].get("aclrtFree", 0) == freed + 2
    np.testing.assert_array_equal(X + 1, model.submit(X).result(LONG_S)[0])
