# SPDX-License-Identifier: Apache-2.0
"""Builds the C++ with CMake into aclrt/_lib, then the cffi extension against it.

Everything else about the package is in pyproject.toml.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path

from setuptools import setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent


def tool(name: str) -> str:
    """PATH first (where pip puts the build requirements), then this Python's own scripts."""
    path = shutil.which(name) or shutil.which(name, path=sysconfig.get_path("scripts"))
    if path is None:
        raise SystemExit(f"{name} is neither on PATH nor installed; run: pip install {name}")
    return path


class BuildWithCMake(build_ext):
    """CMake configure, build and install, then setuptools' build of the extension.

    $ACLRT_PRESET chooses another preset than release, $CMAKE_ARGS is added to the configure step.
    """

    def run(self) -> None:
        package = ROOT / "aclrt" if self.inplace else Path(self.build_lib).resolve() / "aclrt"
        prefix = package / "_lib"
        self.install_native(prefix)
        for extension in self.extensions:
            extension.include_dirs.append(str(prefix / "include"))
            extension.library_dirs.append(str(prefix))
            extension.depends += [
                str(ROOT / "csrc" / name) for name in ("include/aclrt/aclrt.h", "acl/abi.h")
            ]
        super().run()

    def build_extensions(self) -> None:
        # Some Pythons (pyenv's, conda's) link every extension with the path of their own libraries.
        words = self.compiler.linker_so
        self.compiler.linker_so = [word for word in words if not word.startswith("-Wl,-rpath")]
        super().build_extensions()

    def install_native(self, prefix: Path) -> None:
        preset = os.environ.get("ACLRT_PRESET", "release")
        build = ROOT / "build" / preset
        cmake = tool("cmake")
        configure = [cmake, "-S", str(ROOT / "csrc"), "-B", str(build), "--preset", preset]
        configure += [f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}", "-DACLRT_TESTS=OFF"]
        configure += shlex.split(os.environ.get("CMAKE_ARGS", ""))
        install = [cmake, "--install", str(build), "--prefix", str(prefix)]
        jobs = ["--parallel", str(self.parallel)] if self.parallel else []
        shutil.rmtree(prefix, ignore_errors=True)
        for command in (
            configure,
            [cmake, "--build", str(build), *jobs],
            install if self.inplace else [*install, "--strip"],
        ):
            if subprocess.run(command, cwd=ROOT / "csrc").returncode != 0:
                raise SystemExit(f"failed: {shlex.join(command)}")


# Free-threaded Pythons have no limited API that cffi could use: their wheel is their own.
limited = not sysconfig.get_config_var("Py_GIL_DISABLED")
setup(
    cffi_modules=["aclrt/_ffi_build.py:ffibuilder"],
    cmdclass={"build_ext": BuildWithCMake},
    options={"bdist_wheel": {"py_limited_api": "cp310"}} if limited else {},
)
