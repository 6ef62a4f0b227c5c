# SPDX-License-Identifier: Apache-2.0
"""Scenes about handles: used after the end, ended twice, of another kind, invented."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

from conformance.misuse import NOWHERE, Stage, right, wrong


@dataclass(frozen=True)
class Kind:
    """A kind of handle; codes: of use and of destroy (None where it returns none)."""

    ids: tuple[str, str, str, str]
    make: Callable[[Stage], int]
    use: Callable[[Stage, int], object]
    destroy: str
    codes: tuple[int | None, int | None]


def _use_context(s: Stage, handle: int) -> object:
    return s.lib.aclrtSetCurrentContext(handle)


def _use_event(s: Stage, handle: int) -> object:
    return s.lib.aclrtRecordEvent(handle, None)


def _use_config(s: Stage, handle: int) -> object:
    value = ctypes.c_size_t(1)
    size = ctypes.sizeof(value)
    return s.lib.aclmdlSetConfigOpt(handle, 1, ctypes.byref(value), size)


def _ids(area: str) -> tuple[str, str, str, str]:
    return (f"{area}-01", f"{area}-02", f"{area}-03", f"{area}-04")


KINDS = [
    Kind(
        ("CTX-03", "CTX-04", "CTX-06", "CTX-07"),
        lambda s: s.made("aclrtCreateContext", 0),
        _use_context,
        "aclrtDestroyContext",
        (107000, 107002),
    ),
    Kind(
        _ids("STR"),
        Stage.stream,
        lambda s, handle: s.lib.aclrtSynchronizeStream(handle),
        "aclrtDestroyStream",
        (107017, 107017),
    ),
    Kind(_ids("EVT"), Stage.event, _use_event, "aclrtDestroyEvent", (107017, 107017)),
    Kind(
        _ids("BUF"),
        lambda s: s.lib.aclCreateDataBuffer(None, 0),
        lambda s, handle: s.lib.aclUpdateDataBuffer(handle, None, 0),
        "aclDestroyDataBuffer",
        (100000, 100000),
    ),
    Kind(
        _ids("DSC"),
        lambda s: s.lib.aclCreateTensorDesc(0, 0, None, 2),
        lambda s, handle: s.lib.aclSetTensorFormat(handle, 2),
        "aclDestroyTensorDesc",
        (100000, None),
    ),
    Kind(
        _ids("SET"),
        lambda s: s.lib.aclmdlCreateDataset(),
        lambda s, handle: s.lib.aclmdlGetDatasetNumBuffers(handle),
        "aclmdlDestroyDataset",
        (0, 100000),
    ),
    Kind(
        _ids("MDD"),
        lambda s: s.lib.aclmdlCreateDesc(),
        lambda s, handle: s.lib.aclmdlGetDescFromMem(handle, b"x" * 300, 300),
        "aclmdlDestroyDesc",
        (100000, 100000),
    ),
    Kind(
        _ids("CFG"),
        lambda s: s.lib.aclmdlCreateConfigHandle(),
        _use_config,
        "aclmdlDestroyConfigHandle",
        (100000, 100000),
    ),
]


def _declare(kind: Kind) -> None:
    used, twice, other, unknown = kind.ids
    code_of_use, code_of_destroy = kind.codes

    @wrong(used)
    def use_after_end(s: Stage) -> None:
        handle = kind.make(s)
        getattr(s.lib, kind.destroy)(handle)
        assert kind.use(s, handle) == code_of_use

    @wrong(twice)
    def end_twice(s: Stage) -> None:
        handle = kind.make(s)
        getattr(s.lib, kind.destroy)(handle)
        assert getattr(s.lib, kind.destroy)(handle) == code_of_destroy

    @wrong(other)
    def another_kind(s: Stage) -> None:
        foreign = s.lib.aclmdlCreateExecConfigHandle()
        assert kind.use(s, foreign) == code_of_use

    @wrong(unknown)
    def invented(s: Stage) -> None:
        assert kind.use(s, NOWHERE) == code_of_use

    @right(*kind.ids)
    def once(s: Stage) -> None:
        handle = kind.make(s)
        if kind.destroy != "aclmdlDestroyDesc":
            assert kind.use(s, handle) == 0
        if kind.destroy == "aclrtDestroyEvent":
            s.ok("aclrtSynchronizeStream", None)
        assert getattr(s.lib, kind.destroy)(handle) in (0, None)


for _kind in KINDS:
    _declare(_kind)


@wrong("CTX-01")
def no_context(s: Stage) -> None:
    out = ctypes.c_void_p()
    code = s.elsewhere(lambda: s.lib.aclrtCreateStream(ctypes.byref(out)))
    assert code == 107002


@right("CTX-01")
def context_per_thread(s: Stage) -> None:
    def work() -> None:
        s.ok("aclrtSetDevice", 0)
        s.ok("aclrtDestroyStream", s.stream())
        s.ok("aclrtResetDevice", 0)

    s.elsewhere(work)


@wrong("CTX-02")
def context_gone(s: Stage) -> None:
    s.ok("aclrtDestroyContext", s.made("aclrtCreateContext", 0))
    s.gives(107002, "aclrtSynchronizeDevice")


@right("CTX-02")
def context_replaced(s: Stage) -> None:
    primary = s.made("aclrtGetCurrentContext")
    s.ok("aclrtDestroyContext", s.made("aclrtCreateContext", 0))
    s.ok("aclrtSetCurrentContext", primary)
    s.ok("aclrtSynchronizeDevice")


@wrong("CTX-05")
def destroy_primary(s: Stage) -> None:
    s.gives(107002, "aclrtDestroyContext", s.made("aclrtGetCurrentContext"))


@right("CTX-05")
def leave_primary(s: Stage) -> None:
    s.made("aclrtGetCurrentContext")


@wrong("DSC-05")
def destroy_borrowed(s: Stage) -> None:
    with s.buffers() as device:
        dataset = device.dataset((None, 0))
        desc = s.lib.aclCreateTensorDesc(0, 0, None, 2)
        s.ok("aclmdlSetDatasetTensorDesc", dataset, desc, 0)
        s.lib.aclDestroyTensorDesc(desc)
        s.lib.aclDestroyTensorDesc(s.lib.aclmdlGetDatasetTensorDesc(dataset, 0))


@right("DSC-05")
def destroy_own(s: Stage) -> None:
    with s.buffers() as device:
        dataset = device.dataset((None, 0))
        desc = s.lib.aclCreateTensorDesc(0, 0, None, 2)
        s.ok("aclmdlSetDatasetTensorDesc", dataset, desc, 0)
        s.lib.aclDestroyTensorDesc(desc)
        assert s.lib.aclGetTensorDescNumDims(s.lib.aclmdlGetDatasetTensorDesc(dataset, 0)) == 0


@wrong("SET-06")
def index_beyond(s: Stage) -> None:
    with s.buffers() as device:
        assert s.lib.aclmdlGetDatasetBuffer(device.dataset((None, 0)), 1) is None


@right("SET-06")
def index_inside(s: Stage) -> None:
    with s.buffers() as device:
        assert s.lib.aclmdlGetDatasetBuffer(device.dataset((None, 0)), 0)
