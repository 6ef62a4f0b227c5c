# SPDX-License-Identifier: Apache-2.0
"""Runs the four steps; a step that fails is told, and the others go on unless they need it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .. import bench, compare, om, runtime
from ..errors import AclrtError, InputError
from .plan import plan
from .result import DeployedModel, DeployInterrupted, Deployment, DeployStep

__all__ = ["STEPS", "deploy"]

STEPS = ("doctor", "convert", "compare", "bench")
_REPORTS = ("deploy.json", "deploy.md", "deploy.html")

Watch = Callable[[DeployStep], None]
Titled = Callable[[str], Callable[[Callable[[], float]], Any]]


def deploy(
    onnx: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    batch_sizes: Sequence[int] | None = None,
    iterations: int = 100,
    flags: Mapping[str, str] | None = None,
    simulate: bool = False,
    models: Sequence[str | os.PathLike[str]] = (),
    cases: int = 1,
    seed: int = 0,
    tolerances: compare.Tolerances | None = None,
    skip: Sequence[str] = (),
    device_id: int = 0,
    backend: str | None = None,
    quiet: bool = False,
    watch: Watch | None = None,
    bench_watch: Titled | None = None,
) -> Deployment:
    """Checks the machine, converts an ONNX model, compares it with the original and measures it.

    One folder gets the models (``NAME-b1.om``, ``NAME-b4.om``, ... or ``NAME.om``) and one report
    as ``deploy.json``, ``deploy.md`` and ``deploy.html``, and ``bench.json`` for
    ``aclrt.bench.diff``. A step that fails is part of the result and raises nothing: convert that
    fails ends the deployment; compare and bench do not need each other, but a machine on which
    models can run (if doctor was asked).

    Args:
        onnx: The model.
        output: The folder; it is made if needed.
        batch_sizes: A model for each; None: 1, 4 and 8 where the first dim of inputs is open, and
            else the one that the model has.
        iterations: Inferences to measure, for each model.
        flags: ATC's, by their names with underscores, as for ``aclrt.om.build``; -1 as first dim
            of an ``input_shape`` stands for each batch size.
        simulate: Make simulated models even where CANN's compiler is on the PATH. Without it they
            are simulated where the backend is the fake, or where there is no compiler.
        models: With ``"convert"`` in ``skip``: the models to go on with; none: those that an
            earlier deployment left in ``output``.
        cases: Sets of made-up inputs to compare.
        seed: Of the first set, and of the benchmark's data.
        tolerances: What may differ; None for ``aclrt.compare.Tolerances()``.
        skip: Names of steps to leave out.
        device_id: Where to run.
        backend: ``"auto"``, ``"npu"`` or ``"fake"``; None for ``$ACLRT_BACKEND``, else auto.
        quiet: The compiler's words go to stderr alone.
        watch: Is told each step as it ends.
        bench_watch: As ``watch`` of ``aclrt.bench.measure``.

    Returns:
        What was done; ``ok``, ``exit_code`` and ``steps`` have the verdict.

    Raises:
        InputError: An argument makes no sense.
        DeployInterrupted: Ctrl-C; it carries what was done, and the reports are written.
        OSError: The model cannot be read, or the folder cannot be written.
    """
    unknown = [name for name in skip if name not in STEPS]
    if unknown:
        raise InputError(f"skip: {unknown[0]!r} is no step; there are {', '.join(STEPS)}")
    if iterations < 1:
        raise InputError(f"iterations must be at least 1, not {iterations}")
    if models and "convert" not in skip:
        raise InputError("models are given, and convert would make others", hint="skip convert")
    with Path(onnx).open("rb"):
        pass  # the operating system's own words, before anything is done
    folder = Path(output)
    found = _found(Path(onnx), folder, models) if "convert" in skip else []
    folder.mkdir(parents=True, exist_ok=True)
    run = _Run(Path(onnx), folder, watch)
    run.write()  # a folder that cannot be written ends it here
    try:
        if "doctor" in skip:
            run.skipped("doctor")
        else:
            run.step("doctor", lambda: _doctor(run, backend))
        if "convert" in skip:
            run.models = found
            run.skipped("convert")
        else:
            atc = None if simulate or _is_fake(run, backend) else om.compiler()
            run.step("convert", lambda: _convert(run, batch_sizes, dict(flags or {}), atc, quiet))
        for name, question in (
            ("compare", lambda: _compare(run, cases, seed, tolerances, device_id, backend)),
            (
                "bench",
                lambda: _bench(run, batch_sizes, iterations, seed, device_id, backend, bench_watch),
            ),
        ):
            reason = _blocked(run)
            if name in skip:
                run.skipped(name)
            elif reason:
                run.end(DeployStep(name, "not run", 0.0, reason))
            else:
                run.step(name, question)
    except KeyboardInterrupt:
        for name in STEPS[len(run.steps) :]:
            status = "skipped" if name in skip else "not run"
            run.end(DeployStep(name, status, 0.0, "interrupted before"))
        raise DeployInterrupted(run.finish(is_partial=True)) from None
    return run.finish(is_partial=False)


class _Run:
    """What is known so far, and on disk after each step."""

    def __init__(self, onnx: Path, folder: Path, watch: Watch | None) -> None:
        self.onnx = onnx
        self.folder = folder
        self.watch = watch
        self.created = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self.steps: list[DeployStep] = []
        self.models: list[DeployedModel] = []
        self.doctor: dict[str, Any] | None = None
        self.comparisons: list[compare.Comparison] = []
        self.bench: bench.BenchReport | None = None

    def step(self, name: str, question: Callable[[], tuple[str, str, str]]) -> None:
        """Runs one step, which gives status, summary and next step."""
        start = time.monotonic()

        def ended(status: str, summary: str, next_step: str = "") -> None:
            seconds = round(time.monotonic() - start, 3)
            self.end(DeployStep(name, status, seconds, summary, next_step))

        try:
            ended(*question())
        except KeyboardInterrupt:
            ended("interrupted", "Ctrl-C; what was done until then is in the report")
            raise
        except AclrtError as error:
            call = f" ({error.call} returned {error.code} {error.name})" if error.code else ""
            ended("failed", f"{error.message}{call}", error.hint or _CAUSES.get(name, ""))
        except (OSError, ImportError, MemoryError) as error:
            ended("failed", " ".join(str(error).split()) or type(error).__name__, _CAUSES[name])
        except Exception as error:
            # The other steps' results are worth more than an early end.
            words = " ".join(str(error).split())
            ended(
                "failed",
                f"{type(error).__name__}: {words}",
                "this is a defect of aclrt; please report it",
            )

    def skipped(self, name: str) -> None:
        self.end(DeployStep(name, "skipped", 0.0, "as asked"))

    def end(self, step: DeployStep) -> None:
        self.steps.append(step)
        self.write()
        if self.watch is not None:
            self.watch(step)

    def result(self, *, is_partial: bool, files: tuple[Path, ...] = ()) -> Deployment:
        return Deployment(
            created=self.created,
            onnx=str(self.onnx),
            output=self.folder,
            is_partial=is_partial,
            steps=tuple(self.steps),
            models=tuple(self.models),
            doctor=self.doctor,
            comparisons=tuple(self.comparisons),
            bench=self.bench,
            files=files,
        )

    def write(self) -> None:
        """The report so far, marked partial: even a killed process leaves it."""
        _write(self.folder / _REPORTS[0], _json(self.result(is_partial=True)))

    def finish(self, *, is_partial: bool) -> Deployment:
        names = [*_REPORTS, *(["bench.json"] if self.bench is not None else [])]
        result = self.result(
            is_partial=is_partial, files=tuple(self.folder / name for name in names)
        )
        if self.bench is not None:
            _write(self.folder / "bench.json", self.bench.to_json())
        texts = (_json(result), result.to_markdown(), result.to_html())
        for name, text in zip(_REPORTS, texts, strict=True):
            _write(self.folder / name, text)
        return result


_CAUSES = {
    "doctor": "aclrt doctor",
    "convert": "aclrt convert, with the same flags, shows the failure alone",
    "compare": "aclrt compare MODEL.om MODEL.onnx shows the failure alone",
    "bench": "aclrt bench MODEL.om shows the failure alone",
}


def _json(result: Deployment) -> str:
    return json.dumps(result.to_dict(), allow_nan=False) + "\n"


def _write(path: Path, text: str) -> None:
    """Replaces the file as a whole: an interrupt leaves the old or the new one."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(text, "utf-8", "replace")
    temporary.replace(path)


