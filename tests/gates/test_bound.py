# SPDX-License-Identifier: Apache-2.0
"""A bound step: the needed calls of AscendCL, nothing of the heap, nothing held."""

from __future__ import annotations

from textwrap import dedent

import numpy as np
import pytest

from gates.test_acl_calls import identity, needed
from gates.test_memory import COUNTS, NULL_DEVICE


@pytest.mark.parametrize(("n_in", "n_out"), [(1, 1), (8, 4)])
def test_a_bound_step_makes_only_the_needed_calls(tmp_path, calls_of, n_in, n_out):
    """Into the caller's arrays, and into arrays of the binding's own."""
    with identity(tmp_path, n_in, n_out) as model:
        feeds = {spec.name: np.ones(spec.shape, spec.dtype) for spec in model.inputs}
        outs = {spec.name: np.empty(spec.shape, spec.dtype) for spec in model.outputs}
        with model.bind(feeds, outs) as step:
            assert needed(n_in, n_out) == calls_of(step)
        with model.bind(feeds) as step:
            assert needed(n_in, n_out) == calls_of(step)


def test_a_bound_step_asks_nothing_of_the_heap(child, heap_counter):
    """Nobody at all: a thousand of them make no allocation in the whole process."""
    outcome = child(
        COUNTS
        + dedent("""
        m, y = load(), np.empty((2, 3), np.float32)
        step = m.bind(x=X, y=y)
        print(*heap_of(step))
        """),
        env={"LD_PRELOAD": str(heap_counter), **NULL_DEVICE},
    )
    outcome.assert_clean()
    assert "0 0 0 0\n" == outcome.out
