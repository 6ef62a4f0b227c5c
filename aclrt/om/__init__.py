# SPDX-License-Identifier: Apache-2.0
"""Offline model files (``.om``): look into them, and write simulated ones from ONNX.

Needs no device. The ``onnx`` package is imported by ``convert`` when it is called, not before.
"""

from ._build import Built, CompilerError, build, compiler
from ._convert import convert
from ._diff import Difference, diff
from ._info import (
    AippInfo,
    AippTensor,
    GraphInfo,
    ModelInfo,
    OutputShape,
    PartitionInfo,
    SubModelInfo,
    TensorInfo,
)
from ._inspect import inspect
from ._load_check import LoadCheck, LoadFinding, check_load

__all__ = [
    "AippInfo",
    "AippTensor",
    "Built",
    "CompilerError",
    "Difference",
    "GraphInfo",
    "LoadCheck",
    "LoadFinding",
    "ModelInfo",
    "OutputShape",
    "PartitionInfo",
    "SubModelInfo",
    "TensorInfo",
    "build",
    "check_load",
    "compiler",
    "convert",
    "diff",
    "inspect",
]
