from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from lambdas.inference.handler import answer
from mlops_framework.aws.inference import SageMakerInference, SageMakerQueue
from mlops_framework.aws.objects import S3Objects
from mlops_framework.testing.events import api_event


class Runtime:
    """A SageMaker Runtime client with one answer."""

    def __init__(self, body: bytes = b"1\n0\n", content_type: str = "text/csv") -> None:
        self.body = body
        self.content_type = content_type
        self.fault: Exception | None = None
        self.asked: dict = {}

    def invoke_endpoint(self, **request):
        self.asked = request
        if self.fault is not None:
            raise self.fault
        return {
            "Body": io.BytesIO(self.body),
            "ContentType": self.content_type,
            "InvokedProductionVariant": "AllTraffic",
        }


@pytest.fixture
def runtime() -> Runtime:
    return Runtime()


def _ask(runtime: Runtime, body: object, **options) -> dict:
    event = api_event("POST", "/inference", body, **options)
    return answer(event, model=SageMakerInference(runtime, "income"))


def _problem(said: dict) -> dict:
    assert said["headers"]["Content-Type"] == "application/problem+json"
    return json.loads(said["body"])


def test_text_reaches_the_model_as_it_is_and_the_answer_comes_back_as_it_is(runtime) -> None:
    said = _ask(runtime, {"payload": "1.0,2.0\n", "content_type": "text/csv"})

    assert runtime.asked == {
        "EndpointName": "income",
        "Body": b"1.0,2.0\n",
        "ContentType": "text/csv",
    }
    assert (said["statusCode"], said["body"]) == (200, "1\n0\n")
    assert said["headers"]["Content-Type"] == "text/csv"
    assert said["headers"]["X-Model-Variant"] == "AllTraffic"


def test_a_json_value_reaches_the_model_as_json(runtime) -> None:
    _ask(runtime, {"payload": {"instances": [{"naïve": 1}]}})

    assert json.loads(runtime.asked["Body"]) == {"instances": [{"naïve": 1}]}
    assert runtime.asked["ContentType"] == "application/json"


def test_an_inference_id_and_a_wanted_type_are_passed_on(runtime) -> None:
    _ask(
        runtime,
        {
            "payload": "1",
            "content_type": "text/csv",
            "accept": "application/json",
            "inference_id": "row 7",
        },
    )

    assert (runtime.asked["InferenceId"], runtime.asked["Accept"]) == ("row 7", "application/json")


def test_a_body_in_base64_is_the_same_body(runtime) -> None:
    said = _ask(runtime, {"payload": "1", "content_type": "text/csv"}, encoded=True)

    assert said["statusCode"] == 200


def test_a_binary_answer_travels_in_base64(runtime) -> None:
    runtime.body, runtime.content_type = b"\xff\xd8", "image/jpeg"

    said = _ask(runtime, {"payload": "1", "content_type": "text/csv"})

    assert (said["isBase64Encoded"], said["body"]) == (True, "/9g=")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "There is no body"),
        ("{", "line 1"),
        ([1], "is no object"),
        ({"content_type": "text/csv"}, "payload is missing"),
        ({"payload": "1"}, "content_type is missing"),
        ({"payload": "1", "content_type": "csv"}, "a media type such as text/csv"),
        ({"payload": "1", "content_type": "a/b\r\nX: y"}, "a media type such as text/csv"),
        ({"payload": "1", "content_type": 3}, "a media type such as text/csv"),
        ({"payload": 1, "inference_id": "ü"}, "1 to 64 printable"),
        ({"payload": 1, "contenttype": "x"}, "Unknown: contenttype"),
    ],
)
def test_a_body_that_is_not_as_it_should_be_is_told(runtime, body, said) -> None:
    answered = _ask(runtime, body)

    assert answered["statusCode"] == 400
    assert said in _problem(answered)["detail"]
    assert runtime.asked == {}


def test_a_payload_that_is_too_large_is_told_with_the_limit_and_a_way_out(runtime) -> None:
    answered = _ask(runtime, {"payload": "x" * (5 * 1024 * 1024 + 1), "content_type": "text/csv"})

    assert answered["statusCode"] == 413
    assert "batch transform" in _problem(answered)["detail"]


def test_an_error_of_the_model_is_the_models_own_message(runtime) -> None:
    runtime.fault = ClientError(
        {
            "Error": {"Code": "ModelError", "Message": "Received server error (400) from primary"},
            "OriginalStatusCode": 400,
            "OriginalMessage": "ValueError: 3 columns, 16 are wanted",
        },
        "InvokeEndpoint",
    )

    answered = _ask(runtime, {"payload": "1,2,3", "content_type": "text/csv"})

    problem = _problem(answered)
    assert answered["statusCode"] == 424
    assert problem["detail"] == "ValueError: 3 columns, 16 are wanted"
    assert problem["model_status"] == 400


