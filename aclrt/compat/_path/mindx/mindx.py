# SPDX-License-Identifier: Apache-2.0
"""Found by a program that was started with ``aclrt fake run --compat mindx``."""

from aclrt.compat import install

install("mindx")
