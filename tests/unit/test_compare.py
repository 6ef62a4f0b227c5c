# SPDX-License-Identifier: Apache-2.0
"""Comparisons: figures against hand-made arrays, both sides of every kind, verdict and advice."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import aclrt
from aclrt import cli, compare


@pytest.fixture
def models(om_factory, tmp_path):
    """Writes an .onnx, and an .om of it, as y = x * factor + offset."""

    def write(name, factor=1.0, offset=0.0, output="y", shape=(2, 4), dtype="float32"):
        constants = {"f": np.array(factor, dtype), "o": np.array(offset, dtype)}
        nodes = [("Mul", ["x", "f"], ["m"]), ("Add", ["m", "o"], [output])]
        tensors = [("x", dtype, shape)], [(output, dtype, shape)]
        model = om_factory.onnx(nodes, *tensors, constants)
        (tmp_path / f"{name}.onnx").write_bytes(model)
        (tmp_path / f"{name}.om").write_bytes(om_factory.om_of(model))
        return tmp_path / f"{name}.om", tmp_path / f"{name}.onnx"

    return write


def test_figures_of_equal_arrays():
    """Nothing differs, and nothing is divided by zero."""
    x = np.array([[0.0, 1.0, -2.0]], np.float32)
    found = compare.arrays(x, x.copy())
    assert found.passed
    assert (0.0, 0.0, 0.0, 1.0) == (found.max_abs, found.max_rel, found.mean_abs, found.cosine)
    assert 3 == found.ulp["0"] == found.elements
    assert (1.0, 1.0, 0) == (found.top1, found.top5, found.max_ulp)


def test_figures_of_different_arrays():
    """Each figure as counted by hand."""
    reference = np.array([[1.0, 2.0, 4.0], [8.0, 0.0, 16.0]], np.float32)
    given = np.array([[1.0, 2.5, 4.0], [8.0, 0.25, 7.0]], np.float32)
    found = compare.arrays(given, reference, name="a", reference_name="b")
    assert not found.passed
    assert (9.0, (1, 2), (7.0, 16.0)) == (found.max_abs, found.worst, found.worst_values)
    assert 9 / 16 == found.max_rel
    assert pytest.approx((0.5 + 0.25 + 9) / 6) == found.mean_abs
    assert 3 == found.exceeding
    assert "float32" == found.dtype == found.reference_dtype
    assert (2, 3) == found.shape == found.reference_shape
    assert compare.Tolerance() == found.tolerance
    assert 0.5 == found.top1
    a, b = given.ravel().astype(float), reference.ravel().astype(float)
    assert pytest.approx(a @ b / np.sqrt((a @ a) * (b @ b))) == found.cosine
    assert ("a", "b") == (found.name, found.reference_name)
    assert any("3 of 6 elements" in reason for reason in found.reasons)
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_ulps_are_counted_across_zero(dtype):
    """Neighbours are one apart, the zeros none, the least numbers of both signs two."""
    one = np.array(1, dtype)
    tiny = np.nextafter(np.array(0, dtype), one)
    reference = np.array([1, 0.0, -tiny, 1], dtype)
    given = np.array([np.nextafter(one, np.array(2, dtype)), -0.0, tiny, 2], dtype)
    found = compare.arrays(given, reference)
    assert [1, 1, 1] == [found.ulp[label] for label in ("0", "1", "2")]
    assert 2 ** np.finfo(dtype).nmant == found.max_ulp


def test_ulps_are_of_the_coarser_type():
    """A float16 output beside a float32 reference rounds the reference first."""
    reference = np.array([0.1, 0.3], np.float32)
    found = compare.arrays(reference.astype(np.float16), reference)
    assert (2, 0) == (found.ulp["0"], found.max_ulp)


def test_bfloat16():
    """Types of ml_dtypes are numbers too."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.array([1, 2, 3], ml_dtypes.bfloat16)
    found = compare.arrays(x, np.array([1, 2, 3.001], np.float32))
    assert (3, True) == (found.ulp["0"], found.passed)


