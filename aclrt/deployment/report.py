# SPDX-License-Identifier: Apache-2.0
"""A deployment as Markdown, and as one HTML page that needs nothing else.

The page holds the full reports of compare and bench as pages of their own inside it (``srcdoc``),
so that each keeps its style.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ..bench import svg
from ..compare import to_html as comparison_page

if TYPE_CHECKING:
    from .result import Deployment

__all__ = ["markdown", "page"]

_SIGNS = {
    "done": "good",
    "skipped": "dim",
    "not run": "dim",
    "failed": "bad",
    "different": "bad",
    "interrupted": "bad",
}


def _verdict(result: Deployment) -> tuple[str, str]:
    if result.is_partial:
        return "interrupted: partial results", "bad"
    if result.ok:
        return "deployed", "good"
    return ("outputs differ" if result.exit_code == 3 else "failed"), "bad"


def _tables(result: Deployment) -> list[tuple[str, list[str], list[list[str]]]]:
    """Title, heads and rows of each table."""
    tables = [
        (
            "Steps",
            ["step", "outcome", "seconds", "what came out", "next step"],
            [[s.name, s.status, f"{s.seconds:.1f}", s.summary, s.next_step] for s in result.steps],
        ),
        (
            "Models",
            ["file", "batch", "bytes", "for"],
            [
                [
                    m.path.name,
                    "several" if m.batch is None else str(m.batch),
                    f"{m.nbytes:,}",
                    "the fake device (simulated)" if m.simulated else "cards",
                ]
                for m in result.models
            ],
        ),
        (
            "Outputs against the ONNX",
            ["model", "inputs", "output", "verdict", "largest error", "cosine", "top-1"],
            [
                [
                    Path(found.first).name,
                    case.label,
                    output.name,
                    "passed" if output.passed else "FAILED: " + "; ".join(output.reasons),
                    "" if output.max_abs is None else f"{output.max_abs:.3g}",
                    "" if output.cosine is None else f"{output.cosine:.6f}",
                    "" if output.top1 is None else f"{output.top1:.1%}",
                ]
                for found in result.comparisons
                for case in found.cases
                for output in case.outputs
            ],
        ),
    ]
    if result.bench is not None:
        heads = ["model", "batch", "median ms", "p99 ms", "inferences/s", "samples/s", "note"]
        rows = []
        for run in result.bench.runs:
            p99 = run.latency.percentiles.get(99)
            rows.append(
                [
                    Path(run.model).name,
                    str(run.batch),
                    f"{run.p50_ms:.4g}",
                    "" if p99 is None else f"{p99:.4g}",
                    f"{run.throughput_per_s:,.1f}",
                    f"{run.samples_per_s:,.1f}",
                    "interrupted" if run.is_partial else "",
                ]
            )
        tables.append(("Speed", heads, rows))
    return [table for table in tables if table[2]]


def _notes(result: Deployment) -> list[str]:
    notes = [line for found in result.comparisons for line in (*found.advice, *found.cautions)]
    if result.doctor is not None:
        notes += [f"{p['problem']}: {p['next_step']}" for p in result.doctor["problems"]]
    if result.bench is not None:
        notes += [line for run in result.bench.runs for line in run.cautions]
    return list(dict.fromkeys(notes))


def markdown(result: Deployment) -> str:
    """The report as GitHub's Markdown."""
    lines = [
        f"# Deployment of {_cell(Path(result.onnx).name)}: {_verdict(result)[0]}",
        "",
        f"{result.created}, {_place(result)}",
    ]
    for title, heads, rows in _tables(result):
        lines += ["", f"## {title}", "", "| " + " | ".join(heads) + " |"]
        lines.append("|" + " --- |" * len(heads))
        lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    notes = _notes(result)
    if notes:
        lines += ["", "## To bear in mind", "", *(f"- {_cell(note)}" for note in notes)]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def _place(result: Deployment) -> str:
    backend = result.doctor["backend"] if result.doctor is not None else None
    if backend is None:
        return "on an unknown device"
    return f"on {backend['name']}, {backend['soc_name'] or 'unknown chip'}"


