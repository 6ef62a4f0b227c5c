# SPDX-License-Identifier: Apache-2.0
"""``aclrt fake``: run programs written for AscendCL on the fake device, unchanged."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from aclrt import _drop_in, _replay, compat, recording

from . import _arguments, _output
from ._arguments import Parser, UsageError

if TYPE_CHECKING:
    from ._arguments import Commands

_MISSING = 3  # as where a comparison or a gate fails


def add_to(commands: Commands) -> None:
    """Declares the command."""
    parser = _arguments.declare(
        commands, "fake", __doc__, help="run other programs on the fake device"
    )
    parser.set_defaults(command=_nothing)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", parser_class=Parser)
    run = actions.add_parser(
        "run", help="run a program", usage="aclrt fake run [--compat NAME] -- PROGRAM [ARGS ...]"
    )
    run.add_argument(
        "--compat",
        metavar="NAME",
        action="append",
        default=[],
        choices=sorted(compat.FACADES),
        help="let a Python program import this facade of aclrt.compat (may be repeated): "
        f"{', '.join(sorted(compat.FACADES))}",
    )
    run.add_argument("program", nargs=argparse.REMAINDER, metavar="PROGRAM")
    run.set_defaults(command=_run)
    replay = actions.add_parser(
        "replay",
        help="run a program with the failures that ACLRT_RECORD recorded",
        usage="aclrt fake replay [--strict] [--report FILE] RECORD -- PROGRAM [ARGS ...]",
    )
    replay.add_argument(
        "--strict", action="store_true", help="end with 3 where a failure did not come again"
    )
    replay.add_argument("--report", metavar="FILE", help="write what came again, as JSON")
    replay.add_argument("record", metavar="RECORD", help="the file that ACLRT_RECORD wrote")
    replay.add_argument("program", nargs=argparse.REMAINDER, metavar="PROGRAM")
    replay.set_defaults(command=_replayed)
    show = actions.add_parser("show", help="tell what ACLRT_RECORD recorded")
    show.add_argument("record", metavar="RECORD", help="the file that ACLRT_RECORD wrote")
    _arguments.add_json(show)
    show.set_defaults(command=_show)
    env = actions.add_parser("env", help='print the variables, for eval "$(aclrt fake env)"')
    _arguments.add_json(env)
    env.set_defaults(command=_env)


def _nothing(options: argparse.Namespace) -> int:
    raise UsageError("an action is needed: run, replay, show or env", hint="aclrt fake --help")


def _env(options: argparse.Namespace) -> int:
    variables = _drop_in.environment()
    if options.json:
        _output.print_json({"schema": "aclrt-fake-env/1", "variables": variables})
        return 0
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _run(options: argparse.Namespace) -> int:
    program = _program(options, "run")
    _become(program, {**os.environ, **_drop_in.environment(facades=options.compat)})


def _replayed(options: argparse.Namespace) -> int:
    program = _program(options, "replay RECORD")
    sys.stdout.flush()
    report = _replay.run(options.record, program)
    print(f"aclrt: {report.text()}", file=sys.stderr)
    if options.report is not None:
        Path(options.report).write_text(json.dumps(report.to_dict(), indent=2) + "\n", "utf-8")
    assert report.exit_code is not None
    return _MISSING if options.strict and not report.is_complete else report.exit_code


def _show(options: argparse.Namespace) -> int:
    found = recording.Recording(options.record)
    about = found.to_dict()
    if options.json:
        _output.print_json(about)
        return 0
    machine = f"{found.soc_name or 'unknown chip'}, {about['backend']}"
    print(f"{found.path}: {len(found.calls)} calls in {about['threads']} threads ({machine})")
    for function, count in about["calls"].items():
        print(f"{count:8}  {function}")
    for failure in found.failures:
        print(f"failed: {failure.function} #{failure.nth}: {failure.code}")
        for line in failure.message.strip().splitlines():
            print(f"        {line}")
    if about["data_nbytes"]:
        print(f"{about['data_nbytes']} bytes of copies in {found.path}.data")
    return 0


def _program(options: argparse.Namespace, action: str) -> list[str]:
    program: list[str] = options.program
    program = program[1:] if program[:1] == ["--"] else program
    if not program:
        raise UsageError("a program is needed", hint=f"aclrt fake {action} -- PROGRAM [ARGS ...]")
    return program


def _become(program: list[str], environment: dict[str, str]) -> NoReturn:
    sys.stdout.flush()
    try:
        os.execvpe(program[0], program, environment)
    except OSError as error:
        raise OSError(error.errno, error.strerror, program[0]) from error
