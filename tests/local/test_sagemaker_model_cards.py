"""Model cards on the local AWS, through boto3 and through the platform's own adapters."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops_framework.aws.model_cards import S3MetricFiles, SageMakerCards, SageMakerFacts
from mlops_framework.governance.cards import ModelCards
from mlops_framework.governance.errors import CardExists, CardLocked, CardUnknown
from mlops_framework.governance.ports import CardPorts
from mlops_framework.local.emulator import Emulator
from mlops_framework.local.plane.sagemaker.pdf import pdf

KEY = "arn:aws:kms:us-east-1:111122223333:key/a-key"


@pytest.fixture
def bucket(local_aws: Emulator) -> str:
    name = f"cards-{uuid.uuid4().hex[:8]}"
    local_aws.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def cards(local_aws: Emulator, bucket: str) -> ModelCards:
    sagemaker = local_aws.client("sagemaker")
    ports = CardPorts(
        SageMakerCards(sagemaker),
        SageMakerFacts(sagemaker),
        S3MetricFiles(local_aws.client("s3"), bucket),
        lambda _: time.sleep(0.05),
    )
    return ModelCards(ports, bucket=bucket, key_arn=KEY, tags={"mlops:environment": "test"})


@pytest.fixture
def name() -> str:
    return f"card-{uuid.uuid4().hex[:8]}"


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_card_keeps_its_versions_its_key_and_its_tags(
    local_aws: Emulator, cards: ModelCards, name: str
) -> None:
    arn = cards.create({"name": name, "intended_uses": {"purpose_of_model": "p"}}).arn
    cards.change(name, {"business_details": {"business_problem": "b"}, "status": "Approved"})

    newest, first = cards.show(name), cards.show(name, 1)

    assert (newest.version, newest.status, newest.kms_key_arn) == (2, "Approved", KEY)
    assert newest.content["intended_uses"] == {"purpose_of_model": "p"}
    assert (first.version, first.status) == (1, "Draft")
    assert "business_details" not in first.content
    assert [one.version for one in cards.versions(name).model_cards] == [2, 1]
    tags = local_aws.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
    assert tags == [{"Key": "mlops:environment", "Value": "test"}]


def test_an_archived_card_takes_a_status_and_no_content(cards: ModelCards, name: str) -> None:
    cards.create({"name": name, "status": "Archived"})

    with pytest.raises(CardLocked):
        cards.change(name, {"business_details": {"business_problem": "b"}})
    assert cards.change(name, {"status": "Draft"}).message.endswith("version 1, Draft.")


def test_names_are_unique_and_what_is_gone_is_not_found(cards: ModelCards, name: str) -> None:
    cards.create({"name": name})
    with pytest.raises(CardExists):
        cards.create({"name": name})
    cards.delete(name)

    for call in (cards.show, cards.delete, cards.versions):
        with pytest.raises(CardUnknown):
            call(name)


def test_an_export_is_a_pdf_of_the_card(
    local_aws: Emulator, cards: ModelCards, name: str, bucket: str
) -> None:
    cards.create({"name": name, "intended_uses": {"purpose_of_model": "to (re)price é"}})

    export = cards.export(name, {"export_job_name": "x", "model_card_version": 1})

    assert export.status == "Completed"
    key = export.location.removeprefix(f"s3://{bucket}/")
    content = local_aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert content.startswith(b"%PDF-1.4")
    assert b"(  purpose_of_model: to \\(re\\)price \xe9) Tj" in content
    assert cards.exports(name).exports == (export,)


def test_a_list_has_pages_and_filters(cards: ModelCards) -> None:
    prefix = f"p{uuid.uuid4().hex[:6]}"
    for number in range(3):
        cards.create({"name": f"{prefix}-{number}"})
    cards.change(f"{prefix}-1", {"status": "Approved"})

    first = cards.page(limit=2, name_contains=prefix)
    rest = cards.page(limit=2, name_contains=prefix, token=first.next_token)
    approved = cards.page(name_contains=prefix, status="approved")

    listed = [one.name for one in (*first.model_cards, *rest.model_cards)]
    assert sorted(listed) == [f"{prefix}-{number}" for number in range(3)]
    assert rest.next_token == ""
    assert [one.name for one in approved.model_cards] == [f"{prefix}-1"]


def test_sagemaker_takes_content_and_status_apart_and_known_sections_alone(
    local_aws: Emulator, cards: ModelCards, name: str
) -> None:
    sagemaker = local_aws.client("sagemaker")
    cards.create({"name": name})

    both = refusal(
        sagemaker.update_model_card, ModelCardName=name, Content="{}", ModelCardStatus="Draft"
    )
    unknown = refusal(
        sagemaker.update_model_card, ModelCardName=name, Content=json.dumps({"overview": {}})
    )

    assert both[0] == "ValidationException"
    assert "in a single call" in both[1]
    assert "unknown sections overview" in unknown[1]


def test_a_long_card_has_pages_that_the_table_of_objects_finds() -> None:
    document = pdf(f"line {number}" for number in range(200))

    table = int(document.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    rows = document[table:].splitlines()
    assert rows[0] == b"xref"
    count = int(rows[1].split()[1])
    for number in range(1, count):
        offset = int(rows[2 + number].split()[0])
        assert document[offset:].startswith(b"%d 0 obj" % number)
    assert document.count(b"/Type /Page ") == 4
