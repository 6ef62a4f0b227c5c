# SPDX-License-Identifier: Apache-2.0
"""`aclrt.trace`: what is seen, that the file is what Perfetto reads, and that off is off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aclrt
from aclrt import tracing


def run_in_virtual_time(code: str, *arguments: str | Path) -> Any:
    """What a program prints as JSON; copies in take 1 ms, executions 4, copies out 2."""
    times = {"H2D": "1000", "COMPUTE": "4000", "D2H": "2000"}
    env = os.environ | {f"ACLRT_FAKE_{name}_US": us for name, us in times.items()}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=env | {"ACLRT_FAKE_SEED": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_format(path: Path) -> list[dict[str, Any]]:
    """Holds a file against the rules of the Trace Event Format; its complete events.

    Complete events have a name, times in microseconds and a row; every row and process has a name;
    in one row an event lies inside of another or apart from it.
    """
    document = json.loads(path.read_text("utf-8"))
    assert document["displayTimeUnit"] in ("ms", "ns")
    named, rows = set(), defaultdict(list)
    for event in document["traceEvents"]:
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        if event["ph"] == "M":
            assert event["name"] in ("process_name", "thread_name", "thread_sort_index")
            named.add((event["name"], event["pid"], event["tid"]))
            continue
        assert event["ph"] == "X"
        assert event["name"]
        assert isinstance(event["args"], dict)
        assert event["ts"] >= 0
        assert event["dur"] >= 0
        rows[event["pid"], event["tid"]].append(event)
    for (pid, tid), events in rows.items():
        assert {("process_name", pid, 0), ("thread_name", pid, tid)} <= named
        open_ends: list[float] = []
        for event in sorted(events, key=lambda e: (e["ts"], -e["dur"])):
            while open_ends and open_ends[-1] <= event["ts"]:
                open_ends.pop()
            end = event["ts"] + event["dur"]
            assert not open_ends or end <= open_ends[-1] + 1e-3
            open_ends.append(end)
    return [event for events in rows.values() for event in events]


def test_a_run_is_seen_whole(om_factory: Any, tmp_path: Path) -> None:
    """Its calls in order with code and bytes, and the engines' work; the file holds the same."""
    path = tmp_path / "out.json"
    with aclrt.OfflineModel(om_factory.identity()) as model:
        x = np.zeros(model.inputs[0].shape, np.float32)
        with aclrt.trace(path) as trace:
            model(x)
        spans = trace.spans()
        model(x)  # after the block: not seen
    names = [trace.name_of(int(s["function"])) for s in spans if s["lane"] == 0]
    names = [name for name in names if "Context" not in name]
    assert len(names) == 3
    assert names[0] == names[2]
    assert "Execute" in names[1]
    assert [tracing.LANES[s["lane"]] for s in spans if s["lane"]] == ["h2d", "compute", "d2h"]
    assert {int(s["device"]) for s in spans if s["lane"]} == {0}
    assert {int(s["nbytes"]) for s in spans if s["lane"] == 1} == {x.nbytes}
    assert (spans["end_ns"] >= spans["begin_ns"]).all()
    assert (np.diff(spans["begin_ns"]) >= 0).all()
    assert set(spans["thread"]) == {threading.get_native_id()}
    assert trace.left_out == 0
    assert len(trace.spans()) == len(spans)
    events = check_format(path)
    assert len([e for e in events if e["cat"] == "call"]) == int((spans["lane"] == 0).sum())
    assert sorted(e["name"] for e in events if e["cat"] == "engine") == ["D2H", "H2D", "compute"]
    assert trace.name_of(1_000_000) == ""


def test_times_are_the_devices(om_factory: Any, tmp_path: Path) -> None:
    """By the fake's virtual clock copies and execution take what the board takes, to the ns."""
    path = tmp_path / "model.om"
    path.write_bytes(om_factory.identity())
    code = (
        "import json, sys, numpy as np, aclrt\n"
        "from aclrt import tracing\n"
        "trace = aclrt.trace(sys.argv[2])\n"
        "with trace, aclrt.OfflineModel(sys.argv[1]) as model:\n"
        "    model(np.zeros((2, 3), np.float32))\n"
        "s = trace.spans()\n"
        "lanes = [[int(t['lane']), int(t['end_ns'] - t['begin_ns'])] for t in s if t['lane']]\n"
        "print(json.dumps([lanes, tracing.is_clock_virtual(), tracing.clock_ns()]))\n"
    )
    lanes, is_virtual, now = run_in_virtual_time(code, path, tmp_path / "out.json")
    assert lanes[-3:] == [[1, 1_000_000], [2, 4_000_000], [3, 2_000_000]]
    assert is_virtual
    assert now < 10**10
    events = check_format(tmp_path / "out.json")
    assert {e["name"]: e["dur"] for e in events if e["cat"] == "engine"}["compute"] == 4000
    assert max(e["ts"] for e in events) < 10**7  # what came before the clock is not elsewhere


