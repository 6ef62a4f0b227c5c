# SPDX-License-Identifier: Apache-2.0
"""Sessions."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aclrt.compat._unsupported import Unsupported
from aclrt.errors import InputError, ModelFormatError
from aclrt.model import OfflineModel

from ._binding import IOBinding, OrtValue
from ._options import RunOptions, SessionOptions
from .errors import Fail, InvalidArgument, NoSuchFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aclrt.tensor import NodeArg

__all__ = ["PROVIDER", "InferenceSession", "ModelMetadata"]

PROVIDER = "CANNExecutionProvider"
_OTHERS = ("CPUExecutionProvider",)  # taken beside it: nothing of a compiled model runs there
_PROVIDER_OPTIONS = ("device_id",)


@dataclass(frozen=True)
class ModelMetadata:
    """What the file says about itself; ``custom_metadata_map`` has what ONNX has no field for."""

    producer_name: str = ""
    graph_name: str = ""
    domain: str = ""
    description: str = ""
    graph_description: str = ""
    version: int = 0
    custom_metadata_map: dict[str, str] = field(default_factory=dict)


def _device_id(providers: Any, provider_options: Any) -> int:
    """The device that the providers' options name.

    Raises:
        ValueError: No provider can run an offline model.
        Unsupported: A provider or an option that has no meaning here.
    """
    if providers is None:
        providers = [PROVIDER]
    names, options = [], []
    for position, provider in enumerate(providers):
        name, own = provider if isinstance(provider, tuple) else (provider, {})
        if provider_options is not None:
            own = {**own, **provider_options[position]}
        names.append(name)
        options.append(own)
    for name in names:
        if name not in (PROVIDER, *_OTHERS):
            raise Unsupported(
                f"provider {name!r} is not part of aclrt.compat.onnxruntime", hint=PROVIDER
            )
    if PROVIDER not in names:
        raise ValueError(
            f"an offline model runs on {PROVIDER} alone, providers is {names}; leave it out, or "
            "run the ONNX file with ONNX Runtime itself"
        )
    chosen = options[names.index(PROVIDER)]
    unknown = [name for name in chosen if name not in _PROVIDER_OPTIONS]
    if unknown:
        raise Unsupported(
            f"options of {PROVIDER} that compile a model are not part of "
            f"aclrt.compat.onnxruntime: {', '.join(unknown)}",
            hint="the model is compiled: give them to atc, or to aclrt convert",
        )
    return int(chosen.get("device_id", 0))


class InferenceSession:
    """An offline model with ONNX Runtime's methods."""

    def __init__(
        self,
        path_or_bytes: str | os.PathLike[str] | bytes,
        sess_options: SessionOptions | None = None,
        providers: Sequence[Any] | None = None,
        provider_options: Sequence[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        """
        Args:
            path_or_bytes: The .om file or its bytes.
            sess_options: Options; those that have no effect draw one warning.
            providers: ``"CANNExecutionProvider"``, or a tuple of it and ``{"device_id": 0}``, with
                or without ``"CPUExecutionProvider"``.
            provider_options: One dict for each provider.
            **kwargs: None are taken.

        Raises:
            NoSuchFile: There is no such file.
            Fail: It cannot be loaded; an ONNX file is told how to be converted.
            ValueError: ``CANNExecutionProvider`` is not among the providers.
            Unsupported: A provider or an option that has no meaning here.
        """
        if kwargs:
            raise Unsupported(
                f"InferenceSession({', '.join(kwargs)}=) is not part of aclrt.compat.onnxruntime"
            )
        self._device = _device_id(providers, provider_options)
        ignored = sess_options.changed() if sess_options is not None else []
        if ignored:
            warnings.warn(
                f"session options without effect on a compiled model: {', '.join(ignored)}",
                stacklevel=2,
            )
        self._source = path_or_bytes
        self._options = sess_options or SessionOptions()
        try:
            self._model = OfflineModel(path_or_bytes, device_id=self._device)
        except FileNotFoundError as error:
            raise NoSuchFile(f"Load model from {path_or_bytes!r} failed: {error}") from error
        except ModelFormatError as error:
            name = str(path_or_bytes)[:80]
            hint = error.hint
            if name.endswith(".onnx"):
                hint = f"sessions take offline models: aclrt convert {name} -o model.om"
            raise Fail(f"Load model from {name} failed: {error.message}", hint=hint) from error
        self._inputs = {spec.name for spec in self._model.inputs}
        self._outputs = {spec.name for spec in self._model.outputs}

    def get_inputs(self) -> list[NodeArg]:
        """The inputs: name, shape, type."""
        return self._model.get_inputs()

    def get_outputs(self) -> list[NodeArg]:
        """The outputs: name, shape, type."""
        return self._model.get_outputs()

    def get_modelmeta(self) -> ModelMetadata:
        """What the file says about itself."""
        from aclrt.om import inspect

        source = self._source
        info = inspect(source if isinstance(source, bytes) else Path(os.fspath(source)))
        known = info.to_dict()
        names = ("soc_version", "compiler_version", "simulated")
        return ModelMetadata(
            producer_name=str(known.get("compiler_version") or ""),
            graph_name=str(known.get("name") or ""),
            custom_metadata_map={name: str(known[name]) for name in names if name in known},
        )

    def get_providers(self) -> list[str]:
        """``["CANNExecutionProvider"]``."""
        return [PROVIDER]

    def get_provider_options(self) -> dict[str, dict[str, str]]:
        """The device, by provider."""
        return {PROVIDER: {"device_id": str(self._device)}}

    def get_session_options(self) -> SessionOptions:
        """The options that the session was made with."""
        return self._options

    def _check_name(self, kind: str, name: str) -> None:
        """Refuses a name that the model has not.

        Args:
            kind: ``"input"`` or ``"output"``.
            name: The name.

        Raises:
            InvalidArgument: The model has no such input or output.
        """
        known = self._inputs if kind == "input" else self._outputs
        if name not in known:
            raise InvalidArgument(
                f"Invalid {kind} name: {name}", hint=f"the model has {', '.join(sorted(known))}"
            )

    def run(
        self,
        output_names: Sequence[str] | None,
        input_feed: Mapping[str, Any],
        run_options: RunOptions | None = None,
    ) -> list[NDArray[Any]]:
        """Runs the model once.

        Args:
            output_names: Which outputs to return, in this order; None or an empty list for all.
            input_feed: The inputs by name: arrays or OrtValues.
            run_options: Options; those that differ from the default draw one warning.

        Returns:
            A list of new arrays.

        Raises:
            ValueError: Inputs are missing.
            InvalidArgument: A name, dtype or shape does not fit the model.
        """
        for name in output_names or ():
            self._check_name("output", name)
        if run_options is not None and run_options.changed():
            warnings.warn(
                f"run options without effect: {', '.join(run_options.changed())}", stacklevel=2
            )
        result = self._run(input_feed, None)
        return [result[name] for name in output_names or [s.name for s in self._model.outputs]]

    def _run(self, input_feed: Mapping[str, Any], out: dict[str, Any] | None) -> Any:
        missing = [spec.name for spec in self._model.inputs if spec.name not in input_feed]
        if missing:
            raise ValueError(
                f"Required inputs ({missing}) are missing from input feed ({list(input_feed)})."
            )
        feed = {}
        for name, value in input_feed.items():
            self._check_name("input", name)
            feed[name] = value.numpy() if isinstance(value, OrtValue) else value
        try:
            return self._model(feed, out=out)
        except InputError as error:
            raise InvalidArgument(error.message, detail=error.detail, hint=error.hint) from error

    def io_binding(self) -> IOBinding:
        """An empty binding for this session."""
        return IOBinding(self)

    def run_with_iobinding(
        self, iobinding: IOBinding, run_options: RunOptions | None = None
    ) -> None:
        """Runs the model once on what is bound.

        Raises:
            ValueError: Inputs are missing.
            InvalidArgument: No output is bound, or something does not fit the model.
        """
        if run_options is not None and run_options.changed():
            warnings.warn(
                f"run options without effect: {', '.join(run_options.changed())}", stacklevel=2
            )
        iobinding.run(lambda feed, out: self._run(feed, out or None))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Unsupported(f"InferenceSession.{name} is not part of aclrt.compat.onnxruntime")
