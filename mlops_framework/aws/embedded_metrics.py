"""Metrics as lines of a log: CloudWatch's embedded metric format, no API call and no permission.

Source: *Amazon CloudWatch User Guide*, "Embedded metric format specification".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime


def metric_line(
    namespace: str, dimensions: Mapping[str, str], values: Mapping[str, float], moment: datetime
) -> str:
    """The line of JSON that becomes metrics, to be written bare, without a logger's words.

    Args:
        namespace: Of the metrics.
        dimensions: Of all of them, together.
        values: By metric name.
        moment: When they were measured.
    """
    directive = {
        "Namespace": namespace,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": "None"} for name in values],
    }
    milliseconds = int(moment.timestamp() * 1000)
    return json.dumps(
        {
            "_aws": {"Timestamp": milliseconds, "CloudWatchMetrics": [directive]},
            **dimensions,
            **values,
        }
    )
