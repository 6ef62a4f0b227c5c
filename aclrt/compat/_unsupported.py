# SPDX-License-Identifier: Apache-2.0
"""The one error of the facades: what the original has and the facade does not."""

from __future__ import annotations

from aclrt.errors import AclrtError


class Unsupported(AclrtError, NotImplementedError, AttributeError):  # type: ignore[misc]
    """The original library has this; the facade does not. The message names what to use.

    It is an AttributeError too, so that ``hasattr`` answers False.
    """
