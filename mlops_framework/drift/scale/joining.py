"""Which windows of a run are joined with their labels part by part, and the parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mlops_framework.drift.ground_truth.joins import MOST_ROWS, PART_ROWS, Joins, JoinSet
from mlops_framework.drift.ground_truth.label_index import find_matches
from mlops_framework.drift.records import Records
from mlops_framework.drift.scale.gathering import Gathering
from mlops_framework.drift.watching import Scene
from mlops_framework.drift.windows import Task

FEW_ROWS: Final = 250_000
"""Windows of fewer rows are joined where they are judged, with 23 others of the run: a second each.
"""
IDS_COMPARED: Final = 600_000_000
ROWS_READ: Final = 300_000_000
"""What a run compares with new labels and puts down of windows, in some five of its 15 minutes."""
WINDOWS_AT_ONCE: Final = 24
"""Windows planned at once; of each with labels the profile is read, to know how many rows it has.
"""


@dataclass(frozen=True)
class JoinPlan:
    """What is to be joined next.

    Attributes:
        items: Inputs of :meth:`~mlops_framework.drift.ground_truth.joins.Joins.join`.
        rest: Where to plan on from once they are done; ``None`` if that is all.
    """

    items: list[dict[str, Any]]
    rest: datetime | None = None


@dataclass(frozen=True)
class Joining:
    """Plans the joining of one monitor's windows, once their profiles are merged.

    Attributes:
        gathering: Reads the windows.
        few_rows: Windows of no more rows, nor more objects than the request says, are left to the
            evaluation.
        part_rows: About so many rows are joined at once.
        most_rows: Windows of more rows are not joined; the evaluation says so.
    """

    gathering: Gathering
    few_rows: int = FEW_ROWS
    part_rows: int = PART_ROWS
    most_rows: int = MOST_ROWS

    def plan(self, since: datetime, until: datetime, *, now: datetime, run: str) -> JoinPlan:
        """The parts that are not joined yet of windows that have labels, oldest first.

        Args:
            since: First moment.
            until: Moment behind the last one.
            now: The present.
            run: Name of the distributed run.
        """
        gathering = self.gathering
        store, config = gathering.store, gathering.config
        if config.ground_truth is None or not config.ground_truth_location:
            return JoinPlan([])
        profiles = Records(store, config).profile_keys(since, until)
        windows = sorted(profiles)
        some, rest = windows[:WINDOWS_AT_ONCE], windows[WINDOWS_AT_ONCE:]
        matches = find_matches(config, store, some, now, most=IDS_COMPARED, most_read=ROWS_READ)
        joins = Joins(store, config, self.part_rows)
        items: list[dict[str, Any]] = []
        for window in some:
            labels = matches.by_window.get(window)
            if not labels:
                continue
            task = Task(window, tuple(sorted(profiles[window])), complete=True)
            found = gathering(task)
            scene = Scene(
                config, task, gathering.baseline, found.profile, found.sources, stale=found.stale
            )
            large = scene.rows > self.few_rows or len(found.sources) > gathering.limit
            if large and scene.rows <= self.most_rows:
                wanted = JoinSet.of(config, window, found.sources, labels)
                items += joins.plan(wanted, scene.rows, run)
        return JoinPlan(items, rest[0].start if rest else None)
