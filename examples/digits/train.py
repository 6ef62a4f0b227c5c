# SPDX-License-Identifier: Apache-2.0
"""Trains the example model: a small CNN that reads handwritten digits of 8x8 pixels.

Needs scikit-learn (for its bundled set of real digits) and onnx, which are no dependencies of the
demo: ``pip install scikit-learn onnx numpy``, then ``python train.py``; some ten seconds.
Writes digits.onnx, and test_images.npy and test_labels.npy: the images that training never saw.
The network is conv-relu-pool twice, then one dense layer, in plain NumPy with Adam.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

SEED = 20
HELD_OUT = 360
EPOCHS = 60
BATCH_SIZE = 32
HERE = Path(__file__).resolve().parent


def load_data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns training and held-out images (0 to 1, N x 1 x 8 x 8) and their labels, shuffled."""
    digits = load_digits()
    images = (digits.images[:, None] / 16).astype(np.float32)
    order = np.random.default_rng(SEED).permutation(len(images))
    train, test = order[HELD_OUT:], order[:HELD_OUT]
    labels = digits.target.astype(np.int64)
    return images[train], labels[train], images[test], labels[test]


def windows(x: np.ndarray) -> np.ndarray:
    """Unfolds N x C x H x W, padded by 1, into rows of its 3x3 windows: (N, H, W, C*9)."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    view = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    n, c, h, w = view.shape[:4]
    return view.transpose(0, 2, 3, 1, 4, 5).reshape(n, h, w, c * 9)


def fold(rows: np.ndarray, channels: int) -> np.ndarray:
    """Adds the gradient of each window back to its pixels: the adjoint of windows()."""
    n, h, w, _ = rows.shape
    cells = rows.reshape(n, h, w, channels, 3, 3)
    out = np.zeros((n, channels, h + 2, w + 2), rows.dtype)
    for i in range(3):
        for j in range(3):
            out[:, :, i : i + h, j : j + w] += cells[..., i, j].transpose(0, 3, 1, 2)
    return out[:, :, 1:-1, 1:-1]


def conv_relu_pool(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, tuple]:
    """One stage forward; also returns what its gradient needs."""
    rows = windows(x)
    active = np.maximum(rows @ w.reshape(len(w), -1).T + b, 0).transpose(0, 3, 1, 2)
    n, c, h, wd = active.shape
    blocks = active.reshape(n, c, h // 2, 2, wd // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    blocks = blocks.reshape(n, c, h // 2, wd // 2, 4)
    return blocks.max(-1), (rows, blocks, x.shape[1])


def conv_relu_pool_gradient(g: np.ndarray, w: np.ndarray, saved: tuple) -> tuple:
    """Gradients of the stage: for its input, its weights and its bias."""
    rows, blocks, channels = saved
    n, c, h, wd, _ = blocks.shape
    first = blocks.argmax(-1)[..., None] == np.arange(4)
    spread = np.where(first & (blocks > 0), g[..., None], 0).reshape(n, c, h, wd, 2, 2)
    active = spread.transpose(0, 2, 4, 3, 5, 1).reshape(n, h * 2, wd * 2, c)
    flat, flat_rows = active.reshape(-1, c), rows.reshape(-1, rows.shape[-1])
    return (
        fold(active @ w.reshape(len(w), -1), channels),
        (flat.T @ flat_rows).reshape(w.shape),
        flat.sum(0),
    )


def logits_of(p: dict[str, np.ndarray], x: np.ndarray) -> tuple[np.ndarray, list]:
    """The network without its softmax."""
    a, saved_a = conv_relu_pool(x, p["conv1.weight"], p["conv1.bias"])
    b, saved_b = conv_relu_pool(a, p["conv2.weight"], p["conv2.bias"])
    flat = b.reshape(len(b), -1)
    return flat @ p["dense.weight"].T + p["dense.bias"], [saved_a, saved_b, flat, b.shape]


def gradients(p: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Gradients of the mean cross entropy of one batch."""
    z, (saved_a, saved_b, flat, shape) = logits_of(p, x)
    probs = np.exp(z - z.max(1, keepdims=True))
    probs /= probs.sum(1, keepdims=True)
    dz = (probs - np.eye(10, dtype=np.float32)[y]) / len(y)
    db = (dz @ p["dense.weight"]).reshape(shape)
    da, dw2, dc2 = conv_relu_pool_gradient(db, p["conv2.weight"], saved_b)
    _, dw1, dc1 = conv_relu_pool_gradient(da, p["conv1.weight"], saved_a)
    return {
        "conv1.weight": dw1,
        "conv1.bias": dc1,
        "conv2.weight": dw2,
        "conv2.bias": dc2,
        "dense.weight": dz.T @ flat,
        "dense.bias": dz.sum(0),
    }


