# SPDX-License-Identifier: Apache-2.0
"""``import aclrt`` beside ``import numpy``, in fresh processes that take turns. Goal 13."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median
from typing import Any

from .child import Options
from .figures import Figure, Goal
from .timing import ratio

CASES: dict[str, dict[str, str]] = {"imports": {}}
ON_CARD = ("imports",)

TIMED = """
import time
begin = time.perf_counter()
import {module}
print(time.perf_counter() - begin)
"""
MAPPED = """
import sysconfig
import numpy
def mapped():
    with open("/proc/self/maps") as maps:
        return {line.split()[-1] for line in maps if ".so" in line}
before = mapped()
import aclrt
own = sysconfig.get_config_var("DESTSHARED")  # modules of Python itself
print(*sorted(path for path in mapped() - before if not path.startswith(own)), sep="\\n")
"""
# What the extension is, and what it is linked with.
OWN = ("/aclrt/", "libstdc++.so", "libgcc_s.so", "libm.so", "libpthread.so", "libdl.so", "_cffi")


def _python(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    # An installed package is compiled, by pip or by its first import; a checkout is, once this may
    # write. What is timed comes after that.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=env)


def _cumulative(module: str) -> float:
    """Seconds, as ``-X importtime`` sees them."""
    lines = _python(f"import {module}", "-X", "importtime").stderr.splitlines()
    last = next(line for line in reversed(lines) if line.split("|")[-1].strip() == module)
    return int(last.split("|")[1]) / 1e6


def measure(case: str, options: Options) -> dict[str, Any]:
    repetitions = 7 if options.quick else 25
    samples: dict[str, list[float]] = {"numpy": [], "aclrt": []}
    traced: dict[str, list[float]] = {"numpy": [], "aclrt": []}
    for module in samples:
        _python(TIMED.format(module=module))  # the files come into the page cache
    for _ in range(repetitions):
        for module, values in samples.items():
            values.append(float(_python(TIMED.format(module=module)).stdout))
        for module, values in traced.items():
            values.append(_cumulative(module))
    foreign = [
        path for path in _python(MAPPED).stdout.split() if not any(own in path for own in OWN)
    ]
    return {
        "median_ms": {name: median(values) * 1e3 for name, values in samples.items()},
        "importtime_ms": {name: median(values) * 1e3 for name, values in traced.items()},
        "ratio": ratio(samples["aclrt"], samples["numpy"]),
        "foreign": foreign,
    }


def judge(raw: dict[str, Any], options: Options) -> tuple[list[Goal], list[Figure]]:
    result = raw["imports"]
    goals = [
        Goal(13, "import aclrt, of import numpy", result["ratio"], 1.3),
        Goal(
            13,
            "foreign libraries that import aclrt maps",
            len(result["foreign"]),
            0,
            "",
            note=" ".join(result["foreign"]),
        ),
    ]
    figures = [
        Figure(f"import, {how}", f"import {module}", value, "ms")
        for how, key in (("perf_counter", "median_ms"), ("-X importtime", "importtime_ms"))
        for module, value in result[key].items()
    ]
    return goals, figures
