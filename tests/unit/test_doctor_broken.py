# SPDX-License-Identifier: Apache-2.0
"""Doctor and explain where everything is broken: no extension, no NumPy, a driver that hangs."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

import aclrt.doctor
from aclrt.doctor import npu_smi, package, probe

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ROOT / "tests/data/npu_smi"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package without the fake's library, to be broken; the folder that has it."""
    folder = tmp_path / "site"
    ignored = shutil.ignore_patterns("__pycache__", "fake", "include", "compat")
    shutil.copytree(ROOT / "aclrt", folder / "aclrt", ignore=ignored)
    shutil.copy(ROOT / "aclrt/fake.py", folder / "aclrt/fake.py")
    shutil.copytree(ROOT / "aclrt/compat", folder / "aclrt/compat")
    return folder


def program(folder: Path, *argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`aclrt` of that copy; nothing of our environment but where Python is."""
    return python(folder, "-m", "aclrt", *argv, **variables)


def python(folder: Path, *argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Python without .pth files: an editable installation would lend the copy what it lacks."""
    path = ":".join([str(folder), *site.getsitepackages()])
    return subprocess.run(
        [sys.executable, "-S", *argv],
        env={"PYTHONPATH": path, "PATH": os.environ["PATH"], **variables},
        cwd=folder,
        capture_output=True,
        text=True,
    )


def broken(folder: Path, how: str) -> None:
    """Breaks one thing."""
    own = folder / "aclrt"
    (extension,) = own.glob("_native*.so")
    if how == "no extension":
        extension.unlink()
    elif how == "extension is a page":
        extension.write_text("<html>not found</html>")
    elif how == "no libaclrt":
        (own / "_lib/libaclrt.so").unlink()
    elif how == "empty libaclrt":
        (own / "_lib/libaclrt.so").write_bytes(b"")
    elif how.startswith("cut short: "):
        file = extension if "extension" in how else own / "_lib/libaclrt.so"
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif how == "libaclrt of another machine":
        content = bytearray((own / "_lib/libaclrt.so").read_bytes())
        content[18:20] = (243).to_bytes(2, "little")  # e_machine: RISC-V
        (own / "_lib/libaclrt.so").write_bytes(content)
    else:
        name, _, text = how.partition(":")
        module = folder / name
        module.mkdir()
        (module / "__init__.py").write_text(text)


BROKEN = {
    "no extension": "_native.abi3.so does not exist",
    "extension is a page": "_native.abi3.so is no ELF library",
    "no libaclrt": "_lib/libaclrt.so does not exist",
    "empty libaclrt": "_lib/libaclrt.so is empty",
    "cut short: extension": "_native.abi3.so is cut short",
    "cut short: libaclrt": "_lib/libaclrt.so is cut short",
    "libaclrt of another machine": "_lib/libaclrt.so is for riscv64",
    "_cffi_backend:raise ImportError('no such file')": "cffi cannot be imported",
    "numpy:raise ImportError('IMPORTANT: for advice\\n\\nsee below')": "numpy cannot be imported",
    "numpy:raise ModuleNotFoundError('No module named numpy', name='numpy')": "numpy cannot be",
}


@pytest.mark.parametrize("how", BROKEN)
def test_doctor_says_what_is_broken(copy, how):
    """Exit code 1, one problem with its next step, and everything else is still told."""
    broken(copy, how)
    done = program(copy, "doctor", "--json")
    assert (1, "") == (done.returncode, done.stderr)
    report = json.loads(done.stdout)
    (problem,) = (p for p in report["problems"] if p["severity"] == "error")
    assert BROKEN[how] in problem["problem"]
    assert "pip install" in problem["next_step"]
    assert not report["package"]["usable"]
    assert (False, None, []) == (report["ok"], report["backend"], report["devices"])
    assert report["versions"]["python"]
    assert report["machine"]["container"] is not None
    text = program(copy, "doctor")
    assert (1, "") == (text.returncode, text.stderr)
    assert BROKEN[how] in text.stdout


@pytest.mark.parametrize(
    "how", ["cut short: extension", "no libaclrt", "numpy:raise ImportError('broken')"]
)
def test_the_other_commands_lead_to_doctor(copy, how):
    """explain and the help work; the rest is one line that names doctor."""
    broken(copy, how)
    explained = program(copy, "explain", "107002")
    assert (0, "") == (explained.returncode, explained.stderr)
    assert explained.stdout.startswith("107002 (0x1a1fa) ACL_ERROR_RT_CONTEXT_NULL\n")
    helped = program(copy, "--help")
    assert (0, "") == (helped.returncode, helped.stderr)
    assert "bench" in helped.stdout
    for command in ("inspect", "run", "bench", "compare"):
        files = ("m.om", "m.onnx")[: 1 + (command == "compare")]
        failed = program(copy, command, *files)
        assert (1, "") == (failed.returncode, failed.stdout)
        line, hint = failed.stderr.splitlines()
        assert line.startswith("aclrt: error: ")
        assert "aclrt doctor" in hint


def test_names_raise_when_they_are_asked_for(copy):
    """`import aclrt` gives the exceptions; what needs the compiled part raises ImportError."""
    broken(copy, "no libaclrt")
    code = """
import aclrt
assert issubclass(aclrt.InputError, ValueError)
print(aclrt.explain.lookup(507018).codes[0].name, aclrt.AclError("m", code=107002).meaning)
for ask in (lambda: aclrt.OfflineModel, lambda: aclrt.devices, lambda: aclrt.bench.run):
    try:
        ask()
    except ImportError as error:
        assert "libaclrt.so" in str(error), error
    else:
        raise AssertionError
try:
    from aclrt import OfflineModel
except ImportError as error:
    print("refused")
"""
    done = python(copy, "-c", code)
    assert "" == done.stderr
    assert "ACL_ERROR_RT_AICPU_EXCEPTION thread has no current context\nrefused\n" == done.stdout


def test_no_home_and_no_user(copy):
    """Neither $HOME nor anything else is set."""
    done = program(copy, "doctor", "--json", "--backend", "npu")
    assert 1 == done.returncode
    assert "" == done.stderr
    assert "HOME" not in json.loads(done.stdout)["environment"]


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("sleep 1000 & sleep 1000", "no answer within 0.2 s"),
        ("echo 'dcmi module initialize failed. ret is -8005'; exit 1", "exit code 1: dcmi module"),
        ("printf '\\377\\376\\033[2J\\0garbage\\n'", None),
        ("exit 0", None),
    ],
)
def test_an_npu_smi_that_misbehaves(script, error, tmp_path):
    """It hangs with children that hold the pipe, fails, prints garbage, prints nothing."""
    tool = tmp_path / "npu-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    found = npu_smi.ask(Path("/"), {"PATH": path}, seconds=0.2 if "sleep" in script else 10)
    assert str(tool) == found["path"]
    assert error is None or error in found["error"]
    assert (error is None) == (found["error"] is None)
    assert [] == found["cards"]
    assert all(c.isprintable() or c in "\n\t" for c in found["text"])
    whole = aclrt.doctor.survey(environ={"PATH": os.environ["PATH"]})
    whole["npu_smi"] = found
    told = [problem.problem for problem in aclrt.doctor.problems(whole, wanted=True)]
    assert any("npu-smi info " in text for text in told)