def train(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Adam with a rate that falls to zero."""
    rng = np.random.default_rng(SEED)
    shapes = {
        "conv1.weight": (16, 1, 3, 3),
        "conv1.bias": (16,),
        "conv2.weight": (32, 16, 3, 3),
        "conv2.bias": (32,),
        "dense.weight": (10, 128),
        "dense.bias": (10,),
    }
    p = {
        name: rng.normal(0, np.sqrt(2 / np.prod(s[1:])), s).astype(np.float32)
        if len(s) > 1
        else np.zeros(s, np.float32)
        for name, s in shapes.items()
    }
    mean = {name: np.zeros_like(v) for name, v in p.items()}
    square = {name: np.zeros_like(v) for name, v in p.items()}
    steps, step = EPOCHS * (len(x) // BATCH_SIZE), 0
    for epoch in range(EPOCHS):
        order = rng.permutation(len(x))
        for start in range(0, len(x) - BATCH_SIZE + 1, BATCH_SIZE):
            batch = order[start : start + BATCH_SIZE]
            step += 1
            rate = 2e-3 * (1 - step / (steps + 1))
            for name, g in gradients(p, x[batch], y[batch]).items():
                mean[name] += 0.1 * (g - mean[name])
                square[name] += 0.001 * (g * g - square[name])
                m, v = mean[name] / (1 - 0.9**step), square[name] / (1 - 0.999**step)
                p[name] -= (rate * m / (np.sqrt(v) + 1e-8)).astype(np.float32)
        if epoch % 10 == 9:
            print(
                f"epoch {epoch + 1}: {np.mean(logits_of(p, x)[0].argmax(1) == y):.2%} of training"
            )
    return p


def to_onnx(p: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The trained network as ONNX, with softmax, and the batch left open."""
    node = helper.make_node
    conv = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        node("Conv", ["image", "conv1.weight", "conv1.bias"], ["c1"], "conv1", **conv),
        node("Relu", ["c1"], ["r1"], "relu1"),
        node("MaxPool", ["r1"], ["p1"], "pool1", **pool),
        node("Conv", ["p1", "conv2.weight", "conv2.bias"], ["c2"], "conv2", **conv),
        node("Relu", ["c2"], ["r2"], "relu2"),
        node("MaxPool", ["r2"], ["p2"], "pool2", **pool),
        node("Flatten", ["p2"], ["flat"], "flatten", axis=1),
        node("Gemm", ["flat", "dense.weight", "dense.bias"], ["logits"], "dense", transB=1),
        node("Softmax", ["logits"], ["probs"], "softmax", axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("probs", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(value, name) for name, value in p.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.producer_name = "aclrt/examples/digits"
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    """Trains, states the accuracy on the held-out images and writes the three files."""
    x, y, test_x, test_y = load_data()
    p = train(x, y)
    print(f"held out: {np.mean(logits_of(p, test_x)[0].argmax(1) == test_y):.2%} of {len(test_x)}")
    onnx.save(to_onnx(p), HERE / "digits.onnx")
    np.save(HERE / "test_images.npy", test_x)
    np.save(HERE / "test_labels.npy", test_y)


if __name__ == "__main__":
    main()
