# SPDX-License-Identifier: Apache-2.0
"""The built libraries, read with nm and readelf: exports, dependencies, search paths, floors."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aclrt import config

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT.parent / "shared" / "reference" / "acl_symbols.tsv"
LIB = Path(config.get_library_dir())
SHIM = LIB / "libaclrt.so"
FAKE = LIB / "fake" / "libascendcl.so"
EXTENSION = LIB.parent / "_native.abi3.so"
LIBRARIES = [SHIM, FAKE, EXTENSION]
GLIBC_FLOOR = (2, 28)  # manylinux_2_28

names = pytest.mark.parametrize("library", LIBRARIES, ids=lambda path: path.name)


def run(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def exports(library: Path) -> set[str]:
    """The dynamic symbols that it defines."""
    return {line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()}


def dynamic(library: Path, tag: str) -> list[str]:
    """The values of a tag of the dynamic section: NEEDED, SONAME, RUNPATH, ..."""
    return re.findall(rf"\({tag}\).*\[(.*)\]", run("readelf", "-d", "-W", library))


def newest_glibc(library: Path) -> tuple[int, ...]:
    """The newest version of glibc's symbols that it needs."""
    found = re.findall(r"Name: GLIBC_([\d.]+)", run("readelf", "-V", "-W", library))
    return max(tuple(int(part) for part in text.split(".")) for text in found)


def declared() -> dict[str, str]:
    """name -> tier of each function in functions.def."""
    text = (ROOT / "csrc/acl/functions.def").read_text("utf-8")
    rows = re.findall(r"^ACL_FUNCTION\([^,]+, (\w+), \(.*, (\d), \w+, \w+\)$", text, re.M)
    return dict(rows + re.findall(r"^ACL_UNDOCUMENTED\((\w+), \w+, (\d)\)$", text, re.M))


def prototypes(header: str, prefix: str) -> set[str]:
    """The functions that a public header declares."""
    text = (LIB / "include/aclrt" / header).read_text("utf-8")
    return set(re.findall(rf"\b({prefix}_\w+)\(", re.sub(r"//.*", "", text)))


def test_the_fake_exports_what_is_declared() -> None:
    """AscendCL's functions as functions.def lists them, aclfake.h's, and nothing else."""
    assert exports(FAKE) == set(declared()) | prototypes("aclfake.h", "aclfake")


def test_the_shim_exports_its_header() -> None:
    """Exactly the functions of aclrt.h, all named aclrt_*."""
    assert exports(SHIM) == prototypes("aclrt.h", "aclrt")


def test_the_extension_exports_its_init_alone() -> None:
    """No other symbol of the cffi extension can meet one of somebody else's."""
    assert {name for name in exports(EXTENSION) if not name.startswith("_cffi")} == {
        "PyInit__native"
    }


def test_functions_agree_with_the_symbol_table() -> None:
    """Every symbol of tiers 1 and 2 is declared, with the table's tier."""
    if not REFERENCE.exists():
        pytest.skip(f"the reference table is not beside this checkout: {REFERENCE.name}")
    with REFERENCE.open(encoding="utf-8") as file:
        table = {row["symbol"]: row["tier"] for row in csv.DictReader(file, delimiter="\t")}
    ours = declared()
    assert {name for name, tier in table.items() if tier in "12"} - set(ours) == set()
    assert {name: tier for name, tier in ours.items() if table.get(name) != tier} == {}


@names
def test_needs_only_the_c_library(library: Path) -> None:
    """No libascendcl, no libonnxruntime, no C++ run time of the machine."""
    base = r"lib(c|m|dl|pthread|rt|gcc_s)\.so\.\d|ld-linux.*\.so\.\d"
    ours = {"libaclrt.so"} if library == EXTENSION else set()
    assert {n for n in dynamic(library, "NEEDED") if not re.fullmatch(base, n)} == ours


@names
def test_search_path_is_relative(library: Path) -> None:
    """The extension finds the shim beside itself; the others need no path."""
    assert dynamic(library, "RPATH") == []
    assert dynamic(library, "RUNPATH") == (["$ORIGIN/_lib"] if library == EXTENSION else [])


def test_sonames_are_the_names_that_programs_ask_for() -> None:
    """A program that links CANN's library finds the fake under the same name."""
    assert dynamic(FAKE, "SONAME") == ["libascendcl.so"]
    assert dynamic(SHIM, "SONAME") == ["libaclrt.so"]


@names
def test_names_no_path_of_the_building_machine(library: Path) -> None:
    """Neither assertions nor the search path carry the source folder."""
    assert str(ROOT).encode() not in library.read_bytes()


@names
def test_runs_on_old_systems(
    library: Path, tmp_path: Path, record_property: pytest.RecordProperty
) -> None:
    """Needs no glibc newer than 2.28, or than this compiler's own static libstdc++ needs."""
    source = tmp_path / "floor.cpp"
    source.write_text(
        "#include <random>\n#include <thread>\n"
        "int main() { std::thread([] { std::random_device{}(); }).join(); }\n"
    )
    run("g++", "-pthread", "-static-libstdc++", source, "-o", tmp_path / "floor")
    needed, floor = newest_glibc(library), newest_glibc(tmp_path / "floor")
    record_property("newest_glibc", ".".join(map(str, needed)))
    assert needed <= max(GLIBC_FLOOR, floor)


def test_import_maps_nothing_foreign() -> None:
    """`import aclrt` loads neither an AscendCL nor an ONNX Runtime, nor rich, nor onnx."""
    code = (
        "import sys, pathlib, aclrt, aclrt._native;"
        "maps = pathlib.Path('/proc/self/maps').read_text();"
        "print(*(n for n in ('libascendcl', 'libonnxruntime', 'libacl_') if n in maps));"
        "print(*({'rich', 'onnx', 'onnxruntime', 'ml_dtypes'} & set(sys.modules)))"
    )
    assert run(sys.executable, "-c", code) == "\n\n"
