# SPDX-License-Identifier: Apache-2.0
"""Complete pyACL programs, which know nothing of aclrt, run by `aclrt fake run -- python ...`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from .conftest import Job, Run

SAID = {
    "classify.py": "x [2, 3, 8, 8] 0 Ascend310P3\n",
    "callbacks.py": "timed\n",
    "threads.py": "",
}


@pytest.mark.parametrize("script", SAID)
def test_script_runs_unchanged(
    script: str, job: Job, run_script: Callable[..., Run], tmp_path: Path
) -> None:
    """ONNX Runtime's results, the expected words, nothing alive and nothing damaged at the end."""
    target = tmp_path / "out.npy"
    done = run_script(script, job.om, job.records, target, PYTHONWARNINGS="ignore")
    assert (done.code, done.err, done.out) == (0, "", SAID[script])
    np.testing.assert_allclose(np.load(target), job.expected, rtol=1e-6, atol=1e-6)
    assert done.live == {}
    assert done.ledger["guards_damaged"] == 0
    assert not done.ledger["state"]["initialised"]


# What is mended of the tutorial, and what is said about the next mistake.
MISTAKES = {
    "": (
        "TypeError: acl.create_data_buffer: argument 1 (data) must be int, an address, not bytes.",
        "acl.rt.malloc",
        "acl.rt.memcpy",
        "acl.util.bytes_to_ptr",
    ),
    "bytes": (
        "acl.mdl.execute returned 500002",
        "the output dataset has 0 buffers",
        "AttributeError: acl.NPY_FLOAT32: pyACL has no constants",
        "acl.util.ptr_to_numpy(ptr, shape, 11)",
    ),
    "bytes constant": (
        "ValueError: acl.util.ptr_to_numpy: the address is 0 (NULL)",
        "acl.mdl.add_dataset_buffer",
    ),
    "bytes output constant copy": (
        "acl.mdl.execute returned 507011",
        "input 0: the memory for its 1536 bytes is not device memory",
    ),
    "host output constant": (
        "ValueError: acl.util.ptr_to_numpy: ",
        "is device memory, which the host cannot read",
        "acl.rt.malloc_host",
    ),
}


@pytest.mark.parametrize("mended", MISTAKES)
def test_the_tutorial_is_told_each_mistake(
    mended: str, job: Job, run_script: Callable[..., Run], tmp_path: Path
) -> None:
    """Not a crash: the mistake and the right call, one after the other as they are mended."""
    done = run_script("tutorial.py", job.om, job.records, tmp_path / "y.npy", MENDED=mended)
    assert done.code == (0 if "copy" in mended else 1)
    for words in MISTAKES[mended]:
        assert words in done.err


def test_the_mended_tutorial_works(
    job: Job, run_script: Callable[..., Run], tmp_path: Path
) -> None:
    """With all mistakes mended it gives the results; what it leaves behind is in the ledger."""
    mended = "host output constant copy"
    done = run_script("tutorial.py", job.om, job.records, tmp_path / "y.npy", MENDED=mended)
    assert (done.code, done.out) == (0, "")
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), job.expected[:1], rtol=1e-6, atol=1e-6)
    assert done.live["device_memory"] == 2


def test_a_real_pyacl_is_not_shadowed(run_script: Callable[..., Run], tmp_path: Path) -> None:
    """Neither on PYTHONPATH nor in site-packages; a folder of that name is none."""
    script = tmp_path / "script.py"
    script.write_text("import acl; print(acl.__file__ or acl.__doc__.split(':')[0])\n")
    (tmp_path / "acl").mkdir()
    assert "compat" in run_script(script).out
    (tmp_path / "acl").rmdir()
    real = tmp_path / "cann" / "acl.py"
    real.parent.mkdir()
    real.write_text("rt = 'the real one'\n")
    assert f"{real}\n" == run_script(script, PYTHONPATH=str(real.parent)).out
    behind = f"import sys; sys.path.append({str(real.parent)!r}); import acl; print(acl.rt)\n"
    script.write_text(behind)
    assert "the real one\n" == run_script(script).out


def test_a_python_without_aclrt_is_told(run_script: Callable[..., Run], tmp_path: Path) -> None:
    """The stand-in needs aclrt in the Python that runs the script."""
    script = tmp_path / "script.py"
    script.write_text("import sys; sys.modules['aclrt'] = None\nimport acl\n")
    done = run_script(script)
    assert done.code == 1
    assert f"pyACL is not installed, nor is aclrt in this Python ({sys.executable})" in done.err


