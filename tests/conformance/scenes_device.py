# SPDX-License-Identifier: Apache-2.0
"""Scenes about initialisation and its end, devices, streams, events and callbacks."""

from __future__ import annotations

import ctypes
import tempfile
import threading
from pathlib import Path

from conformance import running, small
from conformance.misuse import Stage, right, wrong

# ---- initialisation and its end -----------------------------------------------------------------


def _load(s: Stage) -> int:
    return running.load_memory(s.lib, small.double())[0]


@wrong("INIT-01", start=False)
def load_before_init(s: Stage) -> None:
    assert _load(s) == 145001


@wrong("INIT-02", start=False)
def set_before_init(s: Stage) -> None:
    s.ok("aclrtSetDevice", 0)


@wrong("FIN-01", start=False)
def load_after_finalize(s: Stage) -> None:
    s.ok("aclInit", None)
    s.ok("aclFinalize")
    assert _load(s) == 145001


@wrong("FIN-03", start=False)
def set_after_finalize(s: Stage) -> None:
    s.ok("aclInit", None)
    s.ok("aclFinalize")
    s.ok("aclrtSetDevice", 0)


@wrong("FIN-02", start=False)
def finalize_twice(s: Stage) -> None:
    s.ok("aclInit", None)
    s.ok("aclFinalize")
    s.gives(100037, "aclFinalize")


@right("INIT-01", "INIT-02", "FIN-01", "FIN-02", "FIN-03", "FIN-04", "FIN-10", start=False)
def whole_life(s: Stage) -> None:
    for _ in range(2):
        s.ok("aclInit", None)
        s.ok("aclrtSetDevice", 0)
        s.ok("aclmdlUnload", s.model())
        s.ok("aclrtResetDevice", 0)
        s.ok("aclFinalize")


