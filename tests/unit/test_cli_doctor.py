# SPDX-License-Identifier: Apache-2.0
"""`aclrt doctor`: a report when all is well, and when nothing works."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

import numpy as np

import aclrt
import aclrt.doctor


def _doctor(*argv, **environment):
    """Doctor in a process of its own, with nothing of our environment that steers aclrt."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("ACLRT_", "ASCEND_"))}
    return subprocess.run(
        [sys.executable, "-m", "aclrt", "doctor", *argv],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
    )


def test_it_names_the_backend_and_the_reason():
    """Backend, library, search, devices and versions are all there."""
    done = _doctor(ACLRT_BACKEND="fake")
    assert (0, "") == (done.returncode, done.stderr)
    out = done.stdout
    assert out.startswith("backend: fake\n")
    for text in (
        "the fake was asked for",
        "fake/libascendcl.so",
        aclrt.__version__,
        np.__version__,
    ):
        assert text in out
    assert "search for libascendcl, in order:" in out
    assert "no problems found" in out


def test_json_is_the_python_twin():
    """--json prints what aclrt.doctor.collect() returns."""
    done = _doctor("--json", ACLRT_BACKEND="fake")
    assert 0 == done.returncode
    report = json.loads(done.stdout)
    code = "import aclrt.doctor, json; print(json.dumps(aclrt.doctor.collect()))"
    twin = subprocess.run(
        [sys.executable, "-c", code],
        env={k: v for k, v in os.environ.items() if not k.startswith(("ACLRT_", "ASCEND_"))}
        | {"ACLRT_BACKEND": "fake"},
        capture_output=True,
        check=True,
    )
    expected = json.loads(twin.stdout)
    for moving in (report["devices"], expected["devices"]):
        for device in moving:
            del device["memory_free"]
    assert expected == report
    assert report["ok"]
    assert [] == report["problems"]
    assert "fake" == report["backend"]["name"]
    assert report["libraries"]["aclrt"].endswith("libaclrt.so")
    assert "libonnxruntime" in report["libraries"]["onnxruntime"]
    assert platform.python_version() == report["versions"]["python"]
    assert report["trail"]
    assert 0 == report["devices"][0]["id"]


def test_a_runtime_that_cannot_be_loaded_is_reported(tmp_path):
    """Code 1; the search, the error and the next step are shown, on stdout, without a traceback."""
    path = tmp_path / "libascendcl.so"
    path.write_text("no library")
    done = _doctor(ACLRT_LIBASCENDCL=str(path))
    assert 1 == done.returncode
    assert "" == done.stderr
    assert done.stdout.startswith("backend: none usable\n")
    assert str(path) in done.stdout
    assert "\nerror: " in done.stdout
    assert "\n  next step: " in done.stdout


def test_an_npu_that_is_not_there_is_reported_as_json(tmp_path):
    """--json has the same shape; there is no backend and no device."""
    done = _doctor("--json", "--backend", "npu", HOME=str(tmp_path))
    report = json.loads(done.stdout)
    assert (1, False, None, []) == (
        done.returncode,
        report["ok"],
        report["backend"],
        report["devices"],
    )
    problem = report["problems"][0]
    assert "error" == problem["severity"]
    assert problem["problem"]
    assert "\n" not in problem["problem"]
    assert problem["next_step"]
    assert report["trail"]
    assert aclrt.__version__ == report["versions"]["aclrt"]


def test_the_fake_by_default_is_no_warning_here():
    """The report says it, so stderr stays empty."""
    done = _doctor()
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("backend: fake\n")


def test_a_fake_without_onnxruntime_is_a_warning(tmp_path):
    """It can be used, but not run models: said with the next step."""
    hide = "import sys; sys.modules['onnxruntime'] = None\n"
    code = f"{hide}import aclrt.cli; sys.exit(aclrt.cli.main(['doctor']))"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("ACLRT_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, "ACLRT_BACKEND": "fake"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert 0 == done.returncode
    assert "warning: ONNX Runtime was not found" in done.stdout
    assert 'next step: pip install "aclrt[onnx]"' in done.stdout
