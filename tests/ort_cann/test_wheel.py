# SPDX-License-Identifier: Apache-2.0
"""The `onnxruntime-cann` wheel from PyPI, unmodified, on the fake device.

Skipped unless ACLRT_TEST_ONNXRUNTIME_CANN names a folder: an environment with the wheel is made
there (from the package index, once) and used again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import aclrt
from ort_cann import report
from ort_cann.environment import ROOT, VERSION, Environment

FOLDER = os.environ.get("ACLRT_TEST_ONNXRUNTIME_CANN", "")
DIGITS = ROOT / "examples" / "digits" / "digits.onnx"

pytestmark = pytest.mark.skipif(
    not FOLDER, reason="ACLRT_TEST_ONNXRUNTIME_CANN names no folder for the wheel's environment"
)


@pytest.fixture(scope="module")
def wheel() -> Environment:
    """The environment with the wheel."""
    return Environment(Path(FOLDER).resolve())


@pytest.mark.parametrize("network", [str(DIGITS), "resnet50", "transformer"])
def test_gives_the_cpu_providers_results(wheel: Environment, tmp_path: Path, network: str) -> None:
    """Every node on the device, two batch sizes, each built once; nothing is left, no check fires.

    A second process loads the files that the first has saved, and builds nothing.
    """
    for _ in range(2):
        done = wheel.run(tmp_path, "accept.py", network, 2, 1, 2)
        assert done.code == 0, done.err
        answer = json.loads(done.out)
        assert answer["version"] == VERSION
        assert answer["worst"] < 1e-5
        assert (done.live, done.ledger["checks"]) == ({}, {})
        saved = sorted(tmp_path.glob("*.om"))
        assert len(saved) == 2
    assert done.ledger["calls"]["aclmdlLoadFromFile"] == 2
    for path in saved:
        info = aclrt.inspect(path)
        assert info.simulated
        assert {tensor.shape[0] for tensor in (*info.inputs, *info.outputs)} <= {1, 2}


@pytest.mark.parametrize("first", ["provider", "aclrt"])
def test_in_one_process_with_aclrt(wheel: Environment, tmp_path: Path, first: str) -> None:
    """Whoever initialises AscendCL, both run, and neither ends what the other began."""
    om = aclrt.convert(DIGITS, tmp_path / "digits.om", input_shape={"image": (1, 1, 8, 8)})
    done = wheel.run(tmp_path, "together.py", DIGITS, om, first, PYTHONPATH=str(ROOT))
    assert (done.code, done.out) == (0, f"ran {first}\n"), done.err
    assert (done.live, done.ledger["checks"]) == ({}, {})


def test_node_tests_of_the_suite(wheel: Environment, tmp_path: Path) -> None:
    """Nothing that the provider claims fails by a defect of aclrt; the page has the counts."""
    outcomes, versions = report.run_all(wheel, tmp_path)
    assert {name: why for name, (what, why) in outcomes.items() if what == "failed"} == {}
    text = report.DOCUMENT.read_text("utf-8")
    stated = ", ".join(f"{name} {version}" for name, version in versions.items())
    assert f"Versions: {stated}." in text
    assert report.document(outcomes, versions) == text
