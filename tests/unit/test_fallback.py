# SPDX-License-Identifier: Apache-2.0
"""with_fallback: the device where it can, ONNX Runtime where it cannot, and never for mistakes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

import aclrt
from aclrt import FallbackBinding, FallbackModel, InputError, fake


@pytest.fixture
def files(om_factory, tmp_path) -> tuple[Path, Path]:
    """probs = -image, flags = not mask; as .om and .onnx."""
    onnx = om_factory.onnx(
        [("Neg", ["image"], ["probs"]), ("Not", ["mask"], ["flags"])],
        [("image", "float32", (1, 2, 4)), ("mask", "bool", (2,))],
        [("probs", "float32", (1, 2, 4)), ("flags", "bool", (2,))],
    )
    (tmp_path / "m.onnx").write_bytes(onnx)
    (tmp_path / "m.om").write_bytes(om_factory.om_of(onnx))
    return tmp_path / "m.om", tmp_path / "m.onnx"


@pytest.fixture(params=["fake", "onnx"])
def model(request, files):
    """The same model on the device, and on the CPU alone."""
    with aclrt.with_fallback(files[0], onnx=files[1], backend=request.param) as model:
        yield model


def test_the_same_surface_on_device_and_cpu(model, image, mask):
    """Calls by position, name and mapping; run; descriptions; results of both kinds alike."""
    assert isinstance(model, FallbackModel)
    for result in (
        model(image, mask),
        model(image=image, mask=mask),
        model({"image": image, "mask": mask}),
        model({"image": image}, mask=mask),
    ):
        assert isinstance(result, aclrt.Result)
        np.testing.assert_array_equal(-image, result["probs"])
        np.testing.assert_array_equal(~mask, result[1])
        assert ("probs", "flags") == result.keys()
    flags, probs = model.run(["flags", "probs"], {"image": image, "mask": mask})
    np.testing.assert_array_equal(~mask, flags)
    np.testing.assert_array_equal(-image, probs)
    assert 2 == len(model.run(None, {"image": image, "mask": mask}))
    assert ["image", "mask"] == [spec.name for spec in model.inputs]
    assert ["probs", "flags"] == [spec.name for spec in model.outputs]
    first = model.get_inputs()[0]
    assert ("image", [1, 2, 4], "tensor(float)") == (first.name, first.shape, first.type)
    assert "tensor(bool)" == model.get_outputs()[1].type
    out = np.empty((1, 2, 4), np.float32)
    assert model(image, mask, out={"probs": out})["probs"] is out
    np.testing.assert_array_equal(-image, out)
    wide = model(image.astype(np.float16), mask, cast="safe")["probs"]
    np.testing.assert_array_equal(-image, wide)
    assert (0, None) == (model.fallbacks, model.error)


def test_mistakes_are_errors_on_both(model, image, mask):
    """Wrong names, dtypes, shapes, buffers and outputs; nothing is counted."""
    for wrong in (
        lambda: model(image),
        lambda: model(image[0], mask),
        lambda: model(image.astype(np.float64), mask),
        lambda: model(image=image, msk=mask),
        lambda: model({"image": image}, image=image),
        lambda: model(image, mask, out=[np.empty(3)]),
        lambda: model.run(["nope"], {"image": image, "mask": mask}),
        lambda: model.run("probs", {"image": image, "mask": mask}),
        lambda: model.run(None, [image, mask]),
        lambda: model.run(None, {"image": image, "mask": mask}, 1),
    ):
        with pytest.raises(aclrt.InputError):
            wrong()
    assert (0, None) == (model.fallbacks, model.error)
    model.close()
    model.close()
    with pytest.raises(aclrt.ClosedError):
        model(image, mask)


def test_a_device_error_ends_no_call(files, image, mask):
    """One warning that points here, a counter, the error as it was; then the device again."""
    with aclrt.with_fallback(files[0], onnx=files[1], cast="safe") as model:
        with (
            fake.fault(group="execute", code=507018, persistent=True),
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always")
            first = model(image, mask)
            second = model(image.astype(np.float16), mask)
        (warning,) = caught
        assert (RuntimeWarning, __file__) == (warning.category, warning.filename)
        assert "ONNX Runtime answers on the CPU" in str(warning.message)
        np.testing.assert_array_equal(-image, first["probs"])
        np.testing.assert_array_equal(-image, second["probs"])
        assert 2 == model.fallbacks
        assert isinstance(model.error, aclrt.AclError)
        assert 507018 == model.error.code
        assert "2 fallbacks" in repr(model)
        np.testing.assert_array_equal(-image, model(image, mask)["probs"])
        assert 2 == model.fallbacks
        assert model.device is not None


def test_a_lost_device_answers_from_the_cpu(files, image, mask):
    """Also through a model that was opened before, which is closed with it."""
    opened = aclrt.OfflineModel(files[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        with aclrt.with_fallback(opened, onnx=files[1]) as model:
            fake.faults.lose_device()
            np.testing.assert_array_equal(-image, model(image, mask)["probs"])
            np.testing.assert_array_equal(-image, model(image, mask)["probs"])
            assert 2 == model.fallbacks
            assert isinstance(model.error, aclrt.DeviceLostError)
    fake.faults.clear()
    with pytest.raises(aclrt.ClosedError):
        opened(image, mask)


def test_no_device_at_all(files):
    """Without CANN and with backend npu: one warning, and answers."""
    code = f"""
