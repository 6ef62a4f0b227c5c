# SPDX-License-Identifier: Apache-2.0
"""Contract 1.4, 6 and 9: engines, boards, the deterministic scheduler; in virtual time."""

from __future__ import annotations

import ctypes
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance import acl, timing
from conformance.timing import Work, disjoint, environment, now_us, spans, trace

pytestmark = pytest.mark.fake_only

BOARDS = ("atlas300i", "atlas300i-pro", "atlas300i-duo", "null", "rc")
ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "csrc" / "fake" / "profiles"


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies in take 1 ms, executes 2 ms, copies out 1 ms; seed 1."""
    environment(monkeypatch, PROFILE="null", H2D_US=1000, COMPUTE_US=2000, D2H_US=1000, SEED=1)


@pytest.fixture
def work(raw: acl.Library, pipeline: None) -> Iterator[Work]:
    """Work on that device."""
    with timing.working(raw) as made:
        yield made


def requests(work: Work, streams: int, count: int) -> list[int]:
    """Queues requests in turn on streams, each with a model of its own; the streams."""
    lanes = [(work.stream(), work.model()) for _ in range(streams)]
    for index in range(count):
        work.request(*lanes[index % streams])
    return [stream for stream, _ in lanes]


def test_pipelined_time(work: Work) -> None:
    """TIME-ENG-01 (1.4): 8 requests of 1/2/1 ms on 3 streams take 18 ms, not 32."""
    for stream in requests(work, 3, 8):
        assert work.sync(stream) == 0
    assert now_us(work.lib) == 18000


def test_sequential_time(work: Work) -> None:
    """TIME-ENG-02 (1.4): on one stream they take 32 ms."""
    for stream in requests(work, 1, 8):
        assert work.sync(stream) == 0
    assert now_us(work.lib) == 32000


def test_an_engine_does_one_thing_at_a_time(work: Work) -> None:
    """TIME-ENG-03 (1.4): the spans of one engine are disjoint, those of two overlap."""
    for stream in requests(work, 3, 9):
        assert work.sync(stream) == 0
    entries = trace(work.lib)
    h2d, compute, d2h = (spans(entries, name) for name in ("h2d", "compute", "d2h"))
    assert [disjoint(engine) for engine in (h2d, compute, d2h)] == [True] * 3
    assert not disjoint(h2d + compute)
    assert not disjoint(compute + d2h)


def test_copies_both_ways_overlap(work: Work) -> None:
    """TIME-ENG-08 (1.4): a copy in and a copy out at once take the time of one."""
    source = work.device.alloc(timing.NBYTES)
    to_device, to_host = work.stream(), work.stream()
    work.upload(to_device)
    work.download(to_host, source)
    assert work.sync(to_device) == work.sync(to_host) == 0
    assert now_us(work.lib) == 1000


def test_a_stream_keeps_its_order(work: Work) -> None:
    """TIME-ENG-04 (1.4): the tasks of a stream are disjoint and in the order of queueing."""
    streams = requests(work, 3, 9)
    assert work.lib.aclrtSynchronizeDevice() == 0
    for number in {entry["stream"] for entry in trace(work.lib)}:
        own = [entry for entry in trace(work.lib) if entry["stream"] == number]
        assert disjoint([(entry["begin_us"], entry["end_us"]) for entry in own])
        assert [entry["n"] for entry in own] == list(range(len(own)))
    assert len(streams) == 3


def test_synchronous_copies_use_the_engines(work: Work) -> None:
    """TIME-ENG-05 (1.4): aclrtMemcpy takes its engine's time, in between what streams do there."""
    for stream in requests(work, 2, 4):
        work.device.upload(timing.ramp())
        assert work.sync(stream) == 0
    entries = trace(work.lib)
    assert [e["engine"] for e in entries if e["stream"] == -1] == ["h2d", "h2d"]
    assert disjoint(spans(entries, "h2d"))


def test_synchronous_copy_is_not_ordered(work: Work) -> None:
    """TIME-ENG-06 (1.4): it ends while work that was queued before it has not begun."""
    stream, model = work.stream(), work.model()
    for _ in range(6):
        work.request(stream, model)
    work.device.upload(timing.ramp())
    copies = [entry for entry in trace(work.lib) if entry["stream"] == -1]
    assert copies[0]["end_us"] <= 2000
    assert work.sync(stream) == 0
    assert now_us(work.lib) >= 24000


