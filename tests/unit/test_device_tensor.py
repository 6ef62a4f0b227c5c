# SPDX-License-Identifier: Apache-2.0
"""Tensors in a device's memory and page-locked arrays, by themselves and in runs."""

from __future__ import annotations

import pickle
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper

import aclrt
from aclrt import DeviceTensor, InputError, pinned_empty


@pytest.fixture
def add_one(tmp_path):
    """y = x + 1, float32 (2, 3)."""
    return convert_add(tmp_path / "add_one.om", [2, 3])


def convert_add(path, shape, **options):
    one = helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "one"], ["y"], "add")],
        "add",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [one],
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])
    return aclrt.convert(model, path, **options)


X = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_there_and_back():
    """What goes to the device comes back; the attributes say what it is."""
    with DeviceTensor.from_numpy(X) as tensor:
        assert ((2, 3), np.dtype(np.float32), 24) == (tensor.shape, tensor.dtype, tensor.nbytes)
        assert (0, 0, False) == (tensor.device_id, tensor.device.id, tensor.is_closed)
        assert "<DeviceTensor float32 (2, 3) on device 0>" == repr(tensor)
        np.testing.assert_array_equal(X, tensor.numpy(), strict=True)
        tensor.copy_from(X[::-1] * 2)
        target = np.empty_like(X)
        tensor.copy_to(target)
        np.testing.assert_array_equal(X[::-1] * 2, target)
        other = DeviceTensor.empty((2, 3), "float32")
        tensor.copy_to(other)
        np.testing.assert_array_equal(target, other.numpy())
        other.close()
    assert tensor.is_closed
    assert "closed" in repr(tensor)


