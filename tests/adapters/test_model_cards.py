"""What completes a model card, as SageMaker and S3 answer it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from mlops_framework.aws.model_cards import S3MetricFiles, SageMakerCards, SageMakerFacts
from mlops_framework.governance.errors import CardLocked, MetricFileUnreadable
from mlops_framework.governance.ports import ModelFacts
from mlops_framework.orchestration.errors import AccessRefused

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = "arn:aws:sagemaker:us-east-1:111122223333:"
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/xgboost:1.7-1"


@pytest.fixture
def sagemaker(client_of) -> Iterator[Stubber]:
    with Stubber(client_of("sagemaker")) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def s3(client_of) -> Iterator[Stubber]:
    with Stubber(client_of("s3")) as stub:
        yield stub


def test_a_model_of_several_containers_gives_all_files_and_images(sagemaker) -> None:
    containers = [
        {"Image": IMAGE, "ModelDataUrl": "s3://data/one.tar.gz"},
        {"Image": IMAGE},
    ]
    described = {
        "ModelName": "m",
        "ModelArn": f"{ROOT}model/m",
        "Containers": containers,
        "CreationTime": NOW,
    }
    sagemaker.add_response("describe_model", described, {"ModelName": "m"})

    assert SageMakerFacts(sagemaker.client).model("m") == ModelFacts(
        f"{ROOT}model/m", ["s3://data/one.tar.gz"], [IMAGE, IMAGE]
    )


def test_a_model_or_job_that_sagemaker_does_not_know_is_nothing(sagemaker) -> None:
    said = "Could not find model"
    sagemaker.add_client_error("describe_model", "ValidationException", said)
    sagemaker.add_client_error("describe_training_job", "ValidationException", said)
    facts = SageMakerFacts(sagemaker.client)

    assert (facts.model("m"), facts.training_job("j")) == (None, None)


def test_a_missing_permission_is_not_taken_for_a_missing_model(sagemaker) -> None:
    sagemaker.add_client_error("describe_model", "AccessDeniedException", "no")

    with pytest.raises(AccessRefused):
        SageMakerFacts(sagemaker.client).model("m")


def test_who_changed_a_card_is_told_by_name_or_by_principal(sagemaker) -> None:
    described = {
        "ModelCardArn": f"{ROOT}model-card/c",
        "ModelCardName": "c",
        "ModelCardVersion": 3,
        "Content": "{}",
        "ModelCardStatus": "Draft",
        "CreationTime": NOW,
        "CreatedBy": {"UserProfileName": "ada"},
        "LastModifiedBy": {"IamIdentity": {"Arn": "arn:aws:iam::111122223333:role/mlops"}},
    }
    sagemaker.add_response("describe_model_card", described)

    card = SageMakerCards(sagemaker.client).describe("c")

    assert (card.created_by, card.modified_by) == ("ada", "arn:aws:iam::111122223333:role/mlops")


def test_a_card_that_sagemaker_works_on_is_locked_in_its_words(sagemaker) -> None:
    sagemaker.add_client_error("delete_model_card", "ConflictException", "an export runs")

    with pytest.raises(CardLocked, match="an export runs"):
        SageMakerCards(sagemaker.client).delete("c")


def test_a_file_that_cannot_be_read_says_where_files_are_read_from(s3) -> None:
    s3.add_client_error("get_object", "AccessDenied", "Access Denied", http_status_code=403)

    with pytest.raises(MetricFileUnreadable, match="data bucket, s3://the-data"):
        S3MetricFiles(s3.client, "the-data").read("s3://another/k.json")


def test_a_file_that_is_too_large_is_refused_with_its_size(s3) -> None:
    body = StreamingBody(io.BytesIO(b""), 0)
    s3.add_response("get_object", {"ContentLength": 6_000_000, "Body": body})

    with pytest.raises(MetricFileUnreadable, match="6000000 bytes"):
        S3MetricFiles(s3.client, "the-data").read("s3://the-data/k.json")
