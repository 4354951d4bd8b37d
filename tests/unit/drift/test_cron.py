"""Times of EventBridge Scheduler's cron expressions, as AWS documents them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import pytest

from mlops_framework.drift.heartbeat.cron import Cron

AFTER = datetime(2026, 3, 1, tzinfo=UTC)
"""A Sunday."""


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        # Examples of the user guides of EventBridge and EventBridge Scheduler.
        ("0 10 * * ? *", "03-01T10:00 03-02T10:00 03-03T10:00"),
        ("15 12 * * ? *", "03-01T12:15 03-02T12:15 03-03T12:15"),
        ("0 18 ? * MON-FRI *", "03-02T18:00 03-03T18:00 03-04T18:00"),
        ("0 8 1 * ? *", "03-01T08:00 04-01T08:00 05-01T08:00"),
        ("0/10 * ? * MON-FRI *", "03-02T00:00 03-02T00:10 03-02T00:20"),
        ("0/5 8-17 ? * MON-FRI *", "03-02T08:00 03-02T08:05 03-02T08:10"),
        ("0 9 ? * 2#1 *", "03-02T09:00 04-06T09:00 05-04T09:00"),
        ("0/30 20-2 ? * MON-FRI *", "03-02T00:00 03-02T00:30 03-02T01:00"),
        ("15 10 ? * 6L 2022-2026", "03-27T10:15 04-24T10:15 05-29T10:15"),
        # What else the fields may hold.
        ("0 0 L * ? *", "03-31T00:00 04-30T00:00 05-31T00:00"),
        ("0 0 LW * ? *", "03-31T00:00 04-30T00:00 05-29T00:00"),
        ("0 0 1W,14W * ? *", "03-02T00:00 03-13T00:00 04-01T00:00"),
        ("0 0 31 * ? *", "03-31T00:00 05-31T00:00 07-31T00:00"),
        ("0 0 ? * FRIL *", "03-27T00:00 04-24T00:00 05-29T00:00"),
        ("0 0 ? * L *", "03-07T00:00 03-14T00:00 03-21T00:00"),
        ("0 0 ? * 6-2 *", "03-02T00:00 03-06T00:00 03-07T00:00"),
        ("50-10/15 6 ? JUN,7 WED *", "06-03T06:05 06-03T06:50 06-10T06:05"),
        ("0 */12 ? * * *", "03-01T12:00 03-02T00:00 03-02T12:00"),
        ("0 6 24 12 ? 2025/1", "12-24T06:00 2027-12-24T06:00 2028-12-24T06:00"),
    ],
)
def test_a_cron_expression_tells_its_times(expression: str, times: str) -> None:
    cron = Cron.parse(f"cron({expression})")
    assert cron is not None
    wanted = [
        datetime.fromisoformat(time if len(time) > 11 else f"2026-{time}").replace(tzinfo=UTC)
        for time in times.split()
    ]
    assert list(islice(cron.after(AFTER), 3)) == wanted


@pytest.mark.parametrize("expression", ["0 0 1 1 ? 2020", "0 0 30 2 ? *", "0 0 ? 2 1#5 2026"])
def test_times_that_never_come_end(expression: str) -> None:
    cron = Cron.parse(f"cron({expression})")
    assert cron is not None
    assert list(cron.after(AFTER)) == []


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 hour)",
        "cron(0 9 * * *)",
        "cron(0 25 * * ? *)",
        "cron(0 9 1 * MON *)",
        "cron(0 9 ? * MUN *)",
        "cron(0 9 32W * ? *)",
        "cron(0/0 9 * * ? *)",
        "cron(0 9 ? * 2#6 *)",
    ],
)
def test_what_eventbridge_refuses_has_no_times(expression: str) -> None:
    assert Cron.parse(expression) is None
