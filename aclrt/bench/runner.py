# SPDX-License-Identifier: Apache-2.0
"""One measurement: open, load, first inference, warm-up, samples, all told apart."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import _feeds, runtime, tracing
from ..device import Device
from ..errors import InputError
from ..model import OfflineModel
from . import inputs, phases, shapes
from . import steps as stepping
from .loops import Clock, DeviceClock, Plan, Samples, Step, SystemClock
from .loops import measure as _measure
from .machine import host_memory
from .power import Meter
from .result import BenchInterrupted, BenchResult, Setup, derive

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["run"]

Feed = Mapping[str, "NDArray[Any]"]
Watch = Callable[[Callable[[], float]], Any]
_DEFAULT_ITERATIONS = 1000


def run(
    model: OfflineModel | str | os.PathLike[str],
    *,
    iterations: int | None = None,
    duration_s: float | None = None,
    warmup: int = 10,
    warmup_s: float = 0.0,
    feeds: Feed | Sequence[NDArray[Any]] | None = None,
    input_files: Sequence[str] = (),
    fills: Sequence[str] = (),
    seed: int = 0,
    shape: str | Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
    device_id: int | Sequence[int] = 0,
    threads: int | None = None,
    instances: int = 1,
    streams: int | None = None,
    in_flight: int = 1,
    transfers: bool = True,
    rate: float | None = None,
    percentiles: Sequence[float] = (50, 90, 99),
    power: bool = False,
    trace: str | os.PathLike[str] | None = None,
    save_outputs: str | os.PathLike[str] | None = None,
    output_format: str = "npy",
    backend: str | None = None,
    watch: Watch | None = None,
    clock: Clock | None = None,
) -> BenchResult:
    """Measures ``model(feed)``, end to end: checks, copies both ways and execution.

    The first inference of each instance is timed apart, then the warm-up follows untimed, then
    inferences are timed one by one. Throughput is inferences by wall time. Afterwards some more
    inferences are traced, which tell copies, device and host apart without disturbing the samples.

    Args:
        model: A file, which is loaded and closed; or an open model, which stays open.
        iterations: Inferences to sample, at least 1; None: no limit if ``duration_s`` or else 1000.
        duration_s: Seconds to sample; measuring stops at whichever limit comes first.
        warmup: Inferences of each thread before the samples, at least.
        warmup_s: Seconds of warm-up, at least.
        feeds: The inputs, by name or in order; excludes ``input_files`` and ``fills``.
        input_files: ``"name=path"``: .npy, .bin, .npz, or a folder, as for ``aclrt bench --input``.
        fills: ``"name=uniform:0:1"`` and the like, as for ``aclrt bench --fill``.
        seed: Of made-up data.
        shape: Of the inputs where the model leaves it open: ``"x:1,3,224,224;y:8"`` or by name.
        batch: Likewise, but the first dim alone: it selects the gear.
        device_id: One or several logical devices; unused for an open model.
        threads: Host threads that call; None: one for each instance.
        instances: Copies of the model on each device.
        streams: So many streams on each device, each with an instance and a place in a queue of its
            own: ``instances`` that one thread for each device feeds, also with one run in flight.
        in_flight: Runs that overlap, for each instance: each thread keeps so many in a queue.
        transfers: False: inputs and outputs stay on the device, so that executions alone are
            measured.
        rate: Inferences offered a second (open loop); latency then counts from when each was due.
        percentiles: To report, above 0 and up to 100.
        power: Read the cards' power from npu-smi.
        trace: Where to write a trace of loading, the first inferences and those that are traced
            for the phases.
        save_outputs: A folder for the outputs of one inference for each feed, made afterwards.
        output_format: ``"npy"`` or ``"bin"``.
        backend: For a file: ``"auto"``, ``"npu"``, ``"fake"`` or None, as in ``OfflineModel``.
        watch: Gets a function that tells the fraction done, returns a context manager that is
            open while samples are taken.
        clock: What tells the time; None for the machine's monotonic clock.

    Returns:
        The figures.

    Raises:
        InputError: An argument is out of range, or the feeds do not fit.
        BenchInterrupted: Ctrl-C came after the first sample; it carries the partial result.
        AclrtError: The model cannot be loaded or run.
        OSError: A file cannot be read or written.
    """
    chosen = tuple(device_id) if isinstance(device_id, Sequence) else (device_id,)
    if streams is not None:
        instances = _instances_of(streams, instances)
    is_queued = in_flight > 1 or streams is not None
    share = 1 if is_queued else instances  # threads for each device
    workers = share * max(len(chosen), 1) if threads is None else threads
    _check(
        iterations=iterations,
        duration_s=duration_s,
        warmup=warmup,
        warmup_s=warmup_s,
        devices=chosen,
        threads=workers,
        instances=instances,
        in_flight=in_flight,
        is_queued=is_queued,
        transfers=transfers,
        rate=rate,
        percentiles=percentiles,
        output_format=output_format,
    )
    if feeds is not None and (input_files or fills or shape is not None or batch is not None):
        raise InputError("feeds are given, and files, fills, a shape or a batch too")
    if iterations is None and duration_s is None:
        iterations = _DEFAULT_ITERATIONS
    plan = Plan(iterations, duration_s, warmup, warmup_s, rate)
    seen = tracing.trace()
    with ExitStack() as stack:
        with seen:
            loaded = _load(stack, model, chosen, instances, backend, clock)
            first = loaded.models[0]
            clock = clock or _clock(plan)
            rows, data = (
                ([_by_name(first, feeds)], "given by the caller")
                if feeds is not None
                else inputs.feeds_of(shapes.specs(first, shape, batch), input_files, fills, seed)
            )
            for opened in loaded.models:
                start = clock.now()
                opened(rows[0])
                loaded.first_ns.append(clock.now() - start)
        meter = _meter(power, first, loaded.devices)
        count = len(loaded.models)
        depth = in_flight if is_queued else 0
        step = partial(_step, rows=rows, depth=depth, transfers=transfers, stack=stack)
        steps = [step(loaded.models[i % count], instances=instances) for i in range(workers)]
        with meter or nullcontext():
            samples = _measure(steps, plan, clock, watch)
        if not len(samples.end):
            raise KeyboardInterrupt
        loaded.note_memory("after_run")
        samples, parts = _parts(samples, steps, plan, clock, seen)
        if trace is not None:
            seen.save(trace)
        if save_outputs is not None and not samples.is_partial:
            _save(first, rows, Path(save_outputs), output_format)
        wall_s = int(samples.end[-1] - samples.start) / 1e9
        dims = rows[0][first.inputs[0].name].shape if first.inputs else ()
        setup = Setup(
            model="" if isinstance(model, OfflineModel) else os.fspath(model),
            backend=first.device.backend,
            devices=loaded.devices,
            soc_name=first.device.soc_name,
            batch=dims[0] if dims else 1,
            shape=shapes.text({spec.name: rows[0][spec.name].shape for spec in first.inputs}),
            threads=workers,
            instances=instances,
            streams=streams,
            in_flight=in_flight,
            transfers=transfers,
            rate=rate,
            percentiles=tuple(percentiles),
            data=data,
            open_ns=loaded.open_ns,
            load_ns=loaded.load_ns,
            first_ns=loaded.first_ns,
            memory=loaded.memory(),
            power=meter.figures(wall_s, len(samples.end)) if meter else None,
            parts=parts,
            is_virtual=isinstance(clock, DeviceClock),
        )
    result = derive(samples, setup)
    if samples.is_partial:
        raise BenchInterrupted(result)
    return result


def _clock(plan: Plan) -> Clock:
    """The machine's, or the fake device's where that is virtual."""
    if not tracing.is_clock_virtual():
        return SystemClock()
    if plan.duration_s is not None or plan.warmup_s or plan.rate is not None:
        raise InputError(
            "the fake device's clock is virtual (ACLRT_FAKE_SEED) and stands still between runs: a "
            "duration, a warm-up time or a rate would never be over",
            hint="say how many iterations, or unset ACLRT_FAKE_SEED",
        )
    return DeviceClock()


def _parts(
    samples: Samples, steps: Sequence[Step], plan: Plan, clock: Clock, trace: tracing.trace
) -> tuple[Samples, phases.Parts | None]:
    """The phases of further inferences; none where Ctrl-C came, or the clock is the caller's."""
    if samples.is_partial or not isinstance(clock, (SystemClock, DeviceClock)):
        return samples, None
    count = phases.count_for(len(samples.end), len(steps))
    parts = phases.observe(steps, plan, clock, count, trace)
    return (samples if parts is not None else replace(samples, is_partial=True)), parts


