# SPDX-License-Identifier: Apache-2.0
"""Several measurements as one report: files, batch sizes, and the searches over them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .. import om
from ..errors import DeviceOutOfMemoryError, InputError
from . import machine
from .config import BenchConfig
from .loops import Clock
from .result import BenchInterrupted, BenchResult
from .runner import run
from .schema import REPORT
from .statistics import label

__all__ = ["BenchReport", "measure"]

# Twice the workers must give this much more, or the search stops: less is noise and memory.
_WORTH = 1.03
_BATCHES = (1, 2, 4, 8, 16, 32)

Titled = Callable[[str], Callable[[Callable[[], float]], Any]]


@dataclass(frozen=True)
class BenchReport:
    """Measurements of one configuration.

    Attributes:
        created: When, as ISO 8601 in UTC.
        is_partial: Interrupted before all was measured.
        machine: Host, software and device.
        config: What was asked for.
        runs: The measurements, in order.
        best: The index of the best one for the goal; None without a search.
        skipped: What a search could not measure, a sentence each.
    """

    created: str
    is_partial: bool
    machine: dict[str, Any]
    config: BenchConfig
    runs: tuple[BenchResult, ...]
    best: int | None
    skipped: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON document, schema ``aclrt-bench/1``."""
        return {
            "schema": REPORT,
            "created": self.created,
            "is_partial": self.is_partial,
            "machine": self.machine,
            "config": self.config.to_dict(),
            "best": self.best,
            "skipped": list(self.skipped),
            "runs": [result.to_dict() for result in self.runs],
        }

    def to_json(self) -> str:
        """The document as text."""
        return json.dumps(self.to_dict(), allow_nan=False)

    def to_csv(self) -> str:
        """One row for each measurement, without its samples."""
        text = io.StringIO()
        percentiles = self.config.percentiles
        heads = ["model", "backend", "soc_name", "devices", "batch", "threads", "instances", "rate"]
        heads += ["iterations", "is_partial", "load_ms", "first_ms", "mean_ms", "std_ms", "min_ms"]
        heads += [f"{label(p)}_ms" for p in percentiles]
        heads += ["max_ms", "wall_s", "throughput_per_s", "samples_per_s", "host_peak_bytes"]
        heads += ["device_used_bytes", "mean_w", "joule_per_inference"]
        writer = csv.DictWriter(text, heads, lineterminator="\n", restval="")
        writer.writeheader()
        for result in self.runs:
            row: dict[str, Any] = {k: v for k, v in vars(result).items() if k in heads}
            row["devices"] = " ".join(map(str, result.devices))
            phases = {phase.name: phase for phase in result.phases}
            row |= {"load_ms": phases["load"].mean_ms, "first_ms": phases["first"].mean_ms}
            row |= {k: v for k, v in vars(result.latency).items() if k in heads}
            row |= {f"{label(p)}_ms": ms for p, ms in result.latency.percentiles.items()}
            row |= {k: v for k, v in result.memory.items() if k in heads}
            row |= {k: v for k, v in (result.power or {}).items() if k in heads}
            writer.writerow({k: "" if v is None else v for k, v in row.items()})
        return text.getvalue()

    def to_html(self) -> str:
        """One page with everything in it: figures, charts, the machine."""
        from .html import page

        return page(self)

    def save(
        self, folder: str | os.PathLike[str], *, csv: bool = False, html: bool = False
    ) -> list[Path]:
        """Writes ``bench.json`` into a folder, which is made, and the other forms if asked.

        Returns:
            What was written.

        Raises:
            OSError: The folder or a file cannot be written.
        """
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        texts = {"bench.json": self.to_json}
        texts |= {"bench.csv": self.to_csv} if csv else {}
        texts |= {"bench.html": self.to_html} if html else {}
        for name, text in texts.items():
            (target / name).write_text(text(), "utf-8")
        return [target / name for name in texts]


