from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

MakeClient = Callable[[str], Any]


@pytest.fixture
def client_of() -> MakeClient:
    """Makes clients with credentials of their own, whatever the machine has."""
    return lambda service: boto3.client(
        service,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@pytest.fixture
def moto_client(client_of: MakeClient) -> Iterator[MakeClient]:
    """Clients of an account of moto's: nothing leaves the process."""
    with mock_aws():
        yield client_of


@pytest.fixture
def table(moto_client: MakeClient) -> str:
    moto_client("dynamodb").create_table(
        TableName="pipelines",
        KeySchema=[{"AttributeName": "pipeline_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pipeline_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return "pipelines"


@pytest.fixture
def bucket(moto_client: MakeClient) -> str:
    s3 = moto_client("s3")
    s3.create_bucket(Bucket="artifacts")
    s3.put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
    return "artifacts"
