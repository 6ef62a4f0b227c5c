# SPDX-License-Identifier: Apache-2.0
"""The list of conformance cases, read from their docstrings: "ID (contract section): sentence".

``python tests/conformance/cases.py`` writes docs/conformance.md.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs" / "conformance.md"
_ID = r"(?P<id>[A-Z]+-[A-Z0-9]+-\d\d)"
_DOC = re.compile(_ID + r" \((?P<section>[^)]+)\): (?P<sentence>.+)", re.S)

_HEAD = """# Conformance cases

Generated from the docstrings in `tests/conformance` by `python tests/conformance/cases.py`; a test
compares. The cases use AscendCL's C ABI alone. They run on the fake device, and on a card with
`ACLRT_BACKEND=npu python -m pytest tests/conformance` (CANN's `atc` on `PATH`; a process per case).
"fake" in the last column: about the fake itself, or looking into it; skipped on a card.

Sections are those of the AscendCL contract reference, "om" numbers those of the `.om` format.

| case | section | what is proven | only on |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Case:
    """One test function."""

    place: str
    identity: str
    section: str
    sentence: str
    fake_only: bool


def cases() -> list[Case]:
    """All of them, in the order of their ids; an id is "" where the docstring has none."""
    found = []
    for path in sorted(HERE.glob("test_*.py")):
        if path.name == "test_cases.py":
            continue
        text = path.read_text("utf-8")
        whole = "\npytestmark = pytest.mark.fake_only\n" in text
        for node in ast.parse(text).body:
            if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
                continue
            text = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
            match = _DOC.fullmatch(text)
            marks = {ast.unparse(decorator) for decorator in node.decorator_list}
            found.append(
                Case(
                    f"{path.name}:{node.name}",
                    match["id"] if match else "",
                    match["section"] if match else "",
                    match["sentence"] if match else text,
                    whole or bool(marks & {"fake_only", "pytest.mark.fake_only"}),
                )
            )
    return sorted(found, key=lambda case: case.identity)


def document() -> str:
    """The text of docs/conformance.md."""
    rows = []
    for case in cases():
        sentence = case.sentence.replace("|", "\\|").replace("<", "&lt;")
        sentence = sentence[:1].upper() + sentence[1:]
        only = "fake" if case.fake_only else ""
        rows.append(f"| {case.identity} | {case.section} | {sentence} | {only} |\n")
    on_cards = sum(not case.fake_only for case in cases())
    return _HEAD + "".join(rows) + f"\n{len(rows)} cases, {on_cards} of them for cards too.\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8")
