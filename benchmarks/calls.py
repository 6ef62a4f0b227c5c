# SPDX-License-Identifier: Apache-2.0
"""Call overhead: one inference of a tiny model on the null device, beside everybody else's.

Goals 1 to 4. The device does nothing (profile null, window mode), so all that is measured is what
a call costs on the host.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from . import models
from .child import NULL, WINDOW, Options
from .figures import Figure, Goal
from .naive import InferSession, PyaclScript
from .native import Direct
from .timing import Loop, interleave, loop, ratio

CASES = {"tiny": WINDOW, "many": WINDOW, "tiny without window": NULL, "many without window": NULL}
ONE_THREAD = True  # --cpu-time means something
ON_CARD = ("tiny", "many")

ORT_RUN, ORT_BOUND = "onnxruntime run", "onnxruntime IOBinding"
CALL, FEED, BOUND = "model(x)", "model({...})", "bound step()"
AIS, DIRECT = "ais_bench InferSession.infer (played)", "C++ loop on the C ABI"


def _onnxruntime(onnx: str, feeds: dict[str, np.ndarray], n_out: int) -> dict[str, Loop]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    for name, value in feeds.items():
        binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(value))
    for i in range(n_out):
        value = onnxruntime.OrtValue.ortvalue_from_numpy(np.empty((1, 16), np.float32))
        binding.bind_ortvalue_output(f"y{i}", value)
    return {
        ORT_RUN: loop(lambda: session.run(None, feeds)),
        ORT_BOUND: loop(lambda: session.run_with_iobinding(binding)),
    }


def _openvino(onnx: str, feeds: list[np.ndarray]) -> Callable[[], object]:
    import openvino

    compiled = openvino.Core().compile_model(onnx, "CPU")
    return lambda: compiled(feeds)


def measure(case: str, options: Options) -> dict[str, Any]:
    import aclrt

    name = case.split()[0]
    om, onnx = models.om_of(name, options.folder), models.onnx_of(name, options.folder)
    ascendcl = aclrt.runtime_info().library
    model = aclrt.OfflineModel(om)
    arrays = [np.zeros(spec.shape, spec.dtype) for spec in model.inputs]
    feeds = {spec.name: array for spec, array in zip(model.inputs, arrays, strict=True)}
    outputs = [(spec.shape, spec.dtype) for spec in model.outputs]
    targets = [np.empty(shape, dtype) for shape, dtype in outputs]
    direct = Direct(options.folder, ascendcl, om, [*arrays, *targets])
    session = InferSession(direct, outputs)
    script = PyaclScript(ascendcl, str(om))
    loops = {
        DIRECT: direct.run,
        CALL: loop(lambda: model(*arrays)),
        FEED: loop(lambda: model(feeds)),
        "model(x, out=)": loop(lambda: model(*arrays, out=targets)),
        "model.run(None, {...})": loop(lambda: model.run(None, feeds)),
        **_onnxruntime(str(onnx), feeds, len(outputs)),
        AIS: loop(lambda: session.infer(arrays)),
        "pyACL-style script through ctypes": loop(lambda: script.infer(arrays, outputs)),
    }
    result: dict[str, Any] = {}
    by_name = {**feeds, **dict(zip([s.name for s in model.outputs], targets, strict=True))}
    loops[BOUND] = loop(model.bind(**by_name))
    if options.with_openvino:
        loops["openvino compiled_model()"] = loop(_openvino(str(onnx), arrays))
    samples = interleave(loops, options.repetitions)
    script.close()
    direct.close()
    model.close()
    result["median_us"] = {name: median(values) * 1e6 for name, values in samples.items()}

    def against(above: str, below: str) -> float | None:
        return ratio(samples[above], samples[below]) if above in samples else None

    result["ratios"] = {
        "call/ort": against(CALL, ORT_RUN),
        "feed/ort": against(FEED, ORT_RUN),
        "bound/ort bound": against(BOUND, ORT_BOUND),
        "ais/call": ratio(samples[AIS], samples[CALL]),
        "ais/feed": ratio(samples[AIS], samples[FEED]),
        "ais/bound": ratio(samples[AIS], samples[BOUND]) if BOUND in samples else None,
    }
    return result


def judge(raw: dict[str, Any], options: Options) -> tuple[list[Goal], list[Figure]]:
    tiny, many = raw["tiny"]["ratios"], raw["many"]["ratios"]
    bound = [raw[case]["median_us"].get(BOUND) for case in ("tiny", "many")]
    twice = bound[1] / bound[0] if None not in bound else None
    played = "ais_bench played, see README"
    goals = [
        Goal(1, "model(x), tiny, of onnxruntime's run", tiny["call/ort"], 0.30),
        Goal(1, "ais_bench, of model(x), tiny", tiny["ais/call"], 6, at_most=False, note=played),
        Goal(2, "model({...}), 8 in 4 out, of onnxruntime's run", many["feed/ort"], 0.40),
        Goal(
            2,
            "ais_bench, of model({...}), 8 in 4 out",
            many["ais/feed"],
            5,
            at_most=False,
            note=played,
        ),
        Goal(3, "bound, tiny, of onnxruntime's IOBinding", tiny["bound/ort bound"], 0.12),
        Goal(3, "ais_bench, of bound, tiny", tiny["ais/bound"], 30, at_most=False, note=played),
        Goal(4, "bound, 8 in 4 out, of bound, tiny", twice, 2),
        Goal(4, "bound, 8 in 4 out, of onnxruntime's IOBinding", many["bound/ort bound"], 0.12),
    ]
    titles = {"tiny": "1x16 float32", "many": "8 in, 4 out"}
    figures = [
        Figure(f"calls, {case.replace(key, titles[key])}", what, value, "us")
        for case, result in raw.items()
        for key in (case.split()[0],)
        for what, value in result["median_us"].items()
    ]
    if not options.with_openvino:
        why = "left out: --with-openvino, where the package is installed"
        figures.append(Figure("calls", "openvino compiled_model()", None, "us", why))
    return goals, figures
