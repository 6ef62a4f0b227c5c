# SPDX-License-Identifier: Apache-2.0
"""``model.bind``: runs on arrays that stay the same."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest
from onnx import TensorProto, helper

import aclrt
from aclrt import Binding, ClosedError, InputError


def convert(path, shape=(2, 3), **options):
    """sum = a + b, difference = a - b."""
    ends = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name in ("a", "b", "sum", "difference")
    }
    graph = helper.make_graph(
        [
            helper.make_node("Add", ["a", "b"], ["sum"], "add"),
            helper.make_node("Sub", ["a", "b"], ["difference"], "sub"),
        ],
        "g",
        [ends["a"], ends["b"]],
        [ends["sum"], ends["difference"]],
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])
    return aclrt.convert(model, path, **options)


@pytest.fixture
def model(tmp_path):
    with aclrt.OfflineModel(convert(tmp_path / "m.om")) as opened:
        yield opened


@pytest.fixture
def a():
    return np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def b():
    return np.full((2, 3), 10, np.float32)


def test_ways_of_binding(model, a, b):
    """By keyword, by dict, by place; outputs that are not given are allocated once."""
    out = np.empty((2, 3), np.float32)
    for step in (
        model.bind(a=a, b=b, sum=out),
        model.bind({"a": a, "b": b}, {"sum": out}),
        model.bind([a, b], [out, None]),
        model.bind({"a": a}, b=b, sum=out),
        model.bind((a, b), sum=out),
    ):
        assert isinstance(step, Binding)
        result = step()
        assert result is step()
        assert result is step.outputs
        assert out is result["sum"]
        assert a is step.inputs["a"]
        np.testing.assert_array_equal(a + b, out)
        np.testing.assert_array_equal(a - b, result[1], strict=True)
        assert "Binding of m.om: a: float32 (2, 3)" in repr(step)
        step.close()


def test_a_step_reads_what_is_there_then(model, a, b):
    """Also through a view."""
    with model.bind([a, b]) as step:
        step()
        a[...] = 7
        np.testing.assert_array_equal(np.full((2, 3), 17), step()["sum"])


def test_the_calls_of_a_step(model, a, b):
    """Two copies in, two out, one execution, at most one look at the context; nothing else."""
    step = model.bind([a, b])
    step()
    before = aclrt.fake.ledger()["calls"]
    step()
    after = aclrt.fake.ledger()["calls"]
    made = {name: after[name] - before.get(name, 0) for name in after}
    assert {"aclrtMemcpy": 4, "aclmdlExecute": 1, "aclrtGetCurrentContext": 1} == {
        name: count for name, count in made.items() if count
    }


def test_what_does_not_fit_is_refused(model, a, b):
    """At once, not at the first step."""
    frozen = b.copy()
    frozen.flags.writeable = False
    for arguments, named, message in [
        ([], {}, "missing"),
        ([[a]], {}, "missing"),
        ([[a, b, a]], {}, "too many"),
        ([], {"a": a, "b": b, "smu": b}, "smu"),
        ([{"a": a, "b": b}], {"a": a}, "given twice"),
        ([[a, b], [frozen, None]], {}, "read-only"),
        ([[a, b], [b, None]], {}, "shares memory"),
        ([[a, b], [None]], {}, "2 outputs"),
        ([[a, b], [None, None]], {"sum": b}, "not both"),
        ([[a, b[:, ::-1]]], {}, "cannot be bound"),
        ([[a, b.astype(np.float64)]], {}, "dtype is float64"),
        ([[a, b[:1]]], {}, "dim 0 is 1"),
        ([[a, memoryview(b)]], {}, "cannot be bound"),
    ]:
        with pytest.raises(InputError, match=message):
            model.bind(*arguments, **named)


def test_closing(model, a, b):
    """A closed binding, or model, refuses; closing twice is fine."""
    step = model.bind([a, b])
    with step as same:
        assert same is step
        step()
    assert step.is_closed
    step.close()
    assert {} == dict(step.inputs)
    with pytest.raises(ClosedError, match="the binding is closed"):
        step()
    with pytest.raises(ClosedError):
        step.__enter__()
    with pytest.raises(TypeError):
        pickle.dumps(step)
    other = model.bind([a, b])
    model.close()
    with pytest.raises(ClosedError, match="the model is closed"):
        other()
    with pytest.raises(ClosedError):
        model.bind([a, b])


def test_arrays_are_kept_alive_and_in_place(model, b):
    """NumPy cannot move what is bound."""
    array = np.ones((2, 3), np.float32)
    step = model.bind([array, b])
    with pytest.raises(ValueError, match="resize"):
        array.resize((4, 3))
    del array
    np.testing.assert_array_equal(np.full((2, 3), 11), step()["sum"])


def test_it_keeps_the_model(tmp_path, a, b):
    """A model that is dropped lives on."""
    step = aclrt.OfflineModel(convert(tmp_path / "m.om")).bind([a, b])
    np.testing.assert_array_equal(a + b, step()[0])


def test_gears(tmp_path, a, b):
    """Each binding runs with the gear of its arrays."""
    path = convert(
        tmp_path / "g.om",
        ("n", 3),
        input_shape={"a": (-1, 3), "b": (-1, 3)},
        dynamic_batch_size=[1, 2],
    )
    with aclrt.OfflineModel(path) as model:
        two, one = model.bind([a, b]), model.bind([a[:1], b[:1]])
        for _ in range(2):
            np.testing.assert_array_equal(a + b, two()["sum"], strict=True)
            np.testing.assert_array_equal((a - b)[:1], one()["difference"], strict=True)
        with pytest.raises(InputError):
            model.bind([np.ones((3, 3), np.float32), np.ones((3, 3), np.float32)])


def test_threads_take_turns(model, a, b):
    """Steps of one binding and calls of the model, all at once."""
    step = model.bind([a, b])
    wrong = []

    def work():
        for _ in range(50):
            if not np.array_equal(step()["sum"], a + b) or not np.array_equal(
                model(a, b)[0], a + b
            ):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == wrong


def test_memory_that_is_bound_cannot_be_given_back(model, a):
    """Although NumPy would let go of it; closing the binding lets go."""
    lender = bytearray(model.outputs[0].nbytes)
    out = np.ndarray(model.outputs[0].shape, model.outputs[0].dtype, lender)
    step = model.bind([a] * len(model.inputs), [out, *[None] * (len(model.outputs) - 1)])
    with pytest.raises(BufferError):
        lender.clear()
    step()
    step.close()
    lender.clear()


def test_a_step_refuses_what_a_run_in_flight_has(model, a, b):
    """At once, though the device hangs: which output it is, and what to do. Afterwards it steps."""
    faults = aclrt.fake.faults
    mine, read, flown = (np.ones((2, 3), np.float32) for _ in range(3))
    into = model.bind(a=a, b=b, sum=mine, difference=flown)
    of_input = model.bind(a=a, b=b, sum=read)
    fed = model.bind(a=flown, b=b)
    faults.clear()
    with faults.fault(function="aclmdlExecute", action="hang", ms=600_000, persistent=True):
        future = model.submit(a.copy(), read, out={"difference": flown})
        while not faults.fired():
            pass
        for step, message in (
            (into, 'output "difference" is in use by a run in flight'),
            (of_input, 'output "sum" is in use by a run in flight'),
            (fed, 'input "a" is the memory that a run in flight writes'),
        ):
            with pytest.raises(InputError, match=message) as refused:
                step()
            assert "Wait for that run" in refused.value.hint
        assert future.cancel()
        with pytest.raises(InputError, match='output "sum" is in use'):
            of_input()  # the device has it still
        faults.clear()
    model.submit(a, b).result(600)
    np.testing.assert_array_equal(a + b, of_input()["sum"])
    fed()
