# SPDX-License-Identifier: Apache-2.0
"""`python -m aclrt`: the flags of `aclrt-config`, and otherwise the commands of `aclrt`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from aclrt import config


def main(argv: Sequence[str]) -> int:
    if argv and all(word in config.FLAGS for word in argv):
        return config.main(argv)
    from aclrt import cli  # rich and the commands are not needed for the flags

    return cli.main(list(argv))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
