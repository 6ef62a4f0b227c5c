# SPDX-License-Identifier: Apache-2.0
"""``aclrt.inspect``: what is in an ``.om`` file, without a device.

The file is read by the library's one reader (``csrc/om``); this module gives its answer types.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import dtypes
from .._ffi import ffi, lib, raise_for, take_string
from ..errors import InputError, ModelLoadError
from ..tensor import TensorSpec

__all__ = ["ModelInfo", "PartitionInfo", "TensorInfo", "inspect"]

_INTERNAL = ("ascend_mbatch_shape_data", "ascend_dynamic_aipp_data")  # AscendCL's own inputs
_OUTPUT_NAME = re.compile(r"[^:]+:\d+:(.+)", re.DOTALL)


@dataclass(frozen=True)
class TensorInfo(TensorSpec):
    """One input or output as the file describes it.

    Attributes:
        dtype: As in ``TensorSpec``; a void dtype where NumPy has no such type.
        nbytes: Bytes as the file states them; 0 where they depend on a dynamic dim.
        dtype_name: The element type's name, also where NumPy has none (``"int4"``); ``""`` if
            unknown.
        shape_v2: The dims of the memory; they differ from ``shape`` only with static AIPP.
        range: Least and greatest value of each dim, -1 for no limit; empty where none is stated.
    """

    dtype_name: str = ""
    shape_v2: tuple[int, ...] = ()
    range: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class PartitionInfo:
    """One part of the file.

    Attributes:
        type: The number in the partition table.
        name: Its name, ``"WEIGHTS_DATA"``; ``""`` if unknown.
        offset: From the start of the file, in bytes.
        size: In bytes.
    """

    type: int
    name: str
    offset: int
    size: int


@dataclass(frozen=True)
class ModelInfo:
    """What is in an ``.om`` file.

    Attributes:
        name: The model's name.
        generation: Of the container: 1 (to CANN 3), 2 (CANN 5), 3 (CANN 8).
        simulated: Whether ``aclrt.convert`` made it, with an ONNX body for the fake device.
        inputs: What a caller feeds, in order; empty where ``io_source`` is ``"none"``.
        outputs: What a run returns, in order; empty where ``io_source`` is ``"none"``.
        io_source: ``"inout_info"``, or ``"none"`` where the file has no such list (generations 1
            and 2) and this version cannot tell.
        gears: The sets of dims that a dynamic model was compiled for, ``()`` if it has none;
            None where this version cannot tell.
        aipp: The image preprocessing built in; None where this version cannot tell.
        soc_version: The chip it was compiled for, ``"Ascend310P3"``; ``""`` if not stated.
        compiler_version: ATC's version; ``""`` if not stated.
        opp_version: The operator package's version; ``""`` if not stated.
        command_line: ATC's command; ``""`` if not stated.
        framework: ``"Onnx"``, ``"TensorFlow"``, ...; ``""`` if not stated.
        platform_version: The container's own version text.
        work_size: Device memory for activations in bytes; 0 for dynamic shapes.
        weight_size: Device memory for weights in bytes.
        stream_count: Streams that a run uses; 0 if not stated.
        event_count: Events that a run uses; 0 if not stated.
        model_count: Models in the file; more than one only with dynamic shapes.
        unknown_shape: Whether the file is marked as compiled for shapes that vary.
        onnx_size: Bytes of the ONNX body of a simulated file.
        partitions: The parts of the (first) model in the file.
    """

    name: str
    generation: int
    simulated: bool
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    io_source: str
    gears: tuple[tuple[int, ...], ...] | None
    aipp: tuple[dict[str, Any], ...] | None
    soc_version: str
    compiler_version: str
    opp_version: str
    command_line: str
    framework: str
    platform_version: str
    work_size: int
    weight_size: int
    stream_count: int
    event_count: int
    model_count: int
    unknown_shape: bool
    onnx_size: int
    partitions: tuple[PartitionInfo, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as numbers, strings, lists and dicts, fit for ``json.dumps``."""
        out = dataclasses.asdict(self)
        for tensor in (*out["inputs"], *out["outputs"]):
            tensor["dtype"] = tensor.pop("dtype_name") or str(tensor["dtype"])
        plain: dict[str, Any] = _plain(out)
        return plain


