"""Request -> build a monitor's baseline from its training data."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from lambdas.drift import wiring
from mlops_framework.drift.layout import baseline_key
from mlops_framework.drift.service import DriftMonitor

LOGGER = logging.getLogger(__name__)


class RequestInvalid(ValueError):
    """The input of the function is not what it takes."""


def build(event: Mapping[str, Any], *, drift: DriftMonitor) -> dict[str, Any]:
    """Build the baseline and say where it is.

    Raises:
        RequestInvalid: If the input is not ``{"monitor": "<endpoint>"}``.
        DriftFault: If the monitor or its training data is missing or cannot be used.
    """
    monitor = event.get("monitor")
    if event.keys() != {"monitor"} or not isinstance(monitor, str) or not monitor:
        raise RequestInvalid(
            f"The input has the keys {', '.join(sorted(event)) or 'none'}; accepted: "
            '{"monitor": "<endpoint>"}.'
        )
    baseline = drift.build_baseline(monitor)
    config = drift.monitors.get(monitor)
    LOGGER.info("%s: baseline %s of %d rows", monitor, baseline.id, baseline.rows)
    return {
        "monitor": monitor,
        "status": "built",
        "baseline": {"bucket": config.data_bucket, "key": baseline_key(config)},
        "baseline_id": baseline.id,
        "rows": baseline.rows,
        "columns": list(baseline.names),
    }


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Entry point of the function."""
    return build(event, drift=wiring.baselines())
