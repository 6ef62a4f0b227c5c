# SPDX-License-Identifier: Apache-2.0
"""The ``aclrt`` program: one module per command, each a thin layer over its Python twin.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted. Results go to stdout, and errors and
warnings to stderr, a line each.
"""

from __future__ import annotations

from ._main import main

__all__ = ["main"]
