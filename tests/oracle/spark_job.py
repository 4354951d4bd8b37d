"""Run by the Spark environment's own interpreter: the job over a folder that stands for S3."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.ground_truth.predictions import KeepPredictions
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.drift.scale.spark import run
from mlops_framework.drift.scale.steps import Steps
from mlops_framework.drift.service import DriftMonitor
from mlops_framework.drift.windows import moment


@dataclass(frozen=True)
class Folder:
    """Objects as files: ``Sources``, ``Store`` and ``Listing`` as far as they are used."""

    root: Path

    def captured(self, source: ObjectVersion) -> Iterator[bytes]:
        yield (self.root / source.key).read_bytes()

    def read(self, bucket: str, key: str) -> Any:
        path = self.root / key
        return json.loads(path.read_text()) if path.exists() else None

    def read_all(self, bucket: str, keys: Any) -> list[Any]:
        return [found for key in keys if (found := self.read(bucket, key)) is not None]

    def write(self, bucket: str, key: str, text: str, media_type: str) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def read_bytes(self, bucket: str, keys: Any) -> dict[str, bytes]:
        paths = {key: self.root / key for key in keys}
        return {key: path.read_bytes() for key, path in paths.items() if path.exists()}

    def write_bytes(self, bucket: str, key: str, data: bytes, media_type: str) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def keys(self, bucket: str, prefix: str) -> list[str]:
        files = (path for path in self.root.rglob("*.*") if path.is_file())
        found = (str(path.relative_to(self.root)) for path in files)
        return sorted(key for key in found if key.startswith(prefix))

    def folders(self, folder: S3Location) -> list[str]:
        return [f"{folder.key}/AllTraffic/"]

    def versions(self, folder: S3Location) -> Iterator[tuple[ObjectVersion, int]]:
        for key in self.keys("", folder.key):
            yield ObjectVersion(folder.bucket, key, "v1"), 1000

    def record(self, monitor: str, values: Any, *, column: str = "") -> None:
        """Metrics are nobody's here."""

    def get(self, monitor: str) -> MonitorConfig:
        return MonitorConfig.parse((self.root / "monitor.json").read_text(), "monitor.json")


def steps(root: str) -> Steps:
    folder: Any = Folder(Path(root))
    drift = DriftMonitor(
        monitors=folder,
        sources=folder,
        store=folder,
        publisher=folder,
        metrics=folder,
        clock=lambda: datetime.now(UTC),
        keepers=(KeepPredictions(),),
    )
    return Steps(drift, folder)


def main() -> None:
    from pyspark.sql import SparkSession

    root, monitor, since, until = sys.argv[1:]
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    make = partial(steps, root)
    for _ in range(2):  # again: everything is there
        done = run(session.sparkContext, make, monitor, moment(since), moment(until))
        print(json.dumps(done), flush=True)
    session.stop()


if __name__ == "__main__":
    import spark_job  # the executors import what they are sent from a module, not from __main__

    spark_job.main()
