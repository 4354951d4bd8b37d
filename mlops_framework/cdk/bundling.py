"""Lambda bundles, built on the host: no Docker, one deterministic zip per service.

The zip's name is the hash of everything that decides its content (requirements, sources, extra
files, architecture, Python and this recipe), so an unchanged service is never built again and the
same checkout gives the same asset on every machine. Wheels are fetched by uv, or by pip where uv is
missing, for the Lambda's platform and not the builder's.
"""

from __future__ import annotations

import fnmatch
import hashlib
import importlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_framework.cdk.errors import BundleRefused
from mlops_framework.cdk.sources import SourceTree
from mlops_framework.settings import LambdaSettings

RECIPE = "4"
"""Changes whenever the same inputs would give other bytes."""

LEAVE_OUT = "leave-out.txt"
"""In a service's folder: patterns of installed files that its bundle does without, one a line."""

CLOUD_PYTHON = "3.14"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o644 << 16
# Written by the installer about the installation, not by the package: different on every host.
_INSTALLER_FILES = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})
# Headers, sources of compiled modules, type stubs and packages' own tests: nothing imports them.
_BUILD_ONLY = frozenset({".a", ".c", ".cc", ".cpp", ".h", ".hpp", ".pxd", ".pxi", ".pyi", ".pyx"})
_ARM = frozenset({"aarch64", "arm64"})


@dataclass(frozen=True)
class RuntimeTarget:
    """Where a bundle will run.

    Attributes:
        python: Minor version, ``"3.14"``.
        machine: ``"aarch64"`` or ``"x86_64"``.
        host: Whether it runs on this machine, so that this machine's wheels are wanted.
    """

    python: str
    machine: str
    host: bool = False

    @classmethod
    def cloud(cls) -> RuntimeTarget:
        """AWS Lambda on Graviton, the newest Python that it offers."""
        return cls(CLOUD_PYTHON, "aarch64")

    @classmethod
    def this_host(cls) -> RuntimeTarget:
        """The interpreter that runs the synthesis; the local AWS uses the same version."""
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        machine = "aarch64" if platform.machine().lower() in _ARM else "x86_64"
        return cls(python, machine, host=True)


@dataclass(frozen=True)
class Bundle:
    """One service, ready to upload.

    Attributes:
        service: Folder below ``lambdas``.
        folder: The service's sources.
        path: The zip.
        digest: SHA-256 of what it was built from, 64 hex digits; the asset's hash.
        target: Where it runs.
    """

    service: str
    folder: Path
    path: Path
    digest: str
    target: RuntimeTarget

    def settings(self, name: str) -> type[LambdaSettings]:
        """A settings class of the service, for blueprints, which do not import ``lambdas``.

        Raises:
            BundleRefused: ``lambdas/<service>/settings.py`` has no such class.
        """
        module = importlib.import_module(f"lambdas.{self.service}.settings")
        found = getattr(module, name, None)
        if not (isinstance(found, type) and issubclass(found, LambdaSettings)):
            raise BundleRefused(f"{module.__name__} declares no settings class {name!r}")
        return found