import warnings, numpy as np, aclrt
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model = aclrt.with_fallback({str(files[0])!r}, onnx={str(files[1])!r}, backend="npu")
    x = np.ones((1, 2, 4), np.float32)
    for _ in range(3):
        assert (model(x, np.array([True, False]))["probs"] == -x).all()
print(len(caught), model.fallbacks, model.device, type(model.error).__name__)
"""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ACLRT_")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert ("", "1 3 None BackendError\n") == (done.stderr, done.stdout)


def test_names_and_types_that_differ_are_bridged(om_factory, tmp_path):
    """Outputs that ATC renamed are paired in order; float16 inputs and outputs stay float16."""
    tensors = [("x", "float32", (2, 3))], [("y", "float32", (2, 3))]
    wide = om_factory.onnx([("Neg", ["x"], ["y"])], *tensors)
    half = om_factory(
        [("Neg", ["x"], ["z"])], [("x", "float16", (2, 3))], [("z", "float16", (2, 3))]
    )
    (tmp_path / "m.onnx").write_bytes(wide)
    (tmp_path / "m.om").write_bytes(half)
    x = np.full((2, 3), 0.5, np.float16)
    with aclrt.with_fallback(tmp_path / "m.om", onnx=tmp_path / "m.onnx", backend="onnx") as model:
        result = model(x)
        assert (np.float16, ("z",)) == (result["z"].dtype, result.keys())
        np.testing.assert_array_equal(-x, result["z"])


def test_dynamic_models(om_factory, tmp_path):
    """The CPU takes what the gears take, pad and split too."""
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["y"])],
        "open",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
    )
    made = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 19)])
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
    aclrt.convert(tmp_path / "m.onnx", tmp_path / "m.om", dynamic_batch_size="1,4")
    x = np.ones((3, 3), np.float32)
    for backend in ("fake", "onnx"):
        options = {"onnx": tmp_path / "m.onnx", "backend": backend}
        with aclrt.with_fallback(tmp_path / "m.om", **options) as model:
            np.testing.assert_array_equal(-x, model(x, pad="up")["y"])
            assert [None, 3] == model.get_inputs()[0].shape


def test_runs_in_flight(model, image, mask):
    """Futures, tasks, maps and batches, on the device and on the CPU."""
    items = [(image + i, mask) for i in range(20)]
    for results in (
        [future.result() for future in [model.submit(*item) for item in items[:8]]],
        list(model.map(items, in_flight=3)),
        list(model.map(({"image": a, "mask": b} for a, b in items), timeout_s=60)),
    ):
        for item, result in zip(items, results, strict=False):
            np.testing.assert_array_equal(-item[0], result["probs"])
    unordered = model.map(items, ordered=False)
    assert sorted(r["probs"][0, 0, 0] for r in unordered) == sorted(-a[0, 0, 0] for a, _ in items)
    np.testing.assert_array_equal(~mask, asyncio.run(model.run_async(image, mask=mask))["flags"])
    with pytest.raises(InputError, match="image"):
        model.submit(image[0], mask)
    with pytest.raises(InputError, match="takes no"):
        model.map(items, mask=mask)
    (fed,) = [model.map([(image[0], mask)])]
    with pytest.raises(InputError):
        next(fed)
    model.reserve(in_flight=2)
    assert model.instances == 1
    assert not model.shares_weights
    assert model.is_simulated
    assert (model.memory_stats().device > 0) == (model.device is not None)
    with pytest.raises(InputError, match="preprocess"):
        model.set_aipp(input_format="RGB888_U8")
    model.close()
    assert model.is_closed
    for call in (lambda: model.submit(image, mask), lambda: model.map(items), model.reserve):
        with pytest.raises(aclrt.ClosedError, match="is closed"):
            call()


def test_a_run_in_flight_is_answered_by_the_cpu(files, image, mask):
    """Of several, those that the device fails; a run that was given up stays cancelled."""
    with (
        warnings.catch_warnings(),
        aclrt.with_fallback(files[0], onnx=files[1]) as model,
    ):
        warnings.simplefilter("ignore", RuntimeWarning)
        with fake.fault(group="execute", code=507018, nth=3):
            results = list(model.map([(image + i, mask) for i in range(6)]))
        for i, result in enumerate(results):
            np.testing.assert_array_equal(-(image + i), result["probs"])
        assert 1 == model.fallbacks
        with fake.fault(group="execute", action="hang", ms=600_000, persistent=True):
            hung = model.submit(image, mask)
            behind = asyncio_cancelled(model, image, mask)
            assert hung.cancel()
        assert hung.cancelled()
        assert behind
        fake.faults.lose_device()
        np.testing.assert_array_equal(~mask, model.submit(image, mask).result()["flags"])
        assert isinstance(model.error, aclrt.DeviceLostError)
    fake.faults.clear()


def test_a_warning_that_is_an_error_is_the_futures(files, image, mask):
    """Nobody waits for ever."""
    with (
        aclrt.with_fallback(files[0], onnx=files[1], backend="fake") as model,
        fake.faults.fault(function="aclmdlExecute", code=500000),
        pytest.raises(RuntimeWarning),
    ):
        model.submit(image, mask).result()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("fails", [False, True])
def test_callbacks_of_a_run_may_wait_and_end(files, image, mask, caplog, fails):
    """As those of a model's, also where the CPU answers what they wait for."""
    seen, done = [], threading.Event()

    def wait(_):
        with fake.faults.fault(function="aclmdlExecute", code=500000, persistent=fails, nth=2):
            seen.append(model.submit(image, mask).result()["flags"])
            seen.append(model.submit(image, mask).result()["flags"])
        raise SystemExit("a callback's")

    with aclrt.with_fallback(files[0], onnx=files[1], backend="fake") as model:
        with fake.faults.fault(function="aclmdlExecute", action="hang", ms=600_000):
            future = model.submit(image, mask)
            future.add_done_callback(wait)
            future.add_done_callback(lambda _: done.set())
        assert done.wait(600)
        assert 2 == len(seen)
        assert "a callback's" in caplog.text
        np.testing.assert_array_equal(~mask, model.submit(image, mask).result()["flags"])


