# SPDX-License-Identifier: Apache-2.0
"""Every AscendCL call of every scenario fails once, in every way (see ``programme``)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from om_bytes import with_weights

import aclrt
from aclrt._ffi import ffi, lib, raise_for
from faults import programme
from faults.programme import DRIVER, LOST, Outputs, Scenario

FULL = bool(os.environ.get("ACLRT_TEST_FULL"))
CSRC = Path(__file__).resolve().parents[2] / "csrc"

# Functions that the shim calls, but no scenario: and why not.
UNREACHED = {
    "aclFinalize": "for libraries without aclFinalizeReference, which the fake has",
    "aclFinalizeReference": "at exit; test_a_failing_finalize_is_silent",
    **dict.fromkeys(
        (
            "aclrtCreateEvent",
            "aclrtCreateEventWithFlag",
            "aclrtEventElapsedTime",
            "aclrtEventGetTimestamp",
            "aclrtQueryEvent",
            "aclrtQueryEventStatus",
            "aclrtRecordEvent",
        ),
        "of a trace, beside the calls; trace_test",
    ),
    **dict.fromkeys(
        ("aclprofDestroyConfig", "aclprofFinalize", "aclprofStop"),
        "of CANN's profiler; tests of aclprof",
    ),
}


class Models:
    """The models of the scenarios, and what is fed to them."""

    def __init__(self, factory: Any, folder: Path) -> None:
        names = [f"x{i}" for i in range(8)]
        self.one = factory(
            [("Neg", ["x"], ["y"])], [("x", "float32", (2, 3))], [("y", "float32", (2, 3))]
        )
        self.many = factory(
            [("Sub", names[2 * i : 2 * i + 2], [f"y{i}"]) for i in range(4)],
            [(name, "int32", (5,)) for name in names],
            [(f"y{i}", "int32", (5,)) for i in range(4)],
        )
        self.batches = self._dynamic(factory, folder, ("N", 3), (-1, 3), dynamic_batch_size=(1, 2))
        self.images = self._dynamic(
            factory, folder, (1, 1, "H", "W"), (1, 1, -1, -1), dynamic_image_size=((2, 2), (2, 4))
        )
        self.dims = self._dynamic(
            factory, folder, ("N", "L"), (-1, -1), dynamic_dims=((1, 2), (2, 3))
        )
        self.ranges = self._dynamic(factory, folder, ("N", "L"), ((1, 4), (1, -1)))
        image = (1, 3, 4, 4)
        for mode, keys in {
            "static": "input_format: YUV420SP_U8 csc_switch: false",
            "dynamic": "max_src_image_size: 200",
        }.items():
            text = f"aipp_op {{ aipp_mode: {mode} {keys} }}"
            om = self._dynamic(factory, folder, image, image, insert_op_conf=text)
            setattr(self, f"{mode}_aipp", om)
        self.path = folder / "one.om"
        self.path.write_bytes(self.one)
        self.weighty = with_weights(self.one, bytes(4096))
        self.weighty_path = folder / "weighty.om"
        self.weighty_path.write_bytes(self.weighty)
        self.x = np.arange(6, dtype=np.float32).reshape(2, 3)
        self.xs = [np.arange(5, dtype=np.int32) * i for i in range(8)]

    @staticmethod
    def _dynamic(factory: Any, folder: Path, dims: Any, shape: Any, **gears: Any) -> bytes:
        source = folder / "dynamic.onnx"
        tensors = [("x", "float32", dims)], [("y", "float32", dims)]
        source.write_bytes(factory.onnx([("Neg", ["x"], ["y"])], *tensors))
        return aclrt.convert(
            source, folder / "dynamic", input_shape={"x": shape}, **gears
        ).read_bytes()

    def bind(self, model: Any) -> Outputs:
        with aclrt.DeviceTensor.from_numpy(self.x) as x, model.bind(x) as step:
            return [step()["y"].copy(), step()["y"].copy()]

    def tensors(self, model: Any) -> Outputs:
        with (
            aclrt.DeviceTensor.from_numpy(self.x) as x,
            aclrt.DeviceTensor.empty((2, 3), np.float32) as y,
        ):
            model(x, out=y)
            return [y.numpy()]

    def pinned(self, model: Any) -> Outputs:
        x = aclrt.pinned_empty((2, 3), np.float32)
        x[...] = self.x
        return list(model(x))

    def submit(self, _: Any) -> Outputs:
        with aclrt.OfflineModel(self.one) as model:
            return list(model.submit(self.x).result())

    def map(self, _: Any) -> Outputs:
        with aclrt.OfflineModel(self.one) as model:
            return [result[0] for result in model.map([self.x] * 3, in_flight=2)]

    def load_path(self, _: Any) -> Outputs:
        with aclrt.OfflineModel(self.path):
            return []

    def load_memory(self, _: Any) -> Outputs:
        with aclrt.OfflineModel(self.one):
            return []

    def run_one(self, model: Any) -> Outputs:
        return list(model(self.x))

    def run_many(self, model: Any) -> Outputs:
        return list(model(*self.xs))

    def cycle(self, _: Any) -> Outputs:
        with aclrt.OfflineModel(self.path) as model:
            return list(model(self.x))

    def cycle_many(self, _: Any) -> Outputs:
        with aclrt.OfflineModel(self.many) as model:
            return list(model(*self.xs))

    def cycle_instances(self, _: Any) -> Outputs:
        with aclrt.OfflineModel(self.weighty_path, instances=2) as model:
            model.reserve()
            return list(model(self.x))

    def load_instances(self, _: Any) -> Outputs:
        with aclrt.OfflineModel(self.weighty, instances=2):
            return []

    def _shapes(self, model: bytes, *shapes: tuple[int, ...]) -> Outputs:
        with aclrt.OfflineModel(model) as loaded:
            return [loaded(np.ones(shape, np.float32))[0] for shape in shapes]

    def cycle_batches(self, _: Any) -> Outputs:
        return self._shapes(self.batches, (2, 3), (1, 3))

    def cycle_images(self, _: Any) -> Outputs:
        return self._shapes(self.images, (1, 1, 2, 4))

    def cycle_dims(self, _: Any) -> Outputs:
        return self._shapes(self.dims, (1, 2))

    def cycle_ranges(self, _: Any) -> Outputs:
        return self._shapes(self.ranges, (2, 3), (4, 90))

    def cycle_static_aipp(self, _: Any) -> Outputs:
        with aclrt.OfflineModel(self.static_aipp) as model:
            return [model(np.ones((1, 6, 4, 1), np.uint8))[0]]

    def cycle_dynamic_aipp(self, _: Any) -> Outputs:
        with aclrt.OfflineModel(self.dynamic_aipp) as model:
            model.set_aipp(
                input_format="RGB888_U8",
                src_image_size_w=6,
                src_image_size_h=4,
                csc_switch=True,
                crop=True,
                crop_size_w=3,
                crop_size_h=4,
                padding=True,
                left_padding_size=1,
            )
            return [model(np.ones((1, 4, 6, 3), np.uint8))[0]]

    def open_batches(self) -> aclrt.OfflineModel:
        return aclrt.OfflineModel(self.batches)

    def run_batches(self, model: Any) -> Outputs:
        return [model(self.x)[0], model(self.x[:1])[0]]

    def two_models(self, _: Any) -> Outputs:
        with aclrt.OfflineModel(self.one) as first, aclrt.OfflineModel(self.path) as second:
            return [*first(self.x), *second(self.x)]

    def two_devices(self, _: Any) -> Outputs:
        with aclrt.OfflineModel(self.one) as first:
            return [*first(self.x), *self.second_device(None), *first(self.x)]

    def second_device(self, _: Any) -> Outputs:
        with aclrt.OfflineModel(self.one, device_id=1) as second:
            return list(second(self.x))

    def warm(self) -> aclrt.Device:
        device = aclrt.Device(0)
        device.open()
        return device

    def device(self, _: Any) -> Outputs:
        with aclrt.Device(0) as device:
            return [np.array([device.memory.total])]

    def devices(self, _: Any) -> Outputs:
        return [np.array([device.id for device in aclrt.devices()])]

    def runtime(self, _: Any) -> Outputs:
        info = aclrt.runtime_info()
        return [np.array([info.device_count, info.is_fake])]

    def c_api(self, _: Any) -> Outputs:
        """The C functions alone, shapes included."""
        options = ffi.new("aclrt_model_options_t *")
        options.struct_size = ffi.sizeof("aclrt_model_options_t")
        data = ffi.from_buffer(self.one)
        options.data, options.data_size = data, len(data)
        handle = ffi.new("aclrt_model_t **")
        raise_for(lib.aclrt_model_load(options, handle))
        model = ffi.gc(handle[0], lib.aclrt_model_release)
        y = np.empty_like(self.x)
        feed, fetch = ffi.new("aclrt_buffer_t *"), ffi.new("aclrt_buffer_t *")
        feed.data, feed.nbytes = ffi.from_buffer(self.x), self.x.nbytes
        fetch.data, fetch.nbytes = ffi.from_buffer(y), y.nbytes
        shape = ffi.new("aclrt_shape_t *")
        try:
            raise_for(lib.aclrt_model_run(model, feed, 1, fetch, 1, shape))
        except BaseException:
            lib.aclrt_status_release(lib.aclrt_model_close(model))
            raise
        raise_for(lib.aclrt_model_close(model))
        return [y, np.array(list(shape.dims[0 : shape.rank]))]


def _close(resource: Any) -> None:
    resource.close()


def scenarios(models: Models) -> dict[str, Scenario]:
    """By name."""

    def open_one() -> aclrt.OfflineModel:
        return aclrt.OfflineModel(models.one)

    def open_many() -> aclrt.OfflineModel:
        return aclrt.OfflineModel(models.many)

    def close(model: Any) -> Outputs:
        model.close()
        return []

    every = [
        Scenario("load_path", models.load_path),
        Scenario("load_memory", models.load_memory),
        Scenario("run_1_1", models.run_one, open_one, _close),
        Scenario("run_8_4", models.run_many, open_many, _close),
        Scenario("load_run_close", models.cycle),
        Scenario("load_run_close_8_4", models.cycle_many),
        Scenario("instances", models.cycle_instances),
        Scenario("instances_from_memory", models.load_instances),
        Scenario("batch_gears", models.cycle_batches),
        Scenario("image_gears", models.cycle_images),
        Scenario("dims_gears", models.cycle_dims),
        Scenario("shape_range", models.cycle_ranges),
        Scenario("static_aipp", models.cycle_static_aipp),
        Scenario("dynamic_aipp", models.cycle_dynamic_aipp),
        Scenario("change_of_gear", models.run_batches, models.open_batches, _close),
        Scenario("bind", models.bind, open_one, _close),
        Scenario("tensors", models.tensors, open_one, _close),
        Scenario("pinned", models.pinned, open_one, _close),
        Scenario("submit", models.submit, threads=True),
        Scenario("map", models.map, threads=True),
        Scenario("two_models", models.two_models),
        Scenario("two_devices", models.two_devices, devices=(0, 1)),
        Scenario("beside_another_device", models.second_device, open_one, _close, (1,)),
        Scenario("load_on_a_warm_device", models.cycle, models.warm, _close),
        Scenario("close", close, open_many, _close),
        Scenario("device", models.device),
        Scenario("devices", models.devices, devices=(0, 1)),
        Scenario("runtime_init", models.runtime),
        Scenario("c_api", models.c_api),
    ]
    return {scenario.name: scenario for scenario in every}


@pytest.fixture(scope="module")
def models(om_factory: Any, tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Shared, because converting takes longer than a scenario."""
    return Models(om_factory, tmp_path_factory.mktemp("faults"))


