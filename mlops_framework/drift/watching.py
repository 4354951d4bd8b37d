"""The seams of the service: what may join when an object is profiled, judged or reported.

* A *keeper* keeps more of a captured object than its profile (predictions, for example).
* A *watcher* looks at one more side of a window (the model's quality, for example) and may say that
  windows judged before are to be judged again.
* A *filer* writes further files beside a report (another tool's formats, for example).

Each is asked for every monitor, and does nothing for those whose configuration does not ask for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, runtime_checkable

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.drift.policy import Claim, JudgedClaim, Judgement
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.report import Evaluation
from mlops_framework.drift.rows import CapturedRows
from mlops_framework.drift.sections import Section
from mlops_framework.drift.state import Evaluated
from mlops_framework.drift.windows import Task, Window

_ROWS_OF_OBJECT: Final = 10_000
"""Of an object of which nothing else is known."""


@dataclass(frozen=True)
class Artefact:
    """What a keeper keeps of one object version in one window.

    It is stored as ``drift/<monitor>/kept/<name>/yyyy/mm/dd/HHMM/<digest><suffix>``: the same
    object version writes the same key again, and a digest is that of the profile of this version.

    Attributes:
        name: What it is, for example ``predictions``.
        suffix: Ending of its key, for example ``.parquet``.
        data: Its bytes; equal rows give equal bytes.
        media_type: Its media type.
    """

    name: str
    suffix: str
    data: bytes
    media_type: str


class Keeping(Protocol):
    """What one keeper collects of one object."""

    def add(self, window: Window, rows: CapturedRows) -> None:
        """Take many rows of one window; their ids may be gone after this call."""
        ...

    def artefacts(self) -> Mapping[Window, Artefact]:
        """What was collected, by window."""
        ...


class Keeper(Protocol):
    """Keeps more of a captured object than its profile."""

    def start(self, config: MonitorConfig, baseline: Baseline) -> Keeping | None:
        """Begin with an object; ``None`` if the monitor does not ask for it."""
        ...


@dataclass(frozen=True)
class Scene:
    """A window as a watcher sees it.

    Attributes:
        config: The monitor.
        task: The window, the keys of its profiles and whether it is complete.
        baseline: What it is compared with.
        profile: The window's merged profile.
        captured: The last version of each captured object, counted on any baseline; its ``digest``
            names the artefacts that keepers stored of it.
        news: What :meth:`Watcher.news` said of the window; empty if nothing.
        judged: What was found in windows judged before, by their start.
        stale: How many of the objects were counted on an earlier baseline and are not in the
            profile.
    """

    config: MonitorConfig
    task: Task
    baseline: Baseline
    profile: Profile
    captured: tuple[ObjectVersion, ...]
    news: str = ""
    judged: Mapping[datetime, Evaluated] = field(default_factory=dict)
    stale: int = 0

    @property
    def rows(self) -> int:
        """About how many rows were captured, those that the profile does not count included."""
        objects = len(self.captured)
        counted = objects - self.stale
        if not self.stale:
            return self.profile.rows
        return self.profile.rows * objects // counted if counted else objects * _ROWS_OF_OBJECT


class Sight(Protocol):
    """What a watcher saw in one window."""

    @property
    def claims(self) -> Sequence[Claim]:
        """Tests to be judged in one family with all others of the window."""
        ...

    def section(self, judged: Sequence[JudgedClaim], judgement: Judgement) -> Section:
        """What it means.

        Args:
            judged: The claims, in their order.
            judgement: The verdict on the columns, and all tests.
        """
        ...


class Watcher(Protocol):
    """Watches one more side of every window."""

    def reach(self, config: MonitorConfig) -> timedelta:
        """How long after its end a window may still have news; zero for never."""
        ...

    def news(
        self, config: MonitorConfig, profiles: Mapping[Window, Sequence[str]], now: datetime
    ) -> Mapping[Window, str]:
        """What, beside their profiles, windows are judged by.

        A window whose text differs from the one it was judged with is judged again. Windows not
        named have none. It has to be a function of what is stored, not of the time.

        Args:
            config: The monitor.
            profiles: Keys of the stored profiles of every window within reach.
            now: The present.
        """
        ...

    def look(self, scene: Scene) -> Sight | None:
        """Look at a window that is being judged; ``None`` if there is nothing to say."""
        ...


@runtime_checkable
class Waiting(Protocol):
    """A watcher for which some windows have to be prepared by many functions first."""

    def waits(self, scene: Scene) -> bool:
        """Whether a window is not prepared for what it is to be judged by now.

        It is looked at nevertheless where nobody can prepare it any further, and again once there
        is more.
        """
        ...


@dataclass(frozen=True)
class ReportFile:
    """A file beside a report.

    Attributes:
        name: Its name; the end of its key.
        text: Its text.
        media_type: Its media type.
        folder: Where it goes; ``None`` for the report's own folder.
    """

    name: str
    text: str
    media_type: str
    folder: S3Location | None = None


class Filer(Protocol):
    """Writes further files beside a report."""

    def files(self, evaluation: Evaluation, report: Mapping[str, Any]) -> Sequence[ReportFile]:
        """The files of a judged window; none if the monitor does not ask for them."""
        ...


__all__ = [
    "Artefact",
    "Filer",
    "Keeper",
    "Keeping",
    "ReportFile",
    "Scene",
    "Sight",
    "Waiting",
    "Watcher",
]