def asyncio_cancelled(model, *args):
    """Whether a task that is cancelled while the device hangs ends so."""

    async def main():
        task = asyncio.create_task(model.run_async(*args))
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return True
        return False

    return asyncio.run(main())


def test_bound_arrays(model, image, mask):
    """Read and written in place, on the device and on the CPU."""
    x, probs = image.copy(), np.empty_like(image)
    with model.bind({"image": x, "mask": mask}, {"probs": probs}) as step:
        assert isinstance(step, FallbackBinding)
        assert step.inputs["image"] is x
        for factor in (1, 3):
            x[...] = image * factor
            result = step()
            assert result is step.outputs
            assert result["probs"] is probs
            np.testing.assert_array_equal(-x, probs)
            np.testing.assert_array_equal(~mask, result["flags"])
    with pytest.raises(aclrt.ClosedError, match="bind the model again"):
        step()
    with pytest.raises(InputError, match="shares memory"):
        model.bind(image=x, mask=mask, probs=x)


def test_a_bound_run_is_answered_by_the_cpu(files, image, mask):
    """Into the same arrays."""
    with (
        warnings.catch_warnings(),
        aclrt.with_fallback(files[0], onnx=files[1]) as model,
        model.bind([image, mask]) as step,
    ):
        warnings.simplefilter("ignore", RuntimeWarning)
        with fake.fault(group="execute", code=507018, persistent=True):
            result = step()
        np.testing.assert_array_equal(-image, result["probs"])
        assert 1 == model.fallbacks
        assert step() is result
        assert 1 == model.fallbacks


