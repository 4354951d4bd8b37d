"""From the text of a capture object to one profile per window."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.batches import ANY_MINUTE, NO_TIME, Batch, BatchReader, moment_of
from mlops_framework.drift.capture import CaptureReader, Invocation, Truth, Unreadable
from mlops_framework.drift.outcomes.counting import Counting
from mlops_framework.drift.profile import Profile, Profiler
from mlops_framework.drift.record_forms import RecordForm
from mlops_framework.drift.rows import (
    CapturedRows,
    RowsOf,
    rows_of_batch,
    rows_of_invocations,
)
from mlops_framework.drift.windows import Window, instant, moment

WindowOf = Callable[[datetime], Window]

_HELD: Final = 2_000
"""Records read one by one that are handed on together."""


def profile_chunks(
    chunks: Iterable[bytes],
    baseline: Baseline,
    *,
    window_of: WindowOf,
    time: datetime,
    form: RecordForm | None = None,
    rows: RowsOf | None = None,
    counting: Counting | None = None,
    farthest: timedelta | None = None,
) -> Mapping[Window, Profile]:
    """Count each record in the window of its own time.

    Args:
        chunks: Parts of a capture object's text, cut anywhere; empty lines are passed over.
        baseline: What to count on.
        window_of: The window of a moment.
        time: Moment of the object, for records that have no usable time of their own.
        form: Where rows and values of the payloads are, if not where they usually are.
        rows: Is given the rows themselves, for what has to know which is whose.
        counting: What is counted of rows beside their columns; ``None`` for nothing.
        farthest: Records whose time is farther off the object's are left out, counted in the
            object's window; ``None`` to count every record where its time says.
    """
    within = _minutes_around(time, farthest)
    profilers = _Profilers(baseline, window_of, time, rows, counting, within)
    reader = CaptureReader(baseline.names, form)
    for found in BatchReader(baseline.specs, form, within).read(chunks):
        if isinstance(found, Batch):
            profilers.add_batch(found)
        elif found.strip():
            profilers.add_line(found, reader)
    return profilers.profiles()


def profile_lines(
    lines: Iterable[str],
    baseline: Baseline,
    *,
    minutes: int,
    time: datetime,
    form: RecordForm | None = None,
) -> Mapping[Window, Profile]:
    """As :func:`profile_chunks`, of lines of text and windows of some minutes."""
    return profile_chunks(
        chunks_of(lines),
        baseline,
        window_of=lambda moment: Window.containing(moment, minutes),
        time=time,
        form=form,
    )


def chunks_of(lines: Iterable[str]) -> Iterator[bytes]:
    """Lines as parts of a text."""
    for line in lines:
        yield line.encode("utf-8", "surrogatepass") + b"\n"


class _Profilers:
    """The profiler of each window, found quickly: times of one minute share a window."""

    def __init__(
        self,
        baseline: Baseline,
        window_of: WindowOf,
        time: datetime,
        rows: RowsOf | None,
        counting: Counting | None,
        within: tuple[int, int],
    ) -> None:
        self._within = within
        self._baseline = baseline
        self._rows = rows
        self._counting = counting
        self._apart = rows is not None or counting is not None
        self._held: dict[Window, list[tuple[Invocation, int]]] = defaultdict(list)
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
        ids, truths = (batch.ids(), batch.truths()) if self._apart else ((), ())
        if len(profilers) == 1:
            self._add_part(next(iter(profilers.values())), batch, ids, truths)
            return
        keys = np.array(numbers, np.int64)
        of_rows = keys[np.searchsorted(minutes, batch.minutes)]
        of_records = keys[np.searchsorted(minutes, batch.invocations)]
        for key, profiler in profilers.items():
            rows = np.flatnonzero(of_rows == key)
            part = batch.part(rows, batch.invocations[of_records == key])
            self._add_part(profiler, part, ids, truths)

    def _add_part(
        self,
        profiler: Profiler,
        batch: Batch,
        ids: Sequence[str],
        truths: Sequence[Truth | None],
    ) -> None:
        profiler.add_batch(batch)
        if self._apart and len(batch):
            self._tell(self._window(profiler), rows_of_batch(batch, ids, truths))

    def _tell(self, window: Window, rows: CapturedRows) -> None:
        """Rows for those who look at each."""
        self._windows[window].add_outcomes(rows)
        if self._rows:
            self._rows(window, rows)

    def _window(self, profiler: Profiler) -> Window:
        return next(window for window, own in self._windows.items() if own is profiler)

    def add_line(self, line: bytes, reader: CaptureReader) -> None:
        """Read a line and count it."""
        try:
            invocation = reader.read(line)
            minute = minute_of(invocation.time)
            if self._is_off(minute):
                raise Unreadable("time-off")
            profiler = self._of_minute(minute)
            profiler.add(invocation, line)
            if self._apart:
                self._hold(self._window(profiler), invocation, minute)
        except Unreadable as fault:
            try:
                minute = minute_of(fault.time)
            except Unreadable:
                minute = NO_TIME
            if self._is_off(minute):
                minute = NO_TIME
            self._of_minute(minute).leave_out(fault.reason, line)

    def _is_off(self, minute: int) -> bool:
        first, last = self._within
        return minute != NO_TIME and not first <= minute <= last

    def _hold(self, window: Window, invocation: Invocation, minute: int) -> None:
        held = self._held[window]
        held.append((invocation, minute))
        if len(held) >= _HELD:
            self._hand_on(window)

    def _hand_on(self, window: Window) -> None:
        found = rows_of_invocations(self._baseline.specs, self._held.pop(window))
        if len(found):
            self._tell(window, found)

    def profiles(self) -> Mapping[Window, Profile]:
        """What was counted, oldest window first."""
        for window in sorted(self._held):
            self._hand_on(window)
        return {window: self._windows[window].profile() for window in sorted(self._windows)}

    def _of_minute(self, minute: int) -> Profiler:
        found = self._by_minute.get(minute)
        if found is None:
            window = self._window_at(minute)
            found = self._windows.get(window) or Profiler(self._baseline, self._counting)
            self._windows[window] = self._by_minute[minute] = found
        return found

    def _window_at(self, minute: int) -> Window:
        """The window of a minute; of none, and of one at the end of time, the object's."""
        with suppress(OverflowError):
            return self._window_of(self._time if minute == NO_TIME else moment_of(minute))
        return self._window_of(self._time)


def _minutes_around(time: datetime, farthest: timedelta | None) -> tuple[int, int]:
    """First and last minute that is no farther from a time; any where nothing is said."""
    first, last = ANY_MINUTE
    if farthest is not None:
        with suppress(OverflowError, Unreadable):
            first = minute_of(instant(time - farthest))
        with suppress(OverflowError, Unreadable):
            last = minute_of(instant(time + farthest))
    return first, last


def minute_of(time: str | None) -> int:
    """A record's time as ``yyyymmddHHMM``, ``NO_TIME`` without one.

    Raises:
        Unreadable: If it is not a time.
    """
    if time is None:
        return NO_TIME
    try:
        text = instant(moment(time))
    except (ValueError, OverflowError):
        raise Unreadable("no-time") from None
    return int(text[:16].translate(_NO_SIGNS))


_NO_SIGNS = str.maketrans("", "", "-T:Z")
