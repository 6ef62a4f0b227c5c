# SPDX-License-Identifier: Apache-2.0
"""A report as one HTML page that needs nothing else: style and charts are in it, no scripts."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from . import phases, svg
from .statistics import label

if TYPE_CHECKING:
    from .result import BenchResult
    from .session import BenchReport

__all__ = ["page"]

_STYLE = """
:root{--page:#f5f6f8;--card:#fff;--ink:#1c2330;--soft:#667085;--line:#e3e6eb;--main:#2563a8;
--odd:#4b8bd0;--area:#2563a822;--mark:#c2410c;--pale:#e8a15b;--note:#fff7ed;--edge:#f1b77a;--in:#1a936f;--back:#b4690e;--host:#98a2b3}
@media(prefers-color-scheme:dark){:root{--page:#12161d;--card:#1b212b;--ink:#e6e9ef;--soft:#98a2b3;
--line:#303846;--main:#5a9ee6;--odd:#3d78b8;--area:#5a9ee62b;--mark:#f59e5b;--pale:#8a5a2b;
--note:#2b2318;--edge:#7a5528;--in:#3bb78f;--back:#d99440;--host:#667085}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 20px 60px}
h1{font-size:26px;margin:0 0 4px}h2{font-size:20px;margin:40px 0 12px;overflow-wrap:anywhere}
h3{font-size:14px;margin:0 0 10px;color:var(--soft);font-weight:600}p{margin:4px 0}
.soft{color:var(--soft)}.grid{display:grid;gap:14px}
.tiles{grid-template-columns:repeat(auto-fit,minmax(150px,1fr));margin:14px 0}
.two{grid-template-columns:repeat(auto-fit,minmax(440px,1fr))}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px 18px;
margin-bottom:14px;min-width:0}.grid .card{margin:0}.big{font-size:24px;font-weight:650}
.note{background:var(--note);border-color:var(--edge)}.note p:before{content:"! ";font-weight:700}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
td,th{text-align:left;padding:5px 10px 5px 0;border-bottom:1px solid var(--line);
vertical-align:top;overflow-wrap:anywhere}th{color:var(--soft);font-weight:600}
td.n,th.n{text-align:right;white-space:nowrap}tr:last-child>*{border:0}tr.best td{font-weight:700}
svg{display:block;width:100%;height:auto}svg text{font:12px system-ui,"DejaVu Sans",sans-serif}
.tick{fill:var(--soft)}.label{fill:var(--ink)}.markname{fill:var(--mark);font-weight:600}
line.grid{stroke:var(--line)}line.axis{stroke:var(--soft)}
line.mark{stroke:var(--mark);stroke-dasharray:4 3}line.missing{stroke:var(--soft);
stroke-dasharray:3 4}.bar,.run{fill:var(--main)}.run.odd{fill:var(--odd)}.wait{fill:var(--pale)}
.h2d{fill:var(--in)}.h2d.odd{fill:var(--in);opacity:.75}.device{fill:var(--main)}
.device.odd{fill:var(--odd)}.d2h{fill:var(--back)}.d2h.odd{fill:var(--back);opacity:.75}
.host{fill:var(--host)}.area{fill:var(--area)}.curve{fill:none;stroke:var(--main);stroke-width:2}
@media print{body{background:#fff}.card{break-inside:avoid}}
"""

_PHASES = {
    "open": "open the device",
    "load": "load",
    "first": "first inference",
    "h2d": "copy to the device",
    "device": "device",
    "d2h": "copy back",
    "host": "host",
    "end_to_end": "end to end",
}


def _ms(value: float) -> str:
    return f"{value:.4g} ms" if value < 1000 else f"{value / 1000:.4g} s"


def _size(value: int | None) -> str:
    if value is None:
        return "not known"
    return f"{value / 2**20:,.1f} MiB" if value >= 2**20 else f"{value / 1024:,.1f} KiB"


def _rows(pairs: Iterable[tuple[str, object]]) -> str:
    cells = (f"<tr><th>{escape(k)}</th><td>{escape(str(v))}</td></tr>" for k, v in pairs)
    return f"<table>{''.join(cells)}</table>"


def _card(title: str, body: str, kind: str = "") -> str:
    return f'<section class="card {kind}"><h3>{escape(title)}</h3>{body}</section>'


def _tile(title: str, value: str) -> str:
    return _card(title, f'<div class="big">{escape(value)}</div>')


def page(report: BenchReport) -> str:
    """The page.

    Args:
        report: What was measured.

    Returns:
        HTML, UTF-8, without references to anything outside.
    """
    machine = report.machine
    title = "Benchmark" + (" (interrupted)" if report.is_partial else "")
    subtitle = (
        f"{report.created} · {machine['soc_name'] or 'unknown chip'} ({machine['backend']}) · "
        f"aclrt {machine['aclrt']}"
    )
    parts = [
        f"<h1>{title}</h1><p class='soft'>{escape(subtitle)}</p>",
        _notes(report),
        _overview(report) if len(report.runs) > 1 else "",
        *(_run(result) for result in report.runs),
        "<h2>Machine and settings</h2><div class='grid two'>",
        _card("machine", _rows((k.replace("_", " "), _value(k, v)) for k, v in machine.items())),
        _card(
            "settings",
            _rows(
                (k.replace("_", " "), ", ".join(map(str, v)) if isinstance(v, list) else v)
                for k, v in report.config.to_dict().items()
                if v not in (None, [], False)
            ),
        ),
        "</div>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>aclrt bench</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _value(name: str, value: object) -> object:
    if name == "memory_bytes" and isinstance(value, int):
        return _size(value)
    return "" if value is None else value


def _notes(report: BenchReport) -> str:
    """What holds for all measurements is said once, at the top."""
    notes = dict.fromkeys(c for result in report.runs for c in result.cautions)
    lines = [f"<p>{escape(note)}</p>" for note in (*notes, *report.skipped)]
    return _card("bear in mind", "".join(lines), "note") if lines else ""


def _overview(report: BenchReport) -> str:
    heads = ("measurement", "batch", "threads", "instances", "median", "inferences/s", "samples/s")
    head = "".join(f'<th class="{"n" if i else ""}">{h}</th>' for i, h in enumerate(heads))
    lines = []
    for index, result in enumerate(report.runs):
        figures = (
            result.batch,
            result.threads,
            result.instances,
            _ms(result.p50_ms),
            f"{result.throughput_per_s:,.1f}",
            f"{result.samples_per_s:,.1f}",
        )
        cells = "".join(f'<td class="n">{figure}</td>' for figure in figures)
        best = index == report.best
        name = f"<td>{escape(result.model or 'model')}{' (best)' if best else ''}</td>"
        lines.append(f'<tr class="{"best" if best else ""}">{name}{cells}</tr>')
    rows = [
        (
            f"batch {r.batch}, {r.threads} thread{'s' * (r.threads > 1)}",
            r.samples_per_s,
            f"{r.samples_per_s:,.1f} samples/s",
        )
        for r in report.runs
    ]
    return (
        "<h2>Overview</h2>"
        + _card("measurements", f"<table><tr>{head}</tr>{''.join(lines)}</table>")
        + _card("throughput", svg.bars(rows, 1000))
    )


def _phases(result: BenchResult) -> str:
    """What an inference is made of as one bar, and every phase in a table."""
    by_name = {phase.name: phase for phase in result.phases}
    parts = [
        (_PHASES[name], mean, name)
        for name in ("h2d", "device", "d2h", "host")
        if (mean := by_name[name].mean_ms) is not None
    ]
    heads = ("phase", "times", "mean", "median", "shortest", "longest", "")
    head = "".join(f'<th class="{"n" if 0 < i < 6 else ""}">{h}</th>' for i, h in enumerate(heads))
    lines = []
    for phase in result.phases:
        figures = (phase.mean_ms, phase.p50_ms, phase.min_ms, phase.max_ms)
        cells = "".join(f'<td class="n">{"" if f is None else _ms(f)}</td>' for f in figures)
        count = f'<td class="n">{phase.count or ""}</td>'
        lines.append(
            f"<tr><td style='white-space:nowrap'>{_PHASES[phase.name]}</td>{count}{cells}"
            f'<td class="soft">{escape(phase.note)}</td></tr>'
        )
    table = f"<table><tr>{head}</tr>{''.join(lines)}</table>"
    bar = _card("one inference, mean", svg.stack(parts, 1000)) if parts else ""
    return bar + _card("phases", table)


def _run(result: BenchResult) -> str:
    latency_ms = result.latency_ns / 1e6
    shown = [(label(p), ms) for p, ms in result.latency.percentiles.items()]
    low = result.latency
    table = [
        ("mean", _ms(low.mean_ms)),
        ("standard deviation", _ms(low.std_ms)),
        ("shortest", _ms(low.min_ms)),
        *((name, _ms(ms)) for name, ms in shown),
        ("longest", _ms(low.max_ms)),
        ("inferences", f"{low.count:,} after {result.warmup:,} to warm up"),
        ("shapes", result.shape.replace(";", "; ")),
        ("data", result.data),
    ]
    memory = result.memory
    usage: list[tuple[str, object]] = [
        ("process before loading", _size(memory["host_before_load_bytes"])),
        ("process after loading", _size(memory["host_after_load_bytes"])),
        ("process after measuring", _size(memory["host_after_run_bytes"])),
        ("process at most", _size(memory["host_peak_bytes"])),
        ("device, by the model", _size(memory["device_used_bytes"])),
        ("device in all", _size(memory["device_total_bytes"])),
    ]
    if result.power is not None:
        usage += [
            ("power, mean", f"{result.power['mean_w']:.1f} W"),
            ("power, most", f"{result.power['max_w']:.1f} W"),
            ("energy", f"{result.power['joule_per_inference']:.4g} J an inference"),
        ]
    tiles = [
        _tile("median latency", _ms(result.p50_ms)),
        *(_tile(name, _ms(ms)) for name, ms in shown if name != "p50"),
        _tile("inferences/s", f"{result.throughput_per_s:,.1f}"),
    ]
    if result.batch > 1:
        tiles.append(_tile("samples/s", f"{result.samples_per_s:,.1f}"))
    due_ms = (result.end_ns - result.latency_ns) / 1e6
    worker, row = result.worker, "thread"
    if result.in_flight > 1 or result.streams is not None:
        row = "run"
        first = slice(0, svg.DRAWN)
        worker = np.array(phases.slots(result.begin_ns[first], result.end_ns[first]))
    line = svg.timeline(due_ms, result.begin_ns / 1e6, result.end_ns / 1e6, worker, 1000, row)
    kind = "latency from when each was due" if result.rate else "latency"
    return "".join(
        [
            f"<h2>{escape(result.name)}</h2><div class='grid tiles'>{''.join(tiles)}</div>",
            "<div class='grid two'>",
            _card(f"{kind}: histogram", svg.histogram(latency_ms, shown, (500, 300))),
            _card(f"{kind}: by percentile", svg.curve(latency_ms, (500, 300))),
            "</div><div style='height:14px'></div>",
            _phases(result),
            _card("overlap: some traced inferences", svg.lanes(result.timeline, 1000))
            if result.timeline
            else "",
            _card("timeline", line),
            "<div class='grid two'>",
            _card("figures", _rows(table)),
            _card("memory" + (" and power" if result.power else ""), _rows(usage)),
            "</div>",
        ]
    )
