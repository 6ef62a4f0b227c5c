# SPDX-License-Identifier: Apache-2.0
"""Tables of the C++ sources as Python data; packaging/generate.py writes them."""
