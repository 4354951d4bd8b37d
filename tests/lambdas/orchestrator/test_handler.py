from __future__ import annotations

import json
import logging

import pytest

from mlops_framework.orchestration.errors import (
    AccessRefused,
    CatalogueInvalid,
    ServiceRefused,
    ServiceUnavailable,
)


def test_a_new_pipeline_is_accepted_with_the_predecessors_fields(api, training) -> None:
    answer = api("POST", "/provisionpipeline", training)

    assert answer.status == 202
    assert answer.body["message"] == "success: stack creation started"
    assert answer.body["pipeline_id"] == "income-training"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Correlation-Id"] == "11111111-2222-4333-8444-555555555555"


def test_a_body_in_base64_is_the_same_body(api, training) -> None:
    assert api("POST", "/provisionpipeline", training, encoded=True).status == 202


def test_who_signed_the_request_is_who_requested_the_pipeline(api, training) -> None:
    bo = "arn:aws:sts::111122223333:assumed-role/science/bo"
    api("POST", "/provisionpipeline", training, caller=bo)

    assert api("GET", "/pipelines/income-training").body["requested_by"] == bo


def test_every_fault_of_a_body_is_told_at_once_in_both_forms(api, training) -> None:
    training |= {"instance_count": 0, "volume_sise_gb": 3}
    del training["image_uri"]

    answer = api("POST", "/provisionpipeline", training)

    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {fault["path"] for fault in answer.body["faults"]} == {
        "instance_count",
        "volume_sise_gb",
        "image_uri",
    }
    assert all(fault["message"] and fault["accepted"] for fault in answer.body["faults"])
    assert answer.body["type"] == "urn:mlops-framework:problem:request-invalid"
    assert answer.body["title"] == "Request invalid"
    assert answer.body["instance"] == "/provisionpipeline"
    assert answer.body["message"] == "BadRequest"
    assert answer.body["detailedMessage"] == answer.body["detail"]


def test_an_unknown_blueprint_is_told_with_the_known_ones(api, training) -> None:
    answer = api("POST", "/provisionpipeline", {**training, "pipeline_type": "trainign"})

    assert answer.status == 400
    assert "Did you mean 'training'?" in answer.body["detail"]


def test_a_name_that_cloudformation_would_refuse_is_refused_here(api, training) -> None:
    answer = api("POST", "/provisionpipeline", {**training, "model_name": "my_model"})

    assert answer.status == 400
    assert answer.body["faults"][0]["path"] == "model_name"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"model_name": "a",}', "line 1, column 20"),
        ('{"a": 1,\n "b": }', "line 2, column 7"),
        ('{"a": 1, "a": 2}', 'gives "a" twice'),
        ('{"a": NaN}', "holds NaN"),
        ("", "no body"),
        (None, "no body"),
        ("[" * 20_000 + "]" * 20_000, "nested too deeply"),
    ],
    ids=["trailing comma", "second line", "twice", "not a number", "empty", "none", "deep"],
)
def test_malformed_json_is_told_with_its_place(api, body, said) -> None:
    answer = api("POST", "/provisionpipeline", body)

    assert answer.status == 400
    assert said in answer.body["detail"]


def test_a_body_that_is_no_object_is_told(api) -> None:
    assert api("POST", "/provisionpipeline", [1, 2]).status == 400


def test_a_body_that_is_too_large_is_told_with_the_limit(api) -> None:
    answer = api("POST", "/provisionpipeline", {"description": "x" * 70_000})

    assert answer.status == 413
    assert "65536" in answer.body["detail"]


def test_a_pipeline_that_is_being_changed_is_a_conflict_to_be_tried_later(api, training) -> None:
    api.stacks.looks = 9
    api("POST", "/provisionpipeline", training)

    answer = api("POST", "/provisionpipeline", {**training, "volume_size_gb": 31})

    assert answer.status == 409
    assert int(answer.headers["Retry-After"]) > 0


def test_the_status_is_the_same_on_both_routes(api, training) -> None:
    api("POST", "/provisionpipeline", training)

    new = api("GET", "/pipelines/income-training")
    old = api("POST", "/pipelinestatus", {"pipeline_id": "income-training"})

    assert (new.status, old.status) == (200, 200)
    assert new.body.items() <= old.body.items()
    assert {"pipelineName", "stageStates"} <= old.body.keys()


def test_pipelines_are_listed(api, training) -> None:
    api("POST", "/provisionpipeline", training)

    answer = api("GET", "/pipelines", query={"limit": "1"})

    assert [one["pipeline_id"] for one in answer.body["pipelines"]] == ["income-training"]


@pytest.mark.parametrize("limit", ["0", "101", "many", "-1"])
def test_a_page_size_that_makes_no_sense_is_told(api, limit) -> None:
    answer = api("GET", "/pipelines", query={"limit": limit})

    assert answer.status == 400
    assert answer.body["faults"][0]["accepted"] == "a whole number from 1 to 100"


def test_deleting_says_what_goes_and_what_stays(api, training) -> None:
    api("POST", "/provisionpipeline", training)

    answer = api("DELETE", "/pipelines/income-training")

    assert answer.status == 202
    assert answer.body["removes"][0] == "mlops-test-income-training-delivery"
    assert answer.body["keeps"]


def test_blueprints_and_their_schemas_are_served(api) -> None:
    listed = api("GET", "/blueprints").body["blueprints"]
    schema = api("GET", next(b["schema"] for b in listed if b["pipeline_type"] == "training"))

    assert schema.status == 200
    assert schema.body["additionalProperties"] is False
    assert "training_data" in schema.body["properties"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("PUT", "/pipelines"),
        ("GET", "/pipelines/none-training"),
        ("DELETE", "/pipelines/none-training"),
        ("GET", "/blueprints/none/schema"),
    ],
)
def test_what_is_not_there_is_told_as_a_problem(api, method, path) -> None:
    answer = api(method, path)

    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["instance"] == path


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (ServiceUnavailable("S3", "PutObject", "SlowDown", "later"), 503),
        (ServiceRefused("CloudFormation", "CreateStack", "LimitExceeded", "200 stacks"), 502),
        (AccessRefused("S3", "PutObject", "AccessDenied", "secret-bucket"), 500),
        (CatalogueInvalid("secret-template"), 500),
        (KeyError("secret-key"), 500),
    ],
    ids=["unavailable", "refused", "access", "catalogue", "bug"],
)
def test_a_fault_that_is_not_the_callers_tells_no_secret(api, training, fault, status, caplog):
    def broken():
        raise fault

    api.service = broken

    with caplog.at_level(logging.CRITICAL):
        answer = api("POST", "/provisionpipeline", training)

    assert answer.status == status
    assert "secret" not in json.dumps(answer.body)
    assert answer.body["correlation_id"] == "11111111-2222-4333-8444-555555555555"
    if status == 502:
        assert "200 stacks" in answer.body["detail"]
