# SPDX-License-Identifier: Apache-2.0
"""Fixtures: the drop-in directory, a compiler for it, programs run without Python beside it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aclrt
from aclrt import config

HERE = Path(__file__).resolve().parent
RECORDS = 11


def _drop_in() -> Path:
    """The drop-in directory under test."""
    named = os.environ.get("ACLRT_TEST_FAKE")
    return Path(named).parent if named else Path(config.get_library_dir()) / "fake"


DROP_IN = _drop_in()


def onnxruntime_library() -> str:
    """The libonnxruntime of the installed wheel."""
    spec = find_spec("onnxruntime")
    assert spec, "onnxruntime is needed (aclrt[test])"
    return str(next(Path(str(spec.origin)).parent.glob("capi/libonnxruntime.so*")))


@pytest.fixture(scope="session")
def compile_program(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """compile_program(source, *flags): the program, built against the drop-in directory alone."""
    folder = tmp_path_factory.mktemp("programs")
    made: dict[tuple[str, ...], Path] = {}

    def build(source: str, *flags: str) -> Path:
        key = (source, *flags)
        if key not in made:
            target = folder / f"{Path(source).stem}-{len(made)}"
            compiler = ["gcc", "-std=c99", "-pedantic"]
            if source.endswith(".cpp"):
                compiler = ["g++", "-std=c++17", "-pthread"]
            command = [*compiler, "-O1", "-Wall", "-Wextra", "-Werror"]
            command += [f"-I{DROP_IN}/include", str(HERE / source), "-o", str(target)]
            command += [f"-L{DROP_IN}", *flags]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            made[key] = target
        return made[key]

    return build


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


@pytest.fixture
def run_program(tmp_path: Path) -> Callable[..., Run]:
    """run_program(program, *args): finds the drop-in directory, and no Python."""

    def run(*command: str | Path, **environment: str) -> Run:
        ledger = tmp_path / "ledger.json"
        variables = {
            "LD_LIBRARY_PATH": str(DROP_IN),
            "ACLRT_FAKE_ONNXRUNTIME": onnxruntime_library(),
            "ACLRT_FAKE_LEDGER": str(ledger),
            "HOME": str(tmp_path),
            "ORT_DISABLE_TELEMETRY": "1",
            **environment,
        }
        done = subprocess.run(
            [str(part) for part in command],
            env=variables,
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
def job(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, np.ndarray]:
    """(model, file of 11 records, ONNX Runtime's results): a small convolutional network."""
    import onnxruntime
    from onnx import TensorProto, checker, helper, numpy_helper

    folder = tmp_path_factory.mktemp("job")
    random = np.random.default_rng(7)
    constants = {
        "w": random.standard_normal((4, 3, 3, 3), dtype=np.float32),
        "b": random.standard_normal(4, dtype=np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], "relu"),
        helper.make_node("GlobalAveragePool", ["r"], ["g"], "pool"),
        helper.make_node("Flatten", ["g"], ["f"], "flat"),
        helper.make_node("Softmax", ["f"], ["probs"], "softmax"),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (2, 3, 8, 8))],
        [helper.make_tensor_value_info("probs", TensorProto.FLOAT, (2, 4))],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 19)])
    checker.check_model(model)
    om = Path(aclrt.convert(model, folder / "net.om"))
    x = random.standard_normal((RECORDS, 2, 3, 8, 8), dtype=np.float32)
    x.tofile(folder / "input.bin")
    session = onnxruntime.InferenceSession(model.SerializeToString())
    expected = np.stack([session.run(None, {"x": record})[0] for record in x])
    return om, folder / "input.bin", expected
