# SPDX-License-Identifier: Apache-2.0
"""Found by ``import acl`` in a program that was started with ``aclrt fake run``.

A real pyACL, wherever it is, is the one that is imported; only where there is none,
``aclrt.compat.acl`` takes its place.
"""

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

_elsewhere = [path for path in sys.path if Path(path).resolve() != Path(__file__).resolve().parent]
_spec = PathFinder.find_spec("acl", _elsewhere)
if _spec is not None and _spec.loader is not None and _spec.origin is not None:
    sys.modules["acl"] = module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["acl"])
else:
    try:
        from aclrt.compat import install
    except ModuleNotFoundError as _error:
        raise ImportError(
            f"pyACL is not installed, nor is aclrt in this Python ({sys.executable}): "
            "pip install aclrt into it",
            name="acl",
        ) from _error

    install("acl")
