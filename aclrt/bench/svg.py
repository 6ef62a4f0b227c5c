# SPDX-License-Identifier: Apache-2.0
"""Small charts as inline SVG. Colours are CSS variables of the page, so they follow its theme."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DRAWN", "bars", "curve", "histogram", "lanes", "stack", "timeline"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 18, 12, 44
DRAWN = 160  # inferences in a timeline
Scale = Callable[[float], float]


def ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Round numbers (1, 2, 5 times a power of ten) that cover low to high."""
    if not high > low:
        high = low + (abs(low) or 1.0)
    raw = (high - low) / about
    power = 10.0 ** floor(log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    return [i * step for i in range(floor(low / step + 1e-9), ceil(high / step - 1e-9) + 1)]


def _scale(low: float, high: float, start: float, stop: float) -> Scale:
    span = (high - low) or 1.0
    return lambda value: start + (value - low) / span * (stop - start)


def _open(width: int, height: int, title: str) -> list[str]:
    return [
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title, quote=True)}">'
    ]


def _text(x: float, y: float, text: object, anchor: str = "middle", kind: str = "tick") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(str(text))}</text>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _rect(x: float, y: float, width: float, height: float, kind: str, title: str) -> str:
    return (
        f'<rect class="{kind}" x="{x:.2f}" y="{y:.2f}" width="{max(width, 0.6):.2f}" '
        f'height="{max(height, 0):.2f}" rx="1"><title>{escape(title)}</title></rect>'
    )


def _axes(
    parts: list[str],
    size: tuple[int, int],
    x: Scale,
    y: Scale,
    xs: Sequence[tuple[float, str]],
    ys: Sequence[float],
    labels: tuple[str, str],
) -> None:
    width, height = size
    for value in ys:
        parts.append(_line(_LEFT, y(value), width - _RIGHT, y(value), "grid"))
        parts.append(_text(_LEFT - 8, y(value) + 4, f"{value:g}", "end"))
    for value, text in xs:
        parts.append(_text(x(value), height - _BOTTOM + 18, text))
    parts.append(_line(_LEFT, height - _BOTTOM, width - _RIGHT, height - _BOTTOM, "axis"))
    parts.append(_text((_LEFT + width - _RIGHT) / 2, height - 6, labels[0], kind="label"))
    middle = (_TOP + height - _BOTTOM) / 2
    parts.append(
        f'<text class="label" transform="translate(14 {middle:.0f}) rotate(-90)" '
        f'text-anchor="middle">{escape(labels[1])}</text>'
    )


def histogram(
    samples_ms: NDArray[np.float64], marks: Sequence[tuple[str, float]], size: tuple[int, int]
) -> str:
    """How many samples took how long; the slowest hundredth is drawn in the last bar.

    Args:
        samples_ms: Milliseconds.
        marks: Names and places of upright lines.
        size: Width and height.

    Returns:
        An ``<svg>`` element.
    """
    width, height = size
    low, limit = float(samples_ms.min()), float(np.quantile(samples_ms, 0.99))
    top = float(samples_ms.max())
    limit = top if top - low <= 1.5 * (limit - low) or limit <= low else limit
    count = min(48, max(8, round(len(samples_ms) ** 0.5)))
    numbers, edges = np.histogram(
        np.minimum(samples_ms, limit), bins=count, range=(low, limit if limit > low else low + 1e-6)
    )
    grid = ticks(0, float(numbers.max()), 5)
    x = _scale(float(edges[0]), float(edges[-1]), _LEFT, width - _RIGHT)
    y = _scale(0, grid[-1], height - _BOTTOM, _TOP)
    parts = _open(width, height, "histogram of latencies")
    shown = [t for t in ticks(float(edges[0]), float(edges[-1])) if edges[0] <= t <= edges[-1]]
    further = "" if limit == top else f"; the last bar reaches up to {top:.3g}"
    axes = (f"latency, ms{further}", "inferences")
    _axes(parts, size, x, y, [(t, f"{t:g}") for t in shown], grid, axes)
    for number, start, stop in zip(numbers, edges[:-1], edges[1:], strict=True):
        title = f"{start:.4g} to {stop:.4g} ms: {number}"
        if number:
            at = x(float(start))
            wide = x(float(stop)) - at - 1
            parts.append(_rect(at, y(number), wide, y(0) - y(number), "bar", title))
    row = 0
    for name, value in marks:
        if low <= value <= limit:
            parts.append(_line(x(value), _TOP, x(value), height - _BOTTOM, "mark"))
            right = x(value) > width - 90
            at, anchor = (x(value) - 4, "end") if right else (x(value) + 4, "start")
            parts.append(_text(at, _TOP + 10 + 14 * row, name, anchor, "markname"))
            row += 1
    return "".join([*parts, "</svg>"])


