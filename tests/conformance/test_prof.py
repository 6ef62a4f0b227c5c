# SPDX-License-Identifier: Apache-2.0
"""Contract 20: profiling. The states and their codes; what is recorded is not looked at."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance import acl, running, small

fake_only = pytest.mark.fake_only

CODES = acl.codes()
INVALID = CODES["ACL_ERROR_INVALID_PARAM"]
BAD_CONFIG = CODES["ACL_ERROR_INVALID_PROFILING_CONFIG"]
REPEAT = CODES["ACL_ERROR_REPEAT_INITIALIZE"]
CONFLICT = CODES["ACL_ERROR_PROF_API_CONFLICT"]
ACL_API, TASK_TIME, MSPROFTX = 0x1, 0x2, 0x80
NO_METRICS = 255


def devices(*ids: int) -> ctypes.Array[ctypes.c_uint32]:
    return (ctypes.c_uint32 * len(ids))(*ids)


@pytest.fixture
def folder(lib: acl.Library, tmp_path: Path) -> Iterator[bytes]:
    """A result path; profiling is finished afterwards."""
    yield str(tmp_path / "a" / "prof").encode()
    assert lib.aclprofFinalize() == 0


def test_sequence(lib: acl.Library, folder: bytes) -> None:
    """PROF-RUN-01 (20): init makes the directory; start, stop, destroy, finalize are 0."""
    assert lib.aclprofInit(folder, len(folder)) == 0
    assert Path(folder.decode()).is_dir()
    config = lib.aclprofCreateConfig(devices(0), 1, NO_METRICS, None, ACL_API | TASK_TIME)
    assert config
    assert lib.aclprofSetConfig(1, b"200MB", 5) == 0
    assert lib.aclprofStart(config) == 0
    assert lib.aclprofStop(config) == 0
    assert lib.aclprofDestroyConfig(config) == 0
    assert lib.aclprofFinalize() == 0


def test_init_arguments(lib: acl.Library, folder: bytes) -> None:
    """PROF-RUN-02 (20): NULL, 0, a length that is not the path's and 4096 are 100000; twice
    100002.
    """
    long = b"x" * 4096
    for path, length in ((None, 3), (folder, 0), (folder, len(folder) - 1), (long, 4096)):
        assert lib.aclprofInit(path, length) == INVALID
    assert lib.aclprofInit(folder, len(folder) + 1) == INVALID
    assert lib.aclprofInit(folder, len(folder)) == 0
    assert lib.aclprofInit(folder, len(folder)) == REPEAT


def test_configs(lib: acl.Library) -> None:
    """PROF-RUN-03 (20): NULL for bad device lists, events, and no device without MSPROFTX."""
    create = lib.aclprofCreateConfig
    event = ctypes.create_string_buffer(64)
    assert not create(None, 1, NO_METRICS, None, ACL_API)
    assert not create(devices(0, 0), 2, NO_METRICS, None, ACL_API)
    assert not create(devices(*range(64)), 64, NO_METRICS, None, ACL_API)
    assert not create(devices(0), 1, NO_METRICS, event, ACL_API)
    assert not create(None, 0, NO_METRICS, None, ACL_API)
    host_only = create(None, 0, NO_METRICS, None, MSPROFTX)
    assert host_only
    assert lib.aclprofDestroyConfig(host_only) == 0
    assert lib.aclprofDestroyConfig(None) == INVALID


def test_data_types(lib: acl.Library, folder: bytes) -> None:
    """PROF-RUN-04 (20): none is 100000, unknown bits 200007; the same again 0, others 100010."""
    configs = [
        lib.aclprofCreateConfig(devices(0), 1, NO_METRICS, None, types)
        for types in (0, 1 << 60, ACL_API, ACL_API | TASK_TIME)
    ]
    nothing, unknown, some, more = configs
    assert lib.aclprofInit(folder, len(folder)) == 0
    assert lib.aclprofStart(nothing) == INVALID
    assert lib.aclprofStart(unknown) == CODES["ACL_ERROR_PROF_MODULES_UNSUPPORTED"]
    assert lib.aclprofStart(some) == 0
    assert lib.aclprofStart(some) == 0
    assert lib.aclprofStart(more) == BAD_CONFIG
    assert lib.aclprofStop(more) == BAD_CONFIG
    assert lib.aclprofStop(some) == 0
    assert [lib.aclprofDestroyConfig(config) for config in configs] == [0] * 4


def test_before_init(lib: acl.Library) -> None:
    """PROF-RUN-05 (20): before Init, Stop, Finalize and SetConfig are 0, Start begins by itself."""
    assert lib.aclprofStop(None) == 0
    assert lib.aclprofFinalize() == 0
    assert lib.aclprofSetConfig(7, b"50", 2) == 0
    assert lib.aclprofStart(None) == 0
    assert lib.aclprofInit(b"x", 1) == REPEAT
    assert lib.aclprofStop(None) == 0
    assert lib.aclprofFinalize() == 0


@fake_only
def test_set_config_arguments(lib: acl.Library) -> None:
    """PROF-RUN-06 (fake): types outside the enum, NULL and wrong lengths are 100000."""
    for kind, text, length in ((0, b"1", 1), (17, b"1", 1), (1, None, 1), (1, b"12", 1)):
        assert lib.aclprofSetConfig(kind, text, length) == INVALID
    assert lib.aclprofSetConfig(1, b"", 0) == INVALID


@fake_only
def test_stop_without_start(lib: acl.Library, folder: bytes) -> None:
    """PROF-RUN-07 (fake): after Init, Stop without Start is 100010."""
    assert lib.aclprofInit(folder, len(folder)) == 0
    assert lib.aclprofStop(None) == BAD_CONFIG


def test_subscription(lib: acl.Library, folder: bytes) -> None:
    """PROF-SUB-01 (20): twice is 148046, beside aclprofInit 148047 either way; unknown model
    145003.
    """
    model = running.load(lib, small.double())
    pipe = ctypes.c_int(1)
    config = lib.aclprofCreateSubscribeConfig(1, NO_METRICS, ctypes.byref(pipe))
    assert config
    assert lib.aclprofModelSubscribe(model, None) == INVALID
    unknown = CODES["ACL_ERROR_GE_EXEC_MODEL_ID_INVALID"]
    assert lib.aclprofModelSubscribe(model + 99, config) == unknown
    assert lib.aclprofModelSubscribe(model, config) == 0
    assert lib.aclprofModelSubscribe(model, config) == CODES["ACL_ERROR_PROF_REPEAT_SUBSCRIBE"]
    assert lib.aclprofInit(folder, len(folder)) == CONFLICT
    assert lib.aclprofModelUnSubscribe(model) == 0
    assert lib.aclprofInit(folder, len(folder)) == 0
    assert lib.aclprofModelSubscribe(model, config) == CONFLICT
    assert lib.aclprofDestroySubscribeConfig(config) == 0
    assert lib.aclprofDestroySubscribeConfig(None) == INVALID
    assert lib.aclmdlUnload(model) == 0


@fake_only
def test_subscription_ends_with_the_model(lib: acl.Library, folder: bytes) -> None:
    """PROF-SUB-02 (fake): an unloaded model is no longer subscribed; twice unsubscribed 100000."""
    model = running.load(lib, small.double())
    pipe = ctypes.c_int(1)
    config = lib.aclprofCreateSubscribeConfig(0, NO_METRICS, ctypes.byref(pipe))
    assert not lib.aclprofCreateSubscribeConfig(0, NO_METRICS, None)
    assert lib.aclprofModelUnSubscribe(model) == INVALID
    assert lib.aclprofModelSubscribe(model, config) == 0
    assert lib.aclmdlUnload(model) == 0
    assert lib.aclprofInit(folder, len(folder)) == 0
    assert lib.aclprofDestroySubscribeConfig(config) == 0


def test_records(lib: acl.Library) -> None:
    """PROF-SUB-03 (20): a record has a size; without a block the readers refuse or give 0."""
    size = ctypes.c_size_t()
    assert lib.aclprofGetOpDescSize(ctypes.byref(size)) == 0
    assert size.value > 0
    assert lib.aclprofGetOpDescSize(None) == INVALID
    number, text = ctypes.c_uint32(), ctypes.create_string_buffer(8)
    assert lib.aclprofGetOpNum(None, 0, ctypes.byref(number)) == INVALID
    for name in ("aclprofGetOpTypeLen", "aclprofGetOpNameLen"):
        assert getattr(lib, name)(None, 0, 0, ctypes.byref(size)) == INVALID
    for name in ("aclprofGetOpType", "aclprofGetOpName"):
        assert getattr(lib, name)(None, 0, 0, text, 8) == INVALID
    getters = ("aclprofGetOpStart", "aclprofGetOpEnd", "aclprofGetOpDuration", "aclprofGetModelId")
    assert [getattr(lib, name)(None, 0, 0) for name in getters] == [0] * 4


def test_stamps(lib: acl.Library) -> None:
    """PROF-MARK-01 (20): stamps, ranges and marks do nothing and are 0."""
    stamp = lib.aclprofCreateStamp()
    assert stamp
    assert lib.aclprofSetStampTraceMessage(stamp, b"step", 4) == 0
    assert lib.aclprofMark(stamp) == 0
    assert lib.aclprofMarkEx(b"step", 4, None) == 0
    assert lib.aclprofPush(stamp) == 0
    assert lib.aclprofPop() == 0
    number = ctypes.c_uint32()
    assert lib.aclprofRangeStart(stamp, ctypes.byref(number)) == 0
    assert lib.aclprofRangeStop(number) == 0
    lib.aclprofDestroyStamp(stamp)
    lib.aclprofDestroyStamp(None)


def test_step_infos(lib: acl.Library) -> None:
    """PROF-MARK-02 (20): time stamps of a step, on a stream."""
    step = lib.aclprofCreateStepInfo()
    assert step
    assert [lib.aclprofGetStepTimestamp(step, tag, None) for tag in (0, 1)] == [0, 0]
    lib.aclprofDestroyStepInfo(step)


@fake_only
def test_mark_arguments(lib: acl.Library) -> None:
    """PROF-MARK-03 (fake): NULL, empty, stale and foreign objects are 100000."""
    stamp, step = lib.aclprofCreateStamp(), lib.aclprofCreateStepInfo()
    for bad in (None, step):
        assert lib.aclprofMark(bad) == INVALID
        assert lib.aclprofPush(bad) == INVALID
        assert lib.aclprofRangeStart(bad, ctypes.byref(ctypes.c_uint32())) == INVALID
        assert lib.aclprofSetStampTraceMessage(bad, b"x", 1) == INVALID
    assert lib.aclprofRangeStart(stamp, None) == INVALID
    assert lib.aclprofMarkEx(None, 1, None) == INVALID
    assert lib.aclprofMarkEx(b"", 0, None) == INVALID
    assert lib.aclprofGetStepTimestamp(stamp, 0, None) == INVALID
    assert lib.aclprofGetStepTimestamp(step, 2, None) == INVALID
    lib.aclprofDestroyStamp(stamp)
    lib.aclprofDestroyStepInfo(step)
    assert lib.aclprofMark(stamp) == INVALID
