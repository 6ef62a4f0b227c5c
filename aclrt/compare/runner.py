# SPDX-License-Identifier: Apache-2.0
"""Runs the same data through both sides, pairs the outputs and judges them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _feeds
from ..errors import InputError
from ..tensor import TensorSpec
from . import advice, metrics
from .result import Case, Comparison
from .shapes import GEARS, Wanted, shape_sets
from .sources import Port, Side, open_side
from .tolerance import Tolerances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Feeds = Mapping[str, NDArray[Any]]
    Given = Mapping[str, NDArray[Any] | str | os.PathLike[str]]

__all__ = ["run"]


def run(
    first: str | os.PathLike[str],
    second: str | os.PathLike[str],
    *,
    inputs: Given | None = None,
    reference_inputs: Given | None = None,
    shapes: Wanted = (),
    cases: int = 1,
    seed: int = 0,
    tolerances: Tolerances | None = None,
    output_names: Mapping[str, str] | None = None,
    device_id: int = 0,
    backend: str | None = None,
) -> Comparison:
    """Compares two models, or a model with outputs that were saved.

    Args:
        first: What is under test: an ``.om``, an ``.onnx``, a ``.npy``, an ``.npz`` or a folder of
            ``.npy`` files (``aclrt run --output``).
        second: The reference, one of the same; an ``.onnx`` runs in ONNX Runtime on the CPU.
        inputs: Arrays by input name, or paths of ``.npy`` files or of ``.bin`` files (the bytes of
            the tensor); None: made up. A model whose input has another type gets them converted
            where no value changes.
        reference_inputs: Other arrays for the second side alone (for a model with AIPP the image
            after preprocessing); None: the same.
        shapes: Of made-up data and of ``.bin`` files where inputs may have several:
            ``"x:4,3,224,224"`` or ``{"x": (4, 3, 224, 224)}``, a set of cases for each; ``"gears"``
            stands for each gear of the model. None: the largest gear, or the least of a range.
        cases: How many sets of made-up inputs, for each of the shapes.
        seed: Of the first set; each further set has the next.
        tolerances: What is allowed; None for ``Tolerances()``.
        output_names: The second side's name by the first's, where they differ. Other outputs are
            paired by name, or in order where no name is the same.
        device_id: Where an ``.om`` runs.
        backend: ``"auto"``, ``"npu"`` or ``"fake"``; None for ``$ACLRT_BACKEND``, else auto.

    Returns:
        Figures, verdict and, where it failed, what to look at next.

    Raises:
        InputError: The sides do not fit each other or the data.
        OSError: A file cannot be read.
        AclrtError: The model cannot be loaded or run; the classes of ``OfflineModel``.
        ImportError: An ``.onnx`` without onnxruntime installed.
    """
    if cases < 1:
        raise InputError(f"cases: expected at least 1, given {cases}")
    allowed = tolerances or Tolerances()
    with contextlib.ExitStack() as stack:
        sides = [
            stack.enter_context(open_side(path, device_id=device_id, backend=backend))
            for path in (first, second)
        ]
        cautions = _cautions(sides)
        done: list[Case] = []
        hints: list[str] = []
        for label, *feeds in _sets(sides, inputs, reference_inputs, shapes, cases, seed, cautions):
            given, reference = (side.run(f) for side, f in zip(sides, feeds, strict=True))
            pairs = _paired(given, reference, output_names or {}, cautions)
            if not done:
                _refuse_unused(allowed, tuple(given))
            case = _judged(label, given, reference, pairs, allowed, hints)
            done.append(case)
        if not all(case.passed for case in done):
            models = [(side.path, side.info) for side in sides if side.info is not None]
            hints += advice.for_models(models)
            if not hints:
                hints.append(
                    "the differences follow no pattern that is known: check that both sides are of "
                    "the same model and got the same data (aclrt inspect --command-line, --input)"
                )
        return Comparison(
            first=sides[0].path,
            second=sides[1].path,
            first_kind=sides[0].kind,
            second_kind=sides[1].kind,
            cases=tuple(done),
            cautions=tuple(dict.fromkeys(cautions)),
            advice=tuple(dict.fromkeys(hints)),
        )


def _cautions(sides: Sequence[Side]) -> list[str]:
    return [
        f"{side.path} is simulated: ONNX Runtime computes it, so agreement says nothing about "
        "the precision of a card"
        for side in sides
        if side.info is not None and side.info.simulated
    ]


def _sets(
    sides: Sequence[Side],
    inputs: Given | None,
    reference_inputs: Given | None,
    shapes: Wanted,
    cases: int,
    seed: int,
    cautions: list[str],
) -> Iterator[tuple[str, Feeds, Feeds]]:
    """Label and feeds of both sides, for each case."""
    computing = [side for side in sides if side.inputs is not None]
    if any(side.inputs is None for side in sides) and cases > 1:
        raise InputError("saved outputs are of one set of inputs: cases must be 1")
    if reference_inputs is not None and sides[1].inputs is None:
        raise InputError(f"{sides[1].path} holds saved outputs and takes no inputs")
    if not computing:
        if inputs is not None or shapes:
            raise InputError("two sets of saved outputs take no inputs, and no shapes")
        yield "saved", {}, {}
        return
    if inputs is not None:
        if cases > 1:
            raise InputError("given inputs are one case: leave out cases")
        if len(shapes) > 1 or GEARS in shapes:
            raise InputError("given inputs are one case: state one set of shapes")
        both = (inputs, inputs if reference_inputs is None else reference_inputs)
        arrays = [
            _read(side, given, shapes[0] if shapes else None)
            for side, given in zip(sides, both, strict=True)
        ]
        fed = [_fed(side, feeds, cautions) for side, feeds in zip(sides, arrays, strict=True)]
        yield "given", fed[0], fed[1]
        return
    if reference_inputs is not None:
        raise InputError("reference_inputs need inputs beside them")
    ports = _common(computing)
    for text, chosen in shape_sets(computing, ports, shapes, cautions):
        wanted = [_concrete(port, chosen[port.name]) for port in ports]
        for number in range(seed, seed + cases):
            made = _feeds.make(wanted, number)
            yield (
                f"made up, seed {number}" + (f", {text}" if text else ""),
                _fed(sides[0], made, cautions),
                _fed(sides[1], made, cautions),
            )


def _common(sides: Sequence[Side]) -> list[Port]:
    """Inputs that both can take: the narrower type, the fixed dims of either."""
    ports = list(sides[0].inputs or ())
    if len(sides) == 2:
        pairs = _ports(ports, sides[1])
        ports = [_joined(port, pairs[port.name], sides) for port in ports]
    return ports


def _concrete(port: Port, shape: tuple[int, ...]) -> TensorSpec:
    nbytes = prod(shape) * port.dtype.itemsize
    return TensorSpec(port.name, port.dtype, shape, format="", nbytes=nbytes, dynamic=False)


def _read(side: Side, given: Given, shapes: str | Mapping[str, Sequence[int]] | None) -> Feeds:
    """The arrays; files are read as what this side's inputs are."""
    if side.inputs is None:
        return {}
    ports = _ports([Port(name, np.dtype("u1"), ()) for name in given], side)
    dims = {port.name: port.shape for port in side.inputs}
    if shapes is not None:
        dims = shape_sets([side], side.inputs, [shapes], [])[0][1]
    arrays: dict[str, NDArray[Any]] = {}
    for name, value in given.items():
        port = ports[name]
        if isinstance(value, np.ndarray):
            arrays[name] = value
        elif os.fspath(value).endswith(".bin"):
            if -1 in dims[port.name]:
                raise InputError(
                    f"{os.fspath(value)} has bytes alone, and input {name!r} has open dims "
                    f"{port.shape}",
                    hint=f'state the shapes (--shape "{name}:...")',
                )
            arrays[name] = _feeds.raw(os.fspath(value), name, port.dtype, dims[port.name])
        else:
            spec = _concrete(port, port.shape)
            arrays[name] = _feeds.load({name: os.fspath(value)}, [spec])[name]
    return arrays


