"""From the lines of a capture object to one profile per window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.capture import CaptureReader, Unreadable
from mlops_framework.drift.profile import Profile, Profiler
from mlops_framework.drift.windows import Window, instant, moment


def profile_lines(
    lines: Iterable[str], baseline: Baseline, *, minutes: int, time: datetime
) -> Mapping[Window, Profile]:
    """Count each line in the window of its own time.

    Args:
        lines: The lines of a capture object; empty ones are passed over.
        baseline: What to count on.
        minutes: Length of a window.
        time: Moment of the object, for records that have no usable time of their own.
    """
    profilers = _Profilers(baseline, minutes, time)
    reader = CaptureReader(baseline.names)
    for line in lines:
        if not line.strip():
            continue
        try:
            invocation = reader.read(line)
            profilers.at(invocation.time).add(invocation, line)
        except Unreadable as fault:
            profilers.at_or_default(fault.time).leave_out(fault.reason, line)
    return profilers.profiles()


class _Profilers:
    """The profiler of each window, found quickly: times of one minute share a window."""

    def __init__(self, baseline: Baseline, minutes: int, time: datetime) -> None:
        self._baseline = baseline
        self._minutes = minutes
        self._time = time
        self._windows: dict[Window, Profiler] = {}
        self._by_minute: dict[str, Profiler] = {}

    def at(self, time: str | None) -> Profiler:
        """The profiler for a record's time; without one, for the object's.

        Raises:
            Unreadable: If it is not a time.
        """
        utc = _utc(time)
        minute = (utc or "")[:16]
        if minute not in self._by_minute:
            try:
                start = moment(utc) if utc else self._time
            except ValueError:
                raise Unreadable("no-time") from None
            window = Window.containing(start, self._minutes)
            self._by_minute[minute] = self._windows.setdefault(window, Profiler(self._baseline))
        return self._by_minute[minute]

    def at_or_default(self, time: str | None) -> Profiler:
        """As :meth:`at`, with the object's time for what is not a time."""
        try:
            return self.at(time)
        except Unreadable:
            return self.at(None)

    def profiles(self) -> Mapping[Window, Profile]:
        """What was counted, oldest window first."""
        return {window: self._windows[window].profile() for window in sorted(self._windows)}


def _utc(time: str | None) -> str | None:
    """A record's time in a form whose first 16 characters are its minute in UTC."""
    if time is None or (time[10:11] == "T" and time.endswith("Z") and len(time) >= 17):
        return time
    try:
        return instant(moment(time))
    except ValueError:
        raise Unreadable("no-time") from None
