# SPDX-License-Identifier: Apache-2.0
"""`aclrt inspect`: what is in a file, for people and as JSON."""

from __future__ import annotations

import json

import aclrt
from aclrt.cli import main


def test_it_shows_inputs_and_outputs(om_factory, tmp_path, capsys):
    """One line for each tensor: name, dtype, shape, bytes."""
    path = tmp_path / "m.om"
    path.write_bytes(om_factory.two_in_two_out())
    assert 0 == main(["inspect", str(path)])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("kind") and "simulated" in line for line in lines)
    rows = [line.split() for line in lines if line.startswith(("input", "output"))]
    assert [row[:3] for row in rows] == [
        ["input", "image", "float32"],
        ["input", "mask", "bool"],
        ["output", "probs", "float32"],
        ["output", "flags", "bool"],
    ]
    assert ["32", "2", "32", "2"] == [row[-1] for row in rows]


def test_json_is_the_python_twin(om_factory, tmp_path, capsys):
    """--json prints ModelInfo.to_dict()."""
    path = tmp_path / "m.om"
    path.write_bytes(om_factory.two_in_two_out())
    assert 0 == main(["inspect", str(path), "--json"])
    expected = json.loads(json.dumps(aclrt.inspect(path).to_dict()))
    assert expected == json.loads(capsys.readouterr().out)
