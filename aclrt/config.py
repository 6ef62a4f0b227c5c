# SPDX-License-Identifier: Apache-2.0
"""Where the headers, libraries and CMake files of aclrt are, and the `aclrt-config` program.

Valid in an installed wheel and in a checkout (`pip install -e .`). Imports nothing compiled, so
that build systems can ask before anything else works.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "get_cmake_dir",
    "get_fake_include",
    "get_fake_library_dir",
    "get_include",
    "get_library",
    "get_library_dir",
    "get_pkgconfig_dir",
]

_PREFIX = Path(__file__).resolve().parent / "_lib"


def _existing(path: Path) -> str:
    if not path.exists():
        raise FileNotFoundError(
            f"{path} does not exist: the C++ part of aclrt is not built here. "
            "In a checkout, run `make build` or `pip install -e .`."
        )
    return str(path)


def get_include() -> str:
    """The directory for -I: it holds aclrt/aclrt.h, aclrt/aclrt.hpp and aclrt/aclfake.h.

    Raises:
        FileNotFoundError: the C++ part is not built.
    """
    return _existing(_PREFIX / "include")


def get_library_dir() -> str:
    """The directory of libaclrt.so, for -L and for the run-time search path.

    Raises:
        FileNotFoundError: the C++ part is not built.
    """
    return _existing(_PREFIX)


def get_library() -> str:
    """The path of libaclrt.so.

    Raises:
        FileNotFoundError: the C++ part is not built.
    """
    return _existing(_PREFIX / "libaclrt.so")


def get_cmake_dir() -> str:
    """The directory of aclrtConfig.cmake, for `cmake -Daclrt_DIR=...`.

    Raises:
        FileNotFoundError: the C++ part is not built.
    """
    return _existing(_PREFIX / "cmake" / "aclrt")


def get_pkgconfig_dir() -> str:
    """The directory of aclrt.pc, for $PKG_CONFIG_PATH.

    Raises:
        FileNotFoundError: the C++ part is not built.
    """
    return _existing(_PREFIX / "pkgconfig")


def _version() -> str:
    """The version that CMake wrote beside the library, read without loading it."""
    text = Path(get_pkgconfig_dir(), "aclrt.pc").read_text(encoding="utf-8")
    return next(
        line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("Version:")
    )


def get_fake_library_dir() -> str:
    """The drop-in directory: libascendcl.so and the other names that AscendCL programs link.

    Raises:
        FileNotFoundError: the C++ part is not built.
    """
    return _existing(_PREFIX / "fake")


def get_fake_include() -> str:
    """The directory for -I that holds acl/acl.h, for programs written against AscendCL alone.

    Raises:
        FileNotFoundError: the C++ part is not built.
    """
    return _existing(_PREFIX / "fake" / "include")


# What each flag prints; `python -m aclrt` recognises its build flags by this table.
FLAGS = {
    "--cmakedir": ("directory for cmake -Daclrt_DIR=", get_cmake_dir),
    "--pkgconfigdir": ("directory for $PKG_CONFIG_PATH", get_pkgconfig_dir),
    "--includes": ("include flags", lambda: f"-I{get_include()}"),
    "--cflags": ("compiler flags for C++", lambda: f"-std=c++17 -I{get_include()}"),
    "--libs": (
        "linker flags",
        lambda: f"-L{get_library_dir()} -Wl,-rpath,{get_library_dir()} -laclrt",
    ),
    "--fake-libdir": ("directory of the fake's libascendcl.so", get_fake_library_dir),
    "--fake-includes": ("include flags for AscendCL programs", lambda: f"-I{get_fake_include()}"),
    "--version": ("version of the library", _version),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Prints what the flags ask for, one line each, in the order given."""
    parser = argparse.ArgumentParser(
        prog="aclrt-config", description="Flags for building C and C++ programs with aclrt."
    )
    for flag, (text, _) in FLAGS.items():
        parser.add_argument(flag, action="append_const", dest="flags", const=flag, help=text)
    flags = parser.parse_args(argv).flags
    if not flags:
        parser.error("at least one flag is needed")
    try:
        for flag in flags:
            print(FLAGS[flag][1]())
    except FileNotFoundError as error:
        print(f"aclrt-config: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
