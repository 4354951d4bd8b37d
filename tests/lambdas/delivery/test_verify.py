from __future__ import annotations

import subprocess
import sys

from lambdas.delivery.verify import verify
from mlops_framework.delivery.ports import DeliveryPorts
from mlops_framework.delivery.service import Verification
from mlops_framework.testing.delivery import InMemoryBuilds, InMemoryEndpoints, RecordedJobs
from mlops_framework.testing.events import code_pipeline_event
from mlops_framework.testing.stacks import InMemoryStacks


def test_a_job_is_answered_and_the_log_says_how() -> None:
    jobs = RecordedJobs()
    service = Verification(
        DeliveryPorts(jobs, InMemoryStacks(), InMemoryBuilds(), InMemoryEndpoints(), None)
    )
    event = code_pipeline_event(
        {"pipeline_id": "p", "stage": "dev", "stack_name": "s", "check": "none"}
    )

    assert verify(event, service=service) == {"verdict": "Passed"}
    assert [report.result for report in jobs.reports] == ["succeeded"]


def test_the_function_needs_nothing_but_the_runtime() -> None:
    code = (
        "import sys, lambdas.delivery.verify; "
        "print(sorted({'pydantic', 'aws_lambda_powertools', 'aws_cdk'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "[]"
