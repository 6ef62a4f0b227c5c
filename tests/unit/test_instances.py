# SPDX-License-Identifier: Apache-2.0
"""Several instances of a model: shared weights, runs at a time, failures, closing, memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from om_bytes import with_weights

import aclrt

HANG_MS = 600_000  # ended by disarming, never waited for
LOST = 507010
X = np.arange(6, dtype=np.float32).reshape(2, 3)


WEIGHTS = bytes(range(256)) * 40


@pytest.fixture
def weighty(om_factory: Any) -> bytes:
    """x float32 (2, 3) -> y = x, in a file with weights."""
    return with_weights(om_factory.identity(), WEIGHTS)


@contextmanager
def hang(function: str) -> Iterator[None]:
    """All calls of it hang until the block ends."""
    with aclrt.fake.fault(function=function, action="hang", ms=HANG_MS, persistent=True):
        yield


@pytest.fixture(autouse=True)
def no_fault_left() -> Iterator[None]:
    yield
    aclrt.fake.faults.clear()


def objects() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = aclrt.fake.ledger()["objects"]
    return found


def bytes_live() -> int:
    return objects()["device_memory"]["live_bytes"] + objects()["model"]["live_bytes"]


def wait_until(condition: Callable[[], bool]) -> None:
    """Polls; a condition that never comes fails the test."""
    gate = threading.Event()
    for _ in range(6000):
        if condition():
            return
        gate.wait(0.01)
    raise AssertionError("it never happened")


def fired(function: str) -> int:
    return sum(site["function"] == function for site in aclrt.fake.faults.fired())


@pytest.mark.parametrize("from_path", [False, True], ids=["memory", "path"])
def test_weights_are_loaded_once(weighty: bytes, tmp_path: Path, from_path: bool) -> None:
    """Further instances add work, inputs and outputs, but no weights."""
    source: Any = weighty
    if from_path:
        source = tmp_path / "m.om"
        source.write_bytes(weighty)
    before = bytes_live()
    with aclrt.OfflineModel(source) as model:
        one = model.memory_stats()
        alone = bytes_live() - before
        assert not model.shares_weights
    assert one.weights == len(WEIGHTS)
    with aclrt.OfflineModel(source, instances=4) as model:
        assert model.instances == 4
        assert model.shares_weights
        # One block, of the client's, which AscendCL rounds up.
        assert model.memory_stats().weights == len(WEIGHTS) + 32
        assert bytes_live() - before == 4 * (alone - len(WEIGHTS)) + len(WEIGHTS) + 32
        np.testing.assert_array_equal(model(X)[0], X)
    assert bytes_live() == before


def test_one_instance_costs_nothing_more(om_factory: Any) -> None:
    """The calls of loading and running one instance are those without the option."""

    def calls(**options: Any) -> dict[str, int]:
        before = aclrt.fake.ledger()["calls"]
        with aclrt.OfflineModel(om_factory.identity(), **options) as model:
            model(X)
        after = aclrt.fake.ledger()["calls"]
        return {name: n - before.get(name, 0) for name, n in after.items()}

    assert calls() == calls(instances=1)


def test_shapes_known_at_run_time_have_weights_of_their_own(
    om_factory: Any, tmp_path: Path
) -> None:
    """AscendCL tells no size for them, so that each instance's weights are its own."""
    tensors = [("x", "float32", ("N", 3))], [("y", "float32", ("N", 4))]
    (tmp_path / "m.onnx").write_bytes(
        om_factory.onnx([("MatMul", ["x", "w"], ["y"])], *tensors, {"w": np.ones((3, 4), "f4")})
    )
    om = aclrt.convert(tmp_path / "m.onnx", tmp_path / "m", input_shape={"x": ((1, 4), 3)})
    with aclrt.OfflineModel(om, instances=2) as model:
        assert not model.shares_weights
        with ThreadPoolExecutor(4) as threads:
            for n, y in enumerate(threads.map(lambda n: model(X[:n])[0], (1, 2, 1, 2))):
                assert y.shape == (n % 2 + 1, 4)
        stats = model.memory_stats()
        assert stats.device == bytes_live()
        assert sum(one.weights for one in stats.instances) == stats.weights


