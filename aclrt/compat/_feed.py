# SPDX-License-Identifier: Apache-2.0
"""What the facades for other offline-model libraries share: positional feeds.

Those libraries compare bytes alone. Here the dtype must be right, and the number of elements; a
shape that holds the same elements (a missing batch axis) is taken, as they take it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aclrt.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aclrt.model import OfflineModel

__all__ = ["positional"]


def positional(model: OfflineModel, call: str, feeds: Any) -> list[NDArray[Any]]:
    """The arrays in the shapes of the model's inputs.

    Args:
        model: Whose inputs they are.
        call: The facade's method, for messages.
        feeds: A list of arrays, one for each input.

    Raises:
        InputError: There are too few or too many, or one has another dtype or size.
    """
    if not isinstance(feeds, Sequence) or isinstance(feeds, (str, bytes)):
        raise InputError(
            f"{call} takes a list of arrays, not {type(feeds).__name__}", hint=f"{call}([x])"
        )
    if len(feeds) != len(model.inputs):
        names = ", ".join(map(str, model.inputs))
        raise InputError(
            f"{call} got {len(feeds)} arrays, the model has {len(model.inputs)} inputs: {names}"
        )
    arrays = []
    for spec, feed in zip(model.inputs, feeds, strict=True):
        array = np.asarray(feed)
        same_size = not spec.dynamic and array.size == int(np.prod(spec.shape))
        if array.dtype == spec.dtype and array.shape != spec.shape and same_size:
            array = array.reshape(spec.shape)
        arrays.append(array)
    return arrays
