# SPDX-License-Identifier: Apache-2.0
"""Contract 19.2: parameter objects of dynamic AIPP, and models that have none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from conformance import acl, running, small

CODES = acl.codes()
INVALID = CODES["ACL_ERROR_INVALID_PARAM"]
X = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def aipp(raw: acl.Library) -> Iterator[int]:
    """Parameters for two images."""
    handle = raw.aclmdlCreateAIPP(2)
    assert handle
    yield handle
    assert raw.aclmdlDestroyAIPP(handle) == 0


def test_create_and_destroy(raw: acl.Library) -> None:
    """MDL-AIPP-01 (19.2): no images is NULL; NULL and a second destroy are 100000."""
    assert not raw.aclmdlCreateAIPP(0)
    assert raw.aclmdlDestroyAIPP(None) == INVALID
    handle = raw.aclmdlCreateAIPP(1)
    assert raw.aclmdlDestroyAIPP(handle) == 0
    assert raw.aclmdlDestroyAIPP(handle) == INVALID


# name, arguments that pass, and arguments of which each alone is out of range
SETTERS = {
    "aclmdlSetAIPPInputFormat": ([(1,), (4,), (14,)], [(0,), (15,), (0xFFFF,), (-1,)]),
    "aclmdlSetAIPPRbuvSwapSwitch": ([(0,), (1,)], [(2,), (-1,)]),
    "aclmdlSetAIPPAxSwapSwitch": ([(0,), (1,)], [(2,), (-1,)]),
    "aclmdlSetAIPPSrcImageSize": (
        [(2, 1), (4096, 4096)],
        [(1, 1), (4097, 1), (2, 0), (2, 4097), (-2, 4)],
    ),
    "aclmdlSetAIPPCscParams": (
        [
            (1, -32677, 32676, *[256] * 7, *[255] * 6),
            (0, *[-32768] * 9, *[0] * 6),
            (1, *[0] * 9, *[0] * 6),
        ],
        [
            (2, *[0] * 15),
            (1, -32678, *[0] * 14),
            (1, *[0] * 8, 32677, *[0] * 6),
        ],
    ),
    "aclmdlSetAIPPScfParams": (
        [(1, 16, 16, 16, 16, 0), (1, 4096, 4096, 1920, 4096, 1), (0, -1, -1, -1, -1, 1)],
        [
            (2, 16, 16, 16, 16, 0),
            (1, 15, 16, 16, 16, 0),
            (1, 16, 4097, 16, 16, 0),
            (1, 16, 16, 1921, 16, 0),
            (1, 16, 16, 16, 4097, 0),
            (1, 16, 16, 16, 16, 2),
        ],
    ),
    "aclmdlSetAIPPCropParams": (
        [(1, 0, 0, 1, 1, 0), (1, 4095, 4095, 4096, 4096, 1), (0, -1, -1, 0, 0, 1)],
        [
            (-1, 0, 0, 1, 1, 0),
            (1, -1, 0, 1, 1, 0),
            (1, 0, 4096, 1, 1, 0),
            (1, 0, 0, 0, 1, 0),
            (1, 0, 0, 1, 4097, 0),
            (1, 0, 0, 1, 1, 2),
        ],
    ),
    "aclmdlSetAIPPPaddingParams": (
        [(1, 0, 0, 0, 0, 0), (1, 32, 32, 32, 32, 1), (0, 99, 99, 99, 99, 1)],
        [
            (3, 0, 0, 0, 0, 0),
            (1, 33, 0, 0, 0, 0),
            (1, 0, -1, 0, 0, 0),
            (1, 0, 0, 33, 0, 0),
            (1, 0, 0, 0, 33, 0),
            (1, 0, 0, 0, 0, 2),
        ],
    ),
    "aclmdlSetAIPPDtcPixelMean": (
        [(0, 0, 0, 0, 0), (255, 255, 255, 255, 1)],
        [(256, 0, 0, 0, 0), (0, 0, 0, -1, 0), (0, 0, 0, 0, 2)],
    ),
    "aclmdlSetAIPPDtcPixelMin": (
        [(0.0, 0.0, 0.0, 0.0, 0), (255.0, 0.5, 1.0, 2.0, 1)],
        [(255.5, 0.0, 0.0, 0.0, 0), (0.0, 0.0, 0.0, -0.5, 0), (float("nan"), 0.0, 0.0, 0.0, 0)],
    ),
    "aclmdlSetAIPPPixelVarReci": (
        [(-65504.0, 65504.0, 1.0, 0.0, 0), (0.00392, 0.5, 0.5, 1.0, 1)],
        [(65505.0, 0.0, 0.0, 0.0, 0), (0.0, -65505.0, 0.0, 0.0, 0), (1.0, 1.0, 1.0, 1.0, 2)],
    ),
}


@pytest.mark.parametrize("name", SETTERS)
def test_setters(raw: acl.Library, aipp: int, name: str) -> None:
    """MDL-AIPP-02 (19.2): ranges of every setter, batchIndex included; what a switch turns off is
    not tested.
    """
    good, bad = SETTERS[name]
    setter = getattr(raw, name)
    assert [setter(aipp, *arguments) for arguments in good] == [0] * len(good)
    assert [setter(aipp, *arguments) for arguments in bad] == [INVALID] * len(bad)
    assert setter(None, *good[0]) == INVALID


def test_setters_know_stale_handles(raw: acl.Library) -> None:
    """MDL-AIPP-03 (19.2): a destroyed set is 100000."""
    handle = raw.aclmdlCreateAIPP(1)
    assert raw.aclmdlDestroyAIPP(handle) == 0
    assert raw.aclmdlSetAIPPRbuvSwapSwitch(handle, 1) == INVALID


def test_models_without_dynamic_aipp(lib: acl.Library, aipp: int) -> None:
    """MDL-AIPP-04 (19.2): SetInputAIPP 100000, 145003 for an unknown model; by the input's index
    500001.
    """
    model = running.load(lib, small.double())
    with running.Buffers(lib) as device:
        dataset = device.dataset((device.upload(X), X.nbytes))
        assert lib.aclmdlSetInputAIPP(model, None, 0, aipp) == INVALID
        assert lib.aclmdlSetInputAIPP(model, dataset, 0, None) == INVALID
        assert lib.aclmdlSetInputAIPP(model, dataset, 0, aipp) == INVALID
        assert lib.aclmdlSetInputAIPP(model, dataset, 9, aipp) == INVALID
        unknown = CODES["ACL_ERROR_GE_EXEC_MODEL_ID_INVALID"]
        assert lib.aclmdlSetInputAIPP(model + 99, dataset, 0, aipp) == unknown
        assert lib.aclmdlSetAIPPByInputIndex(model + 99, dataset, 1, aipp) == INVALID
        assert lib.aclmdlSetAIPPByInputIndex(model + 99, dataset, 0, aipp) == unknown
        failure = CODES["ACL_ERROR_FAILURE"]
        assert lib.aclmdlSetAIPPByInputIndex(model, dataset, 0, aipp) == failure
        np.testing.assert_array_equal(
            device.read(lib.aclGetDataBufferAddr(device.buffers[0]), X), X
        )
    assert lib.aclmdlUnload(model) == 0
