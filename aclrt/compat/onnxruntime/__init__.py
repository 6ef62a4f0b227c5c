# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime's Python interface over ``aclrt.OfflineModel``: sessions on ``.om`` files.

>>> from aclrt.compat import onnxruntime as ort                     # doctest: +SKIP
>>> session = ort.InferenceSession("m.om")                          # doctest: +SKIP
>>> probs, = session.run(None, {"image": image})                    # doctest: +SKIP

The model is compiled, so options that tell ONNX Runtime how to optimise or to thread have no
effect; a session says which it was given. ONNX files are refused: convert them first.
"""

from __future__ import annotations

from typing import Any

from aclrt.compat._unsupported import Unsupported
from aclrt.runtime import version as _version
from aclrt.tensor import NodeArg

from ._binding import IOBinding, OrtValue
from ._options import ExecutionMode, GraphOptimizationLevel, RunOptions, SessionOptions
from ._session import PROVIDER, InferenceSession, ModelMetadata
from .errors import Fail, InvalidArgument, NoSuchFile

__version__ = _version()

__all__ = [
    "ExecutionMode",
    "Fail",
    "GraphOptimizationLevel",
    "IOBinding",
    "InferenceSession",
    "InvalidArgument",
    "ModelMetadata",
    "NoSuchFile",
    "NodeArg",
    "OrtValue",
    "RunOptions",
    "SessionOptions",
    "get_available_providers",
    "get_device",
]


def get_available_providers() -> list[str]:
    """``["CANNExecutionProvider"]``: all that sessions of this module run on."""
    return [PROVIDER]


def get_device() -> str:
    """``"NPU"``."""
    return "NPU"


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise Unsupported(f"onnxruntime.{name} is not part of aclrt.compat.onnxruntime")
