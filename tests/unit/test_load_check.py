# SPDX-License-Identifier: Apache-2.0
"""`aclrt inspect --check` and aclrt.om.check_load: will it load here, without opening a device."""

from __future__ import annotations

import json

import pytest

import aclrt
from aclrt.cli import main


@pytest.fixture
def path(om_factory, tmp_path):
    """A simulated model."""
    path = tmp_path / "m.om"
    path.write_bytes(om_factory.identity())
    return path


@pytest.fixture
def compiled(om_factory, tmp_path):
    """The same without the marker: a file that the real compiler could have made."""
    path = tmp_path / "real.om"
    path.write_bytes(om_factory.identity().replace(b"aclrt-sim/1", bytes(11), 1))
    return path


def finding(check: aclrt.om.LoadCheck, topic: str) -> aclrt.om.LoadFinding:
    (found,) = [item for item in check.findings if item.topic == topic]
    return found


def test_a_simulated_model_loads_on_the_fake(path):
    """Backend, chip, memory and versions are told; no device is opened for it."""
    before = aclrt.fake.ledger()["objects"]
    for source in (path, path.read_bytes()):
        check = aclrt.om.check_load(source)
        assert check.loads
        assert ["backend", "chip", "memory", "versions"] == [f.topic for f in check.findings]
        assert all(item.ok and item.text and not item.hint for item in check.findings)
        assert "aclrt" in finding(check, "versions").text
    assert before == aclrt.fake.ledger()["objects"]


def test_a_compiled_model_does_not(compiled, monkeypatch):
    """The finding is what OfflineModel refuses by; a stand-in changes both."""
    check = aclrt.om.check_load(compiled)
    assert not check.loads
    refusal = finding(check, "backend")
    assert not refusal.ok
    with pytest.raises(aclrt.NeedsNpuError) as caught:
        aclrt.OfflineModel(compiled)
    assert refusal.hint == caught.value.hint
    assert aclrt.om.check_load(compiled, onnx="m.onnx").loads
    monkeypatch.setenv("ACLRT_FAKE_ENGINE", "synthetic")
    assert aclrt.om.check_load(compiled).loads


def test_what_is_no_model_is_an_error(tmp_path):
    """As in inspect."""
    with pytest.raises(aclrt.ModelFormatError):
        aclrt.om.check_load(b"IMOD" + bytes(300))
    with pytest.raises(aclrt.InputError):
        aclrt.om.check_load(3)
    with pytest.raises(FileNotFoundError):
        aclrt.om.check_load(tmp_path / "none.om")


def test_the_command(path, compiled, capsys):
    """Exit code 0 where the model loads, 1 where it does not, with the reason."""
    assert 0 == main(["inspect", "--check", str(path)])
    assert "loads here  yes" in capsys.readouterr().out
    assert 1 == main(["inspect", "--check", str(compiled)])
    output = capsys.readouterr().out
    assert "loads here  no" in output
    assert "ACLRT_FAKE_ENGINE=synthetic" in output


def test_the_command_s_json(compiled, capsys):
    """One object, one finding each."""
    assert 1 == main(["inspect", "--check", "--json", str(compiled)])
    fields = json.loads(capsys.readouterr().out)
    assert [str(compiled), False] == [fields["file"], fields["loads"]]
    assert {"topic", "ok", "text", "hint"} == set(fields["findings"][0])


def test_check_and_diff_exclude_each_other(path, capsys):
    """One question at a time."""
    assert 2 == main(["inspect", "--check", "--diff", str(path), str(path)])
    assert "exclude each other" in capsys.readouterr().err
