# SPDX-License-Identifier: Apache-2.0
"""Plain ONNX Runtime on a test of the suite, without anything of aclrt.

It says whether ONNX Runtime itself is the reason why a test cannot pass.
"""

from __future__ import annotations

import ctypes
from typing import Any

import ml_dtypes
import numpy as np
import onnxruntime
from onnx import helper

from onnx_suite.cases import Case

_FOUR_BITS = {"int4", "uint4", "float4_e2m1fn"}
_TWO_BITS = {"int2", "uint2"}


def reason(case: Case) -> tuple[str, str]:
    """Where plain ONNX Runtime fails ("load", "run" or "result") and its words; "" if nowhere."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            case.model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        return "load", str(error)
    names = [output.name for output in session.get_outputs()]
    for inputs, expected in case.data_sets:
        try:
            types = {v.name: v.type.tensor_type.elem_type for v in case.model.graph.input}
            feeds = {
                name: _ort_value(item, types[name])
                for name, item in zip(case.input_names, inputs, strict=True)
            }
            results = session.run_with_ort_values(names, feeds)
            given = [
                _array(result, np.asarray(wanted).dtype)
                for result, wanted in zip(results, expected, strict=True)
            ]
        except Exception as error:
            return "run", str(error)
        try:
            case.judge(expected, given)
        except AssertionError as error:
            return "result", str(error)
    return "", ""


def _per_byte(dtype: np.dtype[Any]) -> int:
    return 2 if dtype.name in _FOUR_BITS else 4 if dtype.name in _TWO_BITS else 1


def _ort_value(item: Any, elem_type: int) -> Any:
    array = np.asarray(item)
    if array.dtype.isbuiltin == 1:
        return onnxruntime.OrtValue.ortvalue_from_numpy(array)
    # A type of ml_dtypes: its bits under the number that ONNX has for it. Small types are packed
    # into the front of an array of the same shape, which is what this call takes the dims from.
    bits = np.ascontiguousarray(array).view(np.dtype(f"uint{8 * array.dtype.itemsize}"))
    per_byte = _per_byte(array.dtype)
    if per_byte > 1:
        width = 8 // per_byte
        flat = np.zeros(-(-bits.size // per_byte) * per_byte, np.uint8)
        flat[: bits.size] = bits.ravel() & ((1 << width) - 1)
        lanes = flat.reshape(-1, per_byte) << (np.arange(per_byte, dtype=np.uint8) * width)
        packed = np.zeros(bits.size, np.uint8)
        merged = np.bitwise_or.reduce(lanes, axis=1)
        packed[: merged.size] = merged
        bits = packed
    return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(
        bits.reshape(array.shape), elem_type
    )


def _array(result: Any, wanted: np.dtype[Any]) -> Any:
    if not hasattr(ml_dtypes, wanted.name):
        return result.numpy()
    if result.element_type() != helper.np_dtype_to_tensor_dtype(wanted):
        raise TypeError(f"the output is {result.data_type()}, not {wanted}")
    shape = tuple(result.shape())
    count = int(np.prod(shape))
    per_byte = _per_byte(wanted)
    size = -(-count * wanted.itemsize // per_byte)
    raw = np.frombuffer(ctypes.string_at(result.data_ptr(), size), np.uint8)
    if per_byte == 1:
        return raw.view(wanted).reshape(shape)
    width = 8 // per_byte
    lanes = raw[:, None] >> (np.arange(per_byte, dtype=np.uint8) * width)
    values = (lanes & ((1 << width) - 1)).ravel()[:count]
    if not wanted.name.startswith("u"):
        values = (values ^ (1 << (width - 1))).astype(np.int8) - (1 << (width - 1))
    return values.astype(wanted).reshape(shape)
