from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlops_framework.local.emulator import Emulator

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
def moto(client_of: MakeClient) -> Iterator[MakeClient]:
    """Clients of an account of moto's: nothing leaves the process."""
    with mock_aws():
        yield client_of


@pytest.fixture(scope="session")
def emulator() -> Iterator[MakeClient]:
    """Clients of the local AWS, which runs once for all suites."""
    with (
        tempfile.TemporaryDirectory(prefix="mlops-adapters-") as folder,
        Emulator(Path(folder)) as running,
    ):
        yield running.client


@pytest.fixture
def new_table() -> Callable[[MakeClient], str]:
    """Makes an empty table of records."""

    def make(client_of: MakeClient) -> str:
        name = f"pipelines-{uuid.uuid4().hex[:8]}"
        client_of("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pipeline_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pipeline_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        return name

    return make


@pytest.fixture
def new_bucket() -> Callable[[MakeClient], str]:
    """Makes an empty, versioned bucket."""

    def make(client_of: MakeClient) -> str:
        name = f"artifacts-{uuid.uuid4().hex[:8]}"
        s3 = client_of("s3")
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    return make