def _ports(ports: Sequence[Port], side: Side) -> dict[str, Port]:
    """The side's input for each name: by name, or in order where no name is the same."""
    own = {port.name: port for port in side.inputs or ()}
    if {port.name for port in ports} == set(own):
        return own
    if len(ports) == len(own) and not {port.name for port in ports} & set(own):
        return dict(zip((port.name for port in ports), own.values(), strict=True))
    raise InputError(
        f"the inputs differ: {', '.join(p.name for p in ports)} and {', '.join(own)} ({side.path})"
    )


def _joined(a: Port, b: Port, sides: Sequence[Side]) -> Port:
    fits = len(a.shape) == len(b.shape) and all(
        m == n or -1 in (m, n) for m, n in zip(a.shape, b.shape, strict=True)
    )
    dtype = _narrower(a.dtype, b.dtype)
    if fits and dtype is not None:
        shape = tuple(max(m, n) for m, n in zip(a.shape, b.shape, strict=True))
        return Port(a.name, dtype, shape)
    hint = "give the data of each side (inputs and reference inputs)"
    if any(side.info is not None and side.info.aipp for side in sides):
        hint = (
            "AIPP is built into the model: give it the raw image, and the other side the image "
            "after preprocessing (inputs and reference inputs)"
        )
    raise InputError(
        f"input {a.name!r} is {a.dtype} {a.shape} in {sides[0].path} and {b.dtype} {b.shape} in "
        f"{sides[1].path}: no made-up data fits both",
        hint=hint,
    )


