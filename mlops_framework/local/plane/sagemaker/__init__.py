"""SageMaker on this machine: real processes behind the operations that the platform uses.

- `area`, `listing`, `tags`, `images`: what all parts share
- `jobs`, `training_jobs`, `processing_jobs`, `processes`, `objects`: work that ends
- `transform_jobs`, `transform_server`, `transform_objects`, `transform_records`, `transform_paths`:
  batch predictions
- `model_registry`, `models`, `endpoints`, `fleet`: work that serves
- `runtime`, `capture`, `metrics`: predictions, their record in S3, their count in CloudWatch
- `job_definitions`, `monitoring_schedules`: Model Monitor, as far as it can be without its images
- `pipelines`: SageMaker Pipelines
- `resources`, `monitoring_resources`: the CloudFormation types

Training and serving themselves are in `mlops_framework.local.runner`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_framework.local.plane.cloudformation import ResourceType
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker import (
    component_resource,
    monitoring_resources,
    resources,
)
from mlops_framework.local.plane.sagemaker.automl_jobs import AutoMLJobs
from mlops_framework.local.plane.sagemaker.components import InferenceComponents
from mlops_framework.local.plane.sagemaker.endpoints import Endpoints
from mlops_framework.local.plane.sagemaker.job_definitions import KINDS, JobDefinitions
from mlops_framework.local.plane.sagemaker.model_cards import ModelCards
from mlops_framework.local.plane.sagemaker.model_registry import ModelRegistry
from mlops_framework.local.plane.sagemaker.models import Models
from mlops_framework.local.plane.sagemaker.monitoring_schedules import MonitoringSchedules
from mlops_framework.local.plane.sagemaker.pipelines.executions import Executions
from mlops_framework.local.plane.sagemaker.pipelines.operations import Pipelines
from mlops_framework.local.plane.sagemaker.processing_jobs import ProcessingJobs
from mlops_framework.local.plane.sagemaker.runtime import SageMakerRuntime
from mlops_framework.local.plane.sagemaker.tags import Tags
from mlops_framework.local.plane.sagemaker.training_jobs import TrainingJobs
from mlops_framework.local.plane.sagemaker.transform_jobs import TransformJobs
from mlops_framework.local.plane.sagemaker.tuning_jobs import TuningJobs
from mlops_framework.local.plane.service import LocalService, Scope


class SageMaker(LocalService):
    """The SageMaker service: all its parts behind one door."""

    name = "sagemaker"

    def __init__(self, host: PlaneHost) -> None:
        """Make the parts.

        Args:
            host: the emulator.
        """
        super().__init__(host)
        registry = ModelRegistry(host)
        models = Models(host, registry)
        self.endpoints = Endpoints(host, models)
        self.components = InferenceComponents(host, models, self.endpoints)
        pipelines = Pipelines(host)
        training = TrainingJobs(host)
        definitions = {kind: JobDefinitions(host, kind) for kind in KINDS}
        parts = (
            training,
            TuningJobs(host, training),
            AutoMLJobs(host),
            ProcessingJobs(host),
            TransformJobs(host, models),
            registry,
            models,
            self.endpoints,
            self.components,
            pipelines,
            Executions(host, pipelines, self),
            *definitions.values(),
            MonitoringSchedules(host, definitions),
            ModelCards(host),
            Tags(host),
        )
        for part in parts:
            self._operations |= part.implementations

    def invoke(self, function: str, event: Mapping[str, Any], scope: Scope) -> tuple[Any, str]:
        """Call a Lambda function for a pipeline's step.

        Args:
            function: its ARN.
            event: what it is given.
            scope: account and region.

        Returns:
            Its answer and its error, of which one is empty.
        """
        payload = json.dumps(event).encode()
        try:
            client = self.host.client("lambda", scope)
            answer = client.invoke(FunctionName=function, Payload=payload)
        except (ClientError, BotoCoreError) as error:
            return None, str(error)
        text = answer["Payload"].read().decode("utf-8", "replace")
        if answer.get("FunctionError"):
            return None, text
        return json.loads(text or "null"), ""


def services(host: PlaneHost) -> list[LocalService]:
    """Make the services of this package.

    Args:
        host: the emulator.

    Returns:
        SageMaker and SageMaker Runtime.
    """
    sagemaker = SageMaker(host)
    return [sagemaker, SageMakerRuntime(host, sagemaker.endpoints, sagemaker.components)]


def resource_types(host: PlaneHost) -> list[ResourceType]:
    """Make the CloudFormation types of this package.

    Args:
        host: the emulator; the types get it again with each call.
    """
    kinds: tuple[type[ResourceType], ...] = (
        *resources.TYPES,
        component_resource.InferenceComponent,
        *monitoring_resources.TYPES,
    )
    return [kind() for kind in kinds]
