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
    report = aclrt.doctor.collect(backend=options.backend, isolated=True)
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
    package = report["package"]
    if not package["usable"]:
        print(f"aclrt: cannot be used: {package['error']}")
    print("\nsearch for libascendcl, in order:")
    for step in report["trail"] or [{"place": "nowhere", "outcome": ""}]:
        print(f"  {step['place']}: {step['outcome']}" if step["outcome"] else f"  {step['place']}")
    print("\ndevices:")
    for device in report["devices"]:
        free, total = _output.size(device["memory_free"]), _output.size(device["memory_total"])
        print(f"  {device['id']}: {device['soc_name'] or 'unknown'}, {free} free of {total}")
    if not report["devices"]:
        print("  none")
    _print_machine(report["machine"])
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


def _print_machine(machine: dict[str, Any]) -> None:
    print("\nmachine:")
    user, container = machine["user"], machine["container"]
    visible, smi = machine["visible_devices"], machine["npu_smi"]
    _output.facts(
        [
            ("  driver", machine["driver"]["version"] or machine["driver"]["path"] or "not found"),
            (
                "  firmware",
                machine["firmware"]["version"] or machine["firmware"]["path"] or "not found",
            ),
            ("  npu-smi", f"{smi['path']} {smi['version'] or ''}" if smi["path"] else "not found"),
            ("  user", f"{user['name']} (groups {', '.join(user['groups'])})"),
            ("  container", ", ".join(container["hints"]) if container["inside"] else "no sign"),
            (
                "  devices",
                ", ".join(
                    f"{i} is /dev/davinci{card}" for i, card in enumerate(visible["physical"])
                )
                or "none",
            ),
        ]
    )
    for file in machine["device_files"]:
        if file["exists"]:
            rights = "usable" if file["usable"] else "not usable"
            print(f"  {file['path']}: {file['mode']} {file['owner']}:{file['group']}, {rights}")
    print("\nCANN installations:")
    for install in machine["installs"]:
        note = ", first found" if install["wins"] else ""
        note += f"; {install['problem']}" if install["problem"] else ""
        what = install["library"] or (
            "no libascendcl.so" if install["exists"] else "does not exist"
        )
        version = install["version"] or "unknown version"
        print(f"  {install['path']} ({install['layout']}, {version}): {what}{note}")
    if not machine["installs"]:
        print("  none")
    if machine["npu_smi"]["text"]:
        print(f"\nnpu-smi info:\n{machine['npu_smi']['text'].rstrip()}")
