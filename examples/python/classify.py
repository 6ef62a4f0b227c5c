# SPDX-License-Identifier: Apache-2.0
"""Classifies an image: the shortest way from an ONNX file to a result.

Run it in a checkout: ``python examples/python/classify.py [IMAGE_NUMBER]``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

import aclrt

DIGITS = Path(__file__).resolve().parent.parent / "digits"


def main(number: int) -> None:
    """Prints what the model sees in one of the test images."""
    images = np.load(DIGITS / "test_images.npy")
    with tempfile.TemporaryDirectory() as folder:
        om = Path(folder, "digits.om")
        aclrt.convert(DIGITS / "digits.onnx", om, input_shape={"image": (1, 1, 8, 8)})
        with aclrt.OfflineModel(om, device_id=0) as model:
            result = model(images[number : number + 1])
            print(f"{model.inputs[0]} -> {model.outputs[0]}, on the {model.device.backend} device")
    probs = result["probs"][0]
    print(f"image {number}: digit {probs.argmax()} (probability {probs.max():.4f})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
