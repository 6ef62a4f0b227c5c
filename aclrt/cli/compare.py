# SPDX-License-Identifier: Apache-2.0
"""``aclrt compare``: the same data through two models, and how far their outputs are apart."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import aclrt.compare
from aclrt.compare.report import rows
from aclrt.errors import InputError

from . import _arguments, _output
from ._arguments import UsageError

if TYPE_CHECKING:
    from ._arguments import Commands

DIFFERENT = 3


def add_to(commands: Commands) -> None:
    """Declares the command."""
    parser = _arguments.declare(
        commands,
        "compare",
        __doc__,
        help="compare a model with its ONNX",
        epilog="Each side is an .om, an .onnx, a .npy, an .npz or a folder of .npy files; the "
        "second is the reference. Exit code 3 if outputs differ by more than is allowed.",
    )
    parser.add_argument("first", metavar="FIRST", help="what is under test")
    parser.add_argument("second", metavar="SECOND", help="the reference")
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="an input as .npy or .bin, once for each input (default: made up)",
    )
    parser.add_argument(
        "--reference-input",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="the same for SECOND alone, where it takes other data (AIPP)",
    )
    parser.add_argument(
        "--shape",
        action="append",
        default=[],
        metavar="SHAPES",
        help='of inputs that may have several: "x:4,3,224,224", or gears for each gear; may be '
        "repeated (default: the largest gear, or the least of a range)",
    )
    parser.add_argument(
        "--cases", type=_arguments.whole(1), default=1, metavar="N", help="sets of made-up inputs"
    )
    parser.add_argument(
        "--seed", type=_arguments.whole(0), default=0, help="of the first set (default: 0)"
    )
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIRST=SECOND",
        help="outputs that belong together under different names",
    )
    parser.add_argument("--atol", type=_number, help="absolute tolerance (default: 0.001)")
    parser.add_argument("--rtol", type=_number, help="relative tolerance (default: 0.01)")
    parser.add_argument("--cosine", type=_number, help="least cosine similarity (default: 0.999)")
    parser.add_argument("--top1", type=_number, help="least top-1 agreement, 0 to 1 (default: 0)")
    parser.add_argument("--tolerance", metavar="FILE", help="tolerances per output, as JSON")
    parser.add_argument("--junit", metavar="FILE", help="write JUnit XML there")
    parser.add_argument("--html", metavar="FILE", help="write a report there, one HTML file")
    _arguments.add_device(parser)
    _arguments.add_backend(parser)
    _arguments.add_json(parser)
    parser.set_defaults(command=_compare)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return value


def _compare(options: argparse.Namespace) -> int:
    found = aclrt.compare.run(
        options.first,
        options.second,
        inputs=_files("--input", options.input),
        reference_inputs=_files("--reference-input", options.reference_input),
        shapes=options.shape,
        cases=options.cases,
        seed=options.seed,
        tolerances=_tolerances(options),
        output_names=_names(options.map),
        device_id=options.device,
        backend=options.backend,
    )
    for file, text in (
        (options.junit, aclrt.compare.to_junit),
        (options.html, aclrt.compare.to_html),
    ):
        if file is not None:
            Path(file).write_text(text(found), encoding="utf-8")
    if options.json:
        _output.print_json(found.to_dict())
    else:
        _print(found)
    return 0 if found.passed else DIFFERENT


def _files(flag: str, arguments: Sequence[str]) -> dict[str, str] | None:
    if not arguments:
        return None
    files: dict[str, str] = {}
    for argument in arguments:
        name, separator, file = argument.partition("=")
        if not separator or not name or not file:
            raise UsageError(f"{flag}: {argument!r} is not of the form NAME=FILE")
        if name in files:
            raise UsageError(f"{flag}: input {name!r} is given twice")
        files[name] = file
    return files


def _names(arguments: Sequence[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for argument in arguments:
        first, separator, second = argument.partition("=")
        if not separator or not first or not second:
            raise UsageError(f"--map: {argument!r} is not of the form FIRST=SECOND")
        if first in names:
            raise UsageError(f"--map: output {first!r} is given twice")
        names[first] = second
    return names


def _tolerances(options: argparse.Namespace) -> aclrt.compare.Tolerances:
    given = {name: getattr(options, name) for name in ("atol", "rtol", "cosine", "top1")}
    try:
        flags = {name: value for name, value in given.items() if value is not None}
        default = aclrt.compare.Tolerance(**flags)
    except InputError as error:
        raise UsageError(error.message) from error
    if options.tolerance is None:
        return aclrt.compare.Tolerances(default)
    return aclrt.compare.Tolerances.load(options.tolerance, default)


def _print(found: aclrt.compare.Comparison) -> None:
    print(f"{found.first} against {found.second}")
    for case in found.cases:
        print(f"\ninputs {case.label}:")
        for output in case.outputs:
            print(f"{output.name}: {'passed' if output.passed else 'FAILED'}")
            for reason in output.reasons:
                print(f"  {reason}")
            _output.facts([(f"  {name}", value) for name, value in rows(output)])
            if output.ulp:
                shown = [f"{label}: {count}" for label, count in output.ulp.items() if count]
                print(f"  elements by distance in ULP: {', '.join(shown)}")
    print()
    for caution in found.cautions:
        print(f"caution: {caution}")
    for line in found.advice:
        print(f"look at: {line}")
    print("passed" if found.passed else "FAILED")
