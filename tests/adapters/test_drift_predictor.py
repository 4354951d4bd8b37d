"""Asking a monitored endpoint: what is sent, how answers are read, what refusals say."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from mlops_framework.aws.drift_predictor import EndpointPredictor, RuntimeClients
from mlops_framework.drift.attribution.explaining import PredictionRefused
from mlops_framework.drift.attribution.settings import AttributionSettings
from mlops_framework.testing.drift import MONITOR

ROWS = [("41.5", "2", "a,b"), ("", "3", 'say "x"')]
COLUMNS = ("income", "children", "colour")


@dataclass
class Runtime:
    """A SageMaker Runtime that answers what the test says."""

    body: bytes = b"0.25\n0.75\n"
    content_type: str = "text/csv; charset=utf-8"
    error: Exception | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)

    def invoke_endpoint(self, **call: Any) -> dict[str, Any]:
        self.calls.append(call)
        if self.error:
            raise self.error
        return {"Body": io.BytesIO(self.body), "ContentType": self.content_type}


def ask(runtime: Runtime, rows: Sequence[Sequence[str]] = ROWS, **members: Any) -> list[float]:
    settings = AttributionSettings.from_document({"source": "endpoint", **members})
    config = replace(MONITOR, attribution=settings, attribution_role="arn:aws:iam::1:role/r")
    roles: list[str] = []

    def client(role: str) -> Runtime:
        roles.append(role)
        return runtime

    found = EndpointPredictor(client, lambda: "0" * 80).predict(config, rows, COLUMNS).tolist()
    assert roles == ["arn:aws:iam::1:role/r"]
    return list(found)


def test_rows_go_as_csv_under_an_inference_id_of_our_own() -> None:
    runtime = Runtime()
    assert ask(runtime) == [0.25, 0.75]
    (call,) = runtime.calls
    assert call["Body"] == b'41.5,2,"a,b"\n,3,"say ""x"""'
    assert call["ContentType"] == "text/csv"
    assert call["EndpointName"] == "employment-dev"
    assert call["InferenceId"].startswith("mlops-shap-0")
    assert len(call["InferenceId"]) == 64


def test_the_model_that_is_watched_is_the_one_that_is_asked() -> None:
    runtime = Runtime()
    settings = AttributionSettings.from_document({"source": "endpoint"})
    config = replace(MONITOR, attribution=settings, target_model="eu/churn.tar.gz")
    EndpointPredictor(lambda _: runtime, lambda: "0").predict(config, ROWS, COLUMNS)
    assert runtime.calls[0]["TargetModel"] == "eu/churn.tar.gz"


def test_rows_go_as_json_with_numbers_as_numbers() -> None:
    runtime = Runtime(b'{"predictions": [{"score": 0.25}, {"score": 0.75}]}', "application/json")
    answer = ask(runtime, content_type="application/json", output="prediction.score")
    assert answer == [0.25, 0.75]
    sent = json.loads(runtime.calls[0]["Body"])
    assert sent == {"instances": [[41.5, 2, "a,b"], [None, 3, 'say "x"']]}


@pytest.mark.parametrize(
    ("body", "content_type", "output"),
    [
        (b"0.25,9\n0.75,9", "text/csv", ""),
        (b"9,0.25\n9,0.75", "text/csv", "prediction.1"),
        (b"[0.25, 0.75]", "application/json", ""),
        (b"[[0.25], [0.75]]", "application/json", ""),
        (b'{"predictions": [0.25, 0.75]}', "application/json", ""),
    ],
)
def test_answers_are_read_as_captures_of_them_would_be(
    body: bytes, content_type: str, output: str
) -> None:
    assert ask(Runtime(body, content_type), output=output) == [0.25, 0.75]


@pytest.mark.parametrize(
    ("runtime", "members", "message"),
    [
        (Runtime(b"0.25"), {}, "was asked for 2 predictions and gave 1"),
        (Runtime(b"yes\nno"), {}, r"is no number \('yes'\); attributions need a score"),
        (
            Runtime(b"1,2\n3,4"),
            {"output": "prediction.score"},
            r"has no 'prediction.score' but prediction.0, prediction.1; say in attribution.output",
        ),
        (Runtime(b"{", "application/json"), {}, "cannot be read|nothing that can be read"),
    ],
)
def test_an_answer_that_is_no_number_a_row_says_what_to_do(
    runtime: Runtime, members: dict[str, Any], message: str
) -> None:
    with pytest.raises(PredictionRefused, match=message):
        ask(runtime, **members)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            ("ModelError", "400 bad rows"),
            "ModelError: 400 bad rows Say in attribution.content_type",
        ),
        (("ValidationError", "not in service"), "could not be asked: ValidationError: not in"),
        (("AccessDeniedException", "no"), "Deploy the drift-monitor request again"),
        (None, "could not be asked: Read timeout"),
    ],
)
def test_refusals_are_told_in_the_services_words(
    error: tuple[str, str] | None, message: str
) -> None:
    raised: Exception = ReadTimeoutError(endpoint_url="x")
    if error:
        raised = ClientError({"Error": {"Code": error[0], "Message": error[1]}}, "InvokeEndpoint")
    with pytest.raises(PredictionRefused, match=message):
        ask(Runtime(error=raised))


@dataclass
class Sts:
    assumed: list[str] = field(default_factory=list)

    def assume_role(self, **call: Any) -> dict[str, Any]:
        self.assumed.append(call["RoleArn"])
        keys = {"AccessKeyId": "x", "SecretAccessKey": "x", "SessionToken": "x"}
        return {"Credentials": keys}


def test_a_role_is_taken_once_for_as_long_as_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    sts, now = Sts(), [0.0]
    clients = RuntimeClients(sts, lambda: now[0])
    first = clients("arn:aws:iam::1:role/r")
    assert clients("arn:aws:iam::1:role/r") is first
    now[0] = 850
    assert clients("arn:aws:iam::1:role/r") is not first
    assert sts.assumed == ["arn:aws:iam::1:role/r"] * 2
    assert clients("") is not None
    assert len(sts.assumed) == 2
