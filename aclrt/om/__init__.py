# SPDX-License-Identifier: Apache-2.0
"""Offline model files (``.om``): look into them, and write simulated ones from ONNX.

Needs no device. The ``onnx`` package is imported by ``convert`` when it is called, not before.
"""

from ._convert import convert
from ._inspect import ModelInfo, PartitionInfo, TensorInfo, inspect

__all__ = ["ModelInfo", "PartitionInfo", "TensorInfo", "convert", "inspect"]
