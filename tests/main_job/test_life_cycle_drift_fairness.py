"""Bias and attributions of a real endpoint's traffic, on the deployed platform."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops_framework.testing.drift import capture_key, capture_line

pytestmark = pytest.mark.slow

NAME = "just"
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
MODEL = """
def model_fn(model_dir):
    return [0.1, 1.0, 0.05]

def predict_fn(rows, weights):
    return rows.reshape(-1, 3) @ weights
"""
COLUMNS = ("age", "hours", "sex")
Row = tuple[int, int, int]


def rows_of(count: int, seed: int, *, ages: int = 40, hours: int = 40) -> list[Row]:
    source = random.Random(seed)
    return [
        (
            40 + source.randint(-ages // 2, ages // 2),
            40 + source.randint(-hours // 2, hours // 2),
            i % 2,
        )
        for i in range(count)
    ]


def captured(rows: list[Row], moment: datetime, share: float) -> str:
    """Records in which that share of sex 1, and 60 % of the others, are predicted 1."""
    lines = []
    for place, row in enumerate(rows):
        good = (place // 2) % 100 < 100 * (share if row[2] else 0.6)
        line = json.loads(capture_line(row, int(good), time=moment))
        line["eventMetadata"]["eventId"] = f"{moment:%H}-{place}"
        lines.append(json.dumps(line))
    return "\n".join(lines) + "\n"


def eventually(look: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.3)
    return seen


@pytest.fixture
def send(mlops: Any, tmp_path: Path) -> Callable[..., None]:
    """Submits and waits."""

    def deliver(kind: str, **body: Any) -> None:
        file = tmp_path / "request.json"
        file.write_text(json.dumps({"pipeline_type": kind, "model_name": NAME, **body}))
        accepted = mlops("submit", str(file))
        assert mlops("status", accepted["pipeline_id"], "--wait")["problems"] == []

    return deliver


def test_bias_and_attributions_are_judged_and_own_calls_are_no_traffic(
    send: Callable[..., None], mlops: Any, loop: Any, bucket: str, put: Any
) -> None:
    s3, iam = loop.place.client("s3"), loop.place.client("iam")
    model = put("models/just.tar.gz", {"code/inference.py": MODEL})
    training = [",".join([*COLUMNS, "label"])]
    training += [",".join(map(str, (*row, 1))) for row in rows_of(600, 1)]
    s3.put_object(Bucket=bucket, Key="datasets/just/train.csv", Body="\n".join(training).encode())
    send("realtime-endpoint", endpoint_name=NAME, image_uri=IMAGE, model_artifact_location=model)
    send(
        "drift-monitor",
        endpoint_name=NAME,
        baseline_data=f"s3://{bucket}/datasets/just/train.csv",
        label_column="label",
        schedule_expression="rate(1 day)",
        retrain=False,
        ground_truth={"problem_type": "BinaryClassification", "inference_attribute": "0"},
        bias={"facets": [{"column": "sex", "values": [1]}], "thresholds": {"DI": 0.8}},
        attribution={"source": "endpoint", "rows": 12, "samples": 6, "minimum_rows": 10},
    )

    def roles_for_asking() -> list[str]:
        names = [role["RoleName"] for role in iam.list_roles()["Roles"]]
        return [name for name in names if f"-{NAME}-drift" in name and "Attribution" in name]

    assert len(roles_for_asking()) == 1

    # Two complete hours: one as the model always decided, one in which it decides by age and
    # against a sex.
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    usual, other = now - timedelta(hours=4), now - timedelta(hours=3)
    traffic = (
        (usual, captured(rows_of(600, 2), usual + timedelta(minutes=5), 0.58)),
        (other, captured(rows_of(600, 3, ages=1200, hours=2), other + timedelta(minutes=5), 0.2)),
    )
    for moment, text in traffic:
        key = capture_key(NAME, moment + timedelta(minutes=5))
        s3.put_object(Bucket=bucket, Key=key, Body=text.encode())

    def profiles(of: datetime) -> list[str]:
        prefix = f"drift/{NAME}/profiles/{of:%Y/%m/%d/%H}00/"
        return [
            o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        ]

    eventually(lambda: profiles(usual) and profiles(other))
    answer = loop.place.client("lambda").invoke(
        FunctionName=loop.place.value("evaluate-function-arn"),
        Payload=json.dumps(
            {"monitor": NAME, "from": f"{usual:%FT%TZ}", "to": f"{now - timedelta(hours=2):%FT%TZ}"}
        ),
    )
    assert "FunctionError" not in answer, answer["Payload"].read()

    def report(of: datetime) -> Any:
        key = f"drift/{NAME}/reports/{of:%Y/%m/%d/%H}00/report.json"
        return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    first, second = report(usual), report(other)
    (facet,) = second["bias"]["facets"]
    impact = next(one for one in facet["metrics"] if one["metric"] == "DI")
    assert impact["value"] == pytest.approx(0.2 / 0.6, abs=1e-5)
    assert any(one["rule"] == "policy" and one["breached"] for one in impact["judged"])
    assert not [f for f in first["findings"] if f["kind"] in ("bias", "attribution")]
    assert {f["kind"] for f in second["findings"]} >= {"bias", "attribution"}
    assert first["attribution"]["endpoint"]["calls"] > 0
    assert next(one["name"] for one in first["attribution"]["features"]) == "hours"
    assert second["attribution"]["ndcg"]["high"] < 0.9
    page = s3.get_object(
        Bucket=bucket, Key=f"drift/{NAME}/reports/{other:%Y/%m/%d/%H}00/report.html"
    )["Body"].read()
    assert b"<h2>Bias</h2>" in page
    assert b"<h2>Attributions</h2>" in page

    # What the monitor asked was captured, as all calls are, and is not counted as traffic.
    loop.place.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=NAME, Body=b"40,40,1\n41,40,0", ContentType="text/csv"
    )

    def live() -> list[Any]:
        found = [*profiles(now), *profiles(now + timedelta(hours=1))]
        read = (s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in found)
        return [json.loads(body)["profile"] for body in read]

    eventually(lambda: sum(profile["rows"] for profile in live()) >= 2)
    assert sum(profile["rows"] for profile in live()) == 2
    keys = s3.list_objects_v2(Bucket=bucket, Prefix=f"captures/{NAME}/")["Contents"]
    bodies = [s3.get_object(Bucket=bucket, Key=o["Key"])["Body"].read() for o in keys]
    assert sum(body.count(b'"mlops-shap-') for body in bodies) >= 2

    # The role for asking goes with the monitor.
    mlops("pipelines", "delete", f"{NAME}-drift-monitor", "--yes", "--wait")
    assert roles_for_asking() == []
    mlops("pipelines", "delete", f"{NAME}-realtime-endpoint", "--yes", "--wait")
