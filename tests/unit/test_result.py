# SPDX-License-Identifier: Apache-2.0
"""A result is a sequence of arrays and a mapping by name."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import numpy as np
import pytest

import aclrt


@pytest.fixture
def result(pair, image, mask):
    """One result of the model with two outputs."""
    return pair(image, mask)


def test_it_is_a_sequence(result):
    """Length, positions, slices, iteration, unpacking, reversed."""
    assert isinstance(result, Sequence)
    assert 2 == len(result)
    probs, flags = result
    assert probs is result[0]
    assert flags is result[-1]
    assert (probs, flags) == result[:]
    assert [flags, probs] == list(reversed(result))
    match result:
        case [first, _]:
            assert probs is first
        case _:
            pytest.fail("a result matches a sequence pattern")
    with pytest.raises(IndexError):
        result[2]


def test_it_looks_up_by_name(result):
    """Names, keys, values, items, get, dict and ** work."""
    assert ("probs", "flags") == result.keys()
    assert result["probs"] is result[0]
    assert [("probs", result[0]), ("flags", result[1])] == list(result.items())
    assert result.values()[1] is result["flags"]
    assert result.get("flags") is result[1]
    assert result.get("nothing") is None
    assert 3 == result.get("nothing", 3)
    assert {"probs", "flags"} == dict(result).keys()
    assert (lambda **named: named["probs"])(**result) is result[0]
    with pytest.raises(KeyError, match="no output 'prob'"):
        result["prob"]


def test_membership_is_by_name_or_identity(result):
    """``in``, index and count never compare elements."""
    assert "probs" in result
    assert "prob" not in result
    assert result[1] in result
    assert np.zeros(2, bool) not in result
    assert 1 == result.index(result[1])
    assert 1 == result.count(result[0])
    assert 0 == result.count(result[0].copy())
    with pytest.raises(ValueError, match="none of the outputs"):
        result.index(result[0].copy())
    with pytest.raises(ValueError, match="none of the outputs"):
        result.index(result[0], 1)


def test_repr_shows_shapes_not_numbers(result):
    """A large result prints short."""
    assert "Result(probs: float32 (1, 2, 4), flags: bool (2,))" == repr(result)


def test_it_pickles(result):
    """Results travel between processes."""
    again = pickle.loads(pickle.dumps(result))
    assert isinstance(again, aclrt.Result)
    np.testing.assert_array_equal(result["probs"], again["probs"])
    assert result.keys() == again.keys()


def test_outputs_own_their_memory(om_factory):
    """Arrays outlive the model, and the next call does not change them."""
    x = np.ones((2, 3), np.float32)
    with aclrt.OfflineModel(om_factory.identity()) as model:
        first = model(x)[0]
        second = model(2 * x)[0]
        assert not np.shares_memory(first, second)
    np.testing.assert_array_equal(x, first)
    np.testing.assert_array_equal(2 * x, second)
    first[:] = 5
    assert first.flags.writeable
