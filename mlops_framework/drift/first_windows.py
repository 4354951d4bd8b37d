"""How ordinary windows differ, learnt from a monitor's first ones where the baseline has no times.

Night differs from noon, and without hours in the baseline nobody knows by how much. So the first
``MOST`` calm windows are kept: complete, with enough records, and healthy at an effect of
``CALM_EFFECT`` or the monitor's own, whichever is larger; by the smaller ones that monitors ask for
nearly every ordinary hour may look like drift, and there would be nothing to learn from.

Nothing that lasts is taken for ordinary:

* Only how windows differ *from each other* is learnt. A change that was there from the first
  window on stays as far from the training data as it is.
* It is learnt in groups of ``GROUP`` windows that follow each other, a day of hours, and the median
  of the groups counts: a step in the midst of them spoils one group, and within a group a slow
  drift is small.
* A window is judged by windows before it, calm ones are told by the baseline as it was built, and
  once ``MOST`` are known no more are taken: what was learnt does not grow by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import median
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.baseline import Baseline, BaselineColumn
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.hour_blocks import group_of
from mlops_framework.drift.layout import kept_prefix
from mlops_framework.drift.packed_counts import packed, unpacked
from mlops_framework.drift.policy import Policy, judge
from mlops_framework.drift.ports import Store
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.statistics.between_hours import BetweenHours, between_hours
from mlops_framework.drift.windows import Task, instant, moment

KIND: Final = "mlops-drift-first-windows"
VERSION: Final = 1
MOST: Final = 168
"""Windows that are learnt from: a week of hours."""
GROUP: Final = 24
FEWEST_GROUPS: Final = 3
CALM_EFFECT: Final = 0.1
_CELLS: Final = 32
"""Groups of cells that are kept of a column."""

Table = NDArray[np.int64]


@dataclass(frozen=True)
class FirstWindows:
    """What the first calm windows counted.

    Attributes:
        baseline: What they were counted on.
        starts: When each began, in order.
        tables: Of each column of the baseline, its groups of cells: a row for each window.
    """

    baseline: Baseline
    starts: tuple[datetime, ...] = ()
    tables: tuple[Table, ...] = field(default=(), repr=False)

    @classmethod
    def none(cls, baseline: Baseline) -> Self:
        """No windows."""
        tables = (
            np.zeros((0, int(_groups(column).max()) + 1), np.int64) for column in baseline.columns
        )
        return cls(baseline, (), tuple(tables))

    def without(self, start: datetime) -> Self:
        """Those that began at another time; the same object if none began then."""
        if start not in self.starts:
            return self
        return self._those([place for place, own in enumerate(self.starts) if own != start])

    def with_window(self, start: datetime, profile: Profile) -> Self:
        """Those and another, if it is among the first; the same object if nothing is new."""
        rows = [
            np.bincount(_groups(column), counts.cells, table.shape[1]).astype(np.int64)
            for column, counts, table in zip(
                self.baseline.columns, profile.columns, self.tables, strict=True
            )
        ]
        if start in self.starts:
            place = self.starts.index(start)
            if all(map(np.array_equal, rows, (table[place] for table in self.tables))):
                return self
        others = self.without(start)
        if len(others.starts) >= MOST and start > others.starts[-1]:
            return self
        tables = (np.vstack([table, row]) for table, row in zip(others.tables, rows, strict=True))
        every = replace(self, starts=(*others.starts, start), tables=tuple(tables))
        return every._those(np.argsort([at.timestamp() for at in every.starts])[:MOST].tolist())

    def _those(self, places: Sequence[int]) -> Self:
        starts = tuple(self.starts[place] for place in places)
        return replace(self, starts=starts, tables=tuple(table[places] for table in self.tables))

    def learnt(self, before: datetime) -> Baseline:
        """The baseline with how windows differ, by those that began before a time."""
        number = sum(start < before for start in self.starts)
        if number < GROUP * FEWEST_GROUPS:
            return self.baseline
        columns = (
            replace(column, between=_between(column, table[:number]))
            for column, table in zip(self.baseline.columns, self.tables, strict=True)
        )
        return replace(self.baseline, columns=tuple(columns))

    def to_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": KIND,
            "version": VERSION,
            "baseline_id": self.baseline.id,
            "windows": [instant(start) for start in self.starts],
            "columns": [packed(table) for table in self.tables],
        }

    @classmethod
    def from_document(
        cls, document: Mapping[str, Any] | None, baseline: Baseline, source: str
    ) -> Self:
        """Read what :meth:`to_document` wrote; none after another baseline.

        Raises:
            DocumentInvalid: If the document is of another kind, version or shape.
        """
        found = cls.none(baseline)
        if document is None:
            return found
        expect(document, KIND, VERSION, source)
        with member(source):
            if document["baseline_id"] != baseline.id:
                return found
            starts = tuple(moment(start) for start in document["windows"])
            tables = (
                unpacked(text, len(starts) * table.shape[1]).reshape(-1, table.shape[1])
                for text, table in zip(document["columns"], found.tables, strict=True)
            )
            return replace(found, starts=starts, tables=tuple(tables))


def learnt(
    store: Store, config: MonitorConfig, baseline: Baseline, task: Task, profile: Profile
) -> Baseline:
    """The baseline a window is to be judged by; the window is kept if it is among the first.

    Baselines that know how hours differ are taken as they are.

    Raises:
        StateConflict: If another evaluation wrote the document meanwhile.
        DocumentInvalid: If the document cannot be read.
    """
    if not baseline.rows or any(column.between is not None for column in baseline.columns):
        return baseline
    key = f"{kept_prefix(config, 'ordinary')}windows.json"
    document, tag = store.read_state(config.data_bucket, key)
    known = FirstWindows.from_document(document, baseline, f"s3://{config.data_bucket}/{key}")
    start = task.window.start
    now = known
    if len(known.starts) < MOST or start <= known.starts[-1]:
        calm = task.complete and _is_calm(config, baseline, profile)
        now = known.with_window(start, profile) if calm else known.without(start)
    if now is not known:
        text = json.dumps(now.to_document(), separators=(",", ":"))
        store.write_state(config.data_bucket, key, text, tag)
    return now.learnt(start)


def _is_calm(config: MonitorConfig, baseline: Baseline, profile: Profile) -> bool:
    policy = Policy.of(config)
    patient = replace(
        policy,
        effect_threshold=max(CALM_EFFECT, policy.effect_threshold),
        thresholds=policy.thresholds.at_least(CALM_EFFECT),
    )
    return judge(baseline, profile, patient).verdict == "healthy"


def _between(column: BaselineColumn, table: Table) -> BetweenHours | None:
    """How much windows differ: the median over groups of them.

    Not in their missing values: a window of an outage is not calm, and nothing is learnt from it.
    """
    groups = [table[at : at + GROUP] for at in range(0, len(table) - GROUP + 1, GROUP)]
    told = [between_hours(group, ordered=column.spec.ordered) for group in groups]
    found = [one for one in told if one is not None]
    if len(found) < FEWEST_GROUPS:
        return None
    degrees = [one.degrees for one in found if one.degrees]
    return BetweenHours(
        # Each group has a mean of its own, which takes a degree of freedom.
        sum(one.hours for one in found) - len(found) + 1,
        median(one.location for one in found),
        median(one.scale for one in found),
        median(one.design for one in found),
        median(degrees) if degrees else 0.0,
    )


def _groups(column: BaselineColumn) -> Table:
    """The group of each of the column's cells."""
    return group_of(column.spec, column.counts, _CELLS)