@pytest.fixture(autouse=True)
def _two_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACLRT_FAKE_DEVICES", "2")


NAMES = list(scenarios(Models.__new__(Models)))  # bound methods only: nothing is made


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("persistent", [False, True], ids=["transient", "persistent"])
def test_every_call_may_fail(
    models: Models, name: str, after: bool, persistent: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whichever call fails, the five after-conditions hold; and each call was met."""
    scenario = scenarios(models)[name]
    # The long scenarios differ from short ones by repetition alone: one code does on a push.
    long = name in {"load_run_close_8_4", "two_devices", "two_models"}
    for code in (DRIVER, LOST) if FULL or not long else (LOST if after else DRIVER,):
        called = programme.run_clean(scenario).calls
        fired: set[str] = set()
        for outcome in programme.cases(scenario, persistent=persistent, after=after, code=code):
            fired |= {site["function"] for site in outcome.fired}
        assert scenario.threads or called <= fired
    assert ("", "") == tuple(capfd.readouterr())


def test_every_function_of_the_shim_is_met(models: Models) -> None:
    """The scenarios call all functions that the shim's code calls, so all of them have failed."""
    call = re.compile(r"(?:api(?:\(\))?|table)(?:\.|->)(acl\w+)\b|&acl::Table::(acl\w+)")
    used = set()
    for path in sorted(CSRC.glob("core/*")) + sorted(CSRC.glob("capi/*")):
        used |= {a or b for a, b in call.findall(path.read_text("utf-8"))}
    assert len(used) > 30
    called = set().union(*(programme.run_clean(s).calls for s in scenarios(models).values()))
    # Called only where something has failed already.
    called.add("aclGetRecentErrMsg")
    assert sorted(used - called) == sorted(UNREACHED)


@pytest.mark.parametrize("function", sorted(programme.VALUES))
def test_a_value_that_cannot_be_had_is_no_value(models: Models, function: str) -> None:
    """Functions without a status: 0 inputs or an empty name are not believed where they failed."""
    with (
        aclrt.fake.fault(function=function, code=DRIVER, persistent=True),
        pytest.raises(aclrt.AclError) as caught,
    ):
        aclrt.OfflineModel(models.one)
    assert (function, programme.VALUE_CODE) == (caught.value.call, caught.value.code)
    assert str(DRIVER) in caught.value.detail
    assert programme.snapshot().live == {}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_failing_finalize_is_silent(models: Models, when: str, tmp_path: Path) -> None:
    """At exit nobody is left to hear of it: no words, exit code 0, and the ledger tells."""
    ledger = tmp_path / "ledger.json"
    code = f"import aclrt\nwith aclrt.OfflineModel({str(models.path)!r}): pass\n"
    environment = {
        **os.environ,
        "ACLRT_FAKE_LEDGER": str(ledger),
        "ACLRT_FAKE_FAULTS": f"function=aclFinalizeReference, code=500000, when={when}",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, timeout=60
    )
    assert (0, b"", b"") == (done.returncode, done.stdout, done.stderr)
    assert '"fired":[{"fault":1,"function":"aclFinalizeReference"' in ledger.read_text()


def test_a_failed_close_keeps_the_exception_of_the_block(models: Models) -> None:
    """The first failure stays the exception; that of closing is a note on it."""
    model = aclrt.OfflineModel(models.one)
    aclrt.fake.faults.arm(group="release", code=DRIVER, persistent=True)
    with pytest.raises(ZeroDivisionError) as caught, model:
        raise ZeroDivisionError
    assert sys.version_info < (3, 11) or "aclmdlUnload" in caught.value.__notes__[0]


def test_a_close_that_fails_releases_the_rest_and_reports_once(models: Models) -> None:
    """One exception, for the first failure, with all others in its detail."""
    model = aclrt.OfflineModel(models.one)
    aclrt.fake.faults.arm(group="release", code=DRIVER, persistent=True)
    with pytest.raises(aclrt.AclError) as caught:
        model.close()
    assert "aclmdlUnload" == caught.value.call
    others = ["aclmdlDestroyDataset", "aclDestroyDataBuffer", "aclrtFree", "aclmdlDestroyDesc"]
    for call in (*others, "aclrtResetDevice"):
        assert f"({call}, {DRIVER})" in caught.value.detail
    model.close()


def test_a_device_that_fails_after_opening_leaves_the_thread_alone(models: Models) -> None:
    """The thread still has its own context: the next run need not select it again."""

    def selections() -> int:
        return int(aclrt.fake.ledger()["calls"].get("aclrtSetCurrentContext", 0))

    with aclrt.OfflineModel(models.one) as model:
        with (
            aclrt.fake.fault(function="aclrtSetDevice", code=DRIVER, after=True),
            pytest.raises(aclrt.AclError),
        ):
            aclrt.OfflineModel(models.one, device_id=1)
        before = selections()
        model(models.x)
        assert before == selections()


def test_what_cannot_be_told_once_is_asked_again() -> None:
    """An unknown chip or version is not kept for the life of the process."""
    for function, field in (("aclrtGetSocName", "soc_name"), ("aclrtGetVersion", "acl_version")):
        aclrt.fake.reset()
        with aclrt.fake.fault(function=function, code=DRIVER):
            assert not getattr(aclrt.runtime_info(), field)
        assert getattr(aclrt.runtime_info(), field)
    aclrt.fake.reset()
    with (
        aclrt.fake.fault(function="aclrtGetDeviceCount", code=DRIVER),
        pytest.raises(aclrt.AclError) as caught,
    ):
        aclrt.runtime_info()
    assert "aclrtGetDeviceCount" == caught.value.call