def test_devices_have_engines_of_their_own(
    raw: acl.Library, pipeline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TIME-ENG-07 (6): copies on two devices overlap."""
    environment(monkeypatch, DEVICES=2)
    with timing.working(raw) as first:
        stream = first.stream()
        first.upload(stream)
        assert raw.aclrtSetDevice(1) == 0
        second = Work(raw)
        other = second.stream()
        second.upload(other)
        assert second.sync(other) == 0
        assert now_us(raw) == 1000
        second.close()
        assert raw.aclrtResetDevice(1) == 0
        assert raw.aclrtSetDevice(0) == 0
        assert first.sync(stream) == 0
        assert raw.aclrtResetDevice(0) == 0
        assert {entry["device"] for entry in trace(raw)} == {0, 1}


def test_event_across_devices(
    raw: acl.Library, pipeline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TIME-EVT-12 (9): a stream waits for an event that another device's stream records."""
    environment(monkeypatch, DEVICES=2)
    with timing.working(raw) as first:
        stream, model = first.stream(), first.model()
        first.request(stream, model)
        event = first.record(stream)
        assert raw.aclrtSetDevice(1) == 0
        second = Work(raw)
        other = second.stream()
        assert raw.aclrtStreamWaitEvent(other, event) == 0
        second.upload(other)
        assert second.sync(other) == 0
        assert now_us(raw) == 5000
        second.close()
        assert raw.aclrtResetDevice(1) == 0
        assert raw.aclrtSetDevice(0) == 0
        assert first.sync(stream) == 0
        assert raw.aclrtResetDevice(0) == 0


def test_elapsed_time_is_virtual(work: Work) -> None:
    """TIME-EVT-13 (9): events around a request are exactly 4 ms apart."""
    stream, model = work.stream(), work.model()
    start = work.record(stream)
    work.request(stream, model)
    end = work.record(stream)
    assert work.sync(stream) == 0
    assert work.elapsed_ms(start, end) == 4
    assert work.timestamp(end) - work.timestamp(start) == 4000


def test_timeouts_are_virtual(work: Work) -> None:
    """TIME-STR-15 (8): a timeout of 3 ms expires at 3 ms, one of 1 ms more suffices."""
    stream, model = work.stream(), work.model()
    work.request(stream, model)
    assert work.sync_within(stream, 3) == 507046
    assert now_us(work.lib) == 3000
    assert work.sync_within(stream, 1) == 0
    assert now_us(work.lib) == 4000


def test_long_timeouts_cost_nothing(work: Work) -> None:
    """TIME-EVT-14 (9): an hour's op wait timeout expires at once, an hour later."""
    stream, event = work.stream(), work.event(1)
    assert work.lib.aclrtSetOpWaitTimeout(3600) == 0
    assert work.lib.aclrtStreamWaitEvent(stream, event) == 0
    assert work.sync(stream) == 107019
    assert now_us(work.lib) == 3600e6
    assert work.lib.aclrtSetOpWaitTimeout(0) == 0


def test_nothing_runs_unasked(work: Work) -> None:
    """TIME-DET-01 (fake): queueing alone starts nothing."""
    requests(work, 2, 4)
    assert trace(work.lib) == []
    assert now_us(work.lib) == 0


def contended(lib: acl.Library) -> list[dict[str, Any]]:
    """The trace of six streams that compete for the engines."""
    with timing.working(lib) as work:
        for stream in requests(work, 6, 24):
            assert work.sync(stream) == 0
        entries = trace(lib)
    lib.aclfake_reset()
    return entries


@pytest.mark.parametrize("seed", [0, 1, 2, 77, 2**63])
def test_same_seed_same_trace(
    raw: acl.Library, pipeline: None, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """TIME-DET-02 (fake): the same seed and calls give the same interleaving, time for time."""
    environment(monkeypatch, SEED=seed)
    first = contended(raw)
    assert len(first) == 72
    assert all(contended(raw) == first for _ in range(3))


def test_other_seeds_other_traces(
    raw: acl.Library, pipeline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TIME-DET-03 (fake): ten seeds give ten interleavings."""
    seen = set()
    for seed in range(10):
        environment(monkeypatch, SEED=seed)
        seen.add(json.dumps(contended(raw)))
    assert len(seen) == 10


def test_measured_executes_are_fixed(raw: acl.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """TIME-DET-04 (fake): where the board measures computing, virtual time counts 1 ms instead."""
    environment(monkeypatch, PROFILE="null", SEED=3)
    with timing.working(raw) as work:
        stream, model = work.stream(), work.model()
        work.request(stream, model)
        assert work.sync(stream) == 0
        assert now_us(raw) == 1000


def test_two_threads_do_not_deadlock(work: Work) -> None:
    """TIME-DET-05 (fake): threads whose streams wait for each other's events all end."""
    first, second = work.stream(), work.stream()
    event, codes = work.event(1), []

    def wait(stream: int) -> None:
        codes.append(work.lib.aclrtSetDevice(0))
        codes.append(work.sync(stream))
        codes.append(work.lib.aclrtResetDevice(0))

    assert work.lib.aclrtStreamWaitEvent(second, event) == 0
    threads = [threading.Thread(target=wait, args=(stream,)) for stream in (first, second)]
    threads[1].start()
    work.request(first, work.model())
    work.record(first, event)
    threads[0].start()
    for thread in threads:
        thread.join(20)
    assert codes == [0] * 6


def test_results_are_true(work: Work) -> None:
    """TIME-DET-06 (fake): what is computed does not depend on the clock."""
    stream, model = work.stream(), work.model()
    source = work.device.upload(timing.ramp())
    target = work.execute(stream, model, source)
    assert work.sync(stream) == 0
    assert (work.device.read(target, timing.ramp()) == 2 * timing.ramp()).all()


# ---- boards ------------------------------------------------------------------------------------


@pytest.mark.parametrize("board", BOARDS)
def test_boards_equal_their_files(
    raw: acl.Library, monkeypatch: pytest.MonkeyPatch, board: str
) -> None:
    """TIME-BRD-01 (fake): what is compiled in is what the file says; its path gives the same."""
    environment(monkeypatch, PROFILE=board)
    compiled = timing.document(raw, "aclfake_profile_json")
    raw.aclfake_reset()
    environment(monkeypatch, PROFILE=FILES / f"{board}.json")
    named = timing.document(raw, "aclfake_profile_json")
    entries = json.loads((FILES / f"{board}.json").read_text("utf-8"))
    for key, entry in entries.items():
        assert compiled[key] == named[key] == entry["value"]
        assert entry["source"] in ("public", "estimate")


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("soc_name", 7, '"soc_name": expected a string'),
        ("devices", 65, '"devices": expected a number from 0 to 64'),
        ("devices", 1.5, '"devices": expected a whole number'),
        ("memory_bytes", -1, '"memory_bytes": expected a number'),
        ("run_mode", "ep", '"run_mode": expected "host" or "device"'),
        ("copy_latency_us", "fast", '"copy_latency_us": expected a number'),
        ("compute_us", "slow", '"compute_us": expected "measured" or microseconds'),
        ("streams", 0, '"streams": expected a number from 1'),
        ("window", 1, '"window": expected true or false'),
        ("executes_at_once", 0, '"executes_at_once": expected a number from 1 to 64'),
        ("colour", "red", 'unknown key "colour"'),
        ("streams", None, '"streams" is missing'),
    ],
)
def test_bad_profiles(
    raw: acl.Library,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    key: str,
    value: object,
    told: str,
) -> None:
    """TIME-BRD-02 (fake): aclInit fails, and says which file and which key."""
    entries = json.loads((FILES / "null.json").read_text("utf-8"))
    entries[key] = {"value": value, "source": "measured"}
    if value is None:
        del entries[key]
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(entries), "utf-8")
    environment(monkeypatch, PROFILE=path)
    assert raw.aclInit(None) == 500000
    message = raw.message()
    assert f"ACLRT_FAKE_PROFILE={path}" in message
    assert told in message


