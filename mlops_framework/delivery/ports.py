"""What delivery needs of the world, as Protocols; raises what ``orchestration.errors`` names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mlops_framework.delivery.endpoint import Serving
from mlops_framework.delivery.image_build import ImageBuilds
from mlops_framework.delivery.model_build import BuildRun
from mlops_framework.delivery.state_machine import StateMachines
from mlops_framework.delivery.verdict import FailureKind
from mlops_framework.orchestration.stack import Stack


class JobReporter(Protocol):
    """Tells CodePipeline what a job came to; once for every job."""

    def succeed(
        self, job_id: str, *, summary: str, reference: str, outputs: Mapping[str, str]
    ) -> None:
        """The action is done."""

    def proceed(
        self, job_id: str, *, token: Mapping[str, str], summary: str, reference: str
    ) -> None:
        """The action goes on: CodePipeline calls again with the token."""

    def fail(self, job_id: str, *, kind: FailureKind, message: str, reference: str) -> None:
        """The action failed."""


class StackReader(Protocol):
    """Deployed stacks."""

    def describe(self, name: str) -> Stack | None:
        """The stack, or nothing when there is none."""


class ModelBuilds(Protocol):
    """SageMaker Pipelines and where their models are registered."""

    def keep_group(self, name: str) -> None:
        """Make the model package group, unless it is there already."""

    def start(self, pipeline: str, *, token: str) -> str:
        """Start an execution; a second call with the same token is the first.

        Returns:
            Its ARN.
        """

    def look(self, execution: str) -> BuildRun:
        """The execution with its steps."""


class Endpoints(Protocol):
    """SageMaker endpoints."""

    def look(self, name: str, component: str = "") -> Serving | None:
        """The endpoint with what its live configuration serves, or nothing.

        Args:
            name: Of the endpoint.
            component: Inference component that is looked at too; empty for none.
        """


class BaselineBuilder(Protocol):
    """The drift service's baseline function."""

    def call(self, payload: Mapping[str, Any]) -> tuple[Any, str]:
        """Run it and wait; returns its result and its error, of which one is empty."""


@dataclass(frozen=True)
class DeliveryPorts:
    """Everything the checks are given of the world."""

    jobs: JobReporter
    stacks: StackReader
    builds: ModelBuilds
    endpoints: Endpoints
    baselines: BaselineBuilder | None
    images: ImageBuilds | None = None
    machines: StateMachines | None = None
