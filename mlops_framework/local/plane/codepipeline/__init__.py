"""CodePipeline V2, really executed: S3 source, CloudFormation, Lambda and manual approval."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_framework.local.plane.cloudformation import ResourceType
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.service import LocalService


def services(host: PlaneHost) -> Sequence[LocalService]:
    """The services of this package, for the emulator's process."""
    return []


def resource_types(host: PlaneHost) -> Sequence[ResourceType]:
    """The CloudFormation resource types of this package."""
    return []
