# SPDX-License-Identifier: Apache-2.0
"""``import aclrt`` loads its own extension and NumPy, nothing else."""

from __future__ import annotations


def test_no_foreign_library_is_mapped(child):
    """Of what is mapped after the import and was not after NumPy's, all is this package's, cffi's,
    Python's own or the C++ runtime."""
    outcome = child(
        """
        import sysconfig
        import numpy
        def mapped():
            with open("/proc/self/maps") as maps:
                return {line.split()[-1] for line in maps if ".so" in line}
        before = mapped()
        import aclrt
        ours = os.path.dirname(aclrt.__file__)
        own = (ours, sysconfig.get_config_var("DESTSHARED"))
        system = ("libstdc++", "libgcc_s", "libm.", "libdl.", "libpthread", "libffi", "_cffi")
        print(*(p for p in mapped() - before if not p.startswith(own)
                and not os.path.basename(p).startswith(system) and "/cffi" not in p))
        """.replace("import sysconfig", "import os, sysconfig"),
        prelude=False,
    )
    assert (0, "\n", "") == (outcome.code, outcome.out, outcome.err)


def test_no_foreign_module_is_imported(child):
    """Beside the standard library (whose list lacks _xxsubinterpreters): cffi's backend, aclrt."""
    outcome = child(
        """
        import numpy
        before = set(sys.modules)
        import aclrt
        names = {name.partition(".")[0] for name in set(sys.modules) - before}
        print(*sorted(names - set(sys.stdlib_module_names) - {"aclrt", "_cffi_backend"}
                      - {"_xxsubinterpreters"}))
        """,
        prelude=False,
    )
    assert (0, "\n", "") == (outcome.code, outcome.out, outcome.err)


def test_nothing_slow_is_imported(child):
    """What takes long to import, of the standard library, waits until something needs it."""
    outcome = child(
        """
        import numpy
        slow = {"asyncio", "concurrent.futures", "decimal", "difflib", "fractions", "http", "json",
                "logging", "multiprocessing", "sqlite3", "subprocess", "tempfile", "unittest"}
        slow -= set(sys.modules)
        import aclrt
        print(*sorted(slow & set(sys.modules)))
        """,
        prelude=False,
    )
    assert (0, "\n", "") == (outcome.code, outcome.out, outcome.err)
