# SPDX-License-Identifier: Apache-2.0
"""`aclrt inspect`: what is in a file, for people and as JSON, and two files compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import om_graphs
import pytest

import aclrt
from aclrt.cli import main

Show = Callable[..., str]


@pytest.fixture
def show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Show:
    """Runs the command on a file of these bytes; the exit code is checked."""

    def run(om: bytes, *options: str) -> str:
        path = tmp_path / "m.om"
        path.write_bytes(om)
        assert 0 == main(["inspect", str(path), *options])
        return capsys.readouterr().out

    return run


def test_it_shows_inputs_and_outputs(om_factory, show):
    """One line for each tensor: name, dtype, shape, bytes."""
    lines = show(om_factory.two_in_two_out()).splitlines()
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
    """--json prints ModelInfo.to_dict(), but for the private command line."""
    path = tmp_path / "m.om"
    path.write_bytes(om_factory.two_in_two_out())
    expected = aclrt.inspect(path).to_dict()
    assert 0 == main(["inspect", str(path), "--json", "--command-line"])
    assert expected == json.loads(capsys.readouterr().out)
    assert 0 == main(["inspect", str(path), "--json"])
    assert expected | {"command_line": None} == json.loads(capsys.readouterr().out)


def test_gears(show):
    """The kind, and a row for each gear with the shapes under it."""
    text = show(om_graphs.dims_gears())
    assert "dims, 2 gears" in text
    assert "told by" in text
    rows = [line.split("  ") for line in text.splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert ["gear", "values", "a", "b", "y", "z"] in cells
    assert ["0", "4,8,5", "[5, 2]", "[4, 8]", "[4, 8]", "[1]"] in cells
    assert ["1", "6,9,7", "[7, 2]", "[6, 9]", "[6, 9]", "[1]"] in cells


def test_gears_that_do_not_fit(show):
    """The gears are listed without shapes, the reason below."""
    text = show(om_graphs.dims_gears([(1, 2)], ()))
    assert "0  1,2" in text
    assert "disagreement  gear 0 is [1,2], but the inputs need 3 values" in text


def test_ranges(show):
    """The limits of each dim."""
    text = show(om_graphs.ranged())
    assert "range  x: 1 to 8 x 3 x 2 or more" in text
    assert "varies" in text


def test_aipp(show):
    """In words."""
    text = show(om_graphs.static_aipp(mean_chn_0=104))
    assert "aipp  image: static AIPP: takes RGB888_U8 images of 8x4; normalises: " in text
    assert "would do it twice" in text


def test_a_fixed_model_has_none_of_that(om_factory, show):
    """No empty headings."""
    text = show(om_factory.two_in_two_out())
    for word in ("gear", "range", "aipp", "disagreement", "operator", "partition", "command"):
        assert word not in text


def test_inputs_that_cannot_be_told(show):
    """Words instead of an empty table."""
    text = show(om_graphs.om_file(om_graphs.model_def(b"")))
    assert "inputs and outputs are unknown: the graph in MODEL_DEF has no Data" in text
    assert "dtype" not in text
    definition = om_graphs.model_def(om_graphs.node("x", "Data", {}, om_graphs.descriptor([2, 3])))
    assert "some inputs or outputs are unknown" in show(om_graphs.om_file(definition))


def test_no_inputs_and_outputs_at_all(show):
    """A NetOutput without inputs: known to be nothing."""
    definition = om_graphs.model_def(om_graphs.outputs([], []))
    assert "unknown" in show(om_graphs.om_file(definition))


def test_operators(show):
    """--ops counts them, the most frequent first."""
    lines = show(om_graphs.dims_gears(), "--ops").splitlines()
    assert lines[-3:] == ["Data           3", "Case           1", "NetOutput      1"]


def test_partitions(om_factory, show):
    """--partitions lists the parts with offset and size."""
    rows = [line.split() for line in show(om_factory.two_in_two_out(), "--partitions").splitlines()]
    assert ["8", "MODEL_INOUT_INFO", "384"] in [row[1:4] for row in rows]
    raw = om_graphs.om_file(om_graphs.model_def(b""), type_77=b"x")
    assert "unknown" in show(raw, "--partitions").splitlines()[-1]


def test_the_command_line_is_private(show):
    """It has paths of whoever compiled the model, and comes only on request."""
    om = om_graphs.ranged()
    assert "private.onnx" not in show(om)
    assert "private.onnx" not in show(om, "--json")
    assert "command    atc --model=/somebody/private.onnx" in show(om, "--command-line").replace(
        "command      ", "command    "
    )
    assert "private.onnx" in show(om, "--json", "--command-line")
    plain = om_graphs.om_file(om_graphs.model_def(b""))
    assert any(
        line.split() == ["command", "unknown"]
        for line in show(plain, "--command-line").splitlines()
    )


# ---- --diff --------------------------------------------------------------------------------------


@pytest.fixture
def pair(tmp_path: Path) -> Callable[[bytes, bytes], list[str]]:
    """Writes two files; their paths."""

    def write(first: bytes, second: bytes) -> list[str]:
        paths = [tmp_path / "a.om", tmp_path / "b.om"]
        for path, om in zip(paths, (first, second), strict=True):
            path.write_bytes(om)
        return [str(path) for path in paths]

    return write


def test_diff_of_the_same(pair, capsys):
    """Exit code 0."""
    om = om_graphs.ranged()
    assert 0 == main(["inspect", "--diff", *pair(om, om)])
    assert "the models are the same\n" == capsys.readouterr().out
    assert 0 == main(["inspect", "--json", "--diff", *pair(om, om)])
    assert [] == json.loads(capsys.readouterr().out)["differences"]


def test_diff_of_others(pair, capsys):
    """Exit code 1 and a row for each field; the command's text is hidden."""
    paths = pair(om_graphs.ranged(), om_graphs.dims_gears())
    assert 1 == main(["inspect", "--diff", *paths])
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert rows["field"].split() == ["field", *paths]
    assert rows["dynamic"].split() == ["dynamic", "range", "dims"]
    assert rows["command_line"].split() == ["command_line", "(hidden)", "(hidden)"]
    assert "-" in rows["inputs[x]"].split()
    assert "..." in rows["inputs[x]"]
    assert 1 == main(["inspect", "--diff", "--command-line", *paths])
    assert "private.onnx" in capsys.readouterr().out


def test_diff_as_json(pair, capsys):
    """Fields with both values."""
    paths = pair(om_graphs.static_aipp(), om_graphs.static_aipp(mean_chn_1=7))
    assert 1 == main(["inspect", "--diff", "--json", *paths])
    answer = json.loads(capsys.readouterr().out)
    assert paths == answer["files"]
    assert {
        "field": "aipp[image].mean",
        "first": [0, 0, 0, 0],
        "second": [0, 7, 0, 0],
    } in answer["differences"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["a.om", "b.om"], "one file at a time, given 2"),
        (["--diff", "a.om"], "--diff compares two files, given 1"),
        (["--diff", "a.om", "b.om", "c.om"], "given 3"),
    ],
)
def test_number_of_files(arguments, text, capsys):
    """A usage error, before anything is read."""
    assert 2 == main(["inspect", *arguments])
    assert text in capsys.readouterr().err
