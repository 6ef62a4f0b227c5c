# SPDX-License-Identifier: Apache-2.0
"""Whether a file is a library that this machine can load, told without loading it.

The loader maps what a file's tables promise: of one that is cut short it dies with a bus error,
which nothing can catch.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

__all__ = ["problem"]

_MACHINES = {62: "x86_64", 183: "aarch64", 40: "arm", 3: "i686", 243: "riscv64"}


def problem(path: str | os.PathLike[str]) -> str:
    """Why it is none; ``""`` if it looks like one."""
    try:
        with Path(path).open("rb", buffering=0) as file:
            head = file.read(64)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not head:
        return "is empty"
    if len(head) < 64 or head[:4] != b"\x7fELF":
        return "is no ELF library"
    machine = _MACHINES.get(struct.unpack_from("<H", head, 18)[0], "another CPU")
    if machine != os.uname().machine:
        return f"is for {machine}, and this machine is {os.uname().machine}"
    if head[4] == 2:  # 64 bit: the section table is the last thing in the file
        (table,) = struct.unpack_from("<Q", head, 40)
        entry, count = struct.unpack_from("<HH", head, 58)
        if table + entry * count > size:
            return f"is cut short: {size} of at least {table + entry * count} bytes"
    return ""