def curve(samples_ms: NDArray[np.float64], size: tuple[int, int]) -> str:
    """Latency by percentile; each nine of the percentile takes the same width.

    Args:
        samples_ms: Milliseconds.
        size: Width and height.

    Returns:
        An ``<svg>`` element.
    """
    width, height = size
    ordered = np.sort(samples_ms)
    nines = max(1.0, log10(len(ordered)))
    # Of each stretch of the axis as many points as can be told apart.
    above = np.logspace(0, -nines, 400)
    ranks = np.clip(np.ceil(len(ordered) * (1 - above)).astype(int), 1, len(ordered)) - 1
    grid = ticks(0, float(ordered[-1]), 5)
    x = _scale(0, nines, _LEFT, width - _RIGHT)
    y = _scale(0, grid[-1], height - _BOTTOM, _TOP)
    named = [(0.0, "0"), (log10(2), "50"), (1, "90"), (2, "99"), (3, "99.9"), (4, "99.99")]
    parts = _open(width, height, "latency by percentile")
    shown = [(at, text) for at, text in named if at <= nines + 1e-9]
    _axes(parts, size, x, y, shown, grid, ("percentile", "latency, ms"))
    points = [
        f"{x(-log10(share)):.1f},{y(float(ordered[rank])):.1f}"
        for share, rank in zip(above, ranks, strict=True)
    ]
    points.append(f"{x(nines):.1f},{y(float(ordered[-1])):.1f}")
    floor_y = f"{y(0):.1f}"
    area = f"{x(0):.1f},{floor_y} {' '.join(points)} {x(nines):.1f},{floor_y}"
    parts.append(f'<polygon class="area" points="{area}"/>')
    parts.append(f'<polyline class="curve" points="{" ".join(points)}"/>')
    return "".join([*parts, "</svg>"])


def timeline(
    due_ms: NDArray[Any],
    begin_ms: NDArray[Any],
    end_ms: NDArray[Any],
    worker: NDArray[Any],
    width: int,
    row: str = "thread",
) -> str:
    """The first inferences of each thread, one lane a thread; waiting for a thread is pale.

    Args:
        due_ms: When each should have begun, from the start.
        begin_ms: When it began.
        end_ms: When it was over.
        worker: Its thread.
        width: Of the drawing.
        row: What a lane is, before its number.

    Returns:
        An ``<svg>`` element.
    """
    size = min(DRAWN, len(end_ms))
    lanes = int(worker.max()) + 1
    lane = 26
    height = _TOP + lane * lanes + _BOTTOM
    stop = float(end_ms[:size].max())
    x = _scale(0, stop, _LEFT, width - _RIGHT)
    parts = _open(width, height, "timeline of inferences")
    for value in (t for t in ticks(0, stop, 8) if t <= stop):
        parts.append(_line(x(value), _TOP, x(value), height - _BOTTOM, "grid"))
        parts.append(_text(x(value), height - _BOTTOM + 18, f"{value:g}"))
    for number in range(lanes):
        parts.append(_text(_LEFT - 8, _TOP + lane * number + 17, f"{row} {number}", "end"))
    for i in range(size):
        top = _TOP + lane * int(worker[i]) + 4
        begin, end = float(begin_ms[i]), float(end_ms[i])
        if begin - due_ms[i] > 1e-6:
            at = x(max(float(due_ms[i]), 0))
            text = f"waited {begin - due_ms[i]:.4g} ms"
            parts.append(_rect(at, top + 6, x(begin) - at, lane - 20, "wait", text))
        kind = "run" if i % 2 else "run odd"
        parts.append(
            _rect(x(begin), top, x(end) - x(begin), lane - 8, kind, f"{end - begin:.4g} ms")
        )
    text = f"ms from the start; the first {size} inferences"
    parts.append(_text((_LEFT + width - _RIGHT) / 2, height - 6, text, kind="label"))
    return "".join([*parts, "</svg>"])


