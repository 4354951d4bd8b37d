from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from lambdas.orchestrator.handler import build_app
from mlops_framework.contracts.base import Place
from mlops_framework.orchestration.plan import EnvironmentView
from mlops_framework.orchestration.ports import Ports
from mlops_framework.orchestration.service import Orchestrator
from mlops_framework.registry import Registry
from mlops_framework.testing.catalogue import InMemoryCatalogue
from mlops_framework.testing.clock import FakeClock
from mlops_framework.testing.events import FakeContext, api_event
from mlops_framework.testing.objects import InMemoryObjects
from mlops_framework.testing.pipelines import InMemoryPipelines
from mlops_framework.testing.records import InMemoryRecords
from mlops_framework.testing.spies import RecordedEvents, RecordedTeardowns
from mlops_framework.testing.stacks import InMemoryStacks


@dataclass(frozen=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]


@dataclass
class Api:
    """The API with everything behind it in memory."""

    service: Callable[[], Orchestrator]
    stacks: InMemoryStacks = field(default_factory=InMemoryStacks)

    def __call__(self, method: str, path: str, body: object = None, **options: Any) -> Answered:
        event = api_event(method, path, body, **options)
        answer = build_app(self.service).resolve(event, FakeContext())
        headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        return Answered(answer["statusCode"], headers, json.loads(answer["body"]))


@pytest.fixture
def api() -> Api:
    stacks, clock = InMemoryStacks(), FakeClock()
    orchestrator = Orchestrator(
        catalogue=InMemoryCatalogue(Registry.discover()),
        ports=Ports(
            records=InMemoryRecords(),
            stacks=stacks,
            pipelines=InMemoryPipelines(),
            objects=InMemoryObjects(),
            teardown=RecordedTeardowns(),
            events=RecordedEvents(),
            now=clock,
            pause=clock.sleep,
        ),
        environment=EnvironmentView("mlops-test", ("dev", "prod"), "artifacts"),
        place=Place("us-east-1", "aws", "111122223333", "data", "mlops-test"),
        delivery_role_arn="arn:aws:iam::111122223333:role/mlops/mlops-test-delivery",
    )
    return Api(lambda: orchestrator, stacks)


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
