# SPDX-License-Identifier: Apache-2.0
"""For people who test services that use offline models: a pytest plugin and small models.

pytest finds the plugin by itself (``docs/testing.md``); it does nothing unless it is used.
"""

from __future__ import annotations

from .models import OmFactory

__all__ = ["OmFactory"]
