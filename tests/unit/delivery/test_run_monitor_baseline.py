from __future__ import annotations

import pytest

from mlops_framework.delivery.model_build import BuildStep

STACK = "mlops-test-income-training-dev"
FORMER, WANTED = "0" * 16, "1" * 16
JOB = "arn:aws:sagemaker:us-east-1:111122223333:processing-job/pipelines-1-baseline"


@pytest.fixture
def monitor(stage):
    """A stage whose monitor is settled on one baseline and wants another one."""

    def place(settled: str = FORMER, pipeline: str = "mlops-test-income", **parameters: str):
        outputs = {"BaselinePipelineName": pipeline} if pipeline else {}
        stage.stacks.place(
            STACK,
            outputs=outputs,
            parameters={"BaselineKey": WANTED, "SettledBaseline": settled, **parameters},
        )
        return stage

    return place


def test_a_stage_without_a_stack_is_settled_on_nothing(stage) -> None:
    report = stage.look("find-monitor-baseline")

    assert report.result == "succeeded"
    assert report.outputs == {
        "SettledBaseline": "none",
        "SettledConstraints": "none",
        "SettledStatistics": "none",
    }


def test_a_baseline_that_a_request_brought_is_handed_on_with_its_files(monitor) -> None:
    brought = monitor(BaselineConstraintsLocation="s3://b/c.json").look("find-monitor-baseline")
    handed_on = monitor(SettledConstraints="s3://b/c.json", BaselineConstraintsLocation="").look(
        "find-monitor-baseline"
    )

    assert brought.outputs == handed_on.outputs
    assert brought.outputs == {
        "SettledBaseline": FORMER,
        "SettledConstraints": "s3://b/c.json",
        "SettledStatistics": "none",
    }


def test_names_too_long_for_code_pipeline_leave_no_schedule_and_it_says_so(monitor) -> None:
    long = f"s3://b/{'c' * 900}.json"

    report = monitor(BaselineConstraintsLocation=long).look("find-monitor-baseline")

    assert report.outputs["SettledBaseline"] == "none"
    assert "no schedule until the wanted baseline is there" in report.text


@pytest.mark.parametrize(
    ("settled", "pipeline", "said"),
    [
        (WANTED, "mlops-test-income", "nothing it depends on changed"),
        (FORMER, "", "is given with the request"),
    ],
)
def test_a_baseline_that_is_there_is_not_computed(monitor, settled, pipeline, said) -> None:
    stage = monitor(settled, pipeline)

    report = stage.look("run-monitor-baseline")

    assert report.result == "succeeded"
    assert report.outputs == {"BaselineKey": WANTED}
    assert said in report.text
    assert stage.builds.runs == {}


def test_a_schedule_waits_until_the_baseline_job_has_finished(monitor) -> None:
    stage = monitor("none")

    first = stage.look("run-monitor-baseline")
    again = stage.look("run-monitor-baseline", token=dict(first.token))
    stage.builds.finish("Succeeded", BuildStep("Baseline", "Succeeded", job=JOB))
    last = stage.look("run-monitor-baseline", token=dict(again.token))

    assert (first.result, again.result, last.result) == ("proceeds", "proceeds", "succeeded")
    assert first.outputs == again.outputs == {}
    assert last.outputs == {"BaselineKey": WANTED}
    assert len(stage.builds.runs) == 1


@pytest.mark.parametrize(
    ("settled", "kept"),
    [
        ("none", "There is no schedule without a baseline."),
        (FORMER, f"The schedule goes on with baseline {FORMER}."),
    ],
)
def test_a_baseline_job_that_fails_fails_the_stage_and_says_what_is_kept(
    monitor, settled, kept
) -> None:
    stage = monitor(settled)
    token = stage.look("run-monitor-baseline").token
    reason = "ClientError: no column named age"
    stage.builds.finish("Failed", BuildStep("Baseline", "Failed", reason=reason, job=JOB))

    report = stage.look("run-monitor-baseline", token=dict(token))

    assert report.result == "failed"
    assert report.text == f"Step Baseline failed ({JOB}): {reason}. {kept}"
