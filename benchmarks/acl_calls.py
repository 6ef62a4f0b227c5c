# SPDX-License-Identifier: Apache-2.0
"""AscendCL calls for one inference, counted by the fake's ledger. Goal 7.

Necessary are a copy for each input and output and one execute; allowed is one
aclrtGetCurrentContext. Where the thread's context is another one, two aclrtSetCurrentContext more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import models
from .child import NULL, Options
from .figures import Figure, Goal
from .naive import InferSession
from .native import Direct

CASES = {"counts": NULL}
ON_CARD = ()  # only the fake keeps a ledger
N = 100


def counted(call: Callable[[], object], n: int = N) -> dict[str, float]:
    """AscendCL calls by name, for one of n calls."""
    from aclrt import fake

    call()
    before = fake.ledger()["calls"]
    for _ in range(n):
        call()
    after = fake.ledger()["calls"]
    made = {name: (count - before.get(name, 0)) / n for name, count in after.items()}
    return {name: count for name, count in made.items() if count}


def excess(calls: dict[str, float], n_in: int, n_out: int) -> float:
    """Calls that are too many or missing: 0 is the goal."""
    allowed = {"aclrtMemcpy": n_in + n_out, "aclmdlExecute": 1}
    wrong = abs(calls.get("aclrtGetCurrentContext", 0) - 0.5) > 0.5
    others = set(calls) - set(allowed) - {"aclrtGetCurrentContext"}
    return (
        float(wrong)
        + sum(abs(calls.get(name, 0) - count) for name, count in allowed.items())
        + sum(calls[name] for name in others)
    )


def measure(case: str, options: Options) -> dict[str, Any]:
    import aclrt

    result: dict[str, Any] = {}

    def add(what: str, call: Callable[[], object], n_in: int, n_out: int) -> None:
        calls = counted(call)
        result[what] = {"calls": calls, "excess": excess(calls, n_in, n_out)}

    for name, title in (("tiny", "1 in, 1 out"), ("many", "8 in, 4 out")):
        om = models.om_of(name, options.folder)
        with aclrt.OfflineModel(om) as model:
            shape = (len(model.inputs), len(model.outputs))
            arrays = [np.zeros(spec.shape, spec.dtype) for spec in model.inputs]
            feeds = {s.name: a for s, a in zip(model.inputs, arrays, strict=True)}
            targets = {s.name: np.empty(s.shape, s.dtype) for s in model.outputs}
            add(f"model(x), {title}", lambda m=model, a=arrays: m(*a), *shape)
            add(f"model({{...}}), {title}", lambda m=model, f=feeds: m(f), *shape)
            add(
                f"model(x, out=), {title}",
                lambda m=model, a=arrays, t=targets: m(*a, out=t),
                *shape,
            )
            add(f"bound step(), {title}", model.bind(**feeds, **targets), *shape)
            hosts = [*arrays, *targets.values()]
            direct = Direct(options.folder, aclrt.runtime_info().library, om, hosts)
            outputs = [(spec.shape, spec.dtype) for spec in model.outputs]
            session = InferSession(direct, outputs)
            calls = counted(lambda s=session, a=arrays: s.infer(a))
            result[f"ais_bench (played), {title}"] = {"calls": calls, "excess": None}
            direct.close()
    with aclrt.OfflineModel(models.om_of("gears", options.folder)) as model:
        batch = np.zeros((2, 16), np.float32)
        calls = counted(lambda: model(batch))
        result["model(x) of the same gear again"] = {"calls": calls, "excess": None}
    return result


def judge(raw: dict[str, Any], options: Options) -> tuple[list[Goal], list[Figure]]:
    counts = raw["counts"]
    goals, figures = [], []
    for what, result in counts.items():
        names = ", ".join(f"{count:g} {name}" for name, count in sorted(result["calls"].items()))
        total = sum(result["calls"].values())
        figures.append(Figure("AscendCL calls", what, total, "calls", names))
        if result["excess"] is not None:
            goals.append(Goal(7, f"{what}: calls beyond the needed", result["excess"], 0, ""))
    if not any("bound" in what for what in counts):
        goals.append(Goal(7, "bound step(): calls beyond the needed", None, 0, ""))
    return goals, figures
