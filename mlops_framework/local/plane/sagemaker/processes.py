"""Running work as real processes: own folder, own process group, own log stream."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

import mlops_framework.local
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker.images import IMAGE, program_of
from mlops_framework.local.plane.service import Scope

# Found beside us, not imported: it belongs to the ML environment (see its docstring).
RUNNER = Path(mlops_framework.local.__file__).parent / "runner"
_BATCH_SECONDS = 1.0
_BATCH_LINES = 1000


def work_folder(host: PlaneHost, scope: Scope, kind: str, name: str) -> Path:
    """The folder of a job or an endpoint; the same name may be in use in another account.

    Args:
        host: the emulator.
        scope: account and region.
        kind: `training-job`, `processing-job` or `endpoint`.
        name: its name.
    """
    return host.state_dir / f"{kind}s" / f"{scope.account}-{scope.region}" / name


def base_environment(host: PlaneHost, scope: Scope, folder: Path) -> dict[str, str]:
    """The environment that a container would start with; nothing of ours leaks in.

    Args:
        host: the emulator.
        scope: account and region of the job.
        folder: the job's folder, for its temporary files.
    """
    scratch = folder / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": f"{host.ml_python.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "AWS_ENDPOINT_URL": host.endpoint,
        "AWS_ACCESS_KEY_ID": scope.account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": scope.region,
        "AWS_DEFAULT_REGION": scope.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "MLOPS_LIFELINE": "stdin",
    }
    if uv := shutil.which("uv"):
        environment["MLOPS_UV"] = uv
    return environment


class LogStream:
    """One CloudWatch Logs stream, written in batches, and the same lines in a file."""

    def __init__(
        self, host: PlaneHost, scope: Scope, *, group: str, stream: str, file: Path
    ) -> None:
        """Make group and stream.

        Args:
            host: the emulator.
            scope: account and region.
            group: the log group; made when missing.
            stream: the log stream.
            file: the local copy.
        """
        self.group, self.stream, self.arn = group, stream, ""
        self._client = host.client("logs", scope)
        self._file = file
        self._waiting: list[dict[str, Any]] = []
        self._sent = time.monotonic()
        file.parent.mkdir(parents=True, exist_ok=True)
        self.arn = scope.arn("logs", f"log-group:{group}:log-stream:{stream}")
        exists = self._client.exceptions.ResourceAlreadyExistsException
        with contextlib.suppress(exists):
            self._client.create_log_group(logGroupName=group)
        with contextlib.suppress(exists):
            self._client.create_log_stream(logGroupName=group, logStreamName=stream)

    def write(self, line: str) -> None:
        """Add a line; it is sent with its batch."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        # CloudWatch Logs takes no empty message.
        self._waiting.append({"timestamp": int(time.time() * 1000), "message": line or " "})
        due = time.monotonic() - self._sent > _BATCH_SECONDS
        if due or len(self._waiting) >= _BATCH_LINES:
            self.flush()

    def flush(self) -> None:
        """Send what waits; a line that CloudWatch Logs does not take is still in the file."""
        waiting, self._waiting = self._waiting, []
        self._sent = time.monotonic()
        if waiting:
            with contextlib.suppress(ClientError, BotoCoreError):
                self._client.put_log_events(
                    logGroupName=self.group, logStreamName=self.stream, logEvents=waiting
                )


class RunnerProcess:
    """One runner at work, and everything it started."""

    def __init__(
        self,
        host: PlaneHost,
        kind: str,
        folder: Path,
        environment: Mapping[str, str],
        log: LogStream,
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        """Start it.

        Args:
            host: the emulator.
            kind: `training`, `processing` or `serving`.
            folder: what the job sees as /opt/ml.
            environment: all of its environment; its image decides what runs.
            log: where its output goes.
            on_line: told every line of output.

        Raises:
            EnvironmentFailed: what its image needs cannot be installed.
        """
        program = program_of(environment.get(IMAGE, ""))
        python = program.python(host)
        kind = f"{program.prefix}{kind}"
        command: Sequence[str] = [str(python), str(RUNNER), kind, str(folder)]
        own = dict(environment)
        if python != host.ml_python:
            own["PATH"] = own["PATH"].replace(str(host.ml_python.parent), str(python.parent))
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=own,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._log, self._on_line = log, on_line
        self._pump = threading.Thread(target=self._read, name=f"log of {log.stream}", daemon=True)
        self._pump.start()

    @property
    def status(self) -> int | None:
        """The exit status, None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end of the process and of its output.

        Args:
            seconds: at most this long; None for ever.

        Returns:
            Whether it has ended.
        """
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._pump.join(5)
        return True

    def stop(self, grace_seconds: float) -> None:
        """Ask the whole group to end, and end it when the grace is over.

        Args:
            grace_seconds: SageMaker gives a training job 120 to save its work.
        """
        self._signal(signal.SIGTERM)
        if not self.wait(grace_seconds):
            self._signal(signal.SIGKILL)
            self.wait()

    def kill(self) -> None:
        """End the whole group at once."""
        self._signal(signal.SIGKILL)
        self.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _read(self) -> None:
        output = self._process.stdout
        if output is None:
            return
        rest = b""
        with output:
            while True:
                ready, _, _ = select.select([output], [], [], _BATCH_SECONDS)
                if not ready:
                    # A quiet job's last line shall not wait for its next one.
                    self._log.flush()
                    continue
                chunk = os.read(output.fileno(), 64 * 1024)
                if not chunk:
                    break
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._tell(line)
        if rest:
            self._tell(rest)
        self._log.flush()

    def _tell(self, raw: bytes) -> None:
        line = raw.decode("utf-8", "replace").rstrip("\r")
        self._log.write(line)
        if self._on_line:
            self._on_line(line)