def _check(**given: Any) -> None:
    for name, least in (
        ("iterations", 1),
        ("warmup", 0),
        ("threads", 1),
        ("instances", 1),
        ("in_flight", 1),
    ):
        value = given[name]
        if value is not None and value < least:
            raise InputError(f"{name} must be at least {least}, not {value}")
    if not 0 <= given["warmup_s"] < float("inf"):
        raise InputError(f"warmup_s must be at least 0, not {given['warmup_s']}")
    for name in ("duration_s", "rate"):
        value = given[name]
        if value is not None and not 0 < value < float("inf"):
            raise InputError(f"{name} must be above 0, not {value}")
    devices = given["devices"]
    if not devices or len(set(devices)) != len(devices):
        raise InputError(f"devices must be one or more different ids, not {list(devices)}")
    if given["is_queued"]:
        if given["threads"] != len(devices):
            raise InputError(
                "with streams or runs in flight each device has one thread: leave threads out"
            )
    elif given["threads"] < given["instances"] * len(devices):
        raise InputError(
            f"{given['threads']} threads cannot keep {given['instances']} instances on each of "
            f"{len(devices)} devices busy",
            hint="take at least as many threads as there are instances",
        )
    if not given["percentiles"] or not all(0 < p <= 100 for p in given["percentiles"]):
        raise InputError(
            f"percentiles must be above 0 and at most 100, not {list(given['percentiles'])}"
        )
    if given["output_format"] not in ("npy", "bin"):
        raise InputError(f"output_format must be 'npy' or 'bin', not {given['output_format']!r}")


