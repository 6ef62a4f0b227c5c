# SPDX-License-Identifier: Apache-2.0
"""AscendCL calls for one inference: exactly the necessary ones, whichever way it is asked for."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from onnx_graphs import make, value

import aclrt


def needed(n_in: int, n_out: int) -> dict[str, float]:
    """A copy for each tensor, one execute, one look at the thread's context."""
    return {"aclrtMemcpy": n_in + n_out, "aclmdlExecute": 1, "aclrtGetCurrentContext": 1}


def identity(tmp_path, n_in: int, n_out: int) -> aclrt.OfflineModel:
    """x0.. -> y0.., each (1, 16)."""
    nodes = [("Identity", [f"x{i}"], [f"y{i}"]) for i in range(n_out)]
    inputs = [value(f"x{i}", [1, 16]) for i in range(n_in)]
    onnx = make(nodes, inputs, [value(f"y{i}", [1, 16]) for i in range(n_out)])
    aclrt.convert(onnx, tmp_path / "model.om")
    return aclrt.OfflineModel(tmp_path / "model.om")


@pytest.fixture(params=[(1, 1), (8, 4)], ids=["1 in 1 out", "8 in 4 out"])
def model(request, tmp_path):
    """A model, its inputs by name, arrays for its outputs."""
    with identity(tmp_path, *request.param) as loaded:
        feeds = {spec.name: np.ones(spec.shape, spec.dtype) for spec in loaded.inputs}
        outs = {spec.name: np.empty(spec.shape, spec.dtype) for spec in loaded.outputs}
        yield loaded, feeds, outs


def test_a_call_makes_only_the_needed_calls(model, calls_of):
    """By position, by dict, by name, with out=, and in ONNX Runtime's words."""
    loaded, feeds, outs = model
    arrays = list(feeds.values())
    expected = needed(len(feeds), len(outs))
    assert expected == calls_of(lambda: loaded(*arrays))
    assert expected == calls_of(lambda: loaded(feeds))
    assert expected == calls_of(lambda: loaded(**feeds))
    assert expected == calls_of(lambda: loaded(feeds, out=outs))
    assert expected == calls_of(lambda: loaded.run(None, feeds))


def test_runs_in_flight_make_only_the_needed_calls(model, calls_of):
    """The queue's threads have contexts of their own: two switches for each of three steps."""
    loaded, feeds, outs = model
    for run in (
        lambda: loaded.submit(feeds).result(),
        lambda: next(loaded.map([feeds])),
        lambda: loaded(feeds, out=outs, timeout_s=600),
    ):
        counted = calls_of(run)
        assert counted.pop("aclrtSetCurrentContext", 0) <= 6
        assert counted.pop("aclrtGetCurrentContext") <= 3
        assert {"aclrtMemcpy": len(feeds) + len(outs), "aclmdlExecute": 1} == counted


def test_a_cast_or_a_copy_on_the_host_adds_none(model, calls_of):
    """What the slow path does, it does on the host."""
    loaded, feeds, outs = model
    strided = {name: np.ones((1, 32), np.float32)[:, ::2] for name in feeds}
    halves = {name: np.ones((1, 16), np.float16) for name in feeds}
    assert needed(len(feeds), len(outs)) == calls_of(lambda: loaded(strided))
    assert needed(len(feeds), len(outs)) == calls_of(lambda: loaded(halves, cast="safe"))


def test_a_fresh_thread_pays_for_its_context(model, calls_of):
    """A thread without a context gets the model's for the call, and is left without one: two
    aclrtSetCurrentContext at most."""
    loaded, feeds, outs = model
    counted = {}

    def work() -> None:
        counted.update(calls_of(lambda: loaded(feeds)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    switches = counted.pop("aclrtSetCurrentContext", 0)
    assert needed(len(feeds), len(outs)) == counted
    assert switches in (0, 1, 2)


def test_a_model_with_gears(tmp_path, calls_of):
    """The same gear again costs nothing more; another one is set, and its real dims are read."""
    onnx = make([("Identity", ["x"], ["y"])], [value("x", ["N", 16])], [value("y", ["N", 16])])
    path = aclrt.convert(
        onnx, tmp_path / "gears.om", input_shape="x:-1,16", dynamic_batch_size="1,2"
    )
    one, two = np.ones((1, 16), np.float32), np.ones((2, 16), np.float32)
    with aclrt.OfflineModel(path) as loaded:
        assert needed(1, 1) == calls_of(lambda: loaded(two))

        def alternate() -> None:
            loaded(one)
            loaded(two)

        counted = calls_of(alternate)
        assert 2 == counted.pop("aclmdlSetDynamicBatchSize")
        assert 2 == counted.pop("aclmdlGetCurOutputDims")
        assert {name: 2 * count for name, count in needed(1, 1).items()} == counted


def test_an_error_before_the_device_makes_no_call(model, calls_of):
    """What does not fit is refused before anything is asked of AscendCL."""
    loaded, feeds, _ = model
    wrong = {name: array.astype(np.float64) for name, array in feeds.items()}

    def refused() -> None:
        with pytest.raises(aclrt.InputError):
            loaded(wrong)

    assert {} == calls_of(refused)
