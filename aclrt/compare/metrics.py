# SPDX-License-Identifier: Apache-2.0
"""How two arrays differ: errors, cosine, ULPs, ranks and a census of NaN and Inf.

The second array is the reference. Figures are taken in float64, over the elements that are finite
in both arrays.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .tolerance import Tolerance

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Census", "OutputComparison", "arrays"]

ULP_BOUNDS: Final = (0, 1, 2, 4, 16, 256, 65536)
ULP_LABELS: Final = ("0", "1", "2", "3-4", "5-16", "17-256", "257-65536", ">65536")
_TOP = 5


@dataclass(frozen=True)
class Census:
    """How many elements of an array are not finite.

    Attributes:
        nan: Not a number.
        posinf: Positive infinity.
        neginf: Negative infinity.
    """

    nan: int
    posinf: int
    neginf: int


@dataclass(frozen=True)
class OutputComparison:
    """One output of the first model beside that of the second, the reference.

    Attributes:
        name: The first model's name of it.
        reference_name: The second model's name of it.
        dtype: The first's element type.
        reference_dtype: The second's.
        shape: The first's dims.
        reference_shape: The second's.
        passed: Whether it is within the tolerance.
        reasons: Why it is not, a phrase each.
        max_abs: Largest difference; None where nothing could be compared.
        max_rel: Largest difference by the reference, where that is not 0.
        mean_abs: Mean difference.
        worst: Index of the largest difference.
        worst_values: The two values there.
        cosine: Of the two as vectors; two vectors of zeros give 1.
        exceeding: Elements beyond ``atol + rtol * abs(reference)``, or not finite in one alone.
        elements: Elements of the reference.
        ulp: Count of elements by distance in units of the last place of the coarser type, under
            ``"0"``, ``"1"``, ``"2"``, ``"3-4"``, ... ``">65536"``.
        max_ulp: The largest such distance.
        top1: Share of rows (last axis) with the same largest element; None for rows of one.
        top5: Mean share that the five largest have in common; None as above.
        census: NaN and Inf in the first.
        reference_census: NaN and Inf in the second.
        nonfinite_mismatches: Elements where the two are not finite in different ways.
        tolerance: What was allowed.
    """

    name: str
    reference_name: str
    dtype: str
    reference_dtype: str
    shape: tuple[int, ...]
    reference_shape: tuple[int, ...]
    passed: bool
    reasons: tuple[str, ...]
    max_abs: float | None
    max_rel: float | None
    mean_abs: float | None
    worst: tuple[int, ...] | None
    worst_values: tuple[float, float] | None
    cosine: float | None
    exceeding: int
    elements: int
    ulp: dict[str, int]
    max_ulp: int | None
    top1: float | None
    top5: float | None
    census: Census
    reference_census: Census
    nonfinite_mismatches: int
    tolerance: Tolerance

    def to_dict(self) -> dict[str, Any]:
        """All fields, with values that can be written as JSON (no NaN or Inf)."""
        fields = dataclasses.asdict(self)
        if self.worst_values is not None:
            fields["worst_values"] = [v if np.isfinite(v) else str(v) for v in self.worst_values]
        return {key: list(v) if isinstance(v, tuple) else v for key, v in fields.items()}


def arrays(
    given: NDArray[Any],
    reference: NDArray[Any],
    tolerance: Tolerance | None = None,
    *,
    name: str = "output",
    reference_name: str | None = None,
) -> OutputComparison:
    """Compares one array with its reference.

    Args:
        given: Of any real dtype.
        reference: What it should be.
        tolerance: What is allowed; None for ``Tolerance()``.
        name: Of the output.
        reference_name: Of the reference; None: the same.

    Returns:
        The figures and the verdict. Arrays of different shapes fail and have no figures.
    """
    allowed = tolerance or Tolerance()
    fields: dict[str, Any] = {
        "name": name,
        "reference_name": name if reference_name is None else reference_name,
        "dtype": str(given.dtype),
        "reference_dtype": str(reference.dtype),
        "shape": given.shape,
        "reference_shape": reference.shape,
        "census": _census(given),
        "reference_census": _census(reference),
        "elements": int(reference.size),
        "tolerance": allowed,
    }
    if given.shape != reference.shape:
        reason = f"the shapes differ: {given.shape} and {reference.shape}"
        return OutputComparison(**fields, **_NOTHING, passed=False, reasons=(reason,))
    figures = _figures(given, reference, allowed)
    reasons = _reasons(figures, fields, allowed)
    return OutputComparison(**fields, **figures, passed=not reasons, reasons=reasons)


_NOTHING: Final[dict[str, Any]] = {
    "max_abs": None,
    "max_rel": None,
    "mean_abs": None,
    "worst": None,
    "worst_values": None,
    "cosine": None,
    "exceeding": 0,
    "ulp": {},
    "max_ulp": None,
    "top1": None,
    "top5": None,
    "nonfinite_mismatches": 0,
}


def _wide(array: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(array).astype(np.float64)


def _census(array: NDArray[Any]) -> Census:
    if array.dtype.kind in "biu":
        return Census(0, 0, 0)
    wide = _wide(array)
    return Census(
        int(np.isnan(wide).sum()), int(np.isposinf(wide).sum()), int(np.isneginf(wide).sum())
    )


def _figures(given: NDArray[Any], reference: NDArray[Any], allowed: Tolerance) -> dict[str, Any]:
    figures = dict(_NOTHING)
    a, b = _wide(given), _wide(reference)
    finite = np.isfinite(a) & np.isfinite(b)
    same = finite | (np.isnan(a) & np.isnan(b)) | (a == b)  # a == b: the same infinity
    figures["nonfinite_mismatches"] = int(same.size - same.sum())
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.where(finite, np.abs(a - b), 0.0)
        beyond = finite & (difference > _margin(reference, b, allowed))
        if given.dtype.kind in "iu" and reference.dtype.kind in "iu":
            # Beyond 2**53 neighbours are one float64.
            beyond |= (given != reference) & (difference == 0) & (allowed.atol < 1)
    figures["exceeding"] = int(beyond.sum()) + figures["nonfinite_mismatches"]
    figures["ulp"], figures["max_ulp"] = _ulps(given, reference, finite)
    if finite.any():
        worst = np.unravel_index(int(np.argmax(difference)), a.shape)
        figures["worst"] = tuple(int(index) for index in worst)
        figures["worst_values"] = (float(a[worst]), float(b[worst]))
        figures["max_abs"] = float(difference[worst])
        figures["mean_abs"] = float(difference[finite].mean())
        divisible = finite & (b != 0)
        figures["max_rel"] = (
            float((difference[divisible] / np.abs(b[divisible])).max()) if divisible.any() else 0.0
        )
        figures["cosine"] = _cosine(a[finite], b[finite])
    if a.ndim and a.shape[-1] > 1 and a.size:
        figures["top1"], figures["top5"] = _ranks(a, b)
    return figures


def _margin(
    reference: NDArray[Any], wide: NDArray[np.float64], allowed: Tolerance
) -> NDArray[np.float64] | float:
    if reference.dtype.kind in "biu":
        return allowed.atol if allowed.atol >= 1 else 0.0
    return np.where(np.isfinite(wide), allowed.atol + allowed.rtol * np.abs(wide), 0.0)


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    # Scaled first: squares of large numbers would not be finite.
    top = [float(np.abs(v).max()) for v in (a, b)]
    if 0.0 in top:
        return 1.0 if top[0] == top[1] else 0.0
    a, b = a / top[0], b / top[1]
    return float(np.clip(np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b)), -1, 1))


def _ulps(
    given: NDArray[Any], reference: NDArray[Any], finite: NDArray[np.bool_]
) -> tuple[dict[str, int], int | None]:
    a, b = given[finite], reference[finite]
    if a.dtype != b.dtype:
        coarse = min(a.dtype, b.dtype, key=_precision)
        with np.errstate(over="ignore", invalid="ignore"):
            a, b = a.astype(coarse), b.astype(coarse)
    first, second = _ordered(a), _ordered(b)
    distance = np.where(first > second, first - second, second - first)
    counts = np.zeros(len(ULP_LABELS), np.int64)
    bounds = np.array(ULP_BOUNDS, np.uint64)
    np.add.at(counts, np.searchsorted(bounds, distance, side="left"), 1)
    histogram = {label: int(count) for label, count in zip(ULP_LABELS, counts, strict=True)}
    return histogram, int(distance.max()) if distance.size else None


def _precision(dtype: np.dtype[Any]) -> tuple[bool, int]:
    """Fewer bits are coarser; an integer is compared as the float beside it."""
    return (dtype.kind in "biu", dtype.itemsize)


def _ordered(array: NDArray[Any]) -> NDArray[np.uint64]:
    """Numbers so that neighbours of the element type are neighbours."""
    dtype = array.dtype
    if dtype.kind in "bu":
        return array.astype(np.uint64)
    if dtype.kind == "i" or dtype.name == "int4":
        moved: NDArray[np.uint64] = array.astype(np.int64).view(np.uint64) ^ np.uint64(1 << 63)
        return moved
    bits = array.view(f"u{dtype.itemsize}").astype(np.uint64)
    sign = np.uint64(1 << (8 * dtype.itemsize - 1))
    middle = np.uint64(1 << 63)
    magnitude = bits & (sign - np.uint64(1))
    ordered: NDArray[np.uint64] = np.where(bits & sign, middle - magnitude, middle + magnitude)
    return ordered


def _ranks(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float]:
    # NaN is never the largest; of equal elements the first counts, in both arrays alike.
    first, second = (np.where(np.isnan(v), -np.inf, v).reshape(-1, v.shape[-1]) for v in (a, b))
    k = min(_TOP, a.shape[-1])
    top_a = np.argsort(-first, axis=1, kind="stable")[:, :k]
    top_b = np.argsort(-second, axis=1, kind="stable")[:, :k]
    top1 = float((top_a[:, 0] == top_b[:, 0]).mean())
    common = (top_a[:, :, None] == top_b[:, None, :]).any(axis=2)
    return top1, float(common.mean())


def _reasons(
    figures: dict[str, Any], fields: dict[str, Any], allowed: Tolerance
) -> tuple[str, ...]:
    reasons = []
    if figures["exceeding"] > allowed.exceed * fields["elements"]:
        reasons.append(
            f"{figures['exceeding']} of {fields['elements']} elements differ by more than "
            f"atol {allowed.atol:g} + rtol {allowed.rtol:g}"
        )
    if figures["nonfinite_mismatches"]:
        reasons.append(f"NaN or Inf differ at {figures['nonfinite_mismatches']} elements")
    floating = fields["reference_dtype"] != "bool" and "int" not in fields["reference_dtype"]
    if floating and figures["cosine"] is not None and figures["cosine"] < allowed.cosine:
        reasons.append(f"cosine {figures['cosine']:.6f} is below {allowed.cosine:g}")
    if figures["top1"] is not None and figures["top1"] < allowed.top1:
        reasons.append(f"top-1 agreement {figures['top1']:.4f} is below {allowed.top1:g}")
    return tuple(reasons)
