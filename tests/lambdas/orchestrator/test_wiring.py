from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from lambdas.orchestrator import wiring
from lambdas.orchestrator.settings import OrchestratorSettings, TeardownSettings
from lambdas.orchestrator.wiring import stages_of
from mlops_framework.aws.clients import client
from mlops_framework.errors import SettingsInvalid
from mlops_framework.orchestration.service import Orchestrator
from mlops_framework.orchestration.teardown import Teardown


@pytest.mark.parametrize("module", ["files", "handler", "teardown"])
def test_importing_a_function_makes_no_client_and_loads_no_cdk_nor_test_code(module) -> None:
    code = (
        f"import sys, lambdas.orchestrator.{module}; "
        "heavy = {'boto3', 'aws_cdk', 'yaml', 'mlops_framework.testing'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "[]"


def test_stages_are_read_in_order_without_blanks() -> None:
    assert stages_of("dev, staging,prod,") == ("dev", "staging", "prod")


def test_the_teardown_needs_nothing_that_the_api_does_not_have() -> None:
    assert TeardownSettings.names() <= OrchestratorSettings.names()


ENVIRONMENT = OrchestratorSettings.environment(
    environment_prefix="mlops-test",
    stages="dev,prod",
    record_table="pipelines",
    artifact_bucket="artifacts",
    data_bucket="data",
    account="111122223333",
    partition="aws",
    delivery_role_arn="arn:aws:iam::111122223333:role/mlops/delivery",
    teardown_function_name="mlops-test-teardown",
    continue_function_name="mlops-test-continue",
    tags='{"team": "platform"}',
)


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    account = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    for name, value in {**ENVIRONMENT, **account}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    yield
    wiring.service.cache_clear()
    wiring.teardown.cache_clear()
    client.cache_clear()


@pytest.mark.usefixtures("deployed")
def test_both_functions_are_wired_from_their_environment_without_a_call() -> None:
    assert isinstance(wiring.service(), Orchestrator)
    assert wiring.service() is wiring.service()
    assert isinstance(wiring.teardown(), Teardown)


def test_an_environment_that_lacks_something_is_told_at_once(monkeypatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(SettingsInvalid, match="ARTIFACT_BUCKET is not set"):
        wiring.service()
