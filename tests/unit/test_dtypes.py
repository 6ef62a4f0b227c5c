# SPDX-License-Identifier: Apache-2.0
"""AscendCL's element types as NumPy dtypes."""

from __future__ import annotations

import sys

import ml_dtypes
import numpy as np
import pytest

import aclrt
from aclrt import dtypes

PLAIN = {
    "float16": 1, "float32": 0, "float64": 11, "bool": 12, "complex64": 16, "complex128": 17,
    "int8": 2, "int16": 6, "int32": 3, "int64": 9,
    "uint8": 4, "uint16": 7, "uint32": 8, "uint64": 10,
}  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_numpys_own_types(name):
    """Both directions, and always the same object."""
    assert np.dtype(name) == dtypes.dtype_of(PLAIN[name])
    assert dtypes.dtype_of(PLAIN[name]) is dtypes.dtype_of(PLAIN[name])
    assert PLAIN[name] == dtypes.number_of(name)
    assert name == dtypes.NAMES[PLAIN[name]]


@pytest.mark.parametrize("number", [27, 29, 35, 36, 37])
def test_types_of_ml_dtypes(number):
    """bfloat16, int4 and the 8-bit floats."""
    dtype = dtypes.dtype_of(number)
    assert np.dtype(getattr(ml_dtypes, dtype.name)) == dtype
    assert number == dtypes.number_of(dtype)


@pytest.mark.parametrize("number", [13, 30, 40, 12345, -1])
def test_types_that_numpy_cannot_hold(number):
    """Strings, less than a byte, unknown numbers."""
    with pytest.raises(aclrt.ModelLoadError, match="elements of type"):
        dtypes.dtype_of(number)


def test_without_ml_dtypes_the_error_names_the_extra(om_factory, monkeypatch):
    """The model is refused at load, with what to install, and given back."""
    om = om_factory.identity("bfloat16")
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    monkeypatch.setattr(dtypes.np, "dtype", _without_bfloat16)
    dtypes.dtype_of.cache_clear()
    with pytest.raises(aclrt.ModelLoadError, match="bfloat16") as caught:
        aclrt.OfflineModel(om)
    assert 'pip install "aclrt[bf16]"' == caught.value.hint


def test_names_that_numpy_learns_from_ml_dtypes(monkeypatch):
    """The type is found in ml_dtypes also where NumPy does not know its name."""
    monkeypatch.setattr(dtypes.np, "dtype", _without_bfloat16)
    assert ml_dtypes.bfloat16 == dtypes.dtype_of.__wrapped__(27).type


def _without_bfloat16(name, _dtype=np.dtype):
    # ml_dtypes taught NumPy the name when this file imported it.
    if name == "bfloat16":
        raise TypeError(name)
    return _dtype(name)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "tensor(float)"),
        (1, "tensor(float16)"),
        (11, "tensor(double)"),
        (27, "tensor(bfloat16)"),
        (35, "tensor(float8e5m2)"),
        (36, "tensor(float8e4m3fn)"),
        (12, "tensor(bool)"),
        (9, "tensor(int64)"),
    ],
)
def test_onnxruntimes_words(number, name):
    """Type names as get_inputs() of ONNX Runtime gives them."""
    assert name == dtypes.onnx_type(number)


def test_a_dtype_that_ascendcl_lacks():
    """None, not an exception."""
    assert dtypes.number_of("datetime64[s]") is None


def test_format_names():
    """aclFormat numbers have names."""
    assert "NCHW" == dtypes.format_name(0)
    assert "ND" == dtypes.format_name(2)
    assert "" == dtypes.format_name(12345)
