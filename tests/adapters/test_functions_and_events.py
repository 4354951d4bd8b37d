"""Invocations and events, as botocore's own models allow them."""

from __future__ import annotations

import io
import json

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from mlops_framework.aws.events import DefaultBus
from mlops_framework.aws.functions import (
    ContinuationFunction,
    SynchronousFunction,
    TeardownFunction,
)
from mlops_framework.orchestration.errors import ServiceRefused


def _payload(document: object) -> StreamingBody:
    raw = json.dumps(document).encode()
    return StreamingBody(io.BytesIO(raw), len(raw))


def test_a_removal_is_started_without_waiting_for_it(client_of) -> None:
    with Stubber(client_of("lambda")) as stub:
        stub.add_response(
            "invoke",
            {"StatusCode": 202},
            {
                "FunctionName": "teardown",
                "InvocationType": "Event",
                "Payload": b'{"pipeline_id": "income-training"}',
            },
        )

        TeardownFunction(stub.client, "teardown").start("income-training")

        stub.assert_no_pending_responses()


def test_a_request_that_goes_on_is_handed_over_with_its_revision(client_of) -> None:
    with Stubber(client_of("lambda")) as stub:
        stub.add_response(
            "invoke",
            {"StatusCode": 202},
            {
                "FunctionName": "continue",
                "InvocationType": "Event",
                "Payload": b'{"pipeline_id": "income-training", "revision": 3}',
            },
        )

        ContinuationFunction(stub.client, "continue").start("income-training", 3)

        stub.assert_no_pending_responses()


def test_a_function_that_returns_gives_its_result(client_of) -> None:
    with Stubber(client_of("lambda")) as stub:
        stub.add_response("invoke", {"StatusCode": 200, "Payload": _payload({"status": "built"})})

        result = SynchronousFunction(stub.client, "baseline").call({"monitor": "income"})

    assert result == ({"status": "built"}, "")


def test_a_function_that_raises_gives_its_message(client_of) -> None:
    raised = {"errorMessage": "no such object", "errorType": "BaselineMissing"}
    with Stubber(client_of("lambda")) as stub:
        stub.add_response(
            "invoke",
            {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": _payload(raised)},
        )

        _, error = SynchronousFunction(stub.client, "baseline").call({"monitor": "income"})

    assert error == "no such object"


def test_an_event_names_its_environment(client_of) -> None:
    detail = {"pipeline_id": "income-training", "environment": "mlops-test"}
    with Stubber(client_of("events")) as stub:
        stub.add_response(
            "put_events",
            {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]},
            {
                "Entries": [
                    {
                        "Source": "mlops.orchestrator",
                        "DetailType": "Pipeline Requested",
                        "Detail": json.dumps(detail),
                    }
                ]
            },
        )

        DefaultBus(stub.client, "mlops-test").publish(
            "Pipeline Requested", {"pipeline_id": "income-training"}
        )

        stub.assert_no_pending_responses()


def test_an_event_that_the_bus_did_not_take_is_a_refusal(client_of) -> None:
    with Stubber(client_of("events")) as stub:
        stub.add_response(
            "put_events",
            {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "X", "ErrorMessage": "full"}]},
        )

        with pytest.raises(ServiceRefused, match="full"):
            DefaultBus(stub.client, "mlops-test").publish("Pipeline Requested", {})
