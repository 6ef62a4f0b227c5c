# SPDX-License-Identifier: Apache-2.0
"""The documents tell the truth: their code runs, and they name every flag, field and variable."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from code_blocks import ROOT, blocks, commands, prepare, run, run_python

import aclrt
from aclrt import config
from aclrt.cli import _main

CLI = (ROOT / "docs/cli.md").read_text("utf-8")
PYTHON = (ROOT / "docs/python.md").read_text("utf-8")
FIELDS = re.compile(r"^\|((?: `[\w.\[\]*]+`,?)+) \|", re.MULTILINE)


def section(title: str) -> str:
    """The text from a heading to the next one of its own or a higher level."""
    level = title.split()[0]
    start = CLI.index(f"\n{title}\n")
    end = re.compile(rf"^#{{1,{len(level)}}} ", re.M).search(CLI, start + len(title) + 2)
    return CLI[start : end.start() if end else len(CLI)]


def test_the_python_examples_run(tmp_path: Path) -> None:
    """All blocks of docs/python.md, in order, as one program."""
    prepare(tmp_path, converted=False)
    printed = run_python("\n".join(blocks("docs/python.md", "python")), tmp_path)
    assert "float64" in printed


def test_the_migration_examples_run(tmp_path: Path) -> None:
    """All blocks of docs/migration.md, in order, as one program."""
    prepare(tmp_path)
    run_python("\n".join(blocks("docs/migration.md", "python")), tmp_path)


def test_the_portable_service_runs(tmp_path: Path) -> None:
    """docs/portable.md: the same answer by each setting; the last one falls back."""
    prepare(tmp_path)
    (code,) = blocks("docs/portable.md", "python")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ACLRT_")}
    printed = []
    for setting in ("fake", "onnx", "npu"):  # a process has one backend
        one = code.replace('("fake", "onnx", "npu")', f'("{setting}",)')
        done = subprocess.run(
            [sys.executable, "-c", one],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert 0 == done.returncode, done.stderr
        assert ("RuntimeWarning" in done.stderr) == (setting == "npu")
        printed.append(done.stdout.split())
    answer = printed[0][1]
    assert ["fake", answer, "0", "NoneType"] == printed[0]
    assert ["onnx", answer, "0", "NoneType"] == printed[1]
    assert ["npu", answer, "1", "BackendError"] == printed[2]


def test_the_cpp_examples_run(tmp_path: Path) -> None:
    """docs/cpp.md: the C++ and the C program, by CMake and by flags."""
    prepare(tmp_path)
    for language, name in (("cmake", "CMakeLists.txt"), ("cpp", "example.cpp"), ("c", "example.c")):
        (code,) = blocks("docs/cpp.md", language)
        (tmp_path / name).write_text(code)
    (console,) = blocks("docs/cpp.md", "console")
    printed = [run(command, tmp_path) for command in commands(console)]
    for output in printed[:2]:
        assert "10 classes of 10\nthe same\nrefused: input 'image'" in output
    assert "2 dims, 10 classes\n" == printed[2]


def test_the_commands_run(tmp_path: Path) -> None:
    """docs/cli.md, one after the other."""
    prepare(tmp_path, converted=False)
    (console,) = blocks("docs/cli.md", "console")
    printed = [run(command, tmp_path) for command in commands(console)]
    assert "fake\n" == printed[-1]


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and all below it."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from parsers(child)


@pytest.mark.parametrize("parser", [*parsers(_main._parser())], ids=lambda parser: parser.prog)
def test_every_option_is_in_cli_md(parser: argparse.ArgumentParser) -> None:
    """In the command's own section, or where the flags of several commands are."""
    command = " ".join(parser.prog.split()[:2])
    text = section("## Everywhere") + (section(f"## {command}") if " " in command else "")
    mentioned = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", text))
    for action in parser._actions:
        spellings = set(action.option_strings)
        if action.help is argparse.SUPPRESS:  # ATC's, in either spelling
            assert spellings & mentioned, spellings
        else:
            assert spellings <= mentioned, spellings - mentioned
    assert parser.prog in CLI


def test_cli_md_invents_no_option() -> None:
    """What it mentions exists."""
    known = {
        flag for p in parsers(_main._parser()) for a in p._actions for flag in a.option_strings
    }
    mentioned = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", CLI))
    assert mentioned - known - set(config.FLAGS) == set()
    assert set(config.FLAGS) <= mentioned


