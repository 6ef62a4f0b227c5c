# SPDX-License-Identifier: Apache-2.0
"""``model.batches``: single samples in, the result of each sample out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from onnx import TensorProto, helper

import aclrt

FLOAT = TensorProto.FLOAT


def value(name, dims):
    return helper.make_tensor_value_info(name, FLOAT, dims)


@pytest.fixture
def dynamic(tmp_path):
    """x (N, 3), with N and the way it varies given -> y = -x."""
    models = []

    def run(**keywords):
        graph = helper.make_graph(
            [helper.make_node("Neg", ["x"], ["y"])],
            "g",
            [value("x", ["N", 3])],
            [value("y", ["N", 3])],
        )
        onnx = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        path = aclrt.convert(onnx, tmp_path / f"m{len(models)}.om", **keywords)
        models.append(aclrt.OfflineModel(path))
        return models[-1]

    yield run
    for model in models:
        model.close()


@pytest.fixture
def gears(dynamic):
    """Batches of 1, 4 or 8."""
    return dynamic(input_shape={"x": (-1, 3)}, dynamic_batch_size=(1, 4, 8))


def samples(count):
    return [np.full(3, number, np.float32) for number in range(count)]


def executions(run):
    """How often the model ran meanwhile."""
    before = aclrt.fake.ledger()["calls"].get("aclmdlExecute", 0)
    run()
    return aclrt.fake.ledger()["calls"].get("aclmdlExecute", 0) - before


@pytest.mark.parametrize(("count", "runs"), [(0, 0), (1, 1), (7, 2), (8, 2), (9, 3)])
def test_every_sample_gets_its_result_in_order(om_factory, count, runs):
    """The last batch of a fixed size is filled up; what belongs to the filling is dropped."""
    with aclrt.OfflineModel(om_factory.identity("float32", (4, 3))) as model:
        results = []
        done = executions(lambda: results.extend(model.batches(samples(count))))
        assert (count, runs) == (len(results), done)
        for number, result in enumerate(results):
            np.testing.assert_array_equal(np.full(3, number), result["y"])
            assert (3,) == result[0].shape
        if count == 7:
            assert [0.0] * 4 + [0.25] * 3 == [result.waste for result in results]


@pytest.mark.parametrize(
    ("size", "expected"), [(None, [8] * 16 + [4] * 3), (8, [8] * 16 + [4] * 3), (4, [4] * 19)]
)
def test_the_last_batch_takes_the_smallest_gear(gears, size, expected):
    """19 samples: two full batches and three in a gear of four, or five of four."""
    results = list(gears.batches(iter(samples(19)), size))
    assert [(gear,) for gear in expected] == [result.gear for result in results]
    np.testing.assert_array_equal(-np.stack(samples(19)), [r["y"] for r in results])
    assert pytest.approx(0.25) == results[-1].waste


def test_a_range_needs_no_filling(dynamic):
    """The last batch is as large as what is left."""
    model = dynamic(input_shape_range={"x": ((1, 6), 3)})
    results = list(model.batches(samples(8)))
    assert 8 == len(results)
    assert {0.0} == {result.waste for result in results}
    with pytest.raises(aclrt.InputError, match="the largest is 6"):
        model.batches([], 7)
    unlimited = dynamic(input_shape_range={"x": ((1, -1), 3)})
    assert 5 == len(list(unlimited.batches(samples(5), batch_size=3)))
    with pytest.raises(aclrt.InputError, match="takes any batch"):
        unlimited.batches(samples(5))


def test_samples_are_taken_as_they_are_needed(gears):
    """An endless source is read one batch at a time."""
    taken = []

    def source():
        for number in itertools.count():
            taken.append(number)
            yield np.full(3, number, np.float32)

    results = gears.batches(source(), batch_size=4)
    assert [] == taken
    assert 0 == next(results)["y"][0]
    assert 4 == len(taken)
    for _ in range(4):
        next(results)
    assert 8 == len(taken)


def test_samples_are_arrays_tuples_or_dicts(om_factory):
    """In the order of the inputs, or by name; each result by output name."""
    om = om_factory(
        [("Neg", ["a"], ["minus"]), ("Not", ["b"], ["no"])],
        [("a", "float32", (2, 3)), ("b", "bool", (2,))],
        [("minus", "float32", (2, 3)), ("no", "bool", (2,))],
    )
    a, b = np.ones(3, np.float32), np.array(True)
    with aclrt.OfflineModel(om) as model:
        results = list(model.batches([(a, b), {"b": b, "a": a}, (a, b)]))
        assert 3 == len(results)
        for result in results:
            np.testing.assert_array_equal(-a, result["minus"])
            assert not result["no"]
            assert () == result["no"].shape
        with pytest.raises(aclrt.InputError, match="sample 1"):
            list(model.batches([(a, b), (a,)]))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (np.zeros((1, 3), np.float32), "rank is 2, not 1"),
        (np.zeros(3), "dtype is float64"),
        ([0.0, 1.0, 2.0], "is a list"),
        ({"z": np.zeros(3, np.float32)}, "no such input"),
    ],
)
def test_a_sample_that_does_not_fit_is_named(gears, wrong, words):
    """By its number, when its turn comes; the batches before it are done."""
    results = gears.batches([*samples(9), wrong], batch_size=8)
    assert 8 == len(list(itertools.islice(results, 8)))
    with pytest.raises(aclrt.InputError, match=r"sample 9\b") as caught:
        next(results)
    assert words in str(caught.value)


def test_casting_is_asked_for(gears):
    """As for a call."""
    half = [sample.astype(np.float16) for sample in samples(3)]
    results = list(gears.batches(half, cast="safe"))
    np.testing.assert_array_equal(-np.stack(samples(3)), [r[0] for r in results])


@pytest.mark.parametrize("size", [0, -1, 3, 2.0, "8"])
def test_a_wrong_batch_size_is_refused_at_once(gears, size):
    """Before any sample is taken, with the sizes that there are."""
    with pytest.raises(aclrt.InputError, match="batch") as caught:
        gears.batches([], size)
    if size == 3:
        assert "1, 4, 8" in str(caught.value)


def test_samples_of_one_batch_have_one_shape(tmp_path):
    """Where other dims vary too, the first sample of a batch decides."""
    graph = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["y"])],
        "g",
        [value("x", ["N", "L"])],
        [value("y", ["N", "L"])],
    )
    onnx = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = aclrt.convert(onnx, tmp_path / "m", input_shape_range={"x": ((1, 4), (1, -1))})
    with aclrt.OfflineModel(path) as model:
        mixed = [np.ones(length, np.float32) for length in (2, 2, 5, 5)]
        assert [2, 2, 5, 5] == [r[0].size for r in model.batches(mixed, 2)]
        with pytest.raises(aclrt.InputError, match="in sample 2"):
            list(model.batches(mixed, 4))


def test_models_without_a_batch_are_refused(om_factory):
    """Inputs that share no first axis at once, outputs without rows at the first result."""
    om = om_factory(
        [("Neg", ["a"], ["y"]), ("Neg", ["b"], ["z"])],
        [("a", "float32", (2, 3)), ("b", "float32", (3, 3))],
        [("y", "float32", (2, 3)), ("z", "float32", (3, 3))],
    )
    with aclrt.OfflineModel(om) as model, pytest.raises(aclrt.InputError, match="no common batch"):
        model.batches([])
    total = om_factory(
        [("ReduceSum", ["x"], ["total"], {"keepdims": 0})],
        [("x", "float32", (2, 3))],
        [("total", "float32", ())],
    )
    with (
        aclrt.OfflineModel(total) as model,
        pytest.raises(aclrt.InputError, match="no row for each sample"),
    ):
        next(model.batches(samples(2)))


def test_a_closed_model_ends_the_stream(gears):
    """With the error of any other call."""
    results = gears.batches(samples(16), batch_size=8)
    next(results)
    gears.close()
    with pytest.raises(aclrt.ClosedError):
        list(results)
