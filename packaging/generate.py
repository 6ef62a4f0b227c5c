#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes aclrt/_generated from the tables of the C++ sources, which declare each fact once.

`python packaging/generate.py` after a change of csrc/acl/codes.def, csrc/fake/checks.def or the
kinds in aclrt.h. A test compares (tests/layout/test_generated.py). The Python copies answer
where the compiled part cannot be loaded.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "aclrt/_generated"

_STRING = r'"(?:[^"\\]|\\.)*"'
_CODE = re.compile(
    rf"^ACL_CODE\((\w+), (\d+), (\w+), ({_STRING}), ({_STRING}), ({_STRING})\)$", re.M
)
_CHECK = re.compile(
    rf"^CHECK\((\w+), (\w+), k(\w+), ({_STRING}), ({_STRING}), ({_STRING})\)$", re.M
)
_HEAD = '''# SPDX-License-Identifier: Apache-2.0
"""{title}

Made by packaging/generate.py from {source}: change that file, not this one.
"""

from __future__ import annotations

from typing import Final

{name}: Final[tuple[{row}, ...]] = (
'''


def _text(literal: str) -> str:
    value = ast.literal_eval(literal)
    assert isinstance(value, str)
    return value


def codes() -> str:
    """The text of codes.py: value, kind (aclrt_error_kind_t), name, meaning, causes, hint."""
    header = (ROOT / "csrc/include/aclrt/aclrt.h").read_text("utf-8")
    kinds = dict(re.findall(r"\bACLRT_ERROR_(\w+) = (\d+)", header))
    source = (ROOT / "csrc/acl/codes.def").read_text("utf-8")
    rows = [
        (int(value), int(kinds[kind]), name, _text(meaning), _text(causes), _text(hint))
        for name, value, kind, meaning, causes, hint in _CODE.findall(source)
    ]
    assert len(rows) == len(re.findall(r"^ACL_CODE\(", source, re.M))
    head = _HEAD.format(
        title="AscendCL's status codes: value, kind, name, meaning, causes (lines), hint.",
        source="csrc/acl/codes.def",
        name="CODES",
        row="tuple[int, int, str, str, str, str]",
    )
    return head + "".join(f"    {row!r},\n" for row in rows) + ")\n"


def checks() -> str:
    """The text of checks.py: id, kind, the codes that the call gives, title, remedy."""
    source = (ROOT / "csrc/fake/checks.def").read_text("utf-8")
    rows = [
        (f"ACLFAKE-{area}-{number}", kind.lower(), _text(code), _text(title), _text(remedy))
        for area, number, kind, code, title, remedy in _CHECK.findall(source)
    ]
    assert len(rows) == len(re.findall(r"^CHECK\(", source, re.M))
    head = _HEAD.format(
        title="The fake device's misuse checks: id, kind, the call's codes, title, remedy.",
        source="csrc/fake/checks.def",
        name="CHECKS",
        row="tuple[str, str, str, str, str]",
    )
    return head + "".join(f"    {row!r},\n" for row in rows) + ")\n"


FILES = {"codes.py": codes, "checks.py": checks}


def main() -> None:
    """Writes every file."""
    for name, text in FILES.items():
        (TARGET / name).write_text(text(), "utf-8")


if __name__ == "__main__":
    main()
