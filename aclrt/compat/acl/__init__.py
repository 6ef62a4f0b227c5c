# SPDX-License-Identifier: Apache-2.0
"""pyACL: the module ``acl`` of CANN, over the backend that aclrt selects (a card, or the fake).

>>> from aclrt.compat import acl                             # doctest: +SKIP
>>> ret = acl.init()                                         # doctest: +SKIP
>>> device_pointer, ret = acl.rt.malloc(1024, 0)             # doctest: +SKIP

Names, arguments and results are pyACL's: addresses and handles are ints, the status comes last and
is never raised, there are no constants. ``rt``, ``mdl``, ``op``, ``prof``, ``media`` and ``util``
are attributes, not modules to import. Differences: the interpreter's lock is free during every call
(pyACL holds it in ``mdl.execute``); what would end the process with pyACL (bytes where an address
is wanted, a view of device memory or of NULL) raises an exception that names the right call.
``aclrt fake run`` gives this module to scripts that say ``import acl`` where CANN's is not there.
"""

from __future__ import annotations

from typing import Any

from . import _table


class _Group:
    """A part of the module."""

    def __init__(self, name: str) -> None:
        self.__dict__.update(_table.group(name))
        self.__name__ = f"acl.{name}"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{self.__name__} has no attribute {name!r}")
        raise _table.missing(self.__name__.removeprefix("acl."), name)

    def __repr__(self) -> str:
        return f"<{self.__name__} of aclrt.compat>"


rt = _Group("rt")
mdl = _Group("mdl")
op = _Group("op")
util = _Group("util")
prof = _Group("prof")
media = _Group("media")
blas = _Group("blas")
himpi = _Group("himpi")
fv = _Group("fv")
globals().update(_table.group(""))


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise _table.missing("", name)
