# SPDX-License-Identifier: Apache-2.0
"""A comparison as JUnit XML for CI systems, and as one HTML file that needs no other."""

from __future__ import annotations

import re
from html import escape
from xml.etree import ElementTree

from .metrics import ULP_LABELS, OutputComparison
from .result import Case, Comparison

__all__ = ["to_html", "to_junit"]

# What XML 1.0 cannot hold, even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(found: Comparison) -> str:
    """JUnit XML: a suite for each case, a test for each output, a failure with the reasons."""
    root = ElementTree.Element("testsuites", name="aclrt compare")
    for case in found.cases:
        failures = sum(not output.passed for output in case.outputs)
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=_clean(f"{found.first} / {found.second}: {case.label}"),
            tests=str(len(case.outputs)),
            failures=str(failures),
            errors="0",
        )
        for output in case.outputs:
            test = ElementTree.SubElement(
                suite, "testcase", classname=_clean(case.label), name=_clean(output.name)
            )
            if not output.passed:
                reasons = "; ".join(output.reasons)
                failure = ElementTree.SubElement(test, "failure", message=_clean(reasons))
                about = [a for a in found.advice if a.startswith(f"{output.name}: ")]
                failure.text = _clean("\n".join([*output.reasons, *about]))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)


_STYLE = """
:root { --ink: #1c2430; --dim: #667085; --line: #dde2ea; --page: #f6f7f9; --card: #fff;
  --good: #0f7b4f; --bad: #b42318; --bar: #3b6fd4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --dim: #98a2b3; --line: #323a47;
  --page: #14181f; --card: #1c222b; --good: #4cc38a; --bad: #ff8a7a; --bar: #7aa2f7; } }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: 1rem 1.2rem; margin: .8rem 0; }
.good { color: var(--good); } .bad { color: var(--bad); } .dim { color: var(--dim); }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .25rem .8rem
  .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: normal; }
th { color: var(--dim); width: 13rem; } td { font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; margin-top: .8rem; } svg text { fill: var(--dim);
  font: 11px system-ui, sans-serif; } svg rect { fill: var(--bar); }
ul { margin: 0; padding-left: 1.2rem; } li { margin: .25rem 0; }
"""


def to_html(found: Comparison) -> str:
    """One HTML page with style and figures inside: nothing is fetched from anywhere."""
    verdict = _verdict(found.passed)
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>aclrt compare: {'passed' if found.passed else 'failed'}</title>",
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>aclrt compare: {verdict}</h1>",
        f'<p class="dim">{escape(found.first)} ({found.first_kind}) against '
        f"{escape(found.second)} ({found.second_kind}), the reference</p>",
        _list("What to look at next", found.advice),
        _list("To bear in mind", found.cautions),
        *map(_case, found.cases),
        "</body></html>",
    ]
    # A file name need not be text in any encoding.
    return "\n".join(filter(None, parts)).encode("utf-8", "replace").decode() + "\n"


def _verdict(passed: bool) -> str:
    word, style = ("passed", "good") if passed else ("failed", "bad")
    return f'<span class="{style}">{word}</span>'


def _list(title: str, lines: tuple[str, ...]) -> str:
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<h2>{title}</h2><div class="card"><ul>{items}</ul></div>'


def _case(case: Case) -> str:
    cards = "".join(map(_output, case.outputs))
    return f"<h2>Inputs {escape(case.label)}: {_verdict(case.passed)}</h2>{cards}"


def rows(output: OutputComparison) -> list[tuple[str, str]]:
    """The figures of one output for people."""
    shape, census = f"{output.dtype} {output.shape}", output.census
    other, counted = f"{output.reference_dtype} {output.reference_shape}", output.reference_census
    worst = ""
    if output.worst is not None and output.worst_values is not None:
        place = ", ".join(map(str, output.worst))
        worst = f" at [{place}]: {output.worst_values[0]:.6g} and {output.worst_values[1]:.6g}"
    pairs = [("type and shape", shape if shape == other else f"{shape}; reference {other}")]
    if output.max_abs is not None:
        pairs += [
            ("largest absolute error", f"{output.max_abs:.4g}{worst}"),
            ("mean absolute error", f"{output.mean_abs:.4g}"),
            ("largest relative error", f"{output.max_rel:.4g}"),
            ("cosine", f"{output.cosine:.8f}"),
            ("beyond tolerance", f"{output.exceeding} of {output.elements}"),
            ("largest distance in ULP", str(output.max_ulp)),
        ]
    if output.top1 is not None:
        pairs.append(("top-1, top-5 agreement", f"{output.top1:.2%}, {output.top5:.2%}"))
    pairs.append(
        (
            "NaN, +Inf, -Inf",
            f"{census.nan}, {census.posinf}, {census.neginf}; reference {counted.nan}, "
            f"{counted.posinf}, {counted.neginf}",
        )
    )
    return pairs


def _output(output: OutputComparison) -> str:
    body = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows(output)
    )
    reasons = "".join(f'<p class="bad">{escape(reason)}</p>' for reason in output.reasons)
    heading = f"<h3>{escape(output.name)}: {_verdict(output.passed)}</h3>"
    return f'<div class="card">{heading}{reasons}<table>{body}</table>{_bars(output)}</div>'


def _bars(output: OutputComparison) -> str:
    """The ULP histogram as shares of all elements."""
    total = sum(output.ulp.values())
    if not total:
        return ""
    width, high = 80, 70
    marks = []
    for place, label in enumerate(ULP_LABELS):
        count = output.ulp.get(label, 0)
        tall = high * count / total if count else 0
        if count:
            tall = max(tall, 1.0)
        x, middle = place * width + 14, place * width + width / 2
        share = f"{count / total:.1%}" if count else ""
        marks.append(
            f'<rect x="{x}" y="{16 + high - tall:.1f}" width="{width - 28}" height="{tall:.1f}"/>'
            f'<text x="{middle}" y="{11 + high - tall:.1f}" text-anchor="middle">{share}</text>'
            f'<text x="{middle}" y="{high + 31}" text-anchor="middle">{escape(label)}</text>'
        )
    size = f"0 0 {width * len(ULP_LABELS)} {high + 48}"
    foot = f'<text x="{width * len(ULP_LABELS) / 2}" y="{high + 46}" text-anchor="middle">'
    return (
        f'<svg viewBox="{size}" role="img" aria-label="ULP histogram">{"".join(marks)}{foot}'
        "share of elements by distance in ULP</text></svg>"
    )
