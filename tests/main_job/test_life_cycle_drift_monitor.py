"""A drift monitor from a baseline that cannot be built to its removal, on the deployed platform."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.slow

PIPELINE = "lookout-drift-monitor"
STACK = f"mlops-local-{PIPELINE}-local"
CONFIGURATION = "/mlops-local/drift/monitors/lookout"
TRAINING = "age,hours,label\n" + "".join(f"{20 + n % 50},{n % 45},{n % 2}\n" for n in range(400))


@pytest.fixture
def submit(mlops: Any, tmp_path: Path) -> Callable[..., Any]:
    """Submits and waits: the answer, and what status says in the end."""

    def send(**body: Any) -> Any:
        file = tmp_path / "request.json"
        file.write_text(json.dumps({"pipeline_type": "drift-monitor", **body}))
        answer = mlops("submit", str(file))
        return answer, mlops("status", answer["pipeline_id"], "--wait")

    return send


def test_a_drift_monitor_from_missing_data_to_its_removal(
    submit: Callable[..., Any], mlops: Any, loop: Any, bucket: str
) -> None:
    s3, ssm = loop.place.client("s3"), loop.place.client("ssm")

    def configuration() -> dict[str, str]:
        document: dict[str, str] = json.loads(
            ssm.get_parameter(Name=CONFIGURATION)["Parameter"]["Value"]
        )
        return document

    def baseline() -> dict[str, Any]:
        body = s3.get_object(Bucket=bucket, Key="drift/lookout/baseline.json")["Body"].read()
        return dict(json.loads(body))

    wanted = {
        "model_name": "lookout",
        "endpoint_name": "lookout",
        "baseline_data": f"s3://{bucket}/datasets/lookout/train.csv",
        "label_column": "label",
        "retrain": False,
    }

    # The training data is not there: the delivery fails, and names the object.
    with pytest.raises(AssertionError, match=r"Verify.*datasets/lookout/train\.csv"):
        submit(**wanted)

    # The same request once it is.
    s3.put_object(Bucket=bucket, Key="datasets/lookout/train.csv", Body=TRAINING.encode())
    answer, status = submit(**wanted)
    assert (answer["outcome"], status["problems"]) == ("restarted", [])
    assert [column["name"] for column in baseline()["columns"]] == ["age", "hours"]
    assert (configuration()["window_minutes"], configuration()["retrain"]) == ("60", "false")
    answer, _ = submit(**wanted)
    assert answer["outcome"] == "unchanged"

    # Another schedule, window and threshold: what is deployed follows.
    changed = {
        **wanted,
        "schedule_expression": "rate(5 minutes)",
        "window_minutes": 15,
        "effect_threshold": 0.25,
    }
    submit(**changed)
    live = configuration()
    assert (live["window_minutes"], live["effect_threshold"]) == ("15", "0.25")
    scheduler = loop.place.client("scheduler")
    names = [each["Name"] for each in scheduler.list_schedules()["Schedules"]]
    (schedule,) = [scheduler.get_schedule(Name=name) for name in names if PIPELINE in name]
    assert schedule["ScheduleExpression"] == "rate(5 minutes)"
    assert json.loads(schedule["Target"]["Input"]) == {"monitor": "lookout"}
    rules = [r["Name"] for r in loop.place.client("events").list_rules()["Rules"]]
    assert [name for name in rules if PIPELINE in name] != []

    # A label that the data does not have: refused with the columns that there are, the baseline
    # stays, and the request as it was repairs it.
    kept = baseline()
    with pytest.raises(AssertionError, match=r"no column.*income.*age, hours, label"):
        submit(**{**changed, "label_column": "income"})
    assert baseline() == kept
    _, status = submit(**changed)
    assert (status["problems"], configuration()["label_column"]) == ([], "label")

    removed = mlops("pipelines", "delete", PIPELINE, "--yes", "--wait")
    with pytest.raises(ClientError, match="ParameterNotFound"):
        configuration()
    with pytest.raises(ClientError, match="does not exist"):
        loop.place.client("cloudformation").describe_stacks(StackName=STACK)
    assert not [n for n in scheduler.list_schedules()["Schedules"] if PIPELINE in n["Name"]]
    rules = [r["Name"] for r in loop.place.client("events").list_rules()["Rules"]]
    assert not [name for name in rules if PIPELINE in name]
    # Baseline and reports are data: they stay, and the answer says so.
    assert baseline() == kept
    assert any("drift" in kept_thing for kept_thing in removed["keeps"])
