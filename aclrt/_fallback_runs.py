# SPDX-License-Identifier: Apache-2.0
"""Runs of a ``FallbackModel`` that outlive a call: in flight, and on bound arrays."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ._binding import arrays_of
from ._closing import Closing
from ._futures import SteadyFuture
from .errors import AclError
from .result import Result

if TYPE_CHECKING:
    from ._binding import Binding
    from .fallback import FallbackModel

__all__ = ["Answer", "FallbackBinding"]


class Answer(SteadyFuture):
    """The future of a run in flight, which the CPU may answer in the end."""

    def __init__(self, inner: SteadyFuture) -> None:
        super().__init__()
        self._inner = inner
        self._by_cpu: Future[Result] | None = None

    def is_called_here(self) -> bool:
        """Whether this is the thread of the run's callbacks."""
        return self._inner.is_called_here()

    def follow(self, by_cpu: Future[Result]) -> None:
        """Will become what the CPU answers."""
        self._by_cpu = by_cpu
        by_cpu.add_done_callback(self.take)

    def result(self, timeout: float | None = None) -> Result:
        """As in the base class; in a callback, other runs are served meanwhile."""
        self._serve(timeout)
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """As ``result``."""
        self._serve(timeout)
        return super().exception(timeout)

    def _serve(self, timeout: float | None) -> None:
        with suppress(CancelledError):
            self._inner.exception(timeout)
            if self._by_cpu is not None:
                self._by_cpu.exception(timeout)

    def cancel(self) -> bool:
        """Gives the run up."""
        cancelled = super().cancel()
        if cancelled:
            self._inner.cancel()
        return cancelled

    def drop(self) -> None:
        """Is cancelled, as the run was."""
        super().cancel()
        self.set_running_or_notify_cancel()

    def fail(self, error: Exception) -> None:
        """Fails."""
        if self.set_running_or_notify_cancel():
            self.set_exception(error)

    def take(self, done: Future[Result]) -> None:
        """Becomes what the other one became."""
        if not self.set_running_or_notify_cancel():
            return
        error = done.exception()
        if error is not None:
            self.set_exception(error)
        else:
            self.set_result(done.result())


class FallbackBinding(Closing):
    """Runs on arrays that stay the same, made by ``FallbackModel.bind``; called without arguments.

    ``outputs`` is what a call returns, ``inputs`` what was bound, by name.
    """

    _again = "bind the model again"
    _elsewhere = "bind the model in the other process"

    def __init__(
        self,
        model: FallbackModel,
        binding: Binding | None,
        inputs: Any,
        outputs: Any,
        named: Mapping[str, Any],
    ) -> None:
        self._model = model
        self._binding = binding
        self._closed = False
        if binding is not None:
            fed = list(binding.inputs.values())
            self._outputs = binding.outputs
        else:
            fed, given = arrays_of(model, inputs, outputs, named)
            self._outputs = model._compute(fed, given)  # which finds the shapes of those not given
        self._fed = fed
        self._inputs = dict(zip((spec.name for spec in model.inputs), fed, strict=True))

    def _what(self) -> str:
        return "the binding"

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The bound inputs by name."""
        return dict(self._inputs)

    @property
    def outputs(self) -> Result:
        """What a call returns."""
        return self._outputs

    def __call__(self) -> Result:
        """Runs the model on what the inputs hold now.

        Returns:
            The outputs: the same object each time.

        Raises:
            ClosedError: The binding or the model is closed.
        """
        self._refuse_closed()
        self._model._refuse_closed()
        if self._binding is not None:
            try:
                return self._binding()
            except AclError as error:
                self._model._note(error, stacklevel=3)
        self._model._compute(self._fed, list(self._outputs))
        return self._outputs

    def close(self) -> None:
        """Lets go of the arrays. Idempotent."""
        self._closed = True
        if self._binding is not None:
            self._binding.close()
