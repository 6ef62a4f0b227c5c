# SPDX-License-Identifier: Apache-2.0
"""Builds and runs the C++ test programs, and the example the way a stranger's project would."""

from __future__ import annotations

import fcntl
import os
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from aclrt import config

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "release"  # setup.py's: the libraries are compiled already
PROGRAMS = sorted(path.stem for path in (ROOT / "tests/cpp").glob("*.cpp"))
EXAMPLE = ROOT / "examples" / "cpp"
DIGITS = ROOT / "examples" / "digits"
ROWS = 40


def tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=sysconfig.get_path("scripts"))
    assert found, f"{name} is needed (aclrt[test])"
    return found


def run(*command: str | Path, env: dict[str, str] | None = None, timeout: float = 60) -> str:
    """The command's output; a failure shows both streams. A hang of timeout seconds is one."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=os.environ | (env or {}),
        check=False,
        timeout=timeout,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def on_fake() -> dict[str, str]:
    """The environment in which a program without Python finds ONNX Runtime."""
    spec = find_spec("onnxruntime")
    assert spec, "onnxruntime is needed (aclrt[test])"
    library = next(Path(str(spec.origin)).parent.glob("capi/libonnxruntime.so*"))
    return {"ACLRT_BACKEND": "fake", "ACLRT_FAKE_ONNXRUNTIME": str(library)}


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cpp_models")
    runpy.run_path(str(ROOT / "tests/cpp/make_models.py"))["main"](folder)
    return folder


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the built programs; one process builds, the others wait."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(
            *(tool("cmake"), "-S", ROOT / "csrc", "-B", BUILD, "--preset", "release"),
            *(f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}", "-DACLRT_TESTS=ON"),
        )
        run(tool("cmake"), "--build", BUILD, "--parallel", "2", timeout=290)
    return BUILD / "tests"


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str, programs: Path, models: Path, on_fake: dict[str, str]) -> None:
    """The program's own checks all hold."""
    run(programs / name, models, env=on_fake)


@pytest.fixture(scope="module")
def expected() -> list[int]:
    """What ONNX Runtime says of the first rows."""
    import onnxruntime

    session = onnxruntime.InferenceSession(DIGITS / "digits.onnx")
    images = np.load(DIGITS / "test_images.npy")[:ROWS]
    probs = [session.run(None, {"image": image[None]})[0] for image in images]
    return [int(np.argmax(p)) for p in probs]


def classes(program: Path, models: Path, env: dict[str, str]) -> list[int]:
    images = DIGITS / "test_images.npy"
    lines = run(program, models / "digits.om", images, "0", str(ROWS), env=env).splitlines()
    assert [line.split()[0] for line in lines] == [str(row) for row in range(ROWS)]
    return [int(line.split()[1]) for line in lines]


def test_example_builds_with_cmake(
    tmp_path: Path, models: Path, on_fake: dict[str, str], expected: list[int]
) -> None:
    """find_package(aclrt CONFIG) in a project of ten lines, anywhere."""
    shutil.copytree(EXAMPLE, tmp_path / "project", ignore=shutil.ignore_patterns("build"))
    build = tmp_path / "build"
    run(
        *(tool("cmake"), "-S", tmp_path / "project", "-B", build, "-G", "Ninja"),
        *(f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}", f"-Daclrt_DIR={config.get_cmake_dir()}"),
    )
    run(tool("cmake"), "--build", build)
    assert classes(build / "classify", models, on_fake) == expected


def config_flags(*flags: str) -> list[str]:
    return run(sys.executable, "-m", "aclrt", *flags).split()


def pkg_config_flags() -> list[str]:
    """`pkg-config --cflags --libs aclrt`, which not every machine has, by its own rules."""
    folder = config.get_pkgconfig_dir()
    if shutil.which("pkg-config"):
        env = {"PKG_CONFIG_PATH": folder}
        return run("pkg-config", "--cflags", "--libs", "aclrt", env=env).split()
    text = Path(folder, "aclrt.pc").read_text("utf-8")
    values = {"pcfiledir": folder}
    for name, value in re.findall(r"^(\w+)=(.*)$", text, re.M):
        values[name] = re.sub(r"\$\{(\w+)\}", lambda m: values[m[1]], value)
    fields = dict(re.findall(r"^(\w+): (.*)$", text, re.M))
    flags = f"{fields['Cflags']} {fields['Libs']}"
    return re.sub(r"\$\{(\w+)\}", lambda m: values[m[1]], flags).split()


@pytest.mark.parametrize("source", ["aclrt-config", "pkg-config"])
def test_example_builds_with_flags(
    source: str, tmp_path: Path, models: Path, on_fake: dict[str, str], expected: list[int]
) -> None:
    """g++ with the printed flags, all warnings on, needs nothing else."""
    flags = config_flags("--cflags", "--libs") if source == "aclrt-config" else pkg_config_flags()
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
    program = tmp_path / "classify"
    run("g++", "-std=c++17", *warnings, EXAMPLE / "classify.cpp", "-o", program, *flags)
    assert classes(program, models, on_fake) == expected


def test_example_says_what_is_wrong(tmp_path: Path, models: Path, on_fake: dict[str, str]) -> None:
    """A missing model is one line and exit code 1."""
    program = tmp_path / "classify"
    flags = config_flags("--cflags", "--libs")
    run("g++", EXAMPLE / "classify.cpp", "-o", program, *flags)
    done = subprocess.run(
        [program, tmp_path / "absent.om", DIGITS / "test_images.npy"],
        env=os.environ | on_fake,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("classify: ")
    assert "absent.om" in done.stderr
