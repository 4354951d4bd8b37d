"""Capacity at given times: the scheduled actions of Application Auto Scaling."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_framework.contracts.base import Accepts, Document

ScalingSchedule = Annotated[
    str,
    Field(
        pattern="^(rate[(](1 (minute|hour|day)|[2-9] (minutes|hours|days)"
        "|[1-9][0-9]+ (minutes|hours|days))[)]|cron[(][0-9A-Z*?,/#L -]+[)]"
        "|at[(][0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[)])$",
        max_length=128,
    ),
    Accepts("cron(0 7 ? * MON-FRI *), rate(1 day) or at(2030-01-31T07:00:00)"),
]
TimeZone = Annotated[
    str,
    Field(pattern="^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$", max_length=64),
    Accepts("a time zone of the IANA data base, such as UTC or Europe/Berlin"),
]
ActionName = Annotated[
    str,
    Field(pattern="^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64),
    Accepts("lower-case letters, digits and single hyphens, starting with a letter"),
]
Capacity = Annotated[int, Field(ge=0, le=100)]


class ScheduledScaling(Document):
    """From a moment on, other bounds for the number of instances."""

    name: ActionName = Field(description="Name of the action, such as working-hours.")
    schedule_expression: ScalingSchedule = Field(description="When the bounds change.")
    timezone: TimeZone = Field(default="UTC", description="Time zone of the schedule.")
    min_instances: Capacity = Field(description="Fewest instances from then on.")
    max_instances: Capacity = Field(description="Most instances from then on.")
