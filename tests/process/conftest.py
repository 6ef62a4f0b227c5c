# SPDX-License-Identifier: Apache-2.0
"""Child processes, judged from outside: exit code, what they wrote, the ledger they left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

# Programs that are started in the background ignore SIGINT: the prelude undoes that. Python 3.12
# warns of any fork beside threads, which ONNX Runtime always has.
PRELUDE = """
import sys, os, gc, threading, time, signal, atexit, warnings
import numpy as np
import aclrt
OM = sys.argv[1]
X = np.ones((2, 3), np.float32)
signal.signal(signal.SIGINT, signal.default_int_handler)
warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)
def load(**options):
    return aclrt.OfflineModel(OM, **options)
"""


class Outcome:
    """How a child ended."""

    def __init__(self, code: int, out: str, err: str, ledger: Path) -> None:
        self.code = code
        self.out = out
        self.err = err
        self._ledger = ledger

    @property
    def ledger(self) -> dict[str, Any]:
        """What the fake wrote at the child's exit."""
        loaded = json.loads(self._ledger.read_text())
        assert isinstance(loaded, dict)
        return loaded

    @property
    def has_ledger(self) -> bool:
        """Whether the fake was loaded and came to its own exit."""
        return self._ledger.exists()

    def assert_clean(self, code: int = 0) -> None:
        """The expected exit code, a silent stderr, nothing left on the device."""
        assert (code, "") == (self.code, self.err)
        live = {k: v["live"] for k, v in self.ledger["objects"].items() if v["live"]}
        assert {} == live


class Children:
    """Starts children that can import aclrt and know a model."""

    def __init__(self, om: Path, folder: Path) -> None:
        self.om = om
        self.folder = folder
        self._count = 0

    def command(self, code: str, options: tuple[str, ...], prelude: bool) -> list[str]:
        """The command line of a child."""
        text = (PRELUDE if prelude else "import sys\nOM = sys.argv[1]\n") + textwrap.dedent(code)
        return [sys.executable, *options, "-c", text, str(self.om)]

    def start(
        self,
        code: str,
        *options: str,
        env: dict[str, str | None] | None = None,
        prelude: bool = True,
        **how: Any,
    ) -> tuple[subprocess.Popen[str], Path]:
        """A running child and the path of its ledger."""
        self._count += 1
        ledger = self.folder / f"ledger-{self._count}.json"
        variables = {**os.environ, "ACLRT_BACKEND": "fake", "ACLRT_FAKE_LEDGER": str(ledger)}
        del variables["ORT_DISABLE_TELEMETRY"]  # the fake has to see to it by itself
        for name, value in (env or {}).items():
            if value is None:
                variables.pop(name, None)
            else:
                variables[name] = value
        # Not the checkout, where `python -c` would find its aclrt before the installed one.
        how.setdefault("cwd", self.folder)
        process = subprocess.Popen(
            self.command(code, options, prelude),
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="surrogateescape",
            **how,
        )
        return process, ledger

    def __call__(self, code: str, *options: str, **how: Any) -> Outcome:
        """Runs a child to its end; 60 seconds are a hang."""
        process, ledger = self.start(code, *options, **how)
        return self.finish(process, ledger)

    @staticmethod
    def finish(process: subprocess.Popen[str], ledger: Path) -> Outcome:
        """Waits for a started child."""
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            process.communicate()
            raise
        return Outcome(process.returncode, out, err, ledger)


@pytest.fixture
def child(om_factory: Any, tmp_path: Path) -> Children:
    """Runs Python code in a child: ``child("load()(X)")``."""
    om = tmp_path / "identity.om"
    om.write_bytes(om_factory.identity())
    return Children(om, tmp_path)
