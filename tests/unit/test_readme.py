# SPDX-License-Identifier: Apache-2.0
"""The code of README.md works as it stands, and README.zh-CN.md has the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from code_blocks import ROOT, blocks, commands, prepare, run, run_python

import aclrt.config


def test_the_python_block_runs(tmp_path: Path) -> None:
    """From the ONNX model to the class of an image."""
    (code,) = blocks("README.md", "python")
    prepare(tmp_path, converted=False)
    printed = run_python(code, tmp_path)
    assert "name='image'" in printed
    assert "name='probs'" in printed


def test_the_cpp_block_runs(tmp_path: Path) -> None:
    """Compiled with the printed flags; the sum of the probabilities is 1."""
    (code,) = blocks("README.md", "cpp")
    prepare(tmp_path)
    (tmp_path / "main.cpp").write_text(code)
    printed = run(
        "g++ -Wall -Wextra -Werror $(aclrt-config --cflags) main.cpp -o main "
        "$(aclrt-config --libs) && ./main",
        tmp_path,
    )
    probs = [float(word) for word in printed.split()]
    assert 10 == len(probs)
    assert pytest.approx(1, abs=0.02) == sum(probs)


def test_the_shell_commands_run(tmp_path: Path) -> None:
    """One after the other; my_acl_program is any program linked with libascendcl.so."""
    prepare(tmp_path, converted=False)
    (tmp_path / "main.c").write_text(
        "int aclInit(const char *); int aclFinalize(void);\n"
        "int main(void) { return aclInit(0) || aclFinalize(); }\n"
    )
    fake = Path(aclrt.config.get_library_dir(), "fake")
    run(f"cc main.c -o my_acl_program -L'{fake}' -lascendcl", tmp_path)
    shell = blocks("README.md", "console")[-1]
    seen = {command.split()[1]: run(command, tmp_path) for command in commands(shell)}
    assert {"convert", "inspect", "run", "bench", "doctor", "fake"} == set(seen)
    assert "probs" in seen["inspect"]
    assert (tmp_path / "results/probs.npy").exists()
    assert "throughput" in seen["bench"]
    assert "backend: fake" in seen["doctor"]


def test_the_first_commands_are_targets_of_make() -> None:
    """`make demo` and `make test`, which this very test may have been started by."""
    targets = re.findall(r"^([\w-]+):(?!=)", (ROOT / "Makefile").read_text("utf-8"), re.M)
    first = commands(blocks("README.md", "console")[0])
    asked = [re.match(r"make (\w+)", command) for command in first]
    assert ["demo", "test"] == [match[1] for match in asked if match and match[1] in targets]


def test_both_languages_have_the_same_code() -> None:
    """Word for word, but for the comments."""

    def code(document: str) -> list[str]:
        return [re.sub(r"\s+# .*$", "", block, flags=re.M) for block in blocks(document)]

    assert code("README.md")
    assert code("README.md") == code("README.zh-CN.md")
