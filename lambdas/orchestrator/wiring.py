"""The composition root: the only place that knows which adapter stands behind which port.

Adapters are imported here when first needed and not at the top: boto3 costs more than the rest of
the cold start together, and a malformed request needs none of it.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lambdas.orchestrator.settings import FilesSettings, OrchestratorSettings, TeardownSettings

if TYPE_CHECKING:
    from lambdas.orchestrator.files import Desk
    from lambdas.orchestrator.gitops import Desk as GitDesk
    from mlops_framework.governance.cards import ModelCards
    from mlops_framework.orchestration.links import Links
    from mlops_framework.orchestration.model_approvals import ModelApprovals
    from mlops_framework.orchestration.service import Orchestrator
    from mlops_framework.orchestration.teardown import Teardown

CATALOGUE = Path(__file__).resolve().parents[2] / "catalogue"
"""Where the bundle has it: beside ``lambdas/``."""


@cache
def service() -> Orchestrator:
    """The use cases on AWS, made once per execution environment."""
    from mlops_framework.aws.clients import client
    from mlops_framework.aws.events import DefaultBus
    from mlops_framework.aws.functions import ContinuationFunction, TeardownFunction
    from mlops_framework.aws.model_versions import SageMakerModelVersions
    from mlops_framework.aws.objects import S3Objects
    from mlops_framework.aws.pipelines import CodePipelines
    from mlops_framework.aws.records import DynamoRecordStore
    from mlops_framework.aws.stacks import CloudFormationStacks
    from mlops_framework.contracts.base import Place
    from mlops_framework.orchestration.catalogue import CatalogueFolder
    from mlops_framework.orchestration.plan import EnvironmentView
    from mlops_framework.orchestration.ports import Ports
    from mlops_framework.orchestration.predecessor import Setting
    from mlops_framework.orchestration.service import Orchestrator

    settings = OrchestratorSettings.from_environ()
    aliases = json.loads(settings.stage_aliases)
    stacks, functions = client("cloudformation"), client("lambda")
    region = stacks.meta.region_name
    return Orchestrator(
        catalogue=CatalogueFolder(CATALOGUE),
        ports=Ports(
            records=DynamoRecordStore(client("dynamodb"), settings.record_table),
            stacks=CloudFormationStacks(stacks),
            pipelines=CodePipelines(client("codepipeline")),
            objects=S3Objects(client("s3"), settings.artifact_bucket),
            teardown=TeardownFunction(functions, settings.teardown_function_name),
            events=DefaultBus(client("events"), settings.environment_prefix),
            now=now,
            pause=time.sleep,
            models=SageMakerModelVersions(client("sagemaker")),
            continuation=ContinuationFunction(functions, settings.continue_function_name),
        ),
        environment=EnvironmentView(
            prefix=settings.environment_prefix,
            stages=stages_of(settings.stages),
            artifact_bucket=settings.artifact_bucket,
            tags=json.loads(settings.tags),
        ),
        place=Place(
            region=region,
            partition=settings.partition,
            account=settings.account,
            data_bucket=settings.data_bucket,
            prefix=settings.environment_prefix,
        ),
        delivery_role_arn=settings.delivery_role_arn,
        setting=Setting(
            stages={stage: tuple(aliases.get(stage, ())) for stage in stages_of(settings.stages)},
            assets_bucket=settings.assets_bucket or settings.data_bucket,
        ),
        links=_links(settings, region),
    )


@cache
def model_cards() -> ModelCards:
    """The use cases of model cards on AWS, made once per execution environment."""
    from mlops_framework.aws.clients import client
    from mlops_framework.aws.model_cards import S3MetricFiles, SageMakerCards, SageMakerFacts
    from mlops_framework.governance.cards import ModelCards
    from mlops_framework.governance.ports import CardPorts

    settings = OrchestratorSettings.from_environ()
    sagemaker = client("sagemaker")
    return ModelCards(
        CardPorts(
            cards=SageMakerCards(sagemaker),
            facts=SageMakerFacts(sagemaker),
            files=S3MetricFiles(client("s3"), settings.data_bucket),
            pause=time.sleep,
        ),
        bucket=settings.data_bucket,
        key_arn=settings.card_key_arn,
        tags=json.loads(settings.tags),
    )


@cache
def desk() -> Desk:
    """The configuration bucket and the alert topic on AWS."""
    from mlops_framework.aws.clients import client
    from mlops_framework.aws.configuration_files import ConfigurationFiles

    settings = FilesSettings.from_environ()
    return ConfigurationFiles(client("s3"), client("sns"), topic_arn=settings.alert_topic_arn)


@cache
def approvals() -> ModelApprovals:
    """What a word in the model registry starts, made once per execution environment."""
    from mlops_framework.orchestration.model_approvals import ModelApprovals

    return ModelApprovals(service())


@cache
def git_desk() -> GitDesk:
    """What the actions of Git sources are given, made once per execution environment."""
    from lambdas.orchestrator.gitops import Desk as GitDesk
    from mlops_framework.aws.clients import client
    from mlops_framework.aws.objects import S3Objects
    from mlops_framework.aws.pipeline_artifacts import PipelineArtifacts
    from mlops_framework.aws.pipelines import CodePipelineJobs
    from mlops_framework.aws.platform_values import PlatformParameters
    from mlops_framework.orchestration.git_delivery import GitDelivery

    settings = OrchestratorSettings.from_environ()
    s3 = client("s3")
    values = PlatformParameters(client("ssm"), settings.environment_prefix)
    return GitDesk(
        delivery=GitDelivery(service(), values),
        artifacts=PipelineArtifacts(s3),
        objects=S3Objects(s3, settings.artifact_bucket),
        reporter=CodePipelineJobs(client("codepipeline")),
        bucket=settings.artifact_bucket,
        link=_links(settings, s3.meta.region_name).object,
    )


@cache
def teardown() -> Teardown:
    """The removal on AWS, made once per execution environment."""
    from mlops_framework.aws.clients import client
    from mlops_framework.aws.events import DefaultBus
    from mlops_framework.aws.objects import S3Objects
    from mlops_framework.aws.records import DynamoRecordStore
    from mlops_framework.aws.stacks import CloudFormationStacks
    from mlops_framework.orchestration.plan import EnvironmentView
    from mlops_framework.orchestration.teardown import Teardown

    settings = TeardownSettings.from_environ()
    return Teardown(
        records=DynamoRecordStore(client("dynamodb"), settings.record_table),
        stacks=CloudFormationStacks(client("cloudformation")),
        objects=S3Objects(client("s3"), settings.artifact_bucket),
        events=DefaultBus(client("events"), settings.environment_prefix),
        pause=time.sleep,
        environment=EnvironmentView(
            prefix=settings.environment_prefix,
            stages=stages_of(settings.stages),
            artifact_bucket=settings.artifact_bucket,
        ),
    )


def start_again(function: str, pipeline_id: str) -> None:
    """Ask for another run of the removal."""
    from mlops_framework.aws.clients import client
    from mlops_framework.aws.functions import TeardownFunction

    TeardownFunction(client("lambda"), function).start(pipeline_id)


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def stages_of(listed: str) -> tuple[str, ...]:
    """The stages in a comma-separated list."""
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def _links(settings: OrchestratorSettings, region: str) -> Links:
    from mlops_framework.orchestration.links import ConsoleLinks, LocalLinks

    if settings.aws_endpoint_url:
        return LocalLinks(settings.aws_endpoint_url)
    return ConsoleLinks(region, settings.partition)
