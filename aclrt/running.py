# SPDX-License-Identifier: Apache-2.0
"""One inference from a file, with data from files or made up: what ``aclrt run`` does.

>>> found = aclrt.run_model("digits.om", output="results")              # doctest: +SKIP
>>> found.outputs[0].file                                               # doctest: +SKIP
'results/probs.npy'
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import _feeds
from .model import OfflineModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RunReport", "RunTensor", "run_model"]


@dataclass(frozen=True)
class RunTensor:
    """An input that was fed, or an output.

    Attributes:
        name: The model's name for it.
        array: What was in it.
        source: Of an input: the file, or ``"made up, seed 0"``; of an output ``""``.
        file: Of an output: where it was written; None: nowhere, and of an input.
    """

    name: str
    array: NDArray[Any] = field(repr=False, compare=False)
    source: str = ""
    file: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Name, dtype and shape, as in JSON."""
        array = self.array
        return {"name": self.name, "dtype": str(array.dtype), "shape": list(array.shape)}


@dataclass(frozen=True)
class RunReport:
    """One inference.

    Attributes:
        model: The file, as given.
        device_id: The logical device.
        backend: ``"npu"`` or ``"fake"``.
        soc_name: Its chip; ``""`` where unknown.
        inputs: In the order in which they were fed.
        outputs: In the model's order.
    """

    model: str
    device_id: int
    backend: str
    soc_name: str
    inputs: tuple[RunTensor, ...]
    outputs: tuple[RunTensor, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON document, schema ``aclrt-run/1``."""
        device = {"id": self.device_id, "backend": self.backend, "soc_name": self.soc_name}
        return {
            "schema": "aclrt-run/1",
            "model": self.model,
            "device": device,
            "inputs": [{**tensor.to_dict(), "source": tensor.source} for tensor in self.inputs],
            "outputs": [{**tensor.to_dict(), "file": tensor.file} for tensor in self.outputs],
        }


def run_model(
    model: str | os.PathLike[str],
    *,
    input_files: Sequence[str] = (),
    output: str | os.PathLike[str] | None = None,
    seed: int = 0,
    device_id: int = 0,
    backend: str | None = None,
) -> RunReport:
    """Loads a model, runs it once, closes it.

    Args:
        model: The ``.om``.
        input_files: ``"name=file.npy"`` for each input; a model with one input takes the bare file;
            none: made-up data of the largest gear, or the least shape of a range.
        output: A folder for the outputs, each as ``NAME.npy``; None: they are not written.
        seed: Of made-up data.
        device_id: The logical device.
        backend: ``"auto"``, ``"npu"``, ``"fake"`` or None, as in ``OfflineModel``.

    Returns:
        What went in and what came out.

    Raises:
        InputError: What the files hold does not fit, or an argument names no input.
        AclrtError: The model cannot be loaded or run.
        OSError: A file cannot be read or written.
    """
    with OfflineModel(model, device_id=device_id, backend=backend) as opened:
        files = _feeds.pair(input_files, opened.inputs)
        if files:
            feeds = _feeds.load(files, opened.inputs)
        else:
            feeds = _feeds.make(_feeds.concrete(opened), seed)
        outputs = dict(opened(feeds).items())
        device = opened.device
        place = (device.id, device.backend, device.soc_name)
    saved = _feeds.save(outputs, os.fspath(output)) if output is not None else {}
    origin = f"made up, seed {seed}"
    return RunReport(
        os.fspath(model),
        *place,
        tuple(RunTensor(name, array, files.get(name, origin)) for name, array in feeds.items()),
        tuple(
            RunTensor(name, array, file=str(saved[name]) if name in saved else None)
            for name, array in outputs.items()
        ),
    )