@pytest.mark.parametrize(
    "message",
    [
        'ValueError: 3 columns\nTraceback (most recent call last):\n  File "/opt/ml/x.py"\nboom',
        'Traceback (most recent call last):\n  File "/opt/ml/x.py"\nValueError: 3 columns\n',
    ],
    ids=["after", "before"],
)
def test_a_models_traceback_stays_in_the_log(runtime, message) -> None:
    runtime.fault = ClientError(
        {"Error": {"Code": "ModelError", "Message": "x"}, "OriginalMessage": message}, "I"
    )

    problem = _problem(_ask(runtime, {"payload": "1,2,3", "content_type": "text/csv"}))

    assert problem["detail"] == "ValueError: 3 columns"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (ReadTimeoutError(endpoint_url="https://secret"), 503),
        (ClientError({"Error": {"Code": "ModelNotReadyException", "Message": "secret"}}, "I"), 503),
        (ClientError({"Error": {"Code": "ThrottlingException", "Message": "secret"}}, "I"), 503),
        (ClientError({"Error": {"Code": "ValidationError", "Message": "secret"}}, "I"), 502),
        (KeyError("secret"), 500),
    ],
    ids=["timeout", "starting", "throttled", "no endpoint", "bug"],
)
def test_a_fault_that_is_not_the_callers_tells_no_secret(runtime, fault, status) -> None:
    runtime.fault = fault

    answered = _ask(runtime, {"payload": "1", "content_type": "text/csv"})

    assert answered["statusCode"] == status
    assert "secret" not in answered["body"]
    assert ("Retry-After" in answered["headers"]) == (status == 503)


def test_the_function_needs_nothing_but_the_runtime() -> None:
    code = (
        "import sys, lambdas.inference.handler; "
        "print(sorted({'pydantic', 'aws_lambda_powertools', 'aws_cdk'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "[]"


class Queue(Runtime):
    """A SageMaker Runtime client that takes calls, and the bucket they are put into."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        self.objects[f"s3://{Bucket}/{Key}"] = Body

    def invoke_endpoint_async(self, **request):
        self.asked = request
        return {
            "InferenceId": request["InferenceId"],
            "OutputLocation": "s3://data/asynchronous/income/output/1.out",
            "FailureLocation": "s3://data/asynchronous/income/failure/1-error.out",
        }


def _queue(client: Queue, **body: object) -> dict:
    place = "s3://data/asynchronous/income/input"
    queue = SageMakerQueue(client, "income", S3Objects(client, "data"), place)
    event = api_event("POST", "/inference", {"payload": "1,2", "content_type": "text/csv", **body})
    return answer(event, model=SageMakerInference(client, "income"), queue=queue)


def test_an_asynchronous_endpoint_takes_the_call_and_says_where_the_answer_will_be() -> None:
    client = Queue()

    said = _queue(client, inference_id="row 7")

    assert said["statusCode"] == 202
    assert json.loads(said["body"]) == {
        "inference_id": "row 7",
        "output_location": "s3://data/asynchronous/income/output/1.out",
        "failure_location": "s3://data/asynchronous/income/failure/1-error.out",
    }
    assert client.objects == {client.asked["InputLocation"]: b"1,2"}
    assert client.asked["InputLocation"].startswith("s3://data/asynchronous/income/input/")


def test_an_asynchronous_endpoint_has_no_variant_to_choose() -> None:
    client = Queue()

    said = _queue(client, target_variant="challenger")

    assert said["statusCode"] == 400
    assert client.objects == {}


def test_a_variant_is_passed_on_and_an_unknown_one_is_not_found(runtime) -> None:
    body = {"payload": "1", "content_type": "text/csv", "target_variant": "challenger"}
    _ask(runtime, body)
    assert runtime.asked["TargetVariant"] == "challenger"

    told = {"Code": "ValidationError", "Message": "Variant challenger not found for Request."}
    runtime.fault = ClientError({"Error": told}, "InvokeEndpoint")
    said = _ask(runtime, body)

    assert said["statusCode"] == 404
    assert "challenger not found" in _problem(said)["detail"]


def test_an_endpoint_that_has_scaled_to_zero_is_to_be_asked_again(runtime) -> None:
    said = "Inference Component has no capacity to process this request."
    told = {"Code": "ValidationError", "Message": said}
    runtime.fault = ClientError({"Error": told}, "InvokeEndpoint")
    event = api_event("POST", "/inference", {"payload": "1", "content_type": "text/csv"})

    answered = answer(event, model=SageMakerInference(runtime, "income", "income"))

    assert runtime.asked["InferenceComponentName"] == "income"
    assert (answered["statusCode"], answered["headers"]["Retry-After"]) == (503, "5")


def test_a_model_is_passed_on_and_an_unknown_one_is_not_found(runtime) -> None:
    body = {"payload": "1", "content_type": "text/csv", "target_model": "eu/churn.tar.gz"}
    event = api_event("POST", "/inference", body)
    model = SageMakerInference(runtime, "income")
    answer(event, model=model, needs_target=True)
    assert runtime.asked["TargetModel"] == "eu/churn.tar.gz"

    message = "Failed to download model data(bucket: data, key: models/eu/churn.tar.gz)."
    runtime.fault = ClientError(
        {"Error": {"Code": "ValidationError", "Message": message}}, "InvokeEndpoint"
    )
    said = answer(event, model=model, needs_target=True)

    assert said["statusCode"] == 404
    assert "eu/churn.tar.gz" in _problem(said)["detail"]


@pytest.mark.parametrize(
    ("many", "given", "said"),
    [
        (True, {}, "target_model is missing"),
        (False, {"target_model": "churn.tar.gz"}, "no models to choose from"),
        (True, {"target_model": "../churn.tar.gz"}, "the key of a model's archive below"),
        (True, {"target_model": "a!b"}, "the key of a model's archive below"),
        (True, {"target_model": "a" * 257}, "at most 256"),
        (True, {"target_model": 3}, "the key of a model's archive below"),
    ],
)
def test_a_call_that_names_no_model_or_no_good_one_is_told(runtime, many, given, said) -> None:
    event = api_event("POST", "/inference", {"payload": "1", "content_type": "text/csv", **given})

    answered = answer(event, model=SageMakerInference(runtime, "income"), needs_target=many)

    assert answered["statusCode"] == 400
    assert said in _problem(answered)["detail"]
    assert runtime.asked == {}
