# SPDX-License-Identifier: Apache-2.0
"""``aclrt.convert``: an ONNX model becomes a simulated ``.om`` file."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from . import _container, _onnx, _shapes

if TYPE_CHECKING:
    import onnx

__all__ = ["convert"]

_SUFFIX = ".om"


def convert(
    model: str | os.PathLike[str] | onnx.ModelProto,
    output: str | os.PathLike[str],
    *,
    input_shape: _shapes.InputShape | None = None,
    soc_version: str | None = None,
) -> Path:
    """Writes a simulated ``.om`` file that the fake device runs with ONNX Runtime.

    The file has the container that ATC writes, so every tool that reads ``.om`` files reads it,
    and it carries the ONNX model as its body. A real device refuses it. The file appears whole
    or not at all.

    Args:
        model: Path of the ONNX file (external data are taken in), or an ``onnx.ModelProto``,
            which is not changed.
        output: Path of the file to write; ``.om`` is appended where it is missing. An existing
            file is replaced.
        input_shape: The dims of inputs, as ``{"x": (1, 3, 224, 224)}`` or in ATC's words
            ``"x:1,3,224,224;y:1,10"``. Needed for inputs whose shape is open in the model; a
            symbol such as ``N`` that becomes a number there is that number everywhere. Dims may
            be 0, and ``()`` is a scalar.
        soc_version: The chip that the model is meant for; it is noted in the file's command line
            and has no other effect on a simulated file.

    Returns:
        The path written, with its suffix.

    Raises:
        InputError: The arguments do not fit the model or each other.
        ModelFormatError: The ONNX model is not valid, or cannot be an ``.om`` file: strings,
            sequences, 2 GiB and more, output dims that depend on the data.
        OSError: The model cannot be read, or the output cannot be written.
        ImportError: The ``onnx`` package is missing: ``pip install aclrt[onnx]``.
    """
    path = _output_path(output)
    shapes = _shapes.parse(input_shape)
    if soc_version is not None and not isinstance(soc_version, str):
        raise InputError(f"soc_version: expected a text, given {type(soc_version).__name__}")
    static = _onnx.make_static(_onnx.load(model), shapes)

    from .. import __version__

    contents = _container.Contents(
        name=_printable(path.stem),
        inputs=static.inputs,
        outputs=static.outputs,
        onnx=static.onnx,
        tool_version=f"aclrt {__version__}",
        command_line=_command_line(model, path, shapes, soc_version),
    )
    _write_whole(path, _container.pieces(contents))
    return path


def _output_path(output: str | os.PathLike[str]) -> Path:
    if not isinstance(output, (str, os.PathLike)):
        raise InputError(f"output: expected a path, given {type(output).__name__}")
    text = os.fsdecode(output)
    if not text or text.endswith("/") or "\0" in text:
        raise InputError(f"output: expected the path of a file, given {text!r}")
    return Path(text if text.endswith(_SUFFIX) else text + _SUFFIX)


def _command_line(
    model: object, path: Path, shapes: dict[str, tuple[int, ...]], soc_version: str | None
) -> str:
    """What ATC would have been told; names of files only, directories are the user's business."""
    words = ["aclrt simulated"]
    if isinstance(model, (str, os.PathLike)):
        words.append(f"--model={_printable(Path(model).name)}")
    words += ["--framework=5", f"--output={_printable(path.stem)}"]
    if shapes:
        words.append(f"--input_shape={_shapes.to_text(shapes)}")
    if soc_version:
        words.append(f"--soc_version={soc_version}")
    return " ".join(words)


def _printable(name: str) -> str:
    """A file name as UTF-8, which the bytes of the file system need not be."""
    return os.fsencode(name).decode("utf-8", "replace")


def _write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Writes beside the target and renames: no reader ever sees half a file."""
    temporary = path.with_name(f".aclrt-{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.filename is not None:
            # About the file that was asked for, not the one beside it.
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
