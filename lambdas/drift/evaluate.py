"""Schedule or request -> judge the windows of a monitor that are due."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from lambdas.drift import wiring
from mlops_framework.drift.service import DriftMonitor
from mlops_framework.drift.windows import instant, moment

LOGGER = logging.getLogger(__name__)

ACCEPTED: Final = '{"monitor": "<endpoint>", "from": "<ISO 8601>", "to": "<ISO 8601>"}'


class RequestInvalid(ValueError):
    """The input of the function is not what it takes."""


def evaluate(event: Mapping[str, Any], *, drift: DriftMonitor) -> dict[str, Any]:
    """Judge the windows that are due, or with ``from``/``to`` all windows with data in the range.

    Raises:
        RequestInvalid: If the input is not of the form above.
        DriftFault: If the monitor, its baseline or its documents are missing or damaged.
    """
    unknown = sorted(event.keys() - {"monitor", "from", "to", "distribute"})
    monitor = event.get("monitor")
    if unknown or not isinstance(monitor, str) or not monitor:
        what = f"unknown keys {', '.join(unknown)}" if unknown else "no monitor"
        raise RequestInvalid(f"The input has {what}; accepted: {ACCEPTED} (from and to optional).")
    outcome = drift.evaluate(
        monitor,
        since=_moment(event, "from"),
        until=_moment(event, "to"),
        distribute=event.get("distribute") is not False,
    )
    for entry in outcome.evaluations:
        LOGGER.info("%s %s: %s", monitor, entry["window"]["start"], entry["verdict"])
    decision = outcome.retraining
    return {
        "monitor": outcome.monitor,
        "evaluations": [dict(entry) for entry in outcome.evaluations],
        "retraining": {"requested": decision.requested, "reason": decision.reason},
        "distributed": [instant(window.start) for window in outcome.distributed],
    }


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Entry point of the function."""
    return evaluate(event, drift=wiring.evaluation())


def _moment(event: Mapping[str, Any], key: str) -> datetime | None:
    value = event.get(key)
    if value is None:
        return None
    try:
        return moment(value)
    except (ValueError, TypeError) as error:
        raise RequestInvalid(
            f"{key} is {value!r}; accepted is a moment such as 2026-03-01T14:00:00Z."
        ) from error
