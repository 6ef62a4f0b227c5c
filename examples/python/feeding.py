# SPDX-License-Identifier: Apache-2.0
"""The ways to feed a model, to reuse its outputs, and what a wrong input says.

Run it in a checkout: ``python examples/python/feeding.py``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import aclrt

DIGITS = Path(__file__).resolve().parent.parent / "digits"
BATCH = 8


def main() -> None:
    """Feeds one batch in every way and compares the results."""
    images = np.load(DIGITS / "test_images.npy")[:BATCH]
    with tempfile.TemporaryDirectory() as folder:
        om = aclrt.convert(
            DIGITS / "digits.onnx",
            Path(folder, "digits.om"),
            input_shape={"image": images.shape},
        )
        with aclrt.OfflineModel(om) as model:
            probs = np.empty(model.outputs[0].shape, model.outputs[0].dtype)
            model(images, out={"probs": probs})  # into a buffer of yours
            ways = {
                "by position": model(images)[0],
                "by name": model({"image": images})["probs"],
                "by keyword": model(image=images)["probs"],
                "as ONNX Runtime": model.run(["probs"], {"image": images})[0],
                "cast on request": model(images.astype(np.float16), cast="safe")[0],
            }
            for way, found in ways.items():
                same = np.array_equal(found.argmax(1), probs.argmax(1))
                print(f"{way:<16} {found.argmax(1)} {'agrees' if same else 'DIFFERS'}")
            try:
                model(image=images.astype(np.float64))
            except aclrt.InputError as error:
                print(f"\na wrong dtype is refused:\n{error}")


if __name__ == "__main__":
    main()
