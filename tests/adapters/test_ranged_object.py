"""An S3 object read from any place: only what is asked for is fetched."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from mlops_framework.aws.drift_store import S3Sources
from mlops_framework.aws.ranged_object import RangedObject
from mlops_framework.drift.config import S3Location
from mlops_framework.drift.errors import ObjectMissing

BUCKET = "mlops-test-data"
TEXT = bytes(range(256)) * 40


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key="data", Body=TEXT)
        yield client


def test_any_range_is_what_the_object_holds_there(s3: Any) -> None:
    file = io.BufferedReader(RangedObject(s3, BUCKET, "data"), 100)
    assert file.read(7) == TEXT[:7]
    file.seek(-300, io.SEEK_END)
    assert file.read(600) == TEXT[-300:]
    file.seek(5000)
    assert (file.read(1), file.tell()) == (TEXT[5000:5001], 5001)
    assert S3Sources(s3).opened(S3Location(BUCKET, "data")).read() == TEXT


def test_only_the_columns_and_row_groups_asked_for_are_fetched(s3: Any) -> None:
    table = pa.table({"a": list(range(50_000)), "b": [f"text {n}" * 9 for n in range(50_000)]})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=5_000)
    s3.put_object(Bucket=BUCKET, Key="table", Body=buffer.getvalue())
    fetched: list[str] = []
    s3.meta.events.register(
        "before-parameter-build.s3.GetObject",
        lambda params, **_: fetched.append(params["Range"].removeprefix("bytes=")),
    )
    opened = pq.ParquetFile(io.BufferedReader(RangedObject(s3, BUCKET, "table"), 1 << 12))
    assert opened.read_row_group(3, columns=["a"])["a"].to_pylist() == list(range(15_000, 20_000))
    ends = [tuple(map(int, one.split("-"))) for one in fetched]
    assert sum(last - first + 1 for first, last in ends) < len(buffer.getvalue()) / 2


def test_an_object_that_is_absent_or_replaced_meanwhile_is_told(s3: Any) -> None:
    with pytest.raises(ObjectMissing, match=f"s3://{BUCKET}/gone does not exist"):
        RangedObject(s3, BUCKET, "gone")
    file = RangedObject(s3, BUCKET, "data")
    s3.put_object(Bucket=BUCKET, Key="data", Body=b"other")
    with pytest.raises(ObjectMissing, match="was replaced while it was read"):
        file.read(10)
