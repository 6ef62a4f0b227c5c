# SPDX-License-Identifier: Apache-2.0
"""What the wrapper adds to the host's memory traffic: an image of 602 KB, a batch of eight.

Goals 5 and 6, beside a C++ loop with everything allocated before. In window mode, because with
plain memory the caches' luck with "host" and "device" buffers swamps the ratios.
"""

from __future__ import annotations

from statistics import median
from typing import Any

import numpy as np

from . import models
from .child import WINDOW, Options
from .figures import Figure, Goal
from .native import Direct
from .timing import interleave, loop, ratio

CASES = {"image": WINDOW, "batch": WINDOW, "echo": WINDOW}
ONE_THREAD = True  # --cpu-time means something
ON_CARD = ("image", "batch", "echo")
TITLES = {
    "image": "image, 602 KB in, 12 bytes out",
    "batch": "batch, 4.8 MB in, 96 bytes out",
    "echo": "image to image, 602 KB in and out",
}
DIRECT, CALL, OUT, BOUND = "C++ loop on the C ABI", "model(x)", "model(x, out=)", "bound step()"


def measure(case: str, options: Options) -> dict[str, Any]:
    import aclrt

    om = models.om_of(case, options.folder)
    model = aclrt.OfflineModel(om)
    (spec,), (made,) = model.inputs, model.outputs
    x, y = np.ones(spec.shape, spec.dtype), np.empty(made.shape, made.dtype)
    direct = Direct(options.folder, aclrt.runtime_info().library, om, [x, y])
    loops = {
        DIRECT: direct.run,
        CALL: loop(lambda: model(x)),
        OUT: loop(lambda: model(x, out=y)),
    }
    loops[BOUND] = loop(model.bind(**{spec.name: x, made.name: y}))
    samples = interleave(loops, options.repetitions)
    direct.close()
    model.close()
    return {
        "median_us": {name: median(values) * 1e6 for name, values in samples.items()},
        "ratios": {name: ratio(values, samples[DIRECT]) for name, values in samples.items()},
    }


def judge(raw: dict[str, Any], options: Options) -> tuple[list[Goal], list[Figure]]:
    goals = [
        Goal(number, f"{what}, {case}, of the C++ loop", raw[case]["ratios"].get(what), limit)
        for number, case, limits in ((5, "image", (1.10, 1.05)), (6, "batch", (1.08, 1.03)))
        for what, limit in zip((CALL, BOUND), limits, strict=True)
    ]
    figures = [
        Figure(f"copies, {TITLES[case]}", what, value, "us", f"{result['ratios'][what]:.3f}x")
        for case, result in raw.items()
        for what, value in result["median_us"].items()
    ]
    return goals, figures
