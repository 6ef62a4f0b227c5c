# SPDX-License-Identifier: Apache-2.0
"""Contract 5: initialisation, acl.json, versions."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from conformance import acl

fake_only = pytest.mark.fake_only


def write(folder: Path, text: str) -> bytes:
    """A file acl.json; its path."""
    path = folder / "acl.json"
    path.write_text(text, "utf-8")
    return str(path).encode()


def test_repeated_init_counts(raw: acl.Library) -> None:
    """RT-INIT-01 (5.1): a second init returns 100002 and counts; references go back singly."""
    count = ctypes.c_uint64(99)
    assert raw.aclInit(None) == 0
    assert raw.aclInit(b"") == 100002
    assert raw.aclFinalizeReference(ctypes.byref(count)) == 0
    assert count.value == 1
    assert raw.aclFinalizeReference(ctypes.byref(count)) == 0
    assert count.value == 0
    assert raw.aclFinalizeReference(ctypes.byref(count)) == 100037
    assert count.value == 0
    assert raw.aclFinalizeReference(None) == 100037


def test_finalize_drops_all_references(raw: acl.Library) -> None:
    """RT-INIT-02 (5.2): aclFinalize ignores the count; the second one is 100037."""
    assert raw.aclInit(None) == 0
    assert raw.aclInit(None) == 100002
    assert raw.aclFinalize() == 0
    assert raw.aclFinalize() == 100037
    assert raw.aclInit(None) == 0
    assert raw.aclFinalize() == 0


def test_finalize_without_init(raw: acl.Library) -> None:
    """RT-INIT-03 (5.2): the first finalize without any init returns 0, the second 100037."""
    assert raw.aclFinalize() == 0
    assert raw.aclFinalize() == 100037


def test_config_must_not_change(raw: acl.Library, tmp_path: Path) -> None:
    """RT-INIT-04 (5.1): after a finalize only the same configuration is accepted."""
    config = write(tmp_path, "{}")
    assert raw.aclInit(None) == 0
    assert raw.aclFinalize() == 0
    assert raw.aclInit(config) == 100000
    assert raw.aclInit(b"") == 0
    assert raw.aclFinalize() == 0


def test_failed_init_does_not_fix_the_config(raw: acl.Library, tmp_path: Path) -> None:
    """RT-INIT-05 (5.1): a failed init may be retried with another configuration."""
    assert raw.aclInit(write(tmp_path, "{")) == 100006
    assert raw.aclInit(write(tmp_path, '{"unknown": [1, {"a": null}], "x": -1.5e3}')) == 0
    assert raw.aclFinalize() == 0


def test_missing_config(raw: acl.Library, tmp_path: Path) -> None:
    """RT-INIT-06 (5.1): a missing file, a directory and a file over 10 MiB are 100003."""
    assert raw.aclInit(str(tmp_path / "none.json").encode()) == 100003
    assert raw.aclInit(str(tmp_path).encode()) == 100003
    big = tmp_path / "big.json"
    with big.open("wb") as file:
        file.truncate((10 << 20) + 1)
    assert raw.aclInit(str(big).encode()) == 100003


def test_empty_config_is_none(raw: acl.Library, tmp_path: Path) -> None:
    """RT-INIT-07 (5.1): a file of 0 bytes is no configuration, the same content as NULL."""
    assert raw.aclInit(write(tmp_path, "")) == 0
    assert raw.aclFinalize() == 0
    assert raw.aclInit(None) == 0
    assert raw.aclFinalize() == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{" + '"a": {' * 9 + "}" * 9 + "}", 0),
        ("{" + '"a": {' * 10 + "}" * 10 + "}", 100006),
        ('{"a": ' + "[" * 10 + "]" * 10 + "}", 0),
        ('{"a": ' + "[" * 11 + "]" * 11 + "}", 100006),
        ("{}{}", 100006),
        ('{"a": 01}', 100006),
        ('{"a": "\\x"}', 100006),
        ("{'a': 1}", 100006),
        ('{"a": tru}', 100006),
        ('{"a": 1,}', 100006),
    ],
)
def test_json(raw: acl.Library, tmp_path: Path, text: str, code: int) -> None:
    """RT-INIT-08 (5.1): bad JSON, and nesting over 10 objects or 10 arrays, are 100006."""
    assert raw.aclInit(write(tmp_path, text)) == code
    assert (raw.message() == "") == (code == 0)


@pytest.mark.parametrize("mode", ['"2"', "1", '""', "null"])
def test_bad_message_mode(raw: acl.Library, tmp_path: Path, mode: str) -> None:
    """RT-INIT-09 (5.1): err_msg_mode is "0" or "1", else 100000."""
    assert raw.aclInit(write(tmp_path, f'{{"err_msg_mode": {mode}}}')) == 100000


@pytest.mark.parametrize(
    "value", ['{"default_device": 0}', '{"default_device": "01"}', "{}", '"0"']
)
def test_bad_default_device(raw: acl.Library, tmp_path: Path, value: str) -> None:
    """RT-INIT-10 (5.1): default_device is a decimal number in a string, else 500001."""
    assert raw.aclInit(write(tmp_path, f'{{"defaultDevice": {value}}}')) == 500001


def test_default_device(raw: acl.Library, tmp_path: Path) -> None:
    """RT-INIT-11 (5.1, 6, 7): a thread that never chose gets the device at its first need."""
    assert raw.aclInit(write(tmp_path, '{"defaultDevice": {"default_device": "0"}}')) == 0
    seen: dict[str, int] = {}

    def work() -> None:
        context, device, stream = ctypes.c_void_p(), ctypes.c_int32(-5), ctypes.c_void_p()
        seen["before"] = raw.aclrtGetCurrentContext(ctypes.byref(context))
        seen["device"] = raw.aclrtGetDevice(ctypes.byref(device)) or device.value
        seen["stream"] = raw.aclrtCreateStream(ctypes.byref(stream))
        seen["after"] = raw.aclrtGetCurrentContext(ctypes.byref(context))
        raw.aclrtDestroyStream(stream)
        raw.aclrtResetDevice(0)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == {"before": 107002, "device": 0, "stream": 0, "after": 0}
    assert raw.aclFinalize() == 0


def test_init_hooks(raw: acl.Library) -> None:
    """RT-INIT-12 (5.5): registered functions run at init and at finalize, once each."""
    calls: list[str] = []
    init_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p)
    end_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)

    def note(text: str) -> int:
        calls.append(text)
        return 0

    on_init = init_type(lambda _text, length, data: note(f"init {length} {data}"))
    on_end = end_type(lambda data: note(f"end {data}"))
    assert raw.aclInitCallbackRegister(0, ctypes.cast(on_init, ctypes.c_void_p), 7) == 0
    assert raw.aclFinalizeCallbackRegister(0, ctypes.cast(on_end, ctypes.c_void_p), 8) == 0
    assert raw.aclInitCallbackRegister(0, None, None) == 100000
    assert raw.aclInit(None) == 0
    assert raw.aclFinalize() == 0
    assert calls == ["init 0 7", "end 8"]
    assert raw.aclInitCallbackUnRegister(0, ctypes.cast(on_init, ctypes.c_void_p)) == 0
    assert raw.aclInitCallbackUnRegister(0, ctypes.cast(on_init, ctypes.c_void_p)) == 100000
    assert raw.aclFinalizeCallbackUnRegister(0, ctypes.cast(on_end, ctypes.c_void_p)) == 0


def test_api_version(raw: acl.Library) -> None:
    """RT-INIT-13 (5.4): the API's version needs no init; NULL is 100000."""
    numbers = [ctypes.c_int32() for _ in range(3)]
    assert raw.aclrtGetVersion(*map(ctypes.byref, numbers)) == 0
    assert [number.value for number in numbers] == [1, 17, 0]
    assert raw.aclrtGetVersion(None, ctypes.byref(numbers[1]), ctypes.byref(numbers[2])) == 100000


