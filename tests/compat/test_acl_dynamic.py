# SPDX-License-Identifier: Apache-2.0
"""What dynamic shapes look like in Python, whatever the model: the library's side is played."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aclrt._ffi import ffi
from aclrt.compat.acl import _abi, _functions, _special


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Callable[..., Any]]:
    """play(name, body): acl.<name>, which calls body with what C would get."""

    def prepare(name: str, body: Callable[..., int]) -> Callable[..., Any]:
        monkeypatch.setattr(_abi, "pointer", lambda asked: {name: body}[asked])
        return _special.FUNCTIONS.get(name) or _functions.make(_abi.prototypes()[name])

    return prepare


def test_batches_and_sizes_are_dicts(play: Callable[..., Any]) -> None:
    """A count and a list; sizes are [height, width]."""

    def batches(desc: Any, batch: Any) -> int:
        assert int(ffi.cast("uintptr_t", desc)) == 5
        batch.batchCount, batch.batch[0:3] = 3, [1, 2, 8]
        return 0

    assert play("mdl.get_dynamic_batch", batches)(5) == ({"batchCount": 3, "batch": [1, 2, 8]}, 0)

    def sizes(desc: Any, index: int, hw: Any) -> int:
        assert index == 2**64 - 1
        hw.hwCount = 2
        hw.hw[0], hw.hw[1] = [224, 320], [448, 640]
        return 0

    answer = {"hwCount": 2, "hw": [[224, 320], [448, 640]]}
    assert play("mdl.get_dynamic_hw", sizes)(5, -1) == (answer, 0)

    def ranges(desc: Any, index: int, out: Any) -> int:
        out.rangeCount = 2
        out.range[0], out.range[1] = [1, 8], [3, 3]
        return 0

    answer = {"rangeCount": 2, "range": [[1, 8], [3, 3]]}
    assert play("mdl.get_input_dims_range", ranges)(5, 0) == (answer, 0)


def test_gears_are_a_list_of_dims(play: Callable[..., Any]) -> None:
    """As many as are asked for; the index is -1."""

    def gears(desc: Any, index: int, dims: Any, count: int) -> int:
        assert (index, count) == (2**64 - 1, 2)
        for number in range(count):
            dims[number].name, dims[number].dimCount = b"", 2
            dims[number].dims[0:2] = [number + 1, 3]
        return 0

    expected = [{"name": "", "dimCount": 2, "dims": [n, 3]} for n in (1, 2)]
    assert play("mdl.get_input_dynamic_dims", gears)(5, -1, 2) == (expected, 0)


def test_setters_pass_numbers_and_dims(play: Callable[..., Any]) -> None:
    """Height before width; dims from the dict."""
    seen: list[Any] = []

    def keep(model: int, dataset: Any, *rest: Any) -> int:
        seen.append((model, int(ffi.cast("uintptr_t", dataset)), *rest))
        return 0

    assert play("mdl.set_dynamic_batch_size", keep)(1, 7, 1, 8) == 0
    assert play("mdl.set_dynamic_hw_size", keep)(1, 7, 1, 224, 320) == 0
    assert seen == [(1, 7, 1, 8), (1, 7, 1, 224, 320)]
    dims = {"dimCount": 4, "name": "data", "dims": [8, 3, 224, 224]}
    assert play("mdl.set_input_dynamic_dims", keep)(1, 7, 1, dims) == 0
    passed = seen[-1][3]
    assert (passed.dimCount, list(passed.dims[0:4])) == (4, [8, 3, 224, 224])
    assert ffi.string(passed.name) == b"data"


def test_aipp_is_a_dict_with_c_names(play: Callable[..., Any]) -> None:
    """Scalars under their C names, the output shapes that are in use; None on an error."""

    def fill(model: int, index: int, info: Any) -> int:
        info.inputFormat, info.srcImageSizeW, info.shapeCount = 1, 640, 1
        info.outDims[0].srcSize = 12
        return 0 if index == 0 else 100000

    function = play("mdl.get_first_aipp_info", fill)
    info, ret = function(1, 0)
    assert (info["inputFormat"], info["srcImageSizeW"], info["varReciChn3"]) == (1, 640, 0.0)
    assert (len(info["outDims"]), info["outDims"][0]["srcSize"], ret) == (1, 12, 0)
    assert function(1, 1) == (None, 100000)
