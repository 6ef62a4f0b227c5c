# SPDX-License-Identifier: Apache-2.0
"""The cases themselves: each has an id and a section; the list in docs/ is current."""

from __future__ import annotations

import re

from conformance import acl, cases


def test_every_case_has_its_own_id() -> None:
    """Ids are unique and cite a section of the contract, or say that they are the fake's own."""
    found = cases.cases()
    assert [case.place for case in found if not case.identity] == []
    ids = [case.identity for case in found]
    assert sorted(set(ids)) == ids
    own = [case.identity for case in found if not re.search(r"\d", case.section)]
    assert own == [i for i in own if next(c for c in found if c.identity == i).fake_only]


def test_there_are_enough_cases_for_a_card() -> None:
    """At least 120 that need nothing of the fake."""
    assert sum(not case.fake_only for case in cases.cases()) >= 120


def test_only_marked_cases_look_into_the_fake() -> None:
    """Controls, ledger and environment of the fake are used under the mark alone."""
    names = {case.place: case for case in cases.cases()}
    inside = re.compile(r"\.ledger\(|\.live\(|aclfake_|ACLRT_FAKE_")
    wrong = []
    for path in sorted(cases.HERE.glob("test_*.py")):
        parts = re.split(r"^def (test_\w+)", path.read_text("utf-8"), flags=re.M)
        for name, body in zip(parts[1::2], parts[2::2], strict=True):
            case = names.get(f"{path.name}:{name}")
            if case is not None and not case.fake_only and inside.search(body.split("\n@")[0]):
                wrong.append(case.place)
    assert wrong == []


def test_the_list_is_current() -> None:
    """docs/conformance.md; `python tests/conformance/cases.py` writes it."""
    assert cases.DOCUMENT.read_text("utf-8") == cases.document()


def test_every_documented_function_is_called() -> None:
    """Each function of functions.def of tier 1 and 2 stands in some case, but the unsupported."""
    text = "".join(
        path.read_text("utf-8")
        for path in cases.HERE.glob("*.py")
        if path.name != "test_exports.py"
    )
    tested = set(re.findall(r"\b(acl\w+)\b", text))
    named = set(acl.prototypes())
    unsupported = re.findall(
        r"^ACL_UNSUPPORTED\((\w+),",
        (acl.ROOT / "csrc/fake/unsupported.def").read_text("utf-8"),
        re.M,
    )
    assert named - tested - set(unsupported) == set()
