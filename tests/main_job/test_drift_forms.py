"""Traffic in forms of its own, on the deployed platform: batch jobs, nested JSON, many objects."""

from __future__ import annotations

import io
import json
import random
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from mlops_framework.drift.objects import StoredProfile, latest_versions

pytestmark = pytest.mark.slow

NAME = "forms"
DICE = random.Random(31)


def orders(count: int, *, shift: float = 0.0) -> list[dict[str, Any]]:
    """Rows whose amount is nested."""
    return [
        {
            "order": {"amount": round(DICE.gauss(40 + shift, 10), 3)},
            "colour": DICE.choice(["red", "blue"]),
        }
        for _ in range(count)
    ]


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


@pytest.fixture
def s3(loop: Any, mlops: Any, bucket: str, tmp_path: Path) -> Any:
    """A monitor of nested records, compared with all objects below a folder."""
    client = loop.place.client("s3")
    folder = f"datasets/{NAME}"
    client.put_object(Bucket=bucket, Key=f"{folder}/one.jsonl", Body=lines(orders(1500)))
    table = io.BytesIO()
    flat = [(row["order"]["amount"], row["colour"]) for row in orders(1500)]
    columns = dict(zip(("amount", "colour"), map(list, zip(*flat, strict=True)), strict=True))
    pyarrow.parquet.write_table(pyarrow.table(columns), table)
    client.put_object(Bucket=bucket, Key=f"{folder}/more/two.parquet", Body=table.getvalue())
    client.put_object(Bucket=bucket, Key=f"{folder}/_SUCCESS", Body=b"")
    file = tmp_path / "monitor.json"
    file.write_text(
        json.dumps(
            {
                "pipeline_type": "drift-monitor",
                "model_name": NAME,
                "endpoint_name": NAME,
                "baseline_data": f"s3://{bucket}/{folder}/",
                "records": {
                    "input": {"columns": {"amount": "order.amount"}},
                    "output": {"columns": {"score": "scores[1]"}},
                },
                "retrain": False,
                "heartbeat": False,
            }
        )
    )
    pipeline = mlops("submit", str(file))["pipeline_id"]
    assert mlops("status", pipeline, "--wait")["problems"] == []
    yield client
    mlops("pipelines", "delete", pipeline, "--yes")


def eventually(look: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.2)
    return seen


def test_a_batch_job_is_followed_from_its_manifests_to_a_verdict(
    s3: Any, loop: Any, bucket: str
) -> None:
    now = datetime.now(UTC)

    def put(key: str, body: bytes) -> None:
        s3.put_object(Bucket=bucket, Key=key, Body=body)

    def manifest(side: str, folder: str, names: list[str]) -> None:
        text = json.dumps([{"prefix": f"s3://{bucket}/{folder}/"}, *names])
        put(f"captures/{NAME}/{side}/{now:%Y/%m/%d/%H}/{uuid.uuid4()}.json", text.encode())

    def profile() -> Any:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=f"drift/{NAME}/profiles/")
        keys = [each["Key"] for each in found.get("Contents", ())]
        read = [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]
        counts = latest_versions(StoredProfile.from_document(each, "a profile") for each in read)
        assert len(counts) < 2, keys
        return counts[0].profile.to_document() if counts else None

    for number in range(2):
        rows = orders(300, shift=15)
        answers = [
            {
                "scores": [0.5, DICE.random()],
                "SageMakerInferenceId": str(uuid.uuid4()),
                "SageMakerInferenceTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            }
            for _ in rows
        ]
        put(f"batch/{NAME}/in/{number}.jsonl", lines(rows))
        put(f"batch/{NAME}/out/{number}.jsonl.out", lines(answers))
    manifest("input", f"batch/{NAME}/in", ["0.jsonl", "1.jsonl"])
    assert eventually(profile)["rows"] == 600
    manifest("output", f"batch/{NAME}/out", ["0.jsonl.out", "1.jsonl.out"])
    eventually(lambda: (profile() or {}).get("predictions"))

    counted = profile()
    assert (counted["rows"], counted["unreadable"]) == (600, {})
    assert counted["predictions"]["prediction.score"]["records"] == 600

    answer = loop.place.client("lambda").invoke(
        FunctionName=loop.place.value("evaluate-function-arn"),
        Payload=json.dumps({"monitor": NAME}).encode(),
    )
    found = json.loads(answer["Payload"].read())
    (judged,) = [one for one in found["evaluations"] if one["records"]]
    assert (judged["verdict"], judged["features"], judged["records"]) == (
        "drift",
        ["amount"],
        600,
    )
