# SPDX-License-Identifier: Apache-2.0
"""AscendCL's structs as pyACL's dicts: C field names in the older ones, snake_case in the newer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aclrt._ffi import ffi, text

from ._abi import snake_case

__all__ = ["CONVERTERS", "converter", "dims_of"]


def _dims(value: Any) -> dict[str, Any]:
    count = int(value.dimCount)
    return {
        "name": text(value.name),
        "dimCount": count,
        "dims": [int(value.dims[axis]) for axis in range(min(count, len(value.dims)))],
    }


def _pairs(count: Any, values: Any) -> list[list[int]]:
    return [[int(values[i][0]), int(values[i][1])] for i in range(min(int(count), len(values)))]


def _range(value: Any) -> dict[str, Any]:
    return {"rangeCount": int(value.rangeCount), "range": _pairs(value.rangeCount, value.range)}


def _batch(value: Any) -> dict[str, Any]:
    count = int(value.batchCount)
    batch = [int(value.batch[i]) for i in range(min(count, len(value.batch)))]
    return {"batchCount": count, "batch": batch}


def _hw(value: Any) -> dict[str, Any]:
    return {"hwCount": int(value.hwCount), "hw": _pairs(value.hwCount, value.hw)}


def _scalar(value: Any) -> Any:
    if isinstance(value, (int, float)):
        return value
    ctype = ffi.typeof(value)
    if ctype.kind == "pointer":
        return int(ffi.cast("uintptr_t", value))
    if ctype.kind == "array":
        if ctype.item.cname == "char":
            return text(value)
        return [_scalar(item) for item in value]
    return _snake(value)


def _snake(value: Any) -> dict[str, Any]:
    """Every field, as pyACL names those of its newer structs."""
    return {snake_case(name): _scalar(getattr(value, name)) for name, _ in ffi.typeof(value).fields}


def _aipp(value: Any) -> dict[str, Any]:
    info = {}
    for name, field in ffi.typeof(value).fields:
        if field.type.kind in ("primitive", "enum"):
            info[name] = getattr(value, name)
    used = [value.outDims[i] for i in range(min(int(value.shapeCount), len(value.outDims)))]
    info["outDims"] = [
        {
            "srcDims": _dims(dims.srcDims),
            "srcSize": int(dims.srcSize),
            "aippOutdims": _dims(dims.aippOutdims),
            "aippOutSize": int(dims.aippOutSize),
        }
        for dims in used
    ]
    return info


# By the end of the type's name; all of them are filled by the function that takes them.
CONVERTERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "mdlIODims": _dims,
    "mdlIODimsRange": _range,
    "mdlBatch": _batch,
    "mdlHW": _hw,
    "AippInfo": _aipp,
    "rtUtilizationInfo": _snake,
    "rtPtrAttributes": _snake,
    "CANNPackageVersion": _snake,
    "mdlExeOMDesc": _snake,
}


def converter(type_name: str) -> Callable[[Any], dict[str, Any]] | None:
    """What makes a dict of a struct; None for a type that is no such struct."""
    return CONVERTERS.get(type_name.removeprefix("acl"))


def dims_of(name: str, position: int, type_name: str, value: Any) -> Any:
    """pyACL's dict of dims as the struct.

    Raises:
        TypeError: It is no dict.
        ValueError: A key is missing, or the dims do not fit its count.
    """
    usage = '{"dimCount": 4, "name": "", "dims": [1, 3, 224, 224]}'
    if not isinstance(value, dict):
        raise TypeError(
            f"acl.{name}: argument {position} (dims) must be a dict, not {type(value).__name__}: "
            f"{usage}"
        )
    missing = [key for key in ("dimCount", "dims") if key not in value]
    if missing:
        raise ValueError(f"acl.{name}: the dict of dims lacks {', '.join(missing)}: {usage}")
    dims = [int(dim) for dim in value["dims"]]
    struct = ffi.new(f"{type_name} *")
    if int(value["dimCount"]) != len(dims) or len(dims) > len(struct.dims):
        raise ValueError(
            f"acl.{name}: dimCount is {value['dimCount']}, but dims has {len(dims)} values "
            f"(at most {len(struct.dims)})"
        )
    encoded = str(value.get("name", "")).encode()
    struct.name = encoded[: len(struct.name) - 1]
    struct.dimCount = len(dims)
    for axis, dim in enumerate(dims):
        struct.dims[axis] = dim
    return struct
