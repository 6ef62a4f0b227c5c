# SPDX-License-Identifier: Apache-2.0
"""The environment in which an AscendCL program that knows nothing of aclrt runs on the fake."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import config, runtime

__all__ = ["environment", "onnxruntime_library"]


def onnxruntime_library() -> str:
    """The libonnxruntime that the fake will use; ``""`` if none is installed."""
    return os.environ.get("ACLRT_FAKE_ONNXRUNTIME") or runtime.find_onnxruntime()


def environment(
    base: Mapping[str, str] | None = None, facades: Sequence[str] = ()
) -> dict[str, str]:
    """The variables to set, and only those.

    Args:
        base: The environment to start from, for its paths; None for this process'.
        facades: Names of ``aclrt.compat`` that Python programs shall import in place of the
            libraries that they stand for.

    Returns:
        ``LD_LIBRARY_PATH`` with the drop-in directory first, ``PYTHONPATH`` with the facades first
        and the stand-in for pyACL last, ``ACLRT_BACKEND``, and ``ACLRT_FAKE_ONNXRUNTIME`` where
        ONNX Runtime is installed.

    Raises:
        FileNotFoundError: The C++ part is not built.
    """
    base = os.environ if base is None else base
    fake = str(Path(config.get_library_dir()) / "fake")
    rest = [part for part in base.get("LD_LIBRARY_PATH", "").split(":") if part and part != fake]
    modules = Path(__file__).parent / "compat" / "_path"
    first = [str(modules / facade) for facade in facades if facade != "acl"]
    last = str(modules / "pyacl")
    given = base.get("PYTHONPATH", "").split(":") if base.get("PYTHONPATH") else []
    given = [part for part in given if part not in (*first, last)]
    variables = {
        "LD_LIBRARY_PATH": ":".join([fake, *rest]),
        "PYTHONPATH": ":".join([*first, *given, last]),
        "ACLRT_BACKEND": "fake",
    }
    library = onnxruntime_library()
    if library:
        variables["ACLRT_FAKE_ONNXRUNTIME"] = library
    return variables
