"""The training jobs of a model build, alone or as a tuning's, as SageMaker takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_framework.model_build.expressions import Splice, When, execution, join

SPOT = "SpotMembers"
"""Variable of what a spot job has beyond others."""
WARM_POOL = "WarmPoolMember"
"""Variable of what a job has that keeps its instances."""


@dataclass(frozen=True, kw_only=True)
class TrainingJobs:
    """What differs between the training jobs of two model builds.

    Every string may hold ``${Name}`` for ``Fn::Sub``; numbers, switches, lists and maps that the
    template decides are a :class:`Splice`.

    Attributes:
        role_arn: Execution role of the jobs.
        image_uri: Image that trains.
        input_mode: ``File``, ``Pipe`` or ``FastFile``, for channels that say nothing.
        channels: ``InputDataConfig``.
        metric_rules: ``MetricDefinitions``.
        hyperparameters: Map of strings; in script mode its own two among them.
        environment: Variables of the container.
        output_location: S3 prefix for models.
        instance_type: Of each instance.
        instance_count: Of each job.
        volume_size_gb: Of each instance, GB.
        keep_alive_seconds: How long instances are kept; none where a tuning keeps them itself.
        stopping_condition: ``StoppingCondition``.
        kms_key_arn: Key for outputs, and for volumes if nothing else is said.
        volume_key: Key for volumes, where not every machine takes one.
        encrypt_traffic: Whether traffic between instances is encrypted.
        spot: Whether spot instances are used.
        checkpoint_location: S3 prefix below which a spot job keeps its checkpoints.
        vpc_config: ``{"Subnets": [...], "SecurityGroupIds": [...]}``, or none.
        network_isolation: Whether the containers may make no network call of their own.
    """

    role_arn: str
    image_uri: str
    channels: Splice | Sequence[Mapping[str, Any]]
    hyperparameters: Splice | Mapping[str, str]
    output_location: str
    instance_type: str
    instance_count: Splice | int
    volume_size_gb: Splice | int
    stopping_condition: Splice | Mapping[str, int]
    kms_key_arn: str
    volume_key: When | None = None
    input_mode: str = "File"
    metric_rules: Splice | Sequence[Mapping[str, str]] = ()
    environment: Splice | Mapping[str, str] | None = None
    keep_alive_seconds: Splice | None = None
    encrypt_traffic: Splice | bool = True
    spot: Splice | bool = False
    checkpoint_location: str = ""
    vpc_config: Mapping[str, Any] | None = None
    network_isolation: bool = False


def training_arguments(jobs: TrainingJobs) -> dict[str, Any]:
    """What ``CreateTrainingJob`` and the training jobs of a tuning both take."""
    algorithm: dict[str, Any] = {
        "TrainingImage": jobs.image_uri,
        "TrainingInputMode": jobs.input_mode,
    }
    if jobs.metric_rules:
        algorithm["MetricDefinitions"] = jobs.metric_rules
    resources: dict[str, Any] = {
        "InstanceType": jobs.instance_type,
        "InstanceCount": jobs.instance_count,
        "VolumeSizeInGB": jobs.volume_size_gb,
        "VolumeKmsKeyId": jobs.volume_key or jobs.kms_key_arn,
    }
    if jobs.keep_alive_seconds:
        resources["KeepAlivePeriodInSeconds"] = When(WARM_POOL, jobs.keep_alive_seconds)
    arguments: dict[str, Any] = {
        "AlgorithmSpecification": algorithm,
        "RoleArn": jobs.role_arn,
        "InputDataConfig": jobs.channels,
        "OutputDataConfig": {
            "S3OutputPath": jobs.output_location,
            "KmsKeyId": jobs.kms_key_arn,
        },
        "ResourceConfig": resources,
        "StoppingCondition": jobs.stopping_condition,
        "EnableInterContainerTrafficEncryption": jobs.encrypt_traffic,
        "EnableNetworkIsolation": jobs.network_isolation,
    }
    if jobs.spot:
        arguments["EnableManagedSpotTraining"] = jobs.spot
        # Below the execution's id: a job that is interrupted goes on, a later build starts anew.
        where = join("/", [jobs.checkpoint_location, execution("PipelineExecutionId")])
        arguments["CheckpointConfig"] = When(SPOT, {"S3Uri": where})
    if jobs.environment is not None:
        arguments["Environment"] = jobs.environment
    if jobs.vpc_config:
        arguments["VpcConfig"] = dict(jobs.vpc_config)
    return arguments
