# SPDX-License-Identifier: Apache-2.0
"""What all commands share: help, usage errors, failures in one line, exit codes, terminals."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import pytest

import aclrt
import aclrt.bench
from aclrt.cli import main


def test_without_arguments_it_prints_help(capsys):
    """`aclrt` alone lists the commands and is content."""
    assert 0 == main([])
    out = capsys.readouterr().out
    for command in ("convert", "inspect", "run", "bench", "doctor", "fake"):
        assert f"\n    {command} " in out


def test_version_is_the_package_s(capsys):
    """`aclrt --version` prints it."""
    assert 0 == main(["--version"])
    assert f"aclrt {aclrt.__version__}\n" == capsys.readouterr().out


@pytest.mark.parametrize("command", ["convert", "inspect", "run", "bench", "doctor", "fake"])
def test_every_command_explains_itself(command, capsys):
    """`aclrt COMMAND --help` starts with its usage."""
    assert 0 == main([command, "--help"])
    assert capsys.readouterr().out.startswith(f"usage: aclrt {command}")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["nonsense"], "nonsense"),
        (["inspect"], "FILE"),
        (["inspect", "--jso", "m.om"], "--jso"),
        (["run", "m.om", "--backend", "gpu"], "gpu"),
        (["run", "m.om", "--device", "-1"], "-1"),
        (["bench", "m.om", "--iterations", "0"], "at least 1"),
        (["bench", "m.om", "--warmup", "many"], "many"),
        (["fake"], "run, replay, show or env"),
        (["fake", "run"], "a program is needed"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(argv, words, capsys):
    """The line says what is wrong, and the next one where to read on."""
    assert 2 == main(argv)
    captured = capsys.readouterr()
    assert "" == captured.out
    line, hint = captured.err.splitlines()
    assert line.startswith("aclrt: error: ")
    assert words in line
    assert hint.startswith("  hint: aclrt")


@pytest.mark.parametrize("command", ["inspect", "run", "bench"])
def test_a_missing_file_is_a_failure(command, tmp_path, capsys):
    """Code 1, and one line with the file and the reason."""
    path = tmp_path / "none.om"
    assert 1 == main([command, str(path)])
    captured = capsys.readouterr()
    assert "" == captured.out
    assert f"aclrt: error: {path}: No such file or directory\n" == captured.err


@pytest.mark.parametrize("command", ["inspect", "run", "bench"])
def test_a_special_file_is_a_failure(command, capsys):
    """A device, a pipe or a socket is no model; "Invalid argument" would not say so."""
    assert 1 == main([command, "/dev/null"])
    assert "aclrt: error: /dev/null: is no regular file\n" == capsys.readouterr().err


@pytest.mark.parametrize("command", ["inspect", "run", "bench"])
def test_a_malformed_file_is_a_failure(command, tmp_path, capsys):
    """Code 1, without a traceback."""
    path = tmp_path / "bad.om"
    path.write_bytes(b"IMOD" + bytes(300))
    assert 1 == main([command, str(path)])
    captured = capsys.readouterr()
    assert "" == captured.out
    assert captured.err.startswith("aclrt: error: ")
    assert "Traceback" not in captured.err


def test_the_traceback_is_shown_on_request(tmp_path, capsys, monkeypatch):
    """ACLRT_TRACEBACK=1 adds it; 0 and nothing do not."""
    for value, shown in (("1", True), ("0", False), ("", False)):
        monkeypatch.setenv("ACLRT_TRACEBACK", value)
        assert 1 == main(["inspect", str(tmp_path / "none.om")])
        assert shown == ("Traceback (most recent call last)" in capsys.readouterr().err)


def test_ctrl_c_is_130(capsys, monkeypatch):
    """An interrupt ends the command with one word."""

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(aclrt.bench, "measure", interrupt)
    assert 130 == main(["bench", "m.om"])
    assert "aclrt: interrupted\n" == capsys.readouterr().err


def test_a_defect_asks_for_a_report(capsys, monkeypatch):
    """An exception that nobody foresaw is still one line, and says how to report it."""

    def fail(path):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(aclrt, "inspect", fail)
    assert 1 == main(["inspect", "m.om"])
    line, hint = capsys.readouterr().err.splitlines()
    assert "aclrt: error: ZeroDivisionError: division by zero" == line
    assert "ACLRT_TRACEBACK=1" in hint


def test_an_error_shows_the_call_the_detail_and_the_hint(capsys, monkeypatch):
    """Everything that the exception knows reaches the user."""

    def fail(path):
        raise aclrt.AclError(
            "no memory on device 0",
            code=207001,
            name="ACL_ERROR_RT_MEMORY_ALLOCATION",
            call="aclrtMalloc",
            detail="EL0004: out of memory\n        TraceBack (most recent call last):",
            hint="close other models",
        )

    monkeypatch.setattr(aclrt, "inspect", fail)
    assert 1 == main(["inspect", "m.om"])
    assert (
        "aclrt: error: no memory on device 0 "
        "(aclrtMalloc returned 207001 ACL_ERROR_RT_MEMORY_ALLOCATION)\n"
        "  detail: EL0004: out of memory\n"
        f"  usual causes: {'; '.join(aclrt.explain.lookup(207001).codes[0].causes)}\n"
        "  hint: close other models\n"
    ) == capsys.readouterr().err


def test_an_npu_that_is_not_there_points_to_doctor(om_factory, tmp_path):
    """The search is long: the error names the command that shows it."""
    path = tmp_path / "m.om"
    path.write_bytes(om_factory.identity())
    done = subprocess.run(
        [sys.executable, "-m", "aclrt", "run", path, "--backend", "npu"],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (1, "") == (done.returncode, done.stdout)
    line, detail, hint = done.stderr.splitlines()
    assert line.startswith("aclrt: error: ")
    assert "aclrt doctor" in detail
    assert hint.startswith("  hint: ")


def test_warnings_are_one_line(capsys, monkeypatch):
    """A warning comes without the source line that raised it, and stdout stays as it was."""

    def warn(path):
        warnings.simplefilter("always")  # pytest's own filter hides this message
        warnings.warn("models run on the fake device", RuntimeWarning, stacklevel=1)
        raise OSError("stop here")

    monkeypatch.setattr(aclrt, "inspect", warn)
    assert 1 == main(["inspect", "m.om"])
    assert (
        "aclrt: warning: models run on the fake device\naclrt: error: stop here\n"
    ) == capsys.readouterr().err


def test_a_reader_that_leaves_is_no_error(om_factory, tmp_path):
    """`aclrt inspect ... | true` prints nothing on stderr."""
    path = tmp_path / "m.om"
    path.write_bytes(om_factory.identity())
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "aclrt", "inspect", path],
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        os.close(write)
    assert (1, "") == (done.returncode, done.stderr)


def _on_a_terminal(*argv, **environment):
    """What a command writes to a terminal of its own."""
    ours, theirs = os.openpty()
    variables = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM", "COLUMNS")}
    done = subprocess.run(
        [sys.executable, "-m", "aclrt", *argv],
        stdout=theirs,
        stdin=theirs,
        env={**variables, "COLUMNS": "120", **environment},
    )
    os.close(theirs)
    chunks = []
    try:
        while chunk := os.read(ours, 65536):
            chunks.append(chunk)
    except OSError:  # how Linux says that a terminal has no writer left
        pass
    os.close(ours)
    assert 0 == done.returncode
    return b"".join(chunks).decode().replace("\r\n", "\n")


def test_tables_are_drawn_on_terminals_alone(om_factory, tmp_path, capsys):
    """A terminal gets lines; everything else, dumb terminals too, gets plain text."""
    path = tmp_path / "m.om"
    path.write_bytes(om_factory.identity())
    assert "─" in _on_a_terminal("inspect", path, TERM="xterm-256color")
    assert 0 == main(["inspect", str(path)])
    plain = capsys.readouterr().out
    assert plain.isascii()
    assert plain == _on_a_terminal("inspect", path, TERM="dumb")


def test_no_color_is_honoured(om_factory, tmp_path):
    """With NO_COLOR no colour is set, whatever the terminal can do."""
    path = tmp_path / "m.om"
    path.write_bytes(om_factory.identity())
    output = _on_a_terminal("inspect", path, TERM="xterm-256color", NO_COLOR="1")
    assert "─" in output
    for colour in range(30, 38):
        assert f"\x1b[{colour}m" not in output
        assert f";{colour}m" not in output
