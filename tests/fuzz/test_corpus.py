# SPDX-License-Identifier: Apache-2.0
"""The corpus is what its names say."""

from __future__ import annotations

import pytest

import aclrt
from fuzz import corpus

ITEMS = dict(corpus.items())


def test_names_are_unique_and_files_small():
    """The same bytes each time, and no more of them than a mutation can reach."""
    again = list(corpus.items())
    assert list(ITEMS) == [name for name, _ in again]
    assert list(ITEMS.values()) == [content for _, content in again]
    assert max(map(len, ITEMS.values())) < 1 << 14


@pytest.mark.parametrize("name", ITEMS)
def test_read_or_refused(name):
    """ok- files are read, bad- files refused with the offset."""
    if name.startswith("ok-"):
        aclrt.inspect(ITEMS[name])
    else:
        with pytest.raises(aclrt.ModelFormatError, match="offset"):
            aclrt.inspect(ITEMS[name])
