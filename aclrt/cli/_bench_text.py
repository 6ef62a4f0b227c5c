# SPDX-License-Identifier: Apache-2.0
"""What ``aclrt bench`` shows people: figures, comparisons, and a bar while it measures."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from aclrt.bench.statistics import label

from . import _output

if TYPE_CHECKING:
    from aclrt.bench import BenchDiff, BenchReport, BenchResult

    Watch = Callable[[Callable[[], float]], AbstractContextManager[None]]

__all__ = ["progress", "say_interrupted", "show", "show_diff"]

_PERIOD_S = 0.1


def say_interrupted() -> None:
    """The word on stderr that every interrupted command says."""
    print("aclrt: interrupted", file=sys.stderr)


def progress() -> Callable[[str], Watch] | None:
    """A bar on stderr for each measurement; None where stderr is no terminal."""
    return _bar if sys.stderr.isatty() else None


def _bar(title: str) -> Watch:
    @contextmanager
    def watch(done: Callable[[], float]) -> Iterator[None]:
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        bar = Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
        task = bar.add_task(escape(title), total=1.0)
        over = threading.Event()

        def follow() -> None:
            while not over.wait(_PERIOD_S):
                bar.update(task, completed=done(), refresh=True)

        thread = threading.Thread(target=follow, daemon=True, name="aclrt-progress")
        with bar:
            thread.start()
            try:
                yield
            finally:
                over.set()
                thread.join()

    return watch


def show(report: BenchReport, files: Sequence[str]) -> None:
    """The report: in full, or a table where there are several measurements."""
    runs = report.runs
    print(f"{runs[0].model} on {_place(runs[0])}" if len(runs) == 1 else f"on {_place(runs[0])}")
    if report.is_partial:
        print("INTERRUPTED: partial results")
    if len(runs) == 1:
        _one(runs[0])
    else:
        _many(report)
    for caution in dict.fromkeys(c for run in runs for c in run.cautions):
        print(f"caution: {caution}")
    for line in report.skipped:
        print(f"skipped: {line}")
    for file in files:
        print(f"written: {file}")


def _place(run: BenchResult) -> str:
    several = "s" if len(run.devices) > 1 else ""
    numbers = ", ".join(map(str, run.devices))
    return f"device{several} {numbers} ({run.backend}, {run.soc_name or 'unknown'})"


def _one(run: BenchResult) -> None:
    threads = f"{run.threads} thread{'s' * (run.threads > 1)}"
    rate = f", {run.rate:g} offered a second" if run.rate else ""
    print(f"{run.iterations} iterations after {run.warmup} to warm up, {threads}{rate}")
    print(f"data: {run.data}\n")
    rows = []
    for phase in run.phases:
        times = (phase.mean_ms, phase.p50_ms, phase.max_ms)
        shown = ["" if ms is None else f"{ms:.4f}" for ms in times]
        rows.append((phase.name.replace("_", " "), *shown, phase.note))
    _output.table(("phase", "mean ms", "median ms", "most ms", ""), rows)
    print()
    figures = run.latency
    lines = [("mean", figures.mean_ms), ("std", figures.std_ms), ("min", figures.min_ms)]
    lines += [(label(p), ms) for p, ms in figures.percentiles.items()]
    lines += [("max", figures.max_ms)]
    print("latency, from when each was due" if run.rate else "latency")
    _output.facts([(name, f"{ms:12.4f} ms") for name, ms in lines])
    print(f"\nthroughput  {run.throughput_per_s:.1f} inferences/s over {run.wall_s:.3f} s")
    if run.batch > 1:
        print(f"            {run.samples_per_s:.1f} samples/s at batch {run.batch}")
    memory: dict[str, Any] = run.memory
    print(f"memory      host {_output.size(memory['host_peak_bytes'])} at most", end="")
    if memory["device_used_bytes"] is None:
        print()
    else:
        print(f", device {_output.size(memory['device_used_bytes'])}")
    if run.power is not None:
        power = run.power
        print(
            f"power       {power['mean_w']:.1f} W, {power['joule_per_inference']:.4g} J/inference"
        )


def _many(report: BenchReport) -> None:
    heads = ["", "model", "batch", "threads", "instances", "load ms", "first ms"]
    heads += [f"{label(p)} ms" for p in report.config.percentiles]
    heads += ["inferences/s", "samples/s"]
    rows = []
    for index, run in enumerate(report.runs):
        phases = {phase.name: phase.mean_ms or 0.0 for phase in run.phases}
        best = "best" if index == report.best else ""
        times = [phases["load"], phases["first"], *run.latency.percentiles.values()]
        row = [best, run.model, run.batch, run.threads, run.instances]
        row += [round(ms, 4) for ms in times]
        rows.append([*row, round(run.throughput_per_s, 1), round(run.samples_per_s, 1)])
    _output.table(heads, rows)


def show_diff(result: BenchDiff) -> None:
    """A row for each figure, and the verdict."""
    heads = ("measurement", "figure", "old", "new", "change", "interval", "verdict")
    rows = []
    for name, changes in result.runs:
        for c in changes:
            unit = "/s" if c.metric == "throughput" else " ms"
            interval = f"{c.low:+.1%} to {c.high:+.1%}"
            old, new = (f"{value:.4g}{unit}" for value in (c.old, c.new))
            rows.append((name, c.metric, old, new, f"{c.change:+.1%}", interval, c.verdict))
    _output.table(heads, rows)
    for caution in result.cautions:
        print(f"caution: {caution}")
    verdicts = [c.verdict for _, changes in result.runs for c in changes]
    if "uncertain" in verdicts:
        print("uncertain: an interval reaches over the limit; more iterations make it narrower")
    limit = f"{result.fail_on:.3g}" if result.fail_on > 1 else f"{result.fail_on:.1%}"
    word = "no figure is" if result.ok else "a figure is"
    print(f"{word} certainly worse by more than {limit} ({result.confidence:.0%} intervals)")
