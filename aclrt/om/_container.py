# SPDX-License-Identifier: Apache-2.0
"""Writes the container of a simulated file: header, table, inputs and outputs, ONNX body.

Third generation, one model, static shapes. Both ways of finding inputs and outputs (the
MODEL_INOUT_INFO records and the graph in MODEL_DEF) give the same.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import _wire
from ._types import ElementType

__all__ = ["Contents", "Tensor", "pieces"]

_HEADER_SIZE = 256
_MAGIC = 0x444F4D49
_VERSION = 0x20000000
_IR_VERSION = 2
_MARKER = b"aclrt-sim/1"
_PLATFORM = "1.11.z.0"
_PLATFORM_TYPE = 1
_SOC = "AscendSim"  # no device has this name: a real one refuses the file

_MODEL_DEF = 0
_TASK_INFO = 2
_MODEL_INOUT_INFO = 8
_ONNX_BODY = 0x4E4F4158

_BODY_MAGIC = b"ACLRTSIM"
_BODY_VERSION = 1

_NCHW = 0
_ND = 2
_FORMAT_NAMES = {_NCHW: "NCHW", _ND: "ND"}

_WORK_ALIGNMENT = 512


@dataclass(frozen=True)
class Tensor:
    """One input or output.

    Attributes:
        name: What AscendCL reports: an input's ONNX name, ``"<node>:<index>:<ONNX name>"`` for an
            output.
        dtype: Element type.
        dims: All at least 0.
        source: The node that makes an output, and which of its results it is.
    """

    name: str
    dtype: ElementType
    dims: tuple[int, ...]
    source: tuple[str, int] = ("", 0)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole tensor."""
        return self.dtype.nbytes(math.prod(self.dims))

    @property
    def format(self) -> int:
        """ATC's default for ONNX: NCHW where there are four dims."""
        return _NCHW if len(self.dims) == 4 else _ND


