"""The pipeline that computes a monitor's baseline, with AWS's analyzer or with Clarify."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from mlops_framework.model_build.definition import PipelineDefinition
from mlops_framework.model_build.expressions import Splice, When
from mlops_framework.model_build.steps import Arguments, ProcessingStep, Step

_OUTPUT = "/opt/ml/processing/output"


@dataclass(frozen=True, kw_only=True)
class LambdaStep(Step):
    """Calls a function and waits for its answer.

    Attributes:
        function_arn: The function.
        arguments: What it is given.
    """

    type: ClassVar[str] = "Lambda"

    function_arn: str
    arguments: Arguments

    def arguments_of_step(self) -> Arguments:
        """The function's event."""
        return self.arguments

    def to_dict(self) -> dict[str, Any]:
        """The step with its function."""
        return {**super().to_dict(), "FunctionArn": self.function_arn, "OutputParameters": []}


@dataclass(frozen=True)
class Input:
    """One input of the baseline job.

    Attributes:
        name: Of the input.
        uri: S3 object or prefix.
        folder: Where the container finds it, below ``/opt/ml/processing``.
    """

    name: str
    uri: str
    folder: str

    def to_dict(self) -> dict[str, Any]:
        """As ``CreateProcessingJob`` takes it."""
        return {
            "InputName": self.name,
            "S3Input": {
                "S3Uri": self.uri,
                "LocalPath": f"/opt/ml/processing/{self.folder}",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
                "S3DataDistributionType": "FullyReplicated",
                "S3CompressionType": "None",
            },
        }


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What differs between two baselines.

    Every string may hold ``${Name}`` for ``Fn::Sub``; what the template decides otherwise is a
    :class:`Splice`.

    Attributes:
        role_arn: Execution role of the job.
        image_uri: AWS's analyzer, or Clarify.
        inputs: What the container reads.
        output_name: Name under which the container's output is known.
        output_location: S3 prefix for what it writes.
        environment: Variables that tell the container what to do.
        instance_type: Of the job.
        instance_count: Of the job.
        volume_size_gb: Of each instance, GB.
        max_runtime_seconds: Limit, seconds.
        kms_key_arn: Key for output, and for volumes if nothing else is said.
        volume_key: Key for volumes, where not every machine takes one.
        vpc_config: Subnets and security groups, or none.
        network_isolation: Whether the container may make no network call of its own.
    """

    role_arn: str
    image_uri: str
    inputs: Splice | Sequence[Input]
    output_name: str
    output_location: str
    environment: Splice | Mapping[str, str]
    instance_type: str
    instance_count: Splice | int
    volume_size_gb: Splice | int
    max_runtime_seconds: Splice | int
    kms_key_arn: str
    volume_key: When | None = None
    vpc_config: Mapping[str, Any] | None = None
    network_isolation: bool = False


def baseline_definition(
    baseline: Baseline | None, prepare: LambdaStep | None = None
) -> PipelineDefinition:
    """Prepare -> Baseline, of which one may be missing.

    Args:
        baseline: The job; nothing when the baseline is given and only preparation is left.
        prepare: What has to be there before the job starts.
    """
    steps: list[Step] = [prepare] if prepare else []
    if baseline is not None:
        after = (prepare.name,) if prepare else ()
        steps.append(ProcessingStep(name="Baseline", arguments=_job(baseline), depends_on=after))
    return PipelineDefinition(tuple(steps))


def _job(baseline: Baseline) -> dict[str, Any]:
    network: dict[str, Any] = {
        "EnableNetworkIsolation": baseline.network_isolation,
        "EnableInterContainerTrafficEncryption": True,
    }
    if baseline.vpc_config:
        network["VpcConfig"] = dict(baseline.vpc_config)
    inputs = baseline.inputs
    return {
        "AppSpecification": {"ImageUri": baseline.image_uri},
        "Environment": baseline.environment,
        "RoleArn": baseline.role_arn,
        "ProcessingInputs": (
            inputs if isinstance(inputs, Splice) else [given.to_dict() for given in inputs]
        ),
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": baseline.output_name,
                    "S3Output": {
                        "S3Uri": baseline.output_location,
                        "LocalPath": _OUTPUT,
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ],
            "KmsKeyId": baseline.kms_key_arn,
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": baseline.instance_type,
                "InstanceCount": baseline.instance_count,
                "VolumeSizeInGB": baseline.volume_size_gb,
                "VolumeKmsKeyId": baseline.volume_key or baseline.kms_key_arn,
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": baseline.max_runtime_seconds},
        "NetworkConfig": network,
    }
