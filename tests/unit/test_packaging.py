# SPDX-License-Identifier: Apache-2.0
"""The package as users get it: version, build flags, source distribution, wheel."""

from __future__ import annotations

import fcntl
import importlib.metadata
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import aclrt
from aclrt import config

ROOT = Path(__file__).resolve().parents[2]
VERSION = (ROOT / "VERSION").read_text("utf-8").strip()


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | (env or {}),
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def backend() -> ModuleType:
    spec = importlib.util.spec_from_file_location("backend", ROOT / "packaging/backend.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a program that prints a text on an otherwise empty PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def make(name: str, text: str) -> None:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return make


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    source = folder / "source"
    made = (".venv", ".git", "build", "dist", "out", "_lib", "*.so", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*made, ".*_cache", ".hypothesis"))
    code = "import backend, sys; print(backend.build_sdist(sys.argv[1]))"
    run(sys.executable, "-c", code, folder, cwd=source, env={"PYTHONPATH": "packaging"})
    with tarfile.open(folder / f"aclrt-{VERSION}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder / f"aclrt-{VERSION}"


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A wheel built from the source distribution, without network; unoptimised, to be quick.

    One worker builds it, the others wait.
    """
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "wheel"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not any(folder.glob("*.whl")):
            run(
                *(sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps"),
                *("--no-index", "--wheel-dir", folder, sdist),
                env={
                    "CMAKE_ARGS": "-DCMAKE_BUILD_TYPE=MinSizeRel -DCMAKE_CXX_FLAGS_MINSIZEREL=-O0"
                },
            )
    return next(folder.glob("*.whl"))


def test_version_is_the_same_everywhere() -> None:
    """VERSION reaches the C library, Python, the metadata and the build flags."""
    assert aclrt.__version__ == VERSION
    assert run(sys.executable, "-m", "aclrt", "--version").strip() == VERSION
    assert importlib.metadata.version("aclrt") == VERSION
    text = Path(config.get_cmake_dir(), "aclrtConfigVersion.cmake").read_text("utf-8")
    assert f'"{VERSION}"' in text


def test_flags_name_what_exists(capsys: pytest.CaptureFixture[str]) -> None:
    """Each flag prints one line, in the order asked."""
    asked = ["--cmakedir", "--pkgconfigdir", "--includes", "--cflags", "--libs"]
    assert config.main(asked) == 0
    cmake, pkgconfig, includes, cflags, libs = capsys.readouterr().out.splitlines()
    assert Path(cmake, "aclrtConfig.cmake").is_file()
    assert Path(pkgconfig, "aclrt.pc").is_file()
    assert Path(includes.removeprefix("-I"), "aclrt/aclrt.hpp").is_file()
    assert cflags == f"-std=c++17 {includes}"
    assert libs.split()[0] == f"-L{config.get_library_dir()}"
    assert Path(config.get_include(), "aclrt", "aclrt.h").is_file()
    assert Path(config.get_library()).parent == Path(config.get_library_dir())
    assert Path(config.get_library()).is_file()


def test_flags_of_the_drop_in_directory(capsys: pytest.CaptureFixture[str]) -> None:
    """What a program written for AscendCL alone is built with."""
    assert config.main(["--fake-libdir", "--fake-includes"]) == 0
    libraries, includes = capsys.readouterr().out.splitlines()
    assert Path(libraries, "libacl_rt.so").is_file()
    assert Path(includes.removeprefix("-I"), "acl/acl.h").is_file()


def test_flags_without_a_build_say_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkout that was not built is told how to build."""
    monkeypatch.setattr(config, "_PREFIX", tmp_path / "_lib")
    assert config.main(["--libs"]) == 1
    assert "make build" in capsys.readouterr().err


def test_no_flag_is_a_usage_error() -> None:
    """aclrt-config alone exits with 2."""
    with pytest.raises(SystemExit) as caught:
        config.main([])
    assert caught.value.code == 2


def test_backend_asks_for_absent_tools(
    backend: ModuleType, program: Callable[[str, str], None]
) -> None:
    """cmake and ninja come from the index when PATH has none, one too old, or one that fails."""
    assert backend.missing_tools() == ["cmake>=3.24", "ninja>=1.10"]
    program("cmake", "echo cmake version 3.22.1")
    program("ninja", "echo 1.11.1.git")
    assert backend.missing_tools() == ["cmake>=3.24"]
    program("cmake", "echo cmake version 4.0.2")
    assert backend.missing_tools() == []
    program("cmake", "exit 1")
    assert backend.missing_tools() == ["cmake>=3.24"]


def test_sdist_holds_every_source(sdist: Path) -> None:
    """What the repository tracks is in it, but for the settings of git."""
    made = {".venv", ".git", "build", "dist", "out", "_lib", "__pycache__"}
    wanted = [
        path.relative_to(ROOT)
        for folder in ("aclrt", "csrc", "docs", "examples", "packaging", "tests", ".ci")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not made & set(path.relative_to(ROOT).parts)
        if path.suffix not in {".so", ".pyc"} and path.name != "_native.c"
    ]
    assert [str(path) for path in wanted if not (sdist / path).is_file()] == []


def test_wheel_serves_all_pythons(wheel: Path) -> None:
    """One tag for CPython 3.10 and later; libraries inside; nothing of CANN, no test, no cache."""
    tags = wheel.name.split("-")
    assert tags[:4] == ["aclrt", VERSION, "cp310", "abi3"]
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "aclrt/__init__.py",
        "aclrt/py.typed",
        "aclrt/_native.abi3.so",
        "aclrt/_lib/libaclrt.so",
        "aclrt/_lib/fake/libascendcl.so",
        "aclrt/_lib/include/aclrt/aclrt.h",
        "aclrt/_lib/include/aclrt/aclrt.hpp",
        "aclrt/_lib/cmake/aclrt/aclrtConfig.cmake",
        "aclrt/_lib/pkgconfig/aclrt.pc",
    } <= names
    tops = {name.split("/")[0] for name in names}
    assert tops == {"aclrt", f"aclrt-{VERSION}.dist-info"}
    fake = {name for name in names if re.fullmatch(r"aclrt/_lib/fake/lib\w+\.so", name)}
    assert len(fake) == 14
    assert "aclrt/_lib/fake/include/acl/acl.h" in names
    assert {name for name in names if name.endswith(".so")} - fake == {
        "aclrt/_native.abi3.so",
        "aclrt/_lib/libaclrt.so",
    }


def test_wheel_works_where_it_is_unpacked(wheel: Path, tmp_path: Path) -> None:
    """Import, run and flags use the unpacked files alone; a moved package stays whole."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = (
        "import aclrt, sys; from aclrt import config, om;"
        "import numpy as np;"
        f"aclrt.convert({str(ROOT / 'examples/digits/digits.onnx')!r}, 'd.om',"
        " input_shape={'image': (1, 1, 8, 8)});"
        "m = aclrt.OfflineModel('d.om');"
        "y = m(np.zeros((1, 1, 8, 8), np.float32)); m.close();"
        "print(aclrt.__file__); print(config.get_library()); print(y[0].shape)"
    )
    env = {"PYTHONPATH": str(tmp_path / "site"), "ACLRT_BACKEND": "fake"}
    where, library, shape = run(sys.executable, "-c", code, cwd=tmp_path, env=env).splitlines()
    assert where == str(tmp_path / "site/aclrt/__init__.py")
    assert library == str(tmp_path / "site/aclrt/_lib/libaclrt.so")
    assert shape == "(1, 10)"
