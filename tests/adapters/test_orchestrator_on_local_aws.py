"""The use cases on the boto3 adapters, with the local AWS's CloudFormation and CodePipeline."""

from __future__ import annotations

import io
import tarfile
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from pydantic import Field

from mlops_framework.aws.events import DefaultBus
from mlops_framework.aws.objects import S3Objects
from mlops_framework.aws.pipelines import CodePipelines
from mlops_framework.aws.records import DynamoRecordStore
from mlops_framework.aws.stacks import CloudFormationStacks
from mlops_framework.contracts.base import PipelineRequest, Place
from mlops_framework.orchestration.errors import PipelineBusy, PipelineUnknown
from mlops_framework.orchestration.plan import EnvironmentView
from mlops_framework.orchestration.ports import Ports
from mlops_framework.orchestration.provisioning import Outcome, Requester
from mlops_framework.orchestration.service import Orchestrator
from mlops_framework.orchestration.teardown import Removal, Teardown
from mlops_framework.registry import Blueprint, Registry
from mlops_framework.testing.catalogue import InMemoryCatalogue
from mlops_framework.testing.spies import RecordedTeardowns

ANA = Requester("arn:aws:iam::111122223333:user/ana", "request-1")
ROLE = "arn:aws:iam::111122223333:role/mlops/deploy"
SETTLED = {"Delivered", "Failed", "Stopped"}


class ConfigRequest(PipelineRequest):
    """An endpoint configuration; its creation fails while the model does not exist."""

    pipeline_type: Literal["endpoint-config"] = Field(description="Kind of the blueprint.")
    served_model: str = Field(description="Model the configuration names.", pattern="^[a-z0-9-]+$")


def _delivery_template(prefix: str, bucket: str) -> dict[str, Any]:
    def deploy(name: str, order: int, **configuration: str) -> dict[str, Any]:
        stack = {"Fn::Sub": f"{prefix}-${{PipelineId}}-live"}
        return {
            "Name": name,
            "RunOrder": order,
            "ActionTypeId": {
                "Category": "Deploy",
                "Owner": "AWS",
                "Provider": "CloudFormation",
                "Version": "1",
            },
            "InputArtifacts": [{"Name": "Source"}] if order == 1 else [],
            "Configuration": {"StackName": stack, "ChangeSetName": "delivery", **configuration},
        }

    source_key = {"Fn::Sub": "pipelines/${PipelineId}/source.zip"}
    source = {
        "Name": "Source",
        "ActionTypeId": {"Category": "Source", "Owner": "AWS", "Provider": "S3", "Version": "1"},
        "OutputArtifacts": [{"Name": "Source"}],
        "Configuration": {
            "S3Bucket": bucket,
            "S3ObjectKey": source_key,
            "PollForSourceChanges": "false",
        },
    }
    create = deploy(
        "CreateChangeSet",
        1,
        ActionMode="CHANGE_SET_REPLACE",
        TemplatePath="Source::template.json",
        TemplateConfiguration="Source::parameters-live.json",
        RoleArn=ROLE,
    )
    execute = deploy("ExecuteChangeSet", 2, ActionMode="CHANGE_SET_EXECUTE")
    pipeline_arn = "arn:aws:codepipeline:us-east-1:111122223333:${Pipeline}"
    return {
        "Parameters": {"PipelineId": {"Type": "String"}},
        "Resources": {
            "Pipeline": {
                "Type": "AWS::CodePipeline::Pipeline",
                "Properties": {
                    "Name": {"Fn::Sub": f"{prefix}-${{PipelineId}}"},
                    "PipelineType": "V2",
                    "RoleArn": ROLE,
                    "ArtifactStore": {"Type": "S3", "Location": bucket},
                    "Stages": [
                        {"Name": "Source", "Actions": [source]},
                        {"Name": "Live", "Actions": [create, execute]},
                    ],
                },
            },
            "Start": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "EventPattern": {
                        "source": ["aws.s3"],
                        "detail-type": ["Object Created"],
                        "detail": {
                            "bucket": {"name": [bucket]},
                            "object": {"key": [source_key]},
                        },
                    },
                    "Targets": [{"Id": "p", "Arn": {"Fn::Sub": pipeline_arn}, "RoleArn": ROLE}],
                },
            },
        },
    }


