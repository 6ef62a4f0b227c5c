# SPDX-License-Identifier: Apache-2.0
"""What is fed: arrays from .npy, .bin, .npz or a folder of them, or made up as asked for."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from math import isfinite, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _check, _feeds, dtypes
from ..errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..tensor import TensorSpec

    Feed = dict[str, NDArray[Any]]

__all__ = ["feeds_of", "fill"]

_SUFFIXES = (".npy", ".bin", ".npz")
_FILLS = "uniform:LOW:HIGH, normal:MEAN:STD, constant:VALUE, zeros, ones or range"


def feeds_of(
    specs: Sequence[TensorSpec], arguments: Sequence[str], fills: Sequence[str], seed: int
) -> tuple[list[Feed], str]:
    """The feeds that inferences take in turn, and one sentence about where they come from.

    Args:
        specs: The model's inputs.
        arguments: ``name=path``: a ``.npy`` file, a ``.bin`` file (the bytes of the tensor), a
            ``.npz`` archive with an array of that name, or a folder whose files are taken in turn,
            sorted by name. Without ``name=``: a ``.npz`` archive, or a folder with a file for each
            input, named after it; for a model with one input anything of the above.
        fills: ``name=SPEC`` or, for all inputs that no file is for, ``SPEC``.
        seed: Of made-up data.

    Returns:
        At least one dict of arrays by name. What is not given is made up.

    Raises:
        InputError: An argument makes no sense for this model, or a file does not fit it.
        OSError: A file cannot be read.
    """
    by_name = {spec.name: spec for spec in specs}
    rows: dict[str, list[NDArray[Any]]] = {}
    if len(arguments) == 1 and (whole := _whole(arguments[0], specs)) is not None:
        rows = {name: [array] for name, array in whole.items()}
    else:
        for name, path in _feeds.pair(arguments, specs).items():
            rows[name] = _rows(_known(name, by_name), Path(path))
    made = _feeds.make([s for s in specs if s.name not in rows], seed)
    rng = np.random.default_rng(seed)
    for name, text in _fill_pairs(fills, by_name, rows).items():
        made[name] = fill(by_name[name], text, rng)
    lengths = {len(arrays) for arrays in rows.values()} - {1}
    if len(lengths) > 1:
        counts = ", ".join(f"{name}: {len(arrays)}" for name, arrays in rows.items())
        raise InputError(
            f"the inputs have different numbers of files ({counts})",
            hint="give each input one file, or as many as the others have",
        )
    size = lengths.pop() if lengths else 1
    feeds = [
        {
            spec.name: made[spec.name]
            if spec.name in made
            else rows[spec.name][i % len(rows[spec.name])]
            for spec in specs
        }
        for i in range(size)
    ]
    origin = f"made up, seed {seed}" if made else ""
    if rows:
        origin = f"files for {', '.join(rows)}" + (f"; the rest {origin}" if origin else "")
    return feeds, origin or "no inputs"


def _known(name: str, by_name: Mapping[str, TensorSpec]) -> TensorSpec:
    if name not in by_name:
        meant = _check.did_you_mean(name, list(by_name))
        raise InputError(
            f"the model has no input {name!r}{meant}", hint=f"it has {', '.join(by_name)}"
        )
    return by_name[name]


def _whole(argument: str, specs: Sequence[TensorSpec]) -> Feed | None:
    """All inputs from one archive or folder; None if the argument is not of that kind."""
    path = Path(argument)
    if any(argument.startswith(f"{spec.name}=") for spec in specs):
        return None
    if path.suffix == ".npz" and path.is_file():
        arrays = _archive(path)
    elif path.is_dir():
        stems = dict(zip(_feeds.file_names(s.name for s in specs), specs, strict=True))
        arrays = {}
        for file, spec in stems.items():
            for suffix in (".npy", ".bin"):
                candidate = (path / file).with_suffix(suffix)
                if candidate.is_file():
                    arrays[spec.name] = _array(spec, candidate)
                    break
        if not arrays and len(specs) == 1:
            return None  # a folder of samples for the one input
    else:
        return None
    missing = [spec.name for spec in specs if spec.name not in arrays]
    if missing:
        raise InputError(
            f"{path} has nothing for input {missing[0]!r}",
            hint=f"it has {', '.join(arrays) or 'no input of this model'}",
        )
    return {spec.name: _fitting(spec, arrays[spec.name], path) for spec in specs}


def _rows(spec: TensorSpec, path: Path) -> list[NDArray[Any]]:
    if not path.is_dir():
        return [_array(spec, path)]
    files = sorted(f for f in path.iterdir() if f.suffix in _SUFFIXES and f.is_file())
    if not files:
        raise InputError(f"{path} has no {', '.join(_SUFFIXES)} files for input {spec.name!r}")
    return [_array(spec, file) for file in files]


def _archive(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is not a .npz archive with plain numbers: {error}") from error


def _array(spec: TensorSpec, path: Path) -> NDArray[Any]:
    if path.suffix == ".npz":
        arrays = _archive(path)
        if spec.name not in arrays:
            raise InputError(f"{path} has no array {spec.name!r}; it has {', '.join(arrays)}")
        return _fitting(spec, arrays[spec.name], path)
    if path.suffix == ".bin":
        return _feeds.raw(path, spec.name, spec.dtype, spec.shape)
    return _fitting(spec, _feeds.load({spec.name: str(path)}, [spec])[spec.name], path)


def _fitting(spec: TensorSpec, array: NDArray[Any], path: Path) -> NDArray[Any]:
    """The array, whose type and shape are judged here, where the file is known."""
    if array.dtype == np.dtype(f"V{spec.dtype.itemsize}"):
        array = array.view(spec.dtype)
    if array.dtype != spec.dtype or array.shape != spec.shape:
        raise InputError(
            f"{path} has {array.dtype} {list(array.shape)}, but input {spec.name!r} takes "
            f"{spec.dtype} {list(spec.shape)}"
        )
    return np.ascontiguousarray(array).reshape(spec.shape)


def _fill_pairs(
    fills: Sequence[str], by_name: Mapping[str, TensorSpec], rows: Mapping[str, Any]
) -> dict[str, str]:
    general = ""
    named: dict[str, str] = {}
    for text in fills:
        name, separator, spec = text.rpartition("=")
        if not separator:
            if general:
                raise InputError(f"two fills for all inputs: {general!r} and {text!r}")
            general = text
        elif name in named:
            raise InputError(f"input {name!r} is filled twice")
        elif _known(name, by_name).name in rows:
            raise InputError(f"input {name!r} has both a file and a fill")
        else:
            named[name] = spec
    rest = {n: general for n in by_name if general and n not in rows}
    return {**rest, **named}


def fill(spec: TensorSpec, text: str, rng: np.random.Generator) -> NDArray[Any]:
    """Made-up data for one input.

    Args:
        spec: The input.
        text: ``uniform:LOW:HIGH`` (whole numbers: both ends included), ``normal:MEAN:STD``,
            ``constant:VALUE``, ``zeros``, ``ones`` or ``range`` (0, 1, 2, ...).
        rng: The generator.

    Returns:
        An array of the input's dtype and shape.

    Raises:
        InputError: The text is none of these, or a value is out of the dtype's range.
    """
    kind, *words = text.split(":")
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = [float("nan")]
    counts = {"uniform": 2, "normal": 2, "constant": 1, "zeros": 0, "ones": 0, "range": 0}
    if counts.get(kind) != len(values) or not all(map(isfinite, values)):
        raise InputError(f"the fill {text!r} of input {spec.name!r} is not {_FILLS}")
    whole = spec.dtype.kind in "iub" or dtypes.is_packed(spec.dtype)
    if kind == "uniform":
        low, high = values
        if low > high:
            raise InputError(f"the fill {text!r}: the first number is the lower end")
        if whole:
            made: Any = rng.integers(int(low), int(high), spec.shape, endpoint=True)
        else:
            made = rng.uniform(low, high, spec.shape)
    elif kind == "normal":
        if values[1] < 0:
            raise InputError(f"the fill {text!r}: a standard deviation is not negative")
        made = rng.normal(values[0], values[1], spec.shape)
    elif kind == "range":
        made = np.arange(prod(spec.shape), dtype=np.float64).reshape(spec.shape)
    else:
        made = np.full(spec.shape, values[0] if values else float(kind == "ones"))
    array = np.asarray(made)
    if whole and array.size:
        low, high = _limits(spec.dtype)
        array = np.rint(array)
        if array.min() < low or array.max() > high:
            raise InputError(f"the fill {text!r} leaves the range {low} to {high} of {spec.dtype}")
    return np.asarray(array.astype(spec.dtype))


def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    if dtype.kind == "b":
        return 0, 1
    if dtypes.is_packed(dtype):
        return (0, 15) if dtype.name.startswith("u") else (-8, 7)
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)
