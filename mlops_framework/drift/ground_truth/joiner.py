"""Joined rows of the windows that an evaluation looks at, added up once for all watchers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.ground_truth import joins, predictions
from mlops_framework.drift.ground_truth.joined import JoinedRows, join
from mlops_framework.drift.ground_truth.joins import Joins, JoinSet
from mlops_framework.drift.ground_truth.label_files import LabelFile
from mlops_framework.drift.ground_truth.label_index import Matches, find_matches
from mlops_framework.drift.ground_truth.partitions import read_label_files, read_tables
from mlops_framework.drift.ground_truth.tables import SUFFIX
from mlops_framework.drift.layout import kept_key
from mlops_framework.drift.outcomes.sums import OutcomeSums
from mlops_framework.drift.outcomes.windows import counted
from mlops_framework.drift.ports import Store
from mlops_framework.drift.scale.parts import most_units
from mlops_framework.drift.watching import Scene
from mlops_framework.drift.windows import Window, instant

MOST_ROWS: Final = 1_500_000
"""What the evaluate function joins within 1 GB: 760 MB, everything included."""
MOST_TOGETHER: Final = 6_000_000
"""Rows that one evaluation joins: some 25 of the seconds that the evaluate function has."""


@dataclass
class Joiner:
    """Joins predictions with labels, or reads what many functions joined.

    Attributes:
        store: A monitor's documents.
        most_rows: Windows of more rows are joined by many functions, as are those of more objects
            than the request says.
        most_at_all: Windows of more rows are joined by nobody.
        most_together: So many rows at most are joined in one evaluation; windows beyond are left
            to many functions, too.
    """

    store: Store
    most_rows: int = MOST_ROWS
    most_at_all: int = joins.MOST_ROWS
    most_together: int = MOST_TOGETHER
    _matches: dict[str, Matches] = field(default_factory=dict)
    _joined: int = 0
    _fitting: tuple[Scene, bool] | None = None
    _sums: tuple[Scene, OutcomeSums | None] | None = None
    _stored: tuple[Scene, str, Mapping[str, Sequence[str]]] | None = None

    def news(
        self, config: MonitorConfig, profiles: Mapping[Window, Sequence[str]], now: datetime
    ) -> Mapping[Window, str]:
        """Which labels each window has; see :class:`~mlops_framework.drift.watching.Watcher`."""
        self._matches.pop(config.name, None)
        self._fitting = self._sums = self._stored = None
        self._joined = 0
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

    def waits(self, scene: Scene) -> bool:
        """Whether many functions have to join a window first; see ``watching.Waiting``.

        Also where one has not come to find out which labels a large window has.
        """
        if scene.config.ground_truth is None:
            return False
        matches = self._matches.get(scene.config.name)
        behind = matches is not None and scene.task.window in matches.behind
        if not (behind or self._files(scene)) or self._fits(scene):
            return False
        wanted, stored = self._joins(scene)
        return wanted not in stored and scene.rows <= self.most_at_all

    def lacking(self, scene: Scene) -> str:
        """Why a window with labels was not joined with them, and what to do; empty if it was."""
        if not self._files(scene) or self._fits(scene) or self.outcomes(scene) is not None:
            return ""
        window, name = scene.task.window, scene.config.name
        what = "Answers were not joined with their labels, and groups not compared: the window has"
        if scene.rows > self.most_at_all:
            return (
                f"{what} {scene.rows:,} rows, and {self.most_at_all:,} are joined at most. Make "
                "window_minutes shorter, or capture a smaller percentage of the requests."
            )
        return (
            f"{what} {scene.rows:,} rows, which several functions join. The next evaluation starts "
            f"them; should this stay, look for failed executions of the state machine, or run "
            f"mlops drift backfill {name} --from {instant(window.start)} "
            f"--to {instant(window.end)}."
        )

    def outcomes(self, scene: Scene) -> OutcomeSums | None:
        """The sums of a window's rows, with their labels as far as there are any.

        Where many functions joined its present captures and labels, theirs; of a window that has
        to wait for them, the latest they joined.

        Returns:
            ``None`` if nothing was kept of it, nothing is asked for, or nobody joined it yet.
        """
        if self._sums is None or self._sums[0] is not scene:
            self._sums = (scene, self._added_up(scene))
        return self._sums[1]

    def _added_up(self, scene: Scene) -> OutcomeSums | None:
        if scene.config.ground_truth is None:
            return None
        if not self._files(scene):
            # What is not in the profile is counted by the rows that were kept, if it can be.
            profiled = counted(scene, partly=not self._fits(scene))
            if profiled is not None:
                return profiled if profiled.counts.rows else None
        else:
            wanted, stored = self._joins(scene)
            if stored and (wanted in stored or not self._fits(scene)):
                name = wanted if wanted in stored else max(stored)
                return Joins(self.store, scene.config).sums(stored[name])
        rows = self._joined_here(scene)
        return None if rows is None else OutcomeSums.of_rows(rows, scene.config)

    def _joined_here(self, scene: Scene) -> JoinedRows | None:
        config, window = scene.config, scene.task.window
        if config.ground_truth is None or not self._fits(scene):
            return None
        self._joined += scene.rows
        captured = sorted(scene.captured, key=lambda one: (one.bucket, one.key))
        keys = [
            kept_key(config, predictions.NAME, window, f"{one.digest}{SUFFIX}") for one in captured
        ]
        bucket = config.data_bucket
        labels = [file.key for file in self._files(scene)]
        return join(
            list(read_tables(self.store, bucket, keys)),
            read_label_files(self.store, bucket, labels),
            classes=config.ground_truth.classes,
        )

    def _fits(self, scene: Scene) -> bool:
        """Whether this function joins a window, by its own size and what was joined before it."""
        if self._fitting is None or self._fitting[0] is not scene:
            most = min(
                self.most_rows / joins.weight_of(scene.config), self.most_together - self._joined
            )
            few = len(scene.captured) <= most_units(scene.config)
            self._fitting = (scene, few and scene.rows <= most)
        return self._fitting[1]

    def _joins(self, scene: Scene) -> tuple[str, Mapping[str, Sequence[str]]]:
        """What a window's joined set would be called, and the sets that are there."""
        if self._stored is None or self._stored[0] is not scene:
            config, window = scene.config, scene.task.window
            wanted = JoinSet.of(config, window, scene.captured, self._files(scene))
            stored = Joins(self.store, config).complete(window)
            self._stored = (scene, wanted.name, stored)
        return self._stored[1:]

    def _files(self, scene: Scene) -> Sequence[LabelFile]:
        """The files that hold labels of a window."""
        found = self._matches.get(scene.config.name)
        return found.by_window.get(scene.task.window, ()) if found else ()