@pytest.mark.parametrize(
    ("text", "number"),
    [("9.0.0", 90000000), ("8.5.1", 80501000), ("8.5.0.RC1", 80499901), ("8.0.RC2", 79999902)],
)
def test_package_version(
    raw: acl.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, number: int
) -> None:
    """RT-INIT-14 (5.4): package versions come from version.info below ASCEND_HOME_PATH."""
    folder = tmp_path / "share" / "info" / "runtime"
    folder.mkdir(parents=True)
    (folder / "version.info").write_text(f"package_name=runtime\nVersion={text}\n")
    monkeypatch.setenv("ASCEND_HOME_PATH", str(tmp_path))
    value, buffer = ctypes.c_int32(), ctypes.create_string_buffer(128)
    assert raw.aclsysGetVersionStr(b"runtime", buffer) == 0
    assert buffer.value == text.encode()
    assert raw.aclsysGetVersionNum(b"runtime", ctypes.byref(value)) == 0
    assert value.value == number
    whole = ctypes.create_string_buffer(512)
    assert raw.aclsysGetCANNVersion(1, whole) == 0
    assert whole.raw[:128].rstrip(b"\0") == text.encode()
    assert whole.raw[128:192].rstrip(b"\0") == text.split(".")[0].encode()
    assert raw.aclsysGetCANNVersion(0, whole) == 100003
    assert raw.aclsysGetCANNVersion(8, whole) == 100000
    assert raw.aclsysGetVersionStr(b"opp", buffer) == 100003
    assert raw.aclsysGetVersionStr(None, buffer) == 100000


def test_no_package_version_without_home(raw: acl.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """RT-INIT-15 (5.4): without ASCEND_HOME_PATH there is no file: 100003."""
    monkeypatch.delenv("ASCEND_HOME_PATH", raising=False)
    assert raw.aclsysGetVersionNum(b"runtime", ctypes.byref(ctypes.c_int32())) == 100003


@fake_only
def test_refuses_beside_another_library(tmp_path: Path) -> None:
    """RT-INIT-16 (architecture, backend choice): not in one process with a real libascendcl."""
    source = tmp_path / "other.c"
    source.write_text("int aclInit(const char *path) { return path != 0; }\n")
    other = tmp_path / "libascendcl.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", other, source], check=True)
    script = (
        "import ctypes, sys\n"
        "ctypes.CDLL(sys.argv[2])\n"
        "fake = ctypes.CDLL(sys.argv[1])\n"
        "fake.aclGetRecentErrMsg.restype = ctypes.c_char_p\n"
        "print(fake.aclInit(None), b'another AscendCL' in fake.aclGetRecentErrMsg())\n"
    )
    fake = acl.library_path()
    command = [sys.executable, "-c", script, str(fake), str(other)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["500000", "True"]
