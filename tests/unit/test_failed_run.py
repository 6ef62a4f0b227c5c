# SPDX-License-Identifier: Apache-2.0
"""What a failed run tells, and data made up for models whose shapes vary."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper

import aclrt
from aclrt.fake import fault

FAILED = 507011  # ACL_ERROR_RT_MODEL_EXECUTE


def negated(tmp_path, dims, **options):
    """x -> y = -x, float32."""
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, dims) for n in "xy")
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [x], [y])
    opsets = [helper.make_opsetid("", 17)]
    onnx = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return aclrt.convert(onnx, tmp_path / "neg.om", **options)


@pytest.mark.parametrize(
    ("dims", "options", "takes"),
    [
        ((4, 3), {}, "x: float32 (4, 3), 48 bytes"),
        (
            ("n", 3),
            {"input_shape": {"x": (-1, 3)}, "dynamic_batch_size": (1, 4)},
            "x: float32 (-1, 3), 48 bytes",
        ),
        (("n", 3), {"input_shape": "x:1~8,3"}, "x: float32 (-1, 3), 96 bytes"),
    ],
)
def test_a_failed_run_tells_what_was_fed(tmp_path, monkeypatch, dims, options, takes):
    """Model, code, name, call, what was expected and fed; and the model goes on."""
    monkeypatch.setenv("ASCEND_PROCESS_LOG_PATH", str(tmp_path / "log"))  # where there is none
    with aclrt.OfflineModel(negated(tmp_path, dims, **options)) as model:
        with fault(function="aclmdlExecute", code=FAILED), pytest.raises(aclrt.AclError) as caught:
            model(np.zeros((4, 3), np.float32))
        error = caught.value
        assert (FAILED, "aclmdlExecute") == (error.code, error.call)
        assert (f"{takes}; fed float32 (4, 3), 48 bytes",) == error.fed
        text = str(error)
        assert text.startswith("neg.om: ")
        assert f"\n  input {takes}; fed float32 (4, 3), 48 bytes\n" in text
        assert str(pickle.loads(pickle.dumps(error))) == text
        assert error.log == ""
        np.testing.assert_array_equal(model(np.ones((4, 3), np.float32))["y"], -1)


def test_a_failed_run_of_packed_data(tmp_path):
    """Two elements of int4 share a byte on the device: both sizes are told."""
    x = helper.make_tensor_value_info("x", TensorProto.INT4, (4,))
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, (4,))
    scale = helper.make_tensor("s", TensorProto.FLOAT, (), [1.0])
    node = helper.make_node("DequantizeLinear", ["x", "s"], ["y"])
    graph = helper.make_graph([node], "g", [x], [y], [scale])
    onnx = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    with aclrt.OfflineModel(aclrt.convert(onnx, tmp_path / "i4.om")) as model:
        with fault(function="aclmdlExecute", code=FAILED), pytest.raises(aclrt.AclError) as caught:
            model(np.zeros(4, ml_dtypes.int4))
        assert caught.value.fed == ("x: int4 (4,), 2 bytes; fed int4 (4,), 4 bytes",)


def test_a_failed_run_names_the_log(tmp_path, monkeypatch):
    """The newest that CANN wrote for this process."""
    folder = tmp_path / "debug" / "plog"
    folder.mkdir(parents=True)
    for number, name in enumerate((f"plog-{os.getpid()}_1.log", f"plog-{os.getpid()}_2.log")):
        (folder / name).touch()
        os.utime(folder / name, (number, number))
    (folder / "plog-1_3.log").touch()
    monkeypatch.setenv("ASCEND_PROCESS_LOG_PATH", str(tmp_path))
    with (
        aclrt.OfflineModel(negated(tmp_path, (2,))) as model,
        fault(function="aclmdlExecute", code=FAILED),
        pytest.raises(aclrt.AclError) as caught,
    ):
        model(np.zeros(2, np.float32))
    assert str(caught.value).endswith(f"\n  log: {folder}/plog-{os.getpid()}_2.log")


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"input_shape": {"x": (-1, 3)}, "dynamic_batch_size": (1, 8, 4)}, [8, 3]),
        ({"input_shape": "x:2~8,3"}, [2, 3]),
        ({"input_shape": "x:-1,3"}, [1, 3]),
    ],
)
def test_data_is_made_up_for_varying_shapes(tmp_path, options, shape):
    """Of the largest gear, or the least that a range allows; for run and for bench."""
    path = negated(tmp_path, ("n", 3), **options)
    command = [sys.executable, "-m", "aclrt", "run", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (0, shape) == (done.returncode, json.loads(done.stdout)["outputs"][0]["shape"])
    result = aclrt.bench.run(path, iterations=3, warmup=0)
    assert (3, shape[0]) == (result.iterations, result.batch)
