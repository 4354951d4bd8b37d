"""Decides on the building of a drift monitor's baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_framework.delivery.verdict import Passed, Refused, Verdict


def judge(monitor: str, result: Any, error: str) -> Verdict:
    """What the drift service's baseline function came to.

    Args:
        monitor: Monitor it was called for.
        result: What it returned.
        error: What it raised; empty if it did not.
    """
    if error:
        return Refused(f"The baseline of monitor {monitor} could not be built: {error}")
    if not isinstance(result, Mapping) or result.get("status") != "built":
        return Refused(f"The baseline function did not build monitor {monitor}: {result!r}")
    columns = result.get("columns", ())
    return Passed(
        f"Built the baseline of monitor {monitor} from {result.get('rows', 'unknown')} rows and "
        f"{len(columns)} columns.",
        str(result.get("baseline_id", "")),
    )
