# SPDX-License-Identifier: Apache-2.0
"""What to measure, as one value: the same for the command line, a file and Python."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import InputError
from .schema import CONFIG, check

__all__ = ["BenchConfig"]


@dataclass(frozen=True)
class BenchConfig:
    """What ``measure`` measures; the file of ``--save-config`` has these fields.

    Attributes:
        models: Files: ``.om``; with ``search_batch`` one ``.onnx`` instead. ``{batch}`` in a name
            stands for each of ``batch_sizes``.
        batch_sizes: For a model whose batch is open: each of these, in turn; of several files:
            those with these; empty: all files, the largest gear.
        shapes: For models with open dims: each of these in turn, as ``"x:1,3,224,224;y:8"``.
        iterations: As for ``run``; and so on, up to ``backend``.
        duration_s: Seconds.
        warmup: Inferences.
        warmup_s: Seconds.
        input_files: ``"name=path"``.
        fills: ``"name=uniform:0:1"``.
        seed: Of made-up data.
        repeat: How often everything is measured, from loading on.
        devices: Logical ids.
        threads: None: one for each instance.
        instances: On each device.
        streams: On each device, each with an instance of its own; None: ``instances`` say it.
        in_flight: Runs that overlap, for each instance.
        transfers: False: data stays on the device, executions alone.
        rate: Inferences a second.
        percentiles: To report.
        power: Read npu-smi.
        backend: None: ``$ACLRT_BACKEND``, else auto.
        goal: ``"latency"`` or ``"throughput"``: search threads and instances for it.
        max_workers: The search's largest number of instances on each device.
        search_batch: Search the batch size: of the files given, or converting the ``.onnx``.
    """

    models: tuple[str, ...]
    batch_sizes: tuple[int, ...] = ()
    shapes: tuple[str, ...] = ()
    iterations: int | None = None
    duration_s: float | None = None
    warmup: int = 10
    warmup_s: float = 0.0
    input_files: tuple[str, ...] = ()
    fills: tuple[str, ...] = ()
    seed: int = 0
    repeat: int = 1
    devices: tuple[int, ...] = (0,)
    threads: int | None = None
    instances: int = 1
    streams: int | None = None
    in_flight: int = 1
    transfers: bool = True
    rate: float | None = None
    percentiles: tuple[float, ...] = (50, 90, 99)
    power: bool = False
    backend: str | None = None
    goal: str | None = None
    max_workers: int = 8
    search_batch: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it as JSON.

        Raises:
            OSError: The file cannot be written.
        """
        document = {"schema": CONFIG, **self.to_dict()}
        Path(path).write_text(json.dumps(document, indent=2) + "\n", "utf-8")


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The fields that a configuration file gives; it need not have all.

    Raises:
        InputError: It is not such a file.
        OSError: It cannot be read.
    """
    document = load(path)
    check(document, CONFIG, str(path))
    document.pop("schema")
    return {k: tuple(v) if isinstance(v, list) else v for k, v in document.items()}


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        InputError: It is not JSON, or no object.
        OSError: It cannot be read.
    """
    try:
        document = json.loads(Path(path).read_text("utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise InputError(f"{path} is not a JSON object")
    return document


NAMES = tuple(field.name for field in fields(BenchConfig))
