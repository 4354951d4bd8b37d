"""The user's code: fetched from S3 or a folder, unpacked safely, its requirements installed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from . import archives, entry_point
from .errors import InstallModuleFailed, InstallRequirementsFailed, ProgramFailed, UserError


def fetch(location: str, code: Path) -> None:
    """Put the user's code into its folder, unless something is there already.

    Args:
        location: an `s3://…` tar.gz, a local tar.gz, a local folder or a local file.
        code: the folder; made when missing.

    Raises:
        UserError: the location holds no such thing.
    """
    code.mkdir(parents=True, exist_ok=True)
    if any(code.iterdir()):
        return
    if location.startswith("s3://"):
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "source.tar.gz"
            _download(location, archive)
            unpack(archive, code, told_as=location)
        return
    local = Path(location)
    if local == code:
        return
    if local.is_dir():
        shutil.copytree(local, code, dirs_exist_ok=True)
    elif not local.is_file():
        raise UserError(f"The source directory {location!r} does not exist.")
    elif tarfile.is_tarfile(local):
        unpack(local, code, told_as=location)
    else:
        shutil.copy2(local, code)


def unpack(archive: Path, folder: Path, *, told_as: str) -> None:
    """Unpack a tar.gz; nothing is written outside the folder.

    Args:
        archive: the file.
        folder: where it goes.
        told_as: what to call it in an error.

    Raises:
        UserError: it is not a gzipped tar archive, or tries to leave the folder.
    """
    try:
        archives.unpack(archive, folder)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise UserError(f"{told_as} cannot be unpacked as a tar.gz archive: {error}") from error


def install(code: Path, name: str, packages: Path) -> None:
    """Install what the code asks for, into a folder of this job alone.

    In a container the toolkit installs into the image's Python, which ends with the job. Here the
    interpreter is shared between jobs, so that each job gets a folder on its own import path.

    Args:
        code: the user's code.
        name: the entry point.
        packages: the job's folder for installed packages.

    Raises:
        ProgramFailed: the installer failed; its reason is in the message.
    """
    kind = entry_point.kind_of(code, name)
    requirements = (code / "requirements.txt").exists()
    if kind is entry_point.Kind.PACKAGE:
        wanted = [".", *(["-r", "requirements.txt"] if requirements else [])]
        _run_installer(wanted, code, packages, InstallModuleFailed)
    elif kind is entry_point.Kind.PROGRAM and requirements:
        print("Installing dependencies from requirements.txt", flush=True)
        _run_installer(["-r", "requirements.txt"], code, packages, InstallRequirementsFailed)


def _run_installer(
    wanted: list[str], code: Path, packages: Path, failure: type[ProgramFailed]
) -> None:
    if uv := os.environ.get("MLOPS_UV"):
        command = [uv, "pip", "install", "--python", sys.executable]
    elif importlib.util.find_spec("pip"):
        command = [sys.executable, "-m", "pip", "install"]
    else:
        raise UserError(
            f"requirements.txt cannot be installed: {sys.executable} has no pip, and MLOPS_UV does "
            f"not name a uv. Bring the packages in the source archive, or install pip there."
        )
    packages.mkdir(parents=True, exist_ok=True)
    command += ["--target", str(packages), *wanted]
    entry_point.run(command, folder=code, environment=os.environ, failure=failure)


def _download(location: str, target: Path) -> None:
    import boto3  # here, because only jobs whose code lies in S3 need it
    from botocore.exceptions import ClientError

    parts = urlsplit(location)
    try:
        boto3.client("s3").download_file(parts.netloc, parts.path.lstrip("/"), str(target))
    except ClientError as error:
        raise UserError(f"The source archive {location} cannot be read: {error}") from error