def test_the_table_of_npu_smi_is_read():
    """Version, and each chip with its health; one that is not well is a problem."""
    text = (TEXTS / "info.txt").read_text()
    assert "23.0.0" == npu_smi.version(text)
    first, second = npu_smi.cards(text)
    expected = {"npu": 0, "name": "310P3", "health": "OK", "chip": 0, "bus_id": "0000:01:00.0"}
    assert expected == first
    assert (3, "0000:02:00.0") == (second["npu"], second["bus_id"])
    ill = npu_smi.cards(text.replace("OK    ", "Alarm ", 1))
    whole = aclrt.doctor.survey(environ={})
    whole["npu_smi"] = {
        "path": "/npu-smi",
        "text": text,
        "error": None,
        "version": "",
        "cards": ill,
    }
    told = [problem.problem for problem in aclrt.doctor.problems(whole, wanted=True)]
    assert "npu-smi reports NPU 0 (chip 0) as Alarm" in told
    for other in ("", "garbage", "| a | b |", text[: len(text) // 2]):
        assert len(npu_smi.cards(other)) < 2


@pytest.mark.parametrize(
    ("text", "name", "who"),
    [
        ("libascend_hal.so: cannot open shared object file", "libascend_hal.so", "driver"),
        ("x: libmsprofiler.so: cannot open shared object file", "libmsprofiler.so", "CANN"),
        ("libascendcl.so: cannot open shared object file: No", "libascendcl.so", "CANN"),
        ("libaclrt.so: cannot open shared object file", "libaclrt.so", "aclrt"),
        ("libonnxruntime.so.1: cannot open shared object file", "libonnxruntime.so.1", "onnx"),
        ("libfoo.so.2: cannot open shared object file", "libfoo.so.2", "system"),
    ],
)
def test_a_missing_library_names_who_ships_it(text, name, who):
    """The loader names a file; users need the package."""
    found = package.missing_library(text)
    assert found is not None
    assert name == found[0]
    assert who in found[1]
    assert found[2]
    assert package.missing_library("symbol lookup error") is None


def stand_in(folder: Path, body: str) -> dict[str, str]:
    """An environment whose libascendcl runs C code when it is loaded."""
    source = folder / "bad.c"
    source.write_text(
        "#include <unistd.h>\n#include <stdlib.h>\n"
        f"__attribute__((constructor)) static void f(void) {{ {body} }}\n"
    )
    library = folder / "libascendcl.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return {"ACLRT_LIBASCENDCL": str(library), "ACLRT_BACKEND": "auto"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("abort();", "crashes (Aborted)"),
        ("_exit(7);", "ends with exit code 7"),
        ("for (;;) pause();", "does not answer within 2 s"),
    ],
)
def test_a_runtime_that_takes_the_process_with_it(body, words, tmp_path, monkeypatch):
    """Doctor outlives a crash, an exit and a hang of the library that it looks at."""
    for name, value in stand_in(tmp_path, body).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(probe, "SECONDS", 2.0)
    found = probe.apart(None, seconds=2.0)
    assert words in found["failure"]["problem"]
    assert found["trail"]
    assert found["backend"] is None
    if "pause" not in body:
        report = aclrt.doctor.collect(isolated=True)
        assert not report["ok"]
        assert any(words in problem["problem"] for problem in report["problems"])
