# SPDX-License-Identifier: Apache-2.0
"""Found by a program that was started with ``aclrt fake run --compat acllite``."""

from aclrt.compat import install

install("acllite")
