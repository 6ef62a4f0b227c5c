# SPDX-License-Identifier: Apache-2.0
"""`aclrt.bench`: figures that follow from the time stamps, and the right number of inferences."""

from __future__ import annotations

import json
from itertools import count

import numpy as np
import pytest

import aclrt
import aclrt.bench
from aclrt.bench import runner
from aclrt.bench.result import from_stamps, percentile


def _result(milliseconds, backend="npu"):
    stamps = np.cumsum([7, *milliseconds]) * 1_000_000
    return from_stamps(
        stamps,
        model="m.om",
        backend=backend,
        device_id=0,
        soc_name="Ascend310P3",
        warmup=3,
        load_ns=5_000_000,
        first_ns=9_000_000,
    )


@pytest.mark.parametrize(
    ("samples", "percent", "expected"),
    [([1], 50, 1), ([1], 99, 1), ([1, 2], 50, 1), ([1, 2], 51, 2), ([1, 2, 3], 50, 2)],
)
def test_percentiles_are_samples(samples, percent, expected):
    """Nearest rank: nothing is interpolated."""
    assert expected == percentile(np.array(samples), percent)


def test_the_figures_follow_from_the_stamps():
    """100 inferences of 1 to 100 ms, in any order."""
    order = np.random.default_rng(0).permutation(np.arange(1, 101))
    result = _result(order)
    assert (50, 90, 99) == (result.p50_ms, result.p90_ms, result.p99_ms)
    assert (1, 50.5, 100) == (result.min_ms, result.mean_ms, result.max_ms)
    assert (5, 9) == (result.load_ms, result.first_ms)
    assert (100, 3) == (result.iterations, result.warmup)
    assert result.wall_s == pytest.approx(5.05)
    assert result.throughput_per_s == pytest.approx(100 / 5.05)
    assert (order * 1_000_000).tolist() == result.samples_ns.tolist()


def test_throughput_comes_from_wall_time():
    """One slow inference counts with its whole duration: 1000 in 1999 ms."""
    result = _result([1] * 999 + [1000])
    assert (1, 1) == (result.p50_ms, result.p99_ms)
    assert result.throughput_per_s == pytest.approx(1000 / 1.999)


def test_cautions():
    """Too few samples for p99, and figures that are not a card's."""
    assert () == _result([1] * 1000).cautions
    (few,) = _result([1] * 999).cautions
    assert "too few for p99" in few
    (fake,) = _result([1] * 1000, backend="fake").cautions
    assert "not a card's" in fake


def test_an_open_model_is_measured_and_stays_open(pair, image, mask):
    """First, warm-up and iterations are all there are; no loading is reported."""
    before = aclrt.fake.ledger()["calls"].get("aclmdlExecute", 0)
    result = aclrt.bench.run(pair, iterations=7, warmup=3, feeds={"image": image, "mask": mask})
    assert 1 + 3 + 7 == aclrt.fake.ledger()["calls"]["aclmdlExecute"] - before
    assert ("", None, 7, 3) == (result.model, result.load_ms, result.iterations, result.warmup)
    assert 7 == len(result.samples_ns)
    np.testing.assert_array_equal(-image, pair(image, mask)["probs"])


def test_a_file_is_loaded_and_closed(om_factory, tmp_path, live_objects):
    """The data is made up; a path of either kind works."""
    path = tmp_path / "m.om"
    path.write_bytes(om_factory.two_in_two_out())
    before = live_objects()
    for source in (path, str(path)):
        result = aclrt.bench.run(source, iterations=2, warmup=0)
        assert str(path) == result.model
        assert result.load_ms > 0
    assert before == live_objects()


def test_samples_have_no_gaps(pair, image, mask, monkeypatch):
    """With a clock that ticks once a reading each sample is one tick, and so is the wall."""
    ticks = count()
    monkeypatch.setattr(runner, "_clock", lambda: next(ticks))
    result = aclrt.bench.run(pair, iterations=10, warmup=0, feeds=[image, mask])
    assert [1] * 10 == result.samples_ns.tolist()
    assert result.wall_s == pytest.approx(10e-9)


def test_to_dict_can_be_written_as_json(pair):
    """All figures, without the samples."""
    figures = aclrt.bench.run(pair, iterations=2, warmup=0).to_dict()
    assert figures == json.loads(json.dumps(figures))
    assert "samples_ns" not in figures


@pytest.mark.parametrize("numbers", [{"iterations": 0}, {"iterations": 1, "warmup": -1}])
def test_numbers_out_of_range_are_refused(numbers, pair):
    """Before anything is run."""
    with pytest.raises(aclrt.InputError, match="at least"):
        aclrt.bench.run(pair, **numbers)


def test_feeds_that_do_not_fit_are_refused(pair, image):
    """By the model, in its own words, before anything is measured."""
    with pytest.raises(aclrt.InputError, match="mask"):
        aclrt.bench.run(pair, iterations=1, warmup=0, feeds={"image": image})
