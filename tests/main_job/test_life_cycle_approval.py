"""Approval in the model registry delivers the version; rejection takes it back. Really served."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
GROUP, PIPELINE, ENDPOINT = "voted", "voted-realtime-endpoint", "voted"
TIMES = """
def model_fn(model_dir):
    return {factor}

def predict_fn(rows, factor):
    return rows.reshape(1, -1).sum(axis=1) * factor
"""


class Registry:
    """A model package group whose version n multiplies by n."""

    def __init__(self, loop: Any, put: Any) -> None:
        self.sagemaker = loop.place.client("sagemaker")
        self._runtime, self._put = loop.place.client("sagemaker-runtime"), put
        self.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)

    def register(self, factor: int) -> str:
        """The next version's ARN; it awaits a word."""
        artifact = self._put(
            f"models/voted-{factor}.tar.gz", {"code/inference.py": TIMES.format(factor=factor)}
        )
        made = self.sagemaker.create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={
                "Containers": [{"Image": IMAGE, "ModelDataUrl": artifact}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )
        return str(made["ModelPackageArn"])

    def answers(self) -> list[float]:
        answer = self._runtime.invoke_endpoint(
            EndpointName=ENDPOINT, Body=b"1,2", ContentType="text/csv"
        )
        return list(json.loads(answer["Body"].read()))


def eventually(look: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.3)
    return seen


def test_a_word_in_the_registry_changes_what_is_served(
    loop: Any, put: Any, mlops: Any, tmp_path: Path
) -> None:
    registry = Registry(loop, put)
    one, two = registry.register(1), registry.register(2)
    file = tmp_path / "request.json"
    file.write_text(
        json.dumps(
            {
                "pipeline_type": "realtime-endpoint",
                "model_name": "voted",
                "endpoint_name": ENDPOINT,
                "model_package_group": GROUP,
            }
        )
    )

    # Nothing is approved: refused, with what to do.
    with pytest.raises(AssertionError, match="mlops approve"):
        mlops("submit", str(file))

    # The first approved version is served.
    mlops("approve", one)
    mlops("submit", str(file))
    assert mlops("status", PIPELINE, "--wait")["status"] == "Delivered"
    assert registry.answers() == [3.0]

    # Approval of the second delivers it; nobody sends a request.
    mlops("approve", two)
    eventually(lambda: mlops("status", PIPELINE)["requested_by"].startswith(f"approval of {two}"))
    assert mlops("status", PIPELINE, "--wait")["status"] == "Delivered"
    assert registry.answers() == [6.0]

    # Its rejection brings the first one back.
    mlops("approve", two, "--reject")
    eventually(lambda: mlops("status", PIPELINE)["requested_by"].startswith("rejection of"))
    assert mlops("status", PIPELINE, "--wait")["status"] == "Delivered"
    assert registry.answers() == [3.0]
    mlops("pipelines", "delete", PIPELINE, "--yes", "--wait")
