"""CodePipeline's answers and what it is told, as botocore's own models allow them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from botocore.stub import Stubber

from mlops_framework.aws.pipelines import CodePipelineJobs, CodePipelines
from mlops_framework.orchestration.errors import PipelineMissing

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXECUTION = "11111111-2222-4333-8444-555555555555"
JOB = "11111111-abcd-4111-8111-111111abcdef"


@pytest.fixture
def codepipeline(client_of) -> Iterator[Stubber]:
    with Stubber(client_of("codepipeline")) as stub:
        yield stub
        stub.assert_no_pending_responses()


def test_a_state_is_read_without_the_approvals_token(codepipeline) -> None:
    codepipeline.add_response(
        "get_pipeline_state",
        {
            "pipelineName": "p",
            "pipelineVersion": 3,
            "created": NOW,
            "updated": NOW,
            "stageStates": [
                {
                    "stageName": "Source",
                    "latestExecution": {"pipelineExecutionId": EXECUTION, "status": "Succeeded"},
                    "actionStates": [{"actionName": "S3"}],
                },
                {
                    "stageName": "Dev",
                    "inboundTransitionState": {"enabled": False},
                    "latestExecution": {"pipelineExecutionId": EXECUTION, "status": "Failed"},
                    "actionStates": [
                        {
                            "actionName": "Approve",
                            "latestExecution": {"status": "Succeeded", "token": "secret"},
                        },
                        {
                            "actionName": "Verify",
                            "latestExecution": {
                                "status": "Failed",
                                "lastStatusChange": NOW,
                                "externalExecutionId": "run-1",
                                "errorDetails": {"code": "JobFailed", "message": "why"},
                            },
                        },
                    ],
                },
            ],
        },
        {"name": "p"},
    )

    state = CodePipelines(codepipeline.client).state("p")

    assert (state.version, state.status, state.execution_id) == (3, "Failed", EXECUTION)
    verify = state.stages[1].actions[1]
    assert (verify.error_code, verify.error, verify.execution_id) == ("JobFailed", "why", "run-1")
    assert verify.changed_at == "2026-01-01T00:00:00+00:00"
    assert state.stages[1].enabled is False
    assert "secret" not in repr(state)


def test_a_pipeline_that_does_not_exist_is_nothing_to_look_at_and_cannot_start(
    codepipeline,
) -> None:
    pipelines = CodePipelines(codepipeline.client)
    codepipeline.add_client_error("get_pipeline_state", "PipelineNotFoundException", "no p")
    codepipeline.add_client_error("start_pipeline_execution", "PipelineNotFoundException", "no p")

    assert pipelines.state("p") is None
    with pytest.raises(PipelineMissing):
        pipelines.start("p", token="t")


def test_an_execution_is_started_once_for_a_token(codepipeline) -> None:
    codepipeline.add_response(
        "start_pipeline_execution",
        {"pipelineExecutionId": EXECUTION},
        {"name": "p", "clientRequestToken": "digest-1"},
    )

    assert CodePipelines(codepipeline.client).start("p", token="digest-1") == EXECUTION


def test_a_job_that_goes_on_carries_its_token(codepipeline) -> None:
    codepipeline.add_response(
        "put_job_success_result",
        {},
        {
            "jobId": JOB,
            "continuationToken": json.dumps({"execution": "run-1"}),
            "executionDetails": {"summary": "running", "externalExecutionId": "run-1"},
        },
    )

    CodePipelineJobs(codepipeline.client).proceed(
        JOB, token={"execution": "run-1"}, summary="running", reference="run-1"
    )


def test_a_job_that_is_done_carries_its_outputs(codepipeline) -> None:
    codepipeline.add_response(
        "put_job_success_result",
        {},
        {
            "jobId": JOB,
            "executionDetails": {"summary": "done"},
            "outputVariables": {"ModelPackageArn": "arn"},
        },
    )

    CodePipelineJobs(codepipeline.client).succeed(
        JOB, summary="done", reference="", outputs={"ModelPackageArn": "arn"}
    )


def test_a_failure_is_cut_to_what_codepipeline_takes(codepipeline) -> None:
    codepipeline.add_response(
        "put_job_failure_result",
        {},
        {"jobId": JOB, "failureDetails": {"type": "JobFailed", "message": "x" * 5000}},
    )

    CodePipelineJobs(codepipeline.client).fail(
        JOB, kind="JobFailed", message="x" * 9000, reference=""
    )
