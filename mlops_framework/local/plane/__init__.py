"""The ML plane: the AWS services the emulator lacks, validated against AWS's own models.

Import it from here:

* :class:`LocalService`, :func:`operation`, :class:`Scope`, :class:`AwsFault` to write a service,
* :class:`PlaneHost` for what a service may ask of the emulator,
* :func:`resource_type`, :class:`ResourceContext`, :class:`ResourceType` for CloudFormation.

Runs inside the emulator's own virtual environment: standard library and boto3 only.
"""

from mlops_framework.local.plane.cloudformation import (
    ResourceContext,
    ResourceType,
    resource_type,
)
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.service import AwsFault, LocalService, Scope, operation

__all__ = [
    "AwsFault",
    "LocalService",
    "PlaneHost",
    "ResourceContext",
    "ResourceType",
    "Scope",
    "operation",
    "resource_type",
]