@dataclass(frozen=True)
class Bundler:
    """Builds the bundles of one checkout.

    Attributes:
        root: The checkout, which holds ``lambdas/`` and ``mlops_framework/``.
        build: Folder for bundles and wheels; may be deleted at any time.
        target: Where the functions run.
    """

    root: Path
    build: Path
    target: RuntimeTarget

    def bundle(
        self,
        service: str,
        *,
        modules: Iterable[str] = (),
        packages: Mapping[str, Path] | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> Bundle:
        """Build ``lambdas/<service>``, or find it built.

        Args:
            service: Folder below ``lambdas``.
            modules: Further modules it loads by name, such as the blueprints' contracts.
            packages: Top-level packages of plugins: name to folder.
            files: Further files: path inside the zip to content, such as the catalogue.

        Raises:
            BundleRefused: The service has no code or no ``requirements.txt``, imports what a Lambda
                must not, or its requirements have no wheel for the target.
        """
        folder = self.root / "lambdas" / service
        requirements = folder / "requirements.txt"
        if not requirements.is_file():
            raise BundleRefused(
                f"{requirements} is missing; every service pins what it installs, even if nothing"
            )
        content = dict(files or {})
        for inside, path in self._sources(service, modules, packages or {}).items():
            content[inside] = path.read_bytes()
        lock = requirements.read_bytes()
        left_out = folder / LEAVE_OUT
        unwanted = left_out.read_bytes() if left_out.is_file() else b""
        digest = self._digest(lock + unwanted, content)
        path = self.build / "bundles" / f"{service}-{digest[:16]}.zip"
        if not path.is_file():
            patterns = _patterns(unwanted)
            for inside, data in self._wheels(service, requirements, lock, patterns).items():
                content.setdefault(inside, data)
            _write_zip(path, content)
        return Bundle(service, folder, path, digest, self.target)

    def _sources(
        self, service: str, modules: Iterable[str], packages: Mapping[str, Path]
    ) -> dict[str, Path]:
        tree = SourceTree(
            {
                "mlops_framework": self.root / "mlops_framework",
                "lambdas": self.root / "lambdas",
                **packages,
            }
        )
        folder = self.root / "lambdas" / service
        own = [
            f"lambdas.{service}" + ("" if file.stem == "__init__" else f".{file.stem}")
            for file in sorted(folder.glob("*.py"))
        ]
        if not own:
            raise BundleRefused(f"{folder} holds no Python module")
        return tree.needed_by([*own, *modules])

    def _digest(self, lock: bytes, content: Mapping[str, bytes]) -> str:
        digest = hashlib.sha256()
        target = f"{RECIPE}|{self.target.python}|{self.target.machine}|{self.target.host}"
        for name, data in [("", target.encode()), ("requirements.txt", lock)]:
            digest.update(f"{name}\0{len(data)}\0".encode() + data)
        for name, data in sorted(content.items()):
            digest.update(f"{name}\0{len(data)}\0".encode() + data)
        return digest.hexdigest()

    def _wheels(
        self, service: str, requirements: Path, lock: bytes, unwanted: Sequence[str]
    ) -> dict[str, bytes]:
        """Install the requirements once per lock and target; other bundles share the folder."""
        wanted = [line for line in lock.decode().splitlines() if line.strip()[:1] not in ("", "#")]
        if not wanted:
            return {}
        key = self._digest(lock, {})[:16]
        folder = self.build / "wheels" / key
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
                staging = Path(temporary) / "site"
                _install(service, requirements, staging, self.target)
                try:
                    staging.rename(folder)
                except OSError:
                    # Another synthesis of the same lock was faster; its folder is the same.
                    if not folder.is_dir():
                        raise
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and _is_wanted(path.relative_to(folder), unwanted)
        }


def _patterns(text: bytes) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in text.decode().splitlines())
    return [line for line in lines if line]


def _is_wanted(inside: Path, unwanted: Sequence[str]) -> bool:
    # bin/ holds launchers whose first line names this machine's interpreter.
    if inside.parts[0] == "bin" or "__pycache__" in inside.parts or inside.suffix == ".pyc":
        return False
    if inside.suffix in _BUILD_ONLY or "tests" in inside.parts or "include" in inside.parts:
        return False
    if any(fnmatch.fnmatchcase(inside.as_posix(), pattern) for pattern in unwanted):
        return False
    return not (inside.parent.suffix == ".dist-info" and inside.name in _INSTALLER_FILES)


def _install(service: str, requirements: Path, into: Path, target: RuntimeTarget) -> None:
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    command = [uv, *_uv_arguments(target)] if uv else [sys.executable, *_pip_arguments(target)]
    command += ["--target", str(into), "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BundleRefused(
            f"lambdas/{service}/requirements.txt cannot be installed for Python {target.python} on "
            f"{target.machine} ({'uv' if uv else 'pip'} said):\n{done.stderr.strip()}\n"
            "Every requirement needs a wheel for that platform, and the package index must be "
            "reachable the first time."
        )


def _uv_arguments(target: RuntimeTarget) -> list[str]:
    arguments = ["pip", "install", "--quiet", "--only-binary", ":all:", "--link-mode", "copy"]
    # The machine's certificates, as pip takes them: a company's index often has its own.
    arguments += ["--system-certs", "--python-version", target.python]
    if target.host:
        return [*arguments, "--python", sys.executable]
    # Lambda's Python 3.12 and newer is Amazon Linux 2023, glibc 2.34.
    return [*arguments, "--python-platform", f"{target.machine}-manylinux_2_28"]


def _pip_arguments(target: RuntimeTarget) -> list[str]:
    arguments = ["-m", "pip", "install", "--quiet", "--no-compile", "--only-binary", ":all:"]
    if target.host:
        return arguments
    for tag in ("manylinux_2_28", "manylinux2014"):
        arguments += ["--platform", f"{tag}_{target.machine}"]
    return [*arguments, "--python-version", target.python, "--implementation", "cp"]


def _write_zip(path: Path, content: Mapping[str, bytes]) -> None:
    """Write sorted entries with one date and one mode, and put the file in place at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w") as archive:
            for name, data in sorted(content.items()):
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.external_attr = _FILE_MODE
                entry.create_system = 3  # Unix, whatever the builder is
                archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 6)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
