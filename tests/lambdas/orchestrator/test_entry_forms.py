"""The API is one way in; a body by itself and a file are the others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas.orchestrator.entry import as_request
from lambdas.orchestrator.files import TryAgain, carry_out, files_in
from lambdas.orchestrator.handler import build_app
from mlops_framework.testing.configuration_files import InMemoryFiles
from mlops_framework.testing.events import FakeContext, event_bridge_event

BUCKET = "requests"
OLD = {
    "pipeline_type": "byom_realtime_custom",
    "model_name": "m",
    "custom_image_uri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/repo:tag",
    "model_artifact_location": "path/model.tar.gz",
    "inference_instance": "ml.m5.large",
    "data_capture_location": "bucket/capture",
}


def invoked(api: Any, event: Any) -> tuple[int, dict[str, Any]]:
    answer = build_app(api.service).resolve(as_request(event, request_id="r-1"), FakeContext())
    return answer["statusCode"], json.loads(answer["body"])


def put(key: str, **detail: Any) -> dict[str, Any]:
    found = {"key": key, "version-id": "v1"}
    return event_bridge_event(
        "aws.s3", "Object Created", {"bucket": {"name": BUCKET}, "object": found, **detail}
    )


def notified(*keys: str) -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "userIdentity": {"principalId": "AWS:ana"},
                "s3": {"bucket": {"name": BUCKET}, "object": {"key": key, "versionId": "v1"}},
            }
            for key in keys
        ]
    }


@pytest.fixture
def desk() -> InMemoryFiles:
    return InMemoryFiles()


def sent(api: Any, desk: InMemoryFiles, event: dict[str, Any]) -> dict[str, Any]:
    return carry_out(event, FakeContext(), app=build_app(api.service), desk=desk)


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda body: body,
        lambda body: {"body": body},
        lambda body: {"body": json.dumps(body)},
        lambda body: {
            "httpMethod": "POST",
            "path": "/provisionpipeline",
            "body": json.dumps(body),
        },
    ],
    ids=["body", "object", "text", "as the API"],
)
def test_a_body_by_itself_is_answered_as_the_api_answers(api, training, wrapped) -> None:
    status, answer = invoked(api, wrapped(training))

    assert (status, answer["pipeline_id"]) == (202, "income-training")
    assert api("GET", "/pipelines/income-training").body["requested_by"] == "direct invocation"


def test_a_pipeline_id_by_itself_asks_how_it_is(api, training) -> None:
    invoked(api, training)

    status, answer = invoked(api, {"pipeline_id": "income-training"})

    assert status == 200
    assert "stageStates" in answer


@pytest.mark.parametrize("event", [[], "text", 3, None, {}, {"body": None}, {"body": {"a": 1}}])
def test_anything_else_is_refused_and_not_raised(api, event) -> None:
    status, answer = invoked(api, event)

    assert status == 400
    assert answer["message"] == "BadRequest"


def test_the_predecessors_clients_get_its_status_and_members(api) -> None:
    answer = api("POST", "/provisionpipeline", OLD)

    assert answer.status == 200
    assert answer.body["message"] == "success: stack creation started"
    assert answer.body["pipeline_id"] == "m-realtime-endpoint"


def test_the_predecessors_clients_read_faults_in_their_own_words(api) -> None:
    answer = api("POST", "/provisionpipeline", {**OLD, "inference_instance": "large"})

    assert answer.status == 400
    assert answer.body["faults"][0]["path"].startswith("inference_instance")
    assert "inference_instance" in answer.body["detailedMessage"]


@pytest.mark.parametrize("event", [put("mlops-config.json"), notified("mlops-config.json")])
def test_a_file_is_carried_out_and_its_answer_stands_beside_it(api, desk, training, event) -> None:
    desk.objects[BUCKET, "mlops-config.json"] = json.dumps(training).encode()

    sent(api, desk, event)

    result = json.loads(desk.objects[BUCKET, "mlops-config.json.result.json"])
    assert (result["accepted"], result["status"], result["file_version"]) == (True, 202, "v1")
    assert result["answer"]["pipeline_id"] == "income-training"
    assert desk.alerts == []
    requested_by = api("GET", "/pipelines/income-training").body["requested_by"]
    assert requested_by.endswith(f"by s3://{BUCKET}/mlops-config.json")


def test_every_record_of_a_notification_is_read_and_its_key_decoded(api, desk, training) -> None:
    keys = ("mlops-config a+b.json", "mlops-config-2.json")
    for number, key in enumerate(keys):
        body = {**training, "model_name": f"income-{number}"}
        desk.objects[BUCKET, key] = b"\xef\xbb\xbf" + json.dumps(body).encode()

    done = sent(api, desk, notified("mlops-config+a%2Bb.json", "mlops-config-2.json"))

    assert done == {"files": {f"s3://{BUCKET}/{key}": 202 for key in keys}}


def test_a_refused_file_is_told_beside_it_and_to_people(api, desk) -> None:
    desk.objects[BUCKET, "mlops-config.json"] = b'{"pipeline_type": "byom_batch_builtin",}'

    sent(api, desk, put("mlops-config.json"))

    result = json.loads(desk.objects[BUCKET, "mlops-config.json.result.json"])
    assert (result["accepted"], result["status"]) == (False, 400)
    [(subject, text)] = desk.alerts
    assert subject == "Refused: mlops-config.json"
    assert "The body is no JSON" in text


def test_what_may_succeed_later_is_tried_again(api, desk, training) -> None:
    api.stacks.looks = 9
    api("POST", "/provisionpipeline", training)
    desk.objects[BUCKET, "mlops-config.json"] = json.dumps({**training, "owner": "ana"}).encode()

    with pytest.raises(TryAgain, match=r"mlops-config\.json"):
        sent(api, desk, put("mlops-config.json"))

    assert json.loads(desk.objects[BUCKET, "mlops-config.json.result.json"])["status"] == 409
    assert desk.alerts == []


def test_a_name_that_begins_as_the_predecessors_did_is_one_whatever_its_end() -> None:
    names = ("mlops-config.json", "mlops-config.json-2", "mlops-config-fraud.json")

    assert [file.key for key in names for file in files_in(put(key))] == list(names)


def test_a_result_is_no_request_and_neither_is_anything_else(api, desk) -> None:
    others = ("mlops-config.json.result.json", "mlops-config.yaml", "data/mlops-config.json")

    assert [file for key in others for file in files_in(put(key))] == []
    assert list(files_in({"Event": "s3:TestEvent"})) == []
    assert sent(api, desk, put("mlops-config.json")) == {"files": {}}  # removed meanwhile


@pytest.mark.parametrize(
    "text",
    ['{"a": 1e999}', '{"a": "\\ud800"}', f'{{"a": {"9" * 5000}}}', "\ufeff", " "],
    ids=["infinity", "surrogate", "digits", "mark", "blank"],
)
def test_numbers_and_texts_that_nothing_can_carry_are_refused(api, text) -> None:
    assert api("POST", "/provisionpipeline", text).status == 400
