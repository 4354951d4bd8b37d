"""Application Auto Scaling for what SageMaker serves: bounds kept, the way back from zero gone.

Targets, policies and scheduled actions are kept and described. Bounds hold at once: a number below
the least or above the most is changed. A step policy acts when the alarm that names it is due, by
the alarm's own metric. What target tracking and schedules would change is not changed here.
"""

from __future__ import annotations

from mlops_framework.local.plane.cloudformation import ResourceType
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.scaling.resources import ScalableTarget, ScalingPolicy
from mlops_framework.local.plane.scaling.service import ApplicationAutoScaling
from mlops_framework.local.plane.service import LocalService


def services(host: PlaneHost) -> list[LocalService]:
    """Make the service.

    Args:
        host: the emulator.
    """
    return [ApplicationAutoScaling(host)]


def resource_types(host: PlaneHost) -> list[ResourceType]:
    """Make the CloudFormation types.

    Args:
        host: the emulator; the types get it again with each call.
    """
    return [ScalableTarget(), ScalingPolicy()]
