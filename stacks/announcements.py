"""Events that people hear of, and the sentence they read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlops_framework.naming import ENVIRONMENT_TAG


@dataclass(frozen=True)
class Announcement:
    """An event that people want to hear of.

    Attributes:
        name: Construct id.
        pattern: EventBridge pattern.
        paths: Variable to JSON path of the event.
        text: One line with ``<variables>``.
    """

    name: str
    pattern: dict[str, Any]
    paths: dict[str, str]
    text: str


def announcements(prefix: str) -> tuple[Announcement, ...]:
    """What people hear of besides alarms; drift itself is announced by the drift service."""
    return (
        Announcement(
            "PipelineState",
            {
                "source": ["aws.codepipeline"],
                "detail-type": ["CodePipeline Pipeline Execution State Change"],
                "detail": {
                    "pipeline": [{"prefix": f"{prefix}-"}],
                    "state": ["FAILED", "SUCCEEDED"],
                },
            },
            {"pipeline": "$.detail.pipeline", "state": "$.detail.state", "time": "$.time"},
            "Delivery <pipeline> <state> at <time>.",
        ),
        Announcement(
            "ApprovalNeeded",
            {
                "source": ["aws.codepipeline"],
                "detail-type": ["CodePipeline Action Execution State Change"],
                "detail": {
                    "pipeline": [{"prefix": f"{prefix}-"}],
                    "state": ["STARTED"],
                    "type": {"category": ["Approval"]},
                },
            },
            {"pipeline": "$.detail.pipeline", "stage": "$.detail.stage"},
            "Delivery <pipeline> waits for approval of <stage>.",
        ),
        Announcement(
            "ModelBuildState",
            {
                "source": ["aws.sagemaker"],
                "detail-type": [
                    "SageMaker Model Building Pipeline Execution Status Change",
                ],
                "detail": {
                    "pipelineArn": [{"wildcard": f"*:pipeline/{prefix}-*"}],
                    "currentPipelineExecutionStatus": ["Failed", "Succeeded"],
                },
            },
            {
                "pipeline": "$.detail.pipelineArn",
                "state": "$.detail.currentPipelineExecutionStatus",
            },
            "Model build <pipeline> <state>.",
        ),
        *(
            Announcement(
                f"{kind}JobFailed",
                {
                    "source": ["aws.sagemaker"],
                    "detail-type": [f"SageMaker {kind} Job State Change"],
                    "detail": {
                        f"{kind}JobStatus": ["Failed"],
                        # Jobs of a pipeline carry none of its tags, but run with its role.
                        "RoleArn": [{"wildcard": f"*:role/*/{prefix}-*"}],
                    },
                },
                {"job": f"$.detail.{kind}JobName", "reason": "$.detail.FailureReason"},
                f"{kind} job <job> failed: <reason>",
            )
            for kind in ("Training", "Processing")
        ),
        Announcement(
            "EndpointState",
            {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Endpoint State Change"],
                "detail": {
                    "EndpointStatus": ["IN_SERVICE", "FAILED", "ROLLING_BACK"],
                    "Tags": {ENVIRONMENT_TAG: [prefix]},
                },
            },
            {"endpoint": "$.detail.EndpointName", "state": "$.detail.EndpointStatus"},
            "Endpoint <endpoint> is <state>.",
        ),
        Announcement(
            "PackageState",
            {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Package State Change"],
                "detail": {"ModelApprovalStatus": ["PendingManualApproval"]},
            },
            {"package": "$.detail.ModelPackageArn"},
            "Model package <package> waits for approval.",
        ),
        Announcement(
            "StartRefused",
            {
                "source": ["mlops.orchestrator"],
                "detail-type": ["Pipeline Start Refused"],
                "detail": {"environment": [prefix]},
            },
            {
                "pipeline": "$.detail.pipeline_id",
                "by": "$.detail.requested_by",
                "reason": "$.detail.reason",
            },
            "Pipeline <pipeline> stays as it is after the <by>: <reason>",
        ),
        Announcement(
            "Retraining",
            {
                "source": ["mlops.drift"],
                "detail-type": ["Retraining Requested"],
                "detail": {"environment": [prefix]},
            },
            {"model": "$.detail.model_name", "endpoint": "$.detail.endpoint_name"},
            "Model <model> is trained again: traffic of <endpoint> has drifted.",
        ),
    )