def test_batches(om_factory, tmp_path):
    """Single samples, the last batch not full."""
    onnx = om_factory.onnx(
        [("Neg", ["x"], ["y"])], [("x", "float32", (4, 3))], [("y", "float32", (4, 3))]
    )
    (tmp_path / "m.onnx").write_bytes(onnx)
    (tmp_path / "m.om").write_bytes(om_factory.om_of(onnx))
    samples = np.arange(18, dtype=np.float32).reshape(6, 3)
    for backend in ("fake", "onnx"):
        options = {"onnx": tmp_path / "m.onnx", "backend": backend}
        with aclrt.with_fallback(tmp_path / "m.om", **options) as model:
            rows = [result["y"] for result in model.batches(samples)]
        np.testing.assert_array_equal(-samples, np.stack(rows))


def test_nothing_of_a_model_is_missing():
    """The call surface is the model's."""
    surface = {name for name in dir(aclrt.OfflineModel) if not name.startswith("_")}
    assert surface - set(dir(FallbackModel)) == set()


def test_what_is_refused_when_it_is_opened(files, om_factory, tmp_path):
    """Files that are not there or damaged, another ONNX, AIPP, types of the device alone."""
    om, onnx = files
    with pytest.raises(FileNotFoundError):
        aclrt.with_fallback(om, onnx=tmp_path / "none.onnx")
    with pytest.raises(FileNotFoundError):
        aclrt.with_fallback(tmp_path / "none.om", onnx=onnx)
    (tmp_path / "bad.om").write_bytes(b"IMOD" + bytes(300))
    with pytest.raises(aclrt.ModelFormatError):
        aclrt.with_fallback(tmp_path / "bad.om", onnx=onnx)
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    x, mask = np.ones((1, 2, 4), np.float32), np.array([True, False])
    for name, words in (("bad.onnx", "cannot be loaded"), ("other.onnx", "not the model's")):
        if name == "other.onnx":
            other = [("x", "float32", (2, 3))], [("probs", "float32", (2, 3))]
            (tmp_path / name).write_bytes(om_factory.onnx([("Neg", ["x"], ["probs"])], *other))
        with (
            aclrt.with_fallback(om, onnx=tmp_path / name, backend="onnx") as model,
            pytest.raises(aclrt.InputError, match=words),
        ):
            model(x, mask)
    brain = om_factory.onnx(
        [("Identity", ["x"], ["y"])], [("x", "bfloat16", (2,))], [("y", "bfloat16", (2,))]
    )
    (tmp_path / "b.om").write_bytes(om_factory.om_of(brain))
    with pytest.raises(aclrt.InputError, match="only a device"):
        aclrt.with_fallback(tmp_path / "b.om", onnx=onnx, backend="onnx")
    with aclrt.OfflineModel(om) as opened, pytest.raises(aclrt.InputError, match="open already"):
        aclrt.with_fallback(opened, onnx=onnx, backend="fake")
