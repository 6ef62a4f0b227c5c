# SPDX-License-Identifier: Apache-2.0
"""`aclrt.aclprof` passes its configuration on, and acl.json is checked before AscendCL sees it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import aclrt
from aclrt import cann_profiler
from aclrt.cli import main


def calls() -> dict[str, int]:
    counts: dict[str, int] = aclrt.fake.ledger()["calls"]
    return {name: count for name, count in counts.items() if "prof" in name}


def test_the_profiler_is_on_inside_of_the_block(tmp_path: Path) -> None:
    """Six calls around it, also where the block raises; the fake warns that it writes nothing."""
    before = calls()
    profiler = aclrt.aclprof(tmp_path / "prof", metrics="Memory", data=("task_time",))
    with pytest.warns(RuntimeWarning, match="fake"), pytest.raises(KeyError), profiler:
        raise KeyError
    with pytest.warns(RuntimeWarning, match="fake"), profiler:
        pass
    found = {name: count - before.get(name, 0) for name, count in calls().items()}
    assert len(found) == 6
    assert set(found.values()) == {2}


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    """AscendCL has one profiler for a process."""
    first, second = aclrt.aclprof(tmp_path), aclrt.aclprof(tmp_path)
    with pytest.warns(RuntimeWarning):
        first.__enter__()
    with pytest.raises(aclrt.InputError, match="open"):
        first.__enter__()
    with pytest.warns(RuntimeWarning), pytest.raises(aclrt.AclError):
        second.__enter__()
    first.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"metrics": "PipeUtilisation"}, "did you mean"),
        ({"data": ("task_times",)}, "did you mean 'task_time'"),
        ({"data": ()}, "one or more"),
        ({"devices": (0, 0)}, "each once"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], words: str, tmp_path: Path) -> None:
    """Named before anything starts."""
    with pytest.raises(aclrt.InputError, match=words):
        aclrt.aclprof(tmp_path, **arguments)
    assert {"none", "PipeUtilization"} < set(cann_profiler.METRICS)
    assert "task_time" in cann_profiler.DATA


def test_a_folder_that_there_is_not(tmp_path: Path) -> None:
    """The last part alone may be new; a device that there is not is AscendCL's to refuse."""
    with pytest.raises(NotADirectoryError):
        aclrt.aclprof(tmp_path / "no" / "prof")
    with pytest.warns(RuntimeWarning), pytest.raises(aclrt.InputError, match="configuration"):
        aclrt.aclprof(tmp_path, devices=(77,)).__enter__()


def written(tmp_path: Path, document: Any) -> Path:
    path = tmp_path / "acl.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_a_good_file_is_what_it_says(tmp_path: Path) -> None:
    """Dump, profiling and the rest; an empty file is none."""
    document = {
        "dump": {
            "dump_path": str(tmp_path),
            "dump_mode": "all",
            "dump_op_switch": "on",
            "dump_list": [{"model_name": "m", "layer": ["conv1"]}],
        },
        "profiler": {"switch": "on", "output": str(tmp_path), "aic_metrics": "Memory"},
        "defaultDevice": {"default_device": "0"},
        "err_msg_mode": "1",
    }
    assert aclrt.check_acl_config(written(tmp_path, document)) == document
    assert aclrt.check_acl_config(written(tmp_path, "")) == {}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "not JSON"),
        ([], "not a JSON object"),
        ({"dmp": {}}, "ignores the key 'dmp'; did you mean 'dump'"),
        ({"dump": {"dump_paht": "."}}, "dump.dump_paht; did you mean 'dump_path'"),
        ({"dump": {"dump_path": "/no/such/folder"}}, "not an existing folder"),
        ({"dump": {"dump_path": ".", "dump_mode": "inputs"}}, "input, output, all"),
        ({"dump": {"dump_mode": "all"}}, "has no dump_path"),
        ({"dump": {"dump_path": ".", "dump_list": [{"model": "m"}]}}, "did you mean 'model_name'"),
        ({"dump": []}, "must be an object"),
        ({"profiler": {"switch": True}}, "on, off"),
        ({"profiler": {"switch": "on"}}, "has no output folder"),
        ({"profiler": {"switch": "on", "output": ".", "aic_metrics": "Pipe"}}, "PipeUtilization"),
        ({"defaultDevice": {"default_device": 0}}, "as a string"),
        ({"acl_graph": {"event_mode": 2}}, "must be 0 or 1"),
        ({"dump": {"dump_kernel_data": [[[[[[[[[[1]]]]]]]]]]}}, "nested more than 10"),
    ],
)
def test_a_bad_file_is_refused(document: Any, words: str, tmp_path: Path) -> None:
    """With the key, and what is meant."""
    with pytest.raises(aclrt.InputError, match=words):
        aclrt.check_acl_config(written(tmp_path, document))
    with pytest.raises(FileNotFoundError):
        aclrt.check_acl_config(tmp_path / "none.json")


def test_the_file_comes_before_the_first_use(om_factory: Any, tmp_path: Path) -> None:
    """`aclrt.init` gives it to AscendCL; afterwards it is too late."""
    good = written(tmp_path, {"err_msg_mode": "1"})
    code = (
        "import sys, aclrt\n"
        "aclrt.init(backend='fake', acl_config=sys.argv[1])\n"
        "aclrt.init(acl_config=sys.argv[1])\n"
    )
    subprocess.run([sys.executable, "-c", code, str(good)], check=True)
    aclrt.init()
    with pytest.raises(aclrt.BackendError, match="already initialised"):
        aclrt.init(acl_config=good)
    with pytest.raises(aclrt.InputError, match="ignores"):
        aclrt.init(acl_config=written(tmp_path, {"dmp": 1}))


def test_the_command_line_has_both(om_factory: Any, tmp_path: Path, capsys: Any) -> None:
    """Of run and bench."""
    om = tmp_path / "m.om"
    om.write_bytes(om_factory.identity())
    bad = written(tmp_path, {"dmp": 1})
    before = calls().copy()
    for command in (["run", str(om)], ["bench", str(om), "--iterations", "1", "--json"]):
        assert main([*command, "--acl-config", str(bad)]) == 1
        assert "did you mean 'dump'" in capsys.readouterr().err
        assert main([*command, "--aclprof", str(tmp_path / "prof")]) == 0
        capsys.readouterr()
    assert all(count - before.get(name, 0) == 2 for name, count in calls().items())
