"""When drift asks for retraining: N of the last M windows, a cooldown, a monthly cap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.windows import Window, instant, moment


@dataclass(frozen=True)
class RetrainingState:
    """What a decision needs to know of the past.

    Attributes:
        breaches: Start of each of the latest judged windows, and whether it drifted.
        requests: When retraining was asked for, this month and the last request before.
        answered: Starts of the windows whose breach led to a request; each asks at most once.
    """

    breaches: Mapping[datetime, bool] = field(default_factory=dict)
    requests: tuple[datetime, ...] = ()
    answered: frozenset[datetime] = frozenset()

    def to_document(self) -> dict[str, Any]:
        """The state as JSON."""
        return {
            "breaches": {instant(start): hit for start, hit in sorted(self.breaches.items())},
            "requests": [instant(when) for when in self.requests],
            "answered": [instant(start) for start in sorted(self.answered)],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_document` wrote."""
        return cls(
            {moment(start): bool(hit) for start, hit in document["breaches"].items()},
            tuple(moment(when) for when in document["requests"]),
            frozenset(moment(start) for start in document["answered"]),
        )


@dataclass(frozen=True)
class RetrainingDecision:
    """Whether to ask for retraining, and why or why not, for a person."""

    requested: bool
    reason: str


def decide(
    state: RetrainingState,
    config: MonitorConfig,
    window: Window,
    *,
    drifted: bool,
    now: datetime,
    keep: int = 0,
) -> tuple[RetrainingState, RetrainingDecision]:
    """Take a judged window into account and decide.

    A window counts once however often it is judged: late objects replace its earlier verdict.

    Args:
        state: The past.
        config: The monitor's retraining rule.
        window: The window that was judged (windows without enough data are not to be passed).
        drifted: Whether its verdict is drift.
        now: The present.
        keep: Windows to remember at least: as many as may still be judged again.
    """
    # Twice the windows of the rule are kept, so that late windows still find their neighbours.
    judged = dict(sorted({**state.breaches, window.start: drifted}.items()))
    kept = dict(list(judged.items())[-max(2 * config.retrain_windows, keep) :])
    state = replace(state, breaches=kept, answered=state.answered & kept.keys())
    decision = _decision(state, config, window, now)
    if decision.requested:
        state = replace(
            state,
            requests=(*(when for when in state.requests if _same_month(when, now)), now),
            answered=state.answered | {window.start},
        )
    return state, decision


def _decision(
    state: RetrainingState, config: MonitorConfig, window: Window, now: datetime
) -> RetrainingDecision:
    if not state.breaches.get(window.start, False):
        return RetrainingDecision(False, "This window did not drift.")
    if not config.retrain:
        return RetrainingDecision(False, "Retraining is off for this monitor (retrain: false).")
    if window.start in state.answered:
        return RetrainingDecision(False, "Retraining was already asked for because of this window.")
    latest = [hit for start, hit in sorted(state.breaches.items()) if start <= window.start]
    hits = sum(latest[-config.retrain_windows :])
    rule = f"{config.retrain_breaches} of {config.retrain_windows}"
    if hits < config.retrain_breaches:
        reason = f"{hits} of the last {config.retrain_windows} windows drifted; the rule is {rule}."
        return RetrainingDecision(False, reason)
    cooldown = timedelta(minutes=config.retrain_cooldown_minutes)
    if state.requests and now < state.requests[-1] + cooldown:
        reason = (
            f"Retraining was asked for at {instant(state.requests[-1])}; the cooldown ends at "
            f"{instant(state.requests[-1] + cooldown)}."
        )
        return RetrainingDecision(False, reason)
    this_month = sum(_same_month(when, now) for when in state.requests)
    if this_month >= config.retrain_monthly_cap:
        reason = (
            f"Retraining was asked for {this_month} times in {now:%B %Y}; "
            f"the cap is {config.retrain_monthly_cap}."
        )
        return RetrainingDecision(False, reason)
    reason = (
        f"{hits} of the last {config.retrain_windows} windows drifted (rule: {rule}); "
        f"request {this_month + 1} of at most {config.retrain_monthly_cap} this month."
    )
    return RetrainingDecision(True, reason)


def _same_month(one: datetime, other: datetime) -> bool:
    return (one.year, one.month) == (other.year, other.month)
