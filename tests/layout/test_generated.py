# SPDX-License-Identifier: Apache-2.0
"""Generated files are what their generator writes, and what the library itself tells."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from aclrt import _codes
from aclrt._ffi import lib, text

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("generate", ROOT / "packaging/generate.py")
assert SPEC is not None
assert SPEC.loader is not None
generate = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(generate)


@pytest.mark.parametrize("name", sorted(generate.FILES))
def test_generating_again_changes_nothing(name: str) -> None:
    """`python packaging/generate.py` was run after the last change of its sources."""
    assert generate.FILES[name]() == (generate.TARGET / name).read_text("utf-8")


def test_the_codes_are_those_of_the_library() -> None:
    """Row by row, all fields."""
    rows = _codes.table()
    assert lib.aclrt_code_count() == len(rows) > 250
    for index, row in enumerate(rows):
        told = lib.aclrt_code_at(index)
        assert (told.value, told.kind, text(told.name)) == (row.value, row.kind, row.name)
        assert (text(told.meaning), text(told.hint)) == (row.meaning, row.hint)
        assert tuple(text(told.causes).splitlines()) == row.causes