def test_nan_and_inf_must_be_at_the_same_places():
    """The census counts them; equal ones agree, others do not."""
    reference = np.array([np.nan, np.inf, -np.inf, 1], np.float32)
    assert compare.arrays(reference.copy(), reference).passed
    found = compare.arrays(np.array([np.nan, -np.inf, 0, np.nan], np.float32), reference)
    assert 3 == found.nonfinite_mismatches == found.exceeding
    assert compare.Census(2, 0, 1) == found.census
    assert compare.Census(1, 1, 1) == found.reference_census
    assert (1, 1) == (found.reference_census.posinf, found.census.neginf)
    assert (None, None) == (found.max_abs, found.cosine)


def test_integers_must_be_equal():
    """Also beyond what a double can tell apart; atol of one or more allows a distance."""
    big = 2**60
    reference = np.array([big, 5], np.int64)
    found = compare.arrays(np.array([big + 1, 5], np.int64), reference)
    assert (1, 1, False) == (found.exceeding, found.max_ulp, found.passed)
    near = compare.arrays(np.array([big, 6], np.int64), reference, compare.Tolerance(atol=1))
    assert near.passed
    assert not compare.arrays(np.array([True]), np.array([False])).passed


def test_shapes_must_be_equal():
    """No figures are made up."""
    found = compare.arrays(np.zeros((2, 3)), np.zeros((3, 2)))
    assert (False, None, {}) == (found.passed, found.max_abs, found.ulp)
    assert "the shapes differ: (2, 3) and (3, 2)" in found.reasons
    assert compare.arrays(np.zeros((0, 3)), np.zeros((0, 3))).passed


def test_top1_and_exceed_are_limits():
    """Both are judged where they are asked for."""
    reference = np.array([[1.0, 1.0005]])
    given = np.array([[1.0005, 1.0]])
    assert compare.arrays(given, reference).passed
    assert not compare.arrays(given, reference, compare.Tolerance(top1=0.5)).passed
    far, near = np.array([1.0, 2.0, 3.0, 4.5]), np.array([1.0, 2.0, 3.0, 4.0])
    loose = {"cosine": -1.0}
    assert not compare.arrays(far, near, compare.Tolerance(exceed=0.2, **loose)).passed
    assert compare.arrays(far, near, compare.Tolerance(exceed=0.25, **loose)).passed


def test_tolerance_file(tmp_path):
    """Exact names before patterns before the default; misspelt keys and bad values refused."""
    path = tmp_path / "t.json"
    path.write_text('{"default": {"atol": 1}, "outputs": {"b*": {"rtol": 2}, "box": {"atol": 3}}}')
    found = compare.Tolerances.load(path, compare.Tolerance(cosine=0.5))
    assert compare.Tolerance(atol=3, cosine=0.5) == found.of("box")
    assert compare.Tolerance(atol=1, rtol=2, cosine=0.5) == found.of("bag")
    assert found.default == found.of("other")
    assert ("box",) == found.unused(("bag",))
    for text, complaint in (
        ('{"default": {"atoll": 1}}', "did you mean atol"),
        ('{"default": {"atol": -1}}', "from 0"),
        ('{"default": {"atol": true}}', "from 0"),
        ('{"outputs": []}', "expected an object"),
        ("[]", "expected an object"),
        ("{", "not JSON"),
    ):
        path.write_text(text)
        with pytest.raises(aclrt.InputError, match=complaint):
            compare.Tolerances.load(path)


def test_a_model_agrees_with_its_onnx(models):
    """Several sets of made-up data; the caution says what that is worth."""
    om, onnx = models("m", 2.0, 1.0)
    found = compare.run(om, onnx, cases=3, seed=5)
    assert found.passed
    assert ["made up, seed 5", "made up, seed 6", "made up, seed 7"] == [
        case.label for case in found.cases
    ]
    assert ("om", "onnx") == (found.first_kind, found.second_kind)
    assert (str(om), str(onnx)) == (found.first, found.second)
    assert any("simulated" in caution for caution in found.cautions)
    assert () == found.advice