def _narrower(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any] | None:
    """The type whose every value the other holds; None if neither is."""
    if np.can_cast(a, b, "safe"):
        return a
    return b if np.can_cast(b, a, "safe") else None


def _fed(side: Side, feeds: Feeds, cautions: list[str]) -> dict[str, NDArray[Any]]:
    if side.inputs is None:
        return {}
    stand_ins = [Port(name, array.dtype, array.shape) for name, array in feeds.items()]
    ports = _ports(stand_ins, side)
    return {
        ports[name].name: _converted(name, array, ports[name], side, cautions)
        for name, array in feeds.items()
    }


def _converted(
    name: str, array: NDArray[Any], port: Port, side: Side, cautions: list[str]
) -> NDArray[Any]:
    if array.dtype == port.dtype:
        return array
    with np.errstate(over="ignore", invalid="ignore"):
        converted = array.astype(port.dtype)
        same = array.dtype.kind in "biuf" and np.array_equal(
            converted.astype(array.dtype), array, equal_nan=array.dtype.kind == "f"
        )
    if not same:
        raise InputError(
            f"input {name!r} is {array.dtype}, and {side.path} wants {port.dtype}: values would "
            "change",
            hint=f"give values that {port.dtype} can hold",
        )
    cautions.append(f"input {name!r} is {port.dtype} in {side.path}: no value changed")
    return converted


def _paired(
    given: Feeds, reference: Feeds, names: Mapping[str, str], cautions: list[str]
) -> dict[str, str]:
    """The reference's name of each output."""
    for name, other in names.items():
        for wanted, outputs in ((name, given), (other, reference)):
            if wanted not in outputs:
                raise InputError(f"there is no output {wanted!r}; there are {', '.join(outputs)}")
    pairs = dict(names)
    safe = dict(zip((f[:-4] for f in _feeds.file_names(given)), given, strict=True))
    by_file = {full: short for short, full in safe.items()}
    for name in given:
        if name not in pairs:
            other = name if name in reference else by_file[name]
            if other in reference:
                pairs[name] = other
    if not pairs and len(given) == len(reference):
        pairs = dict(zip(given, reference, strict=True))
        cautions.append(
            "the outputs have no name in common and were paired in order: "
            + ", ".join(f"{a} with {b}" for a, b in pairs.items())
        )
    missing = [name for name in given if name not in pairs]
    if missing:
        raise InputError(
            f"there is no counterpart of output {', '.join(missing)}; the second has "
            f"{', '.join(reference)}",
            hint="say which belong together (--map FIRST=SECOND)",
        )
    left = [name for name in reference if name not in pairs.values()]
    if left:
        cautions.append(f"the second has further outputs: {', '.join(left)}")
    return {name: pairs[name] for name in given}


def _refuse_unused(allowed: Tolerances, outputs: tuple[str, ...]) -> None:
    unused = allowed.unused(outputs)
    if unused:
        raise InputError(
            f"the tolerances name {', '.join(unused)}, which is no output; there are "
            f"{', '.join(outputs)}"
        )


def _judged(
    label: str,
    given: Feeds,
    reference: Feeds,
    pairs: Mapping[str, str],
    allowed: Tolerances,
    hints: list[str],
) -> Case:
    outputs = []
    for name, other in pairs.items():
        a, b = _typed(name, given[name], reference[other])
        found = metrics.arrays(a, b, allowed.of(name), name=name, reference_name=other)
        outputs.append(found)
        if not found.passed:
            rest = {
                key: array
                for key, array in reference.items()
                if key != other and not _is_untyped(array)
            }
            hints += advice.for_output(found, a, b, rest)
    return Case(label, tuple(outputs))


def _is_untyped(array: NDArray[Any]) -> bool:
    return str(array.dtype.name).startswith("void")


def _typed(
    name: str, given: NDArray[Any], reference: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """``.npy`` stores bfloat16 and the like as plain bytes: they have the other side's type."""
    for a, b in ((given, reference), (reference, given)):
        if _is_untyped(a) and (_is_untyped(b) or a.dtype.itemsize != b.dtype.itemsize):
            raise InputError(
                f"output {name!r} was saved as plain bytes of {a.dtype.itemsize} each, and the "
                f"other side, {b.dtype}, does not tell their type",
                hint="save it as float32",
            )
    if _is_untyped(given):
        return given.view(reference.dtype), reference
    return given, reference.view(given.dtype) if _is_untyped(reference) else reference
