"""CodePipeline V2, really executed: S3 source, CloudFormation, Lambda and manual approval."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_framework.local.plane.cloudformation import ResourceType
from mlops_framework.local.plane.codepipeline.resource import Pipeline
from mlops_framework.local.plane.codepipeline.service import CodePipeline
from mlops_framework.local.plane.host import PlaneHost

__all__ = ["CodePipeline", "Pipeline", "resource_types", "services"]


def services(host: PlaneHost) -> Sequence[CodePipeline]:
    """The services of this package, for the emulator's process."""
    return [CodePipeline(host)]


def resource_types(host: PlaneHost) -> Sequence[ResourceType]:
    """The CloudFormation resource types of this package."""
    return [Pipeline()]
