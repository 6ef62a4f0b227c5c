# SPDX-License-Identifier: Apache-2.0
"""The misuse checks in processes of their own: the three modes, and fork."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conformance import acl

HEAD = "import ctypes, os, sys\nlib = ctypes.CDLL(sys.argv[1])\n"
BODY = "lib.aclInit(None); lib.aclrtSetDevice(0)\n"
MISUSE = "print(lib.aclrtFree(ctypes.c_void_p(0x7f0012345678)), flush=True)\n"
HINT = "print(lib.aclrtProcessReport(1), flush=True)\n"
END = "lib.aclrtResetDevice(0); lib.aclFinalize()\n"


def run(script: str, mode: str | None = None, **environment: str) -> subprocess.CompletedProcess:
    """A child process that has the fake as ``lib``."""
    settings = {key: value for key, value in os.environ.items() if key != "ACLRT_FAKE_CHECKS"}
    if mode is not None:
        settings["ACLRT_FAKE_CHECKS"] = mode
    command = [sys.executable, "-c", HEAD + script, str(acl.library_path())]
    return subprocess.run(
        command, env={**settings, **environment}, capture_output=True, text=True, timeout=60
    )


@pytest.mark.fake_only
@pytest.mark.parametrize("mode", [None, "", "error"])
def test_error_mode(mode: str | None) -> None:
    """FAKE-CHK-08 (fake): by default a check gives its code and is silent."""
    done = run(BODY + MISUSE + END, mode)
    assert (done.returncode, done.stdout, done.stderr) == (0, "107000\n", "")


@pytest.mark.fake_only
def test_warn_mode() -> None:
    """FAKE-CHK-09 (fake): warn: the same, and one line on stderr for each."""
    done = run(BODY + MISUSE + HINT + END, "warn")
    assert (done.returncode, done.stdout) == (0, "107000\n107012\n")
    lines = done.stderr.splitlines()
    assert [line.split(": ")[1:3] for line in lines] == [
        ["aclrtFree", "ACLFAKE-MEM-10"],
        ["aclrtProcessReport", "ACLFAKE-CBK-05"],
    ]


@pytest.mark.fake_only
def test_abort_mode() -> None:
    """FAKE-CHK-10 (fake): abort: the line, then SIGABRT; hints do not abort."""
    done = run(BODY + HINT + MISUSE + END, "abort")
    assert (done.returncode, done.stdout) == (-signal.SIGABRT, "107012\n")
    assert "aclrtFree: ACLFAKE-MEM-10: 0x7f0012345678 is not device memory, nor" in done.stderr


@pytest.mark.fake_only
def test_abort_on_a_notice() -> None:
    """FAKE-CHK-11 (fake): abort holds for misuse that has no code too."""
    script = BODY + "p = ctypes.c_void_p(); lib.aclrtMalloc(ctypes.byref(p), 8, 0)\n" + END
    assert run(script, "abort").returncode == -signal.SIGABRT
    assert run(script, "error").returncode == 0


@pytest.mark.fake_only
def test_unknown_mode() -> None:
    """FAKE-CHK-12 (fake): a misspelt mode is told, and error is used."""
    done = run(BODY + MISUSE + END, "abrot")
    assert (done.returncode, done.stdout) == (0, "107000\n")
    assert "abrot" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.fake_only
def test_mode_by_function() -> None:
    """FAKE-CHK-13 (fake): aclfake_set_checks changes the mode; unknown modes are refused."""
    script = (
        "print(lib.aclfake_set_checks(1), lib.aclfake_set_checks(7), lib.aclfake_set_checks(1))\n"
    )
    done = run(BODY + script + MISUSE + END)
    assert (done.returncode, done.stdout) == (0, "0 -1 1\n107000\n")
    assert "ACLFAKE-MEM-10" in done.stderr


FORK = (
    "pid = os.fork()\n"
    "if pid == 0:\n"
    "    stream = ctypes.c_void_p()\n"
    "    codes = [lib.aclrtCreateStream(ctypes.byref(stream)), lib.aclInit(None),\n"
    "             lib.aclrtResetDevice(0), lib.aclFinalize()]\n"
    "    lib.aclGetRecentErrMsg.restype = ctypes.c_char_p\n"
    "    lib.aclfake_check_count.restype = ctypes.c_uint64\n"
    "    print(codes, b'ACLFAKE-PRC-01' in lib.aclGetRecentErrMsg(),\n"
    "          lib.aclfake_check_count(b'ACLFAKE-PRC-01'), lib.aclfake_reset(), flush=True)\n"
    "    sys.exit(0)\n"
    "print(os.waitpid(pid, 0)[1], flush=True)\n"
)


@pytest.mark.fake_only
def test_misuse_prc_01(tmp_path: Path) -> None:
    """FAKE-CHK-14 (fake): after fork every call of the child is refused; its exit is clean."""
    ledger = tmp_path / "ledger.json"
    work = "lib.aclrtMemsetAsync(ctypes.c_void_p(), 0, 0, 0, None); lib.aclrtSynchronizeDevice()\n"
    done = run(BODY + work + FORK + END, ACLRT_FAKE_LEDGER=str(ledger))
    assert done.stdout == "[500000, 500000, 500000, 500000] True 4 0\n0\n"
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(ledger.read_text())["checks"] == {}  # the parent's


@pytest.mark.fake_only
def test_right_use_prc_01() -> None:
    """FAKE-CHK-15 (fake): a child that was made before the first use has a device of its own."""
    script = (
        "pid = os.fork()\n" + BODY + END + "lib.aclfake_check_count.restype = ctypes.c_uint64\n"
        "if pid == 0: os._exit(lib.aclfake_check_count(None))\n"
        "print(os.waitpid(pid, 0)[1], lib.aclfake_check_count(None))\n"
    )
    done = run(script)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 0\n", "")
