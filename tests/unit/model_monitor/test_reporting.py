"""What machines, people and alarms learn of a monitor's runs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mlops_framework.model_monitor.runs import Job

SCHEDULE = "mlops-test-income-data-quality-dev"
REPORTS = "s3://data/monitors/income/2026/11/23/12"
RUN = Job("data-quality-monitoring-202611231200-1", "Completed", SCHEDULE, REPORTS)
FOUND = {
    "violations": [
        {
            "feature_name": "age",
            "constraint_check_type": "completeness_check",
            "description": "Data is 80% complete, 100% is expected.",
        }
    ]
}


@pytest.fixture
def violated(world):
    """A world with a run that found a violation."""
    world.jobs[RUN.name] = RUN
    world.files[f"{REPORTS}/constraint_violations.json"] = json.dumps(FOUND)
    return world


def test_a_violation_becomes_an_event_an_alert_and_a_number_for_the_alarm(violated) -> None:
    violated.reporting().report(RUN.name)

    ((kind, detail),) = violated.publisher.events
    ((subject, text),) = violated.publisher.alerts
    assert kind == "Monitor Run Finished"
    assert (detail["monitor"], detail["outcome"], detail["violation_count"]) == (
        SCHEDULE,
        "violations",
        1,
    )
    assert (detail["environment"], detail["endpoint_name"]) == ("mlops-test", "income")
    assert detail["violations"][0]["subject"] == "age"
    assert subject == f"Monitor {SCHEDULE}: 1 violation"
    assert text == f"age: Data is 80% complete, 100% is expected.\nReport: {REPORTS}"
    assert violated.metrics.values == [
        (SCHEDULE, {"Runs": 1.0, "FailedRuns": 0.0, "Violations": 1.0})
    ]


def test_a_run_that_sagemaker_tells_twice_is_told_once(violated) -> None:
    violated.reporting().report(RUN.name)
    again = violated.reporting().report(RUN.name)

    assert again is None
    assert len(violated.publisher.events) == len(violated.publisher.alerts) == 1


def test_a_healthy_run_is_an_event_and_no_alert(world) -> None:
    world.jobs[RUN.name] = RUN

    run = world.reporting().report(RUN.name)

    assert run.outcome == "healthy"
    assert [detail["outcome"] for _, detail in world.publisher.events] == ["healthy"]
    assert world.publisher.alerts == []
    assert world.metrics.values[0][1]["Violations"] == 0.0


def test_a_run_that_could_not_look_is_told_with_sagemakers_reason(world) -> None:
    world.jobs[RUN.name] = replace(RUN, status="Failed", reason="No data for the hour")

    world.reporting().report(RUN.name)

    ((subject, text),) = world.publisher.alerts
    assert subject == f"Monitor {SCHEDULE} could not look"
    assert "No data for the hour" in text
    assert world.metrics.values == [(SCHEDULE, {"Runs": 0.0, "FailedRuns": 1.0, "Violations": 0.0})]


@pytest.mark.parametrize(
    "job",
    [
        Job("pipelines-1-baseline", "Completed", "", REPORTS),
        replace(RUN, status="InProgress"),
        replace(RUN, name="groundtruth-merge-202611231200-1"),
    ],
    ids=["a baseline job", "a run that goes on", "a merge before its run"],
)
def test_jobs_that_are_no_end_of_a_run_are_not_told(world, job) -> None:
    world.jobs[job.name] = job

    assert world.reporting().report(job.name) is None
    assert (world.publisher.events, world.publisher.alerts) == ([], [])


def test_a_merge_that_fails_ends_the_run_and_is_told(world) -> None:
    merge = replace(RUN, name="groundtruth-merge-1", status="Failed", reason="no ground truth")
    world.jobs[merge.name] = merge

    world.reporting().report(merge.name)

    assert "no ground truth" in world.publisher.alerts[0][1]


def test_violations_that_cannot_be_read_are_a_violation_all_the_same(world) -> None:
    world.jobs[RUN.name] = replace(RUN, message="CompletedWithViolations: Job completed")

    without_file = world.reporting().report(RUN.name)
    del world.files[f"{REPORTS}/mlops-run.json"]
    world.files[f"{REPORTS}/constraint_violations.json"] = "{"
    broken_file = world.reporting().report(RUN.name)

    assert (without_file.outcome, broken_file.outcome) == ("violations", "violations")
    assert "no JSON" in broken_file.violations[0].text


@pytest.mark.parametrize(
    ("entry", "subject"),
    [
        ({"metric_name": "auc", "constraint_check_type": "LessThanThreshold"}, "auc"),
        ({"facet": "sex", "facet_value": "1", "metric_name": "DPPL"}, "sex=1 DPPL"),
        ({"label": "label0"}, "label0"),
    ],
    ids=["model quality", "bias", "explainability"],
)
def test_every_kind_of_monitor_names_what_it_is_about(world, entry, subject) -> None:
    world.jobs[RUN.name] = RUN
    world.files[f"{REPORTS}/constraint_violations.json"] = json.dumps({"violations": [entry]})

    run = world.reporting().report(RUN.name)

    assert [violation.subject for violation in run.violations] == [subject]


def test_many_violations_fit_into_event_and_alert(world) -> None:
    entries = [{"feature_name": f"column{n}", "description": "d" * 500} for n in range(25)]
    world.jobs[RUN.name] = replace(RUN, schedule="s" * 63)
    world.files[f"{REPORTS}/constraint_violations.json"] = json.dumps({"violations": entries})

    world.reporting().report(RUN.name)

    ((_, detail),) = world.publisher.events
    ((subject, text),) = world.publisher.alerts
    assert (detail["violation_count"], len(detail["violations"])) == (25, 20)
    assert "and 5 more." in text
    assert len(subject) <= 100
