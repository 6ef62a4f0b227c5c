# SPDX-License-Identifier: Apache-2.0
"""The whole report: the backend in use and why, this package, the machine, and what is missing.

``collect()`` never raises for what it finds: a runtime that cannot be initialised is a finding,
with the next step beside it.
"""

from __future__ import annotations

import os
from typing import Any

from . import machine, package, probe
from .problems import problems as machine_problems

__all__ = ["collect"]

_VARIABLES = ("ACLRT_", "ASCEND_", "ACL_")
_FURTHER_VARIABLES = ("LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX")


def collect(
    *, backend: str | None = None, root: str = "/", isolated: bool = False
) -> dict[str, Any]:
    """Looks at everything that decides whether and where models run.

    Args:
        backend: ``"auto"``, ``"npu"`` or ``"fake"``; None for ``$ACLRT_BACKEND``, else auto.
        root: The folder to look at instead of ``/`` for driver, CANN and device files.
        isolated: Initialise AscendCL in a process of its own, whose crash or hang (60 s) is a
            finding; the command does. Otherwise in this one, whose state is then reported.

    Returns:
        ``schema``, ``ok`` (models can run), ``backend`` (None if there is no usable one), ``trail``
        (where libascendcl was looked for), ``devices``, ``package`` (this installation),
        ``libraries``, ``versions``, ``environment``, ``machine`` (``survey``), and ``problems``:
        each with ``severity`` (``"error"`` or ``"warning"``), ``problem`` and ``next_step``. All
        values can be written as JSON.
    """
    problems: list[dict[str, str]] = []
    own = package.package()
    if own["usable"]:
        asked = probe.apart(backend) if isolated else probe.here(backend)
    else:
        asked = {"backend": None, "trail": [], "devices": [], "failure": None}
    own_problems = [_problem(*found) for found in package.problems(own)]
    if not own["usable"] and not own_problems:
        own_problems = [_problem(own["error"], "pip install --force-reinstall aclrt")]
    problems += own_problems
    if asked["failure"] is not None:
        problems.append(_problem(**asked["failure"]))
    problems += _missing(asked)
    found_here = machine.survey(root=root)
    chosen = asked["backend"]
    wanted = (backend or os.environ.get("ACLRT_BACKEND")) == "npu"
    for problem in machine_problems(found_here, wanted=wanted):
        severity = "error" if wanted and chosen is None else "warning"
        problems.append(_problem(problem.problem, problem.next_step, severity=severity))
    libraries = _libraries(own, chosen)
    if chosen is not None and chosen["name"] == "fake" and not libraries["onnxruntime"]:
        problems.append(
            _problem(
                "ONNX Runtime was not found: the fake device cannot run models",
                'pip install "aclrt[onnx]", or set ACLRT_FAKE_ONNXRUNTIME to libonnxruntime.so',
                severity="warning",
            )
        )
    versions = own.pop("versions")
    return {
        "schema": "aclrt-doctor/1",
        "ok": not any(problem["severity"] == "error" for problem in problems),
        "backend": chosen,
        "trail": asked["trail"],
        "devices": asked["devices"],
        "package": own,
        "libraries": libraries,
        "versions": versions,
        "environment": _environment(),
        "machine": found_here,
        "problems": problems,
    }


def _problem(problem: str, next_step: str, *, severity: str = "error") -> dict[str, str]:
    return {"severity": severity, "problem": problem, "next_step": next_step}


def _missing(asked: dict[str, Any]) -> list[dict[str, str]]:
    """Libraries that the search could not load for want of others, with who ships those."""
    texts = [step["outcome"] for step in asked["trail"]]
    if asked["failure"] is not None:
        texts.append(asked["failure"]["problem"])
    found = {missing[0]: missing for missing in map(package.missing_library, texts) if missing}
    severity = "error" if asked["backend"] is None else "warning"
    return [
        _problem(f"{name} is missing, which {who} ships", step, severity=severity)
        for name, who, step in found.values()
    ]


def _libraries(own: dict[str, Any], chosen: dict[str, Any] | None) -> dict[str, str | None]:
    onnxruntime = None
    if own["usable"]:
        from .. import _drop_in

        onnxruntime = _drop_in.onnxruntime_library() or None
    return {
        "aclrt": None if own["library"]["problem"] else own["library"]["path"],
        "ascendcl": chosen["library"] if chosen else None,
        "onnxruntime": onnxruntime,
    }


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith(_VARIABLES) or name in _FURTHER_VARIABLES
    }
