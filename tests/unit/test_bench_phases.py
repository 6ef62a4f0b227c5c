# SPDX-License-Identifier: Apache-2.0
"""The phases of a benchmark, held against boards whose times are known; which shapes are measured.

Time is the fake device's virtual clock, so figures are exact and nothing depends on this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import aclrt
from aclrt import bench, tracing
from aclrt.bench import loops, phases, shapes
from aclrt.bench.loops import Plan

US = 1000


def measured(model: Path, *flags: str, **variables: str) -> dict[str, Any]:
    """The one run of `aclrt bench` in a process of its own, in virtual time."""
    done = subprocess.run(
        [sys.executable, "-m", "aclrt", "bench", str(model), "--json", *flags],
        env=os.environ | {"ACLRT_FAKE_SEED": "1"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    run["phases"] = {phase["name"]: phase for phase in run["phases"]}
    return run


@pytest.fixture
def pair(om_factory: Any, tmp_path: Path) -> Path:
    """A model with two inputs and two outputs."""
    path = tmp_path / "pair.om"
    path.write_bytes(om_factory.two_in_two_out())
    return path


@pytest.mark.parametrize("flags", [[], ["--threads", "2"]])
def test_fixed_times_come_out(pair: Path, flags: list[str]) -> None:
    """Two copies of 100 us, an execution of 3 ms, two copies of 250 us, nothing for the host."""
    times = {"H2D": "100", "COMPUTE": "3000", "D2H": "250"}
    variables = {f"ACLRT_FAKE_{name}_US": value for name, value in times.items()}
    run = measured(pair, "--iterations", "40", *flags, **variables)
    found = {name: phase["min_ms"] for name, phase in run["phases"].items()}
    assert found["h2d"] == pytest.approx(0.2, rel=1e-6)
    assert found["device"] == pytest.approx(3.0, rel=1e-6)
    assert found["d2h"] == pytest.approx(0.5, rel=1e-6)
    if flags != ["--threads", "2"]:  # which wait for each other's runs
        assert found["host"] == pytest.approx(0, abs=1e-6)
        assert found["end_to_end"] == pytest.approx(3.7, rel=1e-6)
    assert "virtual clock" in " ".join(run["cautions"])
    assert run["phases"]["h2d"]["count"] == 10
    rows = [row["row"] for row in run["timeline"]]
    assert {"run 0", "H2D", "compute", "D2H"} <= set(rows)
    assert all(0 <= row["begin_ns"] <= row["end_ns"] for row in run["timeline"])
    if not flags:
        assert run["throughput_per_s"] == pytest.approx(1000 / 3.7, rel=1e-6)


@pytest.mark.parametrize("board", ["atlas300i", "atlas300i-pro", "atlas300i-duo"])
def test_the_times_of_a_board_come_out(board: str, om_factory: Any, tmp_path: Path) -> None:
    """Copies by the board's bandwidth, from its own trace of what its engines did."""
    path = tmp_path / "model.om"
    path.write_bytes(om_factory.identity(shape=(256, 1024)))
    code = (
        "import json, sys, numpy as np, aclrt\n"
        "with aclrt.OfflineModel(sys.argv[1]) as model:\n"
        "    model(np.zeros((256, 1024), np.float32))\n"
        "    rows = aclrt.fake.trace()\n"
        "print(json.dumps({r['engine']: (r['end_us'] - r['begin_us']) / 1000 for r in rows}))\n"
    )
    variables = {"ACLRT_FAKE_PROFILE": board}
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env=os.environ | {"ACLRT_FAKE_SEED": "1"} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    known = json.loads(done.stdout)
    found = measured(path, "--iterations", "20", **variables)["phases"]
    for engine, phase in (("h2d", "h2d"), ("compute", "device"), ("d2h", "d2h")):
        assert known[engine] > 0
        assert found[phase]["mean_ms"] == pytest.approx(known[engine], rel=0.05)
    assert found["end_to_end"]["mean_ms"] == pytest.approx(sum(known.values()), rel=0.05)