def test_om_against_om_and_saved(models, tmp_path):
    """Outputs of `aclrt run` are a reference: the same seed makes the same data."""
    om, _ = models("m", 2.0)
    other, _ = models("n", 2.0)
    assert compare.run(om, other).passed
    assert 0 == cli.main(["run", str(om), "--output", str(tmp_path / "saved")])
    saved = tmp_path / "saved"
    assert compare.run(om, saved).passed
    assert compare.run(om, saved / "y.npy").passed
    np.savez(tmp_path / "all.npz", y=np.load(saved / "y.npy"))
    assert compare.run(om, tmp_path / "all.npz").passed
    assert compare.run(saved, tmp_path / "all.npz").passed
    assert not compare.run(om, saved, seed=1).passed


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"factor": 255.0}, "a scale or mean is applied twice"),
        ({"offset": 3.0}, "a scale or mean is applied twice"),
    ],
)
def test_advice_on_preprocessing(models, change, advice):
    """A scale or an offset is recognised in the data."""
    om, _ = models("changed", **change)
    _, onnx = models("right")
    found = compare.run(om, onnx)
    assert not found.passed
    assert any(advice in line for line in found.advice)


def advised(tmp_path: Path, given: np.ndarray, reference: np.ndarray, **tolerance: float) -> str:
    """The advice on two saved outputs."""
    np.save(tmp_path / "a.npy", given)
    np.save(tmp_path / "b.npy", reference)
    allowed = compare.Tolerances(compare.Tolerance(**tolerance))
    found = compare.run(tmp_path / "a.npy", tmp_path / "b.npy", tolerances=allowed)
    assert not found.passed
    return "\n".join(found.advice)


def test_advice_from_the_data(tmp_path):
    """Layout, float16's rounding and range, rows of a batch, a narrow tolerance."""
    rng = np.random.default_rng(0)
    x = rng.random((1, 3, 4, 5)).astype(np.float32)
    assert "transposed to (0, 2, 3, 1)" in advised(tmp_path, x.transpose(0, 2, 3, 1), x)
    assert "only the shape" in advised(tmp_path, x.reshape(1, 60), x.reshape(60))
    half = x.astype(np.float16).astype(np.float32)
    text = advised(tmp_path, half, x, atol=0, rtol=1e-6)
    assert "float16 rounding" in text
    big = x * 100_000
    with np.errstate(over="ignore"):
        assert "float16 ends at 65504" in advised(tmp_path, big.astype(np.float16), big)
    rows = rng.random((4, 8))
    wrong = rows.copy()
    wrong[2] += rng.random(8)
    assert "only rows 2 of 4" in advised(tmp_path, wrong, rows)


def test_advice_without_a_pattern(tmp_path):
    """Something to look at next is always there."""
    rng = np.random.default_rng(0)
    text = advised(tmp_path, rng.random(16), rng.random(16))
    assert "follow no pattern" in text


def test_advice_on_outputs_in_other_order(tmp_path):
    """The name of the output that agrees is said, by Python's own arrays."""
    rng = np.random.default_rng(0)
    a, b = rng.random(8), rng.random(8)
    np.savez(tmp_path / "first.npz", p=a, q=b)
    np.savez(tmp_path / "second.npz", p=b, q=a)
    found = compare.run(tmp_path / "first.npz", tmp_path / "second.npz")
    outputs = found.cases[0].outputs
    assert [False, False] == [output.passed for output in outputs]
    assert isinstance(outputs[0], compare.OutputComparison)
    assert isinstance(found, compare.Comparison)
    assert any("agrees with 'q' of the second" in line for line in found.advice)


