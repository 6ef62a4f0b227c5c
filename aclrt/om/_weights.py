# SPDX-License-Identifier: Apache-2.0
"""Weights that are not copied into the ONNX body: they follow it in the file, and are mapped.

So it is with external data, which are read piece by piece while the file is written, and with
models too large for one protobuf message. The ``onnx`` package is the caller's to import.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelFormatError
from . import _types

if TYPE_CHECKING:
    import onnx

__all__ = ["MAX_INLINE", "Weights", "detach", "from_files", "inline_bytes"]

MAX_INLINE = 1 << 30  # bytes of weights inside the body; a protobuf message ends at 2 GiB
_LOCATION = "#weights"  # no file: onnx's checker does not look for names that begin with '#'
_LEAST = 4096  # bytes; smaller tensors stay in the graph: inference reads shapes from them
_ALIGNMENT = 64
_BLOCK = 1 << 24


@dataclass(frozen=True)
class _Piece:
    """One tensor: bytes ``at`` of a file, or the raw data of ``source``, a TensorProto."""

    name: str
    elem_type: int
    dims: tuple[int, ...]
    nbytes: int
    offset: int  # in the weights
    file: Path | None = None
    at: int = 0
    source: Any = None

    def blocks(self) -> Iterator[bytes]:
        if self.file is None:
            yield self.source.raw_data
            return
        with self.file.open("rb") as source:
            source.seek(self.at)
            left = self.nbytes
            while left:
                block = source.read(min(left, _BLOCK))
                if not block:
                    raise ModelFormatError(f"{self.file} became shorter while it was read")
                left -= len(block)
                yield block

    def array(self) -> np.ndarray[Any, Any]:
        """The values; a file is mapped."""
        dtype = _types.of_onnx(self.elem_type)
        assert dtype is not None, "others stay in the graph"
        kind = dtype.name
        if kind.startswith(("bfloat", "float8")):  # NumPy has none: their bits
            kind = f"uint{dtype.bits}"
        if self.file is None:
            return np.frombuffer(self.source.raw_data, kind).reshape(self.dims)
        return np.memmap(self.file, kind, "r", self.at, self.dims)


@dataclass
class Weights:
    """The tensors behind the body, in the order of the file."""

    pieces: list[_Piece] = field(default_factory=list)
    size: int = 0

    def add(self, tensor: onnx.TensorProto, nbytes: int, **place: Any) -> None:
        """Takes a tensor in; its TensorProto then says where it lies."""
        offset = -(-self.size // _ALIGNMENT) * _ALIGNMENT
        self.pieces.append(
            _Piece(tensor.name, tensor.data_type, tuple(tensor.dims), nbytes, offset, **place)
        )
        self.size = offset + nbytes
        tensor.ClearField("raw_data")
        tensor.ClearField("external_data")
        tensor.data_location = type(tensor).EXTERNAL
        for key, value in (("location", _LOCATION), ("offset", offset), ("length", nbytes)):
            tensor.external_data.add(key=key, value=str(value))

    def trim(self, model: onnx.ModelProto) -> None:
        """Forgets the tensors that ``model`` no longer has."""
        tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        pieces, self.pieces, self.size = self.pieces, [], 0
        for piece in pieces:
            tensor = tensors.get(piece.name)
            if tensor is not None:
                self.add(tensor, piece.nbytes, file=piece.file, at=piece.at, source=piece.source)

    def blocks(self) -> Iterator[bytes]:
        """``size`` bytes, a piece at a time."""
        end = 0
        for piece in self.pieces:
            yield bytes(piece.offset - end)
            yield from piece.blocks()
            end = piece.offset + piece.nbytes

    def give_to(self, options: Any, names: Container[str]) -> list[Any]:
        """Lets a session of ``onnxruntime.SessionOptions`` find the tensors of those names.

        Returns:
            What has to live as long as the session.
        """
        from onnxruntime import OrtValue

        pieces = [piece for piece in self.pieces if piece.name in names]
        arrays = [piece.array() for piece in pieces]
        values = [
            OrtValue.ortvalue_from_numpy_with_onnx_type(array, piece.elem_type)
            if array.dtype.kind == "u"
            else OrtValue.ortvalue_from_numpy(array)
            for array, piece in zip(arrays, pieces, strict=True)
        ]
        if values:
            options.add_external_initializers([piece.name for piece in pieces], values)
        return [arrays, values]


def _nbytes(tensor: onnx.TensorProto) -> int | None:
    """Bytes of the tensor; None of one that has to stay in the graph."""
    dtype = _types.of_onnx(tensor.data_type)
    if dtype is None or dtype.bits < 8:
        return None
    nbytes = dtype.nbytes(math.prod(tensor.dims))
    return nbytes if nbytes >= _LEAST else None


def inline_bytes(model: onnx.ModelProto) -> int:
    """Bytes of the weights that lie in the graph itself."""
    return sum(len(tensor.raw_data) for tensor in model.graph.initializer)


def detach(model: onnx.ModelProto) -> tuple[onnx.ModelProto, Weights]:
    """The model without its large weights, which stay where they are; ``model`` is not changed."""
    copy = type(model)()
    _copy_but(model, copy, "graph")
    _copy_but(model.graph, copy.graph, "initializer")
    weights = Weights()
    for tensor in model.graph.initializer:
        nbytes = _nbytes(tensor)
        if nbytes is None or not tensor.HasField("raw_data"):
            copy.graph.initializer.add().CopyFrom(tensor)
            continue
        if len(tensor.raw_data) != nbytes:
            raise ModelFormatError(
                f"tensor {tensor.name!r} has {len(tensor.raw_data)} bytes of data, its dims and "
                f"type want {nbytes}"
            )
        without = copy.graph.initializer.add()
        _copy_but(tensor, without, "raw_data")
        weights.add(without, nbytes, source=tensor)
    return copy, weights


def _copy_but(source: Any, target: Any, name: str) -> None:
    """Copies all fields of a message but one."""
    for descriptor, value in source.ListFields():
        if descriptor.name == name:
            continue
        old = getattr(target, descriptor.name)
        if hasattr(old, "MergeFrom"):
            old.MergeFrom(value)
        else:
            setattr(target, descriptor.name, value)


def from_files(onnx: Any, model: onnx.ModelProto, tensors: Any, path: Path) -> Weights:
    """The large tensors of ``tensors`` (those with external data) stay in their files; the rest is
    read into ``model``, which is the file ``path``.

    Raises:
        ModelFormatError: A file is missing or too short, or lies outside the model's folder.
    """
    helper = onnx.external_data_helper
    weights = Weights()
    constants = list(model.graph.initializer)  # alive, so that id() tells them from others
    is_constant = {id(tensor) for tensor in constants}
    for tensor in tensors:
        info = helper.ExternalDataInfo(tensor)
        file, at, length = _place(tensor, info, path)
        nbytes = _nbytes(tensor)
        if nbytes is None or id(tensor) not in is_constant:
            with file.open("rb") as source:
                source.seek(at)
                tensor.raw_data = source.read(length)
            tensor.data_location = type(tensor).DEFAULT
            tensor.ClearField("external_data")
            continue
        if length != nbytes:
            raise ModelFormatError(
                f"{path}: tensor {tensor.name!r} has {length} bytes of external data, its dims "
                f"and type want {nbytes}"
            )
        weights.add(tensor, nbytes, file=file, at=at)
    return weights


def _place(tensor: onnx.TensorProto, info: Any, path: Path) -> tuple[Path, int, int]:
    """The file of a tensor's data, where they begin and how long they are."""
    location = PurePosixPath(info.location)
    what = f"{path}: the data of tensor {tensor.name!r}"
    if location.is_absolute() or ".." in location.parts or not location.name:
        raise ModelFormatError(
            f"{what} should be in {info.location!r}, which is outside of the model's folder"
        )
    file = path.parent / location
    if not file.is_file():
        raise ModelFormatError(
            f"{what} should be in {file}, which is not there",
            hint="keep the .onnx file and its data file in one directory",
        )
    size = file.stat().st_size
    at = info.offset or 0
    length = (size - at) if info.length is None else info.length
    if min(at, length) < 0 or at + length > size:
        raise ModelFormatError(
            f"{what} should be {length} bytes at {at} of {file}, which has {size}"
        )
    return file, at, length