@pytest.mark.parametrize("flags", [["--duration", "1"], ["--warmup-time", "1"], ["--rate", "5"]])
def test_virtual_time_waits_for_nobody(pair: Path, flags: list[str]) -> None:
    """What would never be over is refused at once."""
    done = subprocess.run(
        [sys.executable, "-m", "aclrt", "bench", str(pair), *flags],
        env=os.environ | {"ACLRT_FAKE_SEED": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "virtual" in done.stderr
    assert "iterations" in done.stderr


def spans(*rows: tuple[int, int, int, int]) -> Any:
    """(lane, thread, begin, end) each."""
    found = np.zeros(len(rows), tracing._SPAN)
    for row, values in zip(found, rows, strict=True):
        row["lane"], row["thread"], row["begin_ns"], row["end_ns"] = values
    return found


def test_each_threads_work_is_its_own() -> None:
    """Two workers at the same time; what another thread's call does is not charged."""
    samples = SimpleNamespace(
        start=0,
        begin=np.array([0, 5, 100]),
        end=np.array([50, 60, 150]),
        worker=np.array([0, 1, 0]),
    )
    work = spans((1, 7, 10, 20), (2, 7, 20, 40), (1, 8, 20, 35), (3, 7, 110, 120), (0, 7, 0, 50))
    parts = phases.attribute(samples, [7, 8], work)  # type: ignore[arg-type]
    assert parts.h2d.tolist() == [10, 15, 0]
    assert parts.device.tolist() == [20, 0, 0]
    assert parts.d2h.tolist() == [0, 0, 10]
    assert parts.host.tolist() == [20, 40, 40]


def test_work_that_waits_for_an_engine_is_shared_out() -> None:
    """Two workers' calls on one engine: the second one's wait is no execution."""
    samples = SimpleNamespace(
        start=0, begin=np.array([0, 0]), end=np.array([30, 50]), worker=np.array([0, 1])
    )
    work = spans((2, 7, 10, 30), (2, 8, 10, 50))
    parts = phases.attribute(samples, [7, 8], work)  # type: ignore[arg-type]
    assert (parts.device.tolist(), len(parts.host)) == ([20], 0)
    work["device"][1] = 1  # each has an engine of its own
    parts = phases.attribute(samples, [7, 8], work)  # type: ignore[arg-type]
    assert (parts.device.tolist(), parts.host.tolist()) == ([20, 40], [10, 10])


def test_queued_work_is_shared_out() -> None:
    """Another thread's: the engine's busy time, where waiting for it counts once, by inference."""
    samples = SimpleNamespace(
        start=0, begin=np.array([0, 0]), end=np.array([90, 90]), worker=np.array([0, 0])
    )
    work = spans((1, 9, 0, 10), (1, 9, 0, 20), (2, 9, 10, 40), (3, 9, 40, 44), (1, 9, -5, -1))
    parts = phases.attribute(samples, [7], work)  # type: ignore[arg-type]
    assert (parts.h2d.tolist(), parts.device.tolist(), parts.d2h.tolist()) == ([10], [15], [2])
    assert len(parts.host) == 0
    assert (10, 50, 100, 4) == tuple(
        phases.count_for(*pair) for pair in ((40, 1), (500, 1), (10**6, 1), (1, 4))
    )


@pytest.fixture
def geared(om_factory: Any, tmp_path: Path) -> Path:
    """A model with the batches 1, 4 and 8."""
    from onnx import TensorProto, helper

    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 3]) for n in "xy"]
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])], "g", [values[0]], [values[1]]
    )
    opset = [helper.make_opsetid("", 17)]
    onnx = tmp_path / "g.onnx"
    onnx.write_bytes(
        helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    )
    return Path(
        aclrt.convert(
            onnx, tmp_path / "g.om", input_shape={"x": (-1, 3)}, dynamic_batch_size=(1, 4, 8)
        )
    )


def test_gears_are_measured_by_batch_and_by_shape(geared: Path) -> None:
    """Each in turn, each as often as asked; without a word the largest."""

    def found(**settings: Any) -> list[tuple[int, str]]:
        config = bench.BenchConfig((str(geared),), iterations=3, warmup=0, **settings)
        return [(run.batch, run.shape) for run in bench.measure(config).runs]

    assert found() == [(8, "x:8,3")]
    assert found(batch_sizes=(1, 4)) == [(1, "x:1,3"), (4, "x:4,3")]
    assert found(shapes=("x:4,3", "1,3")) == [(4, "x:4,3"), (1, "x:1,3")]
    assert found(batch_sizes=(4,), repeat=2) == [(4, "x:4,3")] * 2
    assert [batch for batch, _ in found(search_batch=True)] == [1, 4, 8]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"batch": 3}, "no gear of the model has batch 3"),
        ({"shape": "x:3,3"}, "no gear of the model has x:3,3"),
        ({"shape": "y:4,3"}, "no input of the model"),
        ({"shape": "x:4,3;x:4,3"}, "twice"),
        ({"shape": "x:4,-1"}, "not of the form"),
        ({"shape": ""}, "empty"),
        ({"shape": {"z": (4, 3)}}, "no input 'z'"),
        ({"shape": "4,3", "batch": 4}, "both"),
    ],
)
def test_shapes_that_there_are_not(geared: Path, settings: dict[str, Any], words: str) -> None:
    """Said at once, with what there is."""
    with pytest.raises(aclrt.InputError, match=words):
        bench.run(geared, iterations=1, **settings)