def test_inputs_are_converted_only_where_no_value_changes(models):
    """ATC's narrower inputs take the same data; what would change is refused."""
    om, _ = models("half", dtype="float16")
    _, onnx = models("full")
    found = compare.run(om, onnx)
    assert found.passed
    assert any("no value changed" in caution for caution in found.cautions)
    with pytest.raises(aclrt.InputError, match="values would change"):
        compare.run(om, onnx, inputs={"x": np.full((2, 4), 0.1, np.float32)})
    exact = {"x": np.full((2, 4), 0.5, np.float32)}
    assert compare.run(om, onnx, inputs=exact).cases[0].label == "given"
    other = {"x": np.ones((2, 4), np.float32)}
    assert not compare.run(om, onnx, inputs=exact, reference_inputs=other).passed


def test_outputs_are_paired_by_name_then_in_order(models):
    """And by what the caller says; names that are wrong are refused."""
    om, _ = models("m", output="a")
    _, onnx = models("n", output="b")
    found = compare.run(om, onnx)
    assert "b" == found.cases[0].outputs[0].reference_name
    assert any("paired in order" in caution for caution in found.cautions)
    assert () != compare.run(om, onnx, output_names={"a": "b"}).cases
    with pytest.raises(aclrt.InputError, match="no output 'c'"):
        compare.run(om, onnx, output_names={"a": "c"})
    with pytest.raises(aclrt.InputError, match="no output"):
        compare.run(om, onnx, tolerances=compare.Tolerances(outputs={"q": compare.Tolerance()}))


def test_wrong_sides_are_refused(models, tmp_path):
    """By name of the file, by content, by shape."""
    om, onnx = models("m")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    (tmp_path / "text.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    _, wide = models("wide", shape=(2, 5))
    for side, complaint in (
        (tmp_path / "bad.onnx", "cannot be loaded"),
        (tmp_path / "text.txt", "neither"),
        (tmp_path / "empty", r"no \.npy"),
        (wide, "no made-up data fits both"),
    ):
        with pytest.raises(aclrt.InputError, match=complaint):
            compare.run(om, side)
    for name in ("gone.om", "gone.onnx", "gone.npy", "gone"):
        with pytest.raises(FileNotFoundError):
            compare.run(om, tmp_path / name)
    with pytest.raises(aclrt.InputError, match="cases"):
        compare.run(om, onnx, cases=0)


def test_the_command(models, tmp_path, capsys):
    """Exit codes, JSON, JUnit and HTML."""
    om, onnx = models("m")
    off, _ = models("off", offset=3.0)
    xml, html = tmp_path / "r.xml", tmp_path / "r.html"
    files = ["--junit", str(xml), "--html", str(html)]
    assert 0 == cli.main(["compare", str(om), str(onnx), "--top1", "1", *files])
    assert capsys.readouterr().out.endswith("passed\n")
    assert "0" == ElementTree.parse(xml).find("testsuite").get("failures")
    assert 3 == cli.main(["compare", str(off), str(onnx), "--json", *files])
    report = json.loads(capsys.readouterr().out)
    assert not report["passed"]
    failure = ElementTree.parse(xml).find("testsuite/testcase/failure")
    assert report["cases"][0]["outputs"][0]["reasons"][0] in failure.get("message")
    page = html.read_text("utf-8")
    assert "failed" in page
    assert "<svg" in page
    assert "http" not in page
    assert 0 == cli.main(["compare", str(off), str(onnx), "--atol", "4", "--cosine", "-1"])
    capsys.readouterr()
    assert 3 == cli.main(["compare", str(off), str(onnx)])
    printed = capsys.readouterr().out
    assert printed.endswith("FAILED\n")
    assert "look at: " in printed
    for wrong in (["--atol", "-1"], ["--atol", "x"], ["--map", "a"], ["--input", "x"]):
        assert 2 == cli.main(["compare", str(om), str(onnx), *wrong])
    assert 1 == cli.main(["compare", str(om), str(tmp_path / "gone.onnx")])


def test_reports_escape_what_they_show(tmp_path):
    """Names are text, whatever they hold."""
    found = compare.arrays(np.zeros(2), np.ones(2), name="<b>&\x01")
    case = compare.Case("given", (found,))
    whole = compare.Comparison("a", "b", "om", "onnx", (case,), (), ("<b>&\x01: look",))
    assert "&lt;b&gt;&amp;" in compare.to_html(whole)
    assert "<b>" not in compare.to_html(whole)
    root = ElementTree.fromstring(compare.to_junit(whole))
    assert "<b>&\ufffd" == root.find("testsuite/testcase").get("name")
    assert [False] == [c["passed"] for c in whole.to_dict()["cases"]]


@pytest.fixture
def open_models(om_factory, tmp_path):
    """An ONNX with two open dims as y = -x, and what is converted from it."""
    from onnx import TensorProto, helper

    def write(dtype="FLOAT", **options):
        element = getattr(TensorProto, dtype)
        graph = helper.make_graph(
            [helper.make_node("Neg", ["x"], ["y"])],
            "open",
            [helper.make_tensor_value_info("x", element, ["N", "M"])],
            [helper.make_tensor_value_info("y", element, ["N", "M"])],
        )
        model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 19)])
        path = tmp_path / "open.onnx"
        path.write_bytes(model.SerializeToString())
        return aclrt.convert(path, tmp_path / "open.om", **options), path

    return write


