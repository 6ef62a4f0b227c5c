# SPDX-License-Identifier: Apache-2.0
"""Every command under the same adversities: one clear line, the right exit code, no traceback."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import aclrt
from aclrt.cli import _main, main

ROOT = Path(__file__).resolve().parents[2]

# A line that works for each command, in the folder of the fixture.
LINES = {
    "deploy": "deploy m.onnx --output out --batch-sizes 1 --iterations 1",
    "convert": "convert m.onnx -o made.om --input-shape image:1,1,8,8",
    "inspect": "inspect m.om",
    "run": "run m.om",
    "compare": "compare m.om m.onnx",
    "bench": "bench m.om --iterations 1",
    "bench diff": "bench diff bench.json bench.json",
    "doctor": "doctor",
    "explain": "explain 507018",
    "schema": "schema doctor",
    "fake": "fake env",
}
READING = {
    "deploy": "deploy {} --output out",
    "convert": "convert {} -o made.om",
    "inspect": "inspect {}",
    "inspect --diff": "inspect --diff {} m.om",
    "inspect --check": "inspect --check {}",
    "run": "run {}",
    "run --input": "run m.om --input {}",
    "compare": "compare {} m.onnx",
    "compare, second": "compare m.om {}",
    "compare --input": "compare m.om m.onnx --input image={}",
    "compare --tolerance": "compare m.om m.onnx --tolerance {}",
    "deploy --tolerance": "deploy m.onnx --output out --tolerance {}",
    "bench": "bench {} --iterations 1",
    "bench --input": "bench m.om --iterations 1 --input {}",
    "bench --config": "bench m.om --config {}",
    "bench diff": "bench diff {} bench.json",
    "convert --insert_op_conf": "convert m.onnx -o x --input-shape 1,1,8,8 --insert_op_conf {}",
}
WRITING = {
    "deploy": "deploy m.onnx --output {}",
    "convert": "convert m.onnx --input-shape image:1,1,8,8 -o {}/made.om",
    "run": "run m.om --output {}",
    "compare --html": "compare m.om m.onnx --html {}/x.html",
    "compare --junit": "compare m.om m.onnx --junit {}/x.xml",
    "bench": "bench m.om --iterations 1 --output {}",
    "bench --save-config": "bench m.om --iterations 1 --save-config {}/x.json",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """The digits model as ONNX and .om, and a report of the benchmark."""
    folder = tmp_path_factory.mktemp("files")
    shutil.copy(ROOT / "examples/digits/digits.onnx", folder / "m.onnx")
    aclrt.convert(folder / "m.onnx", folder / "m.om", input_shape="image:1,1,8,8")
    measured = aclrt.bench.measure(aclrt.bench.BenchConfig((str(folder / "m.om"),), iterations=40))
    (folder / "bench.json").write_text(measured.to_json())
    return folder


@pytest.fixture
def folder(files, tmp_path, monkeypatch) -> Path:
    """The current folder, with those files; the test may fill it."""
    for file in files.iterdir():
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def one_error(text: str) -> str:
    """The first line; all further ones are its details."""
    line, *further = text.splitlines()
    assert line.startswith("aclrt: error: "), text
    assert all(rest.startswith("  ") for rest in further), text
    assert "Traceback" not in text
    assert "defect" not in text
    return line


def program(line: str, **how) -> subprocess.CompletedProcess[str]:
    how.setdefault("stdout", subprocess.PIPE)
    environment = {**os.environ, **how.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "aclrt", *line.split()],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **how,
    )


def test_the_lines_above_are_all_commands():
    """A new command has a line here, and is tried by everything below."""
    assert set(_main.COMMANDS) == {name for name in LINES if " " not in name}
    assert len(LINES) == len(_main.COMMANDS) + 1


def test_the_exit_codes_are_those_of_the_document(folder, capsys, monkeypatch):
    """docs/cli.md has a row for each, and no other."""
    text = (ROOT / "docs/cli.md").read_text("utf-8")
    table = text[text.index("| exit code |") :].partition("\n\n")[0]
    rows = [int(row.split("|")[1]) for row in table.splitlines()[2:]]
    np.save("other.npy", np.zeros((1, 10), np.float32))

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(aclrt, "inspect", interrupt)
        given = [main(["inspect", "m.om"])]
    for line in (
        "schema",
        "inspect gone.om",
        "inspect",
        "inspect --diff m.om m.om",
        "compare m.om other.npy --map probs=other",
        "explain nothing",
        "doctor --backend npu",
    ):
        given.append(main(line.split()))
    assert [130, 0, 1, 2, 0, 3, 1, 1] == given
    assert sorted(set(given)) == rows


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_it_works(folder, capsys, line):
    """Otherwise the tests below would test something else."""
    assert 0 == main(line.split())
    printed = capsys.readouterr()
    assert printed.out
    assert "" == printed.err


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_flag_that_does_not_exist(folder, capsys, line):
    """Code 2, nothing on stdout, and where to read on."""
    assert 2 == main([*line.split(), "--no-such-flag"])
    printed = capsys.readouterr()
    assert "" == printed.out
    assert "--no-such-flag" in one_error(printed.err)
    assert "--help" in printed.err


@pytest.mark.parametrize("line", READING.values(), ids=READING)
def test_a_file_that_is_not_there(folder, capsys, line):
    """Code 1, the name and the system's word; nothing is left behind."""
    before = {path.name for path in folder.iterdir()}
    assert 1 == main(line.format("gone.om").split())
    printed = capsys.readouterr()
    assert "" == printed.out
    assert "aclrt: error: gone.om: No such file or directory" == one_error(printed.err)
    assert before == {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("content", [b"", b"garbage\n", bytes(range(256)) * 8], ids=len)
@pytest.mark.parametrize("line", READING.values(), ids=READING)
def test_a_file_that_is_something_else(folder, capsys, line, content):
    """Code 1 (deploy tells it as its step's failure), without a traceback."""
    suffix = ".onnx" if line.startswith(("deploy {", "convert {")) else ".om"
    (folder / f"bad{suffix}").write_bytes(content)
    assert 1 == main(line.format(f"bad{suffix}").split())
    printed = capsys.readouterr()
    if line.startswith("deploy {"):
        assert "convert   failed" in printed.out
    else:
        about = "AIPP configuration" if "insert_op_conf" in line else f"bad{suffix}"
        assert about in one_error(printed.err)


@pytest.mark.parametrize("line", READING.values(), ids=READING)
def test_a_folder_in_place_of_a_file(folder, capsys, line):
    """Also where folders are taken: this one is empty."""
    (folder / "some.om").mkdir()
    assert 1 == main(line.format("some.om").split())
    assert "some.om" in one_error(capsys.readouterr().err)


@pytest.mark.parametrize("line", WRITING.values(), ids=WRITING)
@pytest.mark.parametrize("target", ["/proc/self/no", "m.om"])
def test_a_place_that_cannot_be_written(folder, capsys, line, target):
    """A file system that takes no files, and a file where a folder is needed; code 1."""
    assert 1 == main(line.format(target).split())
    assert target in one_error(capsys.readouterr().err)


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_reader_that_leaves(folder, line):
    """`aclrt ... | true`: code 1 and not a word."""
    read, write = os.pipe()
    os.close(read)
    try:
        done = program(line, stdout=write)
    finally:
        os.close(write)
    assert (1, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_full_disk_behind_stdout(folder, line):
    """Code 1 and one line, also at exit."""
    with Path("/dev/full").open("w") as full:
        done = program(line, stdout=full)
    assert 1 == done.returncode
    assert "aclrt: error: No space left on device\n" == done.stderr


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_closed_stdout(folder, line):
    """`aclrt ... >&-`: it has nowhere to print, and does its work."""
    arguments = [sys.executable, "-m", "aclrt", *line.split()]
    done = subprocess.run(
        ["/bin/sh", "-c", '"$@" >&-', "sh", *arguments], stderr=subprocess.PIPE, text=True
    )
    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_an_ascii_locale_and_names_that_are_not(folder, line):
    """Names that the terminal cannot show are escaped; the work is done."""
    for file in ("m.om", "m.onnx", "bench.json"):
        (folder / file).rename(folder / f"größe-模型-{file}")
    renamed = " ".join(
        f"größe-模型-{word}" if word in ("m.om", "m.onnx", "bench.json") else word
        for word in line.split()
    )
    variables = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = program(renamed, env=variables, encoding="ascii")
    assert (0, "") == (done.returncode, done.stderr)
    missing = program("inspect größe.om", env=variables, encoding="ascii")
    assert 1 == missing.returncode
    assert missing.stderr.startswith("aclrt: error: gr\\")
    assert missing.stderr.endswith("e.om: No such file or directory\n")


@pytest.mark.parametrize("until", ["doctor", "convert", "compare"])
def test_a_real_ctrl_c_in_a_deployment(folder, until):
    """SIGINT after a step has been told: code 130, and the report of what was done."""
    environment = {**os.environ, "ACLRT_FAKE_COMPUTE_US": "20000", "PYTHONUNBUFFERED": "1"}
    line = "deploy m.onnx --output out --batch-sizes 1 --iterations 100000 --cases 50"
    process = subprocess.Popen(
        [sys.executable, "-m", "aclrt", *line.split()],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Programs that are started in the background ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    for told in process.stdout:
        if told.startswith(until):
            break
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    assert (130, "aclrt: interrupted\n") == (process.returncode, errors)
    assert "interrupted" in rest
    assert '"is_partial": true' in (folder / "out/deploy.json").read_text()
    assert "interrupted" in (folder / "out/deploy.md").read_text()
