# SPDX-License-Identifier: Apache-2.0
"""int4: two elements in a byte on the device, arrays of ml_dtypes.int4 on the host."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper

import aclrt
from aclrt import dtypes

INT4 = np.dtype(ml_dtypes.int4)
SHAPES = [(), (0,), (1,), (2,), (3, 5), (4, 4), (2, 0, 3), (7, 3, 3)]


def int4_values(shape):
    count = math.prod(shape)
    return (np.arange(count) * 5 % 16 - 8).astype(np.int8).astype(INT4).reshape(shape)


@pytest.fixture
def cast_model(tmp_path):
    """Makes the .om that casts x of one type and shape to y of another type."""

    def make(source, target, shape):
        graph = helper.make_graph(
            [helper.make_node("Cast", ["x"], ["y"], "cast", to=target)],
            "cast",
            [helper.make_tensor_value_info("x", source, shape)],
            [helper.make_tensor_value_info("y", target, shape)],
        )
        model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 21)])
        return aclrt.convert(model, tmp_path / "cast")

    return make


@pytest.mark.parametrize("shape", SHAPES)
def test_input(cast_model, shape):
    """Every element arrives, also the last of an odd number."""
    x = int4_values(shape)
    with aclrt.OfflineModel(cast_model(TensorProto.INT4, TensorProto.FLOAT, shape)) as model:
        assert (INT4, (math.prod(shape) + 1) // 2) == (
            model.inputs[0].dtype,
            model.inputs[0].nbytes,
        )
        assert "tensor(int4)" == model.get_inputs()[0].type
        np.testing.assert_array_equal(x.astype(np.float32), model(x)["y"], strict=True)


@pytest.mark.parametrize("shape", SHAPES)
def test_output(cast_model, shape):
    """The array has one element in a byte, each with its sign; out= takes such an array."""
    x = int4_values(shape).astype(np.float32)
    with aclrt.OfflineModel(cast_model(TensorProto.FLOAT, TensorProto.INT4, shape)) as model:
        for _ in range(2):
            (y,) = model(x)
            assert (INT4, shape) == (y.dtype, y.shape)
            np.testing.assert_array_equal(x, y.astype(np.float32))
        given = np.empty(shape, INT4)
        assert model(x, out=given)["y"] is given
        np.testing.assert_array_equal(x, given.astype(np.float32))


def test_stray_upper_bits_do_not_matter(cast_model):
    """ml_dtypes reads the lower half of a byte alone, and so does a run."""
    x = np.array([0xF1, 0x0F, 0x78], np.uint8).view(INT4)
    with aclrt.OfflineModel(cast_model(TensorProto.INT4, TensorProto.FLOAT, (3,))) as model:
        assert [1, -1, -8] == model(x)["y"].tolist()


def test_not_contiguous(cast_model):
    """One copy, then packed."""
    x = int4_values((6, 4))[::2, ::-1]
    with aclrt.OfflineModel(cast_model(TensorProto.INT4, TensorProto.FLOAT, (3, 4))) as model:
        np.testing.assert_array_equal(x.astype(np.float32), model(x)["y"])


def test_other_integers_are_refused(cast_model):
    """int8 does not fit in int4, packed bytes are not an int4 array."""
    with aclrt.OfflineModel(cast_model(TensorProto.INT4, TensorProto.FLOAT, (4,))) as model:
        for wrong in (np.zeros(4, np.int8), np.zeros(2, np.uint8)):
            with pytest.raises(aclrt.InputError, match="int4"):
                model(wrong)


@pytest.mark.parametrize("count", range(9))
def test_pack_and_unpack(count):
    """The first element is in the lower half, as ONNX packs; an odd last half is 0."""
    x = int4_values((count,))
    packed = dtypes.pack(x)
    expected = helper.make_tensor("t", TensorProto.INT4, [count], x.astype(np.int8)).raw_data
    if not expected:
        expected = bytes(
            helper.make_tensor("t", TensorProto.INT4, [count], x.astype(np.int8)).int32_data
        )
    assert expected == packed.tobytes()
    back = np.empty(count, INT4)
    dtypes.unpack(packed, back)
    assert x.view(np.uint8).tolist() == (back.view(np.uint8) & 15).tolist()
    np.testing.assert_array_equal(x.astype(np.int8), back.astype(np.int8))
