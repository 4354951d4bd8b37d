"""Model cards on the deployed platform: the predecessor's bodies, and the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from mlops_framework.cli.api import SignedTransport
from mlops_framework.cli.embedded import Up

pytestmark = pytest.mark.slow

CARD = "life-cycle"
QUALITY = {
    "binary_classification_metrics": {
        "confusion_matrix": {"0": {"0": 50, "1": 5}, "1": {"0": 3, "1": 40}},
        "auc": {"value": 0.97, "standard_deviation": "NaN"},
    }
}


@pytest.fixture
def ask(platform: Up) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Sends a body to /provisionpipeline, as clients of the predecessor do."""
    session = Session()
    session.set_credentials(
        platform.environment["AWS_ACCESS_KEY_ID"], platform.environment["AWS_SECRET_ACCESS_KEY"]
    )
    transport = SignedTransport(session, platform.environment["AWS_REGION"])
    url = f"{platform.api_url.rstrip('/')}/provisionpipeline"

    def send(**body: Any) -> tuple[int, dict[str, Any]]:
        status, text = transport.send("POST", url, json.dumps(body).encode())
        return status, json.loads(text)

    return send


def test_a_card_lives_from_its_creation_to_its_deletion(
    ask: Any, mlops: Any, loop: Any, bucket: str, tmp_path: Path
) -> None:
    s3 = loop.place.client("s3")
    s3.put_object(Bucket=bucket, Key="cards/quality.json", Body=json.dumps(QUALITY).encode())

    created, said = ask(
        pipeline_type="create_model_card",
        name=CARD,
        status="Draft",
        model_overview={"model_id": "not-of-sagemaker", "model_name": "life"},
        intended_uses={"purpose_of_model": "p", "risk_rating": "Low"},
        evaluation_details=[
            {
                "name": "e",
                "metric_file_s3_url": f"s3://{bucket}/cards/quality.json",
                "metric_type": "binary_classification",
            }
        ],
        additional_information={"ethical_considerations": "t"},
    )
    _, described = ask(pipeline_type="describe_model_card", name=CARD)
    change = tmp_path / "change.json"
    change.write_text(json.dumps({"business_details": {"business_problem": "b"}}))
    mlops("model-card", "update", CARD, str(change))
    updated, _ = ask(pipeline_type="update_model_card", name=CARD, status="Approved")
    shown = mlops("model-card", "show", CARD)
    listed = mlops("model-card", "list", "--name-contains", CARD)["model_cards"]
    exported, export = ask(
        pipeline_type="export_model_card", name=CARD, export_job_name="x", model_card_version=1
    )
    deleted, _ = ask(pipeline_type="delete_model_card", name=CARD)
    gone, problem = ask(pipeline_type="describe_model_card", name=CARD)

    assert (created, updated, exported, deleted, gone) == (200, 200, 200, 200, 404), said
    (evaluation,) = described["message"]["Content"]["evaluation_details"]
    metrics = {one["name"]: one for one in evaluation["metric_groups"][0]["metric_data"]}
    assert metrics["auc"]["value"] == 0.97
    assert metrics["confusion_matrix"]["value"] == [[50, 5], [3, 40]]
    assert (shown["version"], shown["status"]) == (2, "Approved")
    assert shown["kms_key_arn"] == loop.place.value("key-arn")
    assert [one["name"] for one in listed] == [CARD]
    assert export["status"] == "Completed"
    key = export["location"].removeprefix(f"s3://{bucket}/")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read().startswith(b"%PDF-")
    assert f"no model card '{CARD}'" in problem["detail"]


def test_what_is_wrong_is_told_all_at_once_and_makes_no_card(ask: Any, mlops: Any) -> None:
    status, problem = ask(
        pipeline_type="create_model_card",
        name="life-refused",
        model_overview={"model_name": "nobody"},
        training_details={"training_job_name": "nothing"},
        evaluation_details=[
            {"name": "e", "metric_file_s3_url": "s3://b/k.json", "metric_type": "clarify_bias"}
        ],
    )

    assert status == 400
    assert {fault["path"] for fault in problem["faults"]} == {
        "model_overview.model_name",
        "training_details.training_job_name",
        "evaluation_details.0.metric_file_s3_url",
    }
    assert mlops("model-card", "list", "--name-contains", "life-refused")["model_cards"] == []
