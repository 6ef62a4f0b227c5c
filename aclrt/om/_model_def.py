# SPDX-License-Identifier: Apache-2.0
"""The partition MODEL_DEF: the model's attributes, and a graph that states what MODEL_INOUT_INFO
does: Data nodes, a Case node where there are gears, and one NetOutput."""

from __future__ import annotations

from collections.abc import Sequence

from . import _types, _wire
from ._contents import GEAR_INPUT, WEIGHT_SIZE, Contents, Gears, Tensor

__all__ = ["PLATFORM", "SOC", "model_def"]

PLATFORM = "1.11.z.0"
SOC = "AscendSim"  # no device has this name: a real one refuses the file

_CASE = "ascend_mbatch_shape_case"
_GEAR_KINDS = {"batch": 1, "image": 2, "dims": 3}


def model_def(contents: Contents, task_info_size: int) -> bytes:
    """A ``ge.proto.ModelDef``."""
    attrs: _wire.Attrs = {
        "memory_size": contents.work_size,
        "weight_size": WEIGHT_SIZE,
        "zero_copy_memory_size": contents.work_size,
        "stream_num": 1,
        "event_num": 0,
        "label_num": 0,
        "target_type": "MINI",
        "session_id": 0,
        "soc_version": SOC,
        "atc_version": contents.tool_version,
        "atc_cmdline": contents.command_line,
        "framework_type": "Onnx",
        "attr_model_out_nodes_name": [tensor.name for tensor in contents.outputs],
        "om_info_list": [WEIGHT_SIZE, 0, 0, task_info_size, 0],
    }
    return b"".join(
        (
            _wire.data(1, contents.name),
            _wire.number(2, 2),
            _wire.data(3, PLATFORM),
            _wire.data(7, _graph(contents)),
            _wire.attr_map(11, attrs),
        )
    )


def _graph(contents: Contents) -> bytes:
    inputs, gears = contents.all_inputs, contents.gears
    sources = [tensor.source for tensor in contents.outputs]
    if gears is not None:  # the outputs are those of the branch that the Case node takes
        sources = [(_CASE, index) for index in range(len(sources))]
    return b"".join(
        (
            _wire.data(1, f"{contents.name}_0"),
            *(_wire.data(4, f"{tensor.name}:0") for tensor in inputs),
            *(_wire.data(5, f"{node}:{index}") for node, index in sources),
            *(_wire.data(6, _data_node(i, tensor)) for i, tensor in enumerate(inputs)),
            *(_wire.data(6, _aipp_node(tensor)) for tensor in inputs if tensor.aipp_config),
            *((_wire.data(6, _case_node(inputs, gears)),) if gears is not None else ()),
            _wire.data(6, _output_node(contents.outputs, sources, gears)),
        )
    )


def _padded(tensor: Tensor) -> int:
    """What the compiler writes for tensors between nodes."""
    is_known = min(tensor.dims, default=0) >= 0
    return (tensor.nbytes + 63) // 32 * 32 if is_known else 0


def _descriptor(tensor: Tensor, size: int) -> bytes:
    attrs: dict[str, _wire.Attr] = {
        "format_for_int": _types.FORMATS[tensor.format],
        "origin_shape": list(tensor.dims),
        "origin_format": tensor.format,
    }
    if tensor.range:
        attrs["shape_range"] = [list(pair) for pair in tensor.range]
    return b"".join(
        (
            _wire.number(2, tensor.dtype.proto),
            _wire.data(3, _wire.packed(1, tensor.dims)),
            _wire.data(4, tensor.format),
            _wire.attr_map(5, attrs),
            _wire.number(10, size),
            _wire.data(14, "NPU"),
            _wire.number(16, len(tensor.dims)),
        )
    )


def _data_node(index: int, tensor: Tensor) -> bytes:
    attrs: dict[str, _wire.Attr] = {"index": index, **tensor.attrs}
    if tensor.open_dims is not None:
        attrs["_mbatch_origin_input_dims"] = list(tensor.open_dims)
        attrs["_all_origin_gears_inputs"] = [_gear_text(tensor, dims) for dims in tensor.gear_dims]
    if tensor.aipp_dims is not None:
        attrs["_dynamic_aipp_input_dims"] = list(tensor.aipp_dims)
    if tensor.name == GEAR_INPUT:
        attrs["_is_multi_batch_shape_data"] = True
        attrs["mbatch-inserted-node"] = True
    return b"".join(
        (
            _wire.data(1, tensor.name),
            _wire.data(2, tensor.kind),
            _wire.data(5, ""),
            _wire.attr_map(10, attrs),
            _wire.data(33, _descriptor(tensor, tensor.nbytes)),
            _wire.data(34, _descriptor(tensor, _padded(tensor))),
        )
    )


def _aipp_node(tensor: Tensor) -> bytes:
    # Only here does a file state the value that padding adds.
    return b"".join(
        (
            _wire.data(1, f"{tensor.name}_aipp"),
            _wire.data(2, "Aipp"),
            _wire.data(5, f"{tensor.name}:0"),
            _wire.attr_map(10, {"aipp_config_path": tensor.aipp_config}),
        )
    )


def _gear_text(tensor: Tensor, dims: tuple[int, ...]) -> str:
    size = Tensor(tensor.name, tensor.dtype, dims).nbytes
    listed = ",".join(map(str, dims))
    return f"{tensor.format}:{tensor.dtype.ge_name}:{tensor.name}:{size}:{len(dims)}:{listed}"


def _case_node(inputs: Sequence[Tensor], gears: Gears) -> bytes:
    # The first input chooses the branch.
    names = [GEAR_INPUT, *(tensor.name for tensor in inputs if tensor.name != GEAR_INPUT)]
    attrs: dict[str, _wire.Attr] = {
        "_batch_num": len(gears.values),
        "mbatch_dynamic_type": _GEAR_KINDS[gears.kind],
        "user_designate_shape_order": list(gears.order),
    }
    attrs.update((f"_pred_value_{i}", list(values)) for i, values in enumerate(gears.values))
    return b"".join(
        (
            _wire.data(1, _CASE),
            _wire.data(2, "Case"),
            *(_wire.data(5, f"{name}:0") for name in names),
            _wire.attr_map(10, attrs),
        )
    )


def _output_node(
    outputs: Sequence[Tensor], sources: Sequence[tuple[str, int]], gears: Gears | None
) -> bytes:
    attrs: _wire.Attrs = {"_dynamic_output_dims": gears.output_shapes()} if gears else {}
    return b"".join(
        (
            _wire.data(1, "Node_Output"),
            _wire.data(2, "NetOutput"),
            *(_wire.data(5, f"{node}:{index}") for node, index in sources),
            _wire.attr_map(10, attrs),
            *(_wire.data(24, node) for node, _ in sources),
            _wire.packed(25, (index for _, index in sources)),
            *(_wire.data(33, _descriptor(tensor, _padded(tensor))) for tensor in outputs),
        )
    )
