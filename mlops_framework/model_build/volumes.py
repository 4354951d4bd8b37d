"""The key of a job's volumes, which a machine with disks of its own does not take."""

from __future__ import annotations

from typing import Final

from mlops_framework.model_build.expressions import When

VOLUME_KEY: Final = "VolumeKeyMember"
"""Variable of what a job's resources have whose instances have volumes to encrypt."""


def volume_key(kms_key_arn: str) -> When:
    """``VolumeKmsKeyId``, where the template says that there is a volume.

    SageMaker refuses a key beside an instance type with NVMe disks, which the machine encrypts.
    """
    return When(VOLUME_KEY, kms_key_arn)
