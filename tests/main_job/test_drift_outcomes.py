"""Labels that come late, on the deployed platform: joined with captured answers, a drop told."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
SAYS_ITS_FIRST_INPUT = """
def model_fn(model_dir):
    return None

def predict_fn(rows, model):
    return rows[:, 0]
"""
NAME = "outcomes"
CALLS, ROWS = 20, 25
DICE = random.Random(29)


def rows_of(count: int) -> list[tuple[float, float, int]]:
    """A probability, another feature, and what turns out to be true."""
    made = []
    for _ in range(count):
        p = round(DICE.betavariate(0.8, 0.8), 4)
        made.append((p, round(DICE.gauss(40, 10), 3), int(DICE.random() < p)))
    return made


@pytest.fixture
def deployed(loop: Any, mlops: Any, bucket: str, put: Any, tmp_path: Path) -> Any:
    """An endpoint that says probabilities, and a monitor of it that knows where labels arrive."""
    s3 = loop.place.client("s3")
    table = "p,age,said,label\n" + "".join(f"{p},{age},{p},{y}\n" for p, age, y in rows_of(3000))
    s3.put_object(Bucket=bucket, Key=f"datasets/{NAME}/train.csv", Body=table.encode())
    requests = [
        {
            "pipeline_type": "realtime-endpoint",
            "model_name": NAME,
            "endpoint_name": NAME,
            "image_uri": IMAGE,
            "model_artifact_location": put(
                f"models/{NAME}.tar.gz", {"code/inference.py": SAYS_ITS_FIRST_INPUT}
            ),
            "data_capture_percentage": 100,
        },
        {
            "pipeline_type": "drift-monitor",
            "model_name": NAME,
            "endpoint_name": NAME,
            "baseline_data": f"s3://{bucket}/datasets/{NAME}/train.csv",
            "label_column": "label",
            "window_minutes": 1,
            "retrain": False,
            "heartbeat": False,
            "ground_truth_location": f"s3://{bucket}/labels/{NAME}",
            "ground_truth": {
                "problem_type": "BinaryClassification",
                "probability_attribute": "0",
                "baseline_probability_attribute": "said",
                "baseline_ground_truth_attribute": "label",
            },
        },
    ]
    accepted = []
    for number, request in enumerate(requests):
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps(request))
        accepted.append(mlops("submit", str(file))["pipeline_id"])
    for pipeline in accepted:
        assert mlops("status", pipeline, "--wait")["problems"] == []
    yield s3
    for pipeline in reversed(accepted):
        mlops("pipelines", "delete", pipeline, "--yes")


def eventually(look: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.2)
    return seen


def test_labels_that_come_late_re_open_their_window_and_show_that_the_model_got_worse(
    deployed: Any, loop: Any, bucket: str
) -> None:
    s3, runtime = deployed, loop.place.client("sagemaker-runtime")

    def keys(prefix: str) -> list[str]:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=f"drift/{NAME}/{prefix}")
        return [each["Key"] for each in found.get("Contents", ())]

    def evaluated() -> list[Any]:
        answer = loop.place.client("lambda").invoke(
            FunctionName=loop.place.value("evaluate-function-arn"),
            Payload=json.dumps({"monitor": NAME}).encode(),
        )
        found = json.loads(answer["Payload"].read())
        assert "evaluations" in found, found
        return [one for one in found["evaluations"] if one["records"]]

    def report(of: Any) -> Any:
        body = s3.get_object(Bucket=bucket, Key=of["report"]["json_key"])["Body"].read()
        return json.loads(body)

    # Some calls, each with an id of the caller's, and a few rows.
    truth = {}
    for number in range(CALLS):
        rows = rows_of(ROWS)
        identity = f"call-{number}"
        runtime.invoke_endpoint(
            EndpointName=NAME,
            ContentType="text/csv",
            Accept="text/csv",
            InferenceId=identity,
            Body="\n".join(f"{p},{age}" for p, age, _ in rows).encode(),
        )
        truth[identity] = [y for _, _, y in rows]

    def all_profiled() -> bool:
        profiles = [
            json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            for key in keys("profiles/")
        ]
        return sum(one["profile"]["rows"] for one in profiles) == CALLS * ROWS

    eventually(all_profiled)
    first = evaluated()
    assert {one["verdict"] for one in first} <= {"healthy", "insufficient-data"}
    assert sum(one["records"] for one in first) == CALLS * ROWS
    quality = [report(one)["model_quality"] for one in first]
    assert sum(one["labels"]["labelled"] for one in quality) == 0

    # The labels come, and every third says the opposite of what the model was good at.
    lines = []
    for place, (identity, labels) in enumerate(sorted(truth.items())):
        turned = [1 - y if (place + n) % 3 == 0 else y for n, y in enumerate(labels)]
        record = {
            "groundTruthData": {"data": "\n".join(map(str, turned)), "encoding": "CSV"},
            "eventMetadata": {"eventId": identity},
            "eventVersion": "0",
        }
        lines.append(json.dumps(record))
    key = f"labels/{NAME}/{datetime.now(UTC):%Y/%m/%d/%H}/late.jsonl"
    s3.put_object(Bucket=bucket, Key=key, Body="\n".join(lines).encode())
    eventually(lambda: [one for one in keys("kept/labels/") if one.endswith(".arrow")])

    again = evaluated()
    worst = max(again, key=lambda one: one["records"])
    found = report(worst)
    assert worst["verdict"] == found["verdict"] == "drift"
    assert found["features"] == []
    section = found["model_quality"]
    assert section["reference"] == {
        "origin": "baseline",
        "rows": 3000,
        "windows": [],
        "windows_needed": 4,
        "learnt_from_this_window": False,
    }
    labelled = [report(one)["model_quality"]["labels"]["labelled"] for one in again]
    assert sum(labelled) == CALLS * ROWS
    accuracy = next(one for one in section["metrics"] if one["name"] == "accuracy")
    assert accuracy["breached"]
    assert accuracy["window"]["high"] < accuracy["reference"]["low"]
    sentences = [one["sentence"] for one in found["findings"] if one["kind"] == "model-quality"]
    assert any(said.startswith("The accuracy fell from") for said in sentences)
    page = s3.get_object(Bucket=bucket, Key=worst["report"]["html_key"])["Body"].read().decode()
    assert "<h2>Model quality</h2>" in page

    # Without news only windows are judged again that are over by now.
    assert all(one["window"]["complete"] for one in evaluated())

    # What holds single rows goes sooner than what counts them; the bucket knows them by a tag.
    for prefix, value in (
        ("profiles/", [{"Key": "mlops:kept-as", "Value": "profiles"}]),
        ("kept/labels/2", [{"Key": "mlops:kept-as", "Value": "rows"}]),
        ("kept/predictions/", [{"Key": "mlops:kept-as", "Value": "rows"}]),
        ("reports/", []),
        ("baseline.json", []),
        ("state.json", []),
    ):
        tags = s3.get_object_tagging(Bucket=bucket, Key=keys(prefix)[0])["TagSet"]
        assert tags == value, prefix
