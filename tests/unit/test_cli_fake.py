# SPDX-License-Identifier: Apache-2.0
"""`aclrt fake`: the environment of the drop-in directory, printed or given to a program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import aclrt.config
from aclrt.cli import main

DROP_IN = str(Path(aclrt.config.get_library_dir()) / "fake")


def _aclrt(*argv, **environment):
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("ACLRT_")}
    return subprocess.run(
        [sys.executable, "-m", "aclrt", *argv],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
    )


def test_env_can_be_evaluated_by_a_shell():
    """Twice too: the directory comes first, once, and what was there stays."""
    evaluate = f'eval "$({sys.executable} -m aclrt fake env)"'
    script = (
        f'{evaluate}; {evaluate}; echo "$LD_LIBRARY_PATH|$ACLRT_BACKEND|$ACLRT_FAKE_ONNXRUNTIME"'
    )
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("ACLRT_")}
    done = subprocess.run(
        ["sh", "-c", script],
        env={**inherited, "LD_LIBRARY_PATH": "/some where:/x"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    path, backend, onnxruntime = done.stdout.strip().split("|")
    assert f"{DROP_IN}:/some where:/x" == path
    assert "fake" == backend
    assert Path(onnxruntime).is_file()


def test_run_gives_the_environment_to_the_program():
    """The program replaces aclrt: its arguments, output and exit code are its own."""
    code = (
        "import os, sys; print(os.environ['LD_LIBRARY_PATH'], os.environ['ACLRT_BACKEND'], "
        "*sys.argv[1:]); sys.exit(7)"
    )
    argv = ("fake", "run", "--", sys.executable, "-c", code, "--json", "--", "b")
    done = _aclrt(*argv, LD_LIBRARY_PATH="")
    assert (7, "") == (done.returncode, done.stderr)
    assert f"{DROP_IN} fake --json -- b\n" == done.stdout


def test_facades_come_first_and_the_stand_in_for_pyacl_last():
    """What PYTHONPATH held stays between them, once."""
    code = "import os; print(os.environ['PYTHONPATH'])"
    argv = ("fake", "run", "--compat", "mindx", "--compat", "acl", "--", sys.executable, "-c", code)
    folder = Path(aclrt.config.get_library_dir()).parent / "compat" / "_path"
    mindx, pyacl = folder / "mindx", folder / "pyacl"
    assert f"{mindx}:{pyacl}\n" == _aclrt(*argv, PYTHONPATH="").stdout
    given = f"/some where:{pyacl}:/x"
    assert f"{mindx}:/some where:/x:{pyacl}\n" == _aclrt(*argv, PYTHONPATH=given).stdout


def test_the_dashes_may_be_left_out():
    """`aclrt fake run PROGRAM --flag`: flags after the program are the program's."""
    done = _aclrt("fake", "run", "echo", "--help")
    assert 0 == done.returncode
    assert "aclrt" not in done.stdout


def test_a_program_that_does_not_exist_is_a_failure(capsys):
    """Code 1 and its name."""
    assert 1 == main(["fake", "run", "--", "no-such-program"])
    assert "aclrt: error: no-such-program: No such file or directory\n" == capsys.readouterr().err
