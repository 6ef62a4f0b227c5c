# SPDX-License-Identifier: Apache-2.0
"""One case of one topic, in a process of its own with its own environment.

``python -m benchmarks.child TOPIC CASE OPTIONS`` writes the case's JSON into the file that OPTIONS
(a JSON object itself) names.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from . import timing

ROOT = Path(__file__).resolve().parents[1]

# The fake device as a measuring instrument: it adds no time, makes up outputs, and (window) keeps
# the device side of copies in 32 KiB, so that only the host's work counts.
NULL = {"ACLRT_FAKE_PROFILE": "null", "ACLRT_FAKE_ENGINE": "synthetic"}
WINDOW = {**NULL, "ACLRT_FAKE_WINDOW": "1"}


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    folder: Path
    backend: str = "fake"
    quick: bool = False
    with_openvino: bool = False
    cpu_time: bool = False

    @property
    def repetitions(self) -> int:
        return 25 if self.quick else 151

    @property
    def on_card(self) -> bool:
        return self.backend == "npu"


def environment(case: dict[str, str], options: Options) -> dict[str, str]:
    """This process's, without what would change the fake, and the case's."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ACLRT_FAKE_", "ACLRT_BACK"))}
    if options.on_card:
        return kept | {"ACLRT_BACKEND": "npu"}
    return kept | {"ACLRT_BACKEND": "fake", "ORT_DISABLE_TELEMETRY": "1"} | case


def run(topic: str, case: str, variables: dict[str, str], options: Options) -> dict[str, Any]:
    """The case's result; raises RuntimeError with what the child said where it failed."""
    out = options.folder / "child.json"
    words = json.dumps({**asdict(options), "folder": str(options.folder), "out": str(out)})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.child", topic, case, words],
        cwd=ROOT,
        env=environment(variables, options),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{topic}, {case}: exit code {done.returncode}\n{done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(out.read_text())
    out.unlink()
    return result


def main(topic: str, case: str, words: str) -> None:
    given = json.loads(words)
    out = Path(given.pop("out"))
    options = Options(**{**given, "folder": Path(given["folder"])})
    module = import_module(f"benchmarks.{topic}")
    if options.cpu_time and getattr(module, "ONE_THREAD", False):
        timing.clock = time.thread_time
    result = module.measure(case, options)
    out.write_text(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
