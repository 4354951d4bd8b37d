"""``python -m tests.iam RECORD``: what a record lacks, and what its roles hold for nothing.

The second list is no fault: a run may not do everything, and a role of a blueprint holds what its
updates and its rarer forms take.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.iam.check import check, read


def main(arguments: list[str]) -> int:
    """Prints it; 1 where something is missing."""
    found = check(read(Path(arguments[0])))
    for told in found.wrong:
        print(f"unknown  {told}")
    for told, purpose in found.missing.items():
        print(f"missing  {told} (for {purpose})")
    for role, actions in sorted(found.never_asked().items()):
        print(f"unused   {role.rpartition('/')[2]}: {', '.join(actions)}")
    return 1 if found.wrong or found.missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
