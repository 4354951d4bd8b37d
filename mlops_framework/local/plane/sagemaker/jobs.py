"""What training and processing jobs have in common: one thread, one folder, one process each."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker.area import REASON_LIMIT, Area, now
from mlops_framework.local.plane.sagemaker.processes import RunnerProcess, work_folder
from mlops_framework.local.plane.service import Scope

# What SageMaker gives a job to save its work after a stop.
GRACE_SECONDS = 120.0
_POLL_SECONDS = 0.1


class Ending(Enum):
    """Why a job's process is over."""

    EXIT = "it ended by itself"
    STOP = "somebody stopped it"
    RUNTIME = "its MaxRuntimeInSeconds were over"


class JobAbandoned(Exception):
    """The local AWS ends while the job runs; its record is settled at the next start."""


@dataclass
class Job:
    """One job at work.

    Attributes:
        kind: `training-job` or `processing-job`.
        name: its name.
        scope: account and region.
        folder: its own folder on this machine.
        ending: set when the local AWS ends; a job fails of that, not of itself.
        stop: set when somebody stops it.
    """

    kind: str
    name: str
    scope: Scope
    folder: Path
    ending: threading.Event
    stop: threading.Event = field(default_factory=threading.Event)
    _process: RunnerProcess | None = None

    @property
    def opt_ml(self) -> Path:
        """What the job sees as /opt/ml."""
        return self.folder / "opt" / "ml"

    def run(self, process: RunnerProcess, max_seconds: float) -> Ending:
        """Wait for the process, a stop, or the end of the time it may run.

        Args:
            process: just started.
            max_seconds: MaxRuntimeInSeconds.

        Returns:
            Which of the three it was; the process is over in any case.

        Raises:
            JobAbandoned: the local AWS is ending.
        """
        self._process = process
        deadline = time.monotonic() + max_seconds
        while not process.wait(_POLL_SECONDS):
            if self.ending.is_set():
                break
            if self.stop.is_set():
                process.stop(GRACE_SECONDS)
                return Ending.STOP
            if time.monotonic() > deadline:
                process.stop(GRACE_SECONDS)
                return Ending.RUNTIME
        if self.ending.is_set():
            process.kill()
            raise JobAbandoned(self.name)
        # The stop may have reached the process before it reached this loop.
        return Ending.STOP if self.stop.is_set() else Ending.EXIT

    def kill(self) -> None:
        """End it without grace: the emulator itself is ending."""
        if self._process is not None:
            self._process.kill()

    def failure(self) -> str:
        """The reason that the runner left, shortened as SageMaker shortens it."""
        file = self.opt_ml / "output" / "failure"
        if not file.exists():
            return "See job logs for more information"
        return file.read_text(encoding="utf-8", errors="replace")[:REASON_LIMIT]


class Jobs(Area):
    """Starts, follows and ends jobs; the kinds of job are built on it."""

    def __init__(self, host: PlaneHost) -> None:
        """Take back what an earlier run left unfinished.

        Args:
            host: the emulator.
        """
        super().__init__(host)
        self._jobs: dict[tuple[str, str, Scope], Job] = {}
        host.on_stop("SageMaker jobs", self._kill_all)

    def launch(
        self, kind: str, name: str, scope: Scope, work: Callable[[Job, dict[str, Any]], None]
    ) -> None:
        """Start a job in a thread of its own.

        Args:
            kind: `training-job` or `processing-job`.
            name: its name.
            scope: account and region.
            work: does the job and keeps its record; gets the job and a copy of the record.
        """
        folder = work_folder(self.host, scope, kind, name)
        shutil.rmtree(folder, ignore_errors=True)
        job = Job(kind, name, scope, folder, self.host.stopping)
        job.opt_ml.mkdir(parents=True)
        record = self.find(kind, name, scope)
        if record is None:
            raise RuntimeError(f"the {kind} {name} has no record")
        with self.locked():
            self._jobs[kind, name, scope] = job

        def run() -> None:
            try:
                with contextlib.suppress(JobAbandoned):
                    work(job, record)
            finally:
                with self.locked():
                    self._jobs.pop((kind, name, scope), None)

        self.host.spawn(f"{kind} {name}", run)

    def ask_to_stop(self, kind: str, name: str, scope: Scope) -> None:
        """Tell a running job to stop; it keeps its own record."""
        with self.locked():
            job = self._jobs.get((kind, name, scope))
        if job is not None:
            job.stop.set()

    def fail_unfinished(self, kind: str, status: str, **more: Any) -> None:
        """Fail the jobs that an earlier run of the local AWS did not finish.

        Args:
            kind: `training-job` or `processing-job`.
            status: the member that holds the job's status.
            **more: further members to set.
        """
        for scope in self.host.scopes(self.name):
            with self.locked():
                names = [
                    name
                    for name, record in self.records(kind, scope).items()
                    if record[status] in ("InProgress", "Stopping")
                ]
            for name in names:
                reason = "InternalServerError: the local AWS was stopped while the job ran."
                values: Mapping[str, Any] = {status: "Failed", "FailureReason": reason, **more}
                self.change(kind, name, scope, **values)

    def _kill_all(self) -> None:
        with self.locked():
            jobs = list(self._jobs.values())
        for job in jobs:
            job.kill()


def seconds_since(moment: dt.datetime) -> int:
    """Whole seconds since a moment, at least 1."""
    return max(1, round((now() - moment).total_seconds()))
