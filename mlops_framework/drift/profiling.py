"""From the text of a capture object to one profile per window."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import numpy as np

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.batches import NO_TIME, Batch, BatchReader, moment_of
from mlops_framework.drift.capture import CaptureReader, Unreadable
from mlops_framework.drift.profile import Profile, Profiler
from mlops_framework.drift.windows import Window, instant, moment

WindowOf = Callable[[datetime], Window]


def profile_chunks(
    chunks: Iterable[bytes], baseline: Baseline, *, window_of: WindowOf, time: datetime
) -> Mapping[Window, Profile]:
    """Count each record in the window of its own time.

    Args:
        chunks: Parts of a capture object's text, cut anywhere; empty lines are passed over.
        baseline: What to count on.
        window_of: The window of a moment.
        time: Moment of the object, for records that have no usable time of their own.
    """
    profilers = _Profilers(baseline, window_of, time)
    reader = CaptureReader(baseline.names)
    for found in BatchReader(baseline.specs).read(chunks):
        if isinstance(found, Batch):
            profilers.add_batch(found)
        elif found.strip():
            profilers.add_line(found, reader)
    return profilers.profiles()


def profile_lines(
    lines: Iterable[str], baseline: Baseline, *, minutes: int, time: datetime
) -> Mapping[Window, Profile]:
    """As :func:`profile_chunks`, of lines of text and windows of some minutes."""
    return profile_chunks(
        chunks_of(lines),
        baseline,
        window_of=lambda moment: Window.containing(moment, minutes),
        time=time,
    )


def chunks_of(lines: Iterable[str]) -> Iterator[bytes]:
    """Lines as parts of a text."""
    for line in lines:
        yield line.encode("utf-8", "surrogatepass") + b"\n"


class _Profilers:
    """The profiler of each window, found quickly: times of one minute share a window."""

    def __init__(self, baseline: Baseline, window_of: WindowOf, time: datetime) -> None:
        self._baseline = baseline
        self._window_of = window_of
        self._time = time
        self._windows: dict[Window, Profiler] = {}
        self._by_minute: dict[int, Profiler] = {}

    def add_batch(self, batch: Batch) -> None:
        """Count a batch, each row in its window; lines whose time is none go to the object's."""
        minutes = np.unique(batch.invocations) if len(batch.invocations) else batch.invocations
        profilers: dict[int, Profiler] = {}
        numbers: list[int] = []
        for minute in minutes.tolist():
            profiler = self._of_minute(minute)
            profilers[id(profiler)] = profiler
            numbers.append(id(profiler))
        if len(profilers) == 1:
            next(iter(profilers.values())).add_batch(batch)
            return
        keys = np.array(numbers, np.int64)
        of_rows = keys[np.searchsorted(minutes, batch.minutes)]
        of_records = keys[np.searchsorted(minutes, batch.invocations)]
        for key, profiler in profilers.items():
            rows = np.flatnonzero(of_rows == key)
            profiler.add_batch(batch.part(rows, batch.invocations[of_records == key]))

    def add_line(self, line: bytes, reader: CaptureReader) -> None:
        """Read a line and count it."""
        try:
            invocation = reader.read(line)
            self._at(invocation.time).add(invocation, line)
        except Unreadable as fault:
            try:
                profiler = self._at(fault.time)
            except Unreadable:
                profiler = self._at(None)
            profiler.leave_out(fault.reason, line)

    def profiles(self) -> Mapping[Window, Profile]:
        """What was counted, oldest window first."""
        return {window: self._windows[window].profile() for window in sorted(self._windows)}

    def _of_minute(self, minute: int) -> Profiler:
        found = self._by_minute.get(minute)
        if found is None:
            when = self._time if minute == NO_TIME else moment_of(minute)
            window = self._window_of(when)
            found = self._windows.get(window) or Profiler(self._baseline)
            self._windows[window] = self._by_minute[minute] = found
        return found

    def _at(self, time: str | None) -> Profiler:
        """The profiler for a record's time; without one, for the object's.

        Raises:
            Unreadable: If it is not a time.
        """
        if time is None:
            return self._of_minute(NO_TIME)
        try:
            text = instant(moment(time))
        except (ValueError, OverflowError):
            raise Unreadable("no-time") from None
        return self._of_minute(int(text[:16].translate(_NO_SIGNS)))


_NO_SIGNS = str.maketrans("", "", "-T:Z")