@pytest.mark.parametrize("dtype", ["float16", "bool", "bfloat16", "int4", "float8_e5m2"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 5)])
def test_dtypes(dtype, shape):
    """Those of ml_dtypes too; two int4 share a byte on the device."""
    element = np.dtype(getattr(ml_dtypes, dtype, dtype))
    x = np.ones(shape, np.float32).astype(element)
    with DeviceTensor.from_numpy(x) as tensor:
        np.testing.assert_array_equal(x, tensor.numpy(), strict=True)
        assert ((x.size + 1) // 2 if dtype == "int4" else x.nbytes) == tensor.nbytes
    with DeviceTensor.empty(shape, dtype) as tensor:
        assert element == tensor.dtype


def test_models_follow_one_another_on_the_device(add_one):
    """One copy in, one out, none between."""
    with aclrt.OfflineModel(add_one) as first, aclrt.OfflineModel(add_one) as second:
        with DeviceTensor.empty((2, 3), np.float32) as between:
            for _ in range(2):
                before = copies()
                assert between is first(X, out={"y": between})[0]
                np.testing.assert_array_equal(X + 2, second(between)["y"], strict=True)
                assert 2 == copies() - before
            np.testing.assert_array_equal(X + 1, between.numpy())
            assert between is second(X, out=[between])["y"]
        np.testing.assert_array_equal(X + 1, first(X)[0])


def copies():
    return aclrt.fake.ledger()["calls"].get("aclrtMemcpy", 0)


def test_what_does_not_fit_is_refused(add_one):
    """With expected beside given, before the device is asked."""
    with aclrt.OfflineModel(add_one) as model, DeviceTensor.from_numpy(X) as x:
        with pytest.raises(InputError, match=r"dtype is float16, not float32"):
            model(DeviceTensor.empty((2, 3), "float16"))
        with pytest.raises(InputError, match=r"float32 \(3, 2\) on device 0"):
            model(DeviceTensor.empty((3, 2), "float32"))
        with pytest.raises(InputError, match="dim 0 is 3"):
            model(X, out=DeviceTensor.empty((3, 3), "float32"))
        with pytest.raises(InputError, match="given twice"):
            model(x, out=x)
        closed = DeviceTensor.empty((2, 3), "float32")
        closed.close()
        closed.close()
        for values in ({"args": (closed,)}, {"args": (X,), "out": [closed]}):
            with pytest.raises(InputError, match="is a closed DeviceTensor"):
                model(*values["args"], out=values.get("out"))
        with pytest.raises(aclrt.ClosedError):
            closed.numpy()
        with pytest.raises(aclrt.ClosedError):
            closed.__enter__()


def test_copies_that_do_not_fit_are_refused():
    """Dtype, shape, kind of thing, writability."""
    with DeviceTensor.from_numpy(X) as tensor:
        for other in (X.astype(np.float64), X[0], DeviceTensor.empty(6, "float32")):
            with pytest.raises(InputError, match="the other one"):
                tensor.copy_from(other)
        with pytest.raises(InputError, match="not a list"):
            tensor.copy_from([1.0])
        frozen = X.copy()
        frozen.flags.writeable = False
        for target in (frozen, X.T.copy().T):
            with pytest.raises(InputError, match="writable and contiguous"):
                tensor.copy_to(target)
        with pytest.raises(TypeError, match=r"\.numpy\(\)"):
            pickle.dumps(tensor)
    with pytest.raises(TypeError, match="from_numpy"):
        DeviceTensor()


@pytest.mark.parametrize("make", [DeviceTensor.empty, pinned_empty])
def test_what_cannot_be_made_is_refused(make):
    """Names the argument."""
    for shape, dtype in [
        ((-1,), "f4"),
        ("ab", "f4"),
        (2, object),
        (2, "no such"),
        (2, ">f4"),
        (2, "U3"),
    ]:
        with pytest.raises(InputError):
            make(shape, dtype)
    with pytest.raises(aclrt.DeviceError):
        make(2, "f4", device_id=99)
    with pytest.raises(InputError):
        make(2, "f4", device_id="0")


@pytest.mark.parametrize("kind", ["gears", "range"])
def test_dynamic_models(tmp_path, kind):
    """By call, in flight and bound. What has the largest gear's size is used where it is, anything
    else is copied once within the device."""
    options = (
        {"input_shape": {"x": (-1, 3)}, "dynamic_batch_size": [1, 2]}
        if kind == "gears"
        else {"input_shape_range": {"x": ((1, 4), 3)}}
    )
    path = convert_add(tmp_path / "dynamic.om", ["n", 3], **options)
    with aclrt.OfflineModel(path) as model:
        for rows in (1, 2):
            with DeviceTensor.from_numpy(X[:rows]) as x, DeviceTensor.empty((rows, 3), "f4") as y:
                step = model.bind(x, y)
                ways = {
                    "call": lambda x=x, y=y: model(x, out=y)[0],
                    "flight": lambda x=x, y=y: model.submit(x, out={"y": y}).result(600)[0],
                    "bound": lambda step=step: step()[0],
                }
                for way, run in ways.items():
                    y.copy_from(X[:rows] * 0)
                    run()  # the gear is set
                    before = copies()
                    assert y is run(), way
                    in_place = kind == "gears" and rows == 2
                    assert (0 if in_place else 2) == copies() - before, way
                    np.testing.assert_array_equal(X[:rows] + 1, y.numpy(), strict=True)
                np.testing.assert_array_equal(X[:rows] + 1, model(x)[0], strict=True)
                np.testing.assert_array_equal(X[:rows] + 1, model.submit(x).result(600)[0])
                assert y is model(X[:rows], out=[y])[0]
                step.close()
                with pytest.raises(InputError):
                    model(X[:1] if rows == 2 else X, out=y)
                with pytest.raises(InputError):
                    model.submit(X[:1] if rows == 2 else X, out=y).result(600)
        if kind == "gears":
            large = DeviceTensor.from_numpy(np.tile(X, (2, 1)))
            with large, pytest.raises(InputError, match="take arrays, not a DeviceTensor"):
                model(large, split=True)


def test_pinned_arrays(add_one):
    """Ordinary arrays; the memory lives as long as any view."""
    before = live_host_memory()
    array = pinned_empty((2, 3), "float32")
    assert ((2, 3), np.float32, True) == (array.shape, array.dtype, array.flags.c_contiguous)
    array[...] = X
    view = array[1:, ::2]
    assert before + 1 == live_host_memory()
    with aclrt.OfflineModel(add_one) as model:
        np.testing.assert_array_equal(X + 1, model(array)[0])
        out = pinned_empty((2, 3), "float32")
        assert out is model(array, out=out)[0]
        np.testing.assert_array_equal(X + 1, out)
    del array, out
    assert before + 1 == live_host_memory()
    np.testing.assert_array_equal(X[1:, ::2], view)
    del view
    assert before == live_host_memory()
    assert 0 == pinned_empty((0, 3), "int8").size
    assert ml_dtypes.bfloat16 == pinned_empty(2, "bfloat16").dtype


def live_host_memory():
    return aclrt.fake.ledger()["objects"]["host_memory"]["live"]


def test_pinned_arrays_outlive_the_exit_handlers():
    """Views are used after the runtime's own shutdown, and nothing is left behind."""
    code = (
        "import atexit, aclrt\n"
        "x = None\n"
        "atexit.register(lambda: print(x.sum()))\n"
        "import aclrt._ffi\n"
        "aclrt._ffi.lib.aclrt_version()\n"
        "x = aclrt.pinned_empty(4, 'f4', device_id=0); x[...] = 2\n"
        "aclrt._ffi.lib.aclrt_runtime_shutdown()\n"
        "x += 1\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "12.0\n" == done.stdout
    assert "leak" not in done.stderr.lower()
