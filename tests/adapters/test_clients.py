from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from mlops_framework.aws.clients import client
from mlops_framework.aws.refusals import refusals
from mlops_framework.orchestration.errors import AccessRefused, ServiceUnavailable


@pytest.fixture(autouse=True)
def fresh_clients(monkeypatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    client.cache_clear()
    yield
    client.cache_clear()


def test_a_client_is_made_once_with_short_timeouts_and_standard_retries() -> None:
    made = client("dynamodb")

    assert made is client("dynamodb")
    assert (made.meta.config.connect_timeout, made.meta.config.read_timeout) == (2, 10)
    assert made.meta.config.retries["mode"] == "standard"
    assert made.meta.config.retries["total_max_attempts"] == 3


def test_a_call_that_must_not_happen_twice_is_tried_once() -> None:
    assert client("lambda", attempts=1).meta.config.retries["total_max_attempts"] == 1


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), ServiceUnavailable),
        (NoCredentialsError(), AccessRefused),
    ],
)
def test_what_the_network_or_the_credentials_refuse_is_a_condition_too(raised, kind) -> None:
    with pytest.raises(kind), refusals("S3", "PutObject"):
        raise raised


def test_a_bug_of_ours_passes_through() -> None:
    with pytest.raises(KeyError), refusals("S3", "PutObject"):
        raise KeyError("ours")
