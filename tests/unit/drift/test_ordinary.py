"""Reports show between which shares a column's values lie in ordinary hours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonschema
import numpy as np
import pytest

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.findings import findings_of
from mlops_framework.drift.hour_blocks import HourBlocks
from mlops_framework.drift.ordinary import Ordinary
from mlops_framework.drift.policy import Policy, judge
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.report import Evaluation, report_document
from mlops_framework.drift.report_html import report_page
from mlops_framework.drift.tally import cells_of, counted
from mlops_framework.drift.values import Numbers, Texts, Values
from mlops_framework.testing.drift import MONITOR
from tests.unit.drift.test_report import SCHEMA, TASK, read

DAYS = 14
HOURS = np.arange(490_008, 490_008 + 24 * DAYS).repeat(200)
"""Hours of days from midnight on, 200 rows each."""


def columns(seed: int = 1, moved: float = 0.0) -> dict[str, Values]:
    """Half of the hours have some 30 % of reds, the other half 70 %; amounts go with them."""
    source = np.random.default_rng(seed)
    lively = HOURS % 2 == 1
    red = source.random(len(HOURS)) < np.where(lively, 0.7, 0.3)
    return {
        "colour": Texts(np.where(red, 0, 1), ("red", "blue")),
        "amount": Numbers(source.normal(np.where(lively, 1.0, 0.0) + moved, 1.0)),
    }


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return Baseline.of_columns(columns(), hours=HOURS, source="two weeks")


def bars(report: dict[str, Any], name: str) -> list[dict[str, Any]]:
    (found,) = (column["bars"] for column in report["columns"] if column["name"] == name)
    return list(found)


def report_of(baseline: Baseline, config: MonitorConfig = MONITOR) -> dict[str, Any]:
    now = columns(2)
    counts = (counted(column.spec, now[column.spec.name]) for column in baseline.columns)
    profile, policy = Profile(baseline.id, tuple(counts)), Policy.of(config)
    judgement = judge(baseline, profile, policy)
    findings = findings_of(judgement, baseline, profile, policy)
    return report_document(Evaluation(config, TASK, baseline, profile, judgement, findings))


def test_bars_say_between_which_shares_ordinary_hours_lie(baseline: Baseline) -> None:
    report = report_of(baseline)

    jsonschema.validate(report, SCHEMA)
    (red,) = (bar for bar in bars(report, "colour") if bar["label"] == "red")
    assert red["baseline"] == pytest.approx(0.5, abs=0.02)
    assert red["ordinary"] == pytest.approx([0.25, 0.75], abs=0.03)
    page = report_page(report)
    assert page.count('class="ordinary"') == sum(len(bars(report, n)) for n in columns())
    assert "nine of ten windows of the training data" in " ".join(read(page).text)


def test_days_are_alike_where_hours_are_not(baseline: Baseline) -> None:
    daily = report_of(baseline, replace(MONITOR, window_minutes=1440))

    assert bars(daily, "colour")[0]["ordinary"] == pytest.approx([0.49, 0.51], abs=0.015)


def test_nothing_is_said_of_weeks_where_there_are_two(baseline: Baseline) -> None:
    report = report_of(baseline, replace(MONITOR, window_minutes=10_080))

    assert all("ordinary" not in bar for name in columns() for bar in bars(report, name))
    assert "nine of ten" not in report_page(report)


def test_cells_that_were_counted_together_share_what_they_have(baseline: Baseline) -> None:
    column, values = baseline.columns[1], columns()["amount"]
    coarse = HourBlocks.fitting(np.unique(HOURS), [column.spec.cells], most=24 * DAYS * 16)
    text = coarse.counted(column.spec, column.counts, cells_of(column.spec, values), HOURS)

    exact = Ordinary.of(column, baseline.blocks, 60)
    found = Ordinary.of(replace(column, by_block=text), coarse, 60)

    assert exact is not None
    assert found is not None
    half = range(column.spec.cells // 2)
    assert found.range_of(range(column.spec.cells)) == pytest.approx((1.0, 1.0))
    assert found.range_of(half) == pytest.approx(exact.range_of(half), abs=0.02)


def test_what_moved_and_is_hardly_wider_is_not_said_to_have_spread(baseline: Baseline) -> None:
    now = {name: values.at(slice(2000)) for name, values in columns(3, moved=1.5).items()}
    counts = (counted(column.spec, now[column.spec.name]) for column in baseline.columns)
    profile, policy = Profile(baseline.id, tuple(counts)), Policy()
    judgement = judge(baseline, profile, policy)
    (scale,) = (test for test in judgement.tests if test.test == "scale")
    alone = replace(judgement, verdict="drift", tests=(replace(scale, breached=True),))

    (told,) = findings_of(alone, baseline, profile, policy)

    assert scale.statistic > 0, "the values are farther from the training data's middle"
    assert told.sentence.startswith("amount moved up: the average went from")
