# SPDX-License-Identifier: Apache-2.0
"""The call surface of a model over one function that starts a call: for pools and the fallback."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from . import _batches, _check, dtypes
from ._closing import Closing
from .device_tensor import DeviceTensor
from .errors import InputError
from .result import Result
from .tensor import NodeArg

if TYPE_CHECKING:
    from ._calls import Calls
    from .tensor import TensorSpec

__all__ = ["OPTIONS", "Surface"]

OPTIONS = ("out", "cast", "pad", "split", "timeout_s")  # the keywords of a call; others are inputs


class Surface(Closing):
    """Calls by name, future, coroutine and iterator.

    Whoever inherits sets ``_inputs``, ``_outputs``, ``_gears``, ``_kind``, ``_safe``, ``_depth``
    (calls in flight that keep everything busy) and ``_calls`` (its threads).
    """

    _inputs: tuple[TensorSpec, ...]
    _outputs: tuple[TensorSpec, ...]
    _gears: tuple[tuple[int, ...], ...]
    _kind: str | None
    _safe: bool
    _depth: int
    _calls: Calls

    def __call__(self, /, *args: Any, **named: Any) -> Result:
        """Runs the model once."""
        raise NotImplementedError

    def _start(
        self, args: Sequence[Any], named: Mapping[str, Any], wait: bool = False
    ) -> Future[Result]:
        """Starts a call, or refuses what is fed wrongly; waits for a slot if asked to."""
        raise NotImplementedError

    def _fed(self, args: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        """What is fed, in the model's order: refused now, not in another thread."""
        fed = {name: value for name, value in named.items() if name not in OPTIONS}
        if len(args) == 1 and isinstance(args[0], Mapping):
            twice = sorted(set(args[0]) & set(fed))
            if twice:
                raise InputError(f"input {twice[0]!r} is given twice, in the dict and by keyword")
            fed, args = {**args[0], **fed}, ()
        cast = named.get("cast")
        safe = self._safe if cast is None else _check.cast_of(cast)
        index = _check.positions(self._inputs)
        return _check.inputs(self._what(), self._inputs, index, args, fed, safe)

    def _refuse_device_tensors(self, values: Sequence[Any]) -> None:
        for spec, value in zip(self._inputs, values, strict=True):
            if isinstance(value, DeviceTensor):
                raise InputError(
                    f"input {spec.name!r} of {self._what()} is a DeviceTensor, which belongs to "
                    "one device and one process",
                    hint="feed its .numpy(), or call an OfflineModel on its device",
                )

    def submit(self, /, *args: Any, **named: Any) -> Future[Result]:
        """Starts a call and returns its future; waits while as many as fit are in flight.

        What is fed is checked before it returns, and must not change until the call is over.

        Args:
            *args: As for a call.
            **named: As for a call.

        Returns:
            The future of its result, or of its error.

        Raises:
            InputError: The inputs do not fit.
            ClosedError: It is closed.
        """
        return self._start(args, named, wait=True)

    async def run_async(self, /, *args: Any, **named: Any) -> Result:
        """A call that does not block the event loop; any number may be in flight.

        Args:
            *args: As for a call.
            **named: As for a call.

        Returns:
            The outputs.

        Raises:
            AclrtError: As for a call.
        """
        return await asyncio.wrap_future(self._start(args, named))

    def map(
        self,
        items: Iterable[Any],
        *,
        in_flight: int | None = None,
        ordered: bool = True,
        **options: Any,
    ) -> Iterator[Result]:
        """Calls the model for each item, several at a time, and yields the results.

        Args:
            items: For each call an array, a tuple of arrays, or a dict by name.
            in_flight: Calls at a time, at most; None for as many as keep everything busy.
            ordered: Whether results come in the order of the items, or as they finish.
            **options: As for a call: ``cast``, ``pad``, ``split``, ``timeout_s``.

        Returns:
            A generator of ``Result``. An error, of the iterable, of an item or of a call, is
            raised after the results of the items before it, and ends it.

        Raises:
            InputError: An argument is wrong.
            ClosedError: It is closed.
        """
        depth = self._depth
        if in_flight is not None:
            depth = _check.count_of(in_flight, "in_flight", 4096)
        unknown = sorted(set(options) - set(OPTIONS[1:]))
        if unknown:
            raise InputError(f"map() takes no {unknown[0]}=", hint="inputs are what items has")
        self._refuse_closed()

        def start(item: Any) -> Future[Result]:
            return self._start(item if isinstance(item, tuple) else (item,), options)

        return self._calls.map(iter(items), start, depth, ordered)

    def run(
        self,
        output_names: Sequence[str] | None,
        feed: Mapping[str, Any],
        run_options: None = None,
    ) -> list[Any]:
        """Runs the model once, as ONNX Runtime's ``InferenceSession.run`` does.

        Args:
            output_names: Which outputs to return, in this order; None for all.
            feed: The inputs by name.
            run_options: Takes None alone.

        Returns:
            A list of arrays.

        Raises:
            InputError: An output name is unknown, or the inputs do not fit.
            AclrtError: As for a call.
        """
        if run_options is not None:
            raise InputError("run_options must be None: offline models have none")
        if isinstance(output_names, str) or not isinstance(feed, Mapping):
            raise InputError("run() takes a list of output names, or None, and a dict of inputs")
        known = [spec.name for spec in self._outputs]
        for name in output_names or ():
            if name not in known:
                meant = _check.did_you_mean(name, known)
                raise InputError(f"{self._what()} has no output {name!r}{meant}")
        result = self(feed)
        return [result[name] for name in (known if output_names is None else output_names)]

    def batches(
        self,
        samples: Iterable[Any],
        batch_size: int | None = None,
        *,
        cast: str | None = None,
    ) -> Iterator[Result]:
        """Runs single samples in batches, and yields each sample's result, as a model does.

        Args:
            samples: As for ``OfflineModel.batches``.
            batch_size: As there.
            cast: ``"safe"`` converts inputs where no value can change.

        Returns:
            An iterator of one ``Result`` for each sample, in order.

        Raises:
            InputError: The model has no batch axis, or not this batch size.
            AclrtError: As for a call.
        """
        name = self._what()
        size = _batches.size_of(name, self._inputs, self._kind, self._gears, batch_size)
        safe = self._safe if cast is None else _check.cast_of(cast)
        return _batches.run(self, name, samples, size, safe)

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What to feed, in order."""
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What a call returns, in order."""
        return self._outputs

    @property
    def gears(self) -> tuple[tuple[int, ...], ...]:
        """As for ``OfflineModel``; empty if it has none."""
        return self._gears

    def get_inputs(self) -> list[NodeArg]:
        """The inputs as ONNX Runtime describes them: name, shape, type."""
        return [_node(spec) for spec in self._inputs]

    def get_outputs(self) -> list[NodeArg]:
        """The outputs as ONNX Runtime describes them: name, shape, type."""
        return [_node(spec) for spec in self._outputs]


def _node(spec: TensorSpec) -> NodeArg:
    number = dtypes.number_of(spec.dtype)
    shape = [None if dim < 0 else dim for dim in spec.shape]
    return NodeArg(spec.name, shape, "" if number is None else dtypes.onnx_type(number))
