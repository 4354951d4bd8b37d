from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.drift.windows import Task, Window, due, instant, moment, newest_complete

NOW = moment("2026-03-01T15:15:00Z")
GRACE = timedelta(minutes=10)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


def window(text: str, minutes: int = 60) -> Window:
    return Window.containing(moment(text), minutes)


def tasks(
    profiles: dict[Window, list[str]],
    evaluated: dict[Window, tuple[str, bool]] | None = None,
    *,
    since: str = "2026-02-01",
) -> tuple[Task, ...]:
    return due(
        profiles,
        evaluated or {},
        now=NOW,
        minutes=60,
        grace=GRACE,
        fingerprint={w: "+".join(sorted(keys)) for w, keys in profiles.items()},
        watching_since=moment(since),
    )


def test_a_window_of_a_week_is_a_calendar_week() -> None:
    week = window("2026-03-04T10:00:00Z", 10_080)
    assert str(week) == "2026-03-02 00:00 to 2026-03-09 00:00 UTC"
    assert week.start.weekday() == 0


@given(moments, st.integers(1, 10_080))
def test_every_moment_lies_in_its_window(when: datetime, minutes: int) -> None:
    found = Window.containing(when, minutes)
    assert found.start <= when < found.end
    assert found.end - found.start <= timedelta(minutes=minutes)
    assert Window.containing(found.start, minutes) == found


@given(moments, st.integers(1, 10_080))
def test_windows_follow_each_other_without_gap(when: datetime, minutes: int) -> None:
    found = Window.containing(when, minutes)
    assert Window.containing(found.end, minutes).start == found.end


@given(moments, st.integers(1, 10_080))
def test_a_path_names_its_window(when: datetime, minutes: int) -> None:
    found = Window.containing(when, minutes)
    assert Window.of_path(found.path, minutes) == found


def test_a_window_is_written_for_people_and_for_machines() -> None:
    found = window("2026-03-01T23:10:00+00:00")
    assert str(found) == "2026-03-01 23:00-24:00 UTC"
    assert found.path == "2026/03/01/2300"
    assert instant(found.end) == "2026-03-02T00:00:00Z"


def test_offsets_are_understood() -> None:
    assert moment("2026-03-01T16:00:00+02:00") == moment("2026-03-01T14:00:00")


def test_windows_with_new_profiles_are_due_and_the_open_one_is_incomplete() -> None:
    profiles = {window("2026-03-01T14:30:00Z"): ["a"], window("2026-03-01T15:02:00Z"): ["b"]}
    found = tasks(profiles)
    assert [(task.window.start.hour, task.complete) for task in found] == [(14, True), (15, False)]


def test_a_window_is_not_judged_again_until_something_changes() -> None:
    hour = window("2026-03-01T14:30:00Z")
    assert tasks({hour: ["a"]}, {hour: ("a", True)}) == ()
    (again,) = tasks({hour: ["a", "late"]}, {hour: ("a", True)})
    assert again.keys == ("a", "late")


def test_a_window_judged_while_open_is_judged_again_when_it_is_over() -> None:
    hour = window("2026-03-01T14:30:00Z")
    (again,) = tasks({hour: ["a"]}, {hour: ("a", False)})
    assert again.complete


def test_a_silent_window_is_judged_once_its_grace_is_over() -> None:
    (silent,) = tasks({})
    assert silent == Task(window("2026-03-01T14:00:00Z"), (), True)
    assert tasks({}, {silent.window: ("", True)}) == ()


def test_silence_before_the_monitor_watched_means_nothing() -> None:
    assert tasks({}, since="2026-03-01T14:20:00Z") == ()


def test_a_late_object_re_opens_a_window_that_was_silent() -> None:
    hour = window("2026-03-01T14:00:00Z")
    (again,) = tasks({hour: ["late"]}, {hour: ("", True)})
    assert again.keys == ("late",)


@pytest.mark.parametrize(
    ("now", "hour"), [("2026-03-01T15:09:59Z", 13), ("2026-03-01T15:10:00Z", 14)]
)
def test_the_newest_complete_window_has_its_grace_behind_it(now: str, hour: int) -> None:
    assert newest_complete(moment(now), 60, GRACE).start.hour == hour