def paths(value: Any, at: str = "") -> Iterator[tuple[str, bool]]:
    """Every field as "device.id" or "inputs[].name", and whether there is anything below it."""
    if isinstance(value, dict):
        if at:
            yield at, bool(value)
        for key, item in value.items():
            yield from paths(item, f"{at}.{key}" if at else key)
    elif isinstance(value, list) and all(isinstance(item, (dict, str)) for item in value):
        yield at, bool(value)
        for item in value:
            if isinstance(item, dict):
                yield from ((f"{at}[].{name}", full) for name, full in paths(item))
    else:
        yield at, value is not None


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("deploy", "digits.onnx --output made --batch-sizes 2 --iterations 1 --json"),
        ("convert", "digits.onnx -o made.om --input-shape image:1,1,8,8 --oo_level=O1 --json"),
        ("run", "digits.om --json"),
        ("bench", "digits.om --iterations 2 --warmup 0 --json"),
        ("compare", "digits.om digits.onnx --json"),
        ("doctor", "--json"),
        ("explain", "507018 507099 EE1001 ACLFAKE-STR-01 --json"),
        ("inspect", "digits.om --json"),
    ],
)
def test_every_field_is_in_cli_md(command: str, arguments: str, tmp_path: Path) -> None:
    """The JSON has the fields of the table, and no others."""
    rows = FIELDS.findall(section(f"### JSON of aclrt {command}"))
    documented = {name.removesuffix("[]") for row in rows for name in re.findall(r"`([^`]+)`", row)}
    prepare(tmp_path)
    found = dict(paths(json.loads(run(f"aclrt {command} {arguments}", tmp_path))))
    open_keys = re.compile(
        r"^(versions|environment|attributes|operators|doctor|bench|cases\[\]\.outputs\[\]\.ulp"
        r"|runs\[\]\.\w+\.percentiles)\..*"
    )
    actual = {open_keys.sub(r"\1.*", name) for name in found}
    actual = {name for name in actual if not name.startswith("comparisons[].")}
    parents = {name[: name.rindex(".")].removesuffix("[]") for name in documented if "." in name}
    assert actual - documented - parents == set()
    empty = tuple(name for name, full in found.items() if not full)
    assert {name for name in documented - actual if not name.startswith(empty or ("?",))} == set()


def test_every_variable_is_documented() -> None:
    """Whatever the sources read from the environment under our name."""
    sources = [*(ROOT / "aclrt").rglob("*.py"), *(ROOT / "csrc").rglob("*.cpp")]
    read = {
        name for path in sources for name in re.findall(r'"(ACLRT_[A-Z_]+[A-Z])"', path.read_text())
    }
    text = CLI + (ROOT / "docs/fake.md").read_text("utf-8")
    assert {"ACLRT_BACKEND", "ACLRT_FAKE_LEDGER"} <= read
    assert {name for name in read if f"`{name}`" not in text} == set()


def test_every_public_name_is_in_python_md() -> None:
    """The table of errors has the bases that the classes have."""
    private = {"__version__", "NodeArg", "DeviceMemory", "errors", "om"}
    missing = {name for name in set(aclrt.__all__) - private if name not in PYTHON}
    assert missing == set()
    for name in aclrt.errors.__all__:
        row = re.search(rf"^\| `{name}` \| (.*?) \|", PYTHON, re.M)
        assert row, name
        for base in re.findall(r"`(\w+)`", row[1]):
            assert base in {cls.__name__ for cls in getattr(aclrt, name).__mro__}, (name, base)


def test_links_lead_somewhere() -> None:
    """Between the documents, and to their headings."""
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("examples/*/*.md")]
    for document in documents:
        for target in re.findall(r"\]\((?!http)([^)]+)\)", document.read_text("utf-8")):
            file, _, heading = target.partition("#")
            path = document.parent / file if file else document
            assert path.exists(), (document.name, target)
            if heading:
                words = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.M)
                slugs = {re.sub(r"[^\w -]", "", word.lower()).replace(" ", "-") for word in words}
                assert heading in slugs, target


def test_the_answers_name_tests_that_exist() -> None:
    """docs/answers.md: files, functions in them, and the C++ tests' cases."""
    text = (ROOT / "docs/answers.md").read_text("utf-8")
    named = re.findall(r"`(tests/[\w/]+\.(?:py|cpp))(?:::(\w+))?`(?: \(([^)]*)\))?", text)
    assert len(named) > 15
    for path, function, cases in named:
        source = (ROOT / path).read_text("utf-8")
        for name in [function, *re.findall(r"`(\w+)`", cases)]:
            assert not name or re.search(rf"\b{name}\(", source), (path, name)
    rows = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    assert all("`tests/" in row for row in rows if not row.startswith("| what happens")), rows
