# SPDX-License-Identifier: Apache-2.0
"""The two sides of a comparison: an ``.om``, an ``.onnx``, or outputs that were saved before."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .. import _feeds, dtypes, om
from ..errors import InputError
from ..model import OfflineModel

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Self

__all__ = ["Port", "Side", "open_side"]


@dataclass(frozen=True)
class Port:
    """An input as a side wants it; -1 for a dim that may vary."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


class Side(Protocol):
    """What a comparison needs of each side; ``inputs`` is None where nothing is computed.

    ``shapes`` are those of all inputs under each gear, the largest last, or the least of a range;
    empty where they are fixed or not known.
    """

    path: str
    kind: str
    info: om.ModelInfo | None
    inputs: tuple[Port, ...] | None
    shapes: tuple[tuple[tuple[int, ...], ...], ...]

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The outputs by name."""
        ...

    def close(self) -> None:
        """Gives everything back."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *failure: object) -> None: ...


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


class _Side:
    path: str
    kind: str
    info: om.ModelInfo | None = None
    inputs: tuple[Port, ...] | None = None
    shapes: tuple[tuple[tuple[int, ...], ...], ...] = ()

    def close(self) -> None:
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()


class _Om(_Side):
    kind = "om"

    def __init__(self, path: str, device_id: int, backend: str | None) -> None:
        self.path = path
        self.info = om.inspect(path)
        self._model = OfflineModel(path, device_id=device_id, backend=backend)
        self.inputs = tuple(Port(s.name, s.dtype, s.shape) for s in self._model.inputs)
        self.shapes = _feeds.shape_sets(self._model)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return dict(self._model(dict(feeds)).items())

    def close(self) -> None:
        self._model.close()


class _Onnx(_Side):
    kind = "onnx"

    def __init__(self, path: str) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ImportError(
                'comparing with an ONNX model needs onnxruntime: pip install "aclrt[onnx]"',
                name="onnxruntime",
            ) from error
        self.path = path
        with Path(path).open("rb") as file:
            # Read here: the operating system's own words, where it cannot be. ONNX Runtime takes
            # only names that are text; external data are found by the name alone.
            source = path if _is_text(path) else file.read()
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                source, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exception classes are not public
            raise InputError(
                f"{path} cannot be loaded by ONNX Runtime: {str(error).splitlines()[0]}"
            ) from error
        self.inputs = tuple(
            Port(
                node.name,
                _onnx_dtype(node.type, node.name),
                tuple(dim if isinstance(dim, int) else -1 for dim in node.shape),
            )
            for node in self._session.get_inputs()
        )
        self._outputs = [node.name for node in self._session.get_outputs()]

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        try:
            values = self._run(feeds)
        except Exception as error:
            raise InputError(f"ONNX Runtime cannot run {self.path}: {error}") from error
        for name, value in zip(self._outputs, values, strict=True):
            if not isinstance(value, np.ndarray) or value.dtype.kind not in "biufV":
                raise InputError(f"output {name!r} of {self.path} is no tensor of numbers")
        return dict(zip(self._outputs, values, strict=True))

    def _run(self, feeds: Mapping[str, NDArray[Any]]) -> list[Any]:
        nodes = self._session.get_outputs()
        kinds = {port.dtype.kind for port in self.inputs or ()}
        if "V" not in kinds and all(node.type not in _EXTENDED for node in nodes):
            return list(self._session.run(self._outputs, dict(feeds)))
        # NumPy has no name for bfloat16, float8 and int4: ONNX Runtime gives values of its own.
        values = {name: _to_ort(feeds[name]) for name in feeds}
        given = self._session.run_with_ort_values(self._outputs, values)
        return [_from_ort(value, node.type) for value, node in zip(given, nodes, strict=True)]


def _to_ort(array: NDArray[Any]) -> Any:
    import onnxruntime

    if array.dtype.kind != "V":
        return onnxruntime.OrtValue.ortvalue_from_numpy(array)
    if dtypes.is_packed(array.dtype):
        raise InputError(f"ONNX Runtime takes no {array.dtype} from Python")
    import onnx

    number = getattr(onnx.TensorProto, array.dtype.name.upper())
    bits = np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")
    return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, number)


def _from_ort(value: Any, element: str) -> NDArray[Any]:
    number = _EXTENDED.get(element)
    if number is None:
        plain: NDArray[Any] = value.numpy()
        return plain
    dtype, shape = dtypes.dtype_of(number), tuple(value.shape())
    count = int(np.prod(shape, dtype=np.int64))
    packed = dtypes.is_packed(dtype)
    nbytes = (count + 1) // 2 if packed else count * dtype.itemsize
    bits = np.frombuffer(ctypes.string_at(value.data_ptr(), nbytes), np.uint8)
    if not packed:
        return bits.view(dtype).reshape(shape)
    array = np.empty(shape, dtype)
    dtypes.unpack(bits, array)
    return array


class _Saved(_Side):
    kind = "saved"

    def __init__(self, path: str) -> None:
        self.path = path
        if Path(path).is_dir():
            files = sorted(Path(path).glob("*.npy"))
            if not files:
                raise InputError(f"{path} has no .npy file", hint="aclrt run MODEL --output DIR")
            self._outputs = {file.stem: _loaded(str(file)) for file in files}
        elif path.endswith(".npz"):
            try:
                with np.load(path, allow_pickle=False) as archive:
                    self._outputs = {name: archive[name] for name in archive.files}
            except (ValueError, EOFError) as error:
                raise InputError(f"{path} is no .npz of plain numbers: {error}") from error
        else:
            self._outputs = {Path(path).stem: _loaded(path)}

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return dict(self._outputs)


def _loaded(file: str) -> NDArray[Any]:
    return _feeds.load({"": file}, ())[""]


_ONNX_NAMES = {"float": "float32", "double": "float64"}
# ONNX Runtime's names of the types that NumPy alone has none for.
_EXTENDED = {
    dtypes.onnx_type(number): number
    for number, name in dtypes.NAMES.items()
    if name.startswith(("bfloat", "float8", "int4"))
}


def _onnx_dtype(text: str, name: str) -> np.dtype[Any]:
    element = text.removeprefix("tensor(").removesuffix(")")
    try:
        return np.dtype(_ONNX_NAMES.get(element, element))
    except TypeError:
        if text in _EXTENDED:
            return dtypes.dtype_of(_EXTENDED[text])
        raise InputError(
            f"input {name!r} of the ONNX model is {text}, which NumPy cannot give"
        ) from None


def open_side(path: str | os.PathLike[str], *, device_id: int, backend: str | None) -> Side:
    """Opens one side by what it is: a folder, or the end of the file's name.

    Args:
        path: An ``.om``, an ``.onnx``, a ``.npy``, an ``.npz``, or a folder of ``.npy`` files.
        device_id: Where an ``.om`` runs.
        backend: As for ``OfflineModel``.

    Raises:
        InputError: The file is none of these, or cannot be read as what it is called.
        OSError: There is no such file, or it cannot be read.
    """
    name = os.fspath(path)
    suffix = Path(name).suffix.lower()
    if suffix == ".om" and not Path(name).is_dir():
        return _Om(name, device_id, backend)
    if suffix == ".onnx":
        return _Onnx(name)
    if suffix in (".npy", ".npz") or Path(name).is_dir():
        return _Saved(name)
    if not Path(name).exists():
        raise FileNotFoundError(2, "No such file or directory", name)
    raise InputError(
        f"{name} is neither .om, .onnx, .npy, .npz nor a folder", hint="rename it to what it is"
    )