def labels(found: compare.Comparison) -> list[str]:
    return [case.label for case in found.cases]


def test_gears_are_compared_one_or_all(open_models):
    """The largest alone with a caution; each of them; the one that is named."""
    om, onnx = open_models(input_shape="x:-1,3", dynamic_batch_size="4,1,2")
    found = compare.run(om, onnx)
    assert found.passed
    assert ["made up, seed 0, x 4x3"] == labels(found)
    assert any("only x 4x3 was compared (--shape gears" in caution for caution in found.cautions)
    every = compare.run(om, onnx, shapes=["gears"], cases=2)
    assert every.passed
    assert [f"made up, seed {n}, x {b}x3" for b in (1, 2, 4) for n in (0, 1)] == labels(every)
    assert not any("was compared" in caution for caution in every.cautions)
    named = compare.run(onnx, om, shapes=["x:2,3", {"x": (1, 3)}])
    assert ["made up, seed 0, x 2x3", "made up, seed 0, x 1x3"] == labels(named)
    assert compare.run(om, om).passed


def test_ranges_take_the_least_or_what_is_named(open_models):
    """Within the range; what is outside is the model's to refuse."""
    om, onnx = open_models(input_shape="x:2~5,3~9")
    assert ["made up, seed 0, x 2x3"] == labels(compare.run(om, onnx))
    assert compare.run(om, onnx, shapes=["5,9"]).passed
    with pytest.raises(aclrt.InputError):
        compare.run(om, onnx, shapes=["6,9"])


def test_shapes_that_do_not_fit_are_refused(open_models, models):
    """Each says what is wrong and what there is."""
    om, onnx = open_models(input_shape="x:-1,3", dynamic_batch_size="1,2")
    for shapes, complaint in (
        (["y:1,3"], "there is no input 'y'; there are x"),
        (["x:1,4"], "takes"),
        (["x:1"], "takes"),
        (["x:-1,3"], "takes"),
        (["1,3;1,3"], "there are 1"),
        (["x:a"], "whole numbers"),
    ):
        with pytest.raises(aclrt.InputError, match=complaint):
            compare.run(om, onnx, shapes=shapes)
    with pytest.raises(aclrt.InputError, match="open dims") as caught:
        compare.run(onnx, onnx)
    assert "--shape" in caught.value.hint
    fixed, fixed_onnx = models("m")
    with pytest.raises(aclrt.InputError, match="neither side has gears"):
        compare.run(fixed, fixed_onnx, shapes=["gears"])


