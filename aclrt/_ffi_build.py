# SPDX-License-Identifier: Apache-2.0
"""Declares the extension aclrt._native (cffi, API mode) from csrc/include/aclrt/aclrt.h.

setup.py runs this at build time, after CMake; nothing imports it at run time. What stands between
the header's two cffi marks is the whole binding, so there is no second declaration to go stale.
"""

from __future__ import annotations

from pathlib import Path

from cffi import FFI

HEADER = Path(__file__).resolve().parent.parent / "csrc" / "include" / "aclrt" / "aclrt.h"


def declarations(header: str) -> str:
    """The part of aclrt.h that cffi parses."""
    inside = header.split("// cffi: begin\n")[1].split("// cffi: end\n")[0]
    return inside.replace("ACLRT_API ", "")


ffibuilder = FFI()
ffibuilder.cdef(declarations(HEADER.read_text(encoding="utf-8")))
ffibuilder.set_source(
    "aclrt._native",
    "#include <aclrt/aclrt.h>\n",
    libraries=["aclrt"],
    extra_compile_args=["-g0"],
    extra_link_args=["-Wl,--enable-new-dtags", "-Wl,-rpath,$ORIGIN/_lib"],
)
