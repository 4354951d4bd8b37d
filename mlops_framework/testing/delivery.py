"""The ports of delivery in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlops_framework.delivery.endpoint import Serving
from mlops_framework.delivery.model_build import BuildRun, BuildStep
from mlops_framework.delivery.state_machine import MachineRun
from mlops_framework.delivery.verdict import FailureKind


@dataclass(frozen=True)
class Reported:
    """What CodePipeline was told of a job."""

    job_id: str
    result: str
    text: str
    reference: str
    token: Mapping[str, str]
    outputs: Mapping[str, str]
    kind: str = ""


class RecordedJobs:
    """The port ``JobReporter``."""

    def __init__(self) -> None:
        self.reports: list[Reported] = []

    def succeed(
        self, job_id: str, *, summary: str, reference: str, outputs: Mapping[str, str]
    ) -> None:
        """See ``JobReporter.succeed``."""
        self.reports.append(Reported(job_id, "succeeded", summary, reference, {}, dict(outputs)))

    def proceed(
        self, job_id: str, *, token: Mapping[str, str], summary: str, reference: str
    ) -> None:
        """See ``JobReporter.proceed``."""
        self.reports.append(Reported(job_id, "proceeds", summary, reference, dict(token), {}))

    def fail(self, job_id: str, *, kind: FailureKind, message: str, reference: str) -> None:
        """See ``JobReporter.fail``."""
        self.reports.append(Reported(job_id, "failed", message, reference, {}, {}, kind))


class InMemoryBuilds:
    """The port ``ModelBuilds``; a started run executes until :meth:`finish`.

    ``refusal`` is raised by every call while it is set.
    """

    def __init__(self) -> None:
        self.runs: dict[str, BuildRun] = {}
        self.groups: set[str] = set()
        self.refusal: Exception | None = None
        self._by_token: dict[str, str] = {}

    def keep_group(self, name: str) -> None:
        """See ``ModelBuilds.keep_group``."""
        self._refuse()
        self.groups.add(name)

    def start(self, pipeline: str, *, token: str) -> str:
        """See ``ModelBuilds.start``."""
        self._refuse()
        if token not in self._by_token:
            arn = (
                f"arn:aws:sagemaker:us-east-1:111122223333:pipeline/{pipeline}/execution/"
                f"run{len(self.runs) + 1:09d}"
            )
            self._by_token[token] = arn
            self.runs[arn] = BuildRun(arn, "Executing", steps=(BuildStep("Train", "Executing"),))
        return self._by_token[token]

    def look(self, execution: str) -> BuildRun:
        """See ``ModelBuilds.look``."""
        self._refuse()
        return self.runs[execution]

    def finish(self, status: str, *steps: BuildStep, reason: str = "") -> None:
        """End every run that executes."""
        self.runs = {
            arn: replace(run, status=status, reason=reason, steps=steps)
            if run.status == "Executing"
            else run
            for arn, run in self.runs.items()
        }

    def _refuse(self) -> None:
        if self.refusal is not None:
            raise self.refusal


class InMemoryMachines:
    """The port ``StateMachines``."""

    def __init__(self) -> None:
        self.runs: dict[str, MachineRun] = {}

    def start(self, machine: str, *, name: str) -> str:
        """See ``StateMachines.start``."""
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        self.runs.setdefault(arn, MachineRun(arn, "RUNNING"))
        return arn

    def look(self, execution: str) -> MachineRun:
        """See ``StateMachines.look``."""
        return self.runs[execution]

    def finish(self, status: str, **told: Any) -> None:
        """End every execution that runs."""
        self.runs = {arn: MachineRun(arn, status, **told) for arn in self.runs}


class InMemoryEndpoints:
    """The port ``Endpoints``."""

    def __init__(self) -> None:
        self.serving: dict[str, Serving] = {}

    def look(self, name: str, component: str = "") -> Serving | None:
        """See ``Endpoints.look``."""
        return self.serving.get(name)


class FakeBaselines:
    """The port ``BaselineBuilder``; answers with ``result`` and ``error``."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.result: Any = None
        self.error = ""

    def call(self, payload: Mapping[str, Any]) -> tuple[Any, str]:
        """See ``BaselineBuilder.call``."""
        self.calls.append(dict(payload))
        return self.result, self.error
