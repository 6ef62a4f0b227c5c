# SPDX-License-Identifier: Apache-2.0
"""The caller's ``input_shape`` and ``input_shape_range``: mappings, or ATC's texts
``"x:1,3,224,224;y:1~10,-1"`` and ``"x:[1~8,3,-1,-1]"``."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping, Sequence

from ..errors import InputError

__all__ = ["OPEN", "Dim", "InputShape", "Shapes", "is_open", "parse", "span", "to_text"]

# A number; -1, which a gear fills in or which may be anything; or a least and a greatest number.
Dim = int | tuple[int, int]
Shapes = dict[str | int, tuple[Dim, ...]]  # by name, or by position where the text has no names
InputShape = str | Mapping[str, Sequence[int | tuple[int, int]]]

OPEN = -1

_SYNTAX = 'write it as "name:1,3,224,224;other:1,10" or as {"name": (1, 3, 224, 224)}'
_OPEN_SYNTAX = "a dim is a number, -1, or a range such as 1~8 (in Python: (1, 8))"


def is_open(dim: Dim) -> bool:
    """Whether a run decides about it."""
    return isinstance(dim, tuple) or dim < 0


def span(dim: Dim) -> tuple[int, int]:
    """Least and greatest value; -1 is no limit."""
    if isinstance(dim, tuple):
        return dim
    return (0, OPEN) if dim < 0 else (dim, dim)


def _whole(label: str, value: object) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise InputError(
            f"{label}: expected whole numbers, given {value!r}", hint=_SYNTAX
        ) from None
    if number >= 1 << 63:
        raise InputError(f"{label}: the dim {number} does not fit in 64 bits")
    return number


def _dim(label: str, value: object) -> Dim:
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise InputError(f"{label}: expected (least, greatest), given {value!r}")
        low, high = (_whole(label, item) for item in value)
        if low < 0 or high < OPEN or OPEN < high < low:
            raise InputError(
                f"{label}: expected a range from 0 on whose end is not before its start, "
                f"given {low}~{high}",
                hint=_OPEN_SYNTAX,
            )
        return low if low == high else (low, high)
    number = _whole(label, value)
    if number < OPEN:
        raise InputError(
            f"{label}: expected dims of at least 0, or -1 where runs differ, given {number}",
            hint=_OPEN_SYNTAX,
        )
    return number


def _parse_dims(label: str, text: str) -> tuple[Dim, ...]:
    dims: list[Dim] = []
    for word in (part.strip() for part in text.split(",")) if text.strip() else ():
        parts = [part.strip() for part in word.split("~")]
        if len(parts) > 2 or not all(re.fullmatch(r"[+-]?[0-9]{1,20}", part) for part in parts):
            raise InputError(
                f"{label}: expected whole numbers with ',' between them, given {text!r}",
                hint=_SYNTAX,
            )
        numbers = tuple(map(int, parts))
        dims.append(_dim(label, numbers if len(numbers) == 2 else numbers[0]))
    return tuple(dims)


def _parse_text(option: str, text: str, brackets: bool) -> Shapes:
    shapes: Shapes = {}
    if brackets and ":" not in text:
        return _parse_positions(option, re.sub(r"\]\s*,\s*\[", "];[", text), brackets)
    if ":" not in text:
        return _parse_positions(option, text, brackets)
    for entry in filter(str.strip, text.split(";")):
        name, colon, dims = (part.strip() for part in entry.rpartition(":"))  # names may have ':'
        if not (colon and name):
            raise InputError(
                f'{option}: expected "name:dims", given {entry.strip()!r}', hint=_SYNTAX
            )
        if name in shapes:
            raise InputError(f"{option}: the input {name!r} is given twice")
        label = f"{option} of {name!r}"
        shapes[name] = _parse_dims(label, _unwrapped(label, dims) if brackets else dims)
    return shapes


def _parse_positions(option: str, text: str, brackets: bool) -> Shapes:
    shapes: Shapes = {}
    if not text.strip(" ;"):
        raise InputError(f"{option}: expected the shape of an input, given {text!r}", hint=_SYNTAX)
    for position, entry in enumerate(text.strip().rstrip(";").split(";")):
        label = f"{option} of input {position}"
        shapes[position] = _parse_dims(label, _unwrapped(label, entry) if brackets else entry)
    return shapes


def _unwrapped(label: str, text: str) -> str:
    inner = re.fullmatch(r"\s*\[([^\[\]]*)\]\s*", text)
    if inner is None:
        raise InputError(
            f"{label}: expected dims in brackets, given {text.strip()!r}",
            hint='write it as "name:[1~8,3,-1,-1];other:[1,10]"',
        )
    return inner[1]


def parse(
    given: InputShape | None, option: str = "input_shape", *, brackets: bool = False
) -> Shapes:
    """The shapes by input name, or by position where a text has no names.

    Args:
        given: A mapping, a text, or nothing.
        option: The argument's name, for messages.
        brackets: Whether dims stand in brackets, as in ``input_shape_range``.

    Raises:
        InputError: Not shapes.
    """
    if given is None:
        return {}
    if isinstance(given, str):
        return _parse_text(option, given, brackets)
    if not isinstance(given, Mapping):
        raise InputError(
            f"{option}: expected a mapping or a text, given {type(given).__name__}", hint=_SYNTAX
        )
    shapes: Shapes = {}
    for name, dims in given.items():
        if not isinstance(name, str):
            raise InputError(f"{option}: expected names of inputs, given {name!r}", hint=_SYNTAX)
        if isinstance(dims, (str, bytes)) or not isinstance(dims, Iterable):
            raise InputError(
                f"{option} of {name!r}: expected a sequence of dims, given {dims!r}", hint=_SYNTAX
            )
        shapes[name] = tuple(_dim(f"{option} of {name!r}", dim) for dim in dims)
    return shapes


def _dim_text(dim: Dim) -> str:
    return "~".join(map(str, dim)) if isinstance(dim, tuple) else str(dim)


def to_text(shapes: Shapes) -> str:
    """ATC's text of the shapes."""
    named = {key: ",".join(map(_dim_text, dims)) for key, dims in shapes.items()}
    return ";".join(
        f"{key}:{dims}" if isinstance(key, str) else dims for key, dims in named.items()
    )