def _doctor(run: _Run, backend: str | None) -> tuple[str, str, str]:
    from ..doctor import collect

    run.doctor = found = collect(backend=backend, isolated=True)
    errors = [problem for problem in found["problems"] if problem["severity"] == "error"]
    if errors:
        return "failed", errors[0]["problem"], errors[0]["next_step"]
    chosen = found["backend"]
    soc = chosen["soc_name"] or "unknown chip"
    count = f"{chosen['device_count']} device{'s' * (chosen['device_count'] != 1)}"
    warnings = len(found["problems"])
    told = f", {warnings} warning{'s' * (warnings > 1)} (aclrt doctor)" if warnings else ""
    return "done", f"models run on {chosen['name']}: {count}, {soc}{told}", ""


def _is_fake(run: _Run, backend: str | None) -> bool:
    if run.doctor is not None:
        return run.doctor["backend"] is not None and run.doctor["backend"]["name"] == "fake"
    try:
        return runtime.runtime_info(backend=backend).is_fake
    except (AclrtError, OSError):
        return False


def _convert(
    run: _Run,
    batch_sizes: Sequence[int] | None,
    flags: dict[str, str],
    atc: Path | None,
    quiet: bool,
) -> tuple[str, str, str]:
    chip = ((run.doctor or {}).get("backend") or {}).get("soc_name")
    if atc is not None and chip:
        flags.setdefault("soc_version", chip)
    for planned in plan(str(run.onnx), batch_sizes, flags):
        target = run.folder / f"{run.onnx.stem}{planned.suffix}.om"
        built = om.build(run.onnx, target, planned.flags, atc=atc, quiet=quiet)
        run.models.append(DeployedModel(built.path, planned.batch, built.nbytes, built.simulated))
    names = ", ".join(model.path.name for model in run.models)
    how = "compiled by atc" if atc is not None else "simulated, for the fake device"
    return "done", f"{names} ({how})", ""


