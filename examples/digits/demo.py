# SPDX-License-Identifier: Apache-2.0
"""Real data through the whole stack, beside ONNX Runtime: what ``make demo`` runs.

Converts digits.onnx, classifies every held-out image from Python (one by one, and in batches) and
a batch from C++, compares all of it with ONNX Runtime, measures, and shows what is left on the
device. Exits with 1 if a result differs or something is left.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

import aclrt
import aclrt.bench
import aclrt.config

HERE = Path(__file__).resolve().parent
CPP = HERE.parent / "cpp"
BATCH = 36
SHOWN = 12


def heading(text: str) -> None:
    """One line that starts a part of the output."""
    print(f"\n== {text}", flush=True)


def convert(onnx: Path, folder: Path, batch: int) -> Path:
    """The simulated offline model for one batch size."""
    om = folder / f"digits_{batch}.om"
    aclrt.convert(onnx, om, input_shape={"image": (batch, 1, 8, 8)})
    print(f"{onnx.name} -> {om.name}: {om.stat().st_size} bytes")
    return om


def through_aclrt(om: Path, images: np.ndarray, batch: int) -> np.ndarray:
    """The probabilities of all images, from OfflineModel."""
    with aclrt.OfflineModel(om) as model:
        return np.concatenate(
            [model(images[i : i + batch])["probs"] for i in range(0, len(images), batch)]
        )


def through_onnxruntime(onnx: Path, images: np.ndarray, batch: int) -> np.ndarray:
    """The probabilities of all images, from ONNX Runtime itself."""
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    return np.concatenate(
        [
            session.run(["probs"], {"image": images[i : i + batch]})[0]
            for i in range(0, len(images), batch)
        ]
    )


def build_classify(folder: Path) -> Path:
    """Builds examples/cpp as a stranger would: its own CMake project, find_package(aclrt)."""
    cmake = shutil.which("cmake", path=sysconfig.get_path("scripts")) or shutil.which("cmake")
    if cmake is None:
        raise SystemExit("demo: cmake is needed for the C++ part: pip install cmake")
    build = folder / "classify"
    configure = [cmake, "-S", CPP, "-B", build, f"-Daclrt_DIR={aclrt.config.get_cmake_dir()}"]
    for command in ([*configure, "-DCMAKE_BUILD_TYPE=Release"], [cmake, "--build", build]):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise SystemExit(f"demo: building {CPP} failed:\n{done.stdout}")
    return build / "classify"


def through_cpp(classify: Path, om: Path, count: int, ledger: Path) -> list[tuple[int, str]]:
    """Class and probability (six decimals) of the first images, from the C++ example."""
    library = next(Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so*"), None)
    environment = {**os.environ, "ACLRT_FAKE_LEDGER": str(ledger)}
    if library is not None:
        environment.setdefault("ACLRT_FAKE_ONNXRUNTIME", str(library))
    command = [classify, om, HERE / "test_images.npy", "0", str(count)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    return [(int(digit), probability) for _, digit, probability in lines]


def show_images(images: np.ndarray) -> None:
    """A few of the images, side by side, as characters."""
    shades = np.array(list(" .:-=+*#@"))
    pictures = shades[np.rint(images[:, 0] * (len(shades) - 1)).astype(int)]
    for row in range(pictures.shape[1]):
        print("  ".join("".join(np.repeat(picture[row], 2)) for picture in pictures).rstrip())


def show_predictions(rows: np.ndarray, columns: dict[str, Any], probs: np.ndarray) -> None:
    """A line for each image: its label and what each path says."""
    print("image  " + "  ".join(columns) + "  probability")
    for row in rows:
        cells = [str(values[row]).rjust(len(name)) for name, values in columns.items()]
        print(f"{row:5}  " + "  ".join(cells) + f"  {probs[row].max():11.4f}")


def is_clean(who: str, ledger: dict[str, Any]) -> bool:
    """Prints what a process did to the device; returns whether nothing of it is left."""
    print(f"{who:<16}{'live':>8}{'peak':>8}{'total':>10}{'live bytes':>12}{'peak bytes':>12}")
    for kind, count in ledger["objects"].items():
        if count["total"]:
            print(
                f"  {kind:<14}{count['live']:>8}{count['peak']:>8}{count['total']:>10}"
                f"{count['live_bytes']:>12}{count['peak_bytes']:>12}"
            )
    calls = sum(ledger["calls"].values())
    print(f"  {calls} calls of AscendCL; damaged guard zones: {ledger['guards_damaged']}")
    return not (ledger["live"] or ledger["guards_damaged"])


def main() -> int:
    """Runs the demo; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("out/demo"), help="where files go")
    parser.add_argument("--iterations", type=int, default=2000, help="of the benchmark")
    parser.add_argument("--no-cpp", action="store_true", help="leave the C++ part out")
    options = parser.parse_args()
    os.environ.setdefault("ACLRT_BACKEND", "fake")  # simulated models run nowhere else
    options.output.mkdir(parents=True, exist_ok=True)

    onnx = HERE / "digits.onnx"
    images, labels = np.load(HERE / "test_images.npy"), np.load(HERE / "test_labels.npy")
    failures = []

    heading(f"Convert (aclrt {aclrt.__version__})")
    om, batch_om = convert(onnx, options.output, 1), convert(onnx, options.output, BATCH)

    info = aclrt.runtime_info()
    heading(f"Classify {len(images)} handwritten digits that training never saw")
    print(f"device: {info.backend}, {info.soc_name or 'unknown'}: {info.reason}")
    single, batched = through_aclrt(om, images, 1), through_aclrt(batch_om, images, BATCH)
    expected = through_onnxruntime(onnx, images, 1)
    expected_batched = through_onnxruntime(onnx, images, BATCH)
    columns: dict[str, Any] = {
        "label": labels,
        "aclrt": single.argmax(1),
        "onnxruntime": expected.argmax(1),
    }
    if not options.no_cpp:
        ledger_file = options.output / "classify-ledger.json"
        cpp = through_cpp(build_classify(options.output), batch_om, BATCH, ledger_file)
        if cpp != [(int(p.argmax()), f"{p.max():.6f}") for p in expected_batched[:BATCH]]:
            failures.append("the C++ example prints other results than ONNX Runtime")
        cpp_classes = [digit for digit, _ in cpp]
        columns["c++"] = [*cpp_classes, *["-"] * (len(images) - len(cpp))]
    print()
    show_images(images[:5])
    print()
    show_predictions(np.arange(SHOWN), columns, single)
    wrong = np.flatnonzero(single.argmax(1) != labels)
    print(f"... and where the network is wrong ({len(wrong)} of {len(images)}):")
    show_predictions(wrong, columns, single)

    heading("Accuracy, and the largest absolute difference from ONNX Runtime")
    for name, ours, theirs in (
        ("one by one", single, expected),
        (f"batches of {BATCH}", batched, expected_batched),
    ):
        accuracy = [np.mean(probs.argmax(1) == labels) for probs in (ours, theirs)]
        difference = np.abs(ours.astype(np.float64) - theirs).max()
        print(
            f"{name:<14}  aclrt {accuracy[0]:.2%}  onnxruntime {accuracy[1]:.2%}  "
            f"difference {difference}"
        )
        if not np.array_equal(ours, theirs):
            failures.append(f"{name}: results differ from ONNX Runtime by up to {difference}")
    if not options.no_cpp:
        batch_labels = labels[: len(cpp)]
        right = np.mean(np.array(cpp_classes) == batch_labels)
        reference = np.mean(expected_batched[: len(cpp)].argmax(1) == batch_labels)
        print(
            f"{'C++, 1 batch':<14}  aclrt {right:.2%}  onnxruntime {reference:.2%}  "
            f"of the first {len(cpp)} images"
        )

    heading("Benchmark, one image at a time")
    result = aclrt.bench.run(om, iterations=options.iterations, warmup=20)
    first = next(phase for phase in result.phases if phase.name == "first")
    print(
        f"first {first.p50_ms:.3f} ms, mean {result.latency.mean_ms:.3f} ms, "
        f"p50 {result.p50_ms:.3f} ms, p90 {result.p90_ms:.3f} ms, p99 {result.p99_ms:.3f} ms\n"
        f"{result.throughput_per_s:.0f} inferences/s over {result.wall_s:.3f} s"
    )
    for caution in result.cautions:
        print(f"caution: {caution}")

    heading("The device's ledger, with all models closed")
    ledgers = {"Python": aclrt.fake.ledger()}
    if not options.no_cpp:
        ledgers["C++ example"] = json.loads(ledger_file.read_text(encoding="utf-8"))
    unclean = [who for who, ledger in ledgers.items() if not is_clean(who, ledger)]
    failures += [f"{who} left objects on the device" for who in unclean]
    print("NOT CLEAN" if unclean else "clean: nothing is left on the device")

    for failure in failures:
        print(f"demo: FAILED: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
