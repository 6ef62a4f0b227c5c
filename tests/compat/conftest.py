# SPDX-License-Identifier: Apache-2.0
"""Fixtures: small models with ONNX Runtime's results, and scripts run by `aclrt fake run`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from aclrt.compat import acllite

SCRIPTS = Path(__file__).parent / "scripts"
RECORDS = 5


@dataclass
class Job:
    """A model, a file of records for it, and what ONNX Runtime makes of them."""

    om: Path
    onnx: Path
    records: Path
    expected: np.ndarray


@pytest.fixture(scope="session")
def job(om_factory: Any, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """x float32 (2, 3, 8, 8) -> y float32 (2, 4, 8, 8): a convolution and a Relu."""
    folder = tmp_path_factory.mktemp("job")
    random = np.random.default_rng(3)
    onnx = om_factory.onnx(
        [("Conv", ["x", "w"], ["c"], {"pads": [1, 1, 1, 1]}), ("Relu", ["c"], ["y"])],
        [("x", "float32", (2, 3, 8, 8))],
        [("y", "float32", (2, 4, 8, 8))],
        {"w": random.standard_normal((4, 3, 3, 3), dtype=np.float32)},
    )
    (folder / "net.onnx").write_bytes(onnx)
    (folder / "net.om").write_bytes(om_factory.om_of(onnx))
    x = random.standard_normal((RECORDS, 2, 3, 8, 8), dtype=np.float32)
    np.save(folder / "x.npy", x)
    session = onnxruntime.InferenceSession(onnx)
    expected = np.stack([session.run(None, {"x": record})[0] for record in x])
    return Job(folder / "net.om", folder / "net.onnx", folder / "x.npy", expected)


@dataclass
class Run:
    """What a script left."""

    code: int
    out: str
    err: str
    ledger: dict[str, Any]

    @property
    def live(self) -> dict[str, int]:
        """Objects that were alive when it ended, by kind."""
        objects = self.ledger["objects"]
        return {kind: count["live"] for kind, count in objects.items() if count["live"]}


@pytest.fixture
def run_script(tmp_path: Path) -> Callable[..., Run]:
    """run_script(path, *args, options=()): by `aclrt fake run`, knowing nothing of aclrt."""

    def run(
        script: str | Path, *arguments: Any, options: tuple[str, ...] = (), **environment: str
    ) -> Run:
        ledger = tmp_path / "ledger.json"
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("ACLRT_") and name != "PYTHONPATH"
        }
        program = [sys.executable, str(SCRIPTS / script), *map(str, arguments)]
        done = subprocess.run(
            [sys.executable, "-m", "aclrt", "fake", "run", *options, "--", *program],
            env={**inherited, "ACLRT_FAKE_LEDGER": str(ledger), **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        found = json.loads(ledger.read_text("utf-8")) if ledger.exists() else {}
        return Run(done.returncode, done.stdout, done.stderr, found)

    return run


@pytest.fixture(scope="session")
def om(om_factory: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """image float32 (1, 2, 4), mask bool (2,) -> probs = -image, flags = not mask."""
    path = tmp_path_factory.mktemp("facades") / "pair.om"
    path.write_bytes(om_factory.two_in_two_out())
    return str(path)


@pytest.fixture
def feeds(image: np.ndarray, mask: np.ndarray) -> list[np.ndarray]:
    """A value for each input."""
    return [image, mask]


@pytest.fixture
def resource() -> Iterator[acllite.AclLiteResource]:
    """acllite's, initialised."""
    with acllite.AclLiteResource() as made:
        yield made


@pytest.fixture
def no_file(tmp_path: Path) -> str:
    """The path of a model that is not there."""
    return str(tmp_path / "none.om")
