"""Quality of the latest windows: to be shown over time, and added up where labels are few.

One document per monitor, keyed by the windows' starts, so that a window that is judged again
replaces what it said. It is written like the state: of two evaluations at once one wins and the
other looks again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Self

import numpy as np

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.layout import kept_prefix
from mlops_framework.drift.ports import Store
from mlops_framework.drift.quality.between_windows import BetweenWindows, between_windows
from mlops_framework.drift.quality.histogram import NO_LABEL
from mlops_framework.drift.quality.metrics import Metric
from mlops_framework.drift.quality.sums import QualitySums, settings_digest
from mlops_framework.drift.state import Evaluated
from mlops_framework.drift.windows import instant, moment

KIND: Final = "mlops-drift-quality-history"
VERSION: Final = 1
MOST_WINDOWS: Final = 336
"""Two weeks of hours."""
_DIGITS: Final = 6

Curve = tuple[float, float, float]
"""Value, and both ends of its interval."""


@dataclass(frozen=True)
class Entry:
    """One window.

    Attributes:
        compared: Rows with label and prediction.
        metrics: Value and interval of the metrics that are shown over time.
        thin: What was counted of its labelled rows, if they are too few to be judged alone.
        drifted: Whether its quality was found to be worse.
    """

    compared: int
    metrics: Mapping[str, Curve] = field(default_factory=dict)
    thin: QualitySums | None = None
    drifted: bool = False


@dataclass(frozen=True)
class Pooled:
    """Several windows as one.

    Attributes:
        sums: What was counted of all of them.
        since: Start of the first.
        windows: How many.
    """

    sums: QualitySums
    since: datetime
    windows: int


@dataclass(frozen=True)
class History:
    """The latest windows.

    Attributes:
        settings: Digest of the settings they were counted with.
        windows: By their starts.
    """

    settings: str
    windows: Mapping[datetime, Entry] = field(default_factory=dict)

    def with_window(
        self, start: datetime, sums: QualitySums, metrics: Mapping[str, Metric], needed: int
    ) -> History:
        """With a window more, or with what it says now; the oldest are forgotten."""
        curves = {
            name: (_short(one.value), _short(one.low), _short(one.high))
            for name, one in metrics.items()
        }
        thin = labelled_part(sums) if 0 < sums.compared < needed else None
        before = self.windows.get(start)
        entry = Entry(sums.compared, curves, thin, before.drifted if before else False)
        windows = {**self.windows, start: entry}
        kept = dict(sorted(windows.items())[-MOST_WINDOWS:])
        return replace(self, windows=kept)

    def with_verdicts(self, judged: Mapping[datetime, Evaluated]) -> History:
        """With what was found out about windows since they were entered."""
        found = {
            start: judged[start].sections["model-quality"].verdict == "drift"
            for start in self.windows.keys() & judged.keys()
            if "model-quality" in judged[start].sections
        }
        told = {
            start: replace(entry, drifted=found.get(start, entry.drifted))
            for start, entry in self.windows.items()
        }
        return replace(self, windows=told)

    def between(self, start: datetime) -> Mapping[str, BetweenWindows]:
        """How much ordinary windows before this one differ, by metric."""
        curves: dict[str, list[Curve]] = {}
        for earlier, entry in self.windows.items():
            if earlier < start and not entry.drifted and entry.thin is None:
                for name, curve in entry.metrics.items():
                    curves.setdefault(name, []).append(curve)
        known = {name: between_windows(found) for name, found in curves.items()}
        return {name: one for name, one in known.items() if one is not None}

    def pooled(
        self,
        start: datetime,
        sums: QualitySums,
        *,
        needed: int,
        most: int,
        without: Collection[datetime] = (),
    ) -> Pooled | None:
        """A window with few labels together with those before it, until there are enough.

        Windows with enough labels of their own were judged alone and end the pool.

        Args:
            start: The window's.
            sums: What was counted of it.
            needed: Labelled rows that are enough.
            most: Windows that may be added up.
            without: Windows that it is compared with, which end the pool, too.

        Returns:
            ``None`` if there are not enough all together.
        """
        together, since, count = sums, start, 1
        for earlier in sorted((s for s in self.windows if s < start), reverse=True):
            if together.compared >= needed or count >= most:
                break
            entry = self.windows[earlier]
            if earlier in without or (entry.compared and entry.thin is None):
                break
            count += 1
            if entry.thin is not None:
                together, since = together.merged(entry.thin), earlier
        if together.compared < needed:
            return None
        return Pooled(together, since, sum(since <= s < start for s in self.windows) + 1)

    def to_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": KIND,
            "version": VERSION,
            "settings": self.settings,
            "windows": {
                instant(start): {
                    "compared": entry.compared,
                    "metrics": {name: list(curve) for name, curve in entry.metrics.items()},
                    "thin": entry.thin and entry.thin.to_document(),
                    "drifted": entry.drifted,
                }
                for start, entry in sorted(self.windows.items())
            },
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            DocumentInvalid: If it is of another kind, version or shape.
        """
        expect(document, KIND, VERSION, source)
        with member(source):
            return cls(
                document["settings"],
                {
                    moment(start): Entry(
                        int(entry["compared"]),
                        {name: (c[0], c[1], c[2]) for name, c in entry["metrics"].items()},
                        QualitySums.from_document(entry["thin"], source) if entry["thin"] else None,
                        bool(entry.get("drifted")),
                    )
                    for start, entry in document["windows"].items()
                },
            )


def labelled_part(sums: QualitySums) -> QualitySums:
    """The sums without rows that have no label: a few numbers where labels are few."""
    scores = sums.scores.copy()
    scores[NO_LABEL] = np.int64(0)
    by_class = {name: counts.copy() for name, counts in sums.by_class.items()}
    for counts in by_class.values():
        counts[NO_LABEL] = np.int64(0)
    return replace(sums, rows=sums.labelled, scores=scores, by_class=by_class)


def history_key(config: MonitorConfig) -> str:
    """Where it lies."""
    return f"{kept_prefix(config, 'quality')}history.json"


def read_history(config: MonitorConfig, settings: GroundTruth, store: Store) -> tuple[History, str]:
    """What is known, and the tag of this reading; nothing if it was counted otherwise."""
    key = history_key(config)
    document, tag = store.read_state(config.data_bucket, key)
    counted_by = settings_digest(settings)
    if document is not None:
        found = History.from_document(document, f"s3://{config.data_bucket}/{key}")
        if found.settings == counted_by:
            return found, tag
    return History(counted_by), tag


def write_history(config: MonitorConfig, history: History, tag: str, store: Store) -> None:
    """Keep it.

    Raises:
        StateConflict: If another evaluation wrote it meanwhile.
    """
    text = json.dumps(history.to_document(), sort_keys=True)
    store.write_state(config.data_bucket, history_key(config), text, tag)


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
