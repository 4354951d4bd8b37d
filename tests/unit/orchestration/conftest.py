from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from mlops_framework.contracts.base import Place
from mlops_framework.orchestration.code_pipeline import ActionState
from mlops_framework.orchestration.plan import DeploymentPlan, EnvironmentView, plan
from mlops_framework.orchestration.ports import Ports
from mlops_framework.orchestration.provisioning import Provisioned, Requester
from mlops_framework.orchestration.service import Orchestrator
from mlops_framework.orchestration.teardown import Teardown
from mlops_framework.registry import Registry
from mlops_framework.testing.catalogue import InMemoryCatalogue
from mlops_framework.testing.clock import FakeClock
from mlops_framework.testing.model_versions import InMemoryModelVersions
from mlops_framework.testing.objects import InMemoryObjects
from mlops_framework.testing.pipelines import InMemoryPipelines, stage_ran
from mlops_framework.testing.records import InMemoryRecords
from mlops_framework.testing.spies import RecordedContinuations, RecordedEvents, RecordedTeardowns
from mlops_framework.testing.stacks import InMemoryStacks

ANA = Requester("arn:aws:iam::111122223333:user/ana", "request-1")


@dataclass
class World:
    """The orchestrator in memory, and short words for what tests do with it."""

    ROLE: ClassVar = "arn:aws:iam::111122223333:role/mlops/mlops-test-delivery"
    PIPELINE: ClassVar = "income-training"
    DELIVERY: ClassVar = "mlops-test-income-training-delivery"
    CODE_PIPELINE: ClassVar = "mlops-test-income-training"
    DEV: ClassVar = "mlops-test-income-training-dev"
    PROD: ClassVar = "mlops-test-income-training-prod"
    SOURCE: ClassVar = "pipelines/income-training/source.zip"

    catalogue: InMemoryCatalogue
    environment: EnvironmentView = field(
        default_factory=lambda: EnvironmentView(
            "mlops-test", ("dev", "prod"), "artifacts", {"team": "platform"}
        )
    )
    records: InMemoryRecords = field(default_factory=InMemoryRecords)
    stacks: InMemoryStacks = field(default_factory=InMemoryStacks)
    pipelines: InMemoryPipelines = field(default_factory=InMemoryPipelines)
    objects: InMemoryObjects = field(default_factory=InMemoryObjects)
    teardowns: RecordedTeardowns = field(default_factory=RecordedTeardowns)
    events: RecordedEvents = field(default_factory=RecordedEvents)
    clock: FakeClock = field(default_factory=FakeClock)
    models: InMemoryModelVersions = field(default_factory=InMemoryModelVersions)
    continuations: RecordedContinuations = field(default_factory=RecordedContinuations)

    @property
    def orchestrator(self) -> Orchestrator:
        return Orchestrator(
            catalogue=self.catalogue,
            ports=Ports(
                records=self.records,
                stacks=self.stacks,
                pipelines=self.pipelines,
                objects=self.objects,
                teardown=self.teardowns,
                events=self.events,
                now=self.clock,
                pause=self.clock.sleep,
                models=self.models,
                continuation=self.continuations,
            ),
            environment=self.environment,
            place=Place("us-east-1", "aws", "111122223333", "data", "mlops-test"),
            delivery_role_arn=self.ROLE,
        )

    @property
    def teardown(self) -> Teardown:
        return Teardown(
            records=self.records,
            stacks=self.stacks,
            objects=self.objects,
            events=self.events,
            pause=self.clock.sleep,
            environment=self.environment,
        )

    def plan(self, body: dict[str, Any]) -> DeploymentPlan:
        request = self.catalogue.registry.parse(body, stages=self.environment.stages)
        return plan(request, self.catalogue, self.environment)

    def provision(self, body: dict[str, Any]) -> Provisioned:
        return self.orchestrator.provision(body, ANA)

    def run_pipeline(self, status: str = "Succeeded", *actions: ActionState) -> None:
        """Let the delivery stack finish and its pipeline run once, to the given status."""
        self.stacks.describe(self.DELIVERY)
        if status == "Succeeded":
            for name in (self.DEV, self.PROD):
                self.stacks.place(name)
        prod = "Succeeded" if status == "Succeeded" else ""
        self.pipelines.place(
            self.CODE_PIPELINE,
            stage_ran("Source", "Succeeded"),
            stage_ran("Dev", status, *actions),
            stage_ran("Prod", prod, execution="execution-0" if prod else ""),
        )

    def deploy(
        self, body: dict[str, Any], status: str = "Succeeded", *actions: ActionState
    ) -> None:
        """Provision, run the pipeline, forget the calls."""
        self.provision(body)
        self.run_pipeline(status, *actions)
        self.stacks.calls.clear()


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry.discover()


@pytest.fixture
def world(registry: Registry) -> World:
    return World(InMemoryCatalogue(registry))


@pytest.fixture
def training() -> dict[str, Any]:
    return {
        "pipeline_type": "training",
        "model_name": "income",
        "training_data": "s3://data/datasets/train/",
        "evaluation_data": "s3://data/datasets/holdout/",
        "source_archive": "s3://data/code/source.tar.gz",
        "evaluation_script": "s3://data/code/evaluate.py",
        "image_uri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2",
    }
