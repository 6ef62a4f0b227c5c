# SPDX-License-Identifier: Apache-2.0
"""The caller's ``input_shape``: a mapping, or ATC's text ``"x:1,3,224,224;y:1,10"``."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping, Sequence

from ..errors import InputError

__all__ = ["InputShape", "parse", "to_text"]

InputShape = str | Mapping[str, Sequence[int]]

_SYNTAX = 'write it as "name:1,3,224,224;other:1,10" or as {"name": (1, 3, 224, 224)}'


def _dim(name: str, value: object) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        dim = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise InputError(
            f"input_shape of {name!r}: expected whole numbers, given {value!r}", hint=_SYNTAX
        ) from None
    if dim < 0:
        raise InputError(
            f"input_shape of {name!r}: expected dims of at least 0, given {dim}",
            hint="shapes are static: state each dim's number",
        )
    if dim >= 1 << 63:
        raise InputError(f"input_shape of {name!r}: the dim {dim} does not fit in 64 bits")
    return dim


def _parse_text(text: str) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for entry in filter(str.strip, text.split(";")):
        name, colon, dims = (part.strip() for part in entry.rpartition(":"))  # names may have ':'
        if not (colon and name):
            raise InputError(
                f'input_shape: expected "name:dims", given {entry.strip()!r}', hint=_SYNTAX
            )
        if name in shapes:
            raise InputError(f"input_shape: the input {name!r} is given twice")
        words = [word.strip() for word in dims.split(",")] if dims else []
        for word in words:
            if not re.fullmatch(r"[+-]?[0-9]{1,20}", word):
                raise InputError(
                    f"input_shape of {name!r}: expected whole numbers with ',' between them, "
                    f"given {dims!r}",
                    hint=_SYNTAX,
                )
        shapes[name] = tuple(_dim(name, int(word)) for word in words)
    if not shapes:
        raise InputError(f"input_shape: expected the shape of an input, given {text!r}")
    return shapes


def parse(given: InputShape | None) -> dict[str, tuple[int, ...]]:
    """The shapes by input name; no dim is negative.

    Raises:
        InputError: Not a shape, or not a static one.
    """
    if given is None:
        return {}
    if isinstance(given, str):
        return _parse_text(given)
    if not isinstance(given, Mapping):
        raise InputError(
            f"input_shape: expected a mapping or a text, given {type(given).__name__}",
            hint=_SYNTAX,
        )
    shapes: dict[str, tuple[int, ...]] = {}
    for name, dims in given.items():
        if not isinstance(name, str):
            raise InputError(f"input_shape: expected names of inputs, given {name!r}", hint=_SYNTAX)
        if isinstance(dims, (str, bytes)) or not isinstance(dims, Iterable):
            raise InputError(
                f"input_shape of {name!r}: expected a sequence of dims, given {dims!r}",
                hint=_SYNTAX,
            )
        shapes[name] = tuple(_dim(name, dim) for dim in dims)
    return shapes


def to_text(shapes: Mapping[str, Sequence[int]]) -> str:
    """ATC's text of the shapes."""
    return ";".join(f"{name}:{','.join(map(str, dims))}" for name, dims in shapes.items())
