"""Autopilot, which the local AWS does not carry: said by name, with what to do instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_framework.local.plane.sagemaker.area import Area, not_carried
from mlops_framework.local.plane.service import Scope, operation

_INSTEAD = (
    "Autopilot's own images cannot be had. Run the request in an AWS account; on this machine a "
    "'tuning' request with the strategy 'Random' or 'Grid' searches with a script of your own."
)


class AutoMLJobs(Area):
    """CreateAutoMLJob and CreateAutoMLJobV2, refused."""

    @operation("CreateAutoMLJob")
    def create_automl_job(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Refuse by name."""
        raise not_carried("Autopilot (CreateAutoMLJob)", _INSTEAD)

    @operation("CreateAutoMLJobV2")
    def create_automl_job_v2(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Refuse by name."""
        raise not_carried("Autopilot (CreateAutoMLJobV2)", _INSTEAD)
