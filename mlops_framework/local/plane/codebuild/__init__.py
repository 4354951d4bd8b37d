"""CodeBuild on this machine: the phases of a build specification as real processes, no containers.

- `buildspec`: reads a build specification, refuses by name what is not carried
- `projects`, `builds`: the operations
- `running`: one build, from its source to its artifacts
- `resource`: the CloudFormation type

The commands themselves are run by `mlops_framework.local.runner.building`.
"""

from __future__ import annotations

from mlops_framework.local.plane.cloudformation import ResourceType
from mlops_framework.local.plane.codebuild.builds import CodeBuild
from mlops_framework.local.plane.codebuild.resource import Project
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.service import LocalService


def services(host: PlaneHost) -> list[LocalService]:
    """Make the services of this package."""
    return [CodeBuild(host)]


def resource_types(host: PlaneHost) -> list[ResourceType]:
    """Make the CloudFormation types of this package."""
    return [Project()]
