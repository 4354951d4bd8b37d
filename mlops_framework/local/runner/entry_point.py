"""The user's program: which command it is, and running it while watching for its error."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import IO

from .errors import PYTHON_ERRORS, ProgramFailed, UserError

_SAFE = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+-]*(/[A-Za-z0-9._+-]+)*")
_CHUNK = 64 * 1024


class Kind(Enum):
    """How an entry point is run."""

    PACKAGE = "a package with a setup.py, run as a module"
    PROGRAM = "a Python file"
    COMMAND = "a shell command"


def kind_of(code: Path, name: str) -> Kind:
    """Say how the entry point is to be run.

    Args:
        code: the folder that holds it.
        name: its path, relative to the folder.

    Returns:
        A `.sh` file is a command; beside a setup.py everything else is a package.
    """
    if name.endswith(".sh"):
        return Kind.COMMAND
    if (code / "setup.py").exists():
        return Kind.PACKAGE
    return Kind.PROGRAM if name.endswith(".py") else Kind.COMMAND


def check_name(name: str) -> str:
    """Refuse an entry point that is not a plain path inside the code folder.

    Args:
        name: the value of `sagemaker_program`.

    Returns:
        The name as it is.

    Raises:
        UserError: it is empty, absolute, leaves the folder or could be read as an option.
    """
    wanted = (
        "Set the 'sagemaker_program' hyperparameter to a path inside the source directory, "
        "of letters, digits, '.', '_', '+', '-' and '/': for example 'train.py' or 'bin/train.sh'."
    )
    if not name:
        raise UserError(f"The training entry point name is empty. {wanted}")
    if not _SAFE.fullmatch(name) or any(part in (".", "..") for part in name.split("/")):
        raise UserError(f"The training entry point {name!r} cannot be used. {wanted}")
    return name


def command_for(code: Path, name: str, arguments: Sequence[str]) -> list[str]:
    """Build the command of an entry point.

    Args:
        code: the folder that holds it.
        name: its path, relative to the folder.
        arguments: the hyperparameters as arguments.

    Returns:
        The command, to be run in `code`.
    """
    check_name(name)
    kind = kind_of(code, name)
    if kind is Kind.PACKAGE:
        return [sys.executable, "-m", name.removesuffix(".py"), *arguments]
    if kind is Kind.PROGRAM:
        # After `--` the interpreter cannot take the name for one of its options.
        return [sys.executable, "--", name, *arguments]
    script = code / name
    if not script.resolve().is_relative_to(code.resolve()):
        raise UserError(f"The training entry point {name!r} leads outside the source directory.")
    script.chmod(0o777)
    quoted = " ".join(shlex.quote(argument) for argument in arguments)
    return ["/bin/sh", "-c", f"./{shlex.quote(name)} {quoted}"]


def run(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    failure: type[ProgramFailed] = ProgramFailed,
) -> None:
    """Run a program to its end; its output goes to our standard output as it comes.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        environment: all of its environment.
        failure: the error to raise.

    Raises:
        ProgramFailed: its exit status is not 0; the message holds its error.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    watches = [_Watch(process.stdout), _Watch(process.stderr)]
    for watch in watches:
        watch.join()
    status = process.wait()
    if status:
        told = " ".join(watch.error for watch in watches)
        unique = dict.fromkeys(told.split("\n"))
        raise failure(command, status, "\n".join(unique).strip())


class _Watch(threading.Thread):
    """Pass one stream on, and keep what follows the first line that names a Python error."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._kept: list[str] = []
        self.start()

    @property
    def error(self) -> str:
        return " ".join(self._kept)

    def run(self) -> None:
        if self._stream is None:
            return
        rest = b""
        with self._stream as stream:
            while chunk := os.read(stream.fileno(), _CHUNK):
                # Whole lines only: Python writes the last line of a traceback in three pieces.
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._tell(line)
        if rest:
            self._tell(rest)

    def _tell(self, raw: bytes) -> None:
        line = raw.decode("utf-8", "replace").rstrip("\r")
        print(line, flush=True)
        self._keep(line)

    def _keep(self, line: str) -> None:
        if self._kept or any(error in line for error in PYTHON_ERRORS):
            told = line.strip(" :\n") + "\n"
            if told not in self._kept:
                self._kept.append(told)
