"""An Autopilot search on the deployed platform: everything is made, its run refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.slow

PIPELINE = "found-autopilot"
MACHINE = f"mlops-local-{PIPELINE}-local"


def test_a_search_is_made_changed_and_removed_and_its_run_refused_with_what_to_do(
    mlops: Any, loop: Any, bucket: str, tmp_path: Path
) -> None:
    machines = loop.place.client("stepfunctions")
    region, account = (
        loop.place.environment["AWS_REGION"],
        loop.place.value("key-arn").split(":")[4],
    )
    arn = f"arn:aws:states:{region}:{account}:stateMachine:{MACHINE}"
    request = {
        "pipeline_type": "autopilot",
        "model_name": "found",
        "training_data": f"s3://{bucket}/datasets/found/",
        "target_attribute": "label",
        "problem_type": "Regression",
        "objective_metric": "RMSE",
        "validation_fraction": 0.2,
    }

    def ask(**changes: Any) -> tuple[str, str]:
        """The outcome, and what the command line says of the run."""
        file = tmp_path / "request.json"
        file.write_text(json.dumps(request | changes))
        answer = mlops("submit", str(file))
        with pytest.raises(AssertionError) as refused:
            mlops("status", answer["pipeline_id"], "--wait")
        return answer["outcome"], str(refused.value)

    def definition() -> str:
        return str(machines.describe_state_machine(stateMachineArn=arn)["definition"])

    def runs() -> int:
        return len(machines.list_executions(stateMachineArn=arn)["executions"])

    outcome, told = ask()
    assert outcome == "created"
    assert "does not carry Autopilot (CreateAutoMLJobV2)" in told
    assert "Run the request in an AWS account" in told
    assert "'tuning' request with the strategy 'Random' or 'Grid'" in told
    assert '"MaxCandidates":10' in definition().replace(" ", "")

    # What is deployed follows the request, although its run is refused again.
    outcome, told = ask(max_candidates=3, encrypt_inter_container_traffic=True)
    assert outcome == "updated"
    assert "does not carry Autopilot" in told
    assert '"MaxCandidates":3' in definition().replace(" ", "")
    assert runs() == 2

    # Sent again as it is, the failed delivery is tried again.
    outcome, told = ask(max_candidates=3, encrypt_inter_container_traffic=True)
    assert outcome == "restarted"
    assert runs() == 3

    mlops("pipelines", "delete", PIPELINE, "--yes", "--wait")
    with pytest.raises(ClientError, match="StateMachineDoesNotExist"):
        definition()
    assert PIPELINE not in {one["pipeline_id"] for one in mlops("pipelines", "list")["pipelines"]}
