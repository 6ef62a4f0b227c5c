# SPDX-License-Identifier: Apache-2.0
"""``aclrt inspect``: what is in an offline model, without a device."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import aclrt

from . import _arguments, _output

if TYPE_CHECKING:
    from ._arguments import Commands


def add_to(commands: Commands) -> None:
    """Declares the command."""
    parser = _arguments.declare(
        commands, "inspect", __doc__, help="show what is in an offline model"
    )
    parser.add_argument("file", metavar="FILE", help="the .om")
    _arguments.add_json(parser)
    parser.set_defaults(command=_inspect)


def _inspect(options: argparse.Namespace) -> int:
    info = aclrt.inspect(options.file)
    if options.json:
        _output.print_json(info.to_dict())
        return 0
    kind = "simulated: runs on the fake device" if info.simulated else "compiled for a real card"
    _output.facts(
        [
            ("file", options.file),
            ("kind", kind),
            ("soc", info.soc_version or "unknown"),
            ("compiler", info.compiler_version or "unknown"),
            ("work size", _size(info.work_size)),
            ("weight size", _size(info.weight_size)),
        ]
    )
    print()
    rows = _output.tensor_rows("input", info.inputs) + _output.tensor_rows("output", info.outputs)
    _output.table(_output.TENSOR_HEADS, rows)
    return 0


def _size(nbytes: int | None) -> str:
    return "unknown" if nbytes is None else _output.size(nbytes)