def _found(
    onnx: Path, folder: Path, models: Sequence[str | os.PathLike[str]]
) -> list[DeployedModel]:
    """The models to go on with, without converting."""
    paths = [Path(model) for model in models] or sorted(
        [
            path
            for path in folder.glob("*.om")
            if path.stem == onnx.stem or path.stem.startswith(f"{onnx.stem}-b")
        ],
        key=lambda path: (len(path.name), path.name),
    )
    if not paths:
        raise InputError(
            f"convert is skipped, and {folder} has no model {onnx.stem}*.om",
            hint="name the models (--model FILE.om), or let convert make them",
        )
    found = []
    for path in paths:
        info = om.inspect(path)
        shapes = [spec.shape for spec in info.inputs]
        fixed = bool(shapes) and bool(shapes[0]) and info.dynamic == "none"
        found.append(
            DeployedModel(
                path, shapes[0][0] if fixed else None, path.stat().st_size, info.simulated
            )
        )
    return found


def _blocked(run: _Run) -> str:
    """Why models cannot be run; "" if they can."""
    if not run.models:
        return "there is no model: convert failed"
    if run.doctor is not None and run.doctor["backend"] is None:
        return "models cannot run here: doctor says why"
    return ""


def _compare(
    run: _Run,
    cases: int,
    seed: int,
    tolerances: compare.Tolerances | None,
    device_id: int,
    backend: str | None,
) -> tuple[str, str, str]:
    for model in run.models:
        run.comparisons.append(
            compare.run(
                model.path,
                run.onnx,
                cases=cases,
                seed=seed,
                tolerances=tolerances,
                device_id=device_id,
                backend=backend,
            )
        )
    failed = [found for found in run.comparisons if not found.passed]
    if not failed:
        count = sum(len(case.outputs) for found in run.comparisons for case in found.cases)
        return "done", f"{count} output{'s' * (count != 1)} within tolerance of the ONNX", ""
    names = ", ".join(Path(found.first).name for found in failed)
    advice = next((line for found in failed for line in found.advice), "look at the report")
    return "different", f"outputs differ by more than is allowed: {names}", advice


def _bench(
    run: _Run,
    batch_sizes: Sequence[int] | None,
    iterations: int,
    seed: int,
    device_id: int,
    backend: str | None,
    watch: Titled | None,
) -> tuple[str, str, str]:
    several = len(run.models) == 1 and run.models[0].batch is None  # one model with gears
    config = bench.BenchConfig(
        models=tuple(str(model.path) for model in run.models),
        batch_sizes=tuple(batch_sizes or ()) if several else (),
        iterations=iterations,
        seed=seed,
        devices=(device_id,),
        backend=backend,
    )
    try:
        run.bench = bench.measure(config, watch=watch)
    except bench.BenchInterrupted as interrupt:
        run.bench = interrupt.result
        raise
    best = max(run.bench.runs, key=lambda result: result.samples_per_s)
    return (
        "done",
        f"{best.samples_per_s:,.1f} samples/s at most (batch {best.batch}, "
        f"median {best.p50_ms:.4g} ms)",
        "",
    )
