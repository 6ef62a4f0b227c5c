# SPDX-License-Identifier: Apache-2.0
"""Importing is harmless, and the environment may be hostile."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parents[2] / "csrc/acl/functions.def"


def test_importing_maps_no_foreign_library(child):
    """Neither libascendcl nor libonnxruntime, and no ledger: the fake was not loaded."""
    outcome = child("""
        maps = open("/proc/self/maps").read()
        print("libascendcl" in maps, "libonnxruntime" in maps, "libaclrt" in maps)
    """)
    assert (0, "False False True\n", "") == (outcome.code, outcome.out, outcome.err)
    assert not outcome.has_ledger


def test_first_use_maps_the_fake(child):
    """From then on it is there."""
    outcome = child("""
        load().close()
        print("fake/libascendcl.so" in open("/proc/self/maps").read())
    """)
    outcome.assert_clean()
    assert "True\n" == outcome.out


def test_the_tools_are_imported_at_first_use(child):
    """aclrt.bench, aclrt.doctor and aclrt.om need no import, and cost nothing before."""
    child(
        """
        import sys, aclrt
        tools = {"aclrt.bench", "aclrt.doctor", "aclrt.om", "aclrt._feeds", "rich", "onnx"}
        tools |= {"aclrt.compare", "aclrt.explain", "aclrt._codes"}
        assert not tools & set(sys.modules), tools & set(sys.modules)
        assert {"bench", "compare", "convert", "doctor", "explain", "inspect"} <= set(dir(aclrt))
        assert aclrt.doctor.collect()["ok"]
        assert aclrt.bench is sys.modules["aclrt.bench"]
        assert 1 == aclrt.bench.run(OM, iterations=1, warmup=0).iterations
        assert aclrt.inspect is aclrt.om.inspect
        from aclrt import bench, doctor
        try:
            aclrt.nothing
        except AttributeError as error:
            print(error)
        """,
        prelude=False,
    ).assert_clean()


def test_import_in_a_thread(child):
    """Any thread may be the first, and another the first to use it."""
    child(
        """
        import threading
        def work():
            import aclrt
        t = threading.Thread(target=work); t.start(); t.join()
        import aclrt
        u = threading.Thread(target=lambda: aclrt.OfflineModel(OM)); u.start(); u.join()
        """,
        prelude=False,
    ).assert_clean()


def test_import_twice_after_removal(child):
    """A second copy of the Python modules on the same library."""
    child("""
        m = load()
        for name in [n for n in sys.modules if n.split(".")[0] == "aclrt" and n != "aclrt._native"]:
            del sys.modules[name]
        import aclrt as again
        assert again is not aclrt
        n = again.OfflineModel(OM)
        np.testing.assert_array_equal(m(X)[0], n(X)[0])
    """).assert_clean()


def test_sub_interpreters_are_refused(child):
    """With ImportError, not a crash; the main interpreter is not disturbed."""
    outcome = child("""
        code = "\\n".join([
            "try:",
            "    import aclrt",
            "except ImportError as error:",
            "    print('refused:', 'sub-interpreter' in str(error), flush=True)",
        ])
        if sys.version_info >= (3, 13):
            import _interpreters as interpreters
            new = interpreters.create("legacy")
            interpreters.exec(new, code)
        else:
            import _xxsubinterpreters as interpreters
            new = interpreters.create(isolated=False)
            interpreters.run_string(new, code)
        interpreters.destroy(new)
        load()(X)
    """)
    outcome.assert_clean()
    assert "refused: True\n" == outcome.out


def test_a_default_fake_is_announced_once(child):
    """One RuntimeWarning at the caller's line, however many models follow."""
    outcome = child(
        "m = load(); n = load(); aclrt.devices()",
        env={"ACLRT_BACKEND": None, "PYTHONWARNINGS": "always"},
    )
    assert 0 == outcome.code
    assert 1 == outcome.err.count("RuntimeWarning")
    assert "fake device" in outcome.err
    assert outcome.err.startswith("<string>:")
    assert 0 == outcome.ledger["live"]


def test_a_default_fake_under_warnings_as_errors(child):
    """The warning can be made an error, and then nothing is left behind."""
    outcome = child(
        """
        try:
            load()
        except RuntimeWarning:
            print("warned")
        load()(X)
        """,
        "-W",
        "error",
        env={"ACLRT_BACKEND": None},
    )
    outcome.assert_clean()
    assert "warned\n" == outcome.out


