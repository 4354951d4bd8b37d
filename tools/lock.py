"""Regenerates the lock files, or checks that they are current.

The locks are hashed requirement files, not `uv.lock`: that one records the registry's address, and
a checkout has to install the same bytes from any mirror. Each lock is compiled from tables of
`pyproject.toml` or from the `.in` file beside it, for every supported Python and platform at once
(`--universal`).

    make lock                                 # the newest versions that the declarations allow
    .venv/bin/python tools/lock.py --keep     # only what a changed declaration asks for
    .venv/bin/python tools/lock.py --check    # fails when a lock differs from what --keep writes
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Lock:
    """One lock file and what it is compiled from.

    Attributes:
        target: The lock, relative to the checkout.
        source: Arguments of `uv pip compile` that name the declarations.
        within: Another lock whose versions this one has to agree with.
    """

    target: str
    source: tuple[str, ...]
    within: str | None = None


def locks() -> list[Lock]:
    """Every lock of the checkout: the root's, the embedded AWS's, and each function's."""
    cdk, everything = "requirements.txt", "requirements-dev.txt"
    found = [
        Lock(cdk, ("pyproject.toml", "--extra", "cdk")),
        Lock(everything, ("pyproject.toml", "--all-extras", "--group", "dev"), within=cdk),
        Lock("requirements-oracle.txt", ("--group", "oracle")),
        Lock("requirements-spark.txt", ("--group", "spark"), within=everything),
        Lock("requirements-node.txt", ("--group", "node")),
        Lock("requirements-uv.txt", ("--group", "uv"), within=cdk),
    ]
    for source in sorted((ROOT / "mlops_framework" / "local" / "requirements").glob("*.in")):
        found.append(_beside(source))
    for source in sorted((ROOT / "lambdas").glob("*/requirements.in")):
        # A function runs the versions that the tests ran.
        found.append(_beside(source, within=everything))
    return found


def _beside(source: Path, within: str | None = None) -> Lock:
    path = source.relative_to(ROOT)
    return Lock(str(path.with_suffix(".txt")), (str(path),), within)


def compile_lock(lock: Lock, output: Path, *, upgrade: bool) -> None:
    """Resolves one lock into a file that already holds the versions to prefer.

    Args:
        lock: What to resolve.
        output: Where to write; its present pins are kept unless `upgrade`.
        upgrade: Take the newest versions that the declarations allow.

    Raises:
        SystemExit: uv found no set of versions; its own explanation stands above.
    """
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", *lock.source]
    command += ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header"]
    command += ["--no-emit-index-url", "--no-annotate", "--quiet", "--output-file", str(output)]
    if lock.within:
        command += ["--constraint", lock.within]
    if upgrade:
        command += ["--upgrade"]
    finished = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    if finished.returncode:
        raise SystemExit(f"{lock.target}: uv could not resolve it; the reason stands above")


def is_current(lock: Lock) -> bool:
    """Tells whether resolving again, with the present pins preferred, gives the same file."""
    present = (ROOT / lock.target).read_text() if (ROOT / lock.target).exists() else ""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "requirements.txt"
        output.write_text(present)
        compile_lock(lock, output, upgrade=False)
        return output.read_text() == present


def main() -> int:
    """Runs the command line; the exit status is 1 when `--check` finds a stale lock."""
    parser = argparse.ArgumentParser(
        prog="tools/lock.py", description="Regenerates or checks the lock files."
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--keep", action="store_true", help="keep every version that still fits")
    mode.add_argument(
        "--check", action="store_true", help="write nothing, fail when a lock is stale"
    )
    arguments = parser.parse_args()
    if arguments.check:
        stale = [lock.target for lock in locks() if not is_current(lock)]
        for target in stale:
            print(
                f"{target} does not match its declarations: run tools/lock.py --keep",
                file=sys.stderr,
            )
        return 1 if stale else 0
    for lock in locks():
        print(f"resolving {lock.target}", flush=True)
        compile_lock(lock, ROOT / lock.target, upgrade=not arguments.keep)
    return 0


if __name__ == "__main__":
    sys.exit(main())
