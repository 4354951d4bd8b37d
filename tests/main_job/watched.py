"""Drift monitors of traffic with two columns, for tests of whatever makes such traffic."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Watch:
    """Deploys monitors and reads what they say of the traffic that there was."""

    def __init__(self, loop: Any, mlops: Any, bucket: str, folder: Path) -> None:
        self._loop, self._mlops, self._bucket, self._folder = loop, mlops, bucket, folder
        self._dice = random.Random(17)
        self._pipelines: list[str] = []

    def row(self, shift: float = 0.0) -> str:
        """Two numbers about 0, as in training; the first of them about another."""
        return f"{self._dice.gauss(shift, 1):.3f},{self._dice.gauss(0, 1):.3f}"

    def on(self, **body: Any) -> None:
        """Watches traffic that is to be like rows without a shift."""
        key = f"datasets/{body['model_name']}/train.csv"
        rows = "".join(f"{self.row()}\n" for _ in range(500))
        s3 = self._loop.place.client("s3")
        s3.put_object(Bucket=self._bucket, Key=key, Body=f"a,b\n{rows}".encode())
        request = {
            "pipeline_type": "drift-monitor",
            "baseline_data": f"s3://{self._bucket}/{key}",
            "minimum_records": 30,
            "window_minutes": 10080,  # no hour ends between two calls
            "retrain": False,
            **body,
        }
        file = self._folder / "monitor.json"
        file.write_text(json.dumps(request))
        pipeline = str(self._mlops("submit", str(file))["pipeline_id"])
        assert self._mlops("status", pipeline, "--wait")["problems"] == []
        self._pipelines.append(pipeline)

    def report(self, monitor: str, *, answers: int) -> Any:
        """The report of the window with the traffic, once it holds so many answers."""
        return eventually(lambda: self._report(monitor, answers))

    def off(self) -> None:
        """Removes all monitors."""
        while self._pipelines:
            self._mlops("pipelines", "delete", self._pipelines.pop(), "--yes", "--wait")

    def _report(self, monitor: str, answers: int) -> Any:
        answer = self._loop.place.client("lambda").invoke(
            FunctionName=self._loop.place.value("evaluate-function-arn"),
            Payload=json.dumps({"monitor": monitor}).encode(),
        )
        found = json.loads(answer["Payload"].read())
        if not any(one["records"] for one in found["evaluations"]):
            return None
        place = self._document(self._bucket, f"drift/{monitor}/latest.json")["report"]
        report = self._document(place["bucket"], place["json_key"])
        counted = [each["window"]["records"] for each in report["predictions"]]
        return report if counted == [answers] else None

    def _document(self, bucket: str, key: str) -> Any:
        s3 = self._loop.place.client("s3")
        return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def eventually(look: Callable[[], Any], seconds: float = 90) -> Any:
    """What comes in the end."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.2)
    return seen
