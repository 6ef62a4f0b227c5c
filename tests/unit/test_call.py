# SPDX-License-Identifier: Apache-2.0
"""The call that is written out for a model's signature: what it takes, and what it leaves."""

from __future__ import annotations

import ast
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

import aclrt
from aclrt import _call

DIGITS = Path(__file__).resolve().parents[2] / "examples/digits/digits.onnx"


@pytest.mark.parametrize("inputs", [0, 1, 2, 8])
@pytest.mark.parametrize("outputs", [0, 1, 4])
def test_the_source(inputs, outputs):
    """It is a function of each input's and output's properties, without loops."""
    (build,) = ast.parse(_call.source(inputs, outputs)).body
    assert isinstance(build, ast.FunctionDef)
    assert 3 * inputs + 3 * outputs + 5 == len(build.args.args)
    assert not [node for node in ast.walk(build) if isinstance(node, (ast.For, ast.While))]


@pytest.fixture
def model(tmp_path):
    with aclrt.OfflineModel(
        aclrt.convert(DIGITS, tmp_path / "digits.om", input_shape={"image": (1, 1, 8, 8)})
    ) as opened:
        yield opened


def fitting(model):
    (spec,) = model.inputs
    return np.zeros(spec.shape, spec.dtype)


def test_it_takes_what_is_exactly_right(model):
    """By place, by dict, by keyword; the result is the one of the full path."""
    x = fitting(model)
    (spec,) = model.inputs
    expected = model(x, cast="safe")[0]
    for args, named in [((x,), {}), (({spec.name: x},), {}), ((), {spec.name: x})]:
        result = model._quick(args, named)
        assert isinstance(result, aclrt.Result)
        np.testing.assert_array_equal(expected, result[model.outputs[0].name], strict=True)
        assert result.gear is None
        assert 0.0 == result.waste


def test_it_leaves_all_else(model):
    """To the checks, which say what is wrong; the device hears of nothing."""
    x = fitting(model)
    (spec,) = model.inputs
    before = aclrt.fake.ledger()["calls"]["aclmdlExecute"] if model(x) else 0
    strided = np.zeros((*spec.shape, 2), spec.dtype)[..., 0]
    for args, named in [
        ((), {}),
        ((x, x), {}),
        (({},), {}),
        (({"other": x},), {}),
        ((x,), {spec.name: x}),
        ((x.astype(np.float64),), {}),
        ((x[0],), {}),
        ((x.tolist(),), {}),
        ((x.view(np.matrix) if x.ndim == 2 else np.ma.masked_array(x),), {}),
        ((strided,), {}),
    ]:
        assert model._quick(args, named) is None
    assert before == aclrt.fake.ledger()["calls"]["aclmdlExecute"]
    assert _call.never((x,), {}) is None


def test_it_takes_outputs_that_are_exactly_right(model):
    """By place, by dict, alone; the result holds the arrays given, and they hold the outputs."""
    x = fitting(model)
    (spec,), (made,) = model.inputs, model.outputs
    expected = model(x)[0]
    for args, named in [((x,), {}), (({spec.name: x},), {}), ((), {spec.name: x})]:
        y = np.full(made.shape, np.nan, made.dtype)
        for out in (y, [y], (y,), {made.name: y}):
            y.fill(np.nan)
            result = model._quick_into(args, named, out)
            assert result[0] is y
            np.testing.assert_array_equal(expected, y, strict=True)


def test_it_leaves_outputs_that_are_not(model):
    """To the checks, before the device hears of the call."""
    x = fitting(model)
    (made,) = model.outputs
    y = np.empty(made.shape, made.dtype)
    read_only = y.copy()
    read_only.flags.writeable = False
    strided = np.zeros((*made.shape, 2), made.dtype)[..., 0]
    before = aclrt.fake.ledger()["calls"]["aclmdlExecute"] if model(x) else 0
    for out in (
        [],
        [y, y],
        [None],
        {},
        {"other": y},
        y.astype(np.float64),
        y[0],
        y.tolist(),
        np.ma.masked_array(y),
        read_only,
        strided,
    ):
        assert model._quick_into((x,), {}, out) is None
    assert model._quick_into((), {}, y) is None
    assert before == aclrt.fake.ledger()["calls"]["aclmdlExecute"]
    assert _call.never((x,), {}, y) is None


def test_outputs_that_share_memory_are_told_by_name(tmp_path):
    """The library finds the overlap; the message is that of the checks."""
    nodes = [helper.make_node("Identity", ["x"], [name]) for name in ("y", "z")]
    value = partial(helper.make_tensor_value_info, elem_type=TensorProto.FLOAT, shape=[4])
    graph = helper.make_graph(nodes, "twice", [value("x")], [value("y"), value("z")])
    onnx = tmp_path / "twice.onnx"
    onnx.write_bytes(
        helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
        ).SerializeToString()
    )
    with aclrt.OfflineModel(aclrt.convert(onnx, tmp_path / "twice.om")) as model:
        x, memory = np.ones(4, np.float32), np.empty(9, np.float32)
        model(x, out=[memory[:4], memory[4:8]])
        np.testing.assert_array_equal(np.ones(8, np.float32), memory[:8])
        with pytest.raises(aclrt.InputError, match="shares memory with output 'y'"):
            model(x, out={"z": memory[3:7], "y": memory[:4]})
        with pytest.raises(aclrt.InputError, match="shares memory with an input"):
            model(memory[4:8], out=[memory[:4], memory[5:9]])


def test_threads_share_no_frame(model):
    """Each result is that of its own input."""
    (spec,) = model.inputs
    rng = np.random.default_rng(3)
    inputs = [rng.random(spec.shape).astype(spec.dtype) for _ in range(4)]
    expected = [model(x)[0] for x in inputs]
    wrong = []

    def work(number):
        for _ in range(50):
            if not np.array_equal(expected[number], model(inputs[number])[0]):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == wrong


def test_a_failed_call_says_what_was_fed(model):
    """As one of the full path does."""
    x = fitting(model)
    model.close()
    with pytest.raises(aclrt.ClosedError):
        model(x)
