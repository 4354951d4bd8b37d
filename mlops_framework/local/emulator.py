"""The emulator's process, from the outside: start, stop, status, and how clients reach it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
from botocore.config import Config

from mlops_framework.local import ports, processes, venvs
from mlops_framework.local.errors import (
    EmulatorFailed,
    EnvironmentFailed,
    PortInUse,
    StateInUse,
)
from mlops_framework.local.process_settings import INSTALLER, ProcessSettings
from mlops_framework.local.running import Running, status

__all__ = ["ACCOUNT", "REGION", "Emulator", "Running", "status"]

ACCOUNT = "111122223333"
REGION = "us-east-1"

_PACKAGE_ROOT = Path(__file__).resolve().parents[2]
# Isolated (-I): neither PYTHON* variables nor the working folder reach the emulator, nor, through
# its environment, a Lambda function. The package's root comes last, behind everything locked.
_BOOTSTRAP = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from mlops_framework.local.process import main; main(sys.argv[2:])"
)
_START_SECONDS = 90.0
_PORT_ATTEMPTS = 3
_STOP_SECONDS = 20.0
_API_HOST = re.compile(
    r"https://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com/([^/]+)/?(.*)"
)


class Emulator:
    """One emulator over one state folder.

    ::

        with Emulator(state_dir) as local:
            local.client("s3").list_buckets()

    The folder holds ``emulator.json`` while it runs, ``emulator.log``, ``run/`` (swept at stop)
    and, where state is kept, ``kept/``.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        port: int | None = None,
        keep_state: bool = False,
        detached: bool = False,
        venvs_dir: Path | None = None,
        progress: venvs.Progress | None = None,
        account: str = ACCOUNT,
        region: str = REGION,
        record: Path | None = None,
    ) -> None:
        """Describes the emulator; nothing runs before :meth:`start`.

        Args:
            state_dir: Its folder; made if missing.
            port: Where it listens; ``None`` chooses a free one.
            keep_state: Read and write ``kept/`` of the folder. Without it the run starts empty,
                leaves ``kept/`` alone and removes what it made.
            detached: Goes on running after the process that started it has ended. Otherwise it
                ends by itself as soon as that process is gone, however that happened.
            venvs_dir: Where the virtual environments are kept.
            progress: Told what is being done, one sentence each.
            account: The account of unsigned calls, twelve digits.
            region: The region of unsigned calls.
            record: File to write down in what CloudFormation makes and what functions call, as
                :mod:`mlops_framework.local.plane.record` says; it stays when the emulator ends.
        """
        self.state_dir = state_dir.resolve()
        self._port = port
        self._keep_state = keep_state
        self._detached = detached
        self._venvs_dir = venvs_dir
        self._progress = progress or (lambda _: None)
        self._account = account
        self._region = region
        self._record = record
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._running: Running | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Emulator:
        """Starts it."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops it."""
        self.stop()

    @classmethod
    def attach(cls, state_dir: Path) -> Emulator | None:
        """Takes hold of the emulator that runs over a folder, or gives ``None``."""
        running = status(state_dir)
        if running is None:
            return None
        emulator = cls(
            state_dir,
            keep_state=running.keep_state,
            account=running.account,
            region=running.region,
        )
        emulator._running = running
        return emulator

    @property
    def running(self) -> Running:
        """What runs.

        Raises:
            EmulatorFailed: Nothing does.
        """
        if self._running is None:
            raise EmulatorFailed(f"No emulator runs over {self.state_dir}; start it first.")
        return self._running

    @property
    def endpoint(self) -> str:
        """The address that clients use, ``http://127.0.0.1:<port>``."""
        return self.running.endpoint

    @property
    def log(self) -> Path:
        """The emulator's log."""
        return self.state_dir / "emulator.log"

    def start(self) -> Emulator:
        """Starts the emulator and waits until it answers.

        Raises:
            StateInUse: An emulator already runs over this folder.
            PortInUse: The port asked for is taken.
            EmulatorFailed: It did not come up.
            EnvironmentFailed: Its virtual environments could not be made.
        """
        self.state_dir.mkdir(parents=True, exist_ok=True)
        live = status(self.state_dir)
        if live is not None:
            raise StateInUse(self.state_dir, live.pid, live.endpoint)
        self._recover()
        if self._port is not None and not ports.is_free(self._port):
            raise PortInUse(self._port)
        interpreters = venvs.ensure_all(self._venvs_dir, self._progress)
        self._progress("Starting the local AWS")
        self._start_process(interpreters, attempts=1 if self._port else _PORT_ATTEMPTS)
        if self._detached and self._process is not None:
            # It may outlive this process, and Popen would warn of a child nobody waited for.
            self._process.returncode = 0
            self._process = None
        return self

    def stop(self) -> None:
        """Stops the emulator and everything it started; stopping twice is fine.

        Raises:
            EmulatorFailed: Something of it survived being killed.
        """
        running = self._running
        if running is None:
            return
        if running.is_alive():
            # To the emulator alone first: it ends its jobs and functions and writes its state.
            with contextlib.suppress(ProcessLookupError):
                os.kill(running.pid, signal.SIGUSR1)  # process.STOP_COMING
                os.kill(running.pid, signal.SIGTERM)
            _wait_until(lambda: not running.is_alive(), _STOP_SECONDS)
        processes.end_group(running.pid, patience=1.0)
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.wait(timeout=5)
            self._process = None
        with contextlib.suppress(ChildProcessError):
            # A detached one is waited for here where it is this process's child, else by init.
            os.waitpid(running.pid, os.WNOHANG)
        if left := processes.group_members(running.pid):
            raise EmulatorFailed(f"Processes {left} of the emulator could not be ended.")
        self._sweep()
        self._clients.clear()
        self._running = None

    def environment(self) -> dict[str, str]:
        """The variables with which any AWS client or tool talks to this emulator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            # The emulator takes a twelve digit access key for the account itself.
            "AWS_ACCESS_KEY_ID": self._account,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, *, account: str | None = None, region: str | None = None) -> Any:
        """A boto3 client of this emulator.

        Args:
            service: botocore's name of the service.
            account: Another account than the default one.
            region: Another region than the default one.

        Returns:
            A client, shared between callers.
        """
        key = (service, account or self._account, region or self._region)
        if key not in self._clients:
            session: Any = boto3.Session(
                # The emulator takes a twelve digit access key for the account itself.
                aws_access_key_id=key[1],
                aws_secret_access_key="local",
                region_name=key[2],
            )
            self._clients[key] = session.client(
                service,
                endpoint_url=self.endpoint,
                config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}),
            )
        return self._clients[key]

    def local_url(self, url: str) -> str:
        """Turns an API Gateway address into the one that answers here.

        Args:
            url: ``https://<api>.execute-api.<region>.amazonaws.com/<stage>/<path>``, as stack
                outputs hold it.

        Returns:
            The same resource at this emulator.

        Raises:
            ValueError: The address has another form.
        """
        match = _API_HOST.fullmatch(url)
        if match is None:
            raise ValueError(f"{url!r} is not an API Gateway address of the execute-api form.")
        api, stage, path = match.groups()
        return f"{self.endpoint}/restapis/{api}/{stage}/_user_request_/{path}"

    def _start_process(self, interpreters: venvs.Interpreters, attempts: int) -> None:
        port = self._port or ports.free()
        self._spawn(port, interpreters)
        try:
            self._await_ready(port)
        except EmulatorFailed:
            # Between choosing a free port and listening on it somebody else may take it.
            self.stop()
            if attempts == 1 or ports.is_free(port):
                raise
            self._start_process(interpreters, attempts - 1)
        except BaseException:
            self.stop()
            raise

    def _spawn(self, port: int, interpreters: venvs.Interpreters) -> None:
        run = self.state_dir / "run"
        for folder in ("tmp", "home", "files"):
            (run / folder).mkdir(parents=True, exist_ok=True)
        files = self.state_dir / "kept" if self._keep_state else run / "files"
        files.mkdir(parents=True, exist_ok=True)
        settings = ProcessSettings(
            endpoint=f"http://127.0.0.1:{port}",
            state_dir=str(files),
            lambda_python=str(interpreters.functions),
            ml_python=str(interpreters.ml),
            keep_state=self._keep_state,
            ends_with_parent=not self._detached,
            record=str(self._record.resolve()) if self._record else "",
        )
        command = [str(interpreters.emulator), "-I", "-u", "-c", _BOOTSTRAP]
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [*command, str(_PACKAGE_ROOT), settings.to_json()],
                cwd=run,
                env=self._process_environment(port, run, files),
                # Held open by this process: the emulator ends when it reads the end of it.
                stdin=subprocess.DEVNULL if self._detached else subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._process = process
        mark = processes.started_at(process.pid) or ""
        self._running = Running(
            process.pid, mark, port, self._account, self._region, self._keep_state
        )
        self._running.write(self.state_dir)

    def _process_environment(self, port: int, run: Path, files: Path) -> dict[str, str]:
        # Nothing of the caller's but PATH: Lambda functions inherit what stands here.
        kept = "1" if self._keep_state else "0"
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "HOME": str(run / "home"),
            "TMPDIR": str(run / "tmp"),
            "NO_PROXY": "127.0.0.1,localhost",
            "AWS_EC2_METADATA_DISABLED": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": "localhost",
            "MINISTACK_ACCOUNT_ID": self._account,
            "MINISTACK_REGION": self._region,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "PERSIST_STATE": kept,
            "STATE_DIR": str(files / "services"),
            "S3_PERSIST": kept,
            "S3_DATA_DIR": str(files / "s3"),
            **_installer(),
        }

    def _await_ready(self, port: int) -> None:
        process = self._process
        address = f"http://127.0.0.1:{port}/_ministack/health"
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if process is not None and process.poll() is not None:
                raise EmulatorFailed(
                    f"The emulator ended with status {process.returncode} while starting.\n"
                    + self._log_tail()
                )
            # By our own log first: on a port lost to somebody else, somebody else would answer.
            if f"Running on http://127.0.0.1:{port}" in self.log.read_text(errors="replace"):
                with contextlib.suppress(urllib.error.URLError, OSError):
                    urllib.request.urlopen(address, timeout=2).close()
                    return
            time.sleep(0.05)
        raise EmulatorFailed(
            f"The emulator did not answer at {address} within {_START_SECONDS:.0f} s.\n"
            + self._log_tail()
        )

    def _log_tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return f"The end of {self.log}:\n" + "\n".join(lines[-30:])

    def _recover(self) -> None:
        """Clears what an interrupted run left: its record, orphans of its group, its files."""
        record = Running.read(self.state_dir)
        if record is not None and processes.started_at(record.pid) is None:
            # The leader is gone, so whoever still carries its group was started by it.
            processes.end_group(record.pid, patience=1.0)
        self._sweep()

    def _sweep(self) -> None:
        shutil.rmtree(self.state_dir / "run", ignore_errors=True)
        Running.forget(self.state_dir)


def _wait_until(condition: Any, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _installer() -> dict[str, str]:
    """How the process may install what a job is the first to want; it forgets it for functions."""
    try:
        return {INSTALLER: venvs.Installer.here().to_json()}
    except EnvironmentFailed:
        return {}  # What has to be there is there; a job that wants more will be told.
