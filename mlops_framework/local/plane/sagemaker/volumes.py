"""What SageMaker takes for the disks of a job's instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_framework.contracts.instances import has_local_disk
from mlops_framework.local.plane.sagemaker.area import invalid


def check_volume_key(resources: Mapping[str, Any]) -> None:
    """Refuse a key for disks that the machine encrypts by itself, as SageMaker does.

    Args:
        resources: The member of a job's request that names instances and volume.

    Raises:
        AwsFault: There is a key, and no volume that takes one.
    """
    instance_type = resources.get("InstanceType", "")
    if resources.get("VolumeKmsKeyId") and has_local_disk(instance_type):
        raise invalid(
            f"VolumeKmsKeyId cannot be given for {instance_type}, which has disks of its own."
        )
