# SPDX-License-Identifier: Apache-2.0
"""Small offline models of any signature, made in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError

__all__ = ["OmFactory"]

Signature = Mapping[str, tuple[str, Sequence[int]]]
_MEAN = "mean of all"


class OmFactory:
    """Makes simulated models: every output has the mean of all input elements everywhere.

    Args:
        folder: Where files go; None: a temporary one.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._made: dict[tuple[Any, ...], bytes] = {}

    def __call__(
        self, inputs: Signature, outputs: Signature | None = None, **options: Any
    ) -> bytes:
        """The bytes of a model, as ``OfflineModel`` takes them.

        Args:
            inputs: ``{"x": ("float32", (1, 3, 224, 224))}``; -1 for dims that gears or a range
                of ``options`` fill in.
            outputs: The same; None: an output ``y`` of float32 with one element. Dims are fixed.
            **options: As for ``aclrt.convert``: ``dynamic_batch_size=(1, 4)``, ...

        Raises:
            InputError: A dtype or shape makes no sense.
            ImportError: The ``onnx`` package is missing.
        """
        wanted = dict(outputs) if outputs is not None else {"y": ("float32", (1,))}
        key = (_key(inputs), _key(wanted), tuple(sorted((k, str(v)) for k, v in options.items())))
        if key not in self._made:
            from .. import convert

            with tempfile.TemporaryDirectory(prefix="aclrt-testing-") as scratch:
                source = Path(scratch, "model.onnx")
                source.write_bytes(self.onnx(inputs, wanted))
                made = convert(source, Path(scratch, "model.om"), **options)
                self._made[key] = made.read_bytes()
        return self._made[key]

    def file(
        self,
        name: str,
        inputs: Signature,
        outputs: Signature | None = None,
        **options: Any,
    ) -> Path:
        """The same as a file of that name.

        Raises:
            InputError: As for a call.
            OSError: The file cannot be written.
        """
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="aclrt-testing-"))
        path = self._folder / name
        path.write_bytes(self(inputs, outputs, **options))
        return path

    def onnx(self, inputs: Signature, outputs: Signature | None = None) -> bytes:
        """The ONNX model behind it.

        Raises:
            InputError: A dtype or shape makes no sense.
            ImportError: The ``onnx`` package is missing.
        """
        from onnx import TensorProto, checker, helper

        wanted = dict(outputs) if outputs is not None else {"y": ("float32", (1,))}
        if not inputs:
            raise InputError("a model needs an input")

        def element(dtype: str) -> int:
            name = {"float32": "FLOAT", "float64": "DOUBLE"}.get(dtype, dtype.upper())
            if name not in TensorProto.DataType.keys():  # noqa: SIM118  (protobuf's enum)
                raise InputError(f"{dtype!r} is no element type", hint="float32, int64, bool, ...")
            return int(getattr(TensorProto, name))

        def info(name: str, dtype: str, shape: Sequence[int]) -> Any:
            dims = [f"{name}_{axis}" if dim < 0 else dim for axis, dim in enumerate(shape)]
            return helper.make_tensor_value_info(name, element(dtype), dims)

        nodes = []
        means = []
        for position, name in enumerate(inputs):
            floats, mean = f"floats {position}", f"mean {position}"
            nodes.append(helper.make_node("Cast", [name], [floats], to=TensorProto.FLOAT))
            nodes.append(helper.make_node("ReduceMean", [floats], [mean], keepdims=0))
            means.append(mean)
        nodes.append(helper.make_node("Mean", means, [_MEAN]))
        constants = []
        for position, (name, (dtype, shape)) in enumerate(wanted.items()):
            if any(dim < 0 for dim in shape):
                raise InputError(f"output {name!r}: dims must be fixed, given {tuple(shape)}")
            dims, spread = f"dims {position}", f"spread {position}"
            constants.append(helper.make_tensor(dims, TensorProto.INT64, [len(shape)], list(shape)))
            nodes.append(helper.make_node("Expand", [_MEAN, dims], [spread]))
            nodes.append(helper.make_node("Cast", [spread], [name], to=element(dtype)))
        graph = helper.make_graph(
            nodes,
            "testing",
            [info(name, *signature) for name, signature in inputs.items()],
            [info(name, *signature) for name, signature in wanted.items()],
            constants,
        )
        opset = [helper.make_opsetid("", 19)]
        model = helper.make_model(graph, ir_version=9, opset_imports=opset)
        checker.check_model(model)
        data: bytes = model.SerializeToString(deterministic=True)
        return data


def _key(signature: Signature) -> tuple[Any, ...]:
    return tuple((name, dtype, tuple(shape)) for name, (dtype, shape) in signature.items())
