# SPDX-License-Identifier: Apache-2.0
"""What the commands print: aligned plain text, or rich's tables where stdout is a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aclrt.tensor import TensorSpec

__all__ = ["facts", "print_json", "size", "table", "tensor_rows"]

TENSOR_HEADS = ("", "name", "dtype", "shape", "format", "bytes")


def print_json(value: Any) -> None:
    """One JSON object on stdout."""
    print(json.dumps(value, indent=2))


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table; columns of numbers alone are aligned to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    numeric = [
        bool(rows) and all(isinstance(row[i], (int, float)) for row in rows)
        for i in range(len(heads))
    ]
    if _is_terminal():
        _rich_table(heads, cells, numeric)
        return
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    for line in (heads, *cells):
        padded = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]
        print("  ".join(padded).rstrip())


def facts(pairs: Sequence[tuple[str, object]]) -> None:
    """Lines of "name  value", the values below each other."""
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        print(f"{name:<{width}}  {value}".rstrip())


def tensor_rows(kind: str, specs: Sequence[TensorSpec]) -> list[tuple[object, ...]]:
    """Rows below TENSOR_HEADS."""
    return [(kind, s.name, s.dtype, list(s.shape), s.format, s.nbytes) for s in specs]


def size(nbytes: int) -> str:
    """Bytes for people: "24.6 KiB"."""
    value = float(nbytes)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def _is_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def _rich_table(
    heads: Sequence[str], cells: Sequence[Sequence[str]], numeric: Sequence[bool]
) -> None:
    # rich looks at NO_COLOR itself, and prints the same table without colours.
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head, right in zip(heads, numeric, strict=True):
        grid.add_column(Text(head), justify="right" if right else "left", overflow="fold")
    for row in cells:
        grid.add_row(*map(Text, row))
    Console().print(grid)
