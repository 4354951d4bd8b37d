"""The orchestrator in memory, for tests of what it answers and publishes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from mlops_framework import naming
from mlops_framework.contracts.base import Place
from mlops_framework.orchestration.plan import EnvironmentView
from mlops_framework.orchestration.ports import Ports
from mlops_framework.orchestration.provisioning import Requester
from mlops_framework.orchestration.service import Orchestrator
from mlops_framework.orchestration.teardown import Teardown
from mlops_framework.registry import Registry
from mlops_framework.testing.catalogue import InMemoryCatalogue
from mlops_framework.testing.clock import FakeClock
from mlops_framework.testing.objects import InMemoryObjects
from mlops_framework.testing.pipelines import InMemoryPipelines, stage_ran
from mlops_framework.testing.records import InMemoryRecords
from mlops_framework.testing.spies import RecordedEvents, RecordedTeardowns
from mlops_framework.testing.stacks import InMemoryStacks

PREFIX: Final = "mlops-test"
REQUESTER: Final = Requester("arn:aws:iam::111122223333:user/ana", "request-1")
TRAINING: Final[dict[str, Any]] = {
    "pipeline_type": "training",
    "model_name": "income",
    "training_data": "s3://data/datasets/train/",
    "evaluation_data": "s3://data/datasets/holdout/",
    "source_archive": "s3://data/code/source.tar.gz",
    "evaluation_script": "s3://data/code/evaluate.py",
    "image_uri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2",
}


@dataclass
class InMemoryWorld:
    """An environment with one stage, ``dev``."""

    environment: EnvironmentView = field(
        default_factory=lambda: EnvironmentView(PREFIX, ("dev",), "artifacts", {})
    )
    records: InMemoryRecords = field(default_factory=InMemoryRecords)
    stacks: InMemoryStacks = field(default_factory=InMemoryStacks)
    pipelines: InMemoryPipelines = field(default_factory=InMemoryPipelines)
    objects: InMemoryObjects = field(default_factory=InMemoryObjects)
    events: RecordedEvents = field(default_factory=RecordedEvents)
    clock: FakeClock = field(default_factory=FakeClock)
    catalogue: InMemoryCatalogue = field(
        default_factory=lambda: InMemoryCatalogue(Registry.discover())
    )

    def __post_init__(self) -> None:
        self.orchestrator = Orchestrator(
            catalogue=self.catalogue,
            ports=Ports(
                records=self.records,
                stacks=self.stacks,
                pipelines=self.pipelines,
                objects=self.objects,
                teardown=RecordedTeardowns(),
                events=self.events,
                now=self.clock,
                pause=self.clock.sleep,
            ),
            environment=self.environment,
            place=Place("us-east-1", "aws", "111122223333", "data", PREFIX),
            delivery_role_arn="arn:aws:iam::111122223333:role/mlops/delivery",
        )

    def settle(self) -> None:
        """Let the training pipeline's delivery stack finish and run once."""
        self.stacks.describe(naming.delivery_stack(PREFIX, "income-training"))
        self.pipelines.place(
            naming.code_pipeline(PREFIX, "income-training"),
            stage_ran("Source", "Succeeded"),
            stage_ran("Dev", "Succeeded"),
        )
        self.stacks.place(naming.blueprint_stack(PREFIX, "income-training", "dev"))

    def remove(self, pipeline_id: str) -> None:
        """Let the removal that was started run to its end."""
        Teardown(
            records=self.records,
            stacks=self.stacks,
            objects=self.objects,
            events=self.events,
            pause=self.clock.sleep,
            environment=self.environment,
        ).run(pipeline_id, seconds=600)
