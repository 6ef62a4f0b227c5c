# SPDX-License-Identifier: Apache-2.0
"""MindX' and acllite's classes, and how facades get their names."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aclrt
import aclrt.compat
from aclrt.compat import Unsupported, acllite, mindx
from aclrt.compat.mindx import base


def test_mindx_in_the_short_spelling(om: str, feeds: list[np.ndarray]) -> None:
    """Model(path, device_id), Tensor(x), to_numpy()."""
    model = mindx.Model(om, device_id=0)
    probs, flags = model.infer([mindx.Tensor(feed) for feed in feeds])
    np.testing.assert_array_equal(probs.to_numpy(), -feeds[0])
    np.testing.assert_array_equal(flags.to_numpy(), ~feeds[1])
    assert (probs.shape, probs.dtype) == ([1, 2, 4], np.float32)
    assert (model.input_num, model.output_num) == (2, 2)
    assert (model.input_shape(1), model.output_shape(0)) == ([2], [1, 2, 4])
    assert (model.input_dtype(0), model.output_dtype(1)) == (np.float32, np.bool_)


def test_mindx_in_the_long_spelling(om: str, feeds: list[np.ndarray]) -> None:
    """mx_init, modelPath and deviceId, to_device and to_host, np.array."""
    with pytest.raises(RuntimeError, match=r"base\.mx_init\(\) must come before"):
        base.model(om, 0)
    base.mx_init()
    model = base.model(modelPath=om, deviceId=0)
    assert base.Model is base.model
    tensors = [base.Tensor(feed) for feed in feeds]
    for tensor in tensors:
        tensor.to_device(0)
        assert tensor.device == 0
    result = model.infer(tensors)[0]
    with pytest.raises(RuntimeError, match=r"on device 0: call to_host\(\) first"):
        np.array(result)
    result.to_host()
    np.testing.assert_array_equal(np.array(result), -feeds[0])
    base.mx_deinit()


def test_mindx_refuses(om: str, feeds: list[np.ndarray], no_file: str) -> None:
    """What is no tensor, does not fit or is not promised."""
    model = mindx.Model(om)
    with pytest.raises(aclrt.InputError, match="takes a list of Tensor objects"):
        model.infer(feeds)
    with pytest.raises(aclrt.InputError, match="float64"):
        model.infer([mindx.Tensor(feeds[0].astype(np.float64)), mindx.Tensor(feeds[1])])
    with pytest.raises(aclrt.InputError, match="-1 is no device"):
        mindx.Tensor(feeds[0]).to_device(-1)
    with pytest.raises(FileNotFoundError):
        mindx.Model(no_file)
    for attribute in (
        lambda: mindx.ImageProcessor,
        lambda: base.rotate,
        lambda: model.input_format,
        lambda: mindx.Tensor(feeds[0]).transpose,
    ):
        with pytest.raises(Unsupported, match=r"not part of aclrt\.compat\.mindx"):
            attribute()


def test_acllite(om: str, feeds: list[np.ndarray], resource: acllite.AclLiteResource) -> None:
    """A resource, a model, arrays in and out."""
    model = acllite.AclLiteModel(om)
    probs, flags = model.execute([feeds[0][0], feeds[1]])
    np.testing.assert_array_equal(probs, -feeds[0])
    np.testing.assert_array_equal(flags, ~feeds[1])
    with pytest.raises(aclrt.InputError, match="int32"):
        model.execute([feeds[0].astype(np.int32), feeds[1]])
    with pytest.raises(Unsupported, match="device memory, DVPP"):
        model.execute([{"data": 1, "size": 2}, feeds[1]])
    for attribute in (lambda: model.execute_with_dynamic_batch_size, lambda: resource.context):
        with pytest.raises(Unsupported, match=r"not part of aclrt\.compat\.acllite"):
            attribute()
    with pytest.raises(Unsupported, match="load_type 1"):
        acllite.AclLiteModel(om, 1)
    model.destroy()
    model.destroy()
    resource.init()
    resource.destroy()
    with pytest.raises(RuntimeError, match=r"AclLiteResource\(\)\.init\(\) first"):
        acllite.AclLiteModel(om)


def test_install_gives_a_facade_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """For this process; every name imports, dotted ones too."""
    for name, modules in aclrt.compat.FACADES.items():
        for imported in modules:
            monkeypatch.setitem(sys.modules, imported, None)
        aclrt.compat.install(name)
        for imported in modules:
            assert __import__(imported) is sys.modules[imported.partition(".")[0]]
            assert sys.modules[imported].__name__.startswith("aclrt.compat.")
        assert getattr(aclrt.compat, name) is sys.modules[name]
    with pytest.raises(ValueError, match="there is no facade 'torch'; there are acl, acllite"):
        aclrt.compat.install("torch")
    assert "ais_bench" in dir(aclrt.compat)
    with pytest.raises(AttributeError):
        _ = aclrt.compat.torch


PROGRAMS = {
    "ais_bench": "from ais_bench.infer.interface import InferSession\n"
    "y = InferSession(0, sys.argv[1]).infer([x, m])[0]",
    "mindx": "from mindx.sdk import Tensor, Model, base\n"
    "y = Model(sys.argv[1], device_id=0).infer([Tensor(x), Tensor(m)])[0].to_numpy()",
    "acllite": "from acllite_resource import AclLiteResource\n"
    "from acllite_model import AclLiteModel\n"
    "res = AclLiteResource(); res.init()\n"
    "y = AclLiteModel(sys.argv[1]).execute([x, m])[0]",
    "onnxruntime": "import onnxruntime as ort\n"
    "import onnxruntime.capi.onnxruntime_pybind11_state as errors\n"
    "session = ort.InferenceSession(sys.argv[1], providers=['CANNExecutionProvider'])\n"
    "y, = session.run(['probs'], {'image': x, 'mask': m})\n"
    "assert errors.InvalidArgument is ort.InvalidArgument",
    "acl": "import acl\ny = -x; assert acl.init() == 0 and acl.finalize() == 0",
}


@pytest.mark.parametrize("name", aclrt.compat.FACADES)
def test_a_program_gets_a_facade_from_outside(
    name: str, om: str, run_script: Callable[..., Any], tmp_path: Path
) -> None:
    """`aclrt fake run --compat NAME -- python their_script.py`; nothing is left on the device."""
    script = tmp_path / "their_script.py"
    script.write_text(
        "import sys\nimport numpy as np\n"
        "x = np.arange(8, dtype=np.float32).reshape(1, 2, 4); m = np.array([True, False])\n"
        f"{PROGRAMS[name]}\nassert (y == -x).all()\nprint('ran')\n"
    )
    done = run_script(script, om, options=("--compat", name))
    assert (done.code, done.err, done.out) == (0, "", "ran\n")
    assert done.live == {}


def test_an_unknown_facade_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and the names that there are."""
    from aclrt.cli import main

    assert main(["fake", "run", "--compat", "torch", "--", "true"]) == 2
    assert "ais_bench" in capsys.readouterr().err