def test_shapes_of_ranges_and_of_fixed_models(om_factory: Any, pair: Path, tmp_path: Path) -> None:
    """A range takes any shape inside it; a fixed model its own alone."""
    with aclrt.OfflineModel(pair) as model:
        fixed = {spec.name: spec.shape for spec in model.inputs}
        assert shapes.specs(model, fixed, None) == model.inputs
        with pytest.raises(aclrt.InputError, match="takes"):
            shapes.specs(model, dict.fromkeys(fixed, (9, 9, 9)), None)
        with pytest.raises(aclrt.InputError, match="batch is fixed"):
            shapes.specs(model, None, 77)


COPIES = {"ACLRT_FAKE_H2D_US": "1000", "ACLRT_FAKE_COMPUTE_US": "4000", "ACLRT_FAKE_D2H_US": "2000"}


def test_without_transfers_a_run_is_its_execution(pair: Path) -> None:
    """No copies are made, and the figures are the execution's alone."""
    run = measured(pair, "--iterations", "20", "--no-transfers", **COPIES)
    found = {name: phase["mean_ms"] for name, phase in run["phases"].items()}
    assert (found["h2d"], found["d2h"]) == (0, 0)
    assert found["device"] == pytest.approx(4, rel=1e-6)
    assert found["end_to_end"] == pytest.approx(4, rel=1e-6)
    assert run["transfers"] is False


def test_data_on_the_device_is_the_feed(geared: Path) -> None:
    """Every gear can be measured so, and packed data is packed; a range cannot be."""
    for batch in (1, 4):
        result = bench.run(geared, batch=batch, transfers=False, iterations=3)
        assert (result.batch, result.transfers) == (batch, False)
        assert "no transfers" in result.name


def test_runs_in_flight_overlap(om_factory: Any, tmp_path: Path) -> None:
    """Copies go on beside executions: the engine's busy time is told, and the host's is not."""
    path = tmp_path / "model.om"
    path.write_bytes(om_factory.identity())
    run = measured(path, "--iterations", "40", "--in-flight", "4", **COPIES)
    assert (run["in_flight"], run["threads"], run["iterations"]) == (4, 1, 40)
    found = {name: phase["mean_ms"] for name, phase in run["phases"].items()}
    assert found["host"] is None
    # Time may pass, by what other threads wait for, between a call's begin and its turn.
    assert found["h2d"] >= 1 - 1e-6
    assert found["device"] >= 4 - 1e-6
    assert found["d2h"] >= 2 - 1e-6
    assert {"run 0", "run 1"} <= {row["row"] for row in run["timeline"]}
    assert any("queued" in caution for caution in run["cautions"])


def test_several_devices_are_measured_at_once(pair: Path) -> None:
    """Each has its model; copies of two devices do not wait for each other."""
    variables = COPIES | {"ACLRT_FAKE_DEVICES": "4"}
    run = measured(pair, "--iterations", "40", "--devices", "0,1,2,3", **variables)
    assert run["devices"] == [0, 1, 2, 3]
    assert run["threads"] == 4
    assert run["phases"]["load"]["count"] == run["phases"]["first"]["count"] == 4
    assert run["phases"]["device"]["min_ms"] == pytest.approx(4, rel=1e-6)
    # Iterations go to whoever is free: on a busy machine some workers may get none.
    assert set(run["samples"]["worker"]) <= {0, 1, 2, 3}


@pytest.mark.parametrize(
    "settings",
    [
        {"in_flight": 0},
        {"in_flight": 2, "threads": 3},
        {"streams": 0},
        {"streams": 2, "instances": 3},
        {"streams": 2, "threads": 2},
    ],
)
def test_loads_that_make_no_sense(pair: Path, settings: dict[str, Any]) -> None:
    """Are refused before the model is loaded."""
    with pytest.raises(aclrt.InputError):
        bench.run(pair, iterations=1, **settings)


def test_streams_execute_side_by_side(pair: Path) -> None:
    """Two streams halve the time of a run: each has its instance, and a place in the queue."""
    found = bench.run(pair, iterations=8, warmup=1, streams=2)
    assert (found.streams, found.instances, found.threads, found.in_flight) == (2, 2, 1, 1)
    assert found.iterations == 8
    assert "2 streams" in found.name
    assert {"run 0", "run 1"} <= {row for row, _, _ in found.timeline}


