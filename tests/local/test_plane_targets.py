from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from mlops_framework.local.plane import Scope
from mlops_framework.local.plane.targets import TargetDelivery

SCOPE = Scope("111122223333", "us-east-1")
RULE = "arn:aws:events:us-east-1:111122223333:rule/retrain"
EVENT = {
    "source": "mlops.drift",
    "detail": {"model_name": "churn", "window": {"start": "2026-01-01"}, "rows": 12},
}


class RecordedClient:
    """Any AWS client: notes what it is asked for."""

    def __init__(self, calls: list[tuple[str, str, Mapping[str, Any]]], service: str) -> None:
        self._calls, self._service = calls, service

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> dict[str, Any]:
            if request.get("PipelineName") == "gone":
                raise LookupError("there is no pipeline 'gone'")
            self._calls.append((self._service, name, request))
            return {}

        return call


class InlineHost:
    """A host that runs background work at once."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Mapping[str, Any]]] = []

    def client(self, service: str, scope: Scope) -> RecordedClient:
        assert scope == SCOPE
        return RecordedClient(self.calls, service)

    def spawn(self, name: str, function: Any, *args: Any) -> threading.Thread:
        function(*args)
        return threading.current_thread()


@pytest.fixture
def host() -> InlineHost:
    return InlineHost()


@pytest.fixture
def started() -> list[tuple[str, Scope, str]]:
    return []


@pytest.fixture
def delivery(host: InlineHost, started: list[tuple[str, Scope, str]]) -> TargetDelivery:
    return TargetDelivery(host, lambda *start: started.append(start))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arn", "ours"),
    [
        ("arn:aws:codepipeline:us-east-1:111122223333:mlops-dev-churn", True),
        ("arn:aws:sagemaker:us-east-1:111122223333:pipeline/churn", True),
        ("arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution", True),
        ("arn:aws:sagemaker:us-east-1:111122223333:endpoint/churn", False),
        ("arn:aws:lambda:us-east-1:111122223333:function:evaluate", False),
        ("arn:aws:sqs:us-east-1:111122223333:alerts", False),
        ("", False),
    ],
)
def test_only_what_the_emulator_cannot_reach_is_delivered_here(
    delivery: TargetDelivery, arn: str, ours: bool
) -> None:
    assert delivery.carries(arn) is ours


def test_a_rule_starts_a_delivery_pipeline_in_its_own_name(
    delivery: TargetDelivery, started: list[tuple[str, Scope, str]]
) -> None:
    target = {"Arn": "arn:aws:codepipeline:us-east-1:111122223333:mlops-dev-churn"}
    delivery.deliver(target, EVENT, SCOPE, RULE)
    assert started == [("mlops-dev-churn", SCOPE, RULE)]


def test_a_rule_starts_a_model_build_with_parameters_out_of_the_event(
    delivery: TargetDelivery, host: InlineHost
) -> None:
    listed = [
        {"Name": "Model", "Value": "$.detail.model_name"},
        {"Name": "Rows", "Value": "$.detail.rows"},
        {"Name": "Reason", "Value": "drift"},
    ]
    target = {
        "Arn": "arn:aws:sagemaker:us-east-1:111122223333:pipeline/churn",
        "SageMakerPipelineParameters": {"PipelineParameterList": listed},
    }
    delivery.deliver(target, EVENT, SCOPE, RULE)
    ((service, operation, request),) = host.calls
    assert (service, operation) == ("sagemaker", "start_pipeline_execution")
    assert request["PipelineName"] == "churn"
    assert {item["Name"]: item["Value"] for item in request["PipelineParameters"]} == {
        "Model": "churn",
        "Rows": "12",
        "Reason": "drift",
    }


def test_a_schedule_calls_any_operation_by_its_universal_target(
    delivery: TargetDelivery, host: InlineHost
) -> None:
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution",
        "Input": json.dumps({"PipelineName": "churn"}),
    }
    delivery.deliver(target, {}, SCOPE, "")
    assert host.calls == [("sagemaker", "start_pipeline_execution", {"PipelineName": "churn"})]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({"Arn": "arn:aws:sagemaker:us-east-1:111122223333:pipeline/gone"}, "no pipeline 'gone'"),
        (
            {
                "Arn": "arn:aws:sagemaker:us-east-1:111122223333:pipeline/churn",
                "SageMakerPipelineParameters": {
                    "PipelineParameterList": [{"Name": "A", "Value": "$.detail.nothing"}]
                },
            },
            r"nothing at \$\.detail\.nothing",
        ),
    ],
)
def test_a_target_that_refuses_is_told_in_the_log_and_harms_nobody(
    delivery: TargetDelivery, caplog: pytest.LogCaptureFixture, target: dict[str, Any], told: str
) -> None:
    with caplog.at_level(logging.ERROR):
        delivery.deliver(target, EVENT, SCOPE, RULE)
    assert target["Arn"] in caplog.text
    assert re.search(told, caplog.text)


def test_a_schedules_input_is_filled_in_and_a_rules_is_left_alone(
    delivery: TargetDelivery,
) -> None:
    target = {"Arn": "arn", "Input": '{"at": "<aws.scheduler.scheduled-time>"}'}
    record = {"Source": "aws.scheduler", "Time": 1767323045, "Resources": [RULE], "EventId": "e"}
    assert delivery.filled_in(target, record)["Input"] == '{"at": "2026-01-02T03:04:05Z"}'
    assert delivery.filled_in(target, {**record, "Source": "mlops.drift"}) == target
