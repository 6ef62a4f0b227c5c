# SPDX-License-Identifier: Apache-2.0
"""The environment in which an AscendCL program that knows nothing of aclrt runs on the fake."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from . import config, runtime

__all__ = ["environment", "onnxruntime_library"]


def onnxruntime_library() -> str:
    """The libonnxruntime that the fake will use; ``""`` if none is installed."""
    return os.environ.get("ACLRT_FAKE_ONNXRUNTIME") or os.fsdecode(runtime._onnxruntime())


def environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables to set, and only those.

    Args:
        base: The environment to start from, for its ``LD_LIBRARY_PATH``; None for this process'.

    Returns:
        ``LD_LIBRARY_PATH`` with the drop-in directory first, ``ACLRT_BACKEND``, and
        ``ACLRT_FAKE_ONNXRUNTIME`` where ONNX Runtime is installed.

    Raises:
        FileNotFoundError: The C++ part is not built.
    """
    base = os.environ if base is None else base
    fake = str(Path(config.get_library_dir()) / "fake")
    rest = [part for part in base.get("LD_LIBRARY_PATH", "").split(":") if part and part != fake]
    variables = {"LD_LIBRARY_PATH": ":".join([fake, *rest]), "ACLRT_BACKEND": "fake"}
    library = onnxruntime_library()
    if library:
        variables["ACLRT_FAKE_ONNXRUNTIME"] = library
    return variables