@dataclass(frozen=True)
class Contents:
    """What a simulated file holds."""

    name: str
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    onnx: bytes
    tool_version: str
    command_line: str

    @property
    def work_size(self) -> int:
        """Bytes of all inputs and outputs, rounded up: the least that a run works in."""
        total = sum(tensor.nbytes for tensor in (*self.inputs, *self.outputs))
        return -(-total // _WORK_ALIGNMENT) * _WORK_ALIGNMENT


def _padded(nbytes: int) -> int:
    # What the compiler writes for tensors between nodes.
    return (nbytes + 63) // 32 * 32


def _tensor_record(tensor: Tensor) -> bytes:
    name = tensor.name.encode()
    dims = struct.pack(f"<{len(tensor.dims)}q", *tensor.dims)
    head = struct.pack(
        "<QIIIIII",
        tensor.nbytes,
        tensor.format,
        tensor.dtype.value,
        len(name),
        len(dims),
        len(dims),
        0,
    )
    return head + name + dims + dims


def _inout_info(contents: Contents) -> bytes:
    out = b""
    for kind, tensors in enumerate((contents.inputs, contents.outputs)):
        if tensors:
            value = struct.pack("<I", len(tensors)) + b"".join(map(_tensor_record, tensors))
            out += struct.pack("<iI", kind, len(value)) + value
    return out


def _descriptor(tensor: Tensor, size: int) -> bytes:
    layout = _FORMAT_NAMES[tensor.format]
    return b"".join(
        (
            _wire.number(2, tensor.dtype.proto),
            _wire.data(3, _wire.packed(1, tensor.dims)),
            _wire.data(4, layout),
            _wire.attr_map(
                5,
                {
                    "format_for_int": tensor.format,
                    "origin_shape": list(tensor.dims),
                    "origin_format": layout,
                },
            ),
            _wire.number(10, size),
            _wire.data(14, "NPU"),
            _wire.number(16, len(tensor.dims)),
        )
    )


def _data_node(index: int, tensor: Tensor) -> bytes:
    return b"".join(
        (
            _wire.data(1, tensor.name),
            _wire.data(2, "Data"),
            _wire.data(5, ""),
            _wire.attr_map(10, {"index": index}),
            _wire.data(33, _descriptor(tensor, tensor.nbytes)),
            _wire.data(34, _descriptor(tensor, _padded(tensor.nbytes))),
        )
    )


def _output_node(outputs: Sequence[Tensor]) -> bytes:
    sources = [tensor.source for tensor in outputs]
    return b"".join(
        (
            _wire.data(1, "Node_Output"),
            _wire.data(2, "NetOutput"),
            *(_wire.data(5, f"{node}:{index}") for node, index in sources),
            *(_wire.data(24, node) for node, _ in sources),
            _wire.packed(25, (index for _, index in sources)),
            *(_wire.data(33, _descriptor(tensor, _padded(tensor.nbytes))) for tensor in outputs),
        )
    )


def _graph(contents: Contents) -> bytes:
    return b"".join(
        (
            _wire.data(1, f"{contents.name}_0"),
            *(_wire.data(4, f"{tensor.name}:0") for tensor in contents.inputs),
            *(_wire.data(5, "{}:{}".format(*tensor.source)) for tensor in contents.outputs),
            *(_wire.data(6, _data_node(i, tensor)) for i, tensor in enumerate(contents.inputs)),
            _wire.data(6, _output_node(contents.outputs)),
        )
    )


def _model_def(contents: Contents, task_info_size: int) -> bytes:
    attrs: _wire.Attrs = {
        "memory_size": contents.work_size,
        "weight_size": 0,
        "zero_copy_memory_size": contents.work_size,
        "stream_num": 1,
        "event_num": 0,
        "label_num": 0,
        "target_type": "MINI",
        "session_id": 0,
        "soc_version": _SOC,
        "atc_version": contents.tool_version,
        "atc_cmdline": contents.command_line,
        "framework_type": "Onnx",
        "attr_model_out_nodes_name": [tensor.name for tensor in contents.outputs],
        "om_info_list": [0, 0, 0, task_info_size, 0],
    }
    return b"".join(
        (
            _wire.data(1, contents.name),
            _wire.number(2, 2),
            _wire.data(3, _PLATFORM),
            _wire.data(7, _graph(contents)),
            _wire.attr_map(11, attrs),
        )
    )


def _task_info(contents: Contents) -> bytes:
    return _wire.number(11, contents.work_size) + _wire.number(14, 0)


def _cut(text: str, size: int) -> bytes:
    """At most ``size`` bytes of UTF-8, no character cut in two."""
    return text.encode()[:size].decode(errors="ignore").encode()


def _header(name: str, body_size: int) -> bytes:
    header = bytearray(_HEADER_SIZE)
    struct.pack_into("<III", header, 0x00, _MAGIC, _HEADER_SIZE, _VERSION)
    struct.pack_into("<32s", header, 0x54, _cut(name, 31))
    struct.pack_into("<32s", header, 0x78, _MARKER)
    struct.pack_into("<II", header, 0x98, _IR_VERSION, 1)
    struct.pack_into("<20sB", header, 0xA0, _PLATFORM.encode(), _PLATFORM_TYPE)
    struct.pack_into("<Q", header, 0xB8, body_size)
    return bytes(header)


def pieces(contents: Contents) -> Iterator[bytes]:
    """The file's bytes in order; the ONNX body is passed on uncopied."""
    task_info = _task_info(contents)
    body_head = _BODY_MAGIC + struct.pack(
        "<IIQ", _BODY_VERSION, zlib.crc32(contents.onnx), len(contents.onnx)
    )
    partitions = [
        (_MODEL_INOUT_INFO, (_inout_info(contents),)),
        (_MODEL_DEF, (_model_def(contents, len(task_info)),)),
        (_TASK_INFO, (task_info,)),
        (_ONNX_BODY, (body_head, contents.onnx)),
    ]
    table = struct.pack("<II", len(partitions), 0)
    offset = 0
    for kind, parts in partitions:
        size = sum(map(len, parts))
        table += struct.pack("<IIQQ", kind, 0, offset, size)
        offset += size
    yield _header(contents.name, len(table) + offset)
    yield table
    for _, parts in partitions:
        yield from parts