def measure(
    config: BenchConfig,
    *,
    save_outputs: str | os.PathLike[str] | None = None,
    output_format: str = "npy",
    trace: str | os.PathLike[str] | None = None,
    watch: Titled | None = None,
    clock: Clock | None = None,
) -> BenchReport:
    """Measures everything that a configuration says.

    Args:
        config: What to measure.
        save_outputs: As for ``run``; with several models a folder for each inside it.
        output_format: As for ``run``.
        trace: As for ``run``, of the first measurement.
        watch: Gets the title of a measurement, and returns what ``run`` takes as ``watch``.
        clock: As for ``run``.

    Returns:
        The report.

    Raises:
        InputError: The configuration makes no sense.
        BenchInterrupted: Ctrl-C came after the first sample; it carries the partial report.
        AclrtError: A model cannot be loaded or run.
        OSError: A file cannot be read or written.
    """
    created = datetime.now(timezone.utc).isoformat(timespec="seconds")
    results: list[BenchResult] = []
    skipped: list[str] = []
    if config.goal not in (None, "latency", "throughput"):
        raise InputError(f"goal must be 'latency' or 'throughput', not {config.goal!r}")
    if config.max_workers < 1:
        raise InputError(f"max_workers must be at least 1, not {config.max_workers}")
    searching = config.goal is not None and not config.search_batch
    chosen = config.threads is not None or config.instances != 1 or config.in_flight != 1
    chosen = chosen or config.streams is not None
    if searching and (chosen or config.rate):
        raise InputError(
            "a search for a goal chooses threads, instances and runs in flight itself, with no rate"
        )

    def once(
        case: Case, threads: int | None, instances: int, in_flight: int, title: str
    ) -> BenchResult:
        folder = save_outputs
        if folder is not None and (len(config.models) > 1 or case.shape or case.batch):
            folder = Path(folder) / _folder_name(case)
        return run(
            case.path,
            iterations=config.iterations,
            duration_s=config.duration_s,
            warmup=config.warmup,
            warmup_s=config.warmup_s,
            input_files=config.input_files,
            fills=config.fills,
            seed=config.seed,
            shape=case.shape,
            batch=case.batch,
            device_id=config.devices,
            threads=threads,
            instances=instances,
            streams=config.streams,
            in_flight=in_flight,
            transfers=config.transfers,
            rate=config.rate,
            percentiles=config.percentiles,
            power=config.power,
            trace=trace if not results else None,
            save_outputs=folder,
            output_format=output_format,
            backend=config.backend,
            watch=watch(title) if watch is not None else None,
            clock=clock,
        )

    def report(is_partial: bool) -> BenchReport:
        return BenchReport(
            created=created,
            is_partial=is_partial,
            machine=machine.describe(),
            config=config,
            runs=tuple(results),
            best=_best(results, config) if searching or config.search_batch else None,
            skipped=tuple(skipped),
        )

    try:
        with tempfile.TemporaryDirectory(prefix="aclrt-bench-") as scratch:
            for case in _cases(config, Path(scratch), skipped):
                try:
                    for result in _trials(config, case, once, searching, skipped):
                        results.append(replace(result, model=case.name))
                except DeviceOutOfMemoryError as error:
                    if not config.search_batch:
                        raise
                    skipped.append(f"{case.title}: {error.message}")
    except BenchInterrupted as interrupt:
        results.append(interrupt.result)
        raise BenchInterrupted(report(True)) from None
    except KeyboardInterrupt:
        if not results:
            raise
        raise BenchInterrupted(report(True)) from None
    if not results:
        raise InputError("nothing could be measured", hint="; ".join(skipped))
    return report(False)


def _trials(
    config: BenchConfig,
    case: Case,
    once: Callable[..., BenchResult],
    searching: bool,
    skipped: list[str],
) -> Iterator[BenchResult]:
    """One measurement of a file; or deeper queues, then more instances, as long as it helps."""
    if not searching:
        yield once(case, config.threads, config.instances, config.in_flight, case.title)
        return
    best: BenchResult | None = None
    instances, depth = 1, 1
    is_deepening = config.goal == "throughput" and config.transfers
    while instances <= config.max_workers:
        title = f"{case.title}, {instances} instance{'s' * (instances > 1)}"
        title += f", {depth} in flight" if depth > 1 else ""
        workers = len(config.devices) * (instances if depth == 1 else 1)
        try:
            result = once(case, workers, instances, depth, title)
        except DeviceOutOfMemoryError as error:
            skipped.append(f"{title}: {error.message}")
            return
        yield result
        helps = best is None or _gain(best, result, config.goal) >= _WORTH
        if best is None or _gain(best, result, config.goal) > 1:
            best = result
        if is_deepening and helps and depth < config.max_workers:
            depth *= 2  # first let runs overlap, then let several execute
            continue
        if not is_deepening and not helps:
            return
        is_deepening = False
        depth, instances = best.in_flight, instances * 2


def _gain(before: BenchResult, after: BenchResult, goal: str | None) -> float:
    if goal == "latency":
        return before.p50_ms / after.p50_ms
    return after.throughput_per_s / before.throughput_per_s


def _best(results: list[BenchResult], config: BenchConfig) -> int:
    """The first of the best: fewer workers, a smaller batch."""
    if config.goal == "latency":
        return min(range(len(results)), key=lambda i: results[i].p50_ms)
    return max(range(len(results)), key=lambda i: results[i].samples_per_s)


@dataclass(frozen=True)
class Case:
    """One thing to measure: a file, and which of its shapes."""

    path: str
    name: str
    shape: str | None = None
    batch: int | None = None

    @property
    def title(self) -> str:
        """For the progress bar and for what was skipped."""
        if self.batch is not None:
            return f"{self.name} at batch {self.batch}"
        return f"{self.name} with {self.shape}" if self.shape is not None else self.name


