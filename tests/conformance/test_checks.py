# SPDX-License-Identifier: Apache-2.0
"""The misuse checks: each ID has a misuse that sets off it alone, and a right twin."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain

import pytest

# Importing the scenes declares them.
from conformance import (  # noqa: F401
    acl,
    misuse,
    scenes_device,
    scenes_dynamic,
    scenes_handles,
    scenes_memory,
    scenes_model,
)

ROW = re.compile(r'^CHECK\((\w+), (\d\d), k(\w+), "(.*?)", "(.*?)", "(.*)"\)$', re.M)
ROWS = [
    (f"ACLFAKE-{area}-{number}", severity.lower(), code, title, remedy.replace('\\"', '"'))
    for area, number, severity, code, title, remedy in ROW.findall(
        (acl.ROOT / "csrc/fake/checks.def").read_text("utf-8")
    )
]
# Its scenes are processes of their own (test_checks_process.py).
ELSEWHERE = {"PRC-01"}


@pytest.fixture
def fresh(raw: acl.Library, monkeypatch: pytest.MonkeyPatch) -> Iterator[acl.Library]:
    """The library as after loading, with two devices; cleared of all afterwards."""
    monkeypatch.setenv("ACLRT_FAKE_DEVICES", "2")
    monkeypatch.delenv("ACLRT_FAKE_CHECKS", raising=False)
    raw.aclfake_reset()
    yield raw
    raw.aclfake_reset()


def start(lib: acl.Library) -> None:
    """What most scenes begin with."""
    assert lib.aclInit(None) == 0
    assert lib.aclrtSetDevice(0) == 0


@pytest.mark.fake_only
@pytest.mark.parametrize("check", sorted(misuse.WRONG))
def test_misuse(fresh: acl.Library, check: str) -> None:
    """FAKE-CHK-01 (fake): a misuse sets off its check, and no other."""
    play = misuse.WRONG[check]
    if play.start:
        start(fresh)
    stage = misuse.Stage(fresh)
    play.scene(stage)
    assert misuse.counts(fresh) == {play.check: play.times}
    last = fresh.ledger()["checks"][play.check]["last"]
    assert f"{play.check}: " in last
    assert last.endswith(next(row[4] for row in ROWS if row[0] == play.check))
    assert play.check in stage.heard + fresh.message()


@pytest.mark.fake_only
@pytest.mark.parametrize("check", sorted(misuse.RIGHT))
def test_right_use(fresh: acl.Library, check: str) -> None:
    """FAKE-CHK-02 (fake): the right use sets off nothing, nor does its clean end."""
    play = misuse.RIGHT[check]
    if play.start:
        start(fresh)
    play.scene(misuse.Stage(fresh))
    if play.start:
        assert fresh.aclrtResetDevice(0) == 0
        assert fresh.aclFinalize() == 0
    assert misuse.counts(fresh) == {}
    assert fresh.live() == {}


@pytest.mark.fake_only
def test_every_check_has_scenes() -> None:
    """FAKE-CHK-03 (fake): IDs are unique, at least 60, each with both scenes."""
    ids = [row[0] for row in ROWS]
    text = (acl.ROOT / "csrc/fake/checks.def").read_text("utf-8")
    assert len(ids) == len(re.findall(r"^CHECK\(", text, re.M)) >= 60
    assert [check for check, count in Counter(ids).items() if count > 1] == []
    wanted = {check.removeprefix("ACLFAKE-") for check in ids} - ELSEWHERE
    assert wanted == set(misuse.WRONG)
    assert wanted == set(misuse.RIGHT)


@pytest.mark.fake_only
def test_table_is_documented(fresh: acl.Library) -> None:
    """FAKE-CHK-04 (fake): the page and aclfake_check_table_json are checks.def."""
    page = (acl.ROOT / "docs/checks.md").read_text("utf-8")
    table = re.findall(r"^\| `(ACLFAKE-[\w-]+)` \| (.*?) \| (.*?) \| (.*?) \| (.*) \|$", page, re.M)
    told = [(check, kind, code, title, what) for check, title, kind, code, what in table]
    assert told == [(*row[:2], row[2] or "-", *row[3:]) for row in ROWS]
    assert [tuple(row.values()) for row in fresh.check_table()] == ROWS


@pytest.mark.fake_only
def test_count_and_reset(fresh: acl.Library) -> None:
    """FAKE-CHK-05 (fake): counted by ID and in all; a reset begins anew."""
    start(fresh)
    for _ in range(3):
        assert fresh.aclrtFree(misuse.NOWHERE) == 107000
    assert fresh.aclrtSynchronizeStream(misuse.NOWHERE) == 107017
    count = [
        fresh.aclfake_check_count(name) for name in (b"ACLFAKE-MEM-10", b"ACLFAKE-NO-01", None)
    ]
    assert count == [3, 0, 4]
    fresh.aclfake_reset()
    assert fresh.aclfake_check_count(None) == 0


@pytest.mark.fake_only
def test_report_says_where_it_was_made(fresh: acl.Library) -> None:
    """FAKE-CHK-06 (fake): ID, function, argument, both origins, and what to do."""
    start(fresh)
    stage = misuse.Stage(fresh)
    stage.stream()
    stream = stage.stream()
    stage.ok("aclrtDestroyStream", stream)
    stage.gives(107017, "aclrtSynchronizeStream", stream)
    message = fresh.message()
    parts = (
        f"ACLFAKE-STR-01: the stream {stream:#x} was destroyed already; "
        r"it was made by aclrtCreateStream \(call 2 of it, thread \d+\) "
        r"and ended by aclrtDestroyStream \(call 1 of it, thread \d+\). Destroy a stream after",
        "aclrtSynchronizeStream returned 107017",
    )
    assert all(re.search(part, message) for part in parts), message


@pytest.mark.fake_only
def test_scenes_are_their_own(raw: acl.Library) -> None:
    """FAKE-CHK-07 (fake): scenes fire under the ID that they are declared for."""
    plays = chain(misuse.WRONG.items(), misuse.RIGHT.items())
    assert [check for check, play in plays if play.check != f"ACLFAKE-{check}"] == []
