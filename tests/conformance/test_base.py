# SPDX-License-Identifier: Apache-2.0
"""Contract 12 and 20: data buffers, tensor descriptions, scalars, messages, log."""

from __future__ import annotations

import ctypes
import re
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from conformance import acl
from conformance.test_rt_device import in_thread

fake_only = pytest.mark.fake_only


def desc_of(lib: acl.Library, dims: Sequence[int], dtype: int = 0, layout: int = 2) -> int:
    """A tensor desc."""
    handle = lib.aclCreateTensorDesc(dtype, len(dims), (ctypes.c_int64 * len(dims))(*dims), layout)
    assert handle
    return int(handle)


def test_data_buffer(raw: acl.Library) -> None:
    """BASE-BUF-01 (12.1): address and size, also after an update; the old size is 32 bits."""
    buffer = raw.aclCreateDataBuffer(0x1000, (1 << 32) + 5)
    assert raw.aclGetDataBufferAddr(buffer) == 0x1000
    assert raw.aclGetDataBufferSizeV2(buffer) == (1 << 32) + 5
    assert raw.aclGetDataBufferSize(buffer) == 5
    assert raw.aclUpdateDataBuffer(buffer, None, 0) == 0
    assert raw.aclGetDataBufferAddr(buffer) is None
    assert raw.aclGetDataBufferSizeV2(buffer) == 0
    assert raw.aclDestroyDataBuffer(buffer) == 0


def test_data_buffer_errors(raw: acl.Library) -> None:
    """BASE-BUF-02 (12.1): (nullptr, 0) is legal; NULL and destroyed buffers are not."""
    buffer = raw.aclCreateDataBuffer(None, 0)
    assert buffer
    assert raw.aclDestroyDataBuffer(buffer) == 0
    for bad in (buffer, None):
        assert raw.aclDestroyDataBuffer(bad) == 100000
        assert raw.aclUpdateDataBuffer(bad, None, 0) == 100000
        assert raw.aclGetDataBufferAddr(bad) is None
        assert raw.aclGetDataBufferSizeV2(bad) == 0


@fake_only
def test_handles_are_not_reused_at_once(raw: acl.Library) -> None:
    """BASE-BUF-03 (architecture): a stale handle stays stale though buffers come and go."""
    stale = raw.aclCreateDataBuffer(None, 1)
    assert raw.aclDestroyDataBuffer(stale) == 0
    for _ in range(1000):
        buffer = raw.aclCreateDataBuffer(None, 2)
        assert buffer != stale
        assert raw.aclDestroyDataBuffer(buffer) == 0
    assert raw.aclGetDataBufferSizeV2(stale) == 0


def test_tensor_desc(raw: acl.Library) -> None:
    """BASE-DESC-01 (12.2): type, format, dims, count and size."""
    desc = desc_of(raw, (2, 3, 4), dtype=1, layout=0)
    dim = ctypes.c_int64()
    assert raw.aclGetTensorDescType(desc) == 1
    assert raw.aclGetTensorDescFormat(desc) == 0
    assert raw.aclGetTensorDescNumDims(desc) == 3
    assert raw.aclGetTensorDescElementCount(desc) == 24
    assert raw.aclGetTensorDescSize(desc) == 48
    assert [raw.aclGetTensorDescDim(desc, i) for i in range(4)] == [2, 3, 4, -1]
    assert raw.aclGetTensorDescDimV2(desc, 1, ctypes.byref(dim)) == 0
    assert dim.value == 3
    assert raw.aclGetTensorDescDimV2(desc, 3, ctypes.byref(dim)) == 100000
    assert raw.aclGetTensorDescDimV2(desc, 0, None) == 100000
    raw.aclDestroyTensorDesc(desc)
    assert raw.aclGetTensorDescNumDims(desc) == 0


def test_tensor_desc_creation(raw: acl.Library) -> None:
    """BASE-DESC-02 (12.2): bad counts give NULL; a scalar has one element; no other checks."""
    assert raw.aclCreateTensorDesc(0, -1, (ctypes.c_int64 * 1)(1), 2) is None
    assert raw.aclCreateTensorDesc(0, 1, None, 2) is None
    scalar = raw.aclCreateTensorDesc(0, 0, None, 2)
    assert raw.aclGetTensorDescElementCount(scalar) == 1
    odd = desc_of(raw, (1,), dtype=-77, layout=999)
    assert raw.aclGetTensorDescType(odd) == -77
    raw.aclDestroyTensorDesc(scalar)
    raw.aclDestroyTensorDesc(odd)


@pytest.mark.parametrize(
    ("dims", "count", "rank"),
    [
        ((2, -1), 0, 2),
        ((-2,), 0, 0xFFFFFFFFFFFFFFFE),
        ((0, 5), 0, 2),
        ((1 << 40, 1 << 40), 0, 2),
    ],
)
def test_unknown_dims(raw: acl.Library, dims: tuple[int, ...], count: int, rank: int) -> None:
    """BASE-DESC-03 (12.2): unknown dims and overflow count 0; -2 is the unknown rank."""
    desc = desc_of(raw, dims)
    assert raw.aclGetTensorDescElementCount(desc) == count
    assert raw.aclGetTensorDescSize(desc) == 0
    assert raw.aclGetTensorDescNumDims(desc) == rank
    raw.aclDestroyTensorDesc(desc)


