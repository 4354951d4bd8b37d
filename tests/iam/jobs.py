"""What SageMaker does under the roles of jobs, models and monitors.

Read from what they are told: where their data lies, where results go, which images and keys they
use. A place that only a run makes known is left out. Sources: the SageMaker developer guide's page
on execution roles, and its pages on each kind of job.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.iam.account import Account, Resource, arn
from tests.iam.calls import key, passing
from tests.iam.policies import Ask
from tests.iam.uses import Found, Use

_SAGEMAKER = "sagemaker.amazonaws.com"
_WRITTEN_BELOW = frozenset(
    {
        "CheckpointConfig",
        "DataCaptureConfig",
        "MonitoringOutputs",
        "OutputConfig",
        "OutputDataConfig",
        "ProcessingOutputConfig",
        "TransformOutput",
    }
)
_PLACES = frozenset(
    {
        "DestinationS3Uri",
        "ModelDataUrl",
        "S3FailurePath",
        "S3OutputPath",
        "S3Uri",
        "sagemaker_submit_directory",
        "SAGEMAKER_SUBMIT_DIRECTORY",
    }
)
_IMAGES = frozenset({"Image", "ImageUri", "TrainingImage"})
_KEYS = frozenset({"KmsKeyId", "VolumeKmsKeyId"})
_STEPS = {
    "Training": ("TrainingJob", "training-job"),
    "Processing": ("ProcessingJob", "processing-job"),
    "Transform": ("TransformJob", "transform-job"),
    "Tuning": ("HyperParameterTuningJob", "hyper-parameter-tuning-job"),
}
_CLARIFY = ("ModelBias", "ModelExplainability")


def pipeline(found: Resource, account: Account) -> Found:
    """A SageMaker pipeline: it makes jobs, and its jobs run."""
    role = found.properties["RoleArn"]
    body = json.loads(found.properties["PipelineDefinition"].get("PipelineDefinitionBody", "{}"))
    for step in _steps(body.get("Steps", [])):
        given = step.get("Arguments", {})
        if step["Type"] in _STEPS:
            noun, kind = _STEPS[step["Type"]]
            job = arn("sagemaker", f"{kind}/pipelines-abcdef123456-{step['Name']}-0aB1")
            for verb in ("Create", "Describe", "Stop"):
                yield Use(role, _SAGEMAKER, Ask(f"sagemaker:{verb}{noun}", job))
            yield Use(role, _SAGEMAKER, Ask("sagemaker:AddTags", job))
            for ask in passing(given.get("RoleArn"), _SAGEMAKER):
                yield Use(role, _SAGEMAKER, ask)
        if step["Type"] == "RegisterModel":
            version = arn("sagemaker", f"model-package/{given['ModelPackageGroupName']}/1")
            yield Use(role, _SAGEMAKER, Ask("sagemaker:CreateModelPackage", version))
        if runs_as := given.get("RoleArn"):
            yield from _at_work(runs_as, given, "/aws/sagemaker/TrainingJobs", account)


def model(found: Resource, account: Account) -> Found:
    """A model: its containers start under its role, behind an endpoint or in a transform job."""
    role = found.properties["ExecutionRoleArn"]
    yield from _at_work(role, found.properties, "/aws/sagemaker/Endpoints", account)


def endpoint_configuration(found: Resource, account: Account) -> Found:
    """What an endpoint writes and reads, it does under the role of its models."""
    for variant in found.properties["ProductionVariants"]:
        served = account.find("AWS::SageMaker::Model", variant.get("ModelName", ""))
        if served is not None:
            role = served.properties["ExecutionRoleArn"]
            yield from _at_work(role, found.properties, "/aws/sagemaker/Endpoints", account)


def monitor(found: Resource, account: Account) -> Found:
    """A job definition of Model Monitor: what each of its runs does."""
    role = found.properties["RoleArn"]
    kind = found.kind.removeprefix("AWS::SageMaker::").removesuffix("JobDefinition")
    # As their pages write them: Clarify's have no slash.
    namespace = "aws/sagemaker/Endpoints" if kind in _CLARIFY else "/aws/sagemaker/Endpoints"
    yield from _at_work(role, found.properties, namespace, account)
    words = re.sub(r"(?<!^)([A-Z])", r"-\1", kind).lower()
    job = arn("sagemaker", f"processing-job/{words}-monitoring-202611231600-0a1b2c3d")
    for verb in ("Create", "Describe", "Stop"):
        yield Use(role, _SAGEMAKER, Ask(f"sagemaker:{verb}ProcessingJob", job))
    for ask in passing(role, _SAGEMAKER):
        yield Use(role, _SAGEMAKER, ask)


def search(role: str, given: Mapping[str, Any], account: Account) -> Found:
    """An Autopilot search, as a state machine asks for it."""
    yield from _at_work(role, given, "/aws/sagemaker/TrainingJobs", account)


def _steps(steps: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for step in steps:
        yield step
        for branch in ("IfSteps", "ElseSteps"):
            yield from _steps(step.get("Arguments", {}).get(branch, []))


def _at_work(role: str, given: Mapping[str, Any], namespace: str, account: Account) -> Found:
    """Data, results, images, keys, logs and metrics of whatever runs under a role."""
    for name, value, written in _told(given, False):
        for ask in _asks(name, value, written, account):
            yield Use(role, _SAGEMAKER, ask)
    group = arn("logs", "log-group:/aws/sagemaker/Any")
    yield Use(role, _SAGEMAKER, Ask("ecr:GetAuthorizationToken", "*"))
    yield Use(role, _SAGEMAKER, Ask("logs:CreateLogGroup", f"{group}:*"))
    for verb in ("CreateLogStream", "PutLogEvents", "DescribeLogStreams"):
        end = ":log-stream:any" if verb == "PutLogEvents" else ":*"
        yield Use(role, _SAGEMAKER, Ask(f"logs:{verb}", f"{group}{end}"))
    told = {"cloudwatch:namespace": f"{namespace}/any"}
    yield Use(role, _SAGEMAKER, Ask("cloudwatch:PutMetricData", "*", told))


def _told(node: Any, written: bool) -> Iterator[tuple[str, str, bool]]:
    items: list[tuple[str, Any]] = []
    if isinstance(node, Mapping):
        items = list(node.items())
    elif isinstance(node, list):
        items = [("", item) for item in node]
    for name, value in items:
        below = written or name in _WRITTEN_BELOW or name.endswith("JobOutputConfig")
        if isinstance(value, str):
            yield name, value.strip('"'), below
        else:
            yield from _told(value, below)


def _asks(name: str, value: str, written: bool, account: Account) -> Iterator[Ask]:
    if name in _PLACES and value.startswith("s3://"):
        bucket, _, place = value.removeprefix("s3://").partition("/")
        whole = f"arn:aws:s3:::{bucket}/{place}"
        a_file = "." in place.rpartition("/")[2]
        one = whole if a_file else f"{whole.rstrip('/')}/part-0"
        yield Ask("s3:PutObject" if written else "s3:GetObject", one)
        yield Ask("s3:ListBucket", f"arn:aws:s3:::{bucket}")
        used = account.bucket_key(bucket)
        yield from key(used, "s3", "GenerateDataKey" if written else "Decrypt")
    elif name in _KEYS and value:
        service = "sagemaker" if name == "VolumeKmsKeyId" else "s3"
        actions = ("CreateGrant",) if name == "VolumeKmsKeyId" else ("GenerateDataKey", "Decrypt")
        yield from key(value, service, *actions)
    elif name in _IMAGES and ".dkr.ecr." in value:
        registry, _, repository = value.partition("/")
        owner, region = registry.split(".")[0], registry.split(".")[3]
        repository = re.split("[:@]", repository)[0]
        for verb in ("BatchGetImage", "GetDownloadUrlForLayer", "BatchCheckLayerAvailability"):
            yield Ask(f"ecr:{verb}", f"arn:aws:ecr:{region}:{owner}:repository/{repository}")


KINDS: Mapping[str, Callable[[Resource, Account], Found]] = {
    "AWS::SageMaker::EndpointConfig": endpoint_configuration,
    "AWS::SageMaker::Model": model,
    "AWS::SageMaker::Pipeline": pipeline,
    **{
        f"AWS::SageMaker::{kind}JobDefinition": monitor
        for kind in ("DataQuality", "ModelQuality", *_CLARIFY)
    },
}
