# SPDX-License-Identifier: Apache-2.0
"""Every document that --json prints is of the schema that it names, in every state it can have."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import aclrt
import aclrt.bench
import aclrt.compare
from aclrt import schemas
from aclrt.cli import main

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples/digits/digits.onnx"


def valid(document: object, name: str) -> None:
    """Judged by an implementation that is not ours."""
    assert isinstance(document, dict)
    assert f"aclrt-{name}/1" == document["schema"]
    schema = schemas.schema(document["schema"])
    jsonschema.validate(document, schema, jsonschema.Draft202012Validator)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the digits model as ONNX, .om, .om with gears; the current one."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(DIGITS, "m.onnx")
    aclrt.convert("m.onnx", "m.om", input_shape="image:1,1,8,8")
    aclrt.convert("m.onnx", "gears.om", dynamic_batch_size="1,4")
    np.save("wrong.npy", np.zeros((1, 10), np.float32))
    Path("aipp.cfg").write_text(
        "aipp_op { aipp_mode: static input_format: YUV400_U8 src_image_size_w: 8 "
        "src_image_size_h: 8 min_chn_0: 1 var_reci_chn_0: 0.5 }"
    )
    with aclrt.record("r.aclrec"):
        aclrt.devices()
    aclrt.convert("m.onnx", "aipp.om", input_shape="image:1,1,8,8", insert_op_conf="aipp.cfg")
    return tmp_path


CASES = {
    "deploy": [
        ("deploy m.onnx --output a --batch-sizes 1,2 --iterations 2", 0),
        ("deploy m.onnx --output b --backend npu", 1),
        ("deploy m.onnx --output c --skip-doctor --skip-compare --skip-bench", 0),
    ],
    "convert": [("convert m.onnx -o x.om --input-shape image:2,1,8,8 --oo_level=O1", 0)],
    "inspect": [
        ("inspect m.om", 0),
        ("inspect gears.om --command-line", 0),
        ("inspect aipp.om", 0),
    ],
    "inspect-diff": [("inspect --diff m.om gears.om", 1), ("inspect --diff m.om m.om", 0)],
    "inspect-check": [("inspect --check m.om", 0)],
    "run": [("run m.om", 0), ("run gears.om --output out", 0)],
    "compare": [
        ("compare m.om m.onnx --cases 2", 0),
        ("compare gears.om m.onnx --shape gears", 0),
        ("compare m.om wrong.npy --map probs=wrong", 3),
    ],
    "bench": [("bench m.om --iterations 3", 0), ("bench m.om gears.om --iterations 2", 0)],
    "doctor": [("doctor", 0), ("doctor --backend npu", 1)],
    "explain": [
        ("explain 507018 EE1001 EZ1234 ACLFAKE-STR-01 ACL_ERROR_NOPE", 0),
        ("explain --all", 0),
        ("explain 0", 0),
    ],
    "fake-env": [("fake env", 0)],
    "record": [("fake show r.aclrec", 0)],
    "schemas": [("schema", 0)],
}
LINES = [(name, line, code) for name, lines in CASES.items() for line, code in lines]


@pytest.mark.parametrize(("name", "line", "code"), LINES, ids=[line for _, line, _ in LINES])
def test_what_a_command_prints_is_valid(folder, capsys, name, line, code):
    """Nothing but the document is on stdout, whatever the outcome."""
    assert code == main([*line.split(), "--json"])
    valid(json.loads(capsys.readouterr().out), name)


def test_the_documents_of_bench_and_its_file(folder, capsys):
    """The configuration, the difference of two reports, and a partial report."""
    arguments = ["bench", "m.om", "--iterations", "40", "--output", "o", "--save-config", "c.json"]
    assert 0 == main(arguments)
    valid(json.loads(Path("c.json").read_text()), "bench-config")
    capsys.readouterr()
    main(["bench", "diff", "o/bench.json", "o/bench.json", "--json"])
    valid(json.loads(capsys.readouterr().out), "bench-diff")
    profiler = aclrt.Profiler(memory=True)
    with profiler.phase("x"):
        pass
    valid(profiler.report().to_dict(), "profile")
    valid({**json.loads(Path("o/bench.json").read_text()), "is_partial": True}, "bench")


def test_a_partial_deployment_is_valid(folder, capsys, monkeypatch):
    """What Ctrl-C leaves on stdout and on disk."""

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(aclrt.compare, "run", interrupt)
    assert 130 == main(["deploy", "m.onnx", "--output", "out", "--json"])
    document = json.loads(capsys.readouterr().out)
    valid(document, "deploy")
    assert document == json.loads(Path("out/deploy.json").read_text())


def test_every_schema_is_a_schema_and_is_tried(capsys):
    """Each is valid JSON Schema; there is a case above for each."""
    tried = {*CASES, "bench-config", "bench-diff", "profile", "replay"}
    assert {f"aclrt-{name}/1" for name in tried} == set(schemas.NAMES)
    for name in schemas.NAMES:
        schema = schemas.schema(name)
        jsonschema.Draft202012Validator.check_schema(schema)
        assert name == schema["title"]
        assert schema == schemas.schema(name[6:].partition("/")[0])
        assert 0 == main(["schema", name])
        assert schema == json.loads(capsys.readouterr().out)


def test_a_schema_refuses_what_is_not_its_document(folder, capsys):
    """A field that is missing, unknown or of another type."""
    main(["run", "m.om", "--json"])
    document = json.loads(capsys.readouterr().out)
    for wrong in (
        {k: v for k, v in document.items() if k != "model"},
        {**document, "more": 1},
        {**document, "inputs": None},
        {**document, "schema": "aclrt-run/2"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schemas.schema("run"))


def test_an_unknown_schema_is_refused(capsys):
    """With the names that there are."""
    with pytest.raises(aclrt.InputError) as caught:
        schemas.schema("nothing")
    assert "doctor" in caught.value.hint
    assert 1 == main(["schema", "aclrt-doctor/9"])
    assert "there is no schema 'aclrt-doctor/9'" in capsys.readouterr().err