def lanes(rows: Sequence[tuple[str, int, int]], width: int) -> str:
    """What took place when, a lane for each row; threads first, then engines.

    Args:
        rows: Lane, begin and end in nanoseconds.
        width: Of the drawing.

    Returns:
        An ``<svg>`` element.
    """
    order = ("run", "H2D", "compute", "D2H", "other")
    names = sorted(
        {name for name, _, _ in rows},
        key=lambda name: (order.index(name.split()[0]), name.split()[1:]),
    )
    lane = 28
    height = _TOP + lane * len(names) + _BOTTOM
    stop = max(end for _, _, end in rows) / 1e6
    x = _scale(0, stop, _LEFT + 16, width - _RIGHT)
    parts = _open(width, height, "timeline of threads and engines")
    for value in (t for t in ticks(0, stop, 8) if t <= stop):
        parts.append(_line(x(value), _TOP, x(value), height - _BOTTOM, "grid"))
        parts.append(_text(x(value), height - _BOTTOM + 18, f"{value:g}"))
    for number, name in enumerate(names):
        parts.append(_text(_LEFT + 8, _TOP + lane * number + 18, name, "end"))
    seen = dict.fromkeys(names, 0)
    for name, begin, end in rows:
        kind = {"H2D": "h2d", "compute": "device", "D2H": "d2h"}.get(name.split()[0], "run")
        seen[name] += 1
        kind += " odd" if seen[name] % 2 else ""
        at, top = x(begin / 1e6), _TOP + lane * names.index(name) + 4
        text = f"{name}: {(end - begin) / 1e6:.4g} ms"
        parts.append(_rect(at, top, x(end / 1e6) - at, lane - 8, kind, text))
    parts.append(_text((_LEFT + width - _RIGHT) / 2, height - 6, "ms", kind="label"))
    return "".join([*parts, "</svg>"])


def stack(rows: Sequence[tuple[str, float, str]], width: int) -> str:
    """Parts of a whole in one bar, with their shares below.

    Args:
        rows: Name, value and the class of its colour.
        width: Of the drawing.

    Returns:
        An ``<svg>`` element.
    """
    whole = sum(value for _, value, _ in rows) or 1.0
    parts = _open(width, 76, "parts of one inference")
    x = _scale(0, whole, 4, width - 4)
    at, column = 0.0, width / max(len(rows), 1)
    for number, (name, value, kind) in enumerate(rows):
        text = f"{name} {value:.4g} ms, {value / whole:.0%}"
        parts.append(_rect(x(at), 6, x(at + value) - x(at), 28, kind, text))
        parts.append(_rect(4 + number * column, 51, 12, 12, kind, text))
        parts.append(_text(22 + number * column, 62, text, "start", "label"))
        at += value
    return "".join([*parts, "</svg>"])


def bars(rows: Sequence[tuple[str, float | None, str]], width: int) -> str:
    """Named values as bars that lie; None is a dashed empty one.

    Args:
        rows: Name, value and the text at the end of the bar.
        width: Of the drawing.

    Returns:
        An ``<svg>`` element.
    """
    left, right, step = 190, 190, 28
    top = max((value for _, value, _ in rows if value is not None), default=1.0)
    x = _scale(0, top, left, width - right)
    height = step * len(rows) + 6
    parts = _open(width, height, "comparison of values")
    for number, (name, value, text) in enumerate(rows):
        y = 4 + step * number
        shown = name if len(name) <= 28 else f"...{name[-25:]}"
        parts.append(_text(left - 10, y + 15, shown, "end", "label"))
        if value is None:
            parts.append(_line(left, y + 11, left + 60, y + 11, "missing"))
            parts.append(_text(left + 68, y + 15, text, "start"))
        else:
            parts.append(_rect(left, y + 3, x(value) - left, step - 11, "bar", text))
            parts.append(_text(x(value) + 8, y + 15, text, "start", "label"))
    return "".join([*parts, "</svg>"])
