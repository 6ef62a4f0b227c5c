# SPDX-License-Identifier: Apache-2.0
"""One model on several devices: dispatch, devices that fail, readmission, loading, closing."""

from __future__ import annotations

import asyncio
import io
import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import aclrt

HANG_MS = 600_000  # ended by disarming, never waited for
X = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture(autouse=True)
def four_devices(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For each test, and nothing armed after it."""
    monkeypatch.setenv("ACLRT_FAKE_DEVICES", "4")
    aclrt.fake.reset()
    yield
    aclrt.fake.faults.clear()
    monkeypatch.undo()
    aclrt.fake.reset()


@pytest.fixture
def om(om_factory: Any) -> bytes:
    """x float32 (2, 3) -> y = x."""
    made: bytes = om_factory.identity()
    return made


def fired(function: str) -> int:
    return sum(site["function"] == function for site in aclrt.fake.faults.fired())


def wait_until(condition: Callable[[], bool]) -> None:
    """Polls; a condition that never comes fails the test."""
    gate = threading.Event()
    for _ in range(6000):
        if condition():
            return
        gate.wait(0.01)
    raise AssertionError("it never happened")


def hang(function: str) -> Any:
    return aclrt.fake.fault(function=function, action="hang", ms=HANG_MS, persistent=True)


def test_calls_as_a_model_does(om: bytes) -> None:
    """Each way of calling, on all devices by default."""
    with aclrt.DevicePool(om) as pool:
        assert [device.id for device in pool.devices] == [0, 1, 2, 3]
        assert [spec.name for spec in (*pool.inputs, *pool.outputs)] == ["x", "y"]
        assert pool.gears == ()
        assert [arg.name for arg in (*pool.get_inputs(), *pool.get_outputs())] == ["x", "y"]
        y = np.empty_like(X)
        pool(X, out=y)
        results = [y, pool(x=X)["y"], pool.run(["y"], {"x": X})[0], pool.submit(X).result()[0]]
        results.append(asyncio.run(pool.run_async({"x": X}))[0])
        for result in results:
            np.testing.assert_array_equal(result, X)
        assert sum(device.runs for device in pool.devices) == 5
        with pytest.raises(aclrt.InputError, match="cannot bind"):
            pool.bind(X)
        assert "0: up" in repr(pool)
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(pool)


def test_map_keeps_the_order(om: bytes) -> None:
    """And gives all results where order does not matter."""
    with aclrt.DevicePool(om, devices=[0, 2], instances=2) as pool:
        items = [X + i for i in range(50)]
        in_order = [y[0][0, 0] for y in pool.map(items, in_flight=5)]
        assert in_order == list(range(50))
        assert sorted(y[0][0, 0] for y in pool.map(items, ordered=False)) == list(range(50))
        with pytest.raises(aclrt.InputError, match="in_flight"):
            pool.map(items, in_flight=0)
        broken = pool.map([X, X[:1]])
        next(broken)
        with pytest.raises(aclrt.InputError):
            next(broken)


def test_the_least_loaded_device_is_next(om: bytes) -> None:
    """Eight calls at a time on four devices with two instances: two on each."""
    with aclrt.DevicePool(om, instances=2) as pool, ThreadPoolExecutor(8) as threads:
        with hang("aclmdlExecute"):
            calls = [threads.submit(pool, X + i) for i in range(8)]
            wait_until(lambda: fired("aclmdlExecute") == 8)
            assert [device.in_flight for device in pool.devices] == [2, 2, 2, 2]
        for i, call in enumerate(calls):
            np.testing.assert_array_equal(call.result()[0], X + i)
        assert [device.in_flight for device in pool.devices] == [0, 0, 0, 0]


def test_work_of_a_lost_device_is_done_elsewhere(om: bytes) -> None:
    """No caller hears of it; the device is out, and the others are not."""
    with aclrt.DevicePool(om, on_failure="retry") as pool:
        aclrt.fake.faults.lose_device(2)
        results = [y[0][0, 0] for y in pool.map([X + i for i in range(40)], in_flight=8)]
        assert results == list(range(40))
        assert [device.state for device in pool.devices] == ["up", "up", "down", "up"]
        lost = pool.devices[2]
        assert lost.failures >= 1
        assert lost.error is not None
        assert "507010" in lost.error
        assert sum(device.runs for device in pool.devices) == 40


def test_work_of_a_lost_device_fails_as_asked(om: bytes) -> None:
    """The error is the caller's; the next call goes elsewhere."""
    with aclrt.DevicePool(om, devices=[1, 3], on_failure="raise") as pool:
        aclrt.fake.faults.lose_device(1)
        with pytest.raises(aclrt.DeviceLostError):
            pool(X)
        np.testing.assert_array_equal(pool(X)[0], X)
        assert [device.state for device in pool.devices] == ["down", "up"]


def test_a_lost_device_comes_back_by_readmission_alone(om: bytes) -> None:
    """It is loaded anew, and takes calls again."""
    with aclrt.DevicePool(om, devices=[0, 1]) as pool:
        aclrt.fake.faults.lose_device(0)
        pool(X)
        pool(X)
        assert [device.state for device in pool.devices] == ["down", "up"]
        assert len(pool.memory_stats().instances) == 1
        pool.readmit(0)
        pool.readmit(0)
        assert [device.state for device in pool.devices] == ["up", "up"]
        before = pool.devices[0].runs
        for _ in range(4):
            pool(X)
        assert pool.devices[0].runs > before
        with pytest.raises(aclrt.InputError, match="not in the pool"):
            pool.readmit(3)


def test_when_all_are_lost_it_says_so(om: bytes) -> None:
    """The last failure is raised, and each later call names them all."""
    with aclrt.DevicePool(om, devices=[0, 1]) as pool:
        for device in (0, 1):
            aclrt.fake.faults.lose_device(device)
        with pytest.raises(aclrt.DeviceLostError):
            pool(X)
        with pytest.raises(aclrt.DeviceError, match="no device of the pool is left: device 0"):
            pool(X)


def test_wrong_input_takes_no_device_out(om: bytes) -> None:
    """Nor does a run that AscendCL refuses."""
    with aclrt.DevicePool(om, devices=[0, 1]) as pool:
        with pytest.raises(aclrt.InputError):
            pool(X[:1])
        with (
            aclrt.fake.fault(function="aclmdlExecute", code=507899),
            pytest.raises(aclrt.AclError, match="507899"),
        ):
            pool(X)
        assert [(d.state, d.failures) for d in pool.devices] == [("up", 0), ("up", 0)]


def test_devices_load_at_a_time(om: bytes) -> None:
    """All four are inside the load at once; a file object is read once."""
    with ThreadPoolExecutor(1) as threads:
        with hang("aclmdlLoadFromMem"):
            opening = threads.submit(aclrt.DevicePool, io.BytesIO(om))
            wait_until(lambda: fired("aclmdlLoadFromMem") == 4)
        opening.result().close()


@pytest.mark.parametrize("function", ["aclmdlLoadFromMem", "aclrtSetDevice", "aclrtMalloc"])
@pytest.mark.parametrize("nth", [1, 2, 4])
def test_a_load_that_fails_anywhere_leaves_nothing(om: bytes, function: str, nth: int) -> None:
    """The error of the one that failed; the others are released."""
    with (
        aclrt.fake.fault(function=function, nth=nth, code=507899),
        pytest.raises(aclrt.AclrtError, match="507899"),
    ):
        aclrt.DevicePool(om)
    live = {k: v["live"] for k, v in aclrt.fake.ledger()["objects"].items() if v["live"]}
    assert live == {}


def test_every_call_of_a_pool_may_lose_its_device(om: bytes) -> None:
    """Whichever AscendCL call of an inference reports the loss, the result is right."""
    functions = ["aclrtMemcpy", "aclmdlExecute", "aclrtMemcpy"]
    for nth, function in ((1, functions[0]), (1, functions[1]), (2, functions[2])):
        with (
            aclrt.DevicePool(om, devices=[0, 1]) as pool,
            aclrt.fake.fault(function=function, nth=nth, action="lose-device"),
        ):
            np.testing.assert_array_equal(pool(X)[0], X)
            assert sorted(device.state for device in pool.devices) == ["down", "up"]
        aclrt.fake.faults.clear()


def test_close_waits_and_then_refuses(om: bytes) -> None:
    """Calls in progress finish; later ones, of each kind, are refused."""
    pool = aclrt.DevicePool(om, devices=[0, 1])
    with ThreadPoolExecutor(3) as threads:
        with hang("aclmdlExecute"):
            calls = [threads.submit(pool, X) for _ in range(2)]
            wait_until(lambda: fired("aclmdlExecute") == 2)
            closing = threads.submit(pool.close)
            wait_until(lambda: pool.is_closed)
            assert not closing.done()
        closing.result()
        for call in calls:
            np.testing.assert_array_equal(call.result()[0], X)
    pool.close()
    for refused in (pool, pool.submit, lambda x: pool.map([x]), lambda _: pool.readmit(0)):
        with pytest.raises(aclrt.ClosedError):
            refused(X)
    with pytest.raises(aclrt.ClosedError), pool:
        pass


def test_memory_and_reserve_are_for_all(om: bytes) -> None:
    """The ledger's bytes, summed over the devices."""
    with aclrt.DevicePool(om, devices=[0, 1, 2], instances=2) as pool:
        pool.reserve(in_flight=4)
        objects = aclrt.fake.ledger()["objects"]
        held = objects["device_memory"]["live_bytes"] + objects["model"]["live_bytes"]
        stats = pool.memory_stats()
        assert isinstance(stats, aclrt.MemoryStats)
        assert (stats.device, len(stats.instances)) == (held, 3)
        assert isinstance(pool.devices[0], aclrt.DeviceState)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"devices": []}, "at least one"),
        ({"devices": [0, 0]}, "twice"),
        ({"devices": "01"}, "list of ids"),
        ({"devices": ["a"]}, "integer"),
        ({"on_failure": "ignore"}, "on_failure"),
        ({"device_id": 1}, "devices"),
        ({"instances": 0}, "instances"),
    ],
)
def test_wrong_options_are_refused(om: bytes, options: dict[str, Any], words: str) -> None:
    """At once."""
    with pytest.raises(aclrt.InputError, match=words):
        aclrt.DevicePool(om, **options)


