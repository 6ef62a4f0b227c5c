# SPDX-License-Identifier: Apache-2.0
"""``aclrt explain``: what a code of AscendCL means, its usual causes, and what to try."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import aclrt.explain
from aclrt.explain import (
    CheckExplanation,
    Explanation,
    Findings,
    MessageExplanation,
    UnknownCode,
)

from . import _arguments, _output
from ._arguments import UsageError

if TYPE_CHECKING:
    from ._arguments import Commands


def add_to(commands: Commands) -> None:
    """Declares the command."""
    parser = _arguments.declare(
        commands,
        "explain",
        __doc__,
        help="explain a status code, or those in a text",
        epilog="Exit code 1 if there is no known code in the text.",
    )
    parser.add_argument(
        "what",
        nargs="*",
        metavar="CODE|TEXT",
        help="a number (507018, 0x7bc8a), a name, the id of a message (EE1001) or of a check of "
        "the fake (ACLFAKE-STR-01), or text that has some; - reads stdin",
    )
    parser.add_argument("--all", action="store_true", help="list every code")
    _arguments.add_json(parser)
    parser.set_defaults(command=_explain)


def _explain(options: argparse.Namespace) -> int:
    if options.all == bool(options.what):
        raise UsageError(
            "either CODE|TEXT or --all is needed", hint="aclrt explain 507018; aclrt explain --all"
        )
    if options.all:
        found = Findings(aclrt.explain.codes())
    else:
        words = sys.stdin.read() if options.what == ["-"] else " ".join(options.what)
        found = aclrt.explain.lookup(words)
    if options.json:
        _output.print_json(found.to_dict())
    elif options.all:
        rows = [(code.code, code.name, code.layer, code.meaning) for code in found.codes]
        _output.table(("code", "name", "layer", "meaning"), rows)
    else:
        _print(found)
    return 0 if found.is_known else 1


def _print(found: Findings) -> None:
    blocks = [
        *map(_known, found.codes),
        *map(_message, found.messages),
        *map(_check, found.checks),
        *map(_unknown, found.unknown),
    ]
    print("\n\n".join(blocks))


def _known(code: Explanation) -> str:
    lines = [f"{code.code} (0x{code.code:x}) {code.name}", f"  {code.meaning}"]
    if code.layer:
        lines.append(f"  from: {code.layer}; {code.category}; raised as {code.exception}")
    if code.causes:
        lines.append("  usual causes:")
        lines += [f"    {number}. {cause}" for number, cause in enumerate(code.causes, 1)]
    if code.hint:
        lines.append(f"  what to try: {code.hint}")
    return "\n".join(lines)


def _message(message: MessageExplanation) -> str:
    lines = [f"{message.id}: a message of CANN's {message.part}"]
    if message.meaning:
        lines.append(f"  {message.meaning}")
    if message.causes:
        lines.append("  usual causes:")
        lines += [f"    {number}. {cause}" for number, cause in enumerate(message.causes, 1)]
    lines.append(f"  what to try: {message.hint}")
    return "\n".join(lines)


def _check(check: CheckExplanation) -> str:
    outcome = (
        f"the call gives {check.codes}" if check.codes else "the call does what it always does"
    )
    lines = [f"{check.id}: a check of the fake device ({check.kind}; {outcome})"]
    return "\n".join([*lines, f"  {check.meaning}", f"  what to try: {check.hint}"])


def _unknown(code: UnknownCode) -> str:
    lines = [f"{code.text}: not a code that this version knows"]
    if code.layer:
        lines.append(f"  from: {code.layer}; {code.category}")
    if code.near:
        lines.append(f"  written alike: {', '.join(code.near)}")
    return "\n".join(lines)
