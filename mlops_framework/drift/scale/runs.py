"""Giving windows to many functions: neighbours go together, and nothing is asked for twice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mlops_framework.drift.ports import Distribution
from mlops_framework.drift.windows import Window

BACKFILL: Final = "backfill-"
"""How runs are named that people ask for; they look for labels, too. What an evaluation starts has
been told of its labels by events."""
MOST_UNITS: Final = 6_000
"""Profiles that one evaluation reads and merges: some 25 of the seconds that it has."""
_WINDOW: Final = 100
"""What judging a window and writing its report costs, in profiles."""


@dataclass
class Load:
    """What one evaluation takes on itself, where others can take the rest.

    Attributes:
        most: Units that are enough.
        taken: Units that it took so far.
    """

    most: int = MOST_UNITS
    taken: int = 0

    def takes(self, units: int, limit: int) -> bool:
        """Whether it takes a window, too: the first one if it is not too large by itself.

        Args:
            units: Profiles or parts to be merged for it.
            limit: How many of a window one function takes by itself.
        """
        cost = units + _WINDOW
        if units > limit or (self.taken and self.taken + cost > self.most):
            return False
        self.taken += cost
        return True


def start_runs(
    distribution: Distribution,
    monitor: str,
    wanted: Sequence[tuple[Window, str]],
    *,
    baseline_id: str,
    now: datetime,
) -> None:
    """Start a run for each stretch of windows without a gap.

    Args:
        distribution: Starts them; a name that it knows it does not start again.
        monitor: The monitor.
        wanted: The windows, oldest first, and the fingerprints of what each is to be judged by.
        baseline_id: The present baseline's.
        now: The present; a run that failed is started again by an evaluation of a later hour.
    """
    stretches: list[list[tuple[Window, str]]] = []
    for window, fingerprint in wanted:
        if not stretches or stretches[-1][-1][0].end != window.start:
            stretches.append([])
        stretches[-1].append((window, fingerprint))
    for stretch in stretches:
        since, until = stretch[0][0].start, stretch[-1][0].end
        parts = [monitor, *(fingerprint for _, fingerprint in stretch), baseline_id]
        text = "\n".join([*parts, f"{now:%Y-%m-%dT%H}"])
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        distribution.start(monitor, since, until, name=f"{since:%Y%m%dT%H%M}-{digest}")
