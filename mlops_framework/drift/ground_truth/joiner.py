"""Joined rows of the windows that an evaluation looks at, read once for all watchers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.ground_truth import predictions
from mlops_framework.drift.ground_truth.joined import JoinedRows, join
from mlops_framework.drift.ground_truth.label_files import labels_of
from mlops_framework.drift.ground_truth.label_index import Matches, find_matches
from mlops_framework.drift.ground_truth.labels import Labels
from mlops_framework.drift.ground_truth.tables import SUFFIX, table_of
from mlops_framework.drift.layout import kept_key
from mlops_framework.drift.ports import Store
from mlops_framework.drift.watching import Scene
from mlops_framework.drift.windows import Window

MOST_ROWS: Final = 1_500_000
"""What the evaluate function joins within 1 GB: 450 MB for a million rows, everything included."""


@dataclass
class Joiner:
    """Joins predictions with labels.

    Attributes:
        store: A monitor's documents.
        most_rows: Windows of more rows are not joined.
    """

    store: Store
    most_rows: int = MOST_ROWS
    _matches: dict[str, Matches] = field(default_factory=dict)
    _last: tuple[Scene, JoinedRows | None] | None = None

    def news(
        self, config: MonitorConfig, profiles: Mapping[Window, Sequence[str]], now: datetime
    ) -> Mapping[Window, str]:
        """Which labels each window has; see :class:`~mlops_framework.drift.watching.Watcher`."""
        self._matches.pop(config.name, None)
        self._last = None
        if config.ground_truth is None or not config.ground_truth_location:
            return {}
        found = find_matches(config, self.store, tuple(profiles), now)
        self._matches[config.name] = found
        return {
            window: ",".join(file.name for file in files)
            for window, files in found.by_window.items()
        }

    def matches(self, config: MonitorConfig) -> Matches | None:
        """What the last :meth:`news` of a monitor found; ``None`` if it reads no labels."""
        return self._matches.get(config.name)

    def too_many(self, scene: Scene) -> bool:
        """Whether a window has more rows than one function can join."""
        return scene.profile.rows > self.most_rows

    def rows(self, scene: Scene) -> JoinedRows | None:
        """The rows of a window.

        ``None`` if nothing was kept of it, nothing is asked for, or there are too many.
        """
        if self._last is None or self._last[0] is not scene:
            self._last = (scene, self._joined(scene))
        return self._last[1]

    def _joined(self, scene: Scene) -> JoinedRows | None:
        config = scene.config
        if config.ground_truth is None or self.too_many(scene):
            return None
        captured = sorted(scene.captured, key=lambda one: (one.bucket, one.key))
        window = scene.task.window
        keys = [
            kept_key(config, predictions.NAME, window, f"{one.digest}{SUFFIX}") for one in captured
        ]
        read = self.store.read_bytes(config.data_bucket, keys)
        tables = [table_of(read[key], key) for key in keys if key in read]
        return join(tables, self._labels(config, window), classes=config.ground_truth.classes)

    def _labels(self, config: MonitorConfig, window: Window) -> Iterator[Labels]:
        """The labels of a window's files, one file in memory at a time."""
        found = self._matches.get(config.name)
        for file in found.by_window.get(window, ()) if found else ():
            read = self.store.read_bytes(config.data_bucket, [file.key])
            if file.key in read:
                yield labels_of(table_of(read[file.key], file.key))
