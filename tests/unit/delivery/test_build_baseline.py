from __future__ import annotations

import pytest


@pytest.fixture
def monitored(stage):
    stage.deploy(MonitorName="income")
    return stage


def test_the_baseline_function_is_called_for_the_stacks_monitor(monitored) -> None:
    monitored.baselines.result = {
        "status": "built",
        "rows": 12_000,
        "columns": ["age", "schooling"],
        "baseline_id": "b1",
    }

    report = monitored.look("build-baseline")

    assert monitored.baselines.calls == [{"monitor": "income"}]
    assert report.result == "succeeded"
    assert report.text == "Built the baseline of monitor income from 12000 rows and 2 columns."


def test_what_the_function_raised_is_told(monitored) -> None:
    monitored.baselines.error = "there is no object s3://data/datasets/train.csv"

    report = monitored.look("build-baseline")

    assert report.result == "failed"
    assert "there is no object s3://data/datasets/train.csv" in report.text


@pytest.mark.parametrize("result", [None, {}, {"status": "skipped"}, "built"])
def test_an_answer_that_is_not_a_built_baseline_fails(monitored, result) -> None:
    monitored.baselines.result = result

    assert monitored.look("build-baseline").result == "failed"


def test_a_platform_without_a_drift_service_is_told(monitored) -> None:
    monitored.baselines = None

    assert monitored.look("build-baseline").kind == "ConfigurationError"
