from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from mlops_framework.delivery.ports import DeliveryPorts
from mlops_framework.delivery.service import Verification
from mlops_framework.testing.delivery import (
    FakeBaselines,
    InMemoryBuilds,
    InMemoryEndpoints,
    InMemoryMachines,
    RecordedJobs,
    Reported,
)
from mlops_framework.testing.events import code_pipeline_event
from mlops_framework.testing.stacks import InMemoryStacks


@dataclass
class Stage:
    """One deployed stage and CodePipeline looking at it."""

    jobs: RecordedJobs = field(default_factory=RecordedJobs)
    stacks: InMemoryStacks = field(default_factory=InMemoryStacks)
    builds: InMemoryBuilds = field(default_factory=InMemoryBuilds)
    endpoints: InMemoryEndpoints = field(default_factory=InMemoryEndpoints)
    baselines: FakeBaselines | None = field(default_factory=FakeBaselines)
    machines: InMemoryMachines = field(default_factory=InMemoryMachines)
    looks: int = 0

    def look(
        self, check: str, *, job_id: str = "", token: dict[str, str] | None = None
    ) -> Reported:
        """CodePipeline calls once; every call is a new job unless its id is given."""
        self.looks += 1
        event = code_pipeline_event(
            {
                "pipeline_id": "income-training",
                "stage": "dev",
                "stack_name": "mlops-test-income-training-dev",
                "check": check,
            },
            job_id=job_id or f"11111111-abcd-4111-8111-{self.looks:012d}",
            continuation_token=json.dumps(token) if token else "",
        )
        return self.send(event)

    def send(self, event: dict) -> Reported:
        Verification(
            DeliveryPorts(
                self.jobs,
                self.stacks,
                self.builds,
                self.endpoints,
                self.baselines,
                machines=self.machines,
            )
        ).run(event)
        return self.jobs.reports[-1]

    def deploy(self, **outputs: str) -> None:
        self.stacks.place("mlops-test-income-training-dev", outputs=outputs)


@pytest.fixture
def stage() -> Stage:
    return Stage()
