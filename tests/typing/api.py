# SPDX-License-Identifier: Apache-2.0
"""The public API as a typed program: checked by mypy --strict, never run."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import aclrt
import aclrt.om


def load() -> None:
    """Every kind of source."""
    for source in ("a.om", Path("a.om"), b"...", bytearray(), memoryview(b""), io.BytesIO()):
        aclrt.OfflineModel(source).close()
    aclrt.OfflineModel("a.om", device_id=1, backend="fake", onnx="a.onnx", cast="safe")
    aclrt.OfflineModel("a.om", pad="up", split=True)
    with aclrt.OfflineModel("a.om", instances=4) as model:
        model.reserve(in_flight=8, warm_up=0)
        stats: aclrt.MemoryStats = model.memory_stats()
        nbytes: int = stats.device + stats.instances[0].work + model.instances
        print(nbytes, model.shares_weights)


def call(x: NDArray[np.float32]) -> None:
    """Every way of calling."""
    with aclrt.OfflineModel("a.om") as model:
        result: aclrt.Result = model(x)
        model({"x": x})
        model(x=x)
        model(x, out={"y": x}, cast="safe")
        model(x, out=[x])
        model(x, out=x)
        arrays: list[NDArray[Any]] = model.run(None, {"x": x})
        model.run(["y"], {"x": x})
        model(x, pad="up", split=True)
        rows: list[aclrt.Result] = list(model.batches([x, (x,), {"x": x}], batch_size=8))
        gears: tuple[tuple[int, ...], ...] = model.gears
        gear: tuple[int, ...] | None = result.gear
        waste: float = result.waste
        print(rows, gears, gear, waste, model.inputs[0].range)
        spec: aclrt.TensorSpec = model.inputs[0]
        node: aclrt.NodeArg = model.get_outputs()[0]
        device: aclrt.Device = model.device
        print(arrays, spec.name, spec.dtype, spec.shape, spec.format, spec.nbytes, spec.dynamic)
        print(node.name, node.shape, node.type, device.memory.free, model.is_closed)

    (only,) = result
    first: NDArray[Any] = result[0]
    named: NDArray[Any] = result["y"]
    some: tuple[NDArray[Any], ...] = result[:1]
    perhaps: NDArray[Any] | None = result.get("y")
    other: NDArray[Any] | int = result.get("y", 3)
    names: tuple[str, ...] = result.keys()
    print(only, first, named, some, perhaps, other, names, result.values(), result.items())


def ask() -> None:
    """Beside the class."""
    info: aclrt.RuntimeInfo = aclrt.runtime_info()
    devices: list[aclrt.Device] = aclrt.devices(backend="auto")
    ledger: dict[str, Any] = aclrt.fake.ledger()
    active: bool = aclrt.fake.is_active()
    version: str = aclrt.__version__
    with aclrt.Device(0) as device:
        print(device.id, device.soc_name, device.is_fake)
    aclrt.fake.reset()
    print(info.backend, devices, ledger, active, version)


def tools() -> None:
    """Modules that are imported at first use."""
    figures: aclrt.bench.BenchResult = aclrt.bench.run("a.om", iterations=10)
    report: dict[str, Any] = aclrt.doctor.collect(backend="fake")
    print(figures.p50_ms, figures.to_dict(), report["ok"])


def files() -> None:
    """Without a device."""
    path: Path = aclrt.convert("a.onnx", "a.om", input_shape={"x": (1, 3)})
    aclrt.convert("a.onnx", "a", input_shape={"x": (-1, 3)}, dynamic_batch_size=(1, 4))
    aclrt.convert("a.onnx", "a", dynamic_image_size="2,2;4,4", output_type="FP16")
    aclrt.convert("a.onnx", "a", dynamic_dims=[(1, 2), (3, 4)], out_nodes=["a:0"])
    aclrt.convert("a.onnx", "a", input_shape_range={"x": ((1, 8), -1)}, input_fp16_nodes="x")
    aclrt.convert("a.onnx", "a", insert_op_conf=Path("a.cfg"), output_type={"y": "FP16"})
    model: aclrt.ModelInfo = aclrt.inspect(path)
    gears: tuple[tuple[int, ...], ...] = model.gears
    words: list[str] = [aipp.describe() for aipp in model.aipp]
    counts: dict[str, int] = model.operators()
    shapes: dict[str, tuple[int, ...]] = model.gear_shapes(0)
    differences: list[aclrt.om.Difference] = aclrt.om.diff(path, b"...")
    print(model.inputs, model.outputs, model.dynamic, model.disagreements, model.to_dict())
    print(gears, words, counts, shapes, differences)


def errors() -> None:
    """Fields of exceptions."""
    try:
        load()
    except aclrt.AclrtError as error:
        print(error.code, error.name, error.call, error.detail, error.hint, error.message)
    try:
        load()
    except aclrt.DeviceOutOfMemoryError as error:
        memory: MemoryError = error
        print(memory, error.code)
    raise aclrt.BackendError("no", hint="yes")


def pools(x: NDArray[np.float32]) -> None:
    """Several devices."""
    with aclrt.DevicePool("a.om", devices=[0, 1], instances=2, on_failure="raise") as pool:
        result: aclrt.Result = pool(x)
        state: aclrt.DeviceState = pool.devices[0]
        print(result, state.runs, pool.memory_stats().device)
        pool.readmit(1)


def processes(x: NDArray[np.float32]) -> None:
    """Several processes."""
    with aclrt.ProcessPool("a.om", processes=2, on_death="retry") as pool:
        result: aclrt.Result = pool(x)
        print(result, pool.deaths)
