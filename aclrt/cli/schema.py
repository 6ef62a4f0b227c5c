# SPDX-License-Identifier: Apache-2.0
"""``aclrt schema``: the JSON Schema of what the other commands print with --json."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from aclrt import schemas

from . import _arguments, _output

if TYPE_CHECKING:
    from ._arguments import Commands


def add_to(commands: Commands) -> None:
    """Declares the command."""
    parser = _arguments.declare(
        commands, "schema", __doc__, help="print the JSON Schema of a document"
    )
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="doctor, bench, ...; none lists them"
    )
    _arguments.add_json(parser)
    parser.set_defaults(command=_schema)


def _schema(options: argparse.Namespace) -> int:
    if options.name is not None:
        _output.print_json(schemas.schema(options.name))
    elif options.json:
        _output.print_json({"schema": "aclrt-schemas/1", "schemas": list(schemas.NAMES)})
    else:
        print("\n".join(schemas.NAMES))
    return 0
