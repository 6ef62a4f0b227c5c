# SPDX-License-Identifier: Apache-2.0
"""`aclrt.bench`: figures that follow from the time stamps, and the right number of inferences."""

from __future__ import annotations

import json

import numpy as np
import pytest

import aclrt
import aclrt.bench
from aclrt.bench import loops, schema
from aclrt.bench.loops import Plan
from aclrt.bench.statistics import change, needed, percentile, summarise

MS = 1_000_000


class FakeClock:
    """Stands still until somebody waits or works."""

    def __init__(self, tick=0):
        self.time, self.tick = 1_000 * MS, tick

    def now(self):
        self.time += self.tick
        return self.time

    def wait_until(self, due):
        self.time = max(self.time, due)


def _loop(durations_ms, clock=None, **plan):
    clock = clock or FakeClock()
    calls = []

    def step(number):
        calls.append(number)
        clock.time += int(durations_ms[min(len(calls), len(durations_ms)) - 1] * MS)

    settings = {"iterations": None, "duration_s": None, "warmup": 0, "warmup_s": 0, "rate": None}
    return loops.measure([step], Plan(**{**settings, **plan}), clock), calls


@pytest.mark.parametrize("percent", [0.1, 1, 50, 90, 99, 99.9, 100])
@pytest.mark.parametrize("size", [1, 2, 7, 999, 1001])
def test_statistics_are_numpys(size, percent):
    """Nearest rank is inverted_cdf; mean and deviation are the usual ones."""
    samples = np.random.default_rng(size).integers(1, 10**9, size)
    expected = np.percentile(samples, percent, method="inverted_cdf")
    assert expected == percentile(np.sort(samples), percent)
    figures = summarise(samples, (percent,))
    assert figures.mean_ms == pytest.approx(np.mean(samples) / MS)
    assert figures.std_ms == pytest.approx(np.std(samples, ddof=1) / MS if size > 1 else 0)
    assert (samples.min() / MS, samples.max() / MS) == (figures.min_ms, figures.max_ms)


def test_percentiles_are_exact_where_floats_are_not():
    """The 999th of 1000 is not exceeded by 99.9 %, though 0.999 is no binary fraction."""
    assert 999 == percentile(np.arange(1, 1001), 99.9)


def test_samples_that_a_percentile_needs():
    """Ten above it."""
    assert [20, 1000, 10000, 1] == [needed(p) for p in (50, 99, 99.9, 100)]


def test_the_closed_loop_stops_by_iterations_and_by_time():
    """Whichever comes first."""
    samples, calls = _loop([2], iterations=5)
    assert [2 * MS] * 5 == (samples.end - samples.begin).tolist()
    assert [*range(5)] == calls
    samples, _ = _loop([2], duration_s=0.007)
    assert 4 == len(samples.end)
    samples, _ = _loop([2], iterations=3, duration_s=0.007)
    assert 3 == len(samples.end)


def test_warm_up_by_count_and_by_time():
    """At least both."""
    assert 5 == _loop([2], iterations=1, warmup=5)[0].warmed
    assert 4 == _loop([2], iterations=1, warmup_s=0.007)[0].warmed
    assert 6 == _loop([2], iterations=1, warmup=6, warmup_s=0.007)[0].warmed


def test_the_open_loop_charges_a_stall_to_all_that_waited():
    """One call of 10 ms at 1 per 2 ms: the four after it were due meanwhile."""
    samples, _ = _loop([10, 1], iterations=7, rate=500)
    latency = (samples.end - samples.due) / MS
    assert [10, 9, 8, 7, 6, 5, 4] == latency.tolist()
    assert [10, 1, 1, 1, 1, 1, 1] == ((samples.end - samples.begin) / MS).tolist()
    samples, _ = _loop([0.5], rate=500, duration_s=0.01)
    assert 5 == len(samples.end)
    assert [0.5] * 5 == ((samples.end - samples.due) / MS).tolist()


def test_threads_share_the_iterations_and_an_error_ends_all():
    """Each number is taken once; what one step raises comes out."""
    calls = [[], []]
    plan = Plan(100, None, 2, 0, None)
    samples = loops.measure([calls[0].append, calls[1].append], plan, loops.SystemClock())
    assert [*range(100)] == sorted(calls[0][2:] + calls[1][2:])
    assert (100, 4, False) == (len(samples.end), samples.warmed, samples.is_partial)

    def fail(number):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        loops.measure([fail, calls[0].append], plan, loops.SystemClock())


def test_an_interrupt_keeps_what_was_measured(pair, image, mask):
    """Marked partial, and carried by the exception."""
    seen = []

    class Interrupting(FakeClock):
        def now(self):
            seen.append(1)
            if len(seen) == 14:
                raise KeyboardInterrupt
            return super().now()

    with pytest.raises(aclrt.bench.BenchInterrupted) as caught:
        aclrt.bench.run(pair, warmup=0, feeds=[image, mask], clock=Interrupting(tick=MS))
    result = caught.value.result
    assert result.is_partial
    assert 0 < result.iterations < 10
    assert "interrupted" in result.cautions[0]


