# SPDX-License-Identifier: Apache-2.0
"""What one inference returned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Result"]

_T = TypeVar("_T")


class Result(Sequence["NDArray[Any]"]):
    """The outputs of one inference, by position and by name.

    As a sequence it holds the arrays in the order of ``model.outputs``, and that is also what
    iterating gives, so ``probs, = model(x)`` unpacks. As a mapping it has ``keys()``, ``values()``,
    ``items()``, ``get()`` and lookup by output name (or by AscendCL's name of it), so ``dict(y)``
    and ``f(**y)`` work. The arrays own their memory, or are the buffers given as ``out=``.
    """

    __slots__ = ("_about", "_arrays")

    # Calls set these two without __init__: a call takes less time than the construction would.
    _arrays: tuple[NDArray[Any], ...]
    _about: tuple[tuple[str, ...], dict[str, int], tuple[int, ...] | None, float]

    def __init__(
        self,
        arrays: tuple[NDArray[Any], ...],
        names: tuple[str, ...],
        index: dict[str, int],
        gear: tuple[int, ...] | None = None,
        waste: float = 0.0,
    ) -> None:
        # index: every name that a lookup accepts, AscendCL's too; shared by all results of a model.
        self._arrays = arrays
        self._about = (names, index, gear, waste)

    @property
    def _names(self) -> tuple[str, ...]:
        return self._about[0]

    @property
    def _index(self) -> dict[str, int]:
        return self._about[1]

    @property
    def gear(self) -> tuple[int, ...] | None:
        """The gear that ran, as in ``model.gears``; None for a model without, or several runs."""
        return self._about[2]

    @property
    def waste(self) -> float:
        """The share of the input elements that were padding (``pad="up"``); 0.0 for none."""
        return self._about[3]

    @overload
    def __getitem__(self, key: int | str) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[NDArray[Any], ...]: ...
    def __getitem__(self, key: int | str | slice) -> NDArray[Any] | tuple[NDArray[Any], ...]:
        """The output with this name or position; a tuple for a slice.

        Raises:
            KeyError: No output has that name.
            IndexError: The position is out of range.
        """
        if isinstance(key, str):
            try:
                return self._arrays[self._index[key]]
            except KeyError:
                raise KeyError(f"no output {key!r}; there are {', '.join(self._names)}") from None
        return self._arrays[key]

    def __len__(self) -> int:
        """The number of outputs."""
        return len(self._arrays)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """The arrays in order (not the names: use ``keys()``)."""
        return iter(self._arrays)

    def __contains__(self, item: object) -> bool:
        """Whether there is an output of that name, or this very array is one of the outputs."""
        if isinstance(item, str):
            return item in self._index
        return any(array is item for array in self._arrays)

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """The position of this very array.

        Raises:
            ValueError: It is none of the outputs.
        """
        for position in range(*slice(start, stop).indices(len(self._arrays))):
            if self._arrays[position] is value:
                return position
        raise ValueError("the array is none of the outputs")

    def count(self, value: Any) -> int:
        """How often this very array is among the outputs: 0 or 1."""
        return sum(array is value for array in self._arrays)

    def keys(self) -> tuple[str, ...]:
        """The names in order."""
        return self._names

    def values(self) -> tuple[NDArray[Any], ...]:
        """The arrays in order."""
        return self._arrays

    def items(self) -> tuple[tuple[str, NDArray[Any]], ...]:
        """Pairs of name and array in order."""
        return tuple(zip(self._names, self._arrays, strict=True))

    @overload
    def get(self, name: str) -> NDArray[Any] | None: ...
    @overload
    def get(self, name: str, default: _T) -> NDArray[Any] | _T: ...
    def get(self, name: str, default: Any = None) -> Any:
        """The output of that name, or ``default``."""
        position = self._index.get(name)
        return default if position is None else self._arrays[position]

    def __repr__(self) -> str:
        """Names, dtypes and shapes; not the numbers."""
        outputs = ", ".join(f"{name}: {array.dtype} {array.shape}" for name, array in self.items())
        return f"Result({outputs})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles as arrays and names."""
        return (Result, (self._arrays, *self._about))