def inspect(source: str | os.PathLike[str] | bytes | bytearray | memoryview) -> ModelInfo:
    """Reads an offline model without loading it; needs neither a device nor CANN.

    Args:
        source: A path, or the file's bytes.

    Returns:
        What the file says. Nothing is guessed: what it does not state is empty.

    Raises:
        ModelFormatError: Not a well-formed Ascend offline model; the message names what it is
            instead, or offset and field of the fault.
        InputError: ``source`` is neither a path nor bytes.
        OSError: The file cannot be read.
    """
    answer = ffi.new("char **")
    if isinstance(source, (str, os.PathLike)):
        path = os.fsencode(source)
        if b"\0" in path:
            raise InputError(f"path {source!r} contains a NUL character")
        raise_for(lib.aclrt_om_inspect_file(path, answer), os.fsdecode(path))
    else:
        try:
            data = ffi.from_buffer(source)
        except (TypeError, ValueError, BufferError) as error:
            raise InputError(
                f"source: expected a path or contiguous bytes, given {type(source).__name__} "
                f"({error})"
            ) from None
        raise_for(lib.aclrt_om_inspect(data, len(data), answer))
    return _model_info(json.loads(take_string(answer[0])))


def _model_info(fields: dict[str, Any]) -> ModelInfo:
    inputs = tuple(map(_tensor_info, fields["inputs"]))
    outputs = tuple(map(_tensor_info, fields["outputs"]))
    has_gears = any(tensor.name == _INTERNAL[0] for tensor in inputs)
    return ModelInfo(
        name=fields["name"],
        generation=fields["generation"],
        simulated=fields["simulated"],
        inputs=tuple(tensor for tensor in inputs if not tensor.name.startswith(_INTERNAL)),
        outputs=_with_framework_names(outputs),
        io_source=fields["io_source"],
        gears=None if has_gears or fields["io_source"] == "none" else (),
        aipp=None,
        soc_version=fields["soc_version"],
        compiler_version=fields["compiler_version"],
        opp_version=fields["opp_version"],
        command_line=fields["command_line"],
        framework=fields["framework"],
        platform_version=fields["platform_version"],
        work_size=fields["work_size"],
        weight_size=fields["weight_size"],
        stream_count=fields["stream_num"],
        event_count=fields["event_num"],
        model_count=fields["model_num"],
        unknown_shape=fields["is_unknown_shape"],
        onnx_size=fields["onnx_size"],
        partitions=tuple(
            PartitionInfo(part["type"], part["name"], part["offset"], part["size"])
            for part in fields["partitions"]
        ),
    )


def _tensor_info(fields: dict[str, Any]) -> TensorInfo:
    shape = tuple(fields["dims"])
    return TensorInfo(
        name=fields["name"],
        dtype=_dtype(fields["dtype"]),
        shape=shape,
        format=fields["format_name"],
        nbytes=fields["size"],
        dynamic=any(dim < 0 for dim in shape),
        acl_name=fields["name"],
        dtype_name=fields["dtype_name"],
        shape_v2=tuple(fields["dims_v2"]),
        range=tuple((low, high) for low, high in fields["range"]),
    )


def _dtype(number: int) -> np.dtype[Any]:
    try:
        return dtypes.dtype_of(number)
    except ModelLoadError:
        return np.dtype(np.void)


def _with_framework_names(outputs: tuple[TensorInfo, ...]) -> tuple[TensorInfo, ...]:
    """``"Softmax_3:0:probs"`` is ``"probs"``, as in ``OfflineModel``, unless two are the same."""
    names = []
    for tensor in outputs:
        match = _OUTPUT_NAME.fullmatch(tensor.acl_name)
        names.append(match[1] if match else tensor.acl_name)
    if len(set(names)) != len(names):
        return outputs
    return tuple(
        dataclasses.replace(tensor, name=name) for tensor, name in zip(outputs, names, strict=True)
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
