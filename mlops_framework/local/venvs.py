"""Virtual environments of the local AWS: emulator, Lambda functions and ML code, each its own.

Apart, so that nothing imports locally that is not in its bundle or its image. Every environment is
installed by uv from a hashed lock in ``requirements/`` and stands under a name that holds the
lock's digest: an unchanged one is found at once, a changed one never mixes with the old.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mlops_framework.local.errors import EnvironmentFailed

Progress = Callable[[str], None]

LOCKS = Path(__file__).resolve().parent / "requirements"
_BUILD_LOCK = LOCKS / "build.txt"
_COMPLETE = ".complete"
_PACKAGES_COME_FROM = (
    *("UV_", "PIP_", "SSL_CERT", "REQUESTS_CA", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
    *("NO_PROXY", "HOME", "PATH", "XDG_", "TMPDIR", "LANG"),
)
"""How the names of variables begin that an installation depends on."""


@dataclass(frozen=True)
class Installer:
    """uv, and the environment it is called with.

    The emulator's own process has nothing of the caller's environment; it is handed this, to
    install what a job is the first to want.

    Attributes:
        uv: Its executable.
        environment: All of its environment.
    """

    uv: str
    environment: Mapping[str, str]

    @classmethod
    def here(cls) -> Self:
        """As this process would call it.

        Raises:
            EnvironmentFailed: There is no uv.
        """
        beside = Path(sys.executable).with_name("uv")
        uv = str(beside) if beside.exists() else shutil.which("uv")
        if uv is None:
            raise EnvironmentFailed(
                "uv is not installed; the local AWS installs its environments with it. "
                "Run `make setup`, or `pip install uv`."
            )
        environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
        # uv does not read pip's settings; whoever points pip at a mirror means both.
        if "PIP_INDEX_URL" in environment and "UV_INDEX_URL" not in environment:
            environment.setdefault("UV_DEFAULT_INDEX", environment["PIP_INDEX_URL"])
        # Behind a proxy that signs anew, only the machine's own store knows the certificate.
        environment.setdefault("UV_SYSTEM_CERTS", "true")
        # A service account may have no home to cache downloads in.
        if not os.access(environment.get("HOME", ""), os.W_OK):
            environment.setdefault("UV_NO_CACHE", "true")
        return cls(uv, environment)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What :meth:`to_json` wrote."""
        document = json.loads(text)
        return cls(document["uv"], document["environment"])

    def to_json(self) -> str:
        """Where uv is, and of its environment what decides where packages come from."""
        kept = {
            name: value
            for name, value in self.environment.items()
            if name.upper().startswith(_PACKAGES_COME_FROM)
        }
        return json.dumps({"uv": self.uv, "environment": kept})

    def run(self, *arguments: str) -> None:
        """Call uv.

        Raises:
            EnvironmentFailed: It failed; in its own words.
        """
        done = subprocess.run(
            [self.uv, *arguments],
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            shown = " ".join(("uv", *arguments[:2]))
            raise EnvironmentFailed(f"`{shown}` failed for the local AWS:\n{done.stderr.strip()}")


@dataclass(frozen=True)
class Interpreters:
    """The interpreters of the three environments.

    Attributes:
        emulator: Holds ministack and boto3.
        functions: Holds what AWS's Python Lambda runtime brings.
        ml: Holds what the scikit-learn framework image brings.
    """

    emulator: Path
    functions: Path
    ml: Path


def default_folder() -> Path:
    """Where environments are kept: ``.mlops/venvs`` of the checkout, or of the working folder."""
    checkout = Path(__file__).resolve().parents[2]
    root = checkout if (checkout / "pyproject.toml").exists() else Path.cwd()
    return root / ".mlops" / "venvs"


def ensure_all(folder: Path | None = None, progress: Progress | None = None) -> Interpreters:
    """Makes the three environments, or finds them.

    Args:
        folder: Where they are kept; shared between states. Default: :func:`default_folder`.
        progress: Told one sentence per environment that has to be made.

    Raises:
        EnvironmentFailed: An environment could not be installed.
    """
    home = folder or default_folder()
    return Interpreters(
        emulator=ensure("emulator", home, progress),
        functions=ensure("lambda", home, progress),
        ml=ensure("ml", home, progress),
    )


def ensure(
    name: str,
    folder: Path,
    progress: Progress | None = None,
    installer: Installer | None = None,
) -> Path:
    """Makes one environment, or finds it.

    Safe to call from several processes at once; an interrupted installation is started over.

    Args:
        name: ``emulator``, ``lambda``, ``ml`` or ``xgboost``: a lock in ``requirements/``.
        folder: Where environments are kept.
        progress: Told one sentence when the environment has to be made.
        installer: What installs it; as this process would, if not given.

    Returns:
        The environment's interpreter.

    Raises:
        EnvironmentFailed: There is no such lock, no uv, or uv failed.
    """
    lock = LOCKS / f"{name}.txt"
    if not lock.exists():
        known = ", ".join(sorted(file.stem for file in LOCKS.glob("*.txt")))
        raise EnvironmentFailed(f"There is no lock for the environment {name!r}; known: {known}.")
    target = folder / f"{name}-{_digest(lock)}"
    python = target / "bin" / "python"
    if (target / _COMPLETE).exists() and python.exists():
        return python
    folder.mkdir(parents=True, exist_ok=True)
    with _only_one(folder / f".{target.name}.lock"):
        if (target / _COMPLETE).exists() and python.exists():
            return python
        if progress:
            progress(f"Installing the {name} environment of the local AWS")
        shutil.rmtree(target, ignore_errors=True)
        uv = installer or Installer.here()
        uv.run("venv", "--quiet", "--python", sys.executable, str(target))
        uv.run(
            *("pip", "sync", "--quiet", "--require-hashes"),
            *("--build-constraints", str(_BUILD_LOCK)),
            *("--python", str(python), str(lock)),
        )
        (target / _COMPLETE).touch()
    return python


def _digest(lock: Path) -> str:
    parts = (lock.read_bytes(), _BUILD_LOCK.read_bytes(), sys.version.encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


@contextmanager
def _only_one(file: Path) -> Iterator[None]:
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
