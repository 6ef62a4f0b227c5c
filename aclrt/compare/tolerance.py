# SPDX-License-Identifier: Apache-2.0
"""How far an output may be from the reference, and the JSON file that says so per output.

A file is ``{"default": {...}, "outputs": {"probs": {...}, "boxes_*": {...}}}``; each object has the
fields of ``Tolerance``, and what it leaves out comes from the default. Names may hold ``*`` and
``?``; an exact name wins, then the first pattern that fits.
"""

from __future__ import annotations

import dataclasses
import difflib
import fnmatch
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError

__all__ = ["Tolerance", "Tolerances"]


@dataclass(frozen=True)
class Tolerance:
    """What counts as agreement. Integers and booleans must be equal, unless ``atol`` is at least 1.

    Attributes:
        atol: An element may differ by ``atol + rtol * abs(reference)``.
        rtol: See ``atol``.
        cosine: The least cosine similarity of the whole output.
        top1: The least share of rows (last axis) with the same largest element; 0: not judged.
        exceed: The share of elements that may differ by more than that.
    """

    atol: float = 1e-3
    rtol: float = 1e-2
    cosine: float = 0.999
    top1: float = 0.0
    exceed: float = 0.0

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            limit = math.inf if name in ("atol", "rtol") else 1.0
            lowest = -1.0 if name == "cosine" else 0.0
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not lowest <= value <= limit:
                raise InputError(
                    f"tolerance: {name} must be a number from {lowest:g} to {limit:g}, "
                    f"given {value!r}"
                )


@dataclass(frozen=True)
class Tolerances:
    """The tolerance of each output.

    Attributes:
        default: Of outputs that are not named.
        outputs: By name or pattern.
    """

    default: Tolerance = field(default_factory=Tolerance)
    outputs: Mapping[str, Tolerance] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | os.PathLike[str], default: Tolerance | None = None) -> Tolerances:
        """Reads a tolerance file.

        Args:
            path: Of the JSON file.
            default: What the file's own default leaves out; None for ``Tolerance()``.

        Raises:
            InputError: It is not JSON, or has keys or values that are not known.
            OSError: The file cannot be read.
        """
        with Path(path).open(encoding="utf-8") as file:
            try:
                content = json.load(file)
            except ValueError as error:
                raise InputError(f"{os.fspath(path)} is not JSON: {error}") from error
        where = os.fspath(path)
        if not isinstance(content, dict):
            raise InputError(f"{where}: expected an object with default and outputs")
        _known(content, ("default", "outputs"), where)
        base = _read(content.get("default", {}), default or Tolerance(), f"{where}: default")
        outputs = content.get("outputs", {})
        if not isinstance(outputs, dict):
            raise InputError(f"{where}: outputs: expected an object by output name")
        return cls(
            base, {name: _read(item, base, f"{where}: {name}") for name, item in outputs.items()}
        )

    def of(self, output: str) -> Tolerance:
        """The tolerance of one output."""
        if output in self.outputs:
            return self.outputs[output]
        fitting = (t for name, t in self.outputs.items() if fnmatch.fnmatchcase(output, name))
        return next(fitting, self.default)

    def unused(self, outputs: tuple[str, ...]) -> tuple[str, ...]:
        """Names and patterns that fit no output: a misspelt one would go unnoticed."""
        return tuple(
            name
            for name in self.outputs
            if name not in outputs and not fnmatch.filter(outputs, name)
        )


def _read(values: Any, base: Tolerance, where: str) -> Tolerance:
    if not isinstance(values, dict):
        raise InputError(f"{where}: expected an object, given {values!r}")
    _known(values, tuple(f.name for f in dataclasses.fields(Tolerance)), where)
    try:
        return dataclasses.replace(base, **values)
    except InputError as error:
        raise InputError(f"{where}: {error.message}") from None


def _known(values: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for key in values:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            raise InputError(f"{where}: {key!r} is not known", hint=hint)
