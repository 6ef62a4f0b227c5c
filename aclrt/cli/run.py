# SPDX-License-Identifier: Apache-2.0
"""``aclrt run``: one inference with data from files, or made up."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import aclrt
from aclrt import _feeds

from . import _arguments, _output
from ._arguments import UsageError

if TYPE_CHECKING:
    from aclrt.running import RunTensor

    from ._arguments import Commands


def add_to(commands: Commands) -> None:
    """Declares the command."""
    parser = _arguments.declare(
        commands,
        "run",
        __doc__,
        help="run a model once",
        epilog="Without --input the data is made up: right dtypes and shapes (of the largest gear, "
        "or the least of a range), the same every time.",
    )
    parser.add_argument("model", metavar="MODEL", help="the .om")
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="an input as .npy, once for each input; one input alone needs no NAME",
    )
    parser.add_argument("--output", metavar="DIR", help="write each output there as NAME.npy")
    parser.add_argument(
        "--seed", type=_arguments.whole(0), default=0, help="of made-up data (default: 0)"
    )
    _arguments.add_trace(parser)
    _arguments.add_device(parser)
    _arguments.add_backend(parser)
    _arguments.add_json(parser)
    parser.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    return _arguments.traced(options, [options.device], lambda: _once(options), trace=True)


def _once(options: argparse.Namespace) -> int:
    try:
        report = aclrt.run_model(
            options.model,
            input_files=options.input,
            output=options.output,
            seed=options.seed,
            device_id=options.device,
            backend=options.backend,
        )
    except _feeds.FormError as error:
        raise UsageError(f"--input: {error.message}", error.hint) from error
    if options.json:
        _output.print_json(report.to_dict())
        return 0
    soc_name = report.soc_name or "unknown"
    print(f"{report.model} on device {report.device_id} ({report.backend}, {soc_name})")
    heads = ("", "name", "dtype", "shape", "from / to", "values")
    rows = [_row("input", tensor, tensor.source) for tensor in report.inputs]
    rows += [_row("output", tensor, tensor.file or "not saved") for tensor in report.outputs]
    _output.table(heads, rows)
    return 0


def _row(kind: str, tensor: RunTensor, place: str) -> tuple[object, ...]:
    array = tensor.array
    shown = _feeds.summary(array)
    return kind, tensor.name, array.dtype, list(array.shape), place, shown