@pytest.mark.parametrize("code", [200001, 207000])
def test_weights_that_cannot_be_given_are_ascendcls(weighty: bytes, code: int) -> None:
    """Where AscendCL does not load with given memory, each instance has weights of its own."""
    with aclrt.fake.fault(function="aclmdlLoadFromMemWithMem", code=code, persistent=True):
        model = aclrt.OfflineModel(weighty, instances=2)
    with model:
        assert not model.shares_weights
        first, second = model.memory_stats().instances
        assert first.weights == second.weights == len(WEIGHTS)


def test_instances_run_at_a_time(om_factory: Any) -> None:
    """Eight threads on four instances: four executes are inside, and no model is in two of them."""
    with aclrt.OfflineModel(om_factory.identity(), instances=4) as model:
        before = aclrt.fake.checks()
        with ThreadPoolExecutor(8) as threads:
            with hang("aclmdlExecute"):
                futures = [threads.submit(model, X + i) for i in range(8)]
                wait_until(lambda: fired("aclmdlExecute") == 4)
            for i, future in enumerate(futures):
                np.testing.assert_array_equal(future.result()[0], X + i)
        assert aclrt.fake.checks() == before


def test_many_runs_from_many_threads_mix_nothing_up(om_factory: Any) -> None:
    """Each caller gets the results of what it fed, whichever instance ran."""
    with (
        aclrt.OfflineModel(om_factory.identity(), instances=3) as model,
        ThreadPoolExecutor(8) as threads,
    ):
        results = threads.map(lambda i: model(X + i)[0][0, 0], range(400))
        assert list(results) == list(range(400))


def test_a_lost_device_is_lost_for_all_instances(om_factory: Any) -> None:
    """One instance meets the loss; the others refuse at once, without a call of AscendCL."""
    model = aclrt.OfflineModel(om_factory.identity(), instances=3)
    with (
        aclrt.fake.fault(function="aclmdlExecute", code=LOST),
        pytest.raises(aclrt.DeviceLostError),
    ):
        model(X)
    calls = aclrt.fake.ledger()["calls"]
    for _ in range(3):
        with pytest.raises(aclrt.DeviceLostError, match="lost in an earlier run"):
            model(X)
    assert aclrt.fake.ledger()["calls"] == calls
    model.close()


def test_close_waits_for_all_instances(om_factory: Any) -> None:
    """Runs that are inside finish; close() returns after the last of them; later ones refuse."""
    model = aclrt.OfflineModel(om_factory.identity(), instances=2)
    with ThreadPoolExecutor(3) as threads:
        with hang("aclmdlExecute"):
            runs = [threads.submit(model, X) for _ in range(2)]
            wait_until(lambda: fired("aclmdlExecute") == 2)
            closing = threads.submit(model.close)
            wait_until(lambda: model.is_closed)
            assert not closing.done()
        for run in runs:
            np.testing.assert_array_equal(run.result()[0], X)
        closing.result()
    with pytest.raises(aclrt.ClosedError):
        model(X)
    assert objects()["model"]["live"] == 0


def test_waiting_callers_hear_of_the_close(om_factory: Any) -> None:
    """A caller that waits for an instance gets one, or the error that the model is closed."""
    model = aclrt.OfflineModel(om_factory.identity(), instances=2)
    with ThreadPoolExecutor(7) as threads:
        with hang("aclmdlExecute"):
            runs = [threads.submit(model, X) for _ in range(6)]
            wait_until(lambda: fired("aclmdlExecute") == 2)
            closing = threads.submit(model.close)
            wait_until(lambda: model.is_closed)
        closing.result()
        errors = [type(run.exception()) for run in runs]
    assert set(errors) <= {type(None), aclrt.ClosedError}
    assert errors.count(type(None)) >= 2