def test_inputs_from_files(open_models, models, tmp_path, capsys):
    """.npy and .bin, the latter with the shape that is stated; wrong sizes are refused."""
    om, onnx = models("m", 2.0)
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    (tmp_path / "x.bin").write_bytes(x.tobytes())
    np.save(tmp_path / "x.npy", x)
    for name in ("x.bin", "x.npy"):
        found = compare.run(om, onnx, inputs={"x": tmp_path / name})
        assert found.passed
        assert (14.0, 14.0) == found.cases[0].outputs[0].worst_values or found.passed
        assert 0 == cli.main(["compare", str(om), str(onnx), "--input", f"x={tmp_path / name}"])
    (tmp_path / "short.bin").write_bytes(x.tobytes()[:-1])
    with pytest.raises(aclrt.InputError, match="31 bytes, but input 'x' takes 32"):
        compare.run(om, onnx, inputs={"x": str(tmp_path / "short.bin")})
    om, onnx = open_models(input_shape="x:-1,4", dynamic_batch_size="1,2")
    with pytest.raises(aclrt.InputError, match="open dims") as caught:
        compare.run(om, onnx, inputs={"x": tmp_path / "x.bin"})
    assert "--shape" in caught.value.hint
    capsys.readouterr()
    arguments = ["--input", f"x={tmp_path / 'x.bin'}", "--shape", "x:2,4", "--json"]
    assert 0 == cli.main(["compare", str(om), str(onnx), *arguments])
    assert [2, 4] == json.loads(capsys.readouterr().out)["cases"][0]["outputs"][0]["shape"]
    with pytest.raises(aclrt.InputError, match="one set of shapes"):
        compare.run(om, onnx, inputs={"x": x}, shapes=["gears"])
    assert 1 == cli.main(["compare", str(om), str(onnx), "--input", f"x={tmp_path / 'no.bin'}"])


def test_types_that_numpy_has_no_name_for(om_factory, tmp_path):
    """bfloat16 and int4 through ONNX Runtime, against the model and against what was saved."""
    pytest.importorskip("ml_dtypes")
    for dtype in ("BFLOAT16", "INT4"):
        from onnx import TensorProto, helper

        element = getattr(TensorProto, dtype)
        graph = helper.make_graph(
            [helper.make_node("Cast", ["x"], ["y"], to=element)],
            "cast",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3, 5])],
            [helper.make_tensor_value_info("y", element, [3, 5])],
        )
        opset = [helper.make_opsetid("", 21)]
        model = helper.make_model(graph, ir_version=10, opset_imports=opset)
        onnx = tmp_path / f"{dtype}.onnx"
        onnx.write_bytes(model.SerializeToString())
        om = aclrt.convert(onnx, tmp_path / f"{dtype}.om")
        x = {"x": np.linspace(-7, 7, 15, dtype=np.float32).reshape(3, 5)}
        found = compare.run(om, onnx, inputs=x)
        assert found.passed
        (output,) = found.cases[0].outputs
        assert (dtype.lower(), 15) == (output.dtype, output.ulp["0"])
        if dtype == "BFLOAT16":
            assert 0 == cli.main(["run", str(om), "--output", str(tmp_path / "saved")])
            assert compare.run(om, tmp_path / "saved").passed
            assert compare.run(tmp_path / "saved", onnx).passed
            with pytest.raises(aclrt.InputError, match="plain bytes of 2 each"):
                compare.run(tmp_path / "saved", tmp_path / "saved")


def test_bfloat16_inputs(om_factory, tmp_path):
    """Fed to both sides in their own type."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    tensors = [("x", "bfloat16", (2, 3))], [("y", "bfloat16", (2, 3))]
    model = om_factory.onnx([("Identity", ["x"], ["y"])], *tensors)
    (tmp_path / "b.onnx").write_bytes(model)
    (tmp_path / "b.om").write_bytes(om_factory.om_of(model))
    assert compare.run(tmp_path / "b.om", tmp_path / "b.onnx").passed
    x = np.ones((2, 3), ml_dtypes.bfloat16)
    (tmp_path / "x.bin").write_bytes(x.tobytes())
    assert compare.run(
        tmp_path / "b.om", tmp_path / "b.onnx", inputs={"x": tmp_path / "x.bin"}
    ).passed