def test_nothing_of_a_model_is_missing() -> None:
    """A pool's call surface is the model's, but for what belongs to one device."""
    surface = {name for name in dir(aclrt.OfflineModel) if not name.startswith("_")}
    one_device = {"device", "instances", "is_simulated", "shares_weights"}
    assert surface - set(dir(aclrt.DevicePool)) == one_device
    one_process = {"bind", "memory_stats", "reserve", "set_aipp"}
    assert surface - set(dir(aclrt.ProcessPool)) == one_device | one_process


def test_batches_of_single_samples(om: bytes) -> None:
    """Over all devices; the last batch is not full."""
    with aclrt.DevicePool(om, devices=[0, 1]) as pool:
        rows = [y[0] for y in pool.batches([X[0], X[1], X[0]])]
    np.testing.assert_array_equal(rows, [X[0], X[1], X[0]])


def test_submit_refuses_at_once(om: bytes) -> None:
    """In the caller's thread; what was refused takes no place."""
    with aclrt.DevicePool(om, devices=[0]) as pool:
        for _ in range(20):
            with pytest.raises(aclrt.InputError, match="dim 0 is 1"):
                pool.submit(X[:1])
        with (
            aclrt.DeviceTensor.from_numpy(X) as tensor,
            pytest.raises(aclrt.InputError, match="belongs to one device"),
        ):
            pool.submit(tensor)
        with pytest.raises(aclrt.InputError, match="no output 'z'"):
            pool.run(["z"], {"x": X})
        with pytest.raises(aclrt.InputError, match="run_options"):
            pool.run(None, {"x": X}, 1)  # type: ignore[arg-type]
        np.testing.assert_array_equal(pool.submit(X).result()[0], X)


