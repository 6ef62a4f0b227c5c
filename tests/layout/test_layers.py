# SPDX-License-Identifier: Apache-2.0
"""The architecture, held by reading includes and imports: a layer uses only what is below it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What each folder of csrc may include, beside itself and the standard library; a name ending in "/"
# allows a whole folder. The fake shares with the shim the ABI's declaration and the reader alone.
ABI = {"acl/abi.h", "acl/functions.def", "acl/codes.def"}
MAY_INCLUDE = {
    "om": set(),
    "acl": {"aclrt/aclrt.h", "aclrt/aclfake.h"},
    "core": {"acl/", "om/", "aclrt/aclrt.h"},
    "capi": {"core/", "acl/", "om/", "aclrt/aclrt.h"},
    "fake": {"om/", "aclrt/aclfake.h", *ABI},
    "builder": {"aclrt/aclfake.h"},
    "include/aclrt": {"aclrt/aclrt.h", "aclrt/aclrt.hpp", "aclrt/error.hpp", "aclrt/tensor.hpp"},
}
CXX = sorted((ROOT / "csrc").rglob("*.[ch]")) + sorted((ROOT / "csrc").rglob("*.[ch]pp"))

# Tools and facades stand above the Python API; each may use those named after it.
TOOLS = {
    "bench": set(),
    "cli": {"bench", "compare", "compat", "deployment", "schemas"},
    "compare": set(),
    "compat": set(),
    "deployment": {"bench", "compare"},
    "interop": set(),
    "schemas": {"bench"},
    "testing": set(),
}
# They only pass on what they name; the package does it at first use (tests/process/test_import.py).
DOORS = {"__main__": {"cli"}, "__init__": {"bench", "compare", "deployment", "schemas"}}
PYTHON = sorted((ROOT / "aclrt").rglob("*.py"))
FOREIGN = re.compile(r"(acl|aclrt|aclmdl|acldvpp|aclprof|aclop|aclsys)[A-Z]\w*")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def includes(path: Path) -> Iterator[tuple[str, str]]:
    """('"' or '<', name) of each include."""
    yield from re.findall(r'^\s*#\s*include\s+(["<])([^">]+)[">]', path.read_text("utf-8"), re.M)


def imports(path: Path) -> Iterator[str]:
    """The absolute name of every module that a file of the package imports, lazily or not."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            base += node.module.split(".") if node.module else []
            yield ".".join(base)
            yield from (".".join([*base, alias.name]) for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            yield from (a.value for a in node.args if isinstance(a, ast.Constant))


def test_cxx_includes_only_what_stands_below() -> None:
    """Every quoted include is of the file's own folder or one that its layer may use."""
    wrong = []
    for path in CXX:
        folder = path.parent.relative_to(ROOT / "csrc").as_posix()
        allowed = MAY_INCLUDE[folder] | {f"{folder}/"}
        for quote, name in includes(path):
            if quote == "<" or (path.parent / name).is_file():
                continue
            if name not in allowed and name.split("/")[0] + "/" not in allowed:
                wrong.append(f"{relative(path)} includes {name}")
    assert wrong == []


def test_cxx_includes_no_foreign_header() -> None:
    """Neither Python, nor CANN, protobuf or ONNX Runtime: only the system's and our own."""
    foreign = re.compile(r"Python\.h|acl/acl.*|google/.*|onnx.*|ge/.*|cffi.*")
    wrong = [relative(p) for p in CXX if any(foreign.fullmatch(name) for _, name in includes(p))]
    assert wrong == []


def test_the_boundary_is_plain_c() -> None:
    """aclrt.h and aclfake.h include only the C headers that every compiler has."""
    for name in ("aclrt.h", "aclfake.h"):
        found = set(includes(ROOT / "csrc/include/aclrt" / name))
        assert found <= {("<", "stddef.h"), ("<", "stdint.h")}


def test_only_ffi_imports_the_extension() -> None:
    """aclrt._ffi is the one door to C."""
    assert users("aclrt._native") == {"aclrt/_ffi.py"}


def test_python_names_no_foreign_function() -> None:
    """No identifier, and no string used as one, is a function of AscendCL."""
    wrong = []
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = {ast.Name: "id", ast.Attribute: "attr", ast.Constant: "value"}.get(type(node))
            if name and FOREIGN.fullmatch(str(getattr(node, name))):
                wrong.append(f"{relative(path)}:{node.lineno}")
    assert wrong == []


def test_python_imports_only_what_stands_below() -> None:
    """The API does not use the tools, nor one tool another that is not under it."""
    wrong = {}
    for path in PYTHON:
        own = path.relative_to(ROOT / "aclrt").parts[0].removesuffix(".py")
        allowed = DOORS.get(own, {own} | TOOLS.get(own, set()))
        used = {name.split(".")[1] for name in imports(path) if name.startswith("aclrt.")}
        if not used & set(TOOLS) <= allowed:
            wrong[relative(path)] = used & set(TOOLS) - allowed
    assert wrong == {}


def users(module: str) -> set[str]:
    """The files of the package that import a module, or one inside it."""
    return {
        relative(path)
        for path in PYTHON
        if any(name == module or name.startswith(f"{module}.") for name in imports(path))
    }


def test_each_dependency_has_its_place() -> None:
    """rich serves the command line alone, cffi the build."""
    assert all(name.startswith("aclrt/cli/") for name in users("rich"))
    assert users("cffi") == {"aclrt/_ffi_build.py"}


def test_optional_packages_are_imported_late() -> None:
    """No module needs onnx, onnxruntime or ml_dtypes to be imported itself."""
    optional = {"onnx", "onnxruntime", "ml_dtypes"}
    wrong = []
    for path in PYTHON:
        for node in ast.parse(path.read_text("utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if {name.split(".")[0] for name in names} & optional:
                wrong.append(relative(path))
    assert wrong == []


def test_cmake_lists_every_source() -> None:
    """csrc/CMakeLists.txt names each .cpp once, and none that is gone."""
    listed = re.findall(r"\b[a-z]+/\w+\.cpp", (ROOT / "csrc/CMakeLists.txt").read_text("utf-8"))
    there = [p.relative_to(ROOT / "csrc").as_posix() for p in (ROOT / "csrc").rglob("*.cpp")]
    assert sorted(listed) == sorted(there)


def test_every_installed_header_is_installed() -> None:
    """CMake installs each file of csrc/include/aclrt."""
    text = (ROOT / "csrc/cmake/AclrtInstall.cmake").read_text("utf-8")
    listed = re.findall(r"include/(aclrt/\w+\.hp{0,2})", text)
    there = [f"aclrt/{p.name}" for p in (ROOT / "csrc/include/aclrt").iterdir()]
    assert sorted(listed) == sorted(there)


def test_acl_functions_are_named_once() -> None:
    """functions.def has one row for a function, on one line."""
    text = (ROOT / "csrc/acl/functions.def").read_text("utf-8")
    rows = re.findall(r"^ACL_(?:FUNCTION|UNDOCUMENTED)\(.*$", text, re.M)
    names = [re.findall(r"\b(acl\w+), (?:\(|\w+, \d\))", row)[0] for row in rows]
    assert len(names) > 400
    assert len(set(names)) == len(names)
    assert all(row.count("(") == row.count(")") for row in rows)
