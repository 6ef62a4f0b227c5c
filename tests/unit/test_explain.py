# SPDX-License-Identifier: Apache-2.0
"""What codes mean: found by number, hex, name and inside text; complete; in every exception."""

from __future__ import annotations

import io
import json
import pickle

import pytest

import aclrt
from aclrt import cli, explain

NAMED = (107002, 100002, 145000, 507011, 507018, 507033, 507899, 500002)


def test_every_code_says_everything():
    """Name, layer, meaning, causes and what to try; only success needs no cause."""
    codes = explain.codes()
    assert 254 == len(codes)
    assert {explain.Explanation} == set(map(type, codes))
    for code in codes:
        assert code.name.startswith("ACL_")
        assert code.meaning
        filled = [code.layer, code.category, code.causes, code.hint, code.exception]
        assert [bool(code.code)] * 5 == [bool(field) for field in filled], code.name
        assert all(cause.strip() == cause != "" for cause in code.causes)
        assert len(set(code.causes)) == len(code.causes)


@pytest.mark.parametrize("code", NAMED)
def test_a_code_is_found_in_every_spelling(code):
    """Number, digits, hex, name, its lower case, and the name without its prefix."""
    (found,) = explain.lookup(code).codes
    assert code == found.code
    short = found.name.removeprefix("ACL_ERROR_")
    for spelling in (
        str(code),
        f"0x{code:x}",
        f"0x{code:X}",
        found.name,
        found.name.lower(),
        short,
    ):
        assert (found,) == explain.lookup(spelling).codes
    if code != 100002:
        assert len(found.causes) > 1


def test_layers_and_classes():
    """The thousands say who speaks, the kind what Python raises."""
    of = {code: explain.lookup(code).codes[0] for code in (100000, 145002, 107002, 207001, 507010)}
    assert "ACL" == of[100000].layer
    assert "graph engine" == of[145002].layer
    assert ("runtime", "the caller's mistake") == (of[107002].layer, of[107002].category)
    assert "DeviceOutOfMemoryError" == of[207001].exception
    assert "DeviceLostError" == of[507010].exception


def test_text_gives_its_codes_in_order_and_once():
    """A log has times, process ids and addresses, which are no codes."""
    log = """
    [ERROR] RUNTIME(123456,python):2026-01-31-12:00:00.123.456 retCode=0x7bc8a, addr 0x0
    aclmdlExecute failed, ret=507011; errorCode is 507018. size 999999, 1507018, 507018.25
    ACL_ERROR_RT_CONTEXT_NULL, ACL_MEM_MALLOC_HUGE_FIRST
    """
    found = explain.lookup(log)
    assert [507018, 507011, 107002] == [code.code for code in found.codes]
    assert () == found.unknown


def test_an_unknown_code_of_a_known_family_says_whose_it_is():
    """And which names are written alike."""
    found = explain.lookup("ret = 507099 after ACL_ERROR_RT_CONTXT_NULL")
    assert () == found.codes
    number, name = found.unknown
    assert isinstance(found, explain.Findings)
    assert isinstance(name, explain.UnknownCode)
    assert ("507099", "runtime") == (number.text, number.layer)
    assert number.category
    assert "ACL_ERROR_RT_CONTEXT_NULL" == name.near[0]
    assert ["schema", "codes", "messages", "checks", "unknown"] == list(
        json.loads(json.dumps(found.to_dict()))
    )


def test_text_without_a_code_is_refused_with_near_names():
    """A misspelt name is recognised; other text is told what is expected."""
    with pytest.raises(aclrt.InputError) as caught:
        explain.lookup("contxt_null")
    assert "ACL_ERROR_RT_CONTEXT_NULL" in caught.value.hint
    with pytest.raises(aclrt.InputError, match="no AscendCL code") as caught:
        explain.lookup("it does not work")
    assert "507018" in caught.value.hint


