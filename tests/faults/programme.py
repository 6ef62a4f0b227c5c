# SPDX-License-Identifier: Apache-2.0
"""The fail-nth programme: a scenario is run with its n-th AscendCL call failing, for every n.

A ``Scenario`` says what runs and what has to be there before. ``run_case`` runs it once with one
armed fault; ``assert_clean`` holds the five after-conditions, which define "robust" here:

1. the right exception, with the function and the code that failed, or success where the failure
   may be absorbed (``ABSORBED`` gives the reasons);
2. no hang: ten seconds are the cap;
3. the ledger is back at its baseline, but for what the fired faults explain (``residue``);
4. a retry without a fault gives bit-identical output, and leaves no more behind;
5. nothing on stderr.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import aclrt
from aclrt.fake import faults

DRIVER, LOST = 507899, 507010
CLASSES = {DRIVER: aclrt.AclError, LOST: aclrt.DeviceLostError}
HANG_S = 10.0

# Functions whose failure need not be the caller's, and why.
ABSORBED = {
    "aclGetRecentErrMsg": "without it a failure lacks its detail",
    "aclrtGetSocName": "the name is empty until the next question",
    "aclrtGetVersion": "the version is unknown until the next question",
    "aclDestroyTensorDesc": "it answers nothing",
    "aclmdlDestroyAIPP": "the parameters are set",
    "aclrtFreeHost": "an array's destructor has nobody to tell",
    "aclGetDataBufferAddr": "it has no status and is asked again; if it lasts, the next one tells",
    "aclGetDataBufferSizeV2": "likewise",
    "aclGetTensorDescNumDims": "likewise",
    "aclrtSetCurrentContext": "giving a thread its own context back is after the work",
}
# These have no status: a failure that does not last is overcome by asking again, and one that
# lasts is known by its message (a test of its own). If messages fail too, the next status tells.
VALUES = {
    f"aclmdlGet{name}"
    for name in (
        "NumInputs",
        "NumOutputs",
        "InputNameByIndex",
        "InputDataType",
        "InputFormat",
        "InputSizeByIndex",
        "OutputNameByIndex",
        "OutputDataType",
        "OutputFormat",
        "OutputSizeByIndex",
    )
}
HANDLES = {
    "aclmdlCreateDataset",
    "aclCreateDataBuffer",
    "aclmdlCreateDesc",
    "aclCreateTensorDesc",
    "aclmdlCreateAIPP",
}
BORROWED = {"aclmdlGetDatasetTensorDesc"}  # no handle of the caller's, and no status either
HANDLE_CODE, VALUE_CODE = 200000, 500001  # what the shim reports for those

MADE_BY = {
    "aclrtMalloc": "device_memory",
    "aclrtMallocHost": "host_memory",
    "aclmdlCreateDataset": "dataset",
    "aclCreateDataBuffer": "data_buffer",
    "aclmdlCreateDesc": "model_desc",
    "aclCreateTensorDesc": "tensor_desc",
    "aclmdlCreateAIPP": "aipp",
    "aclmdlLoadFromFile": "model",
    "aclmdlLoadFromMem": "model",
    "aclmdlLoadFromFileWithMem": "model",
    "aclmdlLoadFromMemWithMem": "model",
}
ENDED_BY = {
    "aclrtFree": "device_memory",
    "aclrtFreeHost": "host_memory",
    "aclmdlDestroyDataset": "dataset",
    "aclDestroyDataBuffer": "data_buffer",
    "aclmdlDestroyDesc": "model_desc",
    "aclDestroyTensorDesc": "tensor_desc",
    "aclmdlDestroyAIPP": "aipp",
    "aclmdlUnload": "model",
}

Outputs = list[np.ndarray]


@dataclass(frozen=True)
class Scenario:
    """Something that a user does.

    Attributes:
        name: For the test's id.
        body: What runs under the fault, with what ``prepare`` gave.
        prepare: What is there before; closed again by ``finish``.
        finish: Gives that back, without a fault.
        devices: Those that the body uses.
        threads: Whether several threads call AscendCL, so that faults strike them in any order.
    """

    name: str
    body: Callable[[Any], Outputs]
    prepare: Callable[[], Any] = lambda: None
    finish: Callable[[Any], None] = lambda prepared: None
    devices: tuple[int, ...] = (0,)
    threads: bool = False


@dataclass(frozen=True)
class Fault:
    """Which call fails, and how."""

    nth: int
    persistent: bool
    after: bool
    code: int

    def __str__(self) -> str:
        mode = "persistent" if self.persistent else "transient"
        return f"call {self.nth}, {mode}, {'after' if self.after else 'before'}, {self.code}"


@dataclass(frozen=True)
class Snapshot:
    """What the ledger says is there."""

    live: Counter[str]
    set_counts: tuple[int, ...]  # by device
    init_count: int
    guards_damaged: int


@dataclass(frozen=True)
class Clean:
    """What a body does without a fault."""

    outputs: Outputs
    released: Counter[str]  # what it gives back of what was there, by kind
    reset: int  # settings of devices that it gives back
    calls: set[str]  # the functions that it calls


def snapshot() -> Snapshot:
    """The ledger now; asking initialises nothing."""
    ledger = faults.read_ledger()
    live = {kind: count["live"] for kind, count in ledger["objects"].items() if count["live"]}
    state = ledger["state"]
    set_counts = tuple(device["set_count"] for device in state["devices"])
    return Snapshot(Counter(live), set_counts, state["init_count"], ledger["guards_damaged"])


@dataclass
class Outcome:
    """What came of one case."""

    fault: Fault
    fired: list[dict[str, Any]]
    outputs: Outputs | None
    error: BaseException | None
    seconds: float
    before: Snapshot
    after: Snapshot


def run_case(scenario: Scenario, prepared: Any, fault: Fault) -> Outcome:
    """Runs the body once with one fault armed."""
    before = snapshot()
    faults.clear()
    outputs, error = None, None
    start = time.monotonic()
    with faults.fault(
        nth=fault.nth, persistent=fault.persistent, after=fault.after, code=fault.code
    ):
        try:
            outputs = scenario.body(prepared)
        except Exception as failure:
            error = failure
            error.__traceback__ = None  # its frames hold what the body made
    seconds = time.monotonic() - start
    if error is not None and snapshot().live["host_memory"]:
        gc.collect()  # frames of a failure that was noted hold arrays until then
    return Outcome(fault, faults.fired(), outputs, error, seconds, before, snapshot())


def _visible(outcome: Outcome) -> list[dict[str, Any]]:
    """The fired sites whose failure the caller has to hear of."""
    return [site for site in outcome.fired if site["function"] not in {*ABSORBED, *VALUES}]


def _assert_error(scenario: Scenario, outcome: Outcome, expected: Outputs) -> None:
    visible = _visible(outcome)
    if outcome.error is None:
        assert not visible, f"{visible[0]['function']} failed and nobody heard of it"
        assert outcome.outputs is not None
        assert_same(expected, outcome.outputs)
        return
    error: Any = outcome.error
    fired = [site["function"] for site in outcome.fired]
    assert error.call in fired
    # Persistent faults may strike absorbed calls first, but no other may be passed over.
    if error.call not in ABSORBED:
        assert visible
        assert scenario.threads or error.call == visible[0]["function"]
    if error.call in HANDLES:
        assert (MemoryError, HANDLE_CODE) == (type(error), error.code)
    else:
        cls = CLASSES[outcome.fault.code]
        code = outcome.fault.code
        if error.call in BORROWED:
            cls, code = aclrt.AclError, VALUE_CODE
        if cls is aclrt.AclError and error.call.startswith("aclmdlLoad"):
            cls = aclrt.ModelLoadError
        assert (cls, code) == (type(error), error.code)
    assert error.call in str(error)
    assert str(error.code) in str(error)


def residue(outcome: Outcome) -> tuple[Counter[str], int, int]:
    """What the fired faults leave behind: objects by kind, settings of devices, initialisations.

    A call that did its work and then failed has made an object that nobody can reach, as with a
    real driver; a release that failed has released nothing. Both are the device's until its reset.
    """
    left: Counter[str] = Counter()
    set_count, init_count = 0, 0
    for site in outcome.fired:
        function, after = site["function"], site["when"] == "after"
        kind = (MADE_BY if after else ENDED_BY).get(function)
        if kind is not None:
            left[kind] += 1
        set_count += function == ("aclrtSetDevice" if after else "aclrtResetDevice")
        init_count += after and function == "aclInit"
    # Memory that an execution allocated and whose address cannot be had, however often it is asked.
    functions = Counter(site["function"] for site in outcome.fired)
    executed = outcome.fault.after or not functions["aclmdlExecute"]
    left["device_memory"] += executed and functions["aclGetDataBufferAddr"] > 1
    return left, set_count, init_count


def assert_clean(scenario: Scenario, outcome: Outcome, normal: Clean) -> None:
    """The after-conditions 1 to 3."""
    assert outcome.seconds < HANG_S
    _assert_error(scenario, outcome, normal.outputs)
    left, set_count, init_count = residue(outcome)
    after = outcome.after
    _assert_live(scenario, outcome.before, after, normal, left)
    settings = sum(outcome.before.set_counts) - normal.reset + set_count
    assert settings == sum(after.set_counts)
    # What initialises in the body has done so by now, unless that is what failed.
    assert after.init_count - outcome.before.init_count in (0, 1, init_count)
    assert after.guards_damaged == 0


def _assert_live(
    scenario: Scenario, before: Snapshot, after: Snapshot, normal: Clean, left: Counter[str]
) -> None:
    base = Counter(before.live)
    base.subtract(normal.released)
    memory = base.pop("device_memory", 0)
    stranded = left.pop("device_memory", 0)
    base.update(left)
    live = Counter(after.live)
    now = live.pop("device_memory", 0)
    assert {kind: count for kind, count in base.items() if count} == dict(live)
    # The last reset of a device frees what was stranded on it.
    still_set = [d for d in scenario.devices if d < len(after.set_counts) and after.set_counts[d]]
    if not still_set:
        assert now == max(memory, 0)
    elif len(still_set) == len(scenario.devices):
        assert now == memory + stranded
    else:
        assert memory <= now <= memory + stranded


def assert_same(expected: Outputs, given: Outputs) -> None:
    """Bit for bit."""
    assert len(expected) == len(given)
    for one, other in zip(expected, given, strict=True):
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())


def run_clean(scenario: Scenario) -> Clean:
    """Runs the body without a fault."""
    aclrt.fake.reset()
    prepared = scenario.prepare()
    before, calls = snapshot(), Counter(faults.read_ledger()["calls"])
    outputs = scenario.body(prepared)
    after, later = snapshot(), Counter(faults.read_ledger()["calls"])
    scenario.finish(prepared)
    released = Counter(before.live)
    released.subtract(after.live)
    reset = sum(before.set_counts) - sum(after.set_counts)
    return Clean(outputs, released, reset, set(later - calls))


def cases(scenario: Scenario, *, persistent: bool, after: bool, code: int) -> Iterator[Outcome]:
    """Every n from 1 to the last call that the body makes, judged."""
    normal = run_clean(scenario)
    nth = 0
    while True:
        nth += 1
        aclrt.fake.reset()
        prepared = scenario.prepare()
        fault = Fault(nth, persistent, after, code)
        outcome = run_case(scenario, prepared, fault)
        try:
            assert_clean(scenario, outcome, normal)
            if not outcome.fired:
                scenario.finish(prepared)
                return
            faults.clear()
            scenario.finish(prepared)
            _assert_retry(scenario, normal)
        except AssertionError as failure:
            faults.clear()
            scenario.finish(prepared)  # closing twice does nothing
            sites = [f"{s['function']} (call {s['call']})" for s in outcome.fired[:4]]
            raise AssertionError(
                f"{scenario.name}: {fault}, fired {sites}, got {outcome.error!r}: {failure}"
            ) from failure
        yield outcome


def _assert_retry(scenario: Scenario, normal: Clean) -> None:
    """After-condition 4, in the process as the fault left it."""
    prepared = scenario.prepare()
    before = snapshot()
    assert_same(normal.outputs, scenario.body(prepared))
    after = snapshot()
    scenario.finish(prepared)
    base = Counter(before.live)
    base.subtract(normal.released)
    for live in (base, after.live):
        live.pop("device_memory", None)  # the retry's own resets may free what was stranded
    assert {kind: count for kind, count in base.items() if count} == dict(after.live)
