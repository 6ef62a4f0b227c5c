# SPDX-License-Identifier: Apache-2.0
"""The survey of a machine, on fabricated roots: whole, partial and broken installations."""

from __future__ import annotations

import json
import os
import platform
import struct
from pathlib import Path

import pytest

from aclrt import doctor

ARCH = f"{platform.machine()}-linux"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with two cards, driver and firmware, but no CANN; files stand for devices."""
    add(tmp_path, "usr/local/Ascend/driver/version.info", "Version=25.2.0\n")
    add(tmp_path, "usr/local/Ascend/firmware/version.info", "Version=7.7.0.6.236\n")
    for name in ("davinci0", "davinci1", "davinci_manager", "devmm_svm", "hisi_hdc"):
        add(tmp_path, f"dev/{name}")
    add(tmp_path, "etc/group", f"HwHiAiUser:x:{os.getegid()}:\n")
    return tmp_path


def add(root: Path, name: str, text: str = "") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def elf(machine: str = platform.machine(), sections: int = 0) -> bytes:
    """The head of a shared library; with sections it is one that was cut short."""
    number = {"x86_64": 62, "aarch64": 183}[machine]
    return (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 3, number, 1, 0, 0, 64, 0, 64, 0, 0, 64, sections, 0)
    )


def cann(root: Path, folder: str, version: str, place: str = "lib64") -> None:
    add(root, f"{folder}/{ARCH}/ascend_toolkit_install.info", f"package\nversion={version}\n")
    add(root, f"{folder}/{place}/libascendcl.so").write_bytes(elf())


def survey(root: Path, **variables: str) -> dict:
    found = doctor.survey(str(root), variables)
    assert found == json.loads(json.dumps(found))
    return found


def told(found: dict, *, wanted: bool = True) -> list[str]:
    problems = doctor.problems(found, wanted=wanted)
    assert all(isinstance(problem, doctor.Problem) for problem in problems)
    assert all(problem.next_step for problem in problems)
    return [problem.problem for problem in problems]


def test_a_whole_machine_has_no_problem(root):
    """Versions, device files with rights and owner, identity of the devices."""
    cann(root, "usr/local/Ascend/ascend-toolkit/latest", "8.0.0")
    found = survey(root)
    assert "25.2.0" == found["driver"]["version"]
    assert "7.7.0.6.236" == found["firmware"]["version"]
    assert 5 == len(found["device_files"])
    first = found["device_files"][0]
    assert ("/dev/davinci0", True, True) == (first["path"], first["exists"], first["usable"])
    assert "HwHiAiUser" == first["group"]
    assert [0, 1] == found["visible_devices"]["physical"]
    assert {"inside": False, "hints": []} == found["container"]
    assert [] == told(found)


@pytest.mark.parametrize(
    ("folder", "place", "layout"),
    [
        ("usr/local/Ascend/cann", "lib64", "new"),
        ("usr/local/Ascend/ascend-toolkit/latest", f"{ARCH}/lib64", "old"),
        ("usr/local/Ascend/nnrt/latest", "runtime/lib64", "nnrt"),
        ("home/me/Ascend/cann", "lib64", "new"),
        ("opt/conda", "lib", "conda"),
        ("opt/conda/Ascend/cann", "lib64", "conda"),
    ],
)
def test_installations_of_every_layout(root, folder, place, layout):
    """Found with their version and library; the only one wins."""
    cann(root, folder, "8.5.0", place)
    found = survey(root, HOME="/home/me", CONDA_PREFIX="/opt/conda")
    (install,) = found["installs"]
    assert (f"/{folder}", layout, "8.5.0") == (
        install["path"],
        install["layout"],
        install["version"],
    )
    assert f"/{folder}/{place}/libascendcl.so" == install["library"]
    assert install["wins"]


def test_the_winner_is_that_of_the_search(root):
    """A variable before the new layout, that before the old one; links are listed once."""
    cann(root, "usr/local/Ascend/cann-8.5.0", "8.5.0")
    (root / "usr/local/Ascend/cann").symlink_to("cann-8.5.0")
    cann(root, "usr/local/Ascend/ascend-toolkit/latest", "8.0.0")
    cann(root, "opt/mine", "9.0.0")
    installs = survey(root)["installs"]
    assert [
        ("/usr/local/Ascend/cann", True),
        ("/usr/local/Ascend/ascend-toolkit/latest", False),
    ] == [(install["path"], install["wins"]) for install in installs]
    named = survey(root, ASCEND_HOME_PATH="/opt/mine")["installs"]
    assert ["/opt/mine"] == [install["path"] for install in named if install["wins"]]


def test_a_stub_is_no_library(root):
    """The link-time libraries of a development package do not count."""
    cann(root, "usr/local/Ascend/cann/devlib", "8.5.0")
    (root / "usr/local/Ascend/cann/lib64").symlink_to("devlib/lib64")
    found = survey(root)
    assert [None] == [install["library"] for install in found["installs"]]
    assert any("no CANN" in text for text in told(found))


def test_broken_installations(root):
    """A variable and a link that lead nowhere, and a folder without the library."""
    (root / "usr/local/Ascend/cann").symlink_to("cann-8.5.0")
    (root / "usr/local/Ascend/nnrt/latest").mkdir(parents=True)
    texts = told(survey(root, ASCEND_HOME_PATH="/gone"))
    assert "ASCEND_HOME_PATH names /gone, which does not exist" in texts
    assert "a link leads /usr/local/Ascend/cann, which does not exist" in texts
    assert any("/usr/local/Ascend/nnrt/latest has no libascendcl.so" in text for text in texts)
    assert any("no CANN" in text for text in texts)


OTHER = "aarch64" if platform.machine() == "x86_64" else "x86_64"


@pytest.mark.parametrize(
    "folder",
    [
        "usr/local/Ascend/cann",
        "usr/local/Ascend/ascend-toolkit/latest",
        "usr/local/Ascend/nnrt/latest",
        "opt/mine",
        "opt/conda",
    ],
)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<html>not found</html>" * 9, "is no ELF library"),
        (elf(OTHER), f"is for {OTHER}, and this machine is {platform.machine()}"),
        (elf(sections=40), "is cut short: 64 of at least 2624 bytes"),
        (None, "is a link that leads nowhere"),
    ],
)
def test_a_broken_library_in_every_layout(root, folder, content, words):
    """It is found, and why it cannot be loaded is said before anybody tries."""
    place = "lib" if folder == "opt/conda" else "lib64"
    cann(root, folder, "8.5.0", place)
    library = root / folder / place / "libascendcl.so"
    library.unlink()
    if content is None:
        library.symlink_to("libascendcl.so.1")
    else:
        library.write_bytes(content)
    found = survey(root, ASCEND_HOME_PATH="/opt/mine", CONDA_PREFIX="/opt/conda")
    (install,) = [install for install in found["installs"] if install["path"] == f"/{folder}"]
    assert words in install["problem"]
    assert (content is not None) == bool(install["library"])
    assert any(words in text for text in told(found))


def test_what_may_not_be_looked_at_is_no_error(root, monkeypatch):
    """A user without rights on the folders gets the rest of the survey."""
    cann(root, "usr/local/Ascend/cann", "8.5.0")
    refused = (str(root / "usr"), str(root / "etc"), str(root / "run"))

    def refusing(real):
        def call(path, *arguments, **options):
            if not isinstance(path, int) and os.fspath(path).startswith(refused):
                raise PermissionError(13, "Permission denied", path)
            return real(path, *arguments, **options)

        return call

    for name in ("stat", "lstat", "scandir", "listdir", "open"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
    monkeypatch.setattr("builtins.open", refusing(open))
    monkeypatch.setattr("io.open", refusing(open))
    found = survey(root)
    monkeypatch.undo()
    assert [] == found["installs"]
    assert found["driver"]["path"] is None
    assert [0, 1] == found["visible_devices"]["physical"]
    assert str(os.getegid()) == found["device_files"][0]["group"]


def test_what_nobody_foresaw_is_told(root, monkeypatch):
    """A part of the survey that fails becomes a problem; the others are there."""

    def fail():
        raise RuntimeError("no groups today")

    monkeypatch.setattr(os, "getgroups", fail)
    found = survey(root)
    assert ["user: RuntimeError: no groups today"] == found["unseen"]
    assert "unknown" == found["user"]["name"]
    assert "25.2.0" == found["driver"]["version"]
    assert any("could not look at user" in text for text in told(found))


def test_an_empty_machine(tmp_path):
    """Nothing there is a problem only for who wants a card."""
    found = survey(tmp_path)
    assert {"path": None, "version": None} == found["driver"]
    assert [] == told(found, wanted=False)
    texts = told(found)
    assert 3 == len(texts)
    assert "no card is visible" in texts[0]


def test_a_container_without_devices_is_told_how_to_pass_them(root):
    """The next step is docker's flag, not the driver's installer."""
    add(root, ".dockerenv")
    add(root, "proc/1/cgroup", "0::/kubepods/pod1\n")
    for name in ("davinci0", "davinci1", "hisi_hdc"):
        (root / "dev" / name).unlink()
    found = survey(root)
    assert {"inside": True, "hints": ["/.dockerenv", "/proc/1/cgroup: kubepods"]} == found[
        "container"
    ]
    first = doctor.problems(found, wanted=False)[0]
    assert "--device=/dev/davinci0" in first.next_step


def test_missing_managers_and_rights(root):
    """Each device file that is not there or not usable is named."""
    cann(root, "usr/local/Ascend/cann", "8.5.0")
    (root / "dev/hisi_hdc").unlink()
    found = survey(root)
    assert ["missing: /dev/hisi_hdc"] == told(found)
    found["device_files"][0]["usable"] = False
    found["user"]["name"] = "me"
    assert "me may not open /dev/davinci0" in told(found)


@pytest.mark.parametrize(
    ("value", "physical", "complaint"),
    [
        ("0,1", [0, 1], None),
        (" 1 ", [1], None),
        ("1,0", [1], "out of order"),
        ("1,1", [1], "twice"),
        ("0,x,1", [0], "no number"),
        ("", [], "no number"),
        ("0,7", [0], "no device 7"),
    ],
)
def test_visible_devices(root, value, physical, complaint):
    """Logical to physical, cut where CANN cuts."""
    cann(root, "usr/local/Ascend/cann", "8.5.0")
    found = survey(root, ASCEND_RT_VISIBLE_DEVICES=value)
    assert physical == found["visible_devices"]["physical"]
    texts = told(found)
    assert (complaint is not None) == bool(texts)
    assert complaint is None or complaint in texts[0]


def test_the_report_has_the_machine(root):
    """What is wrong on disk is a warning while models run on the fake."""
    report = doctor.collect(root=str(root))
    assert "25.2.0" == report["machine"]["driver"]["version"]
    assert any("no CANN" in problem["problem"] for problem in report["problems"])
    assert {"warning"} == {problem["severity"] for problem in report["problems"]}
    assert report["ok"]
