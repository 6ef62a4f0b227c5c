# SPDX-License-Identifier: Apache-2.0
"""A folder for PYTHONPATH (``aclrt fake run``)."""