def test_null_tensor_desc(raw: acl.Library) -> None:
    """BASE-DESC-04 (12.2): getters of NULL are neutral; setters are 100000, format setters 0."""
    assert raw.aclGetTensorDescType(None) == -1
    assert raw.aclGetTensorDescFormat(None) == -1
    assert raw.aclGetTensorDescNumDims(None) == 0
    assert raw.aclGetTensorDescElementCount(None) == 0
    assert raw.aclGetTensorDescName(None) == b""
    assert raw.aclGetTensorDescByIndex(None, 0) is None
    assert raw.aclSetTensorShape(None, 0, None) == 100000
    assert raw.aclSetTensorConst(None, b"x", 1) == 100000
    assert raw.aclSetTensorFormat(None, 2) == 0
    assert raw.aclSetTensorOriginFormat(None, 2) == 0
    raw.aclDestroyTensorDesc(None)
    raw.aclSetTensorDescName(None, b"x")


def test_tensor_desc_setters(raw: acl.Library) -> None:
    """BASE-DESC-05 (12.2): storage and origin shape, ranges, constants, names, no conversion."""
    desc, dims = desc_of(raw, (2, 2)), (ctypes.c_int64 * 2)(7, 8)
    assert raw.aclSetTensorShape(desc, 2, dims) == 0
    assert raw.aclGetTensorDescDim(desc, 0) == 2
    assert raw.aclSetTensorOriginShape(desc, 2, dims) == 0
    assert raw.aclGetTensorDescDim(desc, 0) == 7
    assert raw.aclSetTensorOriginShape(desc, 2, None) == 100000
    assert raw.aclSetTensorOriginFormat(desc, 1) == 0
    assert raw.aclGetTensorDescFormat(desc) == 1
    ranges, out = (ctypes.c_int64 * 4)(1, 2, 3, 4), (ctypes.c_int64 * 2)()
    assert raw.aclGetTensorDescDimRange(desc, 0, 2, out) == 100000
    assert raw.aclSetTensorShapeRange(desc, 2, ranges) == 0
    assert raw.aclGetTensorDescDimRange(desc, 1, 2, out) == 0
    assert tuple(out) == (3, 4)
    assert raw.aclGetTensorDescDimRange(desc, 0, 1, out) == 100000
    assert raw.aclSetTensorConst(desc, b"ab", 0) == 100000
    assert raw.aclGetTensorDescAddress(desc) is None
    assert raw.aclSetTensorConst(desc, b"abc", 3) == 0
    assert ctypes.string_at(raw.aclGetTensorDescAddress(desc), 3) == b"abc"
    raw.aclSetTensorDescName(desc, b"image")
    assert raw.aclGetTensorDescName(desc) == b"image"
    assert raw.aclGetTensorDescByIndex(desc, 0) == desc
    assert raw.aclGetTensorDescByIndex(desc, 1) is None
    assert raw.aclTransTensorDescFormat(desc, 1, ctypes.byref(ctypes.c_void_p())) == 200001
    raw.aclDestroyTensorDesc(desc)


def test_dtype_sizes(raw: acl.Library) -> None:
    """BASE-NUM-01 (3.1): sizes of all types; 8 for those that are unknown."""
    sizes = {0: 4, 1: 2, 2: 1, 3: 4, 4: 1, 6: 2, 7: 2, 8: 4, 9: 8, 10: 8, 11: 8, 12: 1, 13: 0}
    sizes |= {16: 8, 17: 16, 27: 2, 29: 1, 30: 1, 33: 4, 34: 1, 35: 1, 36: 1, 37: 1, -1: 0}
    for value in (*range(-1, 50), 1000, -7):
        assert raw.aclDataTypeSize(value) == sizes.get(value, 8), value


def test_float16_to_float(raw: acl.Library) -> None:
    """BASE-NUM-02 (12.3): every half value; exponent 31 is an ordinary exponent."""
    for bits in range(1 << 16):
        if bits & 0x7C00 == 0x7C00:
            want = np.float32((1 + (bits & 0x3FF) / 1024) * 65536) * (-1 if bits >> 15 else 1)
        else:
            want = np.uint16(bits).view(np.float16).astype(np.float32)
        got = np.float32(raw.aclFloat16ToFloat(bits))
        assert got.view(np.uint32) == np.float32(want).view(np.uint32), hex(bits)