def test_a_destructor_at_exit_works(run_script: Callable[..., Run], tmp_path: Path) -> None:
    """Wrappers of other people free their objects in __del__, when the interpreter is half gone."""
    script = tmp_path / "script.py"
    script.write_text(
        "import acl\n"
        "class Owner:\n"
        "    def __init__(self):\n"
        "        acl.init(); acl.rt.set_device(0)\n"
        "        self.memory, ret = acl.rt.malloc(64, 0)\n"
        "    def __del__(self):\n"
        "        assert acl.rt.free(self.memory) == 0\n"
        "        assert acl.rt.reset_device(0) == 0 and acl.finalize() == 0\n"
        "        print('freed', acl.get_recent_err_msg(), flush=True)\n"
        "owner = Owner()\n"
        "import builtins; builtins.kept = owner\n"
    )
    done = run_script(script)
    assert (done.code, done.err, done.out) == (0, "", "freed None\n")
    assert done.live == {}


def test_acl_and_aclrt_share_a_process(
    job: Job, run_script: Callable[..., Run], tmp_path: Path
) -> None:
    """Who came second adopts: a context stays what it was, and nobody is finalised by the other."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, numpy as np, acl, aclrt\n"
        "x = np.load(sys.argv[2])[0]\n"
        "assert acl.init() == 0 and acl.rt.set_device(0) == 0\n"
        "context, ret = acl.rt.create_context(0)\n"
        "memory, ret = acl.rt.malloc(64, 0)\n"
        "with aclrt.OfflineModel(sys.argv[1]) as model:\n"
        "    assert aclrt.runtime_info().is_adopted\n"
        "    y = model(x)[0]\n"
        "    assert acl.rt.get_context() == (context, 0)\n"
        "assert acl.rt.memset(memory, 64, 0, 64) == 0\n"
        "assert acl.rt.free(memory) == 0 and acl.rt.destroy_context(context) == 0\n"
        "assert acl.rt.reset_device(0) == 0 and acl.finalize() == 0\n"
        "np.save(sys.argv[3], y)\n"
    )
    done = run_script(script, job.om, job.records, tmp_path / "y.npy")
    assert (done.code, done.err) == (0, "")
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), job.expected[0], rtol=1e-6, atol=1e-6)
    assert done.live == {}


def test_without_cann_the_fake_is_announced(job: Job, tmp_path: Path) -> None:
    """`from aclrt.compat import acl` on a machine without CANN: one warning at the first call."""
    code = "from aclrt.compat import acl\nassert acl.init() == 0\nassert acl.finalize() == 0\n"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("ACLRT_", "ASCEND"))}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=inherited, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr.count("RuntimeWarning: no CANN was found") == 1


ASCENDFLY = os.environ.get("ACLRT_TEST_ASCENDFLY", "")


@pytest.mark.skipif(not ASCENDFLY, reason="ACLRT_TEST_ASCENDFLY names no folder with ascendfly")
def test_ascendfly_runs(job: Job, run_script: Callable[..., Run], tmp_path: Path) -> None:
    """The package from PyPI, unmodified: its context, its arrays, its model; media says no."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, numpy as np, ascend\n"
        "context = ascend.Context({0}).context_dict[0]\n"
        "model = ascend.AscendModel(context, sys.argv[1])\n"
        "results = []\n"
        "for x in np.load(sys.argv[2]):\n"
        "    model.feed_data({'x': ascend.AscendArray.clone(x, context)})\n"
        "    model.run()\n"
        "    results.append(model.get_tensor_by_name(model.tensor_names['output'][0]).to_np)\n"
        "np.save(sys.argv[3], np.stack(results))\n"
        "try:\n"
        "    ascend.Image(context)\n"
        "except AttributeError as error:\n"
        "    print(error)\n"
    )
    environment = {"PYTHONPATH": ASCENDFLY, "PYTHONWARNINGS": "ignore"}
    done = run_script(script, job.om, job.records, tmp_path / "y.npy", **environment)
    assert (done.code, done.err) == (0, "")
    assert "DVPP media is not supported" in done.out
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), job.expected, rtol=1e-6, atol=1e-6)
    assert done.live == {}
