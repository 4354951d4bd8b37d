"""When to tell people: on a change for the worse, daily while it lasts, and when it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Self

from mlops_framework.drift.policy import Verdict
from mlops_framework.drift.windows import Window, instant, moment

REMINDER: Final = timedelta(hours=24)

Status = Literal["quiet", "drift", "no-data"]
Alert = Literal["drift", "still-drift", "no-data", "still-no-data", "recovered"]


@dataclass(frozen=True)
class AlertState:
    """What people were told last.

    Attributes:
        status: The condition they know of.
        features: The columns they were told about.
        window: Start of the newest window taken into account.
        told: When they were told last.
    """

    status: Status = "quiet"
    features: tuple[str, ...] = ()
    window: datetime | None = None
    told: datetime | None = None

    def to_document(self) -> dict[str, Any]:
        """The state as JSON."""
        return {
            "status": self.status,
            "features": list(self.features),
            "window": self.window and instant(self.window),
            "told": self.told and instant(self.told),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_document` wrote."""
        window, told = document["window"], document["told"]
        return cls(
            document["status"],
            tuple(document["features"]),
            moment(window) if window else None,
            moment(told) if told else None,
        )


def decide(
    state: AlertState,
    window: Window,
    verdict: Verdict,
    features: Sequence[str],
    *,
    complete: bool,
    before: Verdict | None,
    now: datetime,
) -> tuple[AlertState, Alert | None]:
    """Take a judged window into account.

    A window that is still open may raise an alarm (enough records have differed) but not call it
    off. A window older than the newest one known was re-opened by late captures: it is told if it
    turned to drift, and changes nothing else.

    Args:
        state: What people know.
        window: The window judged.
        verdict: Its verdict.
        features: Drifted columns, worst first.
        complete: Whether the window is over.
        before: The window's earlier verdict, if it was judged before.
        now: The present.
    """
    if state.window is not None and window.start < state.window:
        return state, "drift" if verdict == "drift" and before != "drift" else None
    alert = _alert(state, verdict, features, complete=complete, now=now)
    status: Status = state.status
    known = state.features
    if verdict == "drift":
        status, known = "drift", tuple(dict.fromkeys((*known, *features)))
    elif verdict == "no-data":
        status, known = "no-data", ()
    elif verdict == "healthy" and complete:
        status, known = "quiet", ()
    return AlertState(status, known, window.start, now if alert else state.told), alert


def _alert(
    state: AlertState,
    verdict: Verdict,
    features: Sequence[str],
    *,
    complete: bool,
    now: datetime,
) -> Alert | None:
    due = state.told is None or now - state.told >= REMINDER
    if verdict == "drift":
        if state.status != "drift" or not set(features) <= set(state.features):
            return "drift"
        return "still-drift" if due else None
    if verdict == "no-data":
        if state.status != "no-data":
            return "no-data"
        return "still-no-data" if due else None
    if verdict == "healthy" and complete and state.status != "quiet":
        return "recovered"
    return None
