# SPDX-License-Identifier: Apache-2.0
"""Run inside the wheel's environment: the CANN provider against the CPU provider on one network.

``python accept.py NETWORK [BATCH...]``: the digits model (a path), ``resnet50`` or ``transformer``.
Prints a JSON object with the largest difference. Every node has to be the CANN provider's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import models
import numpy as np
import onnxruntime


def main() -> int:
    name = sys.argv[1]
    path = Path(name)
    model = path.read_bytes() if path.exists() else getattr(models, name)().SerializeToString()
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    cpu = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    cann = onnxruntime.InferenceSession(model, options, providers=["CANNExecutionProvider"])
    assert cann.get_providers()[0] == "CANNExecutionProvider"
    random = np.random.default_rng(7)
    (given,) = cpu.get_inputs()
    worst = 0.0
    for batch in map(int, sys.argv[2:]):
        shape = [batch, *given.shape[1:]]
        if given.type == "tensor(int64)":
            feeds = {given.name: random.integers(0, 1000, shape)}
        else:
            feeds = {given.name: random.random(shape, np.float32)}
        for expected, result in zip(cpu.run(None, feeds), cann.run(None, feeds), strict=True):
            assert (expected.shape, expected.dtype) == (result.shape, result.dtype)
            scale = float(np.abs(expected).max())
            worst = max(worst, float(np.abs(expected - result).max()) / scale)
    print(json.dumps({"worst": worst, "version": onnxruntime.__version__}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
