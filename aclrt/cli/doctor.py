# SPDX-License-Identifier: Apache-2.0
"""``aclrt doctor``: which backend runs models here and why, and what is missing."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import aclrt.doctor

from . import _arguments, _output

if TYPE_CHECKING:
    from ._arguments import Commands


def add_to(commands: Commands) -> None:
    """Declares the command."""
    parser = _arguments.declare(
        commands,
        "doctor",
        __doc__,
        help="show which backend is used and why",
        epilog="Exit code 1 if models cannot run here.",
    )
    _arguments.add_backend(parser)
    _arguments.add_json(parser)
    parser.set_defaults(command=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    report = aclrt.doctor.collect(backend=options.backend)
    if options.json:
        _output.print_json(report)
    else:
        _print(report)
    return 0 if report["ok"] else 1


def _print(report: dict[str, Any]) -> None:
    backend = report["backend"]
    if backend is None:
        print("backend: none usable")
    else:
        print(f"backend: {backend['name']}")
        _output.facts(
            [
                ("  why", backend["reason"]),
                ("  library", backend["library"]),
                ("  AscendCL version", backend["acl_version"] or "unknown"),
                ("  initialised by", "somebody else" if backend["is_adopted"] else "aclrt"),
            ]
        )
    print("\nsearch for libascendcl, in order:")
    for step in report["trail"] or [{"place": "nowhere", "outcome": ""}]:
        print(f"  {step['place']}: {step['outcome']}" if step["outcome"] else f"  {step['place']}")
    print("\ndevices:")
    for device in report["devices"]:
        free, total = _output.size(device["memory_free"]), _output.size(device["memory_total"])
        print(f"  {device['id']}: {device['soc_name'] or 'unknown'}, {free} free of {total}")
    if not report["devices"]:
        print("  none")
    for title in ("libraries", "versions", "environment"):
        print(f"\n{title}:")
        pairs = [(f"  {name}", value or "not found") for name, value in report[title].items()]
        _output.facts(pairs or [("  nothing set", "")])
    print()
    for problem in report["problems"]:
        print(f"{problem['severity']}: {problem['problem']}")
        print(f"  next step: {problem['next_step']}")
    if not report["problems"]:
        print("no problems found")
