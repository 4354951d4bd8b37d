"""A processing job's end -> event, alert and metrics, if it was a run of the monitor."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from lambdas.monitors import wiring
from mlops_framework.model_monitor.errors import EventMalformed
from mlops_framework.model_monitor.service import Reporting

LOGGER = logging.getLogger(__name__)


def report(event: Mapping[str, Any], *, service: Reporting) -> dict[str, Any]:
    """Look at the job of an event and tell of it.

    Raises:
        EventMalformed: If the event names no processing job.
    """
    detail = event.get("detail")
    name = detail.get("ProcessingJobName") if isinstance(detail, Mapping) else None
    if not isinstance(name, str) or not name:
        raise EventMalformed(
            "The event has no detail.ProcessingJobName; accepted: EventBridge's 'SageMaker "
            "Processing Job State Change'."
        )
    run = service.report(name)
    if run is None:
        LOGGER.info("job %s: nothing to tell", name)
        return {"job": name, "outcome": "none"}
    LOGGER.info("job %s: %s, %d violations", name, run.outcome, len(run.violations))
    return {"job": name, "outcome": run.outcome, "violations": len(run.violations)}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Entry point of the function."""
    return report(event, service=wiring.reporting())
