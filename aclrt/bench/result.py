# SPDX-License-Identifier: Apache-2.0
"""What a measurement found: figures derived from time stamps, with the cautions they deserve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .statistics import NS_PER_MS, Summary, label, needed, summarise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .loops import Samples
    from .phases import Parts

__all__ = ["BenchInterrupted", "BenchResult", "Phase"]

_NS_PER_S = 1e9
_UNSEEN = "not measured: left out"


class BenchInterrupted(KeyboardInterrupt):
    """Ctrl-C came while measuring.

    Attributes:
        result: What was measured until then, marked partial: a ``BenchResult`` from ``run()``, a
            ``BenchReport`` from ``measure()``.
    """

    def __init__(self, result: Any) -> None:
        super().__init__("interrupted")
        self.result = result


@dataclass(frozen=True)
class Phase:
    """One part of the way from a file to results.

    Attributes:
        name: open, load, first, h2d, device, d2h, host, end_to_end.
        count: How often it was timed; 0: not measured.
        mean_ms: None if it was not measured; and so on.
        min_ms: The shortest.
        p50_ms: Median.
        max_ms: The longest.
        note: Why it was not measured, or what it contains.
    """

    name: str
    count: int
    mean_ms: float | None
    min_ms: float | None
    p50_ms: float | None
    max_ms: float | None
    note: str


def phase(name: str, samples_ns: NDArray[np.int64] | list[int], note: str) -> Phase:
    """A phase from its samples; none at all: not measured."""
    if len(samples_ns) == 0:
        return Phase(name, 0, None, None, None, None, note)
    figures = summarise(np.asarray(samples_ns, np.int64), (50,))
    return Phase(
        name,
        figures.count,
        figures.mean_ms,
        figures.min_ms,
        figures.percentiles[50],
        figures.max_ms,
        note,
    )


@dataclass(frozen=True)
class Setup:
    """What was measured, and how: what a ``BenchResult`` tells beside its figures."""

    model: str
    backend: str
    devices: tuple[int, ...]
    soc_name: str
    batch: int
    shape: str
    threads: int
    instances: int
    streams: int | None
    in_flight: int
    transfers: bool
    rate: float | None
    percentiles: tuple[float, ...]
    data: str
    open_ns: list[int]
    load_ns: list[int]
    first_ns: list[int]
    memory: dict[str, Any]
    power: dict[str, Any] | None
    parts: Parts | None = None
    is_virtual: bool = False
    extra_cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class BenchResult:
    """The figures of one measurement.

    Attributes:
        model: The file that was loaded; ``""`` for a model that the caller had opened.
        backend: ``"npu"`` or ``"fake"``.
        devices: The devices' logical ids.
        soc_name: Their chip; ``""`` where unknown.
        batch: Samples in one inference: the first dim of the first input, 1 without any.
        shape: Of the inputs that were fed: ``"x:1,3,224,224;y:8"``.
        threads: Host threads that called.
        instances: Copies of the model on each device.
        streams: That were asked for, each with an instance of its own; None: not by that word.
        in_flight: Runs that overlap, for each instance; 1: none.
        transfers: Whether runs copy their inputs and outputs.
        rate: Inferences offered a second; None: each thread called without a pause.
        data: Where the inputs came from.
        iterations: Inferences in the samples.
        warmup: Inferences between the first one and the samples, all threads together.
        is_partial: Interrupted before all was measured.
        phases: Load, first inference, copies and so on side by side, not measured ones included.
        latency: End to end; with a rate from when the inference was due.
        service: End to end from when the call began; the same as ``latency`` without a rate.
        wall_s: From the start to the end of the last sampled inference.
        throughput_per_s: Inferences a second of wall time.
        samples_per_s: The same times ``batch``.
        memory: Host and device bytes.
        power: Watts and joules, if asked for.
        timeline: Row, begin and end (nanoseconds) of the first inferences that were traced for
            the phases, and of the engines' work for them.
        cautions: What to bear in mind when reading the figures, a sentence each.
        latency_ns: Each sampled inference, in the order in which they ended.
        begin_ns: When each call began, from the start.
        end_ns: When it was over, from the start.
        worker: The thread that called, counted from 0.
    """

    model: str
    backend: str
    devices: tuple[int, ...]
    soc_name: str
    batch: int
    shape: str
    threads: int
    instances: int
    streams: int | None
    in_flight: int
    transfers: bool
    rate: float | None
    data: str
    iterations: int
    warmup: int
    is_partial: bool
    phases: tuple[Phase, ...]
    latency: Summary
    service: Summary
    wall_s: float
    throughput_per_s: float
    samples_per_s: float
    memory: dict[str, Any]
    power: dict[str, Any] | None
    timeline: tuple[tuple[str, int, int], ...]
    cautions: tuple[str, ...]
    latency_ns: NDArray[np.int64] = field(repr=False, compare=False)
    begin_ns: NDArray[np.int64] = field(repr=False, compare=False)
    end_ns: NDArray[np.int64] = field(repr=False, compare=False)
    worker: NDArray[np.int64] = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """What tells this measurement from others of a report."""
        parts = [self.model or "model", f"batch {self.batch}"]
        if self.streams is not None:
            parts.append(f"{self.streams} streams")
        elif self.threads > 1 or self.instances > 1:
            parts.append(f"{self.threads} threads, {self.instances} instances")
        if self.in_flight > 1:
            parts.append(f"{self.in_flight} in flight")
        if not self.transfers:
            parts.append("no transfers")
        if len(self.devices) > 1 or self.devices[0]:
            parts.append(f"devices {','.join(map(str, self.devices))}")
        return ", ".join(parts) + (f", {self.rate:g}/s" if self.rate else "")

    @property
    def p50_ms(self) -> float:
        """Median latency."""
        return self.percentile(50)

    @property
    def p90_ms(self) -> float:
        """90th percentile of the latency."""
        return self.percentile(90)

    @property
    def p99_ms(self) -> float:
        """99th percentile of the latency."""
        return self.percentile(99)

    def percentile(self, percent: float) -> float:
        """Any percentile of the latency in milliseconds; a sample, not an interpolation."""
        return summarise(self.latency_ns, (percent,)).percentiles[percent]

    def to_dict(self) -> dict[str, Any]:
        """One element of ``runs`` of the JSON."""
        arrays = ("latency_ns", "begin_ns", "end_ns", "worker")
        figures = {name: value for name, value in vars(self).items() if name not in arrays}
        figures["devices"] = list(self.devices)
        figures["phases"] = [dict(vars(phase)) for phase in self.phases]
        figures["latency"] = self.latency.to_dict()
        figures["service"] = self.service.to_dict()
        figures["timeline"] = [
            {"row": row, "begin_ns": begin, "end_ns": end} for row, begin, end in self.timeline
        ]
        figures["cautions"] = list(self.cautions)
        figures["samples"] = {name: getattr(self, name).tolist() for name in arrays}
        return figures


def derive(samples: Samples, setup: Setup) -> BenchResult:
    """Derives all figures from at least one sample."""
    latency_ns = samples.end - samples.due
    service_ns = samples.end - samples.begin
    wall_ns = int(samples.end[-1] - samples.start)
    throughput = len(latency_ns) * _NS_PER_S / max(wall_ns, 1)
    parts = (
        phase("open", setup.open_ns, "initialising and opening the device"),
        phase("load", setup.load_ns, "loading the model"),
        phase("first", setup.first_ns, "the first inference; part of no other figure"),
        *_parts(setup.parts),
        phase("end_to_end", service_ns, "a call: checks, copies both ways and execution"),
    )
    return BenchResult(
        model=setup.model,
        backend=setup.backend,
        devices=setup.devices,
        soc_name=setup.soc_name,
        batch=setup.batch,
        shape=setup.shape,
        threads=setup.threads,
        instances=setup.instances,
        streams=setup.streams,
        in_flight=setup.in_flight,
        transfers=setup.transfers,
        rate=setup.rate,
        data=setup.data,
        iterations=len(latency_ns),
        warmup=samples.warmed,
        is_partial=samples.is_partial,
        phases=parts,
        latency=summarise(latency_ns, setup.percentiles),
        service=summarise(service_ns, setup.percentiles),
        wall_s=wall_ns / _NS_PER_S,
        throughput_per_s=throughput,
        samples_per_s=throughput * setup.batch,
        memory=setup.memory,
        power=setup.power,
        timeline=setup.parts.timeline if setup.parts is not None else (),
        cautions=(*_cautions(samples, setup, wall_ns), *setup.extra_cautions),
        latency_ns=latency_ns,
        begin_ns=samples.begin - samples.start,
        end_ns=samples.end - samples.start,
        worker=samples.worker,
    )


def _parts(parts: Parts | None) -> Iterator[Phase]:
    if parts is None:
        yield from (phase(name, [], _UNSEEN) for name in ("h2d", "device", "d2h", "host"))
        return
    yield phase("h2d", parts.h2d, f"copies to the device: {parts.note}")
    yield phase("device", parts.device, f"execution: {parts.note}")
    yield phase("d2h", parts.d2h, f"copies back: {parts.note}")
    rest = (
        "the rest of the call, waiting for the instance included"
        if len(parts.host)
        else "not measured: it overlaps the device's"
    )
    yield phase("host", parts.host, rest)


def _cautions(samples: Samples, setup: Setup, wall_ns: int) -> list[str]:
    size = len(samples.end)
    cautions = []
    if samples.is_partial:
        cautions.append("interrupted: these are the inferences until then")
    short = [p for p in setup.percentiles if needed(p) > size]
    if short:
        names = ", ".join(map(label, short))
        cautions.append(
            f"{size} samples are too few for {names}: take {needed(max(short))} iterations or more"
        )
    if setup.is_virtual:
        cautions.append(
            "measured by the fake device's virtual clock: the board's times, and none for the host"
        )
    elif setup.backend == "fake":
        cautions.append("measured on the fake device: these are this CPU's times, not a card's")
    late = int(samples.begin[-1] - samples.due[-1])
    if setup.rate is not None and late > wall_ns / 20 and size > 1:
        cautions.append(
            f"{setup.rate:g} inferences/s are more than it can do: the last one began "
            f"{late / NS_PER_MS:.1f} ms late, and a longer measurement gives longer latencies"
        )
    if setup.in_flight > 1 or setup.streams is not None:
        if setup.rate is None:
            cautions.append(
                "latency is from when a run was queued to when its result was taken, in turn: the "
                "runs before it are part of it"
            )
    elif setup.threads > setup.instances * len(setup.devices):
        cautions.append("threads share instances, whose runs take turns: latency includes waiting")
    return cautions