def test_memory_stats_are_the_ledgers(weighty: bytes) -> None:
    """Byte for byte: what the shim counts is what the device has given."""
    before = objects()
    assert before["device_memory"]["live_bytes"] == before["model"]["live_bytes"] == 0
    with aclrt.OfflineModel(weighty, instances=3) as model:
        stats = model.memory_stats()
        now = objects()
        assert now["device_memory"]["live_bytes"] == stats.buffers + stats.weights
        assert now["model"]["live_bytes"] == stats.work
        assert stats.device == stats.peak == bytes_live()
        assert [one.weights for one in stats.instances] == [0, 0, 0]
        assert sum(one.buffers for one in stats.instances) == stats.buffers
        assert now["host_memory"]["live_bytes"] == stats.pinned
        assert stats.host >= sum(one.host for one in stats.instances) > 0
    after = model.memory_stats()
    assert isinstance(after, aclrt.MemoryStats)
    assert (after.device, after.peak) == (0, stats.peak)


def test_memory_of_a_shape_range_grows_with_what_is_fed(om_factory: Any, tmp_path: Path) -> None:
    """And the peak is what it came to, not what a later run still has."""
    tensors = [("x", "float32", ("N", 3))], [("y", "float32", ("N", 3))]
    (tmp_path / "m.onnx").write_bytes(om_factory.onnx([("Neg", ["x"], ["y"])], *tensors))
    om = aclrt.convert(tmp_path / "m.onnx", tmp_path / "m", input_shape={"x": ((1, -1), 3)})
    with aclrt.OfflineModel(om) as model:
        seen = []
        for rows in (2, 200, 20):
            model(np.zeros((rows, 3), np.float32))
            seen.append(model.memory_stats())
            assert seen[-1].device == bytes_live()
        assert seen[0].buffers < seen[1].buffers
        assert seen[2].peak >= seen[1].device
        with pytest.raises(aclrt.InputError, match="no limit"):
            model.reserve()
        model.reserve(warm_up=0)


def test_reserve_runs_every_instance(om_factory: Any) -> None:
    """Each is run as often as asked, and frames are there for all callers."""
    with aclrt.OfflineModel(om_factory.identity(), instances=3) as model:
        before = aclrt.fake.ledger()["calls"].get("aclmdlExecute", 0)
        host = model.memory_stats().host
        model.reserve(in_flight=8, warm_up=2)
        assert aclrt.fake.ledger()["calls"]["aclmdlExecute"] == before + 6
        grown = model.memory_stats().host
        assert grown > host
        model.reserve(in_flight=8, warm_up=0)
        assert model.memory_stats().host == grown
    with pytest.raises(aclrt.ClosedError):
        model.reserve()


def test_reserve_runs_the_largest_gear(om_factory: Any, tmp_path: Path) -> None:
    """The output is the largest, whatever gear is named first."""
    tensors = [("x", "float32", ("N", 3))], [("y", "float32", ("N", 3))]
    (tmp_path / "m.onnx").write_bytes(om_factory.onnx([("Neg", ["x"], ["y"])], *tensors))
    om = aclrt.convert(
        tmp_path / "m.onnx",
        tmp_path / "m",
        input_shape={"x": (-1, 3)},
        dynamic_batch_size=(1, 8, 2),
    )
    with aclrt.OfflineModel(om, instances=2) as model:
        model.reserve()
        calls = aclrt.fake.ledger()["calls"]["aclmdlSetDynamicBatchSize"]
        model(np.zeros((8, 3), np.float32))  # selected already
        assert aclrt.fake.ledger()["calls"]["aclmdlSetDynamicBatchSize"] == calls


