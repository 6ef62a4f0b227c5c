# SPDX-License-Identifier: Apache-2.0
"""The code in the documents, and a folder in which it runs: the digits model, the fake device."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np

import aclrt
from aclrt import _drop_in

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: str, language: str = "") -> list[str]:
    """The fenced blocks of one language (or of all), in order."""
    text = (ROOT / document).read_text("utf-8")
    return [code for kind, code in FENCE.findall(text) if language in ("", kind)]


def commands(block: str) -> list[str]:
    """The commands of a console block."""
    return [line[2:] for line in block.splitlines() if line.startswith("$ ")]


def prepare(folder: Path, *, converted: bool = True) -> None:
    """Puts the files there that the documents speak of."""
    shutil.copy(ROOT / "examples/digits/digits.onnx", folder)
    np.save(folder / "image.npy", np.load(ROOT / "examples/digits/test_images.npy")[:1])
    if converted:
        aclrt.convert(
            folder / "digits.onnx", folder / "digits.om", input_shape={"image": (1, 1, 8, 8)}
        )


def run(command: list[str] | str, folder: Path) -> str:
    """What the command printed, in the folder; a text is the shell's. A failure shows all."""
    scripts = [str(Path(sys.executable).parent), sysconfig.get_path("scripts")]
    library = _drop_in.onnxruntime_library()
    done = subprocess.run(
        ["bash", "-ec", command] if isinstance(command, str) else command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "ACLRT_BACKEND": "fake",
            "ACLRT_FAKE_ONNXRUNTIME": library,
            "PATH": os.pathsep.join([*scripts, os.environ["PATH"]]),
        },
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run_python(code: str, folder: Path) -> str:
    """What the Python code printed."""
    return run([sys.executable, "-W", "error", "-c", code], folder)