@pytest.mark.parametrize("ask", ["load(backend='fake')", "load()"])
def test_a_fake_that_was_asked_for_is_not_announced(child, ask):
    """By argument or by environment."""
    env = {"ACLRT_BACKEND": None if "backend" in ask else "fake"}
    child(f"m = {ask}; m(X)", "-W", "error", env=env).assert_clean()


def test_no_npu_is_a_backend_error(child):
    """backend="npu" never falls back, and the error shows where CANN was looked for."""
    outcome = child(
        """
        try:
            load(backend="npu")
        except aclrt.BackendError as error:
            print(isinstance(error, ImportError), "ASCEND" in str(error))
        load(backend="fake")(X)
        """,
        env={"ACLRT_BACKEND": None},
    )
    outcome.assert_clean()
    assert "True True\n" == outcome.out


@pytest.mark.parametrize("value", ["gpu", "FAKE"])
def test_a_wrong_variable_is_named(child, value):
    """ACLRT_BACKEND has three values."""
    outcome = child(
        """
        try:
            load()
        except aclrt.BackendError as error:
            print(error.message)
        """,
        env={"ACLRT_BACKEND": value},
    )
    assert (0, "") == (outcome.code, outcome.err)
    assert f'ACLRT_BACKEND is "{value}"' in outcome.out


def test_a_library_that_is_not_there(child, tmp_path):
    """ACLRT_LIBASCENDCL is obeyed or refused."""
    missing = tmp_path / "libascendcl.so"
    code = """
        try:
            load()
        except aclrt.BackendError as error:
            print(error)
    """
    outcome = child(code, env={"ACLRT_LIBASCENDCL": str(missing), "ACLRT_BACKEND": None})
    assert (0, "") == (outcome.code, outcome.err)
    assert str(missing) in outcome.out
    missing.write_bytes(b"not a library")
    outcome = child(code, env={"ACLRT_LIBASCENDCL": str(missing), "ACLRT_BACKEND": None})
    assert (0, "") == (outcome.code, outcome.err)
    assert str(missing) in outcome.out


REFUSED = """
    for what in (load, aclrt.devices, load):
        try:
            what()
        except aclrt.BackendError as error:
            print(str(error).replace(chr(10), " "))
"""


def test_a_library_of_another_architecture(child, tmp_path):
    """That is said, and the file's name; asking again gives the same answer."""
    import aclrt

    foreign = tmp_path / "libascendcl.so"
    elf = bytearray(Path(aclrt.runtime_info().library).read_bytes())
    elf[18:20] = (8).to_bytes(2, sys.byteorder)  # e_machine: MIPS
    foreign.write_bytes(elf)
    outcome = child(REFUSED, env={"ACLRT_LIBASCENDCL": str(foreign), "ACLRT_BACKEND": None})
    assert (0, "") == (outcome.code, outcome.err)
    lines = outcome.out.splitlines()
    assert 3 == len(lines)
    assert all(f"{foreign}, which was built for another processor" in line for line in lines)
    assert not outcome.has_ledger


@pytest.mark.parametrize("lacking", ["aclrtMalloc", "aclmdlExecute"])
def test_a_library_that_lacks_a_function(child, tmp_path, lacking):
    """The function is named, and nothing of the library is called."""
    required = re.findall(
        r"^ACL_FUNCTION\(.+?, (acl\w+), \(.*REQUIRED", FUNCTIONS.read_text(), re.M
    )
    assert lacking in required
    source = tmp_path / "ascendcl.c"
    bodies = (f"int {name}(void) {{ __builtin_trap(); }}" for name in required if name != lacking)
    source.write_text("\n".join(bodies))
    library = tmp_path / "libascendcl.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    outcome = child(REFUSED, env={"ACLRT_LIBASCENDCL": str(library), "ACLRT_BACKEND": None})
    assert (0, "") == (outcome.code, outcome.err)
    lines = outcome.out.splitlines()
    assert 3 == len(lines)
    assert all(str(library) in line and lacking in line for line in lines)


def test_the_fake_by_path(child):
    """The fake's own library may be named."""
    import aclrt

    library = aclrt.runtime_info().library
    code = "m = load(); m(X); print(aclrt.runtime_info().library)"
    outcome = child(code, env={"ACLRT_LIBASCENDCL": library, "ACLRT_BACKEND": None})
    outcome.assert_clean()
    assert Path(library) == Path(outcome.out.strip())


