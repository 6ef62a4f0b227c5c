# SPDX-License-Identifier: Apache-2.0
"""The fake device's true results, beside ONNX Runtime called directly on the model. Goal 11."""

from __future__ import annotations

from statistics import median
from typing import Any

import numpy as np

from . import models
from .child import Options
from .figures import Figure, Goal
from .timing import interleave, loop, ratio

# Not the null board: without a board executes take what the CPU needs, and no more.
CASES: dict[str, dict[str, str]] = {"resnet50": {}, "transformer": {}}
ON_CARD = ()  # on a card there is nothing to compare
TITLES = {"resnet50": "ResNet-50-sized", "transformer": "transformer of 4 layers"}


def measure(case: str, options: Options) -> dict[str, Any]:
    import onnxruntime

    import aclrt

    om, onnx = models.om_of(case, options.folder), models.onnx_of(case, options.folder)
    session = onnxruntime.InferenceSession(str(onnx), providers=["CPUExecutionProvider"])
    with aclrt.OfflineModel(om) as model:
        (spec,) = model.inputs
        x = np.random.default_rng(0).standard_normal(spec.shape, np.float32)
        (expected,) = session.run(None, {"x": x})
        loops = {
            "onnxruntime": loop(lambda: session.run(None, {"x": x})),
            "fake device": loop(lambda: model(x)),
        }
        same = bool(np.array_equal(model(x)[0], expected))
        samples = interleave(loops, max(11, options.repetitions // 5), chunk_s=0.001)
    return {
        "median_ms": {name: median(values) * 1e3 for name, values in samples.items()},
        "ratio": ratio(samples["fake device"], samples["onnxruntime"]),
        "same_bits": same,
    }


def judge(raw: dict[str, Any], options: Options) -> tuple[list[Goal], list[Figure]]:
    goals, figures = [], []
    for case, result in raw.items():
        note = "" if result["same_bits"] else "results differ"
        what = f"fake device, {TITLES[case]}, of onnxruntime"
        goals.append(Goal(11, what, result["ratio"], 1.10, note=note))
        figures += [
            Figure(f"engine, {TITLES[case]}", name, value, "ms")
            for name, value in result["median_ms"].items()
        ]
    return goals, figures
