# SPDX-License-Identifier: Apache-2.0
"""Which shapes the made-up data has where a model takes several: gears, ranges, open dims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import InputError
from ..om import _shapes

if TYPE_CHECKING:
    from .sources import Port, Side

    Named = dict[str, tuple[int, ...]]

__all__ = ["GEARS", "Wanted", "shape_sets"]

GEARS = "gears"
Wanted = Sequence[str | Mapping[str, Sequence[int]]]


def shape_sets(
    sides: Sequence[Side], ports: Sequence[Port], wanted: Wanted, cautions: list[str]
) -> list[tuple[str, Named]]:
    """A label and the shape of every input, for each set of shapes to compare.

    Args:
        sides: Those that compute.
        ports: The inputs that both can take; -1 for dims that may vary.
        wanted: As asked: ATC's texts or mappings; ``"gears"`` for each gear. None: the largest
            gear, or the least of a range, which a caution names.
        cautions: Gets that caution.

    Raises:
        InputError: Shapes that do not fit, or none can be known.
    """
    is_open = any(-1 in port.shape for port in ports)
    if wanted:
        found = []
        for want in wanted:
            if want == GEARS:
                every = _gears(sides, ports)
                if len(every) < 2:
                    raise InputError("shapes: neither side has gears", hint="name the shapes")
                found += every
            else:
                found.append(_stated(want, ports))
        return [(_text(shapes, ports), shapes) for shapes in found]
    if not is_open:
        return [("", {port.name: port.shape for port in ports})]
    every = _gears(sides, ports)
    if not every:
        port = next(port for port in ports if -1 in port.shape)
        raise InputError(
            f"input {port.name!r} has open dims {port.shape}: no data can be made up",
            hint=f'state the shapes (--shape "{port.name}:...")',
        )
    chosen = every[-1]
    label = _text(chosen, ports)
    more = " (--shape gears compares every gear)" if len(every) > 1 else ""
    cautions.append(f"inputs may have several shapes, and only {label} was compared{more}")
    return [(label, chosen)]


def _gears(sides: Sequence[Side], ports: Sequence[Port]) -> list[Named]:
    """What the first side that knows its shapes takes, the largest last."""
    for side in sides:
        if side.shapes and side.inputs is not None:
            own = [port.name for port in side.inputs]
            names = own if {p.name for p in ports} == set(own) else [p.name for p in ports]
            return [dict(zip(names, shapes, strict=True)) for shapes in side.shapes]
    return []


def _stated(want: str | Mapping[str, Sequence[int]], ports: Sequence[Port]) -> Named:
    known = {port.name: port for port in ports}
    shapes = {port.name: port.shape for port in ports}
    for key, stated in _shapes.parse(want, "shapes").items():
        if isinstance(key, int) and key >= len(ports):
            raise InputError(f"shapes: input {key} is stated, and there are {len(ports)}")
        name = ports[key].name if isinstance(key, int) else key
        if name not in known:
            raise InputError(f"shapes: there is no input {name!r}; there are {', '.join(known)}")
        shape = tuple(dim for dim in stated if isinstance(dim, int) and dim >= 0)
        fixed = known[name].shape
        fits = len(shape) == len(stated) == len(fixed) and all(
            dim in (have, -1) for have, dim in zip(shape, fixed, strict=True)
        )
        if not fits:
            raise InputError(f"shapes: input {name!r} takes {fixed}, given {tuple(stated)}")
        shapes[name] = shape
    for name, shape in shapes.items():
        if -1 in shape:
            raise InputError(f"shapes: input {name!r} has open dims {shape}, and none are stated")
    return shapes


def _text(shapes: Named, ports: Sequence[Port]) -> str:
    """Of the inputs that may vary: "x 4x3"."""
    varying = [port.name for port in ports if -1 in port.shape]
    return ", ".join(f"{name} {'x'.join(map(str, shapes[name]))}" for name in varying)
