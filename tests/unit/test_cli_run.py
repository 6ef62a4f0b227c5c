# SPDX-License-Identifier: Apache-2.0
"""`aclrt run`: files in, files out, and made-up data where there are none."""

from __future__ import annotations

import json

import numpy as np
import pytest

import aclrt
from aclrt.cli import main


@pytest.fixture
def om(om_factory, tmp_path):
    """The model with two inputs and two outputs, as a file."""
    path = tmp_path / "m.om"
    path.write_bytes(om_factory.two_in_two_out())
    return str(path)


@pytest.fixture
def identity(om_factory, tmp_path):
    """Writes an identity of any dtype and shape; returns its file."""

    def write(dtype="float32", shape=(2, 3)):
        path = tmp_path / f"{dtype}.om"
        path.write_bytes(om_factory.identity(dtype, shape))
        return str(path)

    return write


def test_inputs_come_from_files_by_name(om, image, mask, tmp_path, capsys):
    """Each output is a .npy file named after it, and holds what the model computes."""
    np.save(tmp_path / "a=b.npy", image)
    np.save(tmp_path / "mask.npy", mask)
    files = [f"image={tmp_path / 'a=b.npy'}", "--input", f"mask={tmp_path / 'mask.npy'}"]
    assert 0 == main(["run", om, "--input", *files, "--output", str(tmp_path / "deep" / "out")])
    np.testing.assert_array_equal(-image, np.load(tmp_path / "deep/out/probs.npy"))
    np.testing.assert_array_equal(~mask, np.load(tmp_path / "deep/out/flags.npy"))
    out = capsys.readouterr().out
    assert "(fake," in out
    assert str(tmp_path / "deep/out/probs.npy") in out