def test_without_the_fakes_library(child, tmp_path):
    """A package from which it is missing says so."""
    import aclrt

    package = tmp_path / "site" / "aclrt"
    shutil.copytree(
        Path(aclrt.__file__).parent, package, ignore=shutil.ignore_patterns("fake", "__pycache__")
    )
    shutil.copy(Path(aclrt.__file__).with_name("fake.py"), package)
    outcome = child(
        f"""
        sys.path.insert(0, {str(package.parent)!r})
        import aclrt, numpy
        assert aclrt.__file__.startswith({str(package)!r})
        try:
            aclrt.OfflineModel(OM)
        except aclrt.BackendError as error:
            print("refused")
        """,
        prelude=False,
    )
    assert (0, "refused\n", "") == (outcome.code, outcome.out, outcome.err)


def test_without_onnxruntime(child, tmp_path):
    """A library that is not there: the load says which."""
    outcome = child(
        """
        try:
            load()
        except aclrt.AclrtError as error:
            print(type(error).__name__, str(error))
        """,
        env={"ACLRT_FAKE_ONNXRUNTIME": str(tmp_path / "libonnxruntime.so")},
    )
    outcome.assert_clean()
    assert "libonnxruntime.so" in outcome.out


@pytest.mark.parametrize("stand_in", ["types.ModuleType('onnxruntime')", "None"])
def test_a_strange_onnxruntime_module(child, stand_in):
    """What only looks like onnxruntime, or is blocked, does not disturb."""
    child(f"""
        import types
        sys.modules["onnxruntime"] = {stand_in}
        assert aclrt.runtime_info().is_fake
    """).assert_clean()


def test_in_a_deleted_directory(child, tmp_path):
    """The current directory is gone before the import."""
    folder = tmp_path / "gone"
    folder.mkdir()
    outcome = child(
        """
        import os
        os.rmdir(os.getcwd())
        import aclrt, numpy as np
        aclrt.OfflineModel(OM)(np.ones((2, 3), np.float32))
        """,
        prelude=False,
        cwd=folder,
    )
    outcome.assert_clean()


@pytest.mark.parametrize("name", [b"caf\xc3\xa9.om", b"latin\xe9.om", b"new\nline.om", b"%s %n.om"])
@pytest.mark.parametrize("utf8", ["0", "1"])
def test_any_file_name_in_any_locale(child, tmp_path, name, utf8):
    """Paths are bytes: LANG=C and names that are no UTF-8 work, in errors too."""
    folder = str(tmp_path).encode()
    path = folder + b"/" + name
    with open(path, "wb") as file:  # noqa: PTH123  (pathlib has no bytes)
        file.write(child.om.read_bytes())
    outcome = child(
        f"""
        path = os.fsdecode({path!r})
        with aclrt.OfflineModel(path) as m:
            m(X)
            repr(m)
        try:
            aclrt.OfflineModel(path + ".missing")
        except FileNotFoundError as error:
            assert error.filename == path + ".missing", error.filename
        """,
        "-X",
        f"utf8={utf8}",
        env={"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0"},
    )
    outcome.assert_clean()


def test_sixteen_file_descriptors_from_the_start(child):
    """Finding, loading and running all fit, in a process that begins with the limit."""
    limit = (16, 16)
    child(
        """
        import resource
        assert (16, 16) == resource.getrlimit(resource.RLIMIT_NOFILE)
        load()(X)
        """,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit),
    ).assert_clean()


def test_no_file_descriptor_left(child):
    """An error of the operating system, and afterwards everything works."""
    child("""
        import resource
        m = load()
        held = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
        try:
            while True: held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
        try:
            load()
        except OSError as error:
            print(error.errno, error.filename == OM)
        for fd in held: os.close(fd)
        load()(X), m(X)
    """).assert_clean()


def test_few_file_descriptors(child):
    """Sixteen are enough, and loading leaks none."""
    child("""
        import resource
        load()(X)
        resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
        before = sorted(os.listdir("/proc/self/fd"))
        for _ in range(30):
            load()(X)
        assert before == sorted(os.listdir("/proc/self/fd"))
    """).assert_clean()


def test_python_is_the_one_of_the_tests(child):
    """A guard against testing another installation."""
    outcome = child("print(sys.prefix, aclrt.__file__)")
    import aclrt

    assert f"{sys.prefix} {aclrt.__file__}\n" == outcome.out
