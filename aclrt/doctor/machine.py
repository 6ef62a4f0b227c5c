# SPDX-License-Identifier: Apache-2.0
"""What an Ascend machine has on disk: driver, firmware, CANN, device files, rights, container.

Reads files and asks ``npu-smi``; loads no library, so that it answers where nothing else works.
Everything is looked for below one root, which tests replace.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from . import npu_smi
from .installs import installs, is_dir, shown, text_of, version_in
from .visible import visible_devices

__all__ = ["survey"]

_MANAGERS: Final = ("davinci_manager", "devmm_svm", "hisi_hdc")


def survey(root: str = "/", environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Looks at everything below a root that concerns Ascend cards.

    Args:
        root: The folder that stands for ``/``. ``npu-smi`` is run only below the real one.
        environ: The variables; None for this process'.

    Returns:
        ``driver``, ``firmware``, ``npu_smi``, ``installs``, ``device_files``, ``user``,
        ``container``, ``visible_devices``, ``unseen`` (what could not be looked at, and why).
        All values can be written as JSON.
    """
    at = Path(root)
    variables = os.environ if environ is None else environ
    base = at / "usr/local/Ascend"
    unseen: list[str] = []

    def look(what: str, otherwise: Any, question: Callable[..., Any], *arguments: Any) -> Any:
        # A machine may be broken in ways that nobody foresaw: the rest is still told.
        try:
            return question(*arguments)
        except Exception as error:
            unseen.append(f"{what}: {type(error).__name__}: {error}")
            return otherwise

    files = look("device files", [], _device_files, at)
    cards = [int(f["path"][12:]) for f in files if f["path"][12:].isdigit()]
    nobody = {"uid": -1, "name": "unknown", "groups": []}
    nothing: dict[str, Any] = {
        "path": None,
        "text": None,
        "error": None,
        "version": None,
        "cards": [],
    }
    return {
        "driver": look("driver", {"path": None, "version": None}, _versioned, base / "driver", at),
        "firmware": look(
            "firmware", {"path": None, "version": None}, _versioned, base / "firmware", at
        ),
        "npu_smi": look("npu-smi", nothing, npu_smi.ask, at, variables),
        "installs": look("installations of CANN", [], installs, at, variables),
        "device_files": files,
        "user": look("user", nobody, _user, at),
        "container": look("container", {"inside": False, "hints": []}, _container, at, variables),
        "visible_devices": visible_devices(variables.get("ASCEND_RT_VISIBLE_DEVICES"), cards),
        "unseen": unseen,
    }


def _versioned(folder: Path, root: Path) -> dict[str, Any]:
    there = is_dir(folder)
    return {
        "path": shown(folder, root) if there else None,
        "version": version_in(folder) if there else None,
    }


def _device_files(root: Path) -> list[dict[str, Any]]:
    folder = root / "dev"
    cards = sorted(
        (p for p in folder.glob("davinci[0-9]*") if p.name[7:].isdigit()),
        key=lambda p: int(p.name[7:]),
    )
    paths = [*cards, *(folder / name for name in _MANAGERS)]
    found = []
    for path in paths:
        try:
            info = path.stat()
        except OSError:
            found.append(
                {
                    "path": f"/dev/{path.name}",
                    "exists": False,
                    "mode": None,
                    "owner": None,
                    "group": None,
                    "usable": False,
                }
            )
            continue
        found.append(
            {
                "path": f"/dev/{path.name}",
                "exists": True,
                "mode": stat.filemode(info.st_mode),
                "owner": _name_of(root / "etc/passwd", info.st_uid),
                "group": _name_of(root / "etc/group", info.st_gid),
                "usable": os.access(path, os.R_OK | os.W_OK),
            }
        )
    return found


def _name_of(table: Path, number: int) -> str:
    for line in text_of(table).splitlines():
        fields = line.split(":")
        if len(fields) > 2 and fields[2] == str(number):
            return fields[0]
    return str(number)


def _user(root: Path) -> dict[str, Any]:
    groups = sorted({*os.getgroups(), os.getegid()})
    return {
        "uid": os.geteuid(),
        "name": _name_of(root / "etc/passwd", os.geteuid()),
        "groups": [_name_of(root / "etc/group", group) for group in groups],
    }


def _container(root: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    hints = [
        f"/{name}" for name in (".dockerenv", "run/.containerenv") if os.path.exists(root / name)
    ]
    words = re.findall(r"docker|kubepods|containerd|lxc|podman", text_of(root / "proc/1/cgroup"))
    hints += [f"/proc/1/cgroup: {word}" for word in dict.fromkeys(words)]
    hints += [
        name
        for name in ("KUBERNETES_SERVICE_HOST", "ASCEND_VISIBLE_DEVICES", "container")
        if variables.get(name)
    ]
    return {"inside": bool(hints), "hints": hints}
