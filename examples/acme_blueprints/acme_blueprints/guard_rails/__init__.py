"""What Acme lays over every stack of the platform, and what it puts beside them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import aws_cdk as cdk
from constructs import Construct
from pydantic import Field

from acme_blueprints.guard_rails.aspects import BoundedLogs, CostCentre
from acme_blueprints.guard_rails.dashboard import OperationsStack
from mlops_framework.cdk.extension import ExtensionSettings, PlatformExtension


class GuardRailSettings(ExtensionSettings):
    """What an environment may set below ``extensions.settings.acme-guard-rails``."""

    cost_centre_tag: str = Field(
        default="",
        pattern="^([A-Za-z0-9_.:/=+@-]{1,128})?$",
        description="Tag that every stack must carry; none is asked for if empty.",
    )
    longest_log_retention_days: int = Field(
        default=400, ge=1, le=3653, description="Logs may not be kept longer than this, days."
    )


class GuardRails(PlatformExtension):
    """Two rules for every stack, and a dashboard of all endpoints."""

    name = "acme-guard-rails"
    summary = "Bounds the retention of logs, asks for a cost centre, shows every endpoint."
    settings_type: ClassVar[type[ExtensionSettings]] = GuardRailSettings
    settings: GuardRailSettings

    def aspects(self) -> Iterable[cdk.IAspect]:
        """The rules, for the platform's stacks and for the blueprints' templates."""
        yield BoundedLogs(self.settings.longest_log_retention_days, self.refuse)
        if self.settings.cost_centre_tag:
            yield CostCentre(self.settings.cost_centre_tag, self.refuse)

    def add_stacks(self, scope: Construct) -> None:
        """The dashboard, in a stack of its own."""
        OperationsStack(scope, "Operations", config=self.config)
