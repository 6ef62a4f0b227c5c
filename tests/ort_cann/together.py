# SPDX-License-Identifier: Apache-2.0
"""Run inside the wheel's environment: aclrt and the CANN provider in one process.

``python together.py DIGITS.onnx DIGITS.om ORDER``: ORDER is "provider" or "aclrt", who comes first.
Both give their results while the other is alive, and after it has gone.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import onnxruntime

import aclrt


def main() -> int:
    onnx, om, first = sys.argv[1:]
    x = np.random.default_rng(3).random((1, 1, 8, 8), np.float32)
    expected = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    (wanted,) = expected.run(None, {"image": x})

    def provider() -> Any:
        return onnxruntime.InferenceSession(onnx, providers=["CANNExecutionProvider"])

    def check(session: Any, model: Any) -> None:
        if session is not None:
            np.testing.assert_allclose(session.run(None, {"image": x})[0], wanted, rtol=1e-5)
        if model is not None:
            np.testing.assert_allclose(model(x)[0], wanted, rtol=1e-5)

    session = provider() if first == "provider" else None
    with aclrt.OfflineModel(om) as model:
        check(session, model)
        session = session or provider()
        for _ in range(3):
            check(session, model)
    check(session, None)
    # aclrt adopts the initialisation that it finds; the provider is not shut down by it.
    assert aclrt.runtime_info().is_adopted is (first == "provider")
    with aclrt.OfflineModel(om) as model:
        del session
        check(None, model)
    print("ran", first)
    return 0


if __name__ == "__main__":
    sys.exit(main())