BLUEPRINT_RESOURCES = {
    "Config": {
        "Type": "AWS::SageMaker::EndpointConfig",
        "Properties": {
            "ProductionVariants": [
                {
                    "ModelName": {"Ref": "ServedModel"},
                    "VariantName": "AllTraffic",
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                    "InitialVariantWeight": 1,
                }
            ]
        },
    }
}


@dataclass
class Platform:
    """The orchestrator on one prefix of the local AWS."""

    client_of: Callable[[str], Any]
    orchestrator_with: Callable[[Ports], Orchestrator]
    teardown: Teardown
    prefix: str
    bucket: str
    ports: Ports

    @property
    def orchestrator(self) -> Orchestrator:
        return self.orchestrator_with(self.ports)

    def request(self, model: str) -> dict[str, str]:
        return {
            "pipeline_type": "endpoint-config",
            "model_name": "income",
            "served_model": model,
        }

    def model(self, name: str = "") -> str:
        """Make a model of an empty archive; nothing here serves it."""
        name = name or f"served-{uuid.uuid4().hex[:8]}"
        archive = io.BytesIO()
        tarfile.open(fileobj=archive, mode="w:gz").close()
        self.client_of("s3").put_object(
            Bucket=self.bucket, Key="models/model.tar.gz", Body=archive.getvalue()
        )
        registry = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
        self.client_of("sagemaker").create_model(
            ModelName=name,
            ExecutionRoleArn=ROLE,
            PrimaryContainer={
                "Image": f"{registry}/sagemaker-scikit-learn:1.4-2",
                "ModelDataUrl": f"s3://{self.bucket}/models/model.tar.gz",
            },
        )
        return name

    def settled(self, seconds: float = 30.0) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            status = self.orchestrator.status("income-endpoint-config")
            if status["status"] in SETTLED or time.monotonic() > deadline:
                return status
            time.sleep(0.1)


@pytest.fixture
def platform(emulator, new_table, new_bucket) -> Platform:
    prefix = f"mlops-{uuid.uuid4().hex[:8]}"
    table, bucket = new_table(emulator), new_bucket(emulator)
    emulator("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    blueprint = Blueprint(
        "endpoint-config", "An endpoint configuration.", ConfigRequest, "tests.none:None_"
    )
    catalogue = InMemoryCatalogue(Registry([blueprint]))
    catalogue.blueprints["endpoint-config"]["Parameters"].pop("DataBucketName")
    catalogue.blueprints["endpoint-config"]["Resources"] = BLUEPRINT_RESOURCES
    catalogue.deliveries["endpoint-config"] = _delivery_template(prefix, bucket)
    environment = EnvironmentView(prefix, ("live",), bucket, {"team": "platform"})
    ports = Ports(
        records=DynamoRecordStore(emulator("dynamodb"), table),
        stacks=CloudFormationStacks(emulator("cloudformation")),
        pipelines=CodePipelines(emulator("codepipeline")),
        objects=S3Objects(emulator("s3"), bucket),
        teardown=RecordedTeardowns(),
        events=DefaultBus(emulator("events"), prefix),
        now=lambda: datetime.now(UTC),
        pause=time.sleep,
    )
    return Platform(
        emulator,
        lambda ports: Orchestrator(
            catalogue=catalogue,
            ports=ports,
            environment=environment,
            place=Place("us-east-1", "aws", "111122223333", bucket, prefix),
            delivery_role_arn=ROLE,
        ),
        Teardown(
            records=ports.records,
            stacks=ports.stacks,
            objects=ports.objects,
            events=ports.events,
            pause=time.sleep,
            environment=environment,
        ),
        prefix,
        bucket,
        ports,
    )


