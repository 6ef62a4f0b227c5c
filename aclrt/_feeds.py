# SPDX-License-Identifier: Apache-2.0
"""Input data for a model from files or made up, and its outputs as files.

Nothing is converted to fit: what a file holds is fed as it is, and the model judges it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes
from .errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .model import OfflineModel
    from .tensor import TensorSpec

__all__ = ["FormError", "concrete", "load", "make", "pair", "raw", "save", "shape_sets", "summary"]

# Token ids, indices and lengths come in these types: larger values could be out of range.
_INDEX_TYPES = frozenset({"int32", "int64", "uint32", "uint64"})
_NAME_LIMIT = 120


class FormError(InputError):
    """What the user wrote is no ``name=file``; nothing was opened."""


def pair(arguments: Iterable[str], inputs: Sequence[TensorSpec]) -> dict[str, str]:
    """Reads ``name=file`` arguments; a model with one input takes a bare file too.

    Args:
        arguments: What the user wrote. Names and files may themselves contain ``=``.
        inputs: The model's inputs.

    Returns:
        File by input name. Names that the model does not have are kept: feeding reports them.

    Raises:
        FormError: An argument has no name where one is needed, or a name comes twice.
    """
    known = sorted((s.name for s in inputs), key=len, reverse=True)
    files: dict[str, str] = {}
    for argument in arguments:
        name = next((n for n in known if argument.startswith(f"{n}=")), None)
        if name is not None:
            file = argument[len(name) + 1 :]
        elif len(inputs) == 1 and ("=" not in argument or Path(argument).is_file()):
            name, file = inputs[0].name, argument
        else:
            name, separator, file = argument.partition("=")
            if not separator:
                raise FormError(
                    f"{argument!r} does not say which input it is for",
                    hint=f"name=FILE; the inputs are {', '.join(s.name for s in inputs)}",
                )
        if not name or not file:
            raise FormError(f"{argument!r} is not of the form name=FILE")
        if name in files:
            raise FormError(f"input {name!r} is given twice")
        files[name] = file
    return files


def load(files: Mapping[str, str], inputs: Sequence[TensorSpec]) -> dict[str, NDArray[Any]]:
    """Loads one ``.npy`` file per input.

    Args:
        files: File by input name.
        inputs: The model's inputs: ``.npy`` has no name for bfloat16 and float8 and stores them
            as plain bytes, which get their type back from here.

    Returns:
        Array by input name.

    Raises:
        InputError: A file is not a ``.npy`` file.
        OSError: A file cannot be read.
    """
    wanted = {s.name: s.dtype for s in inputs}
    feeds: dict[str, NDArray[Any]] = {}
    for name, file in files.items():
        try:
            array = np.load(file, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise InputError(f"{file} is not a .npy file with plain numbers: {error}") from error
        if not isinstance(array, np.ndarray):
            raise InputError(f"{file} is an archive of arrays, not a .npy file")
        dtype = wanted.get(name)
        if dtype is not None and array.dtype == np.dtype(f"V{dtype.itemsize}"):
            array = array.view(dtype)
        feeds[name] = array
    return feeds


def concrete(model: OfflineModel) -> tuple[TensorSpec, ...]:
    """A model's inputs with shapes that made-up data can have.

    Args:
        model: The model.

    Returns:
        Those of the largest gear; where there are none, each open dim is the least that its range
        allows, but at least 1. A dim that a gear leaves open too (an image for dynamic AIPP) stays.
    """
    inputs = model.inputs
    gears = model._runner.gears if model._runner is not None else ()
    shapes: Sequence[tuple[int, ...]]
    if gears:
        largest = max(gears, key=lambda gear: sum(map(prod, gear.inputs)))
        shapes = largest.inputs
    else:
        shapes = [
            tuple(
                max(1, spec.range[axis][0] if spec.range else 1) if dim < 0 else dim
                for axis, dim in enumerate(spec.shape)
            )
            for spec in inputs
        ]
    return tuple(
        replace(spec, shape=shape, dynamic=any(dim < 0 for dim in shape))
        for spec, shape in zip(inputs, shapes, strict=True)
    )


def shape_sets(model: OfflineModel) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """The shapes of all inputs under each gear, the largest last; of a range its least.

    Returns:
        Empty for a model whose shapes are fixed, or that leaves dims open under every gear.
    """
    gears = model._runner.gears if model._runner is not None else ()
    if not any(spec.dynamic for spec in model.inputs):
        return ()
    sets = [gear.inputs for gear in sorted(gears, key=lambda gear: sum(map(prod, gear.inputs)))]
    sets = sets or [tuple(spec.shape for spec in concrete(model))]
    return tuple(shapes for shapes in sets if all(dim >= 0 for shape in shapes for dim in shape))


def raw(path: str | Path, name: str, dtype: np.dtype[Any], shape: Sequence[int]) -> NDArray[Any]:
    """The tensor whose bytes a file holds, as the device has them.

    Args:
        path: The file.
        name: Of the input, for messages.
        dtype: Its element type; int4 has two elements in a byte.
        shape: Its dims.

    Raises:
        InputError: The file has another size.
        OSError: It cannot be read.
    """
    data = Path(path).read_bytes()
    packed = dtypes.is_packed(dtype)
    nbytes = (prod(shape) + 1) // 2 if packed else prod(shape) * dtype.itemsize
    if len(data) != nbytes:
        raise InputError(
            f"{path} has {len(data)} bytes, but input {name!r} takes {nbytes} "
            f"({dtype} {list(shape)})"
        )
    if packed:
        unpacked = np.empty(tuple(shape), dtype)
        dtypes.unpack(np.frombuffer(data, np.uint8), unpacked)
        return unpacked
    return np.frombuffer(data, dtype, prod(shape)).reshape(tuple(shape))


def make(inputs: Sequence[TensorSpec], seed: int = 0) -> dict[str, NDArray[Any]]:
    """Makes up data of the right types and shapes; the same seed gives the same data.

    Floating point is uniform in 0 to 1, short integers use their whole range, and 32 and 64 bit
    integers, which are often indices, are 0 or 1.

    Args:
        inputs: The model's inputs.
        seed: Of the generator.

    Returns:
        Array by input name.

    Raises:
        InputError: An input has a dynamic shape: see ``concrete()``.
    """
    rng = np.random.default_rng(seed)
    return {spec.name: np.asarray(_made_up(spec, rng)) for spec in inputs}


def _made_up(spec: TensorSpec, rng: np.random.Generator) -> Any:
    if spec.dynamic:
        raise InputError(f"input {spec.name!r} has the dynamic shape {spec.shape}: give its data")
    dtype = spec.dtype
    if dtype.kind == "b":
        return rng.integers(0, 2, spec.shape).astype(dtype)
    if dtype.kind in "iu":
        if dtype.name in _INDEX_TYPES:
            return rng.integers(0, 2, spec.shape, dtype=dtype)
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, spec.shape, dtype=dtype, endpoint=True)
    values = np.asarray(rng.random(spec.shape))
    if dtype.kind == "c":
        values = values + 1j * rng.random(spec.shape)
    return values.astype(dtype)


def file_names(names: Iterable[str]) -> list[str]:
    """A distinct, safe file name for each tensor name: no separators, nothing hidden."""
    taken: set[str] = set()
    safe = []
    for name in names:
        stem = re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII).lstrip(".-")[:_NAME_LIMIT] or "output"
        candidate, number = stem, 1
        while candidate.lower() in taken:
            candidate, number = f"{stem}_{number}", number + 1
        taken.add(candidate.lower())
        safe.append(f"{candidate}.npy")
    return safe


def save(outputs: Mapping[str, NDArray[Any]], folder: str | Path) -> dict[str, Path]:
    """Writes each output as a ``.npy`` file named after it; the folder is made if needed.

    Args:
        outputs: Array by output name.
        folder: Where to.

    Returns:
        The file of each output.

    Raises:
        OSError: A file cannot be written.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    files = {}
    for (name, array), file in zip(outputs.items(), file_names(outputs), strict=True):
        files[name] = target / file
        np.save(files[name], array, allow_pickle=False)
    return files


def summary(array: NDArray[Any], limit: int = 4) -> str:
    """The first values of an array, for people."""
    shown = [str(value) for value in array.reshape(-1)[:limit]]
    return " ".join([*shown, "..."] if array.size > limit else shown)
