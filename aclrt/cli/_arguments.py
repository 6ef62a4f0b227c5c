# SPDX-License-Identifier: Apache-2.0
"""What the commands share in reading arguments: usage errors, numbers, the choice of a device."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["Parser"]

__all__ = [
    "Parser",
    "UsageError",
    "add_backend",
    "add_device",
    "add_json",
    "add_trace",
    "declare",
    "traced",
    "whole",
    "wholes",
]


class UsageError(Exception):
    """The arguments are wrong: exit code 2."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Parser(argparse.ArgumentParser):
    """Argparse with exceptions for errors, and no guessing from the beginnings of flags."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("allow_abbrev", False)
        super().__init__(**options)

    def error(self, message: str) -> NoReturn:
        """Raises instead of leaving the process.

        Raises:
            UsageError: Always.
        """
        raise UsageError(message, hint=f"{self.prog} --help")


def whole(minimum: int) -> Callable[[str], int]:
    """An argparse type: a whole number of at least ``minimum``."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = minimum - 1
        if number < minimum:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number of at least {minimum}"
            )
        return number

    return read


def wholes(minimum: int) -> Callable[[str], tuple[int, ...]]:
    """An argparse type: whole numbers of at least ``minimum`` with commas between them."""

    def read(text: str) -> tuple[int, ...]:
        return tuple(whole(minimum)(word) for word in text.split(","))

    return read


def declare(commands: Commands, name: str, doc: str | None, **options: Any) -> Parser:
    """Adds a command; its help is what its module's docstring says after the colon."""
    about = (doc or "").partition(": ")[2].strip()
    parser = commands.add_parser(name, description=about[:1].upper() + about[1:], **options)
    parser.set_defaults(parser=parser)
    return parser


def add_trace(parser: argparse.ArgumentParser) -> None:
    """--trace FILE, --aclprof DIR, --acl-config FILE."""
    parser.add_argument(
        "--trace",
        metavar="FILE",
        help="write every call of AscendCL and the device's work there, for ui.perfetto.dev",
    )
    parser.add_argument(
        "--aclprof",
        metavar="DIR",
        help="let CANN's own profiler write there, for msprof (cards only)",
    )
    parser.add_argument(
        "--acl-config",
        metavar="FILE",
        help="acl.json for AscendCL (dump, profiling); it is checked",
    )


def traced(
    options: argparse.Namespace, devices: Sequence[int], body: Callable[[], int], *, trace: bool
) -> int:
    """Runs body with what add_trace declares; trace False: the body writes the trace itself."""
    import aclrt

    if options.acl_config is not None:
        aclrt.init(backend=options.backend, acl_config=options.acl_config)
    with ExitStack() as stack:
        if trace and options.trace is not None:
            stack.enter_context(aclrt.trace(options.trace))
        if options.aclprof is not None:
            profiler = aclrt.aclprof(options.aclprof, devices=devices, backend=options.backend)
            stack.enter_context(profiler)
        return body()


def add_backend(parser: Parser) -> None:
    """Adds ``--backend``."""
    parser.add_argument(
        "--backend",
        choices=("auto", "npu", "fake"),
        help="which libascendcl (default: $ACLRT_BACKEND, else auto)",
    )


def add_device(parser: Parser) -> None:
    """Adds ``--device``."""
    parser.add_argument(
        "--device", type=whole(0), default=0, metavar="ID", help="logical device (default: 0)"
    )


def add_json(parser: Parser) -> None:
    """Adds ``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
