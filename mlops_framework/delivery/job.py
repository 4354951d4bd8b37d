"""What CodePipeline's ``Verify`` action asks to be checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mlops_framework.errors import FrameworkFault

CHECKS: Final = (
    "none",
    "run-model-build",
    "verify-endpoint",
    "build-baseline",
    "run-image-build",
    "find-monitor-baseline",
    "run-monitor-baseline",
    "run-pipeline",
    "run-state-machine",
)
_PARAMETERS: Final = ("pipeline_id", "stage", "stack_name", "check")


class JobMalformed(FrameworkFault):
    """The action's user parameters are not what a delivery template writes."""


@dataclass(frozen=True)
class DeliveryJob:
    """One look at one deployed stage.

    Attributes:
        job_id: Id of this job; every look has a new one, a repeated delivery the same.
        pipeline_id: Pipeline.
        stage: Delivery stage.
        stack_name: Stack that the stage deployed.
        check: One of :data:`CHECKS`.
        token: What an earlier look left; empty at the first.
    """

    job_id: str
    pipeline_id: str
    stage: str
    stack_name: str
    check: str
    token: Mapping[str, str] = field(default_factory=dict)


def read_job(event: Mapping[str, Any]) -> DeliveryJob:
    """The job in an event of CodePipeline's Lambda invoke action.

    Raises:
        JobMalformed: Naming what is missing or unknown in ``UserParameters``.
    """
    job = event["CodePipeline.job"]
    data = job["data"]
    text = data.get("actionConfiguration", {}).get("configuration", {}).get("UserParameters", "")
    given = _object(text, "UserParameters")
    missing = [name for name in _PARAMETERS if not isinstance(given.get(name), str)]
    if missing:
        raise JobMalformed(
            f"UserParameters has no {', '.join(missing)}; accepted: a JSON object with "
            f"{', '.join(_PARAMETERS)}. Deploy the delivery stack again."
        )
    if given["check"] not in CHECKS:
        raise JobMalformed(
            f"UserParameters asks for the check {given['check']!r}; accepted: {', '.join(CHECKS)}."
        )
    return DeliveryJob(
        job_id=job["id"],
        **{name: given[name] for name in _PARAMETERS},
        token=_object(data.get("continuationToken") or "{}", "The continuation token"),
    )


def _object(text: str, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as fault:
        raise JobMalformed(f"{name} is no JSON ({fault}): {text[:200]!r}.") from None
    if not isinstance(value, dict):
        raise JobMalformed(f"{name} is no JSON object: {text[:200]!r}.")
    return value
