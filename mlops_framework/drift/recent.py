"""How the windows before one went."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from mlops_framework.drift.report import Recent
from mlops_framework.drift.state import Evaluated
from mlops_framework.drift.windows import Window

MOST_RECENT: Final = 48
"""Windows before it that a report shows."""


def recent_of(judged: Mapping[datetime, Evaluated], window: Window) -> tuple[Recent, ...]:
    """The latest windows before one; what became drift by a section counts as such."""
    starts = sorted(start for start in judged if start < window.start)[-MOST_RECENT:]
    return tuple(
        Recent(
            start,
            "drift" if judged[start].breaches else judged[start].verdict,
            len(judged[start].features),
        )
        for start in starts
    )