def test_json_says_what_was_run(om, tmp_path, capsys):
    """Model, device, and for each tensor its dtype, shape and file."""
    assert 0 == main(["run", om, "--output", str(tmp_path), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert om == report["model"]
    assert (0, "fake") == (report["device"]["id"], report["device"]["backend"])
    assert report["inputs"][0] == {
        "name": "image",
        "dtype": "float32",
        "shape": [1, 2, 4],
        "source": "made up, seed 0",
    }
    assert report["outputs"][1] == {
        "name": "flags",
        "dtype": "bool",
        "shape": [2],
        "file": str(tmp_path / "flags.npy"),
    }


def test_without_output_nothing_is_written(om, tmp_path, capsys, monkeypatch):
    """The first values are shown all the same."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    assert 0 == main(["run", om])
    assert "not saved" in capsys.readouterr().out
    assert [] == list(empty.iterdir())


def test_one_input_needs_no_name(identity, tmp_path):
    """A bare file is for the only input."""
    x = np.ones((2, 3), np.float32)
    np.save(tmp_path / "x=1.npy", x)
    out = str(tmp_path / "out")
    assert 0 == main(["run", identity(), "--input", str(tmp_path / "x=1.npy"), "--output", out])
    np.testing.assert_array_equal(x, np.load(tmp_path / "out" / "y.npy"))


@pytest.mark.parametrize(
    "dtype",
    ["float32", "float16", "float64", "bfloat16", "bool"]
    + [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)],
)
def test_made_up_data_has_the_right_type_and_a_seed(dtype, identity, tmp_path):
    """Every type can be made up; the same seed gives the same data, another one other data."""
    om = identity(dtype, (4, 16))
    found = []
    for folder, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        assert 0 == main(["run", om, "--seed", seed, "--output", str(tmp_path / folder)])
        found.append((tmp_path / folder / "y.npy").read_bytes())
    assert found[0] == found[1]
    assert found[0] != found[2]
    array = np.load(tmp_path / "a" / "y.npy")
    assert (4, 16) == array.shape
    if dtype == "bfloat16":  # .npy has no name for it: two plain bytes
        assert np.dtype("V2") == array.dtype
        again = ["--input", f"x={tmp_path / 'a' / 'y.npy'}", "--output", str(tmp_path / "d")]
        assert 0 == main(["run", om, *again])
        assert found[0] == (tmp_path / "d" / "y.npy").read_bytes()
    else:
        assert np.dtype(dtype) == array.dtype
    if dtype.endswith(("int32", "int64")):
        assert {0, 1} == set(array.reshape(-1).tolist())


def test_scalars_and_empty_tensors_can_be_made_up(identity, tmp_path):
    """No dims, and a dim of zero."""
    for dtype in ("float32", "bool", "int8", "int64"):
        for shape in ((), (0, 3)):
            om = identity(dtype, shape)
            assert 0 == main(["run", om, "--output", str(tmp_path / "out")])
            found = np.load(tmp_path / "out" / "y.npy")
            assert (dtype, shape) == (found.dtype.name, found.shape)


def test_output_names_become_safe_distinct_files(om_factory, tmp_path):
    """No separators, nothing hidden, no two alike: files stay in the folder that was asked for."""
    names = ["../up", "a/b:0", "a_b_0", ".hidden", "A_B_0"]
    nodes = [("Identity", ["x"], [name]) for name in names]
    path = tmp_path / "names.om"
    path.write_bytes(
        om_factory(nodes, [("x", "float32", (1,))], [(name, "float32", (1,)) for name in names])
    )
    out = tmp_path / "out"
    assert 0 == main(["run", str(path), "--output", str(out)])
    assert ["A_B_0_2.npy", "_up.npy", "a_b_0.npy", "a_b_0_1.npy", "hidden.npy"] == sorted(
        file.name for file in out.iterdir()
    )


def test_the_python_twin_is_the_command(om, tmp_path, capsys):
    """The same document; and the arrays themselves."""
    assert 0 == main(["run", om, "--json", "--seed", "7", "--output", str(tmp_path / "out")])
    report: aclrt.RunReport = aclrt.run_model(om, seed=7, output=tmp_path / "out")
    assert json.loads(capsys.readouterr().out) == report.to_dict()
    assert (om, 0, "fake") == (report.model, report.device_id, report.backend)
    assert report.soc_name == report.to_dict()["device"]["soc_name"]
    assert ["made up, seed 7"] * 2 == [tensor.source for tensor in report.inputs]
    for tensor in report.outputs:
        assert np.array_equal(tensor.array, np.load(tensor.file))
        assert tensor.name == tensor.to_dict()["name"]
    with pytest.raises(aclrt.InputError, match="which input"):
        aclrt.run_model(om, input_files=["a.npy"])


def test_wrong_names_and_forms_of_inputs(om, image, tmp_path, capsys):
    """The form of --input is judged here, names and contents by the model."""
    np.save(tmp_path / "image.npy", image)
    (tmp_path / "text.npy").write_text("no array")
    np.savez(tmp_path / "many.npz", image)
    file = tmp_path / "image.npy"
    for code, values, words in (
        (2, [str(file)], "which input"),
        (2, ["image="], "name=FILE"),
        (2, [f"image={file}", f"image={file}"], "twice"),
        (1, [f"imag={file}"], "image"),
        (1, [f"image={file}"], "mask"),
        (1, [f"image={tmp_path / 'none.npy'}"], "No such file"),
        (1, [f"image={tmp_path / 'text.npy'}"], "text.npy"),
        (1, [f"image={tmp_path / 'many.npz'}"], "archive"),
        (1, [f"image={file}", f"mask={file}"], "bool"),
    ):
        flags = [flag for value in values for flag in ("--input", value)]
        assert code == main(["run", om, *flags]), values
        error = capsys.readouterr().err
        assert error.startswith("aclrt: error: ")
        assert words in error


def test_a_device_that_does_not_exist_is_a_failure(om, capsys):
    """Code 1 and its number."""
    assert 1 == main(["run", om, "--device", "99"])
    assert "99" in capsys.readouterr().err


def test_a_trace_is_written(identity, tmp_path):
    """Of loading and running, also where the run fails."""
    path = tmp_path / "out.json"
    assert 0 == main(["run", identity(), "--trace", str(path)])
    names = [event["name"] for event in json.loads(path.read_text())["traceEvents"]]
    assert {"H2D", "compute", "D2H"} < set(names)
    assert 0 != main(["run", str(tmp_path / "none.om"), "--trace", str(path)])
    assert len(json.loads(path.read_text())["traceEvents"]) < len(names)