_STYLE = """
:root{--ink:#1c2430;--dim:#667085;--line:#dde2ea;--page:#f6f7f9;--card:#fff;--good:#0f7b4f;
--bad:#b42318;--main:#3b6fd4}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--dim:#98a2b3;--line:#323a47;--page:#14181f;
--card:#1c222b;--good:#4cc38a;--bad:#ff8a7a;--main:#7aa2f7}}
*{box-sizing:border-box}body{margin:0 auto;max-width:70rem;padding:2rem 1.25rem;
background:var(--page);color:var(--ink);font:15px/1.5 system-ui,"DejaVu Sans",sans-serif}
h1{font-size:1.6rem;margin:0;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2rem 0 .6rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem 1.2rem;
margin:.8rem 0;overflow-x:auto}.good{color:var(--good)}.bad{color:var(--bad)}.dim{color:var(--dim)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}td,th{text-align:left;
padding:.3rem .9rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}th{
color:var(--dim);font-weight:600;white-space:nowrap}tr:last-child td{border:0}
ul{margin:0;padding-left:1.2rem}summary{cursor:pointer;font-weight:600}
iframe{width:100%;height:80vh;border:0;margin-top:1rem;border-radius:8px}
svg{display:block;width:100%;height:auto}svg text{font:12px system-ui,"DejaVu Sans",sans-serif}
.tick{fill:var(--dim)}.label{fill:var(--ink)}line.grid{stroke:var(--line)}
line.axis{stroke:var(--dim)}.bar{fill:var(--main)}
"""


def page(result: Deployment) -> str:
    """The report as one HTML page."""
    word, style = _verdict(result)
    name = escape(Path(result.onnx).name)
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>aclrt deploy: {name}: {word}</title><style>{_STYLE}</style></head><body>",
        f'<h1>{name}: <span class="{style}">{word}</span></h1>',
        f'<p class="dim">{escape(result.created)}, {escape(_place(result))}, '
        f"in {escape(str(result.output))}</p>",
    ]
    for title, heads, rows in _tables(result):
        parts.append(f"<h2>{title}</h2><div class='card'>{_table(heads, rows)}")
        if title == "Speed" and result.bench is not None:
            parts.append(_bars(result))
        parts.append("</div>")
    notes = "".join(f"<li>{escape(note)}</li>" for note in _notes(result))
    if notes:
        parts.append(f"<h2>To bear in mind</h2><div class='card'><ul>{notes}</ul></div>")
    whole = [
        (f"comparison of {Path(found.first).name}", comparison_page(found))
        for found in result.comparisons
    ]
    if result.bench is not None:
        whole.append(("benchmark", result.bench.to_html()))
    if whole:
        parts.append("<h2>In full</h2>")
    for title, text in whole:
        parts.append(
            f"<details class='card'><summary>{escape(title)}</summary>"
            f'<iframe title="{escape(title)}" srcdoc="{escape(text)}"></iframe></details>'
        )
    parts.append("</body></html>\n")
    # A file name need not be text in any encoding.
    return "".join(parts).encode("utf-8", "replace").decode()


def _table(heads: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = []
    for row in rows:
        sign = _SIGNS.get(row[1], "")
        cells = [f"<td>{escape(text)}</td>" for text in row]
        if sign:
            cells[1] = f'<td class="{sign}">{escape(row[1])}</td>'
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><tr>{head}</tr>{''.join(body)}</table>"


def _bars(result: Deployment) -> str:
    assert result.bench is not None
    rows: list[tuple[str, float | None, str]] = [
        (f"batch {run.batch}", run.samples_per_s, f"{run.samples_per_s:,.1f} samples/s")
        for run in result.bench.runs
    ]
    return svg.bars(rows, 1000) if len(rows) > 1 else ""
