"""Which training jobs the local AWS carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_framework.local.plane.sagemaker.area import invalid, not_carried
from mlops_framework.local.plane.sagemaker.checkpoints import CHECKPOINTS
from mlops_framework.local.plane.sagemaker.images import check_image, check_script
from mlops_framework.local.plane.sagemaker.volumes import check_volume_key

_ACCEPTED_MEMBERS = frozenset(
    {
        *("TrainingJobName", "HyperParameters", "AlgorithmSpecification", "RoleArn"),
        *("InputDataConfig", "OutputDataConfig", "ResourceConfig", "VpcConfig", "Environment"),
        *("StoppingCondition", "Tags", "EnableNetworkIsolation", "EnableManagedSpotTraining"),
        *("EnableInterContainerTrafficEncryption", "ExperimentConfig", "RetryStrategy"),
        *("ProfilerConfig", "DebugHookConfig", "CheckpointConfig"),
    }
)


def check_training(request: Mapping[str, Any]) -> None:
    """Refuse by name what this machine does not do, and what SageMaker does not take.

    Raises:
        AwsFault: it is refused.
    """
    if unknown := sorted(set(request) - _ACCEPTED_MEMBERS):
        raise not_carried(f"CreateTrainingJob with {', '.join(unknown)}", "Leave it out.")
    algorithm = request.get("AlgorithmSpecification", {})
    check_image(algorithm.get("TrainingImage"), told_as="AlgorithmSpecification.TrainingImage")
    script = request.get("HyperParameters", {}).get("sagemaker_program")
    check_script(algorithm["TrainingImage"], script, told_as="script mode")
    if algorithm.get("ContainerEntrypoint") or algorithm.get("ContainerArguments"):
        raise not_carried(
            "AlgorithmSpecification.ContainerEntrypoint", "Name the script in sagemaker_program."
        )
    resources = request.get("ResourceConfig", {})
    count = resources.get("InstanceCount", 1)
    if count != 1 or resources.get("InstanceGroups"):
        raise not_carried(
            f"a training job on {count} instances", "ResourceConfig.InstanceCount has to be 1."
        )
    check_volume_key(resources)
    for channel in request.get("InputDataConfig", []):
        told = f"the channel {channel['ChannelName']!r} with"
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            raise not_carried(f"{told} a file system", "Use DataSource.S3DataSource.")
        if source["S3DataType"] != "S3Prefix":
            raise not_carried(f"{told} S3DataType {source['S3DataType']!r}", "Use 'S3Prefix'.")
        mode = channel.get("InputMode", algorithm.get("TrainingInputMode", "File"))
        if mode not in ("File", "FastFile"):
            raise not_carried(f"{told} InputMode {mode!r}", "Use 'File' or 'FastFile'.")
        for member in ("CompressionType", "RecordWrapperType"):
            if channel.get(member, "None") != "None":
                raise not_carried(f"{told} {member} {channel[member]!r}", "Use 'None'.")
    names = [channel["ChannelName"] for channel in request.get("InputDataConfig", [])]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise invalid(f"The channel {', '.join(twice)} is there more than once.")
    _check_spot(request)
    local = request.get("CheckpointConfig", {}).get("LocalPath", CHECKPOINTS)
    if not local.startswith("/opt/ml/"):
        raise not_carried(f"CheckpointConfig.LocalPath {local!r}", "Use a folder in /opt/ml/.")


def _check_spot(request: Mapping[str, Any]) -> None:
    """Spot is a way to pay, which costs nothing here; its rules hold all the same."""
    condition = request.get("StoppingCondition", {})
    wait, limit = condition.get("MaxWaitTimeInSeconds"), condition.get("MaxRuntimeInSeconds")
    if not request.get("EnableManagedSpotTraining"):
        if wait is not None:
            raise invalid("MaxWaitTimeInSeconds is for managed spot training only.")
        return
    if request.get("ResourceConfig", {}).get("KeepAlivePeriodInSeconds"):
        raise invalid("Warm pools cannot be used with managed spot training.")
    if wait is None:
        raise invalid("Managed spot training needs StoppingCondition.MaxWaitTimeInSeconds.")
    if limit is not None and wait < limit:
        raise invalid(
            f"MaxWaitTimeInSeconds, {wait}, has to be at least MaxRuntimeInSeconds, {limit}."
        )
