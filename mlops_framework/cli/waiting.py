"""Waiting for a pipeline, told while it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from mlops_framework.cli.errors import NotDone

# As in contracts.responses.SETTLED, which a test holds this against: importing it costs pydantic.
SETTLED: Final = frozenset(
    {"AwaitingApproval", "Delivered", "Failed", "Stopped", "Interrupted", "DeleteFailed"}
)
FAILED: Final = SETTLED - {"AwaitingApproval", "Delivered"}
_OLD_NEWS_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Clock:
    """Time, exchanged in tests."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    today: Callable[[], datetime] = lambda: datetime.now(UTC)


def wait_until_settled(
    look: Callable[[], Mapping[str, Any]],
    tell: Callable[[str], None],
    *,
    seconds: float,
    clock: Clock,
) -> Mapping[str, Any]:
    """Look until the pipeline does not change by itself any more.

    A new source takes some seconds to start the pipeline again; until then the status is that of
    the execution before the request. Such old news is waited out for a minute.

    Args:
        look: Reads the status document.
        tell: Shown what is going on.
        seconds: At most this long.
        clock: Time.

    Raises:
        NotDone: If it is not settled in time.
    """
    start = clock.now()
    while True:
        status = look()
        waited = clock.now() - start
        old = is_old_news(status) and waited < _OLD_NEWS_SECONDS
        if status["status"] in SETTLED and not old:
            return status
        if waited >= seconds:
            raise NotDone(
                f"After {seconds:.0f} s the pipeline {status['pipeline_id']} is still "
                f"{status['status']}: {status['message']} It goes on; look again with "
                f"mlops status {status['pipeline_id']} --wait."
            )
        tell(f"{status['pipeline_id']}: {status['status']}{_where(status)}")
        clock.sleep(seconds_between(waited))


def seconds_between(waited: float) -> float:
    """How long to wait before the next look: what takes minutes is looked at less often."""
    if waited < 5:
        return 0.5
    return 1.0 if waited < 30 else 3.0


def is_old_news(status: Mapping[str, Any]) -> bool:
    """Whether the delivery pipeline has not started since the last request."""
    changes = [
        moment
        for stage in status.get("stages", ())
        for action in stage["actions"]
        if (moment := _moment(action.get("changed_at", ""))) is not None
    ]
    requested = _moment(status.get("requested_at", ""))
    return bool(changes) and requested is not None and max(changes) < requested


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _where(status: Mapping[str, Any]) -> str:
    running = [
        f"{stage['name']}/{action['name']}"
        for stage in status.get("stages", ())
        for action in stage["actions"]
        if stage.get("is_current") and action["status"] == "InProgress"
    ]
    return f" ({', '.join(running)})" if running else ""