def _folder_name(case: Case) -> str:
    parts = [Path(case.path).stem]
    if case.batch is not None:
        parts.append(f"batch{case.batch}")
    if case.shape is not None:
        parts.append(re.sub(r"[^\w.,-]", "_", case.shape))
    return "-".join(parts)


def _cases(config: BenchConfig, scratch: Path, skipped: list[str]) -> Iterator[Case]:
    """Everything to measure, as often as asked for."""
    if config.shapes and config.batch_sizes:
        raise InputError("both shapes and batch sizes are given", hint="a shape has a batch")
    if config.repeat < 1:
        raise InputError(f"repeat must be at least 1, not {config.repeat}")
    for case in _files(config, scratch, skipped):
        for shape in config.shapes or (None,):
            for _ in range(config.repeat):
                yield replace(case, shape=shape) if shape is not None else case


def _files(config: BenchConfig, scratch: Path, skipped: list[str]) -> Iterator[Case]:
    """Each file, with each batch size of one that has several."""
    if not config.models:
        raise InputError("no model is given")
    if any(size < 1 for size in config.batch_sizes):
        raise InputError(f"batch sizes are at least 1, not {list(config.batch_sizes)}")
    paths = [
        path.replace("{batch}", str(size))
        for path in config.models
        for size in (config.batch_sizes or (0,) if "{batch}" in path else (0,))
    ]
    if any("{batch}" in path for path in config.models) and not config.batch_sizes:
        raise InputError("{batch} in a model's name stands for each of the batch sizes: none given")
    if [Path(path).suffix for path in paths] == [".onnx"]:
        if not config.search_batch:
            raise InputError(
                f"{paths[0]} is an ONNX model", hint="convert it, or let search_batch do so"
            )
        yield from _converted(paths[0], config, scratch, skipped)
        return
    sizes = config.batch_sizes
    if len(paths) == 1 and (sizes or config.search_batch):
        open_sizes = _open_batches(paths[0])
        if open_sizes is not None:
            yield from (
                Case(paths[0], paths[0], batch=size) for size in sizes or open_sizes or _BATCHES
            )
            return
    if not sizes:
        yield from (Case(path, path) for path in paths)
        return
    found: dict[int, str] = {}
    for path in paths:
        batch = _batch_of(path)
        if batch in found:
            raise InputError(f"{found[batch]} and {path} both have batch size {batch}")
        found[batch] = path
    missing = [size for size in sizes if size not in found]
    if missing:
        have = ", ".join(f"{path}: {size}" for size, path in found.items())
        raise InputError(
            f"no file has batch size {missing[0]} ({have})",
            hint="compile the model once for each batch size and give all files, or with gears",
        )
    yield from (Case(found[size], found[size]) for size in sizes)


def _open_batches(path: str) -> list[int] | None:
    """The batch sizes of a model whose batch is open; empty for a range; None if it is fixed."""
    info = om.inspect(path)
    if not any(spec.shape and spec.shape[0] < 0 for spec in info.inputs):
        return None
    first = next(spec.name for spec in info.inputs if spec.shape and spec.shape[0] < 0)
    return sorted({info.gear_shapes(index)[first][0] for index in range(len(info.gears))})


def _batch_of(path: str) -> int:
    """The first dim of the first input, read from the file."""
    info = om.inspect(path)
    if any(spec.dynamic for spec in info.inputs):
        raise InputError(
            f"{path} has dynamic shapes, and of several files each must have one batch size",
            hint="measure it alone: its gears are then measured by batch size",
        )
    shape = info.inputs[0].shape if info.inputs else ()
    return int(shape[0]) if shape else 1


def _converted(path: str, config: BenchConfig, scratch: Path, skipped: list[str]) -> Iterator[Case]:
    """A simulated .om for each batch size that the model takes."""
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    dims = {
        value.name: [d.dim_value or -1 for d in value.type.tensor_type.shape.dim]
        for value in graph.input
        if value.name not in weights
    }
    batched = {name for name, shape in dims.items() if shape and shape[0] == -1}
    if not batched:
        raise InputError(
            f"no input of {path} leaves its first dim open, so it has one batch size",
            hint="export the model with a dynamic batch axis",
        )
    for name, shape in dims.items():
        if -1 in shape[1:]:
            raise InputError(f"input {name!r} of {path} leaves more open than the batch: {shape}")
    for size in config.batch_sizes or _BATCHES:
        shapes = {name: (size, *dims[name][1:]) for name in batched}
        title = f"{path} at batch {size}"
        try:
            converted = om.convert(path, scratch / f"{size}.om", input_shape=shapes)
        except InputError as error:
            skipped.append(f"{title}: {error.message}")
            continue
        yield Case(str(converted), title)
