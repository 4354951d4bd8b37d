from __future__ import annotations

import pytest

from mlops_framework.delivery.model_build import BuildStep
from mlops_framework.orchestration.errors import AccessRefused, ServiceUnavailable

PACKAGE = "arn:aws:sagemaker:us-east-1:111122223333:model-package/income/3"
JOB = "arn:aws:sagemaker:us-east-1:111122223333:training-job/pipelines-1-train"


@pytest.fixture
def built(stage):
    stage.deploy(PipelineName="mlops-test-income-training-dev")
    return stage


def test_the_first_look_starts_the_build_and_goes_on(built) -> None:
    report = built.look("run-model-build")

    (run,) = built.builds.runs.values()
    assert report.result == "proceeds"
    assert report.token == {"execution": run.arn}
    assert report.text == "The model build is executing: Train."


def test_the_group_that_the_build_registers_in_is_there_before_it_starts(stage) -> None:
    stage.deploy(PipelineName="mlops-test-income-training-dev", ModelPackageGroupName="income")

    stage.look("run-model-build")

    assert stage.builds.groups == {"income"}


def test_a_job_that_is_delivered_twice_starts_one_build(built) -> None:
    job = "11111111-abcd-4111-8111-111111111111"

    first = built.look("run-model-build", job_id=job)
    again = built.look("run-model-build", job_id=job)

    assert len(built.builds.runs) == 1
    assert first.token == again.token


def test_a_retried_stage_starts_a_new_build(built) -> None:
    built.look("run-model-build")
    built.builds.finish("Failed")

    built.look("run-model-build")

    assert len(built.builds.runs) == 2


def test_a_finished_build_names_the_package_that_waits_for_approval(built) -> None:
    token = built.look("run-model-build").token
    built.builds.finish(
        "Succeeded",
        BuildStep("Train", "Succeeded"),
        BuildStep("Register", "Succeeded", model_package=PACKAGE),
    )

    report = built.look("run-model-build", token=dict(token))

    assert report.result == "succeeded"
    assert report.outputs == {"ModelPackageArn": PACKAGE}
    assert "waits for approval. No quality gate was asked for." in report.text


def test_a_model_that_passed_a_gate_is_not_told_to_be_without_one(built) -> None:
    token = built.look("run-model-build").token
    built.builds.finish(
        "Succeeded",
        BuildStep("Gate", "Succeeded"),
        BuildStep("Register", "Succeeded", model_package=PACKAGE),
    )

    report = built.look("run-model-build", token=dict(token))

    assert report.text == f"Registered {PACKAGE}; it waits for approval."


def test_a_step_that_failed_is_named_with_job_and_reason(built) -> None:
    token = built.look("run-model-build").token
    reason = "AlgorithmError: ExecuteUserScriptError: ValueError: no column 'age'"
    built.builds.finish("Failed", BuildStep("Train", "Failed", reason=reason, job=JOB))

    report = built.look("run-model-build", token=dict(token))

    assert report.result == "failed"
    assert report.text == f"Step Train failed ({JOB}): {reason}"
    assert report.reference == token["execution"]


def test_a_gate_that_refuses_speaks_with_its_numbers(built) -> None:
    token = built.look("run-model-build").token
    said = "quality gate not passed: accuracy is 0.61, required is at-least 0.7"
    built.builds.finish(
        "Failed",
        BuildStep("Gate", "Succeeded"),
        BuildStep("Reject", "Failed", reason="the step failed", verdict=said),
    )

    assert built.look("run-model-build", token=dict(token)).text == f"Step Reject: {said}"


def test_a_build_that_fails_before_any_step_gives_sagemakers_reason(built) -> None:
    token = built.look("run-model-build").token
    built.builds.finish("Failed", reason="Unable to assume role")

    assert "Unable to assume role" in built.look("run-model-build", token=dict(token)).text


def test_a_stopped_build_fails_the_stage(built) -> None:
    token = built.look("run-model-build").token
    built.builds.finish("Stopped")

    assert built.look("run-model-build", token=dict(token)).result == "failed"


def test_a_service_that_does_not_answer_is_looked_at_again_without_a_second_start(built) -> None:
    built.builds.refusal = ServiceUnavailable("SageMaker", "Start", "Throttling", "slow down")
    job = "11111111-abcd-4111-8111-222222222222"
    silent = built.look("run-model-build", job_id=job)
    built.builds.refusal = None

    built.look("run-model-build", job_id=job)
    report = built.look("run-model-build", token=dict(silent.token))

    assert silent.result == report.result == "proceeds"
    assert len(built.builds.runs) == 1


def test_silence_has_an_end(built) -> None:
    built.builds.refusal = ServiceUnavailable("SageMaker", "Look", "Throttling", "slow down")
    report, looks = built.look("run-model-build"), 1
    while report.result == "proceeds":
        report, looks = built.look("run-model-build", token=dict(report.token)), looks + 1

    assert looks == 6
    assert report.kind == "SystemUnavailable"


def test_a_missing_permission_is_told_as_such(built) -> None:
    built.builds.refusal = AccessRefused("SageMaker", "Start", "AccessDenied", "no")

    assert built.look("run-model-build").kind == "PermissionError"


def test_a_stack_without_the_output_is_told_with_those_it_has(stage) -> None:
    stage.deploy(Another="x")

    report = stage.look("run-model-build")

    assert report.kind == "ConfigurationError"
    assert "no output PipelineName" in report.text
    assert "It has: Another" in report.text


def test_a_stage_without_a_stack_is_told(stage) -> None:
    assert "did not deploy it" in stage.look("run-model-build").text
