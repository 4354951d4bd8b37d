"""The state machine that the autopilot blueprint deploys: search, gate, register.

A state machine and not a SageMaker Pipeline: the AutoML step of Pipelines takes the first version
of the API only, and of that ensembling mode only. Written in the Amazon States Language, with the
calls that Step Functions makes by itself (``aws-sdk`` integrations), so that no function waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops_framework.model_build.expressions import Splice, When
from mlops_framework.model_build.writing import TemplateText, template_text

OBJECTIVE = "ObjectiveMember"
"""Variable of the objective, where the request names one."""
SPLIT = "SplitMember"
"""Variable of the share kept for validation, where the request names one."""
_LOOK_SECONDS = 60
_BEST = "$.job.BestCandidate"
_METRIC = f"{_BEST}.FinalAutoMLJobObjectiveMetric"
_RETRY = [
    {
        "ErrorEquals": ["SageMaker.ThrottlingException", "SageMaker.SdkClientException"],
        "IntervalSeconds": 15,
        "MaxAttempts": 5,
        "BackoffRate": 2,
    }
]
"""A search goes on for hours; one call that goes unanswered shall not lose it."""


@dataclass(frozen=True, kw_only=True)
class ModelSearch:
    """What differs between two searches.

    Every string may hold ``${Name}`` for ``Fn::Sub``; objects that the template decides are a
    :class:`Splice`.

    Attributes:
        partition: Of the ARNs.
        name_prefix: Begins the names of jobs; at most 18 characters.
        role_arn: Execution role of the search.
        channels: ``AutoMLJobInputDataConfig``.
        job: ``TabularJobConfig``.
        objective: Metric that is to be best.
        split: ``DataSplitConfig``.
        output_location: S3 prefix for models and reports.
        kms_key_arn: Key for volumes and outputs.
        encrypt_traffic: Whether traffic between instances is encrypted.
        comparison: ``NumericGreaterThanEquals`` or ``NumericLessThanEquals``.
        threshold: Bound of the objective.
        direction: The comparison in words.
        below_the_gate: State of a candidate that does not reach the bound: ``Reject`` where the
            request asks for the gate, else ``Register``.
        model_package_group: Where the best candidate is registered.
        vpc_config: ``{"Subnets": [...], "SecurityGroupIds": [...]}``, or none.
    """

    partition: str
    name_prefix: str
    role_arn: str
    channels: Splice
    job: Splice
    objective: str
    split: Splice
    output_location: str
    kms_key_arn: str
    encrypt_traffic: Splice | bool
    comparison: str
    threshold: Splice | float
    direction: str
    below_the_gate: str
    model_package_group: str
    vpc_config: Mapping[str, Any] | None = None


def model_search_definition(search: ModelSearch) -> TemplateText:
    """Name -> Search -> Wait, Look until it ends -> Gate -> Register, or Fail with the reason."""
    return template_text(
        {
            "Comment": "Autopilot searches a model; the best candidate waits for approval",
            "StartAt": "Name",
            "States": {
                "Name": _name(search),
                "Search": _search(search),
                "Wait": {"Type": "Wait", "Seconds": _LOOK_SECONDS, "Next": "Look"},
                "Look": {
                    "Type": "Task",
                    "Resource": _call(search, "describeAutoMLJobV2"),
                    "Parameters": {"AutoMLJobName.$": "$.name"},
                    "ResultPath": "$.job",
                    "Retry": _RETRY,
                    "Next": "Ended",
                },
                "Ended": _ended(),
                "Gate": _gate(search),
                "Register": _register(search),
                "NothingTrained": {"Type": "Succeed"},
                "Reject": _reject(search),
                "SearchFailed": {
                    "Type": "Fail",
                    "Error": "SearchFailed",
                    "CausePath": "$.job.FailureReason",
                },
                "SearchStopped": {
                    "Type": "Fail",
                    "Error": "SearchStopped",
                    "Cause": "The search was stopped before it had a best candidate.",
                },
            },
        }
    )


def _call(search: ModelSearch, operation: str) -> str:
    return f"arn:{search.partition}:states:::aws-sdk:sagemaker:{operation}"


def _name(search: ModelSearch) -> dict[str, Any]:
    # Names of AutoML jobs have 32 characters; the last part of a UUID is random enough for one
    # model's searches.
    last = "States.ArrayGetItem(States.StringSplit(States.UUID(), '-'), 4)"
    return {
        "Type": "Pass",
        "Parameters": {"name.$": f"States.Format('{search.name_prefix}-{{}}', {last})"},
        "Next": "Search",
    }


def _search(search: ModelSearch) -> dict[str, Any]:
    security: dict[str, Any] = {
        "VolumeKmsKeyId": search.kms_key_arn,
        "EnableInterContainerTrafficEncryption": search.encrypt_traffic,
    }
    if search.vpc_config:
        security["VpcConfig"] = dict(search.vpc_config)
    return {
        "Type": "Task",
        "Resource": _call(search, "createAutoMLJobV2"),
        "Parameters": {
            "AutoMLJobName.$": "$.name",
            "AutoMLJobInputDataConfig": search.channels,
            "AutoMLProblemTypeConfig": {"TabularJobConfig": search.job},
            "AutoMLJobObjective": When(OBJECTIVE, {"MetricName": search.objective}),
            "DataSplitConfig": When(SPLIT, search.split),
            "OutputDataConfig": {
                "S3OutputPath": search.output_location,
                "KmsKeyId": search.kms_key_arn,
            },
            "RoleArn": search.role_arn,
            "SecurityConfig": security,
        },
        "ResultPath": "$.created",
        "Next": "Wait",
    }


def _ended() -> dict[str, Any]:
    status, found = "$.job.AutoMLJobStatus", {"Variable": _BEST, "IsPresent": True}
    reason = {"Variable": "$.job.FailureReason", "IsPresent": True}
    return {
        "Type": "Choice",
        "Choices": [
            {"Variable": status, "StringEquals": "InProgress", "Next": "Wait"},
            {"Variable": status, "StringEquals": "Stopping", "Next": "Wait"},
            {
                "And": [{"Variable": status, "StringEquals": "Completed"}, found],
                "Next": "Gate",
            },
            {"Variable": status, "StringEquals": "Completed", "Next": "NothingTrained"},
            {**reason, "Next": "SearchFailed"},
        ],
        "Default": "SearchStopped",
    }


def _gate(search: ModelSearch) -> dict[str, Any]:
    measured = {"Variable": f"{_METRIC}.Value", "IsPresent": True}
    reached = {"Variable": f"{_METRIC}.Value", search.comparison: search.threshold}
    return {
        "Type": "Choice",
        "Choices": [{"And": [measured, reached], "Next": "Register"}],
        "Default": search.below_the_gate,
    }


def _register(search: ModelSearch) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": _call(search, "createModelPackage"),
        "Parameters": {
            "ModelPackageGroupName": search.model_package_group,
            "ModelApprovalStatus": "PendingManualApproval",
            "ModelPackageDescription.$": (
                "States.Format('Best candidate {} of the Autopilot search {}.', "
                f"{_BEST}.CandidateName, $.name)"
            ),
            "InferenceSpecification": {
                "Containers.$": f"{_BEST}.InferenceContainers",
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        },
        "ResultPath": "$.registered",
        "Retry": _RETRY,
        "End": True,
    }


def _reject(search: ModelSearch) -> dict[str, Any]:
    bound = (
        f"${{{search.threshold.name}}}"
        if isinstance(search.threshold, Splice)
        else f"{search.threshold:g}"
    )
    said = f"{{}} is {{}}, {search.direction} {bound} is required; the model was not registered"
    values = f"{_METRIC}.MetricName, States.JsonToString({_METRIC}.Value)"
    return {
        "Type": "Fail",
        "Error": "BelowTheGate",
        "CausePath": f"States.Format('{said}', {values})",
    }
