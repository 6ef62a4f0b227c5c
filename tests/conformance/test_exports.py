# SPDX-License-Identifier: Apache-2.0
"""The surface: every declared name is exported; what is not played says so; docs/fake.md agrees."""

from __future__ import annotations

import ctypes
import re

import pytest

from conformance import acl

fake_only = pytest.mark.fake_only

FUNCTIONS = (acl.ROOT / "csrc/acl/functions.def").read_text("utf-8")
KINDS = dict(re.findall(r"^ACL_FUNCTION\([^,]+, (acl\w+), \(.*\), .*, (\w+)\)$", FUNCTIONS, re.M))
UNDOCUMENTED = re.findall(r"^ACL_UNDOCUMENTED\((acl\w+),", FUNCTIONS, re.M)
UNSUPPORTED = {
    name: (kind, reason)
    for name, kind, reason in re.findall(
        r'^ACL_UNSUPPORTED\((\w+), (\w+), "(.*)"\)$',
        (acl.ROOT / "csrc/fake/unsupported.def").read_text("utf-8"),
        re.M,
    )
}


def documented() -> dict[str, str]:
    """The table of docs/fake.md: name to reason."""
    text = (acl.ROOT / "docs/fake.md").read_text("utf-8")
    table = text.split("<!-- unsupported: begin -->")[1].split("<!-- unsupported: end -->")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.M))


@fake_only
@pytest.mark.parametrize("name", [*KINDS, *UNDOCUMENTED])
def test_is_exported(raw: acl.Library, name: str) -> None:
    """BASE-EXP-01 (architecture): each name of functions.def resolves."""
    assert getattr(raw, name)


@fake_only
def test_unsupported_kinds_agree() -> None:
    """BASE-EXP-02 (architecture): unsupported.def names declared functions, with their kinds."""
    assert {name: kind for name, (kind, _) in UNSUPPORTED.items()} == {
        name: KINDS[name] for name in UNSUPPORTED
    }


@fake_only
@pytest.mark.parametrize("name", [*UNSUPPORTED, *UNDOCUMENTED])
def test_unsupported_says_so(raw: acl.Library, name: str) -> None:
    """BASE-EXP-03 (architecture): 200006, NULL or 0, with a message that names the function."""
    kind = KINDS.get(name, "status")
    function = getattr(raw, name)
    parameters = acl.prototypes().get(name, (None, []))[1] or []
    arguments = [0.0 if kind_ is ctypes.c_float else 0 for kind_ in parameters]
    result = function(*arguments)
    assert result == {"status": 200006, "none": None, "handle": None, "value": 0}[kind]
    assert f"{name} is not supported" in raw.message()
    assert raw.ledger()["calls"] == {name: 1, "aclGetRecentErrMsg": 1}


@fake_only
def test_documentation_agrees() -> None:
    """BASE-EXP-04 (architecture): docs/fake.md lists what unsupported.def lists, with reasons."""
    assert documented() == {name: reason for name, (_, reason) in UNSUPPORTED.items()}
