# SPDX-License-Identifier: Apache-2.0
"""The onnxruntime-cann wheel in an environment of its own, and programs run there on the fake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
VERSION = "1.24.4"
# The wheel was built for NumPy 1; cffi is for aclrt beside it.
PACKAGES = (f"onnxruntime-cann=={VERSION}", "numpy<2", "onnx<1.20", "cffi")


@dataclass
class Run:
    """What a program left."""

    code: int
    out: str
    err: str
    ledger: dict[str, Any]

    @property
    def live(self) -> dict[str, int]:
        """Objects that were alive when it ended, by kind."""
        objects = self.ledger["objects"]
        return {kind: count["live"] for kind, count in objects.items() if count["live"]}


class Environment:
    """A folder with a virtual environment that has the wheel; made if it is not there."""

    def __init__(self, folder: Path) -> None:
        self.python = folder / "venv" / "bin" / "python"
        if not (folder / "installed").exists():
            subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
            pip = [self.python, "-m", "pip", "install", "--quiet", *PACKAGES]
            subprocess.run(pip, check=True)
            (folder / "installed").touch()

    @property
    def onnxruntime(self) -> str:
        """The wheel's own libonnxruntime."""
        found = self.python.parent.parent.glob("lib/python*/site-packages/onnxruntime/capi")
        return str(next(next(iter(found)).glob("libonnxruntime.so*")))

    def run(self, folder: Path, script: str, *arguments: object, **environment: str) -> Run:
        """Runs a script of this folder by `aclrt fake run`; the engine is the wheel's own ONNX
        Runtime."""
        ledger = folder / "ledger.json"
        ledger.unlink(missing_ok=True)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("ACLRT_", "PYTHON"))}
        variables = {
            "ACLRT_FAKE_LEDGER": str(ledger),
            "ACLRT_FAKE_ONNXRUNTIME": self.onnxruntime,
            "ASCEND_PROCESS_LOG_PATH": str(folder / "log"),
            "ORT_DISABLE_TELEMETRY": "1",
        }
        program = [self.python, HERE / script, *arguments]
        done = subprocess.run(
            [sys.executable, "-m", "aclrt", "fake", "run", "--", *map(str, program)],
            env={**inherited, **variables, **environment},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        found = json.loads(ledger.read_text("utf-8")) if ledger.exists() else {}
        return Run(done.returncode, done.stdout, done.stderr, found)
