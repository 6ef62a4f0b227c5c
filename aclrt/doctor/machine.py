# SPDX-License-Identifier: Apache-2.0
"""What an Ascend machine has on disk: driver, firmware, CANN, device files, rights, container.

Reads files and asks ``npu-smi``; loads no library, so that it answers where nothing else works.
Everything is looked for below one root, which tests replace.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import site
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .visible import visible_devices

__all__ = ["Problem", "problems", "survey"]

_LIBRARY: Final = "libascendcl.so"
_SMI_SECONDS: Final = 10
_MANAGERS: Final = ("davinci_manager", "devmm_svm", "hisi_hdc")
_VARIABLES: Final = ("ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME", "ASCEND_INSTALL_PATH")
# In the order of the search for libascendcl (csrc/acl/search.cpp).
_PRODUCTS: Final = (
    ("cann", "new"),
    ("ascend-toolkit/latest", "old"),
    ("nnrt/latest", "nnrt"),
    ("nnae/latest", "nnae"),
    ("acllib", "old"),
)


@dataclass(frozen=True)
class Problem:
    """Something that keeps models from running on a card, and what to do about it."""

    problem: str
    next_step: str


def survey(root: str = "/", environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Looks at everything below a root that concerns Ascend cards.

    Args:
        root: The folder that stands for ``/``. ``npu-smi`` is run only below the real one.
        environ: The variables; None for this process'.

    Returns:
        ``driver``, ``firmware``, ``npu_smi``, ``installs``, ``device_files``, ``user``,
        ``container``, ``visible_devices``. All values can be written as JSON.
    """
    at = Path(root)
    variables = os.environ if environ is None else environ
    base = at / "usr/local/Ascend"
    files = _device_files(at)
    cards = [int(f["path"][12:]) for f in files if f["path"][12:].isdigit()]
    return {
        "driver": _versioned(base / "driver", at),
        "firmware": _versioned(base / "firmware", at),
        "npu_smi": _npu_smi(at, variables),
        "installs": _installs(at, variables),
        "device_files": files,
        "user": _user(at),
        "container": _container(at, variables),
        "visible_devices": visible_devices(variables.get("ASCEND_RT_VISIBLE_DEVICES"), cards),
    }


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _shown(path: Path, root: Path) -> str:
    """The path as programs on that machine see it."""
    try:
        return "/" + path.relative_to(root).as_posix()
    except ValueError:
        return str(path)


def _version_in(folder: Path) -> str | None:
    arch = f"{platform.machine()}-linux"
    names = (
        "version.info",
        "runtime/version.info",
        "version.cfg",
        "ascend_toolkit_install.info",
        f"{arch}/ascend_toolkit_install.info",
        "ascend_nnrt_install.info",
        f"{arch}/ascend_nnrt_install.info",
    )
    for name in names:
        found = re.search(
            r"^\s*(?:version|runtime_running_version)\s*=\s*\[?([\w.:-]+)",
            _text(folder / name),
            re.I | re.M,
        )
        if found:
            return found[1].rsplit(":", 1)[-1]
    return None


def _versioned(folder: Path, root: Path) -> dict[str, Any]:
    there = folder.is_dir()
    return {
        "path": _shown(folder, root) if there else None,
        "version": _version_in(folder) if there else None,
    }


