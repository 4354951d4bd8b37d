from __future__ import annotations

import os
import statistics
import subprocess
import sys

import pytest

from lambdas.orchestrator.settings import OrchestratorSettings, TeardownSettings
from lambdas.orchestrator.wiring import stages_of


def _seconds(code: str) -> float:
    measured = (
        "import time; start = time.perf_counter(); " + code + "; print(time.perf_counter() - start)"
    )
    clean = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1"}
    clean.pop("PYTHONDONTWRITEBYTECODE", None)
    runs = [
        float(
            subprocess.run(
                [sys.executable, "-c", measured],
                check=True,
                capture_output=True,
                text=True,
                env=clean,
            ).stdout
        )
        for _ in range(4)
    ]
    return statistics.median(sorted(runs)[:3])


def test_the_cold_start_costs_at_most_half_more_than_boto3_and_one_client() -> None:
    ours = _seconds("import lambdas.orchestrator.handler")
    theirs = _seconds("import boto3; boto3.client('dynamodb')")

    assert ours <= 1.5 * theirs


@pytest.mark.parametrize("module", ["handler", "teardown"])
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
