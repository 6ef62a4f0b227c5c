# SPDX-License-Identifier: Apache-2.0
"""The ONNX backend suite's node tests on the CANN provider: run inside the wheel's environment.

``python suite.py FILE`` runs the tests that FILE has no line for, and appends two lines for each:
its name, and when it is done its name, category and reason. A test that ends the process leaves the
first line alone; the parent starts the program again behind it. Categories come from the model, or
from what plain ONNX Runtime does with it.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from onnx_suite import cases

PASSED = "passed"
UNCLAIMED = "not claimed"
TYPES = "sequence, optional or map"
STRINGS = "string tensor"
CPU = "plain ONNX Runtime"
BODIES = "control flow"
FAILED = "failed"
CATEGORIES = {
    PASSED: "the result that the suite asks for",
    UNCLAIMED: "the provider leaves a node to the CPU, or refuses the model",
    STRINGS: "a device has no strings; the provider copies them there all the same, which can end "
    "the process",
    TYPES: "an offline model has tensors only",
    CPU: "the wheel's CPU provider does not give the suite's result either",
    BODIES: "the provider puts fused nodes of its own into the bodies of If, Loop and Scan, which "
    "nobody else knows",
    FAILED: "a defect of aclrt",
}


def session(model: bytes, provider: str, strict: bool = False) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    if strict:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    settings = [{"dump_om_model": "0"}] if provider.startswith("CANN") else [{}]
    return onnxruntime.InferenceSession(
        model, options, providers=[provider], provider_options=settings
    )


def judge(net: Any, case: cases.Case) -> None:
    for inputs, expected in case.data_sets:
        case.judge(expected, net.run(None, dict(zip(case.input_names, inputs, strict=True))))


def reason(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def has_strings(case: cases.Case) -> bool:
    values = [*case.model.graph.input, *case.model.graph.output]
    return any(value.type.tensor_type.elem_type == onnx.TensorProto.STRING for value in values)


def why_not(case: cases.Case) -> str:
    """The category of a test that has not passed."""
    values = [*case.model.graph.input, *case.model.graph.output]
    if any(value.type.WhichOneof("value") != "tensor_type" for value in values):
        return TYPES
    if has_strings(case):
        return STRINGS
    try:
        judge(session(case.model.SerializeToString(), "CPUExecutionProvider"), case)
    except BaseException:
        return CPU
    attributes = (a for node in case.model.graph.node for a in node.attribute)
    return BODIES if any(a.type == onnx.AttributeProto.GRAPH for a in attributes) else FAILED


def outcome(case: cases.Case) -> tuple[str, str]:
    try:
        net = session(case.model.SerializeToString(), "CANNExecutionProvider", strict=True)
    except Exception as error:
        return UNCLAIMED, reason(error)
    try:
        judge(net, case)
    except BaseException as error:
        return why_not(case), reason(error)
    return PASSED, ""


def ended(case: cases.Case) -> tuple[str, str]:
    """Of a test that ended the process."""
    return (STRINGS if has_strings(case) else FAILED), "the process ended"


def main() -> int:
    target = Path(sys.argv[1])
    lines = target.read_text("utf-8").splitlines() if target.exists() else []
    begun = {json.loads(line)[0]: len(json.loads(line)) for line in lines}
    with target.open("a", encoding="utf-8") as file, np.errstate(all="ignore"):
        for case in cases.load():
            known = begun.get(case.name)
            if case.kind != "node" or known == 3:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # overflows that the tests provoke on purpose
                if known is None:
                    print(json.dumps([case.name]), file=file, flush=True)
                done = outcome(case) if known is None else ended(case)
            print(json.dumps([case.name, *done]), file=file, flush=True)
    versions = {"onnx": onnx.__version__, "onnxruntime-cann": onnxruntime.__version__}
    print(json.dumps(versions | {"numpy": np.__version__}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