def test_the_figures_follow_from_the_clock(pair, image, mask):
    """A clock that ticks 1 ms a reading: each call takes one tick, and so does the gap."""
    result = aclrt.bench.run(pair, iterations=10, feeds=[image, mask], clock=FakeClock(MS))
    assert [MS] * 10 == result.latency_ns.tolist()
    assert (1, 1, 1) == (result.p50_ms, result.p90_ms, result.p99_ms)
    assert result.wall_s == pytest.approx(0.020)
    assert result.throughput_per_s == pytest.approx(500) == pytest.approx(result.samples_per_s)
    assert ("", 10, 1, 1, (0,)) == (
        result.model,
        result.warmup,
        result.threads,
        result.instances,
        result.devices,
    )
    phases = {phase.name: phase for phase in result.phases}
    assert (0, 0, 1) == tuple(phases[n].count for n in ("open", "load", "first"))
    for name in ("h2d", "device", "d2h", "host"):  # by a clock that is not the device's
        assert (0, None) == (phases[name].count, phases[name].mean_ms)
        assert "not measured" in phases[name].note
    assert "10 samples are too few for p50, p90, p99: take 1000" in result.cautions[0]
    assert "not a card's" in result.cautions[1]


def test_the_right_number_of_inferences(om_factory, tmp_path, live_objects):
    """The first, the warm-up of two threads, the iterations, the traced; all is closed."""
    path = tmp_path / "m.om"
    path.write_bytes(om_factory.two_in_two_out())
    before = aclrt.fake.ledger()["calls"].get("aclmdlExecute", 0)
    live = live_objects()
    result = aclrt.bench.run(path, iterations=7, warmup=3, threads=2, instances=2)
    traced = 4 + 7  # for the phases, with a warm-up of their own
    assert 1 + 6 + 7 + traced == aclrt.fake.ledger()["calls"]["aclmdlExecute"] - before
    assert (7, 6, str(path)) == (result.iterations, result.warmup, result.model)
    assert live == live_objects()
    assert result.memory["device_used_bytes"] > 0
    assert result.memory["host_peak_bytes"] >= result.memory["host_after_run_bytes"] > 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"iterations": 0},
        {"warmup": -1},
        {"threads": 0},
        {"duration_s": 0},
        {"rate": -1},
        {"percentiles": (0,)},
        {"instances": 2, "threads": 1},
        {"device_id": (0, 0)},
        {"output_format": "txt"},
    ],
)
def test_what_is_out_of_range_is_refused(wrong, pair):
    """Before anything is run."""
    with pytest.raises(aclrt.InputError):
        aclrt.bench.run(pair, **wrong)


def test_power_is_refused_on_the_fake(pair):
    """It has none."""
    with pytest.raises(aclrt.InputError, match="no power"):
        aclrt.bench.run(pair, power=True)


def test_the_report_is_of_its_schema(om_factory, tmp_path):
    """JSON, CSV and HTML; a field more or of another type is refused."""
    path = tmp_path / "m<1>.om"
    path.write_bytes(om_factory.two_in_two_out())
    config = aclrt.bench.BenchConfig(models=(str(path),), iterations=40, goal="throughput")
    report = aclrt.bench.measure(config)
    document = json.loads(report.to_json())
    schema.check(document, schema.REPORT, "it")
    assert report.best is not None
    assert (report.is_partial, report.skipped, report.created) == (False, (), document["created"])
    assert report.machine["backend"] == "fake"
    rows = report.to_csv().splitlines()
    assert len(report.runs) + 1 == len(rows)
    page = report.to_html()
    assert "m&lt;1&gt;.om" in page
    assert "m<1>" not in page
    for outside in ("http", "src=", "href=", "url(", "<script"):
        assert outside not in page
    document["runs"][0]["batch"] = "1"
    with pytest.raises(aclrt.InputError, match=r"runs\[0\].batch must be integer"):
        schema.check(document, schema.REPORT, "it")


def test_intervals_cover_the_truth_and_shrink_with_samples():
    """A shift of 10 % is found, none is not; four times the samples halve the interval."""
    rng = np.random.default_rng(1)

    def median(rows):
        return np.median(rows, axis=-1)

    old, new = rng.normal(100, 5, 2000), rng.normal(110, 5, 2000)
    relative, low, high = change(old, new, median, confidence=0.95)
    assert low < 0.10 < high
    assert relative == pytest.approx(np.median(new) / np.median(old) - 1)
    _, same_low, same_high = change(old, rng.normal(100, 5, 2000), median, confidence=0.95)
    assert same_low < 0 < same_high
    _, few_low, few_high = change(old[:200], new[:200], median, confidence=0.95)
    assert few_high - few_low > 2 * (high - low)
