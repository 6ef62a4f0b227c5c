# SPDX-License-Identifier: Apache-2.0
"""The caller's gears: ``dynamic_batch_size``, ``dynamic_image_size`` or ``dynamic_dims``, as
sequences or in ATC's words (``"1,4,8"``, ``"224,224;448,448"``)."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import InputError

__all__ = ["BatchSizes", "GearValues", "Wanted", "parse"]

BatchSizes = str | Sequence[int]
GearValues = str | Sequence[Sequence[int]]

_MIN_GEARS, _MAX_GEARS = 2, 100  # the compiler's own limits
_MAX_VALUE = (1 << 31) - 1  # a value is handed over in 32 bits


@dataclass(frozen=True)
class Wanted:
    """Gears as the caller states them, not yet compared with the inputs.

    Attributes:
        option: The argument that stated them.
        kind: ``"batch"``, ``"image"`` or ``"dims"``.
        values: Of each gear, in the caller's order.
    """

    option: str
    kind: str
    values: tuple[tuple[int, ...], ...]

    def to_text(self) -> str:
        """ATC's text."""
        if self.kind == "batch":
            return ",".join(str(value) for (value,) in self.values)
        return ";".join(",".join(map(str, gear)) for gear in self.values)


_SYNTAX = {
    "dynamic_batch_size": 'write it as "1,4,8" or as (1, 4, 8)',
    "dynamic_image_size": 'write height and width: "224,224;448,448" or ((224, 224), (448, 448))',
    "dynamic_dims": 'write a value for every -1 of the inputs: "1,64;8,128" or ((1, 64), (8, 128))',
}
_KINDS = {"dynamic_batch_size": "batch", "dynamic_image_size": "image", "dynamic_dims": "dims"}


def parse(
    dynamic_batch_size: BatchSizes | None,
    dynamic_image_size: GearValues | None,
    dynamic_dims: GearValues | None,
) -> Wanted | None:
    """The gears, or None where there are none.

    Raises:
        InputError: More than one of the three, not numbers of at least 1, fewer than 2 gears or
            more than 100, or the same gear twice.
    """
    given = {
        "dynamic_batch_size": dynamic_batch_size,
        "dynamic_image_size": dynamic_image_size,
        "dynamic_dims": dynamic_dims,
    }
    options = [option for option, value in given.items() if value is not None]
    if len(options) > 1:
        raise InputError(f"{' and '.join(options)} exclude each other", hint="keep one of them")
    if not options:
        return None
    (option,) = options
    raw = given[option]
    values = tuple(_from_text(option, raw) if isinstance(raw, str) else _from_items(option, raw))
    _check(option, values)
    return Wanted(option, _KINDS[option], values)


def _from_text(option: str, text: str) -> Iterable[tuple[int, ...]]:
    # A separator at the end is ATC's habit too.
    is_batch = option == "dynamic_batch_size"
    for gear in text.strip().rstrip("," if is_batch else ";").split("," if is_batch else ";"):
        words = [word.strip() for word in gear.split(",")]
        if not all(re.fullmatch(r"[+-]?[0-9]{1,20}", word) for word in words):
            raise InputError(
                f"{option}: expected whole numbers, given {text!r}", hint=_SYNTAX[option]
            )
        yield tuple(map(int, words))


def _from_items(option: str, raw: object) -> Iterable[tuple[int, ...]]:
    if not isinstance(raw, Iterable) or isinstance(raw, bytes):
        raise InputError(
            f"{option}: expected a text or a sequence, given {type(raw).__name__}",
            hint=_SYNTAX[option],
        )
    for gear in raw:
        items = [gear] if option == "dynamic_batch_size" else gear
        if isinstance(items, (str, bytes)) or not isinstance(items, Iterable):
            raise InputError(
                f"{option}: expected a sequence of numbers for each gear, given {gear!r}",
                hint=_SYNTAX[option],
            )
        yield tuple(_whole(option, item) for item in items)


def _whole(option: str, item: object) -> int:
    try:
        if isinstance(item, bool):
            raise TypeError
        return operator.index(item)  # type: ignore[arg-type]
    except TypeError:
        raise InputError(
            f"{option}: expected whole numbers, given {item!r}", hint=_SYNTAX[option]
        ) from None


def _check(option: str, values: tuple[tuple[int, ...], ...]) -> None:
    for gear in values:
        if option == "dynamic_image_size" and len(gear) != 2:
            raise InputError(
                f"{option}: expected height and width in each gear, given {gear}",
                hint=_SYNTAX[option],
            )
        for value in gear:
            if not 1 <= value <= _MAX_VALUE:
                raise InputError(f"{option}: expected values from 1 to {_MAX_VALUE}, given {value}")
    if not _MIN_GEARS <= len(values) <= _MAX_GEARS:
        raise InputError(
            f"{option}: expected {_MIN_GEARS} to {_MAX_GEARS} gears, given {len(values)}",
            hint="state the shape in input_shape where there is only one"
            if len(values) < _MIN_GEARS
            else "a shape range in input_shape takes any shape inside it",
        )
    seen = set()
    for gear in values:
        if gear in seen:
            raise InputError(f"{option}: the gear {','.join(map(str, gear))} is given twice")
        seen.add(gear)