def test_float_to_float16(raw: acl.Library) -> None:
    """BASE-NUM-03 (12.3): to nearest even, saturating; Inf and NaN become 65504 with their sign."""
    random = np.random.default_rng(1)
    values = [np.float32(2.0**-25), np.float32(-(2.0**-25)), np.nextafter(np.float32(2.0**-25), 1)]
    values += [
        np.float32(x) for x in (0.0, -0.0, 65504, 65519, 65520, 1e30, -1e30, 2.0**-24, 1e-45)
    ]
    values += list(random.integers(0, 1 << 32, 20000, dtype=np.uint32).view(np.float32))
    values += list((random.standard_normal(20000) * 1000).astype(np.float32))
    values += list((random.standard_normal(5000) * 1e-6).astype(np.float32))
    specials = ((np.inf, 0x7BFF), (-np.inf, 0xFBFF), (np.nan, 0x7BFF))
    for value, bits in specials:
        assert raw.aclFloatToFloat16(value) == bits
    negative_nan = struct.unpack("f", struct.pack("I", 0xFFC00000))[0]
    assert raw.aclFloatToFloat16(negative_nan) == 0xFBFF
    for value in values:
        if np.isnan(value):
            continue
        with np.errstate(over="ignore"):
            half = np.float16(value)
        want = int(half.view(np.uint16))
        if np.isinf(half):
            want = 0xFBFF if value < 0 else 0x7BFF
        assert raw.aclFloatToFloat16(float(value)) == want, value


# ---- messages and log --------------------------------------------------------------------------


def test_message_after_failure(raw: acl.Library) -> None:
    """BASE-MSG-01 (20): never NULL after a failure, then cleared; shaped like the real ones."""
    assert raw.aclGetRecentErrMsg() is None
    assert raw.aclrtSetDevice(55) == 107001
    text = raw.message()
    assert re.match(r"E\w\d{4}: \d{4}-\d\d-\d\d-\d\d:\d\d:\d\d\.\d{3}\.\d{3}\(PID:\d+\): ", text)
    assert "TraceBack (most recent call last):" in text
    assert "aclrtSetDevice" in text
    assert "107001" in text
    assert raw.aclGetRecentErrMsg() is None


def test_messages_newest_first(raw: acl.Library) -> None:
    """BASE-MSG-02 (20): several failures gather, the newest first."""
    assert raw.aclrtSetDevice(55) == 107001
    assert raw.aclrtGetDevice(None) == 100000
    text = raw.message()
    assert text.index("aclrtGetDevice returned") < text.index("aclrtSetDevice returned")


def test_messages_are_per_thread(raw: acl.Library) -> None:
    """BASE-MSG-03 (20): another thread's failure is not seen here by default."""
    assert in_thread(lambda: raw.aclrtSetDevice(55)) == 107001
    assert raw.message() == ""


def test_messages_of_the_process(raw: acl.Library, tmp_path: Path) -> None:
    """BASE-MSG-04 (5.1, 20): with err_msg_mode "1" they are the process's."""
    path = tmp_path / "acl.json"
    path.write_text('{"err_msg_mode": "1"}')
    assert raw.aclInit(str(path).encode()) == 0
    assert in_thread(lambda: raw.aclrtSetDevice(55)) == 107001
    assert "aclrtSetDevice" in raw.message()
    assert raw.aclFinalize() == 0


def test_getters_leave_messages(raw: acl.Library) -> None:
    """BASE-MSG-05 (1.2): value getters have no status but leave text."""
    assert raw.aclGetDataBufferAddr(0x1234) is None
    assert "aclGetDataBufferAddr" in raw.message()


def test_last_error(raw: acl.Library) -> None:
    """BASE-MSG-06 (20): the thread's last error; Get clears it; other levels 100000."""
    assert raw.aclrtPeekAtLastError(0) == 0
    assert raw.aclrtSetDevice(55) == 107001
    assert raw.aclrtPeekAtLastError(0) == 107001
    assert raw.aclrtGetLastError(0) == 107001
    assert raw.aclrtPeekAtLastError(0) == 0
    assert raw.aclrtGetLastError(1) == 100000


def test_log(tmp_path: Path) -> None:
    """BASE-LOG-01 (20): level, 1024 bytes, stdout or a file below ASCEND_PROCESS_LOG_PATH."""
    script = (
        "import ctypes, sys\n"
        "log = ctypes.CDLL(sys.argv[1]).aclAppLog\n"
        "log(3, b'main', b'a/b.cpp', 7, b'%s', b'x' * 2000)\n"
        "log(2, b'main', b'a/b.cpp', 8, b'quiet')\n"
        "log(3, None, b'a/b.cpp', 9, b'quiet')\n"
    )
    command = [sys.executable, "-c", script, str(acl.library_path())]
    environment = {"ASCEND_PROCESS_LOG_PATH": str(tmp_path / "log"), "PATH": "/usr/bin:/bin"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert run.stdout == ""
    (file,) = (tmp_path / "log/debug/plog").glob("plog-*.log")
    text = file.read_text()
    assert "[ERROR]" in text
    assert "b.cpp:7" in text
    assert text.endswith("...[truncated]\n")
    assert "quiet" not in text
    environment |= {"ASCEND_LOG_PRINT_TO_STDOUT": "1", "ASCEND_GLOBAL_LOG_LEVEL": "2"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "[WARNING]" in run.stdout
