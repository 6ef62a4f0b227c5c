# SPDX-License-Identifier: Apache-2.0
"""The demo and the examples in Python run as a user would run them, and tell the truth."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DIGITS = EXAMPLES / "digits"


def _run(script, *argv):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ACLRT_")}
    return subprocess.run(
        [sys.executable, "-W", "ignore", script, *argv],
        env=environment,
        capture_output=True,
        text=True,
    )


def test_the_model_reads_digits_it_never_saw():
    """By ONNX Runtime alone: at least 97 % of the held-out images, every digit among them."""
    images, labels = np.load(DIGITS / "test_images.npy"), np.load(DIGITS / "test_labels.npy")
    session = onnxruntime.InferenceSession(DIGITS / "digits.onnx")
    (probs,) = session.run(["probs"], {"image": images})
    assert np.mean(probs.argmax(1) == labels) >= 0.97
    assert set(range(10)) == set(labels.tolist())
    assert (np.float32, (360, 1, 8, 8)) == (images.dtype, images.shape)


def test_the_model_is_small_and_its_batch_is_open():
    """Under 200 KB; opset 17; the batch is chosen when it is converted."""
    assert (DIGITS / "digits.onnx").stat().st_size < 200_000
    model = onnx.load(DIGITS / "digits.onnx")
    assert [("", 17)] == [(opset.domain, opset.version) for opset in model.opset_import]
    dims = model.graph.input[0].type.tensor_type.shape.dim
    assert ["batch", 1, 8, 8] == [dim.dim_param or dim.dim_value for dim in dims]


@pytest.mark.parametrize("cpp", [False, True])
def test_the_demo_agrees_with_onnxruntime_and_leaves_nothing(cpp, tmp_path):
    """No difference at all, the accuracy of ONNX Runtime, a clean ledger."""
    flags = [] if cpp else ["--no-cpp"]
    done = _run(DIGITS / "demo.py", "--output", tmp_path, "--iterations", "50", *flags)
    assert (0, "") == (done.returncode, done.stderr)
    assert ["0.0", "0.0"] == re.findall(r"difference (\S+)$", done.stdout, re.MULTILINE)
    accuracies = re.findall(r"aclrt (\S+)  onnxruntime (\S+)  (\w+)", done.stdout)
    assert 2 + cpp == len(accuracies)
    for ours, reference, what_follows in accuracies:
        assert ours == reference
        assert "of" == what_follows or float(ours.rstrip("%")) >= 97
    assert "clean: nothing is left on the device" in done.stdout.splitlines()[-1]
    assert cpp == ("C++ example" in done.stdout)
    assert (tmp_path / "digits_1.om").is_file()


def test_the_demo_fails_when_results_differ(tmp_path):
    """It compares for real: a model that is not the one given to ONNX Runtime is noticed."""
    code = (
        "import runpy, sys, aclrt\n"
        "run = aclrt.OfflineModel.__call__\n"
        "class Shifted(dict):\n"
        "    def __getitem__(self, name):\n"
        "        return super().__getitem__(name) + 1e-6\n"
        "aclrt.OfflineModel.__call__ = lambda *a, **k: Shifted(run(*a, **k).items())\n"
        f"sys.argv = ['demo.py', '--no-cpp', '--iterations', '5', '--output', {str(tmp_path)!r}]\n"
        f"runpy.run_path({str(DIGITS / 'demo.py')!r}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 1 == done.returncode
    assert "demo: FAILED: one by one: results differ from ONNX Runtime" in done.stderr


def test_the_classify_example():
    """It names the digit in the image that is asked for."""
    label = np.load(DIGITS / "test_labels.npy")[3]
    done = _run(EXAMPLES / "python" / "classify.py", "3")
    assert (0, "") == (done.returncode, done.stderr)
    assert f"image 3: digit {label} " in done.stdout


def test_the_feeding_example():
    """All ways agree, and the wrong dtype is refused."""
    done = _run(EXAMPLES / "python" / "feeding.py")
    assert (0, "") == (done.returncode, done.stderr)
    assert 5 == done.stdout.count(" agrees\n")
    assert "DIFFERS" not in done.stdout
    assert "a wrong dtype is refused" in done.stdout
    assert "float64" in done.stdout
