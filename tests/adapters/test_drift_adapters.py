"""The S3, SSM, SNS and EventBridge adapters of drift monitoring against moto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from mlops_framework.aws.drift_captures import SageMakerCaptures
from mlops_framework.aws.drift_monitors import ParameterMonitors
from mlops_framework.aws.drift_publisher import BusAndTopic, EmbeddedMetrics
from mlops_framework.aws.drift_scale import MachineDistribution, S3Listing
from mlops_framework.aws.drift_store import S3Sources, S3Store
from mlops_framework.drift.config import S3Location
from mlops_framework.drift.errors import (
    DocumentInvalid,
    MonitorInvalid,
    MonitorUnknown,
    ObjectMissing,
    StateConflict,
)
from mlops_framework.drift.heartbeat.capture_state import CaptureState
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.testing.drift import MONITOR

BUCKET = "mlops-test-data"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


@pytest.fixture
def s3(aws: None) -> Any:
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def test_a_document_is_read_back_and_absence_is_no_fault(s3: Any) -> None:
    store = S3Store(s3)
    assert store.read(BUCKET, "drift/m/baseline.json") is None
    store.write(BUCKET, "drift/m/baseline.json", '{"a": "ä"}', "application/json")
    assert store.read(BUCKET, "drift/m/baseline.json") == {"a": "ä"}


def test_what_may_go_after_a_time_is_tagged_and_nothing_else(s3: Any) -> None:
    store = S3Store(s3)

    def tags(key: str) -> dict[str, str]:
        found = s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
        return {tag["Key"]: tag["Value"] for tag in found}

    profile, rows = "drift/m/profiles/2026/03/01/1400/a.json", "drift/m/kept/labels/2026/03/a"
    for key in (profile, "drift/m/baseline.json"):
        store.write(BUCKET, key, "{}", "application/json")
    store.write_bytes(BUCKET, rows, b"rows", "application/octet-stream")
    store.write_state(BUCKET, "drift/m/state.json", "{}", "")
    assert tags(profile) == {"mlops:kept-as": "profiles"}
    assert tags(rows) == {"mlops:kept-as": "rows"}
    assert tags("drift/m/baseline.json") == tags("drift/m/state.json") == {}


def test_a_damaged_document_is_named(s3: Any) -> None:
    S3Store(s3).write(BUCKET, "k", "{", "application/json")
    with pytest.raises(DocumentInvalid, match=f"s3://{BUCKET}/k is not JSON"):
        S3Store(s3).read(BUCKET, "k")


def test_many_documents_keep_their_order_and_vanished_ones_are_left_out(s3: Any) -> None:
    store = S3Store(s3)
    keys = [f"p/{number:02}" for number in range(40)]
    for key in keys:
        store.write(BUCKET, key, json.dumps({"key": key}), "application/json")
    found = store.read_all(BUCKET, ["p/gone", *keys])
    assert [document["key"] for document in found] == keys
    assert store.read_all(BUCKET, []) == []


def test_keys_are_listed_over_all_pages(s3: Any) -> None:
    for number in range(1005):
        s3.put_object(Bucket=BUCKET, Key=f"p/{number:04}", Body=b"")
    s3.put_object(Bucket=BUCKET, Key="q/0", Body=b"")
    assert len(list(S3Store(s3).keys(BUCKET, "p/"))) == 1005


def test_a_state_is_only_replaced_if_nobody_else_did(s3: Any) -> None:
    store = S3Store(s3)
    assert store.read_state(BUCKET, "state.json") == (None, "")
    first = store.write_state(BUCKET, "state.json", '{"n": 1}', "")
    with pytest.raises(StateConflict):
        store.write_state(BUCKET, "state.json", '{"n": 2}', "")
    second = store.write_state(BUCKET, "state.json", '{"n": 2}', first)
    with pytest.raises(StateConflict):
        store.write_state(BUCKET, "state.json", '{"n": 3}', first)
    assert store.read_state(BUCKET, "state.json") == ({"n": 2}, second)


def test_captures_come_as_the_bytes_they_are(s3: Any) -> None:
    text = b'{"a": "x"}\n{"b": 1}\n\xff\nlast'
    s3.put_object(Bucket=BUCKET, Key="captures/a.jsonl", Body=text)
    chunks = S3Sources(s3).captured(ObjectVersion(BUCKET, "captures/a.jsonl"))
    assert b"".join(chunks) == text


def test_a_table_keeps_its_line_ends_and_must_be_text(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="t.csv", Body=b"a,b\r\n1,2\r\n")
    sources = S3Sources(s3)
    assert list(sources.table_lines(S3Location(BUCKET, "t.csv"))) == ["a,b\r\n", "1,2\r\n"]
    s3.put_object(Bucket=BUCKET, Key="t.parquet", Body=b"PAR1\xff\xfe")
    with pytest.raises(DocumentInvalid, match="is not UTF-8 text"):
        list(sources.table_lines(S3Location(BUCKET, "t.parquet")))


@pytest.mark.parametrize("bucket", [BUCKET, "no-such-bucket"])
def test_a_missing_object_is_named(s3: Any, bucket: str) -> None:
    with pytest.raises(ObjectMissing, match=f"s3://{bucket}/t.csv does not exist"):
        S3Sources(s3).table_lines(S3Location(bucket, "t.csv"))


def test_a_monitor_is_read_from_its_parameter(aws: None) -> None:
    ssm = boto3.client("ssm")
    name = "/mlops-test/drift/monitors/employment-dev"
    ssm.put_parameter(Name=name, Type="String", Value=json.dumps(MONITOR.to_document()))
    assert ParameterMonitors(ssm, "mlops-test").get("employment-dev") == MONITOR
    with pytest.raises(MonitorUnknown, match="/mlops-test/drift/monitors/other does not exist"):
        ParameterMonitors(ssm, "mlops-test").get("other")
    ssm.put_parameter(Name=name, Type="String", Value="{}", Overwrite=True)
    with pytest.raises(MonitorInvalid, match=f"parameter {name} is not a monitor"):
        ParameterMonitors(ssm, "mlops-test").get("employment-dev")


def test_alerts_and_events_arrive(aws: None) -> None:
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"])
    publisher = BusAndTopic(boto3.client("events"), sns, bus="default", topic_arn=topic)
    publisher.event("Drift Evaluated", {"version": 1})
    publisher.alert("Drift on x", "text")
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    body = json.loads(message["Body"])
    assert (body["Subject"], body["Message"]) == ("Drift on x", "text")


def test_metrics_are_lines_in_the_embedded_format() -> None:
    lines: list[str] = []
    metrics = EmbeddedMetrics(lines.append, lambda: datetime(2026, 3, 1, tzinfo=UTC), "mlops-test")
    metrics.record("employment-dev", {"Drift": 1.0, "Records": 500.0})
    (document,) = map(json.loads, lines)
    assert document["_aws"] == {
        "Timestamp": 1772323200000,
        "CloudWatchMetrics": [
            {
                "Namespace": "MLOps/Drift",
                "Dimensions": [["Environment", "Monitor"]],
                "Metrics": [{"Name": "Drift", "Unit": "None"}, {"Name": "Records", "Unit": "None"}],
            }
        ],
    }
    assert (document["Monitor"], document["Drift"]) == ("employment-dev", 1.0)


@pytest.mark.parametrize(
    ("column", "dimension"),
    [
        ("AGEP", "AGEP"),
        ("Größe", r"Gr\xf6\xdfe"),
        ("a\nb", r"a\nb"),
        (" ", "' '"),
        ("x" * 2000, "x" * 1024),
    ],
)
def test_a_column_is_a_dimension_that_cloudwatch_takes(column: str, dimension: str) -> None:
    lines: list[str] = []
    metrics = EmbeddedMetrics(lines.append, lambda: datetime(2026, 3, 1, tzinfo=UTC), "mlops-test")
    metrics.record("employment-dev", {"Effect": 0.25}, column=column)
    (document,) = map(json.loads, lines)
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["Environment", "Monitor", "Column"]]
    assert directive["Metrics"] == [{"Name": "Effect", "Unit": "None"}]
    assert (document["Column"], document["Effect"]) == (dimension, 0.25)


def test_the_data_capture_of_an_endpoint_is_read_and_absence_is_no_fault(aws: None) -> None:
    client = boto3.client("sagemaker")
    described: dict[str, Any] = {
        "EndpointName": "churn",
        "EndpointArn": "arn:aws:sagemaker:us-east-1:111122223333:endpoint/churn",
        "EndpointStatus": "InService",
        "CreationTime": datetime(2026, 3, 1, tzinfo=UTC),
        "LastModifiedTime": datetime(2026, 3, 1, tzinfo=UTC),
        "DataCaptureConfig": {
            "EnableCapture": True,
            "CaptureStatus": "Started",
            "CurrentSamplingPercentage": 20,
            "DestinationS3Uri": "s3://mlops-test-data/captures",
            "KmsKeyId": "",
        },
    }
    with Stubber(client) as stub:
        stub.add_response("describe_endpoint", described, {"EndpointName": "churn"})
        found = SageMakerCaptures(client).state("churn")
        assert found == CaptureState("InService", True, 20, "s3://mlops-test-data/captures")
        stopped = described["DataCaptureConfig"] | {"CaptureStatus": "Stopped"}
        stub.add_response("describe_endpoint", described | {"DataCaptureConfig": stopped})
        found = SageMakerCaptures(client).state("churn")
        assert found is not None
        assert not found.enabled
        assert found.by_sagemaker
        capacity = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
        serverless = {"VariantName": "AllTraffic", "CurrentServerlessConfig": capacity}
        queue = {"OutputConfig": {"S3OutputPath": "s3://data/out"}}
        plain = {name: v for name, v in described.items() if name != "DataCaptureConfig"}
        forms: list[dict[str, Any]] = [
            {"ProductionVariants": [serverless]},
            {"AsyncInferenceConfig": queue},
        ]
        for form in forms:
            stub.add_response("describe_endpoint", plain | form)
            found = SageMakerCaptures(client).state("churn")
            assert found == CaptureState("InService", by_sagemaker=False)
        stub.add_client_error("describe_endpoint", "ValidationException", "Could not find endpoint")
        assert SageMakerCaptures(client).state("gone") is None


def test_the_present_versions_of_captures_are_listed_as_events_name_them(s3: Any) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    key = "captures/churn/AllTraffic/2026/03/01/14/05-00-1.jsonl"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"old")
    newest = s3.put_object(Bucket=BUCKET, Key=key, Body=b"newer")["VersionId"]
    s3.put_object(Bucket=BUCKET, Key="captures/churn-2/AllTraffic/x", Body=b"another's")
    listing = S3Listing(s3)
    assert listing.folders(S3Location(BUCKET, "captures/churn")) == ["captures/churn/AllTraffic/"]
    folder = S3Location(BUCKET, "captures/churn/AllTraffic/2026/03/01/14/")
    assert list(listing.versions(folder)) == [(ObjectVersion(BUCKET, key, newest), 5)]


def test_without_versions_an_object_goes_by_its_etag(s3: Any) -> None:
    etag = s3.put_object(Bucket=BUCKET, Key="captures/a/b.jsonl", Body=b"x")["ETag"].strip('"')
    ((version, _),) = S3Listing(s3).versions(S3Location(BUCKET, "captures/a"))
    assert version.version == etag


def test_a_run_that_was_started_already_is_the_one_that_was_asked_for(aws: None) -> None:
    machine = "arn:aws:states:us-east-1:111122223333:stateMachine:mlops-test-drift-at-scale"
    client = boto3.client("stepfunctions")
    hour = (datetime(2026, 3, 1, 14, tzinfo=UTC), datetime(2026, 3, 1, 15, tzinfo=UTC))
    asked = {"monitor": "churn", "from": "2026-03-01T14:00:00Z", "to": "2026-03-01T15:00:00Z"}
    with Stubber(client) as stub:
        expected = {"stateMachineArn": machine, "name": "run", "input": json.dumps(asked)}
        execution = machine.replace("stateMachine", "execution") + ":run"
        answer = {"executionArn": execution, "startDate": hour[0]}
        stub.add_response("start_execution", answer, expected)
        stub.add_client_error("start_execution", "ExecutionAlreadyExists")
        for _ in range(2):
            MachineDistribution(client, machine).start("churn", *hour, name="run")
        stub.assert_no_pending_responses()
