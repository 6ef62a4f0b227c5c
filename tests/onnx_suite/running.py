# SPDX-License-Identifier: Apache-2.0
"""One test of the suite through the fake: convert, load, run, compare.

A test that does not pass belongs to a category, which is found from the model and from what plain
ONNX Runtime does with it, never from a list of names. ``FAILED`` is the category of what nobody but
this project can be blamed for.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnx

import aclrt
from onnx_suite import oracle
from onnx_suite.cases import Case

ABI = Path(__file__).resolve().parents[2] / "csrc" / "acl" / "abi.h"

PASSED = "passed"
FAILED = "failed"
ROUNDED = "ONNX Runtime: result"
CATEGORIES = {
    PASSED: "the same result as the suite asks for",
    "sequence, optional or map": "an offline model has tensors only",
    "string tensor": "a device has no strings",
    "type unknown to AscendCL": "an input or output has elements that aclDataType has no value for",
    "output dims depend on data": "the model declares no dims and the values decide; static "
    "models cannot have that",
    "ONNX Runtime: load": "plain ONNX Runtime does not load the model: an operator, a type or an "
    "attribute that its CPU provider lacks",
    "ONNX Runtime: run": "plain ONNX Runtime loads the model, but refuses to run it",
    ROUNDED: "plain ONNX Runtime gives another result than the suite's",
    FAILED: "a defect of aclrt",
}


@dataclass(frozen=True)
class Outcome:
    """What became of one test: a key of ``CATEGORIES``, and the words of the first error."""

    name: str
    kind: str
    category: str
    detail: str = ""


def run(case: Case, folder: Path) -> Outcome:
    """Runs all data sets of a test; never raises for what the test does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _run_through_fake(case, folder)
        except Exception as error:
            detail = " ".join(f"{type(error).__name__}: {error}".split())[:500]
            return Outcome(case.name, case.kind, _category(case, error), detail)
    return Outcome(case.name, case.kind, PASSED)


def _run_through_fake(case: Case, folder: Path) -> None:
    path = folder / "case.om"
    converted: dict[str, tuple[int, ...]] | None = None
    for inputs, expected in case.data_sets:
        names = case.input_names
        shapes = dict(zip(names, map(np.shape, inputs), strict=True))
        if shapes != converted:
            aclrt.convert(case.model, path, input_shape=shapes)
            converted = shapes
        with aclrt.OfflineModel(path) as model:
            given = list(model(dict(zip(names, inputs, strict=True))))
        case.judge(expected, given)


def _category(case: Case, error: Exception) -> str:
    values = [*case.model.graph.input, *case.model.graph.output]
    if any(value.type.WhichOneof("value") != "tensor_type" for value in values):
        return "sequence, optional or map"
    types = {onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type) for value in values}
    if "STRING" in types:
        return "string tensor"
    if types - _types_of_ascendcl():
        return "type unknown to AscendCL"
    if isinstance(error, aclrt.ModelFormatError) and "depend on the data" in str(error):
        return "output dims depend on data"
    where, _ = oracle.reason(case)
    return f"ONNX Runtime: {where}" if where else FAILED


@cache
def _types_of_ascendcl() -> set[str]:
    """ONNX's names of the element types that aclDataType has a value for."""
    return set(_onnx_names(ABI.read_text("utf-8")))


def _onnx_names(header: str) -> Iterator[str]:
    found = re.search(r"\{([^{}]*)\}\s*aclDataType;", header)
    assert found, "abi.h declares aclDataType"
    for name in re.findall(r"ACL_(\w+)\s*=", found[1]):
        yield {"BF16": "BFLOAT16", "FLOAT4_E2M1": "FLOAT4E2M1"}.get(
            name, re.sub(r"^FLOAT8_", "FLOAT8", name)
        )
