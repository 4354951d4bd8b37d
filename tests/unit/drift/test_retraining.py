from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.retraining import RetrainingDecision, RetrainingState, decide
from mlops_framework.drift.windows import Window, moment
from mlops_framework.testing.drift import MONITOR

START = moment("2026-03-01T00:00:00Z")


def window(hour: int) -> Window:
    return Window.containing(START + timedelta(hours=hour), 60)


def run(
    config: MonitorConfig, drifted: list[bool], state: RetrainingState | None = None
) -> tuple[RetrainingState, list[RetrainingDecision]]:
    """Judge one window an hour, each an hour after it began."""
    state, decisions = state or RetrainingState(), []
    for hour, hit in enumerate(drifted):
        now = START + timedelta(hours=hour + 1)
        state, decision = decide(state, config, window(hour), drifted=hit, now=now)
        decisions.append(decision)
    return state, decisions


def requested(decisions: list[RetrainingDecision]) -> list[bool]:
    return [decision.requested for decision in decisions]


def test_one_breach_is_enough_by_default() -> None:
    _, decisions = run(MONITOR, [False, True])
    assert requested(decisions) == [False, True]
    assert "request 1 of at most 4 this month" in decisions[1].reason


def test_n_of_m_windows_must_have_drifted() -> None:
    config = replace(MONITOR, retrain_breaches=2, retrain_windows=3)
    _, decisions = run(config, [True, False, False, True, False, True])
    assert requested(decisions) == [False, False, False, False, False, True]
    assert decisions[3].reason == "1 of the last 3 windows drifted; the rule is 2 of 3."


def test_the_cooldown_keeps_a_second_request_back() -> None:
    config = replace(MONITOR, retrain_cooldown_minutes=180)
    _, decisions = run(config, [True, True, True, True])
    assert requested(decisions) == [True, False, False, True]
    assert "cooldown ends at 2026-03-01T04:00:00Z" in decisions[1].reason


def test_the_cap_counts_calendar_months() -> None:
    config = replace(MONITOR, retrain_cooldown_minutes=0, retrain_monthly_cap=2)
    state, decisions = run(config, [True, True, True])
    assert requested(decisions) == [True, True, False]
    assert "asked for 2 times in March 2026; the cap is 2" in decisions[2].reason
    april = moment("2026-04-01T00:30:00Z")
    _, decision = decide(state, config, Window.containing(april, 60), drifted=True, now=april)
    assert decision.requested


def test_a_window_judged_again_asks_only_once() -> None:
    config = replace(MONITOR, retrain_cooldown_minutes=0)
    state, _ = run(config, [True])
    _, decision = decide(state, config, window(0), drifted=True, now=START + timedelta(hours=9))
    assert not decision.requested
    assert "already asked for because of this window" in decision.reason


def test_a_window_that_late_captures_calmed_no_longer_counts() -> None:
    config = replace(MONITOR, retrain_breaches=2, retrain_windows=2)
    state, _ = run(config, [True])
    now = START + timedelta(hours=3)
    state, _ = decide(state, config, window(0), drifted=False, now=now)
    _, decision = decide(state, config, window(1), drifted=True, now=now)
    assert not decision.requested


def test_retraining_can_be_off() -> None:
    _, decisions = run(replace(MONITOR, retrain=False), [True])
    assert decisions[0] == RetrainingDecision(
        False, "Retraining is off for this monitor (retrain: false)."
    )


def test_the_state_is_read_back_as_it_was_and_stays_small() -> None:
    config = replace(MONITOR, retrain_breaches=2, retrain_windows=3)
    state, _ = run(config, [True, True] * 100)
    assert len(state.breaches) <= 6
    document = json.loads(json.dumps(state.to_document()))
    assert RetrainingState.from_document(document) == state
