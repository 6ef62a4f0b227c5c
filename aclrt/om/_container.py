# SPDX-License-Identifier: Apache-2.0
"""Writes the container of a simulated file: header, table, partitions, ONNX body.

Third generation, one model. Both ways of finding inputs and outputs (the MODEL_INOUT_INFO records
and the graph in MODEL_DEF) give the same.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from . import _body, _wire
from ._contents import WEIGHT_SIZE, Contents
from ._inout_info import inout_info
from ._model_def import PLATFORM, model_def

__all__ = ["pieces"]

_HEADER_SIZE = 256
_MAGIC = 0x444F4D49
_VERSION = 0x20000000
_IR_VERSION = 2
_MARKER = b"aclrt-sim/1"
_PLATFORM_TYPE = 1

_MODEL_DEF = 0
_WEIGHTS_DATA = 1
_TASK_INFO = 2
_MODEL_INOUT_INFO = 8
_ONNX_BODY = 0x4E4F4158

_ROW = struct.Struct("<IIQQ")  # of the table


def _task_info(contents: Contents) -> bytes:
    return _wire.number(11, contents.work_size) + _wire.number(14, WEIGHT_SIZE)


def _cut(text: str, size: int) -> bytes:
    """At most ``size`` bytes of UTF-8, no character cut in two."""
    return text.encode()[:size].decode(errors="ignore").encode()


def _header(contents: Contents, body_size: int) -> bytes:
    header = bytearray(_HEADER_SIZE)
    struct.pack_into("<III", header, 0x00, _MAGIC, _HEADER_SIZE, _VERSION)
    struct.pack_into("<32s", header, 0x54, _cut(contents.name, 31))
    struct.pack_into("<32s", header, 0x78, _MARKER)
    struct.pack_into("<II", header, 0x98, _IR_VERSION, 1)
    struct.pack_into("<20sB", header, 0xA0, PLATFORM.encode(), _PLATFORM_TYPE)
    struct.pack_into("<Q?", header, 0xB8, body_size, False)
    struct.pack_into("<?", header, 0xC1, contents.is_unknown_shape)
    return bytes(header)


def pieces(contents: Contents) -> Iterator[bytes]:
    """The file's bytes in order; the ONNX body and its weights are passed on uncopied."""
    task_info = _task_info(contents)
    partitions = [
        (_MODEL_INOUT_INFO, inout_info(contents)),
        (_MODEL_DEF, model_def(contents, len(task_info))),
        (_WEIGHTS_DATA, bytes(WEIGHT_SIZE)),
        (_TASK_INFO, task_info),
    ]
    count = len(partitions) + 1
    table = struct.pack("<II", count, 0)
    offset = 0
    for kind, content in partitions:
        table += _ROW.pack(kind, 0, offset, len(content))
        offset += len(content)
    body_at = _HEADER_SIZE + len(table) + _ROW.size + offset
    body_size = _body.size(contents.onnx, contents.weights, body_at)
    table += _ROW.pack(_ONNX_BODY, 0, offset, body_size)
    yield _header(contents, len(table) + offset + body_size)
    yield table
    for _, content in partitions:
        yield content
    yield from _body.blocks(contents.onnx, contents.weights, body_at)