@pytest.mark.parametrize(
    ("name", "value"),
    [("PROFILE", "atlas900"), ("PROFILE", "/absent.json"), ("SEED", "x"), ("WINDOW", "yes")],
)
def test_bad_variables(
    raw: acl.Library, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """TIME-BRD-03 (fake): aclInit fails and names the variable."""
    environment(monkeypatch, **{name: value})
    assert raw.aclInit(None) == 500000
    assert f"ACLRT_FAKE_{name}={value}: " in raw.message()


def test_time_by_model(raw: acl.Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TIME-BRD-04 (fake): a profile of one's own: latency, bandwidth and a model's time add up."""
    entries = json.loads((FILES / "null.json").read_text("utf-8"))
    changes = {
        "copy_latency_us": 10,
        "h2d_pinned_bytes_per_s": 24_000_000,
        "launch_latency_us": 5,
        "compute_us": {"default": 7, "models": {"other": 70}},
    }
    for key, value in changes.items():
        entries[key] = {"value": value, "source": "measured"}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(entries), "utf-8")
    environment(monkeypatch, PROFILE=path, SEED=1)
    with timing.working(raw) as work:
        stream, model = work.stream(), work.model()
        work.execute(stream, model, work.upload(stream))
        assert work.sync(stream) == 0
        assert spans(trace(raw), "h2d") == [(0, 11)]
        assert spans(trace(raw), "compute") == [(11, 23)]


def test_device_run_mode(raw: acl.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """TIME-BRD-05 (6): board rc says ACL_DEVICE, and the host reads and writes device memory."""
    environment(monkeypatch, PROFILE="rc")
    with timing.working(raw) as work:
        mode = ctypes.c_int(-1)
        assert raw.aclrtGetRunMode(ctypes.byref(mode)) == 0
        assert mode.value == 0
        memory = work.device.alloc(64)
        ctypes.memset(memory, 7, 64)
        assert ctypes.string_at(memory, 64) == b"\x07" * 64
        host = ctypes.create_string_buffer(64)
        assert raw.aclrtMemcpy(host, 64, memory, 64, 3) == 0
        assert host.raw == b"\x07" * 64


def test_window_needs_synthetic(raw: acl.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """TIME-BRD-06 (fake): window mode is refused with an engine that would give true results."""
    environment(monkeypatch, WINDOW=1)
    assert raw.aclInit(None) == 500000
    assert "ACLRT_FAKE_ENGINE=synthetic" in raw.message()


def test_window_is_announced(raw: acl.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """TIME-BRD-07 (fake): with the synthetic engine it works, and the ledger says so."""
    environment(monkeypatch, WINDOW=1, ENGINE="synthetic", PROFILE="null")
    with timing.working(raw) as work:
        stream, model = work.stream(), work.model()
        work.request(stream, model)
        assert work.sync(stream) == 0
        big = work.upload(stream, 100_000)
        work.download(stream, big, 100_000)
        assert work.sync(stream) == 0
        assert raw.ledger()["state"]["window"] is True
    raw.aclfake_reset()
    monkeypatch.delenv("ACLRT_FAKE_WINDOW")
    with timing.working(raw):
        assert raw.ledger()["state"]["window"] is False


@pytest.mark.parametrize(("board", "at_once"), [("null", True), ("one", False)])
def test_executes_at_once(
    raw: acl.Library,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    board: str,
    at_once: bool,
) -> None:
    """TIME-BRD-08 (fake): how many models compute at the same time is the board's; on null, all."""
    if board == "one":
        entries = json.loads((FILES / "null.json").read_text("utf-8"))
        del entries["executes_at_once"]
        path = tmp_path / "one.json"
        path.write_text(json.dumps(entries), "utf-8")
        board = str(path)
    environment(monkeypatch, PROFILE=board, COMPUTE_US=400_000)
    with timing.working(raw) as work:
        first, second = work.stream(), work.stream()
        models, sources = (work.model(), work.model()), (work.upload(first), work.upload(second))
        start = work.record(first)
        work.execute(first, models[0], sources[0])
        work.execute(second, models[1], sources[1])
        ends = work.record(first), work.record(second)
        assert work.sync(first) == work.sync(second) == 0
        took = max(work.elapsed_ms(start, end) for end in ends)
        # By the device's own clock; whichever is queued later may begin later.
        assert (took < 790) is at_once