def test_a_request_is_delivered_repeated_changed_and_removed(platform) -> None:
    first, second = platform.request(platform.model()), platform.request(platform.model())
    provision = platform.orchestrator.provision

    assert provision(first, ANA).outcome is Outcome.CREATED
    assert platform.settled()["status"] == "Delivered"
    assert provision(first, ANA).outcome is Outcome.UNCHANGED
    assert provision(second, ANA).outcome is Outcome.UPDATED
    assert platform.settled()["status"] == "Delivered"
    live = CloudFormationStacks(platform.client_of("cloudformation")).describe(
        f"{platform.prefix}-income-endpoint-config-live"
    )
    assert live.parameters["ServedModel"] == second["served_model"]

    removal = platform.orchestrator.delete("income-endpoint-config", ANA)
    done = platform.teardown.run("income-endpoint-config", seconds=30)

    assert done.removal is Removal.FINISHED
    stacks = CloudFormationStacks(platform.client_of("cloudformation"))
    assert [stacks.describe(name) for name in removal["removes"]] == [None, None]
    with pytest.raises(PipelineUnknown):
        platform.orchestrator.status("income-endpoint-config")


def test_a_stage_that_failed_says_why_and_the_same_request_repairs_it(platform) -> None:
    name = f"late-{uuid.uuid4().hex[:8]}"
    request = platform.request(name)
    platform.orchestrator.provision(request, ANA)

    failed = platform.settled()
    assert failed["status"] == "Failed"
    (problem,) = failed["problems"]
    assert (problem["action"], problem["resource"]) == ("ExecuteChangeSet", "Config")
    assert "Could not find model" in problem["reason"]
    assert failed["stages"][1]["stack_status"] == "ROLLBACK_COMPLETE"

    platform.model(name)
    assert platform.orchestrator.provision(request, ANA).outcome is Outcome.RESTARTED
    assert platform.settled()["status"] == "Delivered"


def test_of_requests_that_all_saw_that_there_is_no_pipeline_exactly_one_wins(platform) -> None:
    """Nobody claims before everybody has looked: the worst moment there is."""
    bodies = [platform.request(platform.model()) for _ in range(8)]
    everybody = threading.Barrier(len(bodies))
    records = platform.ports.records
    looked = threading.local()

    class AtOnce:
        """The record table, at which everybody looks for the first time at the same moment."""

        def get(self, pipeline_id: str) -> Any:
            found = records.get(pipeline_id)
            if not getattr(looked, "once", False):
                looked.once = True
                everybody.wait(timeout=30)
            return found

        def __getattr__(self, name: str) -> Any:
            return getattr(records, name)

    orchestrator = platform.orchestrator_with(replace(platform.ports, records=AtOnce()))

    def ask(number: int) -> object:
        who = Requester(f"user-{number}", f"request-{number}")
        try:
            return orchestrator.provision(bodies[number], who)
        except PipelineBusy as busy:
            return busy

    with ThreadPoolExecutor(len(bodies)) as threads:
        answers = list(threads.map(ask, range(len(bodies))))

    (winner,) = [n for n, answer in enumerate(answers) if not isinstance(answer, PipelineBusy)]
    assert answers[winner].outcome is Outcome.CREATED
    for busy in (answer for answer in answers if isinstance(answer, PipelineBusy)):
        assert busy.running.by == f"user-{winner}"
        assert busy.running.correlation_id == f"request-{winner}"
        assert "came first" in str(busy)
    assert platform.settled()["status"] == "Delivered"
    live = platform.ports.stacks.describe(f"{platform.prefix}-income-endpoint-config-live")
    assert live.parameters["ServedModel"] == bodies[winner]["served_model"]
    s3 = platform.client_of("s3")
    documents = s3.list_objects_v2(Bucket=platform.bucket, Prefix="requests/")
    versions = s3.list_object_versions(Bucket=platform.bucket, Prefix="pipelines/")["Versions"]
    assert documents["KeyCount"] == 1
    assert len(versions) == 1
