# SPDX-License-Identifier: Apache-2.0
"""From a path, bytes or a file object to a loaded model's handle."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ._ffi import ffi, lib, raise_for
from .errors import InputError

__all__ = ["load"]


def _path_bytes(path: Any, what: str) -> bytes:
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise InputError(f"{what} {path!r} contains a NUL character")
    return encoded


def load(source: Any, device_id: int, onnx: Any, instances: int = 1) -> tuple[str, Any]:
    """Loads from whatever the source is: the model's name for messages, and its handle."""
    options = ffi.new("aclrt_model_options_t *")
    options.struct_size = ffi.sizeof("aclrt_model_options_t")
    options.device_id = device_id
    options.instances = instances
    # Whatever options points to lives until the load has returned.
    path = data = onnx_path = None
    filenames = []
    if onnx is not None:
        if not isinstance(onnx, (str, os.PathLike)):
            raise InputError(f"onnx must be a path, not {type(onnx).__name__}")
        encoded = _path_bytes(onnx, "onnx")
        filenames.append(os.fsdecode(encoded))
        onnx_path = ffi.new("char[]", encoded)
        options.onnx = onnx_path
    if isinstance(source, (str, os.PathLike)):
        encoded = _path_bytes(source, "path")
        filenames.append(os.fsdecode(encoded))
        name = Path(filenames[-1]).name or filenames[-1]
        path = ffi.new("char[]", encoded)
        options.path = path
    else:
        name, data = _bytes_of(source)
        options.data = data
        options.data_size = len(data)
    handle = ffi.new("aclrt_model_t **")
    raise_for(lib.aclrt_model_load(options, handle), *filenames)
    del path, data, onnx_path
    return name, ffi.gc(handle[0], lib.aclrt_model_release)


def _bytes_of(source: Any) -> tuple[str, Any]:
    name = f"<{type(source).__name__}>"
    if hasattr(source, "read"):
        name = str(getattr(source, "name", name))
        source = source.read()
        if isinstance(source, str):
            raise InputError(f"{name} is a text file", hint='open it as binary: open(path, "rb")')
    try:
        return name, ffi.from_buffer(source)
    except (TypeError, ValueError, BufferError) as error:
        raise InputError(
            f"a model is a path, bytes or a binary file, not {type(source).__name__} ({error})"
        ) from None
