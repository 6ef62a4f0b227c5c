# SPDX-License-Identifier: Apache-2.0
"""From an ONNX model to one that is known to work here: doctor, convert, compare, bench.

>>> import aclrt
>>> result = aclrt.deploy("resnet50.onnx", "deployed", batch_sizes=(1, 4, 8))    # doctest: +SKIP
>>> result.ok, [model.path for model in result.models]                           # doctest: +SKIP
"""

from __future__ import annotations

from .result import DeployedModel, DeployInterrupted, Deployment, DeployStep
from .runner import STEPS, deploy

__all__ = [
    "STEPS",
    "DeployInterrupted",
    "DeployStep",
    "DeployedModel",
    "Deployment",
    "deploy",
]
