from __future__ import annotations

from datetime import timedelta

from mlops_framework.drift.alerting import Alert, AlertState, decide
from mlops_framework.drift.policy import Verdict
from mlops_framework.drift.windows import Window, moment

START = moment("2026-03-01T00:00:00Z")


class Watch:
    """Judges hourly windows, each an hour after it began."""

    def __init__(self) -> None:
        self.state = AlertState()

    def judge(
        self,
        hour: int,
        verdict: Verdict,
        *features: str,
        complete: bool = True,
        before: Verdict | None = None,
    ) -> Alert | None:
        self.state, alert = decide(
            self.state,
            Window.containing(START + timedelta(hours=hour), 60),
            verdict,
            features,
            complete=complete,
            before=before,
            now=START + timedelta(hours=hour + 1),
        )
        return alert


def test_drift_is_told_once_and_its_end_too() -> None:
    watch = Watch()
    assert watch.judge(0, "healthy") is None
    assert watch.judge(1, "drift", "age") == "drift"
    assert watch.judge(2, "drift", "age") is None
    assert watch.judge(3, "healthy") == "recovered"
    assert watch.judge(4, "healthy") is None


def test_a_further_column_is_news() -> None:
    watch = Watch()
    watch.judge(0, "drift", "age")
    assert watch.judge(1, "drift", "income", "age") == "drift"
    assert watch.judge(2, "drift", "income") is None


def test_lasting_drift_is_told_again_after_a_day() -> None:
    watch = Watch()
    alerts = [watch.judge(hour, "drift", "age") for hour in range(50)]
    assert [hour for hour, alert in enumerate(alerts) if alert] == [0, 24, 48]
    assert alerts[24] == "still-drift"


def test_an_open_window_may_raise_the_alarm_but_not_call_it_off() -> None:
    watch = Watch()
    assert watch.judge(0, "drift", "age", complete=False) == "drift"
    assert watch.judge(1, "healthy", complete=False) is None
    assert watch.state.status == "drift"
    assert watch.judge(1, "healthy", complete=True) == "recovered"


def test_silence_is_told_and_so_is_its_end() -> None:
    watch = Watch()
    assert watch.judge(0, "no-data") == "no-data"
    assert watch.judge(1, "no-data") is None
    assert watch.judge(2, "insufficient-data") is None
    assert watch.judge(3, "healthy") == "recovered"


def test_silence_after_drift_is_another_condition() -> None:
    watch = Watch()
    watch.judge(0, "drift", "age")
    assert watch.judge(1, "no-data") == "no-data"
    assert watch.judge(2, "drift", "age") == "drift"


def test_an_old_window_that_late_captures_turned_to_drift_is_told_and_changes_nothing() -> None:
    watch = Watch()
    watch.judge(0, "healthy")
    watch.judge(5, "healthy")
    before = watch.state
    assert watch.judge(0, "drift", "age", before="healthy") == "drift"
    assert watch.judge(0, "drift", "age", before="drift") is None
    assert watch.judge(1, "healthy") is None
    assert watch.state == before


def test_the_state_is_read_back_as_it_was() -> None:
    watch = Watch()
    assert AlertState.from_document(watch.state.to_document()) == watch.state
    watch.judge(0, "drift", "age")
    assert AlertState.from_document(watch.state.to_document()) == watch.state
