# SPDX-License-Identifier: Apache-2.0
"""The exception tree, its fields, and the table from kinds to classes."""

from __future__ import annotations

import errno
import pickle

import pytest

import aclrt
from aclrt import errors

TREE = {
    "AclrtError": (Exception,),
    "AclError": (aclrt.AclrtError, RuntimeError),
    "DeviceError": (aclrt.AclError,),
    "DeviceLostError": (aclrt.DeviceError,),
    "DeviceOutOfMemoryError": (aclrt.AclError, MemoryError),
    "DeviceTimeoutError": (aclrt.AclError, TimeoutError),
    "ModelFormatError": (aclrt.AclrtError, ValueError),
    "ModelLoadError": (aclrt.AclError,),
    "InputError": (aclrt.AclrtError, ValueError),
    "ClosedError": (aclrt.AclrtError,),
    "ForkedProcessError": (aclrt.AclrtError,),
    "NeedsNpuError": (aclrt.ModelLoadError,),
    "BackendError": (aclrt.AclrtError, ImportError),
}
FIELDS = {
    "code": 107002,
    "name": "ACL_ERROR_RT_CONTEXT_NULL",
    "call": "aclrtMalloc",
    "detail": "EE1001: the context is null",
    "hint": "set a device first",
}


@pytest.mark.parametrize("name", TREE)
def test_the_tree(name):
    """Every class is importable from aclrt and stands where the documentation says."""
    cls = getattr(aclrt, name)
    assert cls is getattr(errors, name)
    assert TREE[name] == cls.__bases__
    assert cls.__doc__


def test_the_tree_is_complete():
    """No class is missing from the list above, none from __all__."""
    assert sorted(TREE) == sorted(errors.__all__)
    assert set(TREE) <= set(aclrt.__all__)


@pytest.mark.parametrize("name", TREE)
def test_fields_text_and_pickle(name):
    """All classes carry the same fields, print them and survive pickling."""
    error = getattr(aclrt, name)("cannot do it", **FIELDS)
    for again in (error, pickle.loads(pickle.dumps(error))):
        assert type(error) is type(again)
        assert FIELDS == {field: getattr(again, field) for field in FIELDS}
        assert "cannot do it" == again.message
        assert ("cannot do it",) == again.args
        assert [
            "cannot do it",
            "  aclrtMalloc returned 107002 (ACL_ERROR_RT_CONTEXT_NULL)",
            "  detail: EE1001: the context is null",
            f"  usual causes: {'; '.join(again.causes)}",
            "  hint: set a device first",
        ] == str(again).splitlines()


@pytest.mark.parametrize("name", TREE)
def test_plain_construction(name):
    """A message is enough, a hint is common."""
    cls = getattr(aclrt, name)
    assert "why" == str(cls("why"))
    assert "why\n  hint: how" == str(cls("why", hint="how"))
    assert (0, "", "", "") == (cls().code, cls().name, cls().call, cls().detail)


def test_text_with_some_of_the_fields():
    """Code without call, call without code, code without name."""
    assert "m\n  status 5" == str(aclrt.AclError("m", code=5))
    assert "m\n  in aclInit" == str(aclrt.AclError("m", call="aclInit"))
    assert "m\n  aclInit returned 5" == str(aclrt.AclError("m", call="aclInit", code=5))


def test_kinds_of_the_boundary_have_their_classes():
    """Each aclrt_error_kind_t gives its class, and the numbers are the header's."""
    from aclrt._ffi import lib

    expected = {
        "ACL": aclrt.AclError,
        "DEVICE": aclrt.DeviceError,
        "DEVICE_LOST": aclrt.DeviceLostError,
        "DEVICE_MEMORY": aclrt.DeviceOutOfMemoryError,
        "TIMEOUT": aclrt.DeviceTimeoutError,
        "MODEL_FORMAT": aclrt.ModelFormatError,
        "MODEL_LOAD": aclrt.ModelLoadError,
        "INPUT": aclrt.InputError,
        "CLOSED": aclrt.ClosedError,
        "FORKED": aclrt.ForkedProcessError,
        "NEEDS_NPU": aclrt.NeedsNpuError,
        "BACKEND": aclrt.BackendError,
        "IO": FileNotFoundError,
        "HOST_MEMORY": MemoryError,
        "INTERNAL": aclrt.AclError,
    }
    declared = {name for name in dir(lib) if name.startswith("ACLRT_ERROR_")}
    assert declared == {f"ACLRT_ERROR_{kind}" for kind in [*expected, "NONE"]}
    for kind, cls in expected.items():
        number = getattr(lib, f"ACLRT_ERROR_{kind}")
        error = errors.error_for(number, "m", code=errno.ENOENT, hint="h")
        assert cls is type(error), kind
        if isinstance(error, aclrt.AclrtError):
            assert ("m", "h") == (error.message, error.hint)


def test_io_errors_are_the_operating_systems():
    """By errno, with the file's name where the failure is about it."""
    error = errors.error_for(
        13, "cannot open /a/b: no", code=errno.EACCES, filenames=["/a", "/a/b"]
    )
    assert PermissionError is type(error)
    assert "/a/b" == error.filename
    other = errors.error_for(13, "cannot open /c", code=errno.ENOENT, filenames=["/a/b"])
    assert FileNotFoundError is type(other)
    assert other.filename is None
    assert "cannot open /c" == other.strerror
    own = errors.error_for(13, "/a is no pipe", code=errno.EINVAL, filenames=["/a", "/b"])
    assert ("is no pipe", "/a") == (own.strerror, own.filename)


def test_a_status_without_failure_is_silent():
    """NULL is success."""
    from aclrt._ffi import ffi, raise_for, text

    raise_for(ffi.NULL)
    assert "" == text(ffi.NULL)


def test_a_real_failure_carries_the_call_and_the_code(om_factory):
    """An AscendCL failure reaches Python with function, code and name."""
    with pytest.raises(aclrt.DeviceError) as caught:
        aclrt.OfflineModel(om_factory.identity(), device_id=77)
    error = caught.value
    assert "aclrtSetDevice" == error.call
    assert error.code
    assert error.name.startswith("ACL_ERROR")
    assert str(error.code) in str(error)
