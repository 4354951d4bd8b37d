"""Traffic of the past, profiled and merged by many functions, and the history of a monitor."""

from __future__ import annotations

import json
import random
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from mlops_framework.testing.drift import capture_line, label_line

pytestmark = pytest.mark.slow

ENDPOINT = "archive"
HOURS = (9, 10)
OBJECTS = 70


def rows(count: int, seed: int, shift: float = 0.0) -> list[tuple[object, ...]]:
    source = random.Random(seed)
    return [(round(source.gauss(40 + shift, 10), 2), source.randrange(4)) for _ in range(count)]


def test_months_that_nobody_watched_are_backfilled_once_and_shown(
    mlops: Any, loop: Any, bucket: str, tmp_path: Path
) -> None:
    s3 = loop.place.client("s3")

    def put(key: str, text: str) -> None:
        s3.put_object(Bucket=bucket, Key=key, Body=text.encode())

    lines = "".join(f"{income},{children}\n" for income, children in rows(4000, 1))
    put(f"datasets/{ENDPOINT}/train.csv", f"income,children\n{lines}")
    # The first hour has more objects than one function takes; the second has drifted.
    for number in range(OBJECTS):
        time = f"2026-03-01T{HOURS[0]:02}:{number % 60:02}:00Z"
        text = "\n".join(
            capture_line(row, 0.9, time=time, identity=f"{number}-{place}")
            for place, row in enumerate(rows(10, 100 + number))
        )
        put(
            f"captures/{ENDPOINT}/AllTraffic/2026/03/01/09/{number % 60:02}-00-{number}.jsonl", text
        )
    time = f"2026-03-01T{HOURS[1]}:05:00Z"
    text = "\n".join(capture_line(row, time=time) for row in rows(600, 9, shift=9))
    put(f"captures/{ENDPOINT}/AllTraffic/2026/03/01/10/05-00-0.jsonl", text)

    with pytest.raises(AssertionError, match=f"'{ENDPOINT}' is no monitored endpoint"):
        mlops("drift", "backfill", ENDPOINT, "--from", "2026-03-01", "--to", "2026-03-02")
    request = tmp_path / "request.json"
    wanted = {
        "pipeline_type": "drift-monitor",
        "model_name": ENDPOINT,
        "endpoint_name": ENDPOINT,
        "baseline_data": f"s3://{bucket}/datasets/{ENDPOINT}/train.csv",
        "distributed_above": 64,
        "retrain": False,
        "ground_truth_location": f"s3://{bucket}/labels/{ENDPOINT}",
        "ground_truth": {"problem_type": "BinaryClassification", "probability_attribute": "0"},
    }
    request.write_text(json.dumps(wanted))
    mlops("status", mlops("submit", str(request))["pipeline_id"], "--wait")
    with pytest.raises(AssertionError, match="No window of archive"):
        mlops("drift", "history", ENDPOINT, "--from", "2026-03-01", "--to", "2026-03-02")

    # Labels of the first hour, nine of ten as the model said.
    identities = [f"{number}-{place}" for number in range(OBJECTS) for place in range(10)]
    labels = "\n".join(label_line(one, int(not one.endswith("-7"))) for one in identities)
    put(f"labels/{ENDPOINT}/2026/03/01/09/a.jsonl", labels)
    taken = f"drift/{ENDPOINT}/kept/labels/2026/03/01/"
    deadline = monotonic() + 30
    while not s3.list_objects_v2(Bucket=bucket, Prefix=taken)["KeyCount"]:
        assert monotonic() < deadline, "the labels were not taken"
        sleep(0.2)

    span = ("--from", "2026-03-01", "--to", "2026-03-01T12:00:00Z")
    assert mlops("drift", "backfill", ENDPOINT, *span)["status"] == "SUCCEEDED"
    parts = s3.list_objects_v2(Bucket=bucket, Prefix=f"drift/{ENDPOINT}/parts/2026/03/01/0900/")
    assert parts["KeyCount"] == 2
    found = history(mlops, tmp_path, *span)
    assert [(each["start"][11:13], each["verdict"], each["records"]) for each in found] == [
        ("09", "healthy", 10 * OBJECTS),
        ("10", "drift", 600),
    ]
    assert found[1]["features"] == ["income"]
    # So many objects are joined with their labels by a function of the run, and judged with them.
    joined = s3.list_objects_v2(Bucket=bucket, Prefix=f"drift/{ENDPOINT}/kept/joined/")
    (part,) = (each["Key"] for each in joined["Contents"])
    assert part.startswith(f"drift/{ENDPOINT}/kept/joined/2026/03/01/0900/")
    key = f"drift/{ENDPOINT}/reports/2026/03/01/0900/report.json"
    report = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert report["model_quality"]["labels"]["labelled"] == 10 * OBJECTS
    metrics = {one["name"]: one for one in report["model_quality"]["metrics"]}
    assert metrics["accuracy"]["window"]["value"] == pytest.approx(0.9)

    # Again: nothing is profiled twice, and what was found stays.
    profiles = s3.list_objects_v2(Bucket=bucket, Prefix=f"drift/{ENDPOINT}/profiles/")["Contents"]
    written = {each["Key"]: each["LastModified"] for each in profiles}
    assert mlops("drift", "backfill", ENDPOINT, *span)["status"] == "SUCCEEDED"
    profiles = s3.list_objects_v2(Bucket=bucket, Prefix=f"drift/{ENDPOINT}/profiles/")["Contents"]
    assert {each["Key"]: each["LastModified"] for each in profiles} == written
    assert history(mlops, tmp_path, *span) == found


def history(mlops: Any, folder: Path, *span: str) -> Any:
    page = folder / "history.html"
    found = mlops("drift", "history", ENDPOINT, *span, "--html", str(page))
    text = page.read_text()
    assert "1 of 2 windows drifted" in text
    assert "http" not in text
    return found["windows"]