@pytest.mark.parametrize(
    "shape",
    [{}, {"dynamic_batch_size": (1, 8)}, {"input_shape_range": {"x": ((1, 8), 3)}}],
    ids=["fixed", "gears", "range"],
)
def test_reserved_slots_serve_the_first_runs(om_factory: Any, tmp_path: Path, shape: Any) -> None:
    """Nothing is allocated or created by the first of them, by no way of running."""
    tensors = (
        [("x", "float32", ("N" if shape else 8, 3))],
        [("y", "float32", ("N" if shape else 8, 3))],
    )
    (tmp_path / "m.onnx").write_bytes(om_factory.onnx([("Neg", ["x"], ["y"])], *tensors))
    if "dynamic_batch_size" in shape:
        shape = {"input_shape": {"x": (-1, 3)}, **shape}
    om = aclrt.convert(tmp_path / "m.onnx", tmp_path / "m", **shape)

    def made() -> list[int]:
        calls = aclrt.fake.ledger()["calls"]
        names = ("aclrtMalloc", "aclmdlCreateDataset", "aclCreateDataBuffer", "aclmdlExecute")
        return [calls.get(name, 0) for name in names]

    x = np.ones((8, 3), np.float32)
    with aclrt.OfflineModel(om, instances=2) as model:
        buffers = model.memory_stats().buffers
        model.reserve(in_flight=3)
        assert (model.memory_stats().buffers > buffers) or "input_shape_range" in shape
        *nothing, runs = made()
        futures = [model.submit(x) for _ in range(12)]
        assert all((future.result()["y"] == -1).all() for future in futures)
        assert 12 == len(list(model.map([x] * 12, in_flight=3)))
        assert 12 == len(list(model.map([x] * 12, in_flight=2)))  # the deeper queue serves too
        model(x), model(x, timeout_s=600)
        assert [*nothing, runs + 38] == made()
        model.reserve(in_flight=3, warm_up=0)
        assert [*nothing, runs + 38] == made()


@pytest.mark.parametrize("value", [0, 65, -1, True, "2", 1.0])
def test_a_wrong_number_of_instances_is_refused(om_factory: Any, value: Any) -> None:
    """At once, with the limits."""
    with pytest.raises(aclrt.InputError, match="instances must be"):
        aclrt.OfflineModel(om_factory.identity(), instances=value)


@pytest.mark.parametrize("options", [{"in_flight": 0}, {"warm_up": -1}, {"in_flight": "many"}])
def test_a_wrong_reserve_is_refused(om_factory: Any, options: dict[str, Any]) -> None:
    """Before anything runs."""
    with (
        aclrt.OfflineModel(om_factory.identity()) as model,
        pytest.raises(aclrt.InputError, match="must be"),
    ):
        model.reserve(**options)


def test_models_load_at_a_time(om_factory: Any) -> None:
    """Two threads are inside the load of AscendCL at once: nothing of ours is held meanwhile."""
    om = om_factory.identity()
    aclrt.runtime_info()
    with ThreadPoolExecutor(2) as threads:
        with hang("aclmdlLoadFromMem"):
            loads = [threads.submit(aclrt.OfflineModel, om) for _ in range(2)]
            wait_until(lambda: fired("aclmdlLoadFromMem") == 2)
        for load in loads:
            with load.result() as model:
                np.testing.assert_array_equal(model(X)[0], X)


def test_devices_open_at_a_time(om_factory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So do two devices, which take long to open."""
    monkeypatch.setenv("ACLRT_FAKE_DEVICES", "2")
    aclrt.fake.reset()
    aclrt.runtime_info()
    om = om_factory.identity()
    with ThreadPoolExecutor(2) as threads:
        with hang("aclrtSetDevice"):
            loads = [threads.submit(aclrt.OfflineModel, om, device_id=n) for n in range(2)]
            wait_until(lambda: fired("aclrtSetDevice") == 2)
        for load in loads:
            load.result().close()
    monkeypatch.undo()
    aclrt.fake.reset()