def _init_with(s: Stage, text: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "acl.json"
        path.write_text(text)
        return int(s.lib.aclInit(str(path).encode()))


@wrong("INIT-03", start=False)
def another_config(s: Stage) -> None:
    s.ok("aclInit", None)
    s.ok("aclFinalize")
    assert _init_with(s, '{"a": 1}') == 100000


@right("INIT-03", start=False)
def same_config(s: Stage) -> None:
    for _ in range(2):
        assert _init_with(s, '{"a": 1}') == 0
        s.ok("aclFinalize")


@wrong("FIN-04")
def finalize_with_device(s: Stage) -> None:
    s.ok("aclFinalize")


@wrong("FIN-05")
def finalize_with_context(s: Stage) -> None:
    s.made("aclrtCreateContext", 0)
    s.ok("aclFinalize")


@wrong("FIN-06")
def finalize_with_stream(s: Stage) -> None:
    s.stream()
    s.ok("aclFinalize")


@wrong("FIN-07")
def finalize_with_event(s: Stage) -> None:
    s.event()
    s.ok("aclFinalize")


@wrong("FIN-08")
def finalize_with_memory(s: Stage) -> None:
    s.device_memory()
    s.ok("aclFinalize")


@wrong("FIN-09")
def finalize_with_host_memory(s: Stage) -> None:
    s.host_memory()
    s.ok("aclFinalize")


@wrong("FIN-10")
def finalize_with_model(s: Stage) -> None:
    s.model()
    s.ok("aclFinalize")


@wrong("FIN-11")
def finalize_with_dataset(s: Stage) -> None:
    s.lib.aclmdlCreateDataset()
    s.ok("aclFinalize")


@wrong("FIN-12")
def finalize_with_buffer(s: Stage) -> None:
    s.lib.aclCreateDataBuffer(None, 0)
    s.ok("aclFinalize")


@wrong("FIN-13")
def finalize_with_desc(s: Stage) -> None:
    s.lib.aclCreateTensorDesc(0, 0, None, 2)
    s.ok("aclFinalize")


@wrong("FIN-14")
def finalize_with_model_desc(s: Stage) -> None:
    s.lib.aclmdlCreateDesc()
    s.ok("aclFinalize")


@wrong("FIN-15")
def finalize_with_config(s: Stage) -> None:
    s.lib.aclmdlCreateConfigHandle()
    s.ok("aclFinalize")


@right("FIN-05", "FIN-06", "FIN-07", "FIN-08", "FIN-09")
@right("FIN-11", "FIN-12", "FIN-13", "FIN-14", "FIN-15")
@right("DEV-03", "DEV-04", "DEV-05", "DEV-06", "DEV-07")
def all_freed(s: Stage) -> None:
    primary = s.made("aclrtGetCurrentContext")
    context = s.made("aclrtCreateContext", 0)
    s.ok("aclrtSetCurrentContext", primary)
    stream, event = s.stream(), s.event()
    device, host, model = s.device_memory(), s.host_memory(), s.model()
    dataset, buffer = s.lib.aclmdlCreateDataset(), s.lib.aclCreateDataBuffer(None, 0)
    desc, model_desc = s.lib.aclCreateTensorDesc(0, 0, None, 2), s.lib.aclmdlCreateDesc()
    config = s.lib.aclmdlCreateConfigHandle()
    s.ok("aclmdlDestroyConfigHandle", config)
    s.ok("aclmdlDestroyDesc", model_desc)
    s.lib.aclDestroyTensorDesc(desc)
    s.ok("aclDestroyDataBuffer", buffer)
    s.ok("aclmdlDestroyDataset", dataset)
    s.ok("aclmdlUnload", model)
    s.ok("aclrtFreeHost", host)
    s.ok("aclrtFree", device)
    s.ok("aclrtDestroyEvent", event)
    s.ok("aclrtDestroyStream", stream)
    s.ok("aclrtDestroyContext", context)


def _execute_into_nothing(s: Stage) -> int:
    """An execution that allocates its output; the output's address."""
    model = s.model()
    with s.buffers() as device:
        source, target = device.alloc(24), device.buffer(None, 0)
        outputs = device.dataset()
        s.ok("aclmdlAddDatasetBuffer", outputs, target)
        s.ok("aclmdlExecute", model, device.dataset((source, 24)), outputs)
        output = int(s.lib.aclGetDataBufferAddr(target))
    s.ok("aclmdlUnload", model)
    return output


@wrong("FIN-16")
def output_leaked(s: Stage) -> None:
    _execute_into_nothing(s)
    s.ok("aclFinalize")


@right("FIN-16")
def output_freed(s: Stage) -> None:
    s.ok("aclrtFree", _execute_into_nothing(s))


# ---- devices ------------------------------------------------------------------------------------


@wrong("DEV-01")
def no_such_device(s: Stage) -> None:
    s.gives(107001, "aclrtSetDevice", 7)


@wrong("DEV-02")
def reset_too_often(s: Stage) -> None:
    s.ok("aclrtResetDevice", 0)
    s.gives(507007, "aclrtResetDevice", 0)


@right("DEV-01", "DEV-02")
def set_and_reset(s: Stage) -> None:
    s.ok("aclrtSetDevice", 1)
    s.ok("aclrtResetDevice", 1)


@wrong("DEV-03")
def reset_with_stream(s: Stage) -> None:
    s.stream()
    s.ok("aclrtResetDevice", 0)


@wrong("DEV-04")
def reset_with_event(s: Stage) -> None:
    s.event()
    s.ok("aclrtResetDevice", 0)


@wrong("DEV-05")
def reset_with_context(s: Stage) -> None:
    s.made("aclrtCreateContext", 0)
    s.ok("aclrtResetDevice", 0)


@wrong("DEV-06")
def reset_with_memory(s: Stage) -> None:
    s.device_memory()
    s.ok("aclrtResetDevice", 0)


@wrong("DEV-07")
def reset_with_model(s: Stage) -> None:
    s.model()
    s.ok("aclrtResetDevice", 0)


# ---- streams ------------------------------------------------------------------------------------


def _foreign_stream(s: Stage, device: int) -> None:
    stream = s.stream()
    s.made("aclrtCreateContext", device)
    s.gives(107003, "aclrtRecordEvent", s.event(), stream)


@wrong("STR-05")
def stream_of_other_context(s: Stage) -> None:
    _foreign_stream(s, 0)


@wrong("STR-06")
def stream_of_other_device(s: Stage) -> None:
    _foreign_stream(s, 1)


@right("STR-05", "STR-06")
def stream_in_its_context(s: Stage) -> None:
    stream, event = s.stream(), s.event()
    primary = s.made("aclrtGetCurrentContext")
    context = s.made("aclrtCreateContext", 1)
    s.ok("aclrtSetCurrentContext", primary)
    s.ok("aclrtRecordEvent", event, stream)
    s.ok("aclrtDestroyStream", stream)
    s.ok("aclrtDestroyEvent", event)
    s.ok("aclrtDestroyContext", context)


@wrong("STR-07")
def destroy_default(s: Stage) -> None:
    s.gives(107000, "aclrtDestroyStream", s.made("aclrtCtxGetCurrentDefaultStream"))


@right("STR-07")
def use_default(s: Stage) -> None:
    s.ok("aclrtSynchronizeStream", s.made("aclrtCtxGetCurrentDefaultStream"))


# ---- events -------------------------------------------------------------------------------------


@wrong("EVT-05")
def wait_for_nothing(s: Stage) -> None:
    s.gives(107000, "aclrtStreamWaitEvent", None, s.event())


@wrong("EVT-06")
def synchronise_nothing(s: Stage) -> None:
    s.ok("aclrtSynchronizeEvent", s.event())


def _elapsed(s: Stage, start: int, end: int) -> int:
    return int(s.lib.aclrtEventElapsedTime(ctypes.byref(ctypes.c_float()), start, end))


@wrong("EVT-07")
def time_of_nothing(s: Stage) -> None:
    assert _elapsed(s, s.event(), s.event()) == 507000


@wrong("EVT-08")
def time_across_streams(s: Stage) -> None:
    start, end, stream = s.event(), s.event(), s.stream()
    s.ok("aclrtRecordEvent", start, None)
    s.ok("aclrtRecordEvent", end, stream)
    s.ok("aclrtSynchronizeDevice")
    assert _elapsed(s, start, end) == 0


@wrong("EVT-09")
def time_too_early(s: Stage) -> None:
    start, end = s.event(), s.event()
    gate = s.hold(None)
    for event in (start, end):
        s.ok("aclrtRecordEvent", event, None)
    assert _elapsed(s, start, end) == 107006
    assert s.release(gate, None) == 0


@wrong("EVT-10")
def untimed(s: Stage) -> None:
    start = s.made("aclrtCreateEventWithFlag", 1)
    s.ok("aclrtRecordEvent", start, None)
    s.ok("aclrtSynchronizeStream", None)
    assert _elapsed(s, start, start) == 107006


@wrong("EVT-11")
def wait_for_timer(s: Stage) -> None:
    s.gives(207000, "aclrtStreamWaitEvent", None, s.made("aclrtCreateEventWithFlag", 8))


@right("EVT-05", "EVT-06", "EVT-07", "EVT-08", "EVT-09", "EVT-10", "EVT-11")
def events(s: Stage) -> None:
    start, end = s.event(), s.event()
    s.ok("aclrtRecordEvent", start, None)
    s.ok("aclrtRecordEvent", end, None)
    s.ok("aclrtStreamWaitEvent", None, end)
    s.ok("aclrtSynchronizeEvent", end)
    s.ok("aclrtSynchronizeStream", None)
    assert _elapsed(s, start, end) == 0
    s.ok("aclrtDestroyEvent", start)
    s.ok("aclrtDestroyEvent", end)


# ---- callbacks ----------------------------------------------------------------------------------


def _own() -> int:
    return threading.get_ident()


@wrong("CBK-01")
def nobody_serves(s: Stage) -> None:
    s.gives(107015, "aclrtLaunchCallback", s.callback(lambda: None), None, 0, None)


@wrong("CBK-02")
def subscribe_twice(s: Stage) -> None:
    s.ok("aclrtSubscribeReport", _own(), None)
    s.gives(107011, "aclrtSubscribeReport", _own(), None)


@wrong("CBK-03")
def unsubscribe_nothing(s: Stage) -> None:
    s.gives(107011, "aclrtUnSubscribeReport", _own(), None)


@wrong("CBK-04")
def unsubscribe_other(s: Stage) -> None:
    s.ok("aclrtSubscribeReport", _own(), None)
    s.gives(107012, "aclrtUnSubscribeReport", _own() + 1, None)


@wrong("CBK-05")
def process_nothing(s: Stage) -> None:
    s.gives(107012, "aclrtProcessReport", 1)


@wrong("CBK-09")
def unsubscribe_pending(s: Stage) -> None:
    s.ok("aclrtSubscribeReport", _own(), None)
    s.ok("aclrtLaunchCallback", s.callback(lambda: None), None, 0, None)
    s.ok("aclrtSynchronizeStream", None)
    s.ok("aclrtUnSubscribeReport", _own(), None)


@wrong("CBK-08")
def destroy_subscribed(s: Stage) -> None:
    stream = s.stream()
    s.ok("aclrtSubscribeReport", _own(), stream)
    s.ok("aclrtDestroyStream", stream)


@wrong("CBK-10")
def mix(s: Stage) -> None:
    stream = s.stream()
    s.ok("aclrtSubscribeReport", _own(), stream)
    s.gives(107011, "aclrtLaunchHostFunc", stream, s.callback(lambda: None), None)


@wrong("CBK-11")
def two_devices(s: Stage) -> None:
    s.ok("aclrtSubscribeReport", _own(), None)
    s.ok("aclrtSetDevice", 1)
    s.gives(107012, "aclrtSubscribeReport", _own(), None)


def _inside(s: Stage, function: str, *arguments: object) -> int:
    """What a call gives inside a callback."""
    codes: list[int] = []
    s.ok("aclrtSubscribeReport", _own(), None)
    call = s.callback(lambda: codes.append(getattr(s.lib, function)(*arguments)))
    s.ok("aclrtLaunchCallback", call, None, 0, None)
    s.ok("aclrtSynchronizeStream", None)
    s.ok("aclrtProcessReport", 1000)
    s.ok("aclrtUnSubscribeReport", _own(), None)
    return codes[0]


@wrong("CBK-06")
def synchronise_inside(s: Stage) -> None:
    assert _inside(s, "aclrtSynchronizeStream", None) == 107000


@wrong("CBK-07")
def queue_inside(s: Stage) -> None:
    assert _inside(s, "aclrtRecordEvent", s.event(), None) == 0
    s.ok("aclrtSynchronizeStream", None)


@right(*(f"CBK-{number:02}" for number in range(1, 12)))
def callbacks(s: Stage) -> None:
    count = ctypes.c_uint32()
    assert _inside(s, "aclrtGetDeviceCount", ctypes.byref(count)) == 0
    assert count.value == 2
    stream = s.stream()
    s.ok("aclrtLaunchHostFunc", stream, s.callback(lambda: None), None)
    s.ok("aclrtDestroyStream", stream)


def _exception_info(s: Stage, later: bool) -> None:
    seen: list[int] = []
    code = s.lib.aclrtGetErrorCodeFromExceptionInfo
    note = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda info: seen.extend([info, code(info)]))
    s.kept.append(note)
    s.ok("aclrtSetExceptionInfoCallback", ctypes.cast(note, ctypes.c_void_p))
    event = s.made("aclrtCreateEventWithFlag", 1)
    s.ok("aclrtSetOpWaitTimeout", 1)
    s.ok("aclrtStreamWaitEvent", None, event)
    s.gives(107019, "aclrtSynchronizeStream", None)
    assert seen[1] == 107019
    assert not later or code(seen[0]) == 0xFFFFFFFF
    s.ok("aclrtSetOpWaitTimeout", 0)
    s.ok("aclrtSetExceptionInfoCallback", None)
    s.ok("aclrtDestroyEvent", event)


@wrong("EXC-01")
def info_too_late(s: Stage) -> None:
    _exception_info(s, True)


@right("EXC-01")
def info_in_time(s: Stage) -> None:
    _exception_info(s, False)
