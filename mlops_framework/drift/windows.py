"""Tumbling windows, and which of them an evaluation has to look at.

Windows of up to a day start at midnight UTC; where their length does not divide the day, the day's
last window is shorter. Longer windows follow each other from a Monday midnight, so that a window of
a week is a calendar week.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

LATE_HORIZON: Final = timedelta(hours=26)
"""How far back an evaluation looks for late objects: a day, and the hours of two long windows."""

_PATH: Final = "%Y/%m/%d/%H%M"
_DAY: Final = timedelta(days=1)
_MONDAY: Final = datetime(1970, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, order=True)
class Window:
    """A half-open span of time, ``start <= t < end``, both UTC."""

    start: datetime
    end: datetime

    @classmethod
    def containing(cls, moment: datetime, minutes: int) -> Self:
        """The window of ``minutes`` that holds ``moment``."""
        utc = moment.astimezone(UTC)
        step = timedelta(minutes=minutes)
        if step > _DAY:
            start = _MONDAY + step * ((utc - _MONDAY) // step)
            return cls(start, start + step)
        midnight = utc.replace(hour=0, minute=0, second=0, microsecond=0)
        start = midnight + step * ((utc - midnight) // step)
        return cls(start, min(start + step, midnight + _DAY))

    @property
    def path(self) -> str:
        """Path of the window in object keys: ``yyyy/mm/dd/HHMM`` of its start."""
        return self.start.strftime(_PATH)

    @classmethod
    def of_path(cls, path: str, minutes: int) -> Self:
        """The window whose :attr:`path` this is.

        Raises:
            ValueError: If the path is not of that form.
        """
        start = datetime.strptime(path, _PATH).replace(tzinfo=UTC)
        return cls.containing(start, minutes)

    def __str__(self) -> str:
        """For people: ``2026-03-01 14:00-15:00 UTC``."""
        if self.end - self.start > _DAY:
            return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"
        end = "24:00" if self.end.date() != self.start.date() else f"{self.end:%H:%M}"
        return f"{self.start:%Y-%m-%d %H:%M}-{end} UTC"


def instant(moment: datetime) -> str:
    """A moment as ISO 8601 in UTC, to the second: ``2026-03-01T14:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """Read an ISO 8601 moment; without an offset it is UTC.

    Raises:
        ValueError: If it is not one.
    """
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


@dataclass(frozen=True)
class Task:
    """One window to evaluate.

    Attributes:
        window: The window.
        keys: Keys of its profiles, sorted; empty for a window that stayed without data.
        complete: Whether its end and the grace period are over.
    """

    window: Window
    keys: tuple[str, ...]
    complete: bool


def due(
    profiles: Mapping[Window, Collection[str]],
    evaluated: Mapping[Window, tuple[str, bool]],
    *,
    now: datetime,
    minutes: int,
    grace: timedelta,
    fingerprint: Mapping[Window, str],
    watching_since: datetime,
) -> tuple[Task, ...]:
    """Which windows to evaluate now, oldest first.

    * every window with profiles that are not the ones it was evaluated with (late objects re-open
      their window), or that was still open then and is complete now;
    * the newest complete window, when nothing arrived in it: silence is a finding.

    Args:
        profiles: Keys of the stored profiles by window.
        evaluated: What is known of windows evaluated before: fingerprint and completeness.
        now: The present.
        minutes: Length of a window.
        grace: How long a window waits for late objects.
        fingerprint: Fingerprint of each window's set of profiles.
        watching_since: When the monitor was first evaluated; silence before it means nothing.
    """
    tasks = {
        window: Task(window, tuple(sorted(keys)), now >= window.end + grace)
        for window, keys in profiles.items()
        if keys and evaluated.get(window) != (fingerprint[window], now >= window.end + grace)
    }
    newest = newest_complete(now, minutes, grace)
    silent = not profiles.get(newest) and newest not in evaluated
    if silent and newest.start >= watching_since:
        tasks[newest] = Task(newest, (), True)
    return tuple(tasks[window] for window in sorted(tasks))


def newest_complete(now: datetime, minutes: int, grace: timedelta) -> Window:
    """The last window whose end and grace period are over."""
    window = Window.containing(now - grace, minutes)
    return Window.containing(window.start - timedelta(seconds=1), minutes)
