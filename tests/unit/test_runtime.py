# SPDX-License-Identifier: Apache-2.0
"""Which library is in use, and the package's own facts."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

import aclrt
from aclrt import runtime


def test_runtime_info_tells_what_is_in_use():
    """Backend, library, reason, trail, versions."""
    info = aclrt.runtime_info()
    assert isinstance(info, aclrt.RuntimeInfo)
    assert "fake" == info.backend
    assert info.is_fake
    assert Path(info.library).is_file()
    assert "libascendcl.so" in Path(info.library).name
    assert info.reason
    assert info.trail
    assert all(": " in line for line in info.trail)
    assert info.soc_name.startswith("Ascend")
    assert not info.is_default
    assert not info.is_adopted
    assert 3 == len(info.acl_version)
    assert info.device_count >= 1
    assert aclrt.__version__ == info.version == runtime.version()
    with pytest.raises(dataclasses.FrozenInstanceError):
        info.backend = "npu"


def test_another_backend_than_the_one_in_use_is_refused(om_factory):
    """One process has one backend."""
    assert aclrt.runtime_info(backend="fake") == aclrt.runtime_info(backend="auto")
    for attempt in (
        lambda: aclrt.runtime_info(backend="npu"),
        lambda: aclrt.devices(backend="npu"),
        lambda: aclrt.OfflineModel(om_factory.identity(), backend="npu"),
    ):
        with pytest.raises(aclrt.BackendError, match="fake, not npu"):
            attempt()


def test_an_unknown_backend_is_refused():
    """The message lists those there are."""
    with pytest.raises(aclrt.BackendError, match="auto, npu or fake"):
        aclrt.runtime_info(backend="gpu")
    with pytest.raises(aclrt.BackendError, match="auto, npu or fake"):
        runtime.search(backend="gpu")


def test_the_search_alone_shows_every_place():
    """It names the environment variables and the install roots."""
    trail = "\n".join(runtime.search(backend="auto"))
    assert "ACLRT_LIBASCENDCL" in trail


def test_the_version_is_declared_once():
    """The library, the package and the file VERSION agree."""
    version = Path(__file__).parents[2] / "VERSION"
    if version.exists():
        assert version.read_text().strip() == aclrt.__version__


def test_all_public_names_exist():
    """__all__ is true, dir() complete, and unknown names are refused."""
    for name in aclrt.__all__:
        assert getattr(aclrt, name) is not None
    assert set(aclrt.__all__) <= set(dir(aclrt))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        aclrt.nothing  # noqa: B018


def test_importing_loads_nothing_heavy():
    """onnx, onnxruntime, rich, ml_dtypes and json wait until they are needed."""
    code = (
        "import sys, numpy; before = set(sys.modules); import aclrt;"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "aclrt" in loaded
    assert not loaded & {"onnx", "onnxruntime", "rich", "ml_dtypes", "json", "argparse", "cffi"}


def test_docstrings_are_complete():
    """Every public class, method and function says what it does."""
    import inspect

    for name in aclrt.__all__:
        value = getattr(aclrt, name)
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        assert inspect.getdoc(value), name
        for member, attribute in vars(value).items() if inspect.isclass(value) else ():
            if not member.startswith("_") and (
                inspect.isfunction(attribute) or isinstance(attribute, property)
            ):
                assert inspect.getdoc(attribute), f"{name}.{member}"