def test_ids_of_messages_and_checks():
    """CANN's ids and the fake's, alone and inside a text; of unknown ids the part is told."""
    (message,) = explain.lookup("ee1001").messages
    assert isinstance(message, explain.MessageExplanation)
    assert ("EE1001", "runtime") == (message.id, message.part)
    assert message.causes
    text = "E13025: input 0; EZ1234 EZ1234 ACLFAKE-STR-01: used; ACLFAKE-STR-99, XE10001, E1000100"
    found = explain.lookup(text)
    assert found.is_known
    assert ["E13025", "EZ1234"] == [message.id for message in found.messages]
    assert ("operators", "", ()) == (
        found.messages[1].part,
        found.messages[1].meaning,
        found.messages[1].causes,
    )
    (check,) = found.checks
    assert isinstance(check, explain.CheckExplanation)
    assert ("ACLFAKE-STR-01", "error", "107017") == (check.id, check.kind, check.codes)
    (unknown,) = found.unknown
    assert "ACLFAKE-STR-99" == unknown.text
    assert all(near.startswith("ACLFAKE-STR-") for near in unknown.near)
    with pytest.raises(aclrt.InputError, match="no AscendCL code"):
        explain.lookup("EQ1234")


def test_every_check_of_the_fake_is_explained():
    """The table of the library that runs, id by id."""
    for row in aclrt.fake.check_table():
        (check,) = explain.lookup(row["id"]).checks
        assert (check.kind, check.meaning) == (row["severity"], row["title"])
        assert check.hint


def test_an_exception_explains_itself_and_its_detail():
    """The code, and the ids in AscendCL's own message; nothing where there is nothing."""
    error = aclrt.AclError("m", code=107017, detail="EE1001: ACLFAKE-STR-01: the stream 0x1 ...")
    found = error.explain()
    assert [107017] == [code.code for code in found.codes]
    assert ["EE1001"] == [message.id for message in found.messages]
    assert ["ACLFAKE-STR-01"] == [check.id for check in found.checks]
    assert not aclrt.InputError("expected 3, given 4").explain().is_known


def test_exceptions_know_the_same():
    """Layer, meaning and causes, also after pickling; none without a code."""
    (found,) = explain.lookup(507018).codes
    error = pickle.loads(pickle.dumps(aclrt.AclError("m", code=507018)))
    assert found.layer == error.layer
    assert found.meaning == error.meaning
    assert found.causes == error.causes
    assert f"usual causes: {'; '.join(found.causes)}" in str(error)
    for plain in (aclrt.AclError("m"), aclrt.AclError("m", code=5)):
        assert ("", "", ()) == (plain.layer, plain.meaning, plain.causes)
        assert "causes" not in str(plain)


def test_the_command(capsys, monkeypatch):
    """Text for people, JSON for programs, stdin, a list; exit codes."""
    assert 0 == cli.main(["explain", "ret", "=", "507033"])
    printed = capsys.readouterr().out
    assert printed.startswith("507033 (0x7bc99) ACL_ERROR_RT_DEV_SETUP_ERROR\n")
    assert "    1. " in printed
    assert "  what to try: " in printed
    monkeypatch.setattr("sys.stdin", io.StringIO("failed with 107002\n"))
    assert 0 == cli.main(["explain", "-", "--json"])
    (code,) = json.loads(capsys.readouterr().out)["codes"]
    assert (107002, "AclError") == (code["code"], code["exception"])
    assert 0 == cli.main(["explain", "--all"])
    assert 255 == len(capsys.readouterr().out.splitlines())
    assert 1 == cli.main(["explain", "507099"])
    assert "not a code that this version knows" in capsys.readouterr().out
    assert 0 == cli.main(["explain", "E13031", "ACLFAKE-MEM-10"])
    printed = capsys.readouterr().out
    assert "E13031: a message of CANN's graph engine" in printed
    assert "ACLFAKE-MEM-10: a check of the fake device (error; the call gives 107000)" in printed
    assert 1 == cli.main(["explain", "nothing"])
    assert 2 == cli.main(["explain"])
    assert 2 == cli.main(["explain", "--all", "507033"])