class Board:
    """A device of a virtual clock: each run takes a copy, an execution and a copy, one engine each.

    Clock and step in one, as ``loops`` wants them: no time passes but by what it is told to do.
    """

    def __init__(self, *stage_ns: int) -> None:
        self.depth, self.time = 4, 0
        self._stages, self._free = stage_ns, [0] * len(stage_ns)

    def now(self) -> int:
        """Nanoseconds."""
        return self.time

    def wait_until(self, due: int) -> None:
        """Time passes."""
        self.time = max(self.time, due)

    def start(self, number: int, on_done: Any = None) -> Future[int]:
        """A run that lands, by the clock, once the engines have done their parts."""
        at = now = self.time
        for stage, duration in enumerate(self._stages):
            at = self._free[stage] = max(at, self._free[stage]) + duration
        future: Future[int] = Future()
        if on_done is not None:
            future.add_done_callback(on_done)
        self.time = at
        future.set_result(at)
        self.time = now
        return future

    def __call__(self, number: int) -> object:
        """One run to its end."""
        return self.start(number)


def test_runs_in_flight_at_a_rate_count_from_when_they_were_due() -> None:
    """The engines' work overlaps; what comes too fast for the slowest waits, and is charged."""
    ms = 1_000_000

    def latencies(every_ms: float) -> list[float]:
        board = Board(1 * ms, 4 * ms, 2 * ms)
        plan = Plan(8, None, 0, 0, rate=1000 / every_ms)
        samples = loops.measure([board], plan, board)
        assert not samples.is_partial
        assert (np.diff(samples.due) == every_ms * ms).all()
        return ((samples.end - samples.due) / ms).tolist()

    assert latencies(8) == [7] * 8
    assert latencies(4) == [7] * 8  # the slowest engine just follows
    late = latencies(2)  # by 2 ms more each
    assert late == [7 + 2 * number for number in range(8)]


def test_ctrl_c_while_waiting_for_the_next_one_ends_an_open_loop() -> None:
    """What has landed is kept; the place that was taken for the next one is not waited for."""

    class Interrupted(Board):
        def wait_until(self, due: int) -> None:
            if due >= 5_000_000:
                raise KeyboardInterrupt
            super().wait_until(due)

    board = Interrupted(1000)
    samples = loops.measure([board], Plan(50, None, 0, 0, rate=1000), board)
    assert samples.is_partial
    assert len(samples.end) == 5


def test_a_run_in_flight_that_fails_ends_an_open_loop() -> None:
    """What it failed with comes out, after all others have landed."""

    class Failing(Board):
        def start(self, number: int, on_done: Any = None) -> Future[int]:
            if number != 5:
                return super().start(number, on_done)
            future: Future[int] = Future()
            future.add_done_callback(on_done)
            future.set_exception(ValueError("no"))
            return future

    board = Failing(1000)
    with pytest.raises(ValueError, match="no"):
        loops.measure([board], Plan(50, None, 0, 0, rate=1e6), board)


def test_without_transfers_runs_in_flight_copy_nothing(pair: Path, live_objects: Any) -> None:
    """Each has outputs of its own on the device; all is given back."""
    live = live_objects()
    for settings in ({}, {"rate": 1e5}, {"streams": 2}):
        load: dict[str, Any] = {"in_flight": 3, **settings}
        found = bench.run(pair, iterations=20, warmup=1, transfers=False, **load)
        means = {phase.name: phase.mean_ms for phase in found.phases}
        assert (means["h2d"], means["d2h"]) == (0, 0)
        assert means["device"]
        assert (found.iterations, found.transfers) == (20, False)
    assert live == live_objects()


def test_a_rate_with_runs_in_flight_on_the_fake(pair: Path) -> None:
    """All that is due is run, once; a burst overlaps."""
    found = bench.run(pair, iterations=20, warmup=1, rate=1e5, in_flight=4)
    assert (found.iterations, found.rate, found.in_flight, found.threads) == (20, 1e5, 4, 1)
    assert (found.latency_ns >= found.end_ns - found.begin_ns).all()
    due_ns = found.end_ns - found.latency_ns
    assert sorted(due_ns) == [number * 10_000 for number in range(20)]


def test_the_goal_is_searched_by_depth_and_instances(pair: Path) -> None:
    """Of what was measured the best is named; each step is a measurement of its own."""
    config = bench.BenchConfig((str(pair),), iterations=30, goal="throughput", max_workers=2)
    report = bench.measure(config)
    assert report.best is not None
    steps = [(run.in_flight, run.instances) for run in report.runs]
    assert steps[:2] == [(1, 1), (2, 1)]
    assert steps[-1][1] == 2
    best = max(run.samples_per_s for run in report.runs)
    assert report.runs[report.best].samples_per_s == best
