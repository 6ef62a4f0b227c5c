# SPDX-License-Identifier: Apache-2.0
"""Runs of a ``FallbackModel`` that outlive a call: in flight, and on bound arrays."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ._binding import arrays_of
from ._closing import Closing
from .errors import AclError
from .result import Result

if TYPE_CHECKING:
    from ._binding import Binding
    from .fallback import FallbackModel

__all__ = ["Answer", "FallbackBinding"]


class Answer(Future[Result]):
    """The future of a run in flight, which the CPU may answer in the end."""

    def __init__(self, inner: Future[Result]) -> None:
        super().__init__()
        self._inner = inner

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
