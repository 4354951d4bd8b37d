from __future__ import annotations

import pytest

from mlops_framework.delivery.model_build import BuildStep

JOB = "arn:aws:sagemaker:us-east-1:111122223333:transform-job/pipelines-1-transform"
RESULTS = "s3://scores/income"


@pytest.fixture
def deployed(stage):
    stage.deploy(PipelineName="mlops-test-income", RunOnDeployment="true", OutputLocation=RESULTS)
    return stage


def test_a_delivery_runs_the_pipeline_and_waits_for_it(deployed) -> None:
    first = deployed.look("run-pipeline")
    again = deployed.look("run-pipeline", token=dict(first.token))

    (run,) = deployed.builds.runs.values()
    assert (first.result, again.result) == ("proceeds", "proceeds")
    assert first.token == again.token == {"execution": run.arn}


def test_what_a_schedule_or_new_data_starts_is_not_run_by_a_delivery(stage) -> None:
    stage.deploy(PipelineName="mlops-test-income", RunOnDeployment="false")

    report = stage.look("run-pipeline")

    assert report.result == "succeeded"
    assert stage.builds.runs == {}
    assert "its schedule or new data starts it" in report.text


def test_a_run_that_succeeds_says_where_its_results_are(deployed) -> None:
    token = deployed.look("run-pipeline").token
    deployed.builds.finish("Succeeded", BuildStep("Transform", "Succeeded", job=JOB))

    report = deployed.look("run-pipeline", token=dict(token))

    assert report.result == "succeeded"
    assert report.text == f"The pipeline ran; its results are in {RESULTS}."
    assert report.outputs == {"PipelineExecutionArn": token["execution"]}


def test_a_run_that_fails_fails_the_stage_with_the_reason_of_its_step(deployed) -> None:
    token = deployed.look("run-pipeline").token
    reason = "ClientError: 1 of 2 objects failed"
    deployed.builds.finish("Failed", BuildStep("Transform", "Failed", reason=reason, job=JOB))

    report = deployed.look("run-pipeline", token=dict(token))

    assert report.result == "failed"
    assert report.text == f"Step Transform failed ({JOB}): {reason}"


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("Stopped", "The pipeline was stopped before it finished."),
        ("Failed", "The pipeline failed: the role is gone"),
    ],
)
def test_a_run_that_ends_without_a_failed_step_is_told_too(deployed, status, told) -> None:
    token = deployed.look("run-pipeline").token
    deployed.builds.finish(status, reason="the role is gone")

    assert deployed.look("run-pipeline", token=dict(token)).text == told