def _instances_of(streams: int, instances: int) -> int:
    if streams < 1:
        raise InputError(f"streams must be at least 1, not {streams}")
    if instances not in (1, streams):
        raise InputError(
            f"{streams} streams have {streams} instances of the model, not {instances}",
            hint="leave instances out",
        )
    return streams


class _Loaded:
    """The models of one measurement, and what loading them took."""

    def __init__(self, devices: tuple[int, ...]) -> None:
        self.devices = devices
        self.models: list[OfflineModel] = []
        self.handles: list[Device] = []
        self.open_ns: list[int] = []
        self.load_ns: list[int] = []
        self.first_ns: list[int] = []
        self._host: dict[str, int] = {}
        self._free: dict[str, int] = {}

    def note_memory(self, moment: str) -> None:
        """Notes what is used now."""
        self._host[moment] = host_memory()[0]
        self._free[moment] = sum(handle.memory.free for handle in self.handles)

    def memory(self) -> dict[str, Any]:
        """As in JSON. Device figures are differences of the free bytes of the whole device."""
        used = self._free["before_load"] - min(self._free.values())
        return {
            "host_before_load_bytes": self._host["before_load"],
            "host_after_load_bytes": self._host["after_load"],
            "host_after_run_bytes": self._host["after_run"],
            "host_peak_bytes": host_memory()[1],
            "device_used_bytes": None if not self.load_ns else used,
            "device_total_bytes": sum(handle.memory.total for handle in self.handles),
        }


def _load(
    stack: ExitStack,
    model: OfflineModel | str | os.PathLike[str],
    devices: tuple[int, ...],
    instances: int,
    backend: str | None,
    clock: Clock | None,
) -> _Loaded:
    clock = clock or SystemClock()
    if isinstance(model, OfflineModel):
        if instances != 1:
            raise InputError("an open model is one instance", hint="give the file for more")
        loaded = _Loaded((model.device.id,))
        loaded.models.append(model)
        loaded.handles.append(model.device)
        loaded.note_memory("before_load")
        loaded.note_memory("after_load")
        return loaded
    if not Path(model).exists():
        raise FileNotFoundError(2, "No such file or directory", os.fspath(model))
    loaded = _Loaded(devices)
    for number in devices:
        start = clock.now()
        runtime.ensure(backend)
        device = stack.enter_context(Device(number, backend=backend))
        loaded.open_ns.append(clock.now() - start)
        loaded.handles.append(device)
    loaded.note_memory("before_load")
    for number in devices:
        start = clock.now()
        opened = stack.enter_context(
            OfflineModel(model, device_id=number, backend=backend, instances=instances)
        )
        loaded.load_ns.append(clock.now() - start)
        loaded.models.append(opened)
    loaded.note_memory("after_load")
    return loaded


def _by_name(model: OfflineModel, feeds: Feed | Sequence[NDArray[Any]]) -> dict[str, Any]:
    if isinstance(feeds, Mapping):
        return dict(feeds)
    if len(feeds) != len(model.inputs):
        raise InputError(f"{len(feeds)} arrays for {len(model.inputs)} inputs")
    return {spec.name: array for spec, array in zip(model.inputs, feeds, strict=True)}


def _step(
    model: OfflineModel,
    rows: Sequence[Feed],
    depth: int,
    transfers: bool,
    instances: int,
    stack: ExitStack,
) -> Step:
    if depth:
        return stepping.InFlight(model, rows, depth, instances, transfers, stack)
    return stepping.one_by_one(model, rows) if transfers else stepping.on_device(model, rows, stack)


def _meter(power: bool, model: OfflineModel, devices: tuple[int, ...]) -> Meter | None:
    if not power:
        return None
    if model.device.is_fake:
        raise InputError("the fake device has no power to measure", hint="leave power out")
    return Meter(_physical(devices))


def _physical(devices: tuple[int, ...]) -> list[int]:
    visible = os.environ.get("ASCEND_RT_VISIBLE_DEVICES", "")
    numbers = [int(word) for word in visible.split(",") if word.strip().isdecimal()]
    return [numbers[d] if d < len(numbers) else d for d in devices]


def _save(model: OfflineModel, rows: Sequence[Feed], folder: Path, output_format: str) -> None:
    """The outputs for each feed; in numbered folders if there are several."""
    for number, row in enumerate(rows):
        target = folder if len(rows) == 1 else folder / f"{number:05d}"
        outputs = dict(model(row).items())
        if output_format == "npy":
            _feeds.save(outputs, target)
            continue
        target.mkdir(parents=True, exist_ok=True)
        names = _feeds.file_names(outputs)
        for file, array in zip(names, outputs.values(), strict=True):
            array.tofile((target / file).with_suffix(".bin"))