def test_the_clock_is_pythons() -> None:
    """In real time spans can be laid beside time.perf_counter_ns()."""
    before = time.perf_counter_ns()
    assert before <= tracing.clock_ns() <= time.perf_counter_ns()
    assert not tracing.is_clock_virtual()


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    """A capacity of nothing, a block in itself, reading while it is open, a folder that is not."""
    with pytest.raises(aclrt.InputError, match="capacity"):
        aclrt.trace(capacity=0)
    trace = aclrt.trace()
    with trace:
        with pytest.raises(aclrt.InputError, match="open"):
            trace.__enter__()
        with pytest.raises(aclrt.InputError, match="started"):
            trace.spans()
        with pytest.raises(aclrt.InputError, match="started"):
            trace.save(tmp_path / "early.json")
    with pytest.raises(FileNotFoundError):
        trace.save(tmp_path / "no" / "folder.json")
    assert len(trace.spans()) == 0


def test_a_full_trace_counts(om_factory: Any) -> None:
    """Beyond its capacity calls are counted, and a block may be entered again."""
    trace = aclrt.trace(capacity=4)
    with aclrt.OfflineModel(om_factory.identity()) as model:
        x = np.zeros(model.inputs[0].shape, np.float32)
        with trace:
            model(x)
        first = trace.left_out
        with trace:
            model(x)
    assert len(trace.spans()) == 4
    assert 0 < first < trace.left_out


def test_every_thread_has_its_row(om_factory: Any, tmp_path: Path) -> None:
    """Threads that share a model, in one trace inside of another."""
    path = tmp_path / "threads.json"
    with aclrt.OfflineModel(om_factory.identity()) as model:
        x = np.zeros(model.inputs[0].shape, np.float32)
        with aclrt.trace(path) as outer, aclrt.trace() as inner:
            threads = [threading.Thread(target=model, args=(x,)) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert len(set(outer.spans()["thread"])) == 3
    assert len(inner.spans()) == len(outer.spans())
    calls = [event for event in check_format(path) if event["cat"] == "call"]
    assert len({event["tid"] for event in calls}) == 3


PROGRAM = """
import os, sys, numpy as np, aclrt
how, path = sys.argv[1:]
zeros = np.zeros((2, 3), np.float32)
if how == "pool":
    with aclrt.DevicePool(path, devices=[0, 1]) as pool:
        for _ in pool.map([zeros] * 6):
            pass
else:
    with aclrt.OfflineModel(path, instances=2 if how == "instances" else 1) as model:
        if how == "sync":
            for _ in range(6):
                model(zeros)
        else:
            for _ in model.map([zeros] * 6, in_flight=3):
                pass
print(os.getpid())
if os.fork() == 0:
    sys.exit(0)  # a child does not write its parent's trace
os.wait()
"""


@pytest.mark.parametrize("how", ["sync", "flight", "instances", "pool"])
def test_any_program_is_traced_by_the_variable(how: str, om_factory: Any, tmp_path: Path) -> None:
    """ACLRT_TRACE: from the first call to aclFinalize, whatever the program runs, one file."""
    path = tmp_path / "model.om"
    path.write_bytes(om_factory.identity())
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, how, str(path)],
        env=os.environ | {"ACLRT_TRACE": str(tmp_path / "out-%p.json"), "ACLRT_FAKE_DEVICES": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    (written,) = tmp_path.glob("out-*.json")
    assert written.name == f"out-{done.stdout.strip()}.json"
    events = check_format(written)
    names = [event["name"] for event in events if event["cat"] == "call"]
    assert names.count("aclInit") == 1
    assert [name for name in names if name.startswith("aclmdlLoad")]
    assert [name for name in names if name.startswith("aclFinalize")]
    work = [event for event in events if event["cat"] == "engine"]
    assert sum(event["name"] == "compute" for event in work) >= 6
    assert len({event["pid"] for event in work}) == (2 if how == "pool" else 1)


def test_a_trace_that_cannot_be_written_is_said_at_once(om_factory: Any, tmp_path: Path) -> None:
    """When the library is loaded, not after all the work."""
    done = subprocess.run(
        [sys.executable, "-c", "import aclrt; aclrt.runtime_info()"],
        env=os.environ | {"ACLRT_TRACE": str(tmp_path / "no/such/folder.json")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "(ACLRT_TRACE)" in done.stderr
    assert "No such file" in done.stderr
