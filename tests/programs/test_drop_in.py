# SPDX-License-Identifier: Apache-2.0
"""The drop-in directory: library names, what each is good for at link and at run time, headers."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from programs.conftest import DROP_IN

ROOT = Path(__file__).resolve().parents[2]
# Families of functions.def by library; a name without any is there to be found, no more.
FILTERS: dict[str, set[str]] = {
    "libacl_rt.so": {"rt"},
    "libacl_mdl.so": {"mdl"},
    "libacl_dvpp.so": {"dvpp"},
    "libacl_dvpp_mpi.so": set(),
    "libacl_cblas.so": set(),
    "libacl_op_compiler.so": {"op"},
    "libacl_op_executor.so": {"op"},
    "libacl_prof.so": {"prof"},
    "libacl_retr.so": set(),
    "libacl_tdt_channel.so": set(),
    "libacl_tdt_queue.so": set(),
    "libmsprofiler.so": {"prof"},
}
LIBRARIES = pytest.mark.parametrize("name", FILTERS)


def run(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def exports(library: Path) -> set[str]:
    return {line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()}


def declared(families: set[str]) -> set[str]:
    """The functions of functions.def that belong to the families."""
    text = (ROOT / "csrc/acl/functions.def").read_text("utf-8")
    rows = re.findall(r"^ACL_FUNCTION\([^,]+, (\w+), \(.*\), (\w+), \w+, \d, ", text, re.M)
    rows += re.findall(r"^ACL_UNDOCUMENTED\((\w+), (\w+), \d\)$", text, re.M)
    return {name for name, family in rows if family in families}


def test_the_directory_holds_regular_files_alone() -> None:
    """The listed libraries, libascendcl.so, headers and boards; no link (wheels hold none)."""
    names = {path.name for path in DROP_IN.iterdir()}
    assert names == {
        *FILTERS,
        "libascendcl.so",
        "libfmk_onnx_parser.so",
        "include",
        "profiles",
    }
    assert [path.name for path in DROP_IN.rglob("*") if path.is_symlink()] == []


def test_every_function_has_a_library() -> None:
    """The families of functions.def are spread over the names without remainder."""
    everything = set().union(*FILTERS.values())
    assert declared(everything) == declared({"rt", "mdl", "prof", "op", "dvpp"})
    assert declared(everything) <= exports(DROP_IN / "libascendcl.so")


@LIBRARIES
def test_filter_is_well_made(name: str) -> None:
    """Its own soname, a filter of libascendcl.so beside it, the family's names, nothing needed."""
    library = DROP_IN / name
    dynamic = run("readelf", "-d", "-W", library)
    assert re.findall(r"\(SONAME\).*\[(.*)\]", dynamic) == [name]
    assert re.findall(r"\(FILTER\).*\[(.*)\]", dynamic) == ["libascendcl.so"]
    assert re.findall(r"\(RUNPATH\).*\[(.*)\]", dynamic) == ["$ORIGIN"]
    assert "(NEEDED)" not in dynamic
    assert exports(library) == declared(FILTERS[name])
    assert library.stat().st_size < 100_000


@LIBRARIES
def test_filter_opens_alone(name: str) -> None:
    """dlopen by path finds libascendcl.so beside it, and dlsym gives that one's functions."""
    code = (
        "import ctypes, sys; lib = ctypes.CDLL(sys.argv[1]);"
        "maps = open('/proc/self/maps').read();"
        "print(sys.argv[2] in maps);"
        "print(getattr(lib, sys.argv[3])(None, None, None) if sys.argv[3] else 100000)"
    )
    # Each returns 100000 for null arguments; the filter's own definition would trap.
    call = {"rt": "aclrtGetVersion", "mdl": "aclmdlLoadFromFile", "dvpp": "acldvppMalloc"}
    call |= {"op": "aclopSetAttrInt", "prof": "aclprofGetOpDescSize"}
    symbol = next((call[family] for family in FILTERS[name]), "")
    out = run(sys.executable, "-c", code, DROP_IN / name, str(DROP_IN / "libascendcl.so"), symbol)
    assert out.split() == ["True", "100000"]


@pytest.mark.parametrize(
    ("flags", "needed"),
    [
        (("-lascendcl",), {"libascendcl.so"}),
        (("-lacl_rt", "-lacl_mdl"), {"libacl_rt.so", "libacl_mdl.so"}),
        (
            ("-DWITH_DVPP", "-lascendcl", "-lacl_dvpp", "-lacl_cblas", "-Wl,--no-as-needed"),
            {"libascendcl.so"},
        ),
        (
            ("-DWITH_DVPP", "-Wl,--no-as-needed", "-lacl_dvpp", "-lacl_cblas", "-lascendcl"),
            {"libascendcl.so", "libacl_dvpp.so", "libacl_cblas.so"},
        ),
        (
            ("-DWITH_OP", "-lacl_op_executor", "-lacl_rt", "-lacl_mdl"),
            {"libacl_op_executor.so", "libacl_rt.so", "libacl_mdl.so"},
        ),
        (
            ("-DWITH_OP", "-DWITH_PROF", "-lascendcl", "-lacl_op_compiler", "-lmsprofiler"),
            {"libascendcl.so"},
        ),
        (
            ("-DWITH_PROF", "-lmsprofiler", "-lacl_rt", "-lacl_mdl"),
            {"libmsprofiler.so", "libacl_rt.so", "libacl_mdl.so"},
        ),
    ],
    ids=lambda value: " ".join(sorted(value)).replace("-Wl,", "") if value else "",
)
def test_links_and_runs(
    compile_program: Callable[..., Path],
    run_program: Callable[..., object],
    flags: tuple[str, ...],
    needed: set[str],
) -> None:
    """Whatever mix of names a program links, one libascendcl serves it."""
    program = compile_program("tour.c", "-Wl,--as-needed", *flags)
    found = set(
        re.findall(r"\(NEEDED\).*\[(lib(?:acl|asc|msp).*)\]", run("readelf", "-dW", program))
    )
    assert found == needed
    done = run_program(program)
    expected = ["mdl ok"]
    if "-DWITH_DVPP" in flags:
        expected += ["dvpp refused refused", "dvpp ok ok"]
    if "-DWITH_OP" in flags:
        expected.append("op ok")
    if "-DWITH_PROF" in flags:
        expected.append("prof ok")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [*expected, "reset ok"]
    assert done.live == {}
