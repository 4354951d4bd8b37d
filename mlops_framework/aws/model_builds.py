"""SageMaker Pipelines as delivery sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from mlops_framework import naming
from mlops_framework.aws.refusals import refusals
from mlops_framework.delivery.model_build import BuildRun, BuildStep

_SERVICE: Final = "SageMaker"
_JOBS: Final = ("TrainingJob", "ProcessingJob", "TuningJob", "TransformJob", "AutoMLJob")


class SageMakerBuilds:
    """The port ``ModelBuilds``.

    Args:
        client: A SageMaker client.
        environment: Prefix of the environment, the tag of what is made here.
    """

    def __init__(self, client: Any, environment: str) -> None:
        self._client = client
        self._tags = [{"Key": naming.ENVIRONMENT_TAG, "Value": environment}]

    def keep_group(self, name: str) -> None:
        """See ``ModelBuilds.keep_group``."""
        with refusals(_SERVICE, "CreateModelPackageGroup"):
            try:
                self._client.create_model_package_group(ModelPackageGroupName=name, Tags=self._tags)
            except ClientError as error:
                # SageMaker has one code for every fault of this call; whether it is the group's
                # being there is asked, not read out of a sentence.
                if error.response["Error"]["Code"] != "ValidationException" or not self._has(name):
                    raise

    def start(self, pipeline: str, *, token: str) -> str:
        """See ``ModelBuilds.start``."""
        with refusals(_SERVICE, "StartPipelineExecution"):
            answer = self._client.start_pipeline_execution(
                PipelineName=pipeline, ClientRequestToken=token
            )
        return str(answer["PipelineExecutionArn"])

    def look(self, execution: str) -> BuildRun:
        """See ``ModelBuilds.look``."""
        with refusals(_SERVICE, "DescribePipelineExecution"):
            found = self._client.describe_pipeline_execution(PipelineExecutionArn=execution)
        return BuildRun(
            arn=execution,
            status=found["PipelineExecutionStatus"],
            reason=found.get("FailureReason", ""),
            steps=tuple(self._steps(execution)),
        )

    def _has(self, group: str) -> bool:
        try:
            self._client.describe_model_package_group(ModelPackageGroupName=group)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationException":
                return False
            raise
        return True

    def _steps(self, execution: str) -> Iterator[BuildStep]:
        token: dict[str, str] = {}
        while True:
            with refusals(_SERVICE, "ListPipelineExecutionSteps"):
                page = self._client.list_pipeline_execution_steps(
                    PipelineExecutionArn=execution, SortOrder="Ascending", **token
                )
            for found in page["PipelineExecutionSteps"]:
                yield _step(found)
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}


def _step(found: Mapping[str, Any]) -> BuildStep:
    metadata = found.get("Metadata", {})
    jobs = [metadata[kind].get("Arn", "") for kind in _JOBS if kind in metadata]
    return BuildStep(
        name=found["StepName"],
        status=found.get("StepStatus", ""),
        reason=found.get("FailureReason", ""),
        verdict=metadata.get("Fail", {}).get("ErrorMessage", ""),
        job=jobs[0] if jobs else "",
        model_package=metadata.get("RegisterModel", {}).get("Arn", ""),
    )
