# SPDX-License-Identifier: Apache-2.0
"""The thirteen speed goals, measured: ``make bench``, or ``python -m benchmarks`` here."""
