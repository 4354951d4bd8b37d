"""One suite for the port ``RecordStore``: in memory, on moto and on the local AWS."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlops_framework.aws.records import DynamoRecordStore
from mlops_framework.orchestration.errors import RecordChanged, ServiceRefused
from mlops_framework.orchestration.records import PipelineRecord, RecordState
from mlops_framework.testing.records import InMemoryRecords

RECORD = PipelineRecord(
    pipeline_id="income-training",
    kind="training",
    model_name="income",
    state=RecordState.APPLIED,
    revision=1,
    request_digest="a" * 64,
    request_key="requests/income-training/a.json",
    source_digest="",
    plan_digest="b" * 64,
    stages=("dev", "prod"),
    requested_by="arn:aws:iam::111122223333:user/ana",
    correlation_id="1",
    created_at="2026-01-01T00:00:00+00:00",
    updated_at="2026-01-01T00:00:00+00:00",
)


@pytest.fixture(params=["memory", "moto", "emulator"])
def store(request, new_table):
    if request.param == "memory":
        return InMemoryRecords()
    client_of = request.getfixturevalue(request.param)
    return DynamoRecordStore(client_of("dynamodb"), new_table(client_of))


def test_a_record_comes_back_as_it_was_put(store) -> None:
    store.put(RECORD, expected_revision=None)

    assert store.get("income-training") == RECORD


def test_a_record_that_is_not_there_is_nothing(store) -> None:
    assert store.get("income-training") is None


def test_a_new_record_is_refused_when_there_is_one(store) -> None:
    store.put(RECORD, expected_revision=None)

    with pytest.raises(RecordChanged):
        store.put(replace(RECORD, message="mine"), expected_revision=None)


def test_a_record_is_replaced_only_at_the_expected_revision(store) -> None:
    store.put(RECORD, expected_revision=None)
    store.put(replace(RECORD, revision=2, message="first"), expected_revision=1)

    with pytest.raises(RecordChanged):
        store.put(replace(RECORD, revision=2, message="second"), expected_revision=1)
    assert store.get("income-training").message == "first"


def test_a_record_that_is_gone_is_not_replaced(store) -> None:
    with pytest.raises(RecordChanged):
        store.put(replace(RECORD, revision=2), expected_revision=1)


def test_a_record_is_removed_only_at_the_expected_revision(store) -> None:
    store.put(RECORD, expected_revision=None)

    with pytest.raises(RecordChanged):
        store.delete("income-training", expected_revision=7)
    store.delete("income-training", expected_revision=1)

    assert store.get("income-training") is None


def test_removing_what_is_not_there_is_fine(store) -> None:
    store.delete("income-training", expected_revision=1)

    assert store.get("income-training") is None


def test_pages_hold_every_record_once(store) -> None:
    names = {f"model-{n}-training" for n in range(7)}
    for name in names:
        store.put(replace(RECORD, pipeline_id=name), expected_revision=None)

    seen, token, pages = [], "", 0
    while True:
        page = store.page(limit=3, token=token)
        seen += [record.pipeline_id for record in page.records]
        token, pages = page.next_token, pages + 1
        if not token:
            break

    assert sorted(seen) == sorted(names)
    assert pages == 3


def test_a_table_that_is_not_there_is_a_refusal_and_not_a_bug(moto) -> None:
    with pytest.raises(ServiceRefused, match="DynamoDB refused GetItem"):
        DynamoRecordStore(moto("dynamodb"), "nowhere").get("x")
