# SPDX-License-Identifier: Apache-2.0
"""What to look at next when outputs differ: each sentence names what was seen in the data."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from .metrics import OutputComparison

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..om import ModelInfo

__all__ = ["for_models", "for_output"]

_HALF_MAX = 65504.0
_CLOSE = 0.9999


def for_output(
    found: OutputComparison,
    given: NDArray[Any],
    reference: NDArray[Any],
    others: Mapping[str, NDArray[Any]],
) -> list[str]:
    """Looks at one output that is out of tolerance.

    Args:
        found: Its figures.
        given: The first side's array.
        reference: The second's.
        others: The second side's other outputs, by name.
    """
    at = f"{found.name}: "
    advice = []
    layout = _layout(given, reference, found)
    if layout:
        advice.append(f"{at}layout: {layout}")
    twin = None
    if not _alike(given, reference):
        twin = next((name for name, array in others.items() if _alike(given, array)), None)
    if twin is not None and not layout:
        advice.append(f"{at}it agrees with {twin!r} of the second: the outputs are in other order")
    if found.shape != found.reference_shape:
        if not layout:
            advice.append(f"{at}compare the shapes the models were built with (aclrt inspect)")
        return advice
    top = float(np.abs(_finite(reference)).max(initial=0.0))
    lost = found.census.nan + found.census.posinf + found.census.neginf
    if found.nonfinite_mismatches and lost:
        if top > _HALF_MAX / 2 or found.dtype == "float16":
            advice.append(
                f"{at}float16 ends at 65504, and the reference goes to {top:.4g}: build with a "
                "precision mode that keeps float32 (--precision_mode=must_keep_origin_dtype)"
            )
        else:
            advice.append(
                f"{at}NaN or Inf appear inside the model: float16 may overflow in a layer before; "
                "build with --precision_mode=must_keep_origin_dtype and compare again"
            )
    elif not layout and twin is None:
        advice += [at + text for text in _numbers(found, given, reference)]
    return advice


def _numbers(found: OutputComparison, given: NDArray[Any], reference: NDArray[Any]) -> list[str]:
    advice = []
    a = given.astype(np.float64).reshape(-1)
    b = reference.astype(np.float64).reshape(-1)
    finite = np.isfinite(a) & np.isfinite(b)
    a, b = a[finite], b[finite]
    if a.size > 2 and np.ptp(a) > 0 and np.ptp(b) > 0:
        factor, offset = np.polyfit(b, a, 1)
        left = float(np.abs(a - (factor * b + offset)).max())
        differs = abs(factor - 1) > 0.02 or abs(offset) > 0.02 * np.ptp(b)
        if left < 1e-3 * np.ptp(a) and differs:
            advice.append(
                f"it is {factor:.4g} times the reference plus {offset:.4g}: a scale or mean is "
                "applied twice or not at all (AIPP and preprocessing in the program)"
            )
            return advice
    nonzero = np.abs(b) > 1e-6
    if found.reference_dtype in ("float32", "float16", "float64") and nonzero.any():
        typical = float(np.median(np.abs(a - b)[nonzero] / np.abs(b)[nonzero]))
        if 2.0**-14 < typical < 2.0**-6:
            advice.append(
                f"the typical relative error of {typical:.1e} is that of float16 rounding: the "
                "model's operators were probably lowered to float16; build with "
                "--precision_mode=must_keep_origin_dtype (or allow_fp32_to_fp16 with "
                "--modify_mixlist for the layers that need it), or widen the tolerance"
            )
    rows = _bad_rows(given, reference, found)
    if rows:
        advice.append(rows)
    if found.top1 == 1.0:
        advice.append("the largest element of every row agrees: the tolerance may be too narrow")
    return advice


def _bad_rows(given: NDArray[Any], reference: NDArray[Any], found: OutputComparison) -> str:
    if given.ndim < 2 or given.shape[0] < 2:
        return ""
    a, b = given.astype(np.float64), reference.astype(np.float64)
    allowed = found.tolerance.atol + found.tolerance.rtol * np.abs(b)
    bad = ~(np.abs(a - b) <= allowed)
    rows = np.flatnonzero(bad.reshape(len(a), -1).any(axis=1))
    if 0 < len(rows) <= len(a) // 2:
        shown = ", ".join(str(row) for row in rows[:5])
        return f"only rows {shown} of {len(a)} differ: look at padding and batch gears"
    return ""


def _layout(given: NDArray[Any], reference: NDArray[Any], found: OutputComparison) -> str:
    """A permutation of the axes that makes them agree, in the data or in the shape."""
    if given.size != reference.size or given.size < 4 or not 1 <= reference.ndim <= 5:
        return ""
    if _alike(given, reference):
        same = found.shape == found.reference_shape
        return "" if same else "the data agree and only the shape is written differently"
    for axes in permutations(range(reference.ndim)):
        long = [axis for axis in axes if reference.shape[axis] > 1]
        if long == sorted(long):
            continue  # moves nothing
        turned = np.ascontiguousarray(reference.transpose(axes))
        if _alike(given, turned):
            return (
                f"it agrees with the reference transposed to {axes} (NCHW against NHWC, for "
                "example): check --input_format and the Transpose at the model's end"
            )
    return ""


def _alike(a: NDArray[Any], b: NDArray[Any]) -> bool:
    if a.size != b.size or a.size < 4:
        return False
    x, y = a.astype(np.float64).reshape(-1), b.astype(np.float64).reshape(-1)
    if not (np.isfinite(x).all() and np.isfinite(y).all()) or np.ptp(y) == 0:
        return False
    return bool(np.abs(x - y).max() <= (1 - _CLOSE) * 10 * np.abs(y).max())


def _finite(array: NDArray[Any]) -> NDArray[np.float64]:
    wide = array.astype(np.float64)
    return wide[np.isfinite(wide)]


def for_models(infos: list[tuple[str, ModelInfo]]) -> list[str]:
    """What the files themselves say that bears on a difference.

    Args:
        infos: Path and description of each ``.om``.
    """
    advice = []
    for path, info in infos:
        for aipp in info.aipp:
            advice.append(
                f"{path}: AIPP is built in before input {aipp.input!r} ({aipp.describe()}): feed "
                "it the raw image, and the reference the image preprocessed the same way "
                "(--reference-input)"
            )
        words = info.command_line.split()
        modes = [word for word in words if word.startswith(("--precision_mode", "--op_select"))]
        if modes:
            advice.append(f"{path} was built with {' '.join(modes)}")
        elif not info.simulated:
            advice.append(
                f"{path} states no precision mode: on inference cards ATC lowers float32 to "
                "float16 by default"
            )
        if not info.simulated:
            advice.append(
                f"{path}: to find the layer, build it with --out_nodes at intermediate tensors "
                "and compare those, or dump tensors by acl.json"
            )
    return advice
