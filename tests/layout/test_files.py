# SPDX-License-Identifier: Apache-2.0
"""Rules for every file of the repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {".py", ".pyi", ".h", ".hpp", ".c", ".cpp", ".cmake", ".def", ".sh"}
NAMED = {"Makefile", "CMakeLists.txt"}
DATA = {".onnx", ".om", ".npy", ".png", ".svg", ".bin"}
MAX_LINES = 600
LONG = {
    "csrc/acl/abi.h": "AscendCL's whole ABI, which is to be declared in one place",
    "csrc/include/aclrt/aclrt.h": "the library's whole boundary, which cffi reads as one file",
}
MAX_BYTES = 1_000_000

# Written in pieces, so that this file does not contain what it looks for.
MACHINE_PATH = re.compile(
    r"(?<![\w.$}>])/(?:" + "|".join(["work", "farm", "root", r"home/\w+"]) + ")/"
)
UNFINISHED = re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b")


def tracked() -> list[Path]:
    """The files of the repository; in an unpacked source distribution, all that it holds."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
        files = [ROOT / name for name in names.decode().split("\0") if name]
    else:
        made = re.compile(
            r"build|dist|out|\.venv|_lib|.*_cache|\.hypothesis|.*\.(egg-info|so|py[co])"
        )
        parts = ((path, path.relative_to(ROOT).parts) for path in ROOT.rglob("*"))
        files = [path for path, names in parts if not any(map(made.fullmatch, names))]
    return sorted(path for path in files if path.is_file() and "__pycache__" not in path.parts)


FILES = tracked()
TEXT = [path for path in FILES if path.suffix not in DATA]
CODE = [path for path in TEXT if path.suffix in SOURCES or path.name in NAMED]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").split("\n")


def found(pattern: re.Pattern[str]) -> list[str]:
    """file:line of every match in the text files."""
    return [
        f"{relative(path)}:{number}"
        for path in TEXT
        for number, line in enumerate(lines(path), 1)
        if pattern.search(line)
    ]


def test_sources_begin_with_their_licence() -> None:
    """The SPDX line is the first, or the second after a #! line."""
    spdx = "SPDX-License-Identifier: Apache-2.0"
    wrong = [p for p in CODE if not any(line.endswith(spdx) for line in lines(p)[:2])]
    assert [relative(path) for path in wrong] == []


def test_sources_are_short() -> None:
    """One concept a file; over 600 lines it has become two."""
    long = {relative(path) for path in CODE if len(lines(path)) > MAX_LINES}
    assert long - set(LONG) == set()


def test_no_path_of_a_machine() -> None:
    """Nothing names a folder that only one machine has."""
    assert found(MACHINE_PATH) == []


def test_nothing_is_unfinished() -> None:
    """What is missing is an error with a message and a line in docs/, not a mark in the source."""
    assert found(UNFINISHED) == []


def test_text_is_clean() -> None:
    """No trailing blank, no tab but in a Makefile, one newline at the end."""
    assert found(re.compile(r"[ \t\r]$")) == []
    tabs = {place.rsplit(":", 1)[0] for place in found(re.compile("\t"))}
    assert tabs <= {"Makefile"}
    ends = [p for p in TEXT if not re.search(r"(^|[^\n]\n)\Z", p.read_text("utf-8"))]
    assert [relative(path) for path in ends] == []


def test_no_file_is_large() -> None:
    """Nothing over a megabyte is kept."""
    assert [relative(path) for path in FILES if path.stat().st_size > MAX_BYTES] == []


def test_the_version_is_declared_once() -> None:
    """Only VERSION states it; the changelog names it as history."""
    version = (ROOT / "VERSION").read_text("utf-8").strip()
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    stated = re.compile(rf"version\s*[:=]?\s*\"?{re.escape(version)}\b", re.IGNORECASE)
    others = [p for p in CODE if "tests" not in p.parts and stated.search(p.read_text("utf-8"))]
    assert others == []


def test_the_documents_are_there() -> None:
    """What a newcomer looks for."""
    names = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"]
    assert [name for name in [*names, "docs", "Makefile"] if not (ROOT / name).exists()] == []
    assert (ROOT / "LICENSE").read_text("utf-8").lstrip().startswith("Apache License")


def test_ci_is_executable_and_runs_both() -> None:
    """.ci/run calls the checks and the tests."""
    path = ROOT / ".ci/run"
    assert path.stat().st_mode & 0o111
    assert {"make check", "make test"} <= set(
        re.findall(r"make (?:check|test)\b", path.read_text("utf-8"))
    )