def _npu_smi(root: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    if root.resolve() != Path("/"):
        tool = next(
            (p for p in ("usr/local/bin/npu-smi", "usr/local/sbin/npu-smi") if (root / p).exists()),
            None,
        )
        return {"path": f"/{tool}" if tool else None, "text": None, "error": None}
    tool = shutil.which("npu-smi", path=variables.get("PATH"))
    if tool is None:
        return {"path": None, "text": None, "error": None}
    try:
        done = subprocess.run(
            [tool, "info"],
            capture_output=True,
            timeout=_SMI_SECONDS,
            check=False,
            env=dict(variables),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"path": tool, "text": None, "error": str(error)}
    text = done.stdout.decode("utf-8", "replace")
    words = done.stderr.decode("utf-8", "replace").strip() or text.strip()
    failed = f"exit code {done.returncode}: {words}" if done.returncode else None
    return {"path": tool, "text": text, "error": failed}


def _places(root: Path, variables: Mapping[str, str]) -> Iterator[tuple[Path, str, str]]:
    """Folder, layout and how it came to be looked at."""
    for name in _VARIABLES:
        if variables.get(name):
            yield _below(root, variables[name]), "variable", name
    bases = [root / "usr/local/Ascend"]
    if variables.get("HOME"):
        bases.append(_below(root, variables["HOME"]) / "Ascend")
    for base in bases:
        yield from _products(base)
    if root.resolve() == Path("/"):
        for folder in dict.fromkeys([*site.getsitepackages(), sys.prefix]):
            yield from ((p, "pip", where) for p, _, where in _products(Path(folder) / "Ascend"))
    conda = variables.get("CONDA_PREFIX")
    if conda:
        prefix = _below(root, conda)
        yield prefix, "conda", "CONDA_PREFIX"
        yield from ((p, "conda", where) for p, _, where in _products(prefix / "Ascend"))


def _products(base: Path) -> Iterator[tuple[Path, str, str]]:
    for product, layout in _PRODUCTS:
        yield base / product, layout, "standard place"
    for pattern, layout in (("cann-*", "new"), ("ascend-toolkit/[0-9]*", "old")):
        for folder in sorted(base.glob(pattern), reverse=True):
            yield folder, layout, "another version"


def _below(root: Path, path: str) -> Path:
    return root / path.lstrip("/") if path.startswith("/") else Path(path)


def _installs(root: Path, variables: Mapping[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    seen: set[Path] = set()
    won = False
    for folder, layout, source in _places(root, variables):
        asked = source in _VARIABLES
        if folder.resolve() in seen or not (asked or folder.is_dir() or folder.is_symlink()):
            continue
        seen.add(folder.resolve())
        library = _library(folder)
        if layout == "conda" and library is None:
            continue  # any conda environment; it need not have CANN
        wins = not won and library is not None and source != "another version"
        won = won or wins
        found.append(
            {
                "path": _shown(folder, root),
                "layout": layout,
                "source": source,
                "version": _version_in(folder),
                "library": None if library is None else _shown(library, root),
                "exists": folder.is_dir(),
                "wins": wins,
            }
        )
    return found


def _library(folder: Path) -> Path | None:
    for place in ("lib64", "runtime/lib64", f"{platform.machine()}-linux/lib64", "lib"):
        path = folder / place / _LIBRARY
        if path.is_file() and not {"stub", "devlib"} & set(path.resolve().parts):
            return path
    return None


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
    for line in _text(table).splitlines():
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
    hints = [f"/{name}" for name in (".dockerenv", "run/.containerenv") if (root / name).exists()]
    words = re.findall(r"docker|kubepods|containerd|lxc|podman", _text(root / "proc/1/cgroup"))
    hints += [f"/proc/1/cgroup: {word}" for word in dict.fromkeys(words)]
    hints += [
        name
        for name in ("KUBERNETES_SERVICE_HOST", "ASCEND_VISIBLE_DEVICES", "container")
        if variables.get(name)
    ]
    return {"inside": bool(hints), "hints": hints}


def problems(found: Mapping[str, Any], *, wanted: bool) -> list[Problem]:
    """What keeps models from running on a card.

    Args:
        found: What ``survey`` returned.
        wanted: Whether a card is asked for. Otherwise a machine with no trace of Ascend is fine.

    Returns:
        One for each thing to do, the most basic first.
    """
    files = found["device_files"]
    cards = [f for f in files if f["path"][12:].isdigit()]
    there = [f for f in files if f["exists"]]
    traces = there or found["driver"]["path"] or found["installs"] or found["npu_smi"]["path"]
    if not traces and not wanted:
        return []
    return [
        *_device_problems(found, files, cards, there),
        *_software_problems(found, cards),
        *(Problem(**fields) for fields in found["visible_devices"]["problems"]),
    ]


def _device_problems(
    found: Mapping[str, Any], files: list[Any], cards: list[Any], there: list[Any]
) -> Iterator[Problem]:
    if not cards:
        yield Problem(
            "there is no /dev/davinci<number>: no card is visible to this process",
            "start the container with --device=/dev/davinci0 --device=/dev/davinci_manager "
            "--device=/dev/devmm_svm --device=/dev/hisi_hdc (or Ascend's container runtime)"
            if found["container"]["inside"]
            else "check that the card is seated (lspci | grep -i d100 or d500) and the driver "
            "is installed",
        )
    missing = [f["path"] for f in files if not f["exists"]]
    if cards and missing:
        yield Problem(
            f"missing: {', '.join(missing)}",
            "pass them into the container with --device"
            if found["container"]["inside"]
            else "load the driver again, or install it again",
        )
    closed = [f for f in there if not f["usable"]]
    if closed:
        groups = ", ".join(dict.fromkeys(f["group"] for f in closed))
        yield Problem(
            f"{found['user']['name']} may not open {', '.join(f['path'] for f in closed)}",
            f"add the user to the group {groups} (usermod -aG {groups} {found['user']['name']}) "
            "and log in again",
        )


def _software_problems(found: Mapping[str, Any], cards: list[Any]) -> Iterator[Problem]:
    if found["driver"]["path"] is None:
        yield Problem(
            "no driver below /usr/local/Ascend/driver",
            "mount /usr/local/Ascend/driver into the container (-v)"
            if found["container"]["inside"]
            else "install the NPU driver and firmware for this card",
        )
    elif found["driver"]["version"] is None:
        yield Problem(
            f"{found['driver']['path']} has no version.info: the driver is incomplete",
            "install the driver again",
        )
    if found["npu_smi"]["error"]:
        yield Problem(
            f"npu-smi info fails: {found['npu_smi']['error'].splitlines()[0]}",
            "check that the driver is loaded, and its log (dmesg)",
        )
    if not any(install["library"] for install in found["installs"]):
        yield Problem(
            f"no CANN with {_LIBRARY} was found",
            "install CANN (toolkit or nnrt) and source its set_env.sh, e.g. "
            "source /usr/local/Ascend/cann/set_env.sh",
        )
    for install in found["installs"]:
        if not install["exists"]:
            by = f"{install['source']} names" if install["source"] in _VARIABLES else "a link leads"
            yield Problem(
                f"{by} {install['path']}, which does not exist",
                "source the set_env.sh of an installed CANN, or correct the link",
            )
        elif install["library"] is None:
            yield Problem(
                f"{install['path']} has no {_LIBRARY}: the installation is incomplete",
                "install CANN again, or remove the folder",
            )