def test_a_pool_whose_devices_take_images(tmp_path: Path) -> None:
    """set_aipp reaches all devices, and one that is readmitted."""
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["y"])],
        "image",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, (1, 3, 4, 4))],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, (1, 3, 4, 4))],
    )
    made = onnx.helper.make_model(
        graph, ir_version=9, opset_imports=[onnx.helper.make_opsetid("", 19)]
    )
    config = "aipp_op { aipp_mode: dynamic max_src_image_size: 400 }"
    model = aclrt.convert(made, tmp_path / "m", insert_op_conf=config)
    image = np.arange(48, dtype=np.uint8).reshape(1, 4, 4, 3)
    expected = image.transpose(0, 3, 1, 2).astype(np.float32)
    with aclrt.DevicePool(model, devices=[0, 1]) as pool:
        for _ in range(3):  # as for each frame: the last one is kept, not all
            pool.set_aipp(input_format="RGB888_U8", src_image_size_w=4, src_image_size_h=4)
        assert len(pool._aipp) == 1
        for result in pool.map([image] * 6):
            np.testing.assert_array_equal(result[0], expected)
        aclrt.fake.faults.lose_device(1)
        for result in pool.map([image] * 6):
            np.testing.assert_array_equal(result[0], expected)
        aclrt.fake.faults.clear()
        pool.readmit(1)
        with pytest.raises(aclrt.InputError, match="input_format"):
            pool.set_aipp(input_format="no such")
        for result in pool.map([image] * 6):
            np.testing.assert_array_equal(result[0], expected)
        assert all(device.runs for device in pool.devices)
