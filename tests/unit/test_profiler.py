# SPDX-License-Identifier: Apache-2.0
"""`aclrt.Profiler`: figures that follow from the stamps, and nothing at all where it is off."""

from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np
import pytest

import aclrt
from aclrt import profiler as module
from aclrt.bench import schema
from aclrt.profiler import PhaseReport, ProfileReport

MS = 1_000_000


class Clock:
    """Moves on when told to."""

    def __init__(self) -> None:
        self.now = 5 * MS

    def perf_counter_ns(self) -> int:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def test_the_figures_follow_from_the_stamps(clock: Clock) -> None:
    """Count, mean, percentiles, throughput and share of a hundred blocks of 1 to 100 ms."""
    with aclrt.Profiler(percentiles=(50, 90, 99.9)) as profiler:
        for length in range(100, 0, -1):
            with profiler.phase("model"):
                clock.now += length * MS
            clock.now += MS
    clock.now += 999 * MS  # after the block: not part of it
    report = profiler.report()
    assert isinstance(report, ProfileReport)
    assert report.wall_s == pytest.approx(5.15)
    phase = report["model"]
    assert isinstance(phase, PhaseReport)
    assert (phase.count, phase.mean_ms, phase.min_ms, phase.max_ms) == (100, 50.5, 1, 100)
    assert phase.percentiles == {50: 50, 90: 90, 99.9: 100}
    assert phase.total_s == pytest.approx(5.05)
    assert phase.per_s == pytest.approx(100 / 5.149)
    assert (phase.host_peak_bytes, phase.device_peak_bytes) == (None, None)
    text = str(report)
    assert "p99.9 ms" in text
    assert "98.1%" in text
    assert "host" not in text
    with pytest.raises(KeyError):
        report["none"]


def test_phases_nest_and_survive_errors(clock: Clock) -> None:
    """An outer block has the time of the inner ones; one that raises is counted."""
    profiler = aclrt.Profiler()

    @profiler.wrap
    def fail() -> None:
        with profiler.phase("inner"):
            clock.now += MS
        with profiler.phase("inner"):
            clock.now += MS
        raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    report = profiler.report()
    assert [phase.name for phase in report.phases] == ["inner", fail.__qualname__]
    assert (report[fail.__qualname__].mean_ms, report["inner"].count) == (2, 2)
    profiler.reset()
    assert profiler.report().phases == ()
    assert "no phase" in str(profiler.report())


def test_functions_are_wrapped(clock: Clock) -> None:
    """Under their own name, which they keep."""
    profiler = aclrt.Profiler()

    @profiler.wrap
    def work(value: int) -> int:
        """Doc."""
        clock.now += value * MS
        return value

    assert work(3) == 3
    assert work.__doc__ == "Doc."
    (phase,) = profiler.report().phases
    assert phase.name.endswith("work")
    assert phase.max_ms == 3


def test_off_is_off() -> None:
    """One shared empty block, functions as they are, an empty report."""
    profiler = aclrt.Profiler(enabled=False, memory=True)
    assert not profiler.is_enabled
    assert profiler.phase("a") is profiler.phase("b")
    with profiler.phase("a"):
        pass

    def work() -> None: ...

    assert profiler.wrap(work) is work
    assert profiler.report().phases == ()


def test_memory_is_the_most_that_was_seen(om_factory: Any) -> None:
    """Of the process and of the device, at the ends of the phase's blocks."""
    with aclrt.OfflineModel(om_factory.identity()) as model:
        profiler = aclrt.Profiler(memory=True, device=model.device)
        with profiler.phase("model"):
            model(np.zeros(model.inputs[0].shape, np.float32))
        phase = profiler.report()["model"]
        memory = model.device.memory
    assert phase.host_peak_bytes is not None
    assert phase.host_peak_bytes > 2**20
    assert phase.device_peak_bytes is not None
    assert 0 < phase.device_peak_bytes <= memory.total
    assert "device MiB" in str(profiler.report())


def test_threads_share_a_profiler() -> None:
    """No block is lost."""
    profiler = aclrt.Profiler()

    def work() -> None:
        for _ in range(200):
            with profiler.phase("x"):
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert profiler.report()["x"].count == 800


def test_the_report_is_json(clock: Clock, tmp_path: Any) -> None:
    """With the schema's name, and percentiles by their text."""
    profiler = aclrt.Profiler()
    with profiler.phase("x"):
        clock.now += MS
    profiler.save(tmp_path / "p.json")
    document = json.loads((tmp_path / "p.json").read_text())
    assert document == json.loads(profiler.report().to_json()) == profiler.report().to_dict()
    assert document["schema"] == "aclrt-profile/1"
    schema.check(document, "aclrt-profile/1", "the report")
    assert document["phases"][0]["percentiles"] == {"50": 1, "90": 1, "99": 1}


def test_percentiles_have_a_range() -> None:
    """Above 0, up to 100, at least one."""
    for wrong in ((), (0,), (101,)):
        with pytest.raises(aclrt.InputError):
            aclrt.Profiler(percentiles=wrong)
