# SPDX-License-Identifier: Apache-2.0
"""``aclrt.om.check_load``: whether a model will load on this machine, without opening a device."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from .._ffi import ffi, lib, raise_for, take_string
from ..errors import InputError
from ..runtime import ensure

__all__ = ["LoadCheck", "LoadFinding", "check_load"]


@dataclass(frozen=True)
class LoadFinding:
    """One thing that was looked at.

    Attributes:
        topic: ``"backend"``, ``"chip"``, ``"memory"``, ``"versions"`` or ``"host"``.
        ok: False: it keeps the model from loading.
        text: What was found.
        hint: What to do where ``ok`` is false, else ``""``.
    """

    topic: str
    ok: bool
    text: str
    hint: str


@dataclass(frozen=True)
class LoadCheck:
    """The answer.

    Attributes:
        loads: No finding speaks against it. AscendCL has the last word.
        findings: In the order in which a load looks.
    """

    loads: bool
    findings: tuple[LoadFinding, ...]


def check_load(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview,
    *,
    backend: str | None = None,
    onnx: str | os.PathLike[str] | None = None,
) -> LoadCheck:
    """Compares a model with the libascendcl in use and its board; ``OfflineModel`` refuses by the
    same findings.

    Args:
        source: A path, or the file's bytes.
        backend: ``"auto"``, ``"npu"`` or ``"fake"``; None for ``$ACLRT_BACKEND``, else auto.
        onnx: The ONNX file that the fake would run in the model's place.

    Returns:
        What was found: the backend, the chip, memory, versions.

    Raises:
        ModelFormatError: Not a well-formed Ascend offline model.
        InputError: ``source`` is neither a path nor bytes.
        BackendError: No usable libascendcl, or another backend than ``backend`` is in use.
        OSError: The file cannot be read.
    """
    options = ffi.new("aclrt_model_options_t *")
    options.struct_size = ffi.sizeof("aclrt_model_options_t")
    names: tuple[str, ...] = ()
    if isinstance(source, (str, os.PathLike)):
        path = os.fsencode(source)
        if b"\0" in path or not path:
            raise InputError(f"source: expected a path or bytes, given {source!r}")
        names = (os.fsdecode(path),)
        keep = ffi.new("char[]", path)
        options.path = keep
    else:
        try:
            keep = ffi.from_buffer(source)
        except (TypeError, ValueError, BufferError) as error:
            raise InputError(
                f"source: expected a path or contiguous bytes, given {type(source).__name__} "
                f"({error})"
            ) from None
        options.data = keep
        options.data_size = len(keep)
    stand_in = ffi.new("char[]", os.fsencode(onnx or ""))
    options.onnx = stand_in
    ensure(backend)
    answer = ffi.new("char **")
    raise_for(lib.aclrt_model_check(options, answer), *names)
    fields = json.loads(take_string(answer[0]))
    return LoadCheck(
        fields["loads"], tuple(LoadFinding(**finding) for finding in fields["findings"])
    )
