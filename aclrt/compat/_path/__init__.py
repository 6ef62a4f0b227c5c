# SPDX-License-Identifier: Apache-2.0
"""Folders for PYTHONPATH: in each, modules that stand in for another library's.

They are found by a program that knows nothing of aclrt, and hand over to aclrt.compat.
"""
