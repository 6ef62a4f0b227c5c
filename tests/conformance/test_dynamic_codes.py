# SPDX-License-Identifier: Apache-2.0
"""Contract 18: what the setters of gears refuse, with which code and in which order."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from conformance import acl, dynamic
from conformance.dynamic import bench, numbers

CODES = acl.codes()
INVALID_PARAM = CODES["ACL_ERROR_INVALID_PARAM"]
BAD_ID = CODES["ACL_ERROR_GE_EXEC_MODEL_ID_INVALID"]
LENGTH = CODES["ACL_ERROR_GE_DYNAMIC_INPUT_LENGTH_INVALID"]
NO_GEAR = CODES["ACL_ERROR_GE_DYNAMIC_BATCH_SIZE_INVALID"]

fake_only = pytest.mark.fake_only


def test_c18_codes_of_the_batch_setter(lib: acl.Library) -> None:
    """DYN-CODE-01 (18.1): 100000, then 145012, then 145003, then 145013; nothing is written."""
    with bench(lib, dynamic.batch()) as work:
        set_to = lib.aclmdlSetDynamicBatchSize
        device = work.device
        tiny = device.dataset(work.sources[0], (work.sources[1][0], 3))
        empty = device.dataset(work.sources[0], (None, 0))
        unknown = 4_000_000
        assert set_to(unknown, None, 1, 3) == INVALID_PARAM
        assert set_to(unknown, tiny, 1, 0) == INVALID_PARAM
        assert set_to(unknown, tiny, 2, 3) == INVALID_PARAM
        assert set_to(unknown, empty, 1, 3) == INVALID_PARAM
        assert set_to(unknown, tiny, 1, 3) == LENGTH
        assert set_to(unknown, work.inputs, 1, 3) == BAD_ID
        device.write(work.sources[1][0], np.array([0x55], np.int32))
        for size in (2, 3, 5, 9, 1 << 32, (1 << 64) - 1):
            assert set_to(work.model, work.inputs, 1, size) == NO_GEAR
        assert device.read(work.sources[1][0], np.empty(1, np.int32))[0] == 0x55
        assert work.shape(0) == (8, 3, 2)


def test_c18_codes_of_the_image_setter(lib: acl.Library) -> None:
    """DYN-CODE-02 (18.2): the same order; height and width of two gears are none."""
    with bench(lib, dynamic.image()) as work:
        set_to = lib.aclmdlSetDynamicHWSize
        tiny = work.device.dataset(work.sources[0], (work.sources[1][0], 7))
        unknown = 4_000_000
        assert set_to(unknown, None, 1, 4, 6) == INVALID_PARAM
        for zero in ((0, 6), (4, 0)):
            assert set_to(unknown, tiny, 1, *zero) == INVALID_PARAM
        assert set_to(unknown, tiny, 1, 4, 5) == LENGTH
        assert set_to(unknown, work.inputs, 1, 4, 5) == BAD_ID
        for wrong in ((4, 9), (6, 4), (8, 8)):
            assert set_to(work.model, work.inputs, 1, *wrong) == NO_GEAR
        assert set_to(work.model, work.inputs, 1, 5, 9) == 0


def test_c18_codes_of_the_dims_setter(lib: acl.Library) -> None:
    """DYN-CODE-03 (18.3): 100000, 145003, 145012 for the number of dims and for a fixed one,
    145013, and only then 145012 for the buffer.
    """
    right = (1, 1, 40, 20, 1, 20, 1, 1)
    with bench(lib, dynamic.dims()) as work:
        set_to = lib.aclmdlSetInputDynamicDims
        where = work.sources[work.gear][0]
        tiny = work.device.dataset(*work.sources[:3], (where, 15))
        empty = work.device.dataset(*work.sources[:3], (None, 0))

        def call(model: int, inputs: int, *dims: int) -> int:
            given = acl.IODims(dimCount=len(dims))
            given.dims[: len(dims)] = dims
            return int(set_to(model, inputs, 3, ctypes.byref(given)))

        unknown = 4_000_000
        assert set_to(unknown, work.inputs, 3, None) == INVALID_PARAM
        assert call(unknown, work.inputs) == INVALID_PARAM
        assert call(unknown, empty, *right) == INVALID_PARAM
        assert call(unknown, tiny, 1) == BAD_ID
        assert call(work.model, tiny, *right[:7]) == LENGTH
        assert call(work.model, tiny, *right, 1) == LENGTH
        assert call(work.model, tiny, 2, *right[1:]) == LENGTH
        assert call(work.model, tiny, 1, 1, 40, 20, 1, 20, 2, 2) == NO_GEAR
        assert call(work.model, tiny, *right) == LENGTH
        assert call(work.model, work.inputs, *right) == 0
        assert [work.shape(i) for i in range(3)] == [(1, 1, 40, 20), (1, 20), (1, 1)]


def test_c18_setters_of_other_kinds(lib: acl.Library) -> None:
    """DYN-CODE-04 (18): 145013 from the setters of batch and image, 145012 from that of dims."""
    with bench(lib, dynamic.dims()) as dims, bench(lib, dynamic.batch()) as batch:
        assert dims.set_batch(20) == NO_GEAR
        assert dims.set_image(20, 20) == NO_GEAR
        assert batch.set_dims(4, 3, 2) == LENGTH
        with bench(lib, dynamic.image()) as image:
            assert image.set_batch(4) == NO_GEAR
            assert image.set_dims(1, 2, 4, 6) == LENGTH


def test_c18_current_dims_codes(lib: acl.Library) -> None:
    """DYN-CODE-05 (18.4): aclmdlGetCurOutputDims: 100000 for NULL and index, 145003 when the model
    is gone.
    """
    dims = acl.IODims()
    with bench(lib, dynamic.batch()) as work:
        get = lib.aclmdlGetCurOutputDims
        assert get(work.desc, 0, None) == INVALID_PARAM
        assert get(None, 0, ctypes.byref(dims)) == INVALID_PARAM
        assert get(work.desc, 3, ctypes.byref(dims)) == INVALID_PARAM
        assert lib.aclmdlUnload(work.model) == 0
        work.model = 0
        assert get(work.desc, 0, ctypes.byref(dims)) == BAD_ID


@fake_only
def test_fake_index_of_another_input(lib: acl.Library) -> None:
    """FAKE-DYN-03 (fake): AscendCL does not test the index: the value lands in that buffer; the
    fake does so too, and tells.
    """
    with bench(lib, dynamic.batch()) as work:
        work.feed(numbers(8, 3, 2))
        assert lib.aclmdlSetDynamicBatchSize(work.model, work.inputs, 0, 4) == 0
        assert lib.aclfake_check_count(b"ACLFAKE-DYN-05") == 1
        assert work.device.read(work.sources[0][0], np.empty(1, np.uint64))[0] == 4
