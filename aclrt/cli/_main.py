# SPDX-License-Identifier: Apache-2.0
"""The parser of all commands, and the one place where an exception becomes an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TextIO

import aclrt
from aclrt.errors import AclrtError, BackendError

from ._arguments import Parser, UsageError

__all__ = ["main"]

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
# In the order of the help; each is the module of that name.
COMMANDS = (
    "deploy",
    "convert",
    "inspect",
    "run",
    "compare",
    "bench",
    "doctor",
    "explain",
    "schema",
    "fake",
)


def _parser(only: str | None = None) -> Parser:
    """The parser of all commands, or of one: the others' modules are not imported then."""
    parser = Parser(
        prog="aclrt",
        description="Load and run Ascend offline models (.om), with and without a card.",
        epilog="ACLRT_TRACEBACK=1 shows the Python traceback of an error.",
    )
    parser.add_argument("--version", action="version", version=f"aclrt {aclrt.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
    for name in COMMANDS if only is None else (only,):
        try:
            import_module(f".{name}", __package__).add_to(commands)
        except ImportError:
            if only is not None:
                raise
            # A help text must come even where half of the package is broken.
            if name not in commands.choices:
                commands.add_parser(name, help="cannot be loaded: see aclrt doctor")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: The arguments after the program's name; None for ``sys.argv``.

    Returns:
        The exit code.
    """
    words = _joined(argv)
    _prepare_streams()
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            first = words[0].split()[0] if words and words[0].split() else ""
            parser = _parser(first if first in COMMANDS else None)
            options, unknown = parser.parse_known_args(words)
            if unknown:
                getattr(options, "parser", parser).error(f"unknown: {' '.join(unknown)}")
            if not hasattr(options, "command"):
                parser.print_help()
                return DONE
            code: int = options.command(options)
            sys.stdout.flush()
            return code
        except SystemExit as error:  # --help and --version, which argparse answers itself
            return error.code if isinstance(error.code, int) else DONE
        except BaseException as error:
            if os.environ.get("ACLRT_TRACEBACK", "0") not in ("", "0"):
                traceback.print_exc()
            return _report(error)


def _prepare_streams() -> None:
    """Makes stdout and stderr such that printing a result never fails for its characters."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller (`>&-`): the exit code still tells
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif getattr(stream, "errors", "") == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # names of files in an ASCII locale


def _joined(argv: Sequence[str] | None) -> list[str]:
    """The arguments, a command of two words as one."""
    words = list(sys.argv[1:] if argv is None else argv)
    return ["bench diff", *words[2:]] if words[:2] == ["bench", "diff"] else words


def _report(error: BaseException) -> int:
    """Says on stderr what went wrong; returns the exit code."""
    if isinstance(error, KeyboardInterrupt):
        _say("interrupted")
        return INTERRUPTED
    if isinstance(error, UsageError):
        _say(f"error: {error}", hint=error.hint)
        return USAGE
    if isinstance(error, BrokenPipeError):
        # The reader has left (`aclrt inspect ... | head`): the rest goes nowhere, without a word.
        _discard_output()
        return FAILED
    if isinstance(error, AclrtError):
        status = f"{error.call or 'AscendCL'} returned {error.code} {error.name}".strip()
        line = f"error: {error.message}" + (f" ({status})" if error.code else "")
        causes = {"usual causes": "; ".join(error.causes)}
        _say(line, detail=_brief(error), **causes, hint=error.hint)
        return int(getattr(error, "exit_code", FAILED))  # of CANN's compiler
    if isinstance(error, OSError) and error.filename is not None:
        _say(f"error: {os.fsdecode(error.filename)}: {error.strerror}")
    elif isinstance(error, MemoryError):
        _say(f"error: out of host memory{f': {error}' if str(error) else ''}")
    elif isinstance(error, ImportError):
        broken = aclrt._unusable is not None
        hint = "aclrt doctor; it and aclrt explain work without the rest" if broken else ""
        _say(f"error: {' '.join(str(error).split())}", hint=hint)
    elif isinstance(error, OSError):
        if error.errno == errno.ENOSPC:
            _discard_output()  # what is buffered would fail again at exit
        _say(f"error: {error.strerror or error}")
    elif isinstance(error, Exception):
        _say(
            f"error: {type(error).__name__}: {error}",
            hint="this is a defect of aclrt; please report it with ACLRT_TRACEBACK=1",
        )
    else:
        raise error
    return FAILED


def _discard_output() -> None:
    """What is still to be written to stdout goes nowhere."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _brief(error: AclrtError) -> str:
    """The first line of AscendCL's message; its own call trace, or a search, is doctor's matter."""
    lines = error.detail.splitlines()
    if isinstance(error, BackendError) and len(lines) > 1:
        return "`aclrt doctor` shows where it was looked for"
    return lines[0] if lines else ""


def _say(text: str, **further: str) -> None:
    print(f"aclrt: {text}", file=sys.stderr)
    for name, value in further.items():
        if value:
            print(f"  {name}: {value}", file=sys.stderr)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    _say(f"warning: {message}")
