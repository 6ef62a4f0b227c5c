# SPDX-License-Identifier: Apache-2.0
"""``aclrt.inspect``: what is in an ``.om`` file, without a device.

The file is read by the library's one reader (``csrc/om``); this module turns its answer into the
types of ``_info``.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from typing import Any

import numpy as np

from .. import dtypes
from .._ffi import ffi, lib, raise_for, take_string
from ..errors import InputError, ModelLoadError
from ._info import (
    AippInfo,
    AippTensor,
    GraphInfo,
    ModelInfo,
    OutputShape,
    PartitionInfo,
    SubModelInfo,
    TensorInfo,
)

__all__ = ["inspect"]

_OUTPUT_NAME = re.compile(r"[^:]+:\d+:(.+)", re.DOTALL)

Fields = dict[str, Any]


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


def _model_info(fields: Fields) -> ModelInfo:
    outputs = _with_framework_names(_tensors(fields["outputs"]))
    return ModelInfo(
        name=fields["name"],
        generation=fields["generation"],
        simulated=fields["simulated"],
        inputs=_tensors(fields["inputs"]),
        outputs=outputs,
        io_source=fields["io_source"],
        io_problem=fields["io_problem"],
        disagreements=tuple(fields["disagreements"]),
        dynamic=fields["dynamic"],
        gears=tuple(map(tuple, fields["gears"])),
        gear_order=tuple(fields["gear_order"]),
        output_shapes=tuple(_output_shape(item, outputs) for item in fields["output_shapes"]),
        aipp=tuple(map(_aipp_info, fields["aipp"])),
        soc_version=fields["soc_version"],
        compiler_version=fields["compiler_version"],
        opp_version=fields["opp_version"],
        command_line=fields["command_line"],
        framework=fields["framework"],
        platform_version=fields["platform_version"],
        work_size=fields["work_size"],
        weight_size=fields["weight_size"],
        zero_copy_size=fields["zero_copy_size"],
        stream_count=fields["stream_num"],
        event_count=fields["event_num"],
        task_count=fields["tasks"],
        model_count=fields["model_num"],
        unknown_shape=fields["is_unknown_shape"],
        needs_host_check=fields["needs_host_check"],
        onnx_size=fields["onnx_size"],
        graphs=_graphs(fields),
        attributes=fields["attributes"],
        partitions=_partitions(fields),
        sub_models=tuple(map(_sub_model, fields["sub_models"])),
        _operators=fields["operators"],
    )


def _sub_model(fields: Fields) -> SubModelInfo:
    return SubModelInfo(
        name=fields["name"],
        inputs=_tensors(fields["inputs"]),
        outputs=_tensors(fields["outputs"]),
        io_problem=fields["io_problem"],
        graphs=_graphs(fields),
        attributes=fields["attributes"],
        partitions=_partitions(fields),
    )


def _graphs(fields: Fields) -> tuple[GraphInfo, ...]:
    return tuple(GraphInfo(graph["name"], graph["operators"]) for graph in fields["graphs"])


def _partitions(fields: Fields) -> tuple[PartitionInfo, ...]:
    return tuple(
        PartitionInfo(part["type"], part["name"], part["offset"], part["size"])
        for part in fields["partitions"]
    )


def _tensors(items: list[Fields]) -> tuple[TensorInfo, ...]:
    """AscendCL's own inputs are left out: nobody feeds them."""
    return tuple(_tensor_info(item) for item in items if not item["internal"])


def _tensor_info(fields: Fields) -> TensorInfo:
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


def _output_shape(fields: Fields, outputs: tuple[TensorInfo, ...]) -> OutputShape:
    number = fields["output"]
    known = 0 <= number < len(outputs)
    return OutputShape(
        gear=fields["gear"],
        output=outputs[number].name if known else str(number),
        shape=tuple(fields["dims"]),
    )


def _aipp_info(fields: Fields) -> AippInfo:
    def group(*names: str) -> tuple[Any, ...]:
        return tuple(fields[name] for name in names)

    def group_if(switch: str, *names: str) -> tuple[Any, ...] | None:
        return group(*names) if fields[switch] else None

    return AippInfo(
        input=fields["input"],
        mode=fields["mode"],
        parameter_input=fields["parameter_input"],
        has_parameters=fields["has_parameters"],
        max_src_image_size=fields["max_src_image_size"],
        support_rotation=fields["support_rotation"],
        input_format=fields["input_format_name"],
        src_image_size=group("src_image_size_w", "src_image_size_h"),
        crop=group_if("crop", "load_start_pos_w", "load_start_pos_h", "crop_size_w", "crop_size_h"),
        resize=group_if("resize", "resize_output_w", "resize_output_h"),
        padding=group_if(
            "padding",
            "left_padding_size",
            "right_padding_size",
            "top_padding_size",
            "bottom_padding_size",
        ),
        padding_value=fields["padding_value"],
        cpadding_value=fields["cpadding_value"],
        csc_matrix=tuple(fields["matrix"]) if fields["csc_switch"] else None,
        csc_input_bias=tuple(fields["input_bias"]),
        csc_output_bias=tuple(fields["output_bias"]),
        rbuv_swap=fields["rbuv_swap_switch"],
        ax_swap=fields["ax_swap_switch"],
        mean=tuple(fields["mean_chn"]),
        min=tuple(fields["min_chn"]),
        var_reci=tuple(fields["var_reci_chn"]),
        network_input=_aipp_tensor(fields["network_input"]),
        output=_aipp_tensor(fields["output"]),
        description=fields["description"],
    )


def _aipp_tensor(fields: Fields | None) -> AippTensor | None:
    if fields is None:
        return None
    return AippTensor(
        name=fields["name"],
        format=fields["format"],
        dtype=fields["dtype"],
        nbytes=fields["size"],
        shape=tuple(fields["dims"]),
    )


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
