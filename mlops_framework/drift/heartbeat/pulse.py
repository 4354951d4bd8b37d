"""What is wrong with the captures of a window, each fault with a sentence a person understands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, Literal

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.heartbeat.capture_state import CaptureState
from mlops_framework.drift.heartbeat.cron import Cron
from mlops_framework.drift.heartbeat.memory import Memory
from mlops_framework.drift.policy import unreadable_inputs
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.windows import Window, instant

Aspect = Literal[
    "no-capture",
    "late-capture",
    "sampling-changed",
    "schema-changed",
    "check-missed",
    "no-labels",
    "unmatched-labels",
]

CHANGED_SHARE: Final = 0.01
"""From this share of the records on, members or fields that training did not have are a change."""
_GONE: Final = 0.5
_MISSED: Final = 2
"""So many evaluations that did not run are a fault; a late one is none."""
_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        aspect: What.
        sentence: For a person.
        share: Share of the records that are affected; 1 for all, or where no records are the fault.
        known: Whether the cause is known, so that somebody has to act. Silence alone may be a quiet
            hour.
    """

    aspect: Aspect
    sentence: str
    share: float = 1.0
    known: bool = True


def overdue_since(config: MonitorConfig, looked: datetime, now: datetime) -> datetime | None:
    """Since when evaluations did not run that the schedule asks for.

    Windows that are over come once a window, whatever the schedule, and after the grace period; so
    nothing is expected of a monitor that long. Of a cron expression, all its times between then and
    now are expected, but for the last one: that may be what runs now.

    Args:
        config: The monitor.
        looked: When it ran last.
        now: The present.

    Returns:
        The first time at which it did not run; ``None`` unless there are two or more.
    """
    schedule = config.schedule_expression.strip()
    since = looked + timedelta(minutes=config.window_minutes, seconds=config.grace_seconds)
    if match := _RATE.fullmatch(schedule):
        interval = timedelta(**{f"{match[2]}s": int(match[1])})
        return since + interval if now > since + _MISSED * interval else None
    cron = Cron.parse(schedule)
    if cron is None:
        return None
    times = list(islice(cron.after(since), _MISSED + 1))
    return times[0] if len(times) > _MISSED and times[-1] <= now else None


def faults_of(
    config: MonitorConfig,
    window: Window,
    baseline: Baseline,
    profile: Profile,
    *,
    objects: int,
    capture: CaptureState | None,
    sampling: int | None,
    memory: Memory,
    now: datetime,
) -> list[Fault]:
    """Everything that is wrong, the most urgent first.

    Args:
        config: The monitor.
        window: A window that is over.
        baseline: What it was compared with.
        profile: What was captured in it.
        objects: How many captured objects it was judged with.
        capture: What SageMaker says; ``None`` if there is no such endpoint.
        sampling: Percentage of the requests that are captured; ``None`` where nobody could say.
        memory: What was found before.
        now: The present.
    """
    found = [
        *_silence(config, window, profile, capture, batch=memory.sampling is None),
        *_sampling(config, sampling, memory),
        *_schema(baseline, profile),
        *_lateness(window, memory.late(window, objects), config),
        *_gap(config, memory, now),
    ]
    return found


def _silence(
    config: MonitorConfig,
    window: Window,
    profile: Profile,
    capture: CaptureState | None,
    *,
    batch: bool,
) -> Iterator[Fault]:
    if profile.rows or unreadable_inputs(profile):
        return
    name = config.endpoint_name
    if capture is None and batch:
        # Batch jobs have captures and no endpoint; one that was never seen proves nothing.
        yield Fault(
            "no-capture",
            f"Nothing was captured in {window}, and there is no endpoint {name}: no batch job ran, "
            "or the name is wrong.",
            known=False,
        )
        return
    if capture and not capture.enabled and (config.target_model or not capture.by_sagemaker):
        yield Fault(
            "no-capture",
            f"Nothing was captured in {window}. SageMaker does not capture {name}, its inference "
            "API does: no request came through it, or it is deployed with api_capture_percentage "
            "0.",
            known=False,
        )
        return
    if capture is None:
        why = f"there is no endpoint {name}: deploy it, or delete this monitor"
    elif not capture.enabled:
        why = (
            f"data capture of {name} is off: deploy it with data capture, or update its "
            "configuration"
        )
    elif capture.destination and not _same_place(capture.destination, config):
        why = (
            f"{name} captures to {capture.destination} and the monitor looks below "
            f"{config.captures}: make capture_location the same"
        )
    else:
        yield Fault(
            "no-capture",
            f"Nothing was captured in {window}, though data capture of {name} is on at "
            f"{capture.sampling} %: no request came, or its disk is more than three quarters full, "
            "which stops capture silently.",
            known=False,
        )
        return
    yield Fault("no-capture", f"Nothing was captured in {window}, because {why}.")


def _same_place(destination: str, config: MonitorConfig) -> bool:
    captures = str(config.captures).removesuffix(f"/{config.endpoint_name}")
    return destination.rstrip("/") in (captures, str(config.captures))


def _sampling(config: MonitorConfig, sampling: int | None, memory: Memory) -> Iterator[Fault]:
    if sampling is None or memory.sampling in (None, sampling):
        return
    yield Fault(
        "sampling-changed",
        f"Data capture of {config.endpoint_name} went from {memory.sampling} % to "
        f"{sampling} % of the requests; counts of records before and after do not compare.",
    )


def _schema(baseline: Baseline, profile: Profile) -> Iterator[Fault]:
    seen = profile.rows + unreadable_inputs(profile)
    if not seen:
        return
    members = {name: count / seen for name, count in profile.unexpected.counts.items() if count}
    new = sorted(name for name, share in members.items() if share >= CHANGED_SHARE)
    if new:
        yield Fault(
            "schema-changed",
            f"Requests have members that the training data does not have: {_named(new)}.",
            min(1.0, max(members.values())),
        )
    width = profile.unreadable.get("field-count", 0) / seen
    if width >= CHANGED_SHARE:
        yield Fault(
            "schema-changed",
            f"{width:.0%} of the rows do not have the {len(baseline.columns)} fields of the "
            "training data.",
            width,
        )
    pairs = list(zip(baseline.columns, profile.columns, strict=True))
    gone = [
        column.spec.name
        for column, window in pairs
        if window.records
        and window.missing == window.records
        and column.counts.missing <= _GONE * column.counts.records
    ]
    if gone:
        yield Fault("schema-changed", f"No request has a value any more: {_named(gone)}.")
    other = [
        column.spec.name
        for column, window in pairs
        if window.records and window.invalid >= _GONE * window.records
    ]
    if other:
        what = f"Numbers in the training data and something else now: {_named(other)}."
        yield Fault("schema-changed", what)


def _lateness(window: Window, late: int, config: MonitorConfig) -> Iterator[Fault]:
    if late:
        objects = "object" if late == 1 else "objects"
        yield Fault(
            "late-capture",
            f"{late} captured {objects} of {window} came more than {config.grace_seconds} seconds "
            "after its end; it was judged again. If it is often so, make grace_seconds longer.",
        )


def _gap(config: MonitorConfig, memory: Memory, now: datetime) -> Iterator[Fault]:
    missed = memory.looked and overdue_since(config, memory.looked, now)
    if memory.looked is None or missed is None:
        return
    yield Fault(
        "check-missed",
        f"The monitor did not run between {instant(memory.looked)} and {instant(now)}, though its "
        f"schedule is {config.schedule_expression} and it was due at {instant(missed)} at the "
        "latest; windows without captures in between were not noticed.",
    )


def _named(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
