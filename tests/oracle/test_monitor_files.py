"""The files of a monitor's window are read, changed and saved by the SageMaker SDK's classes."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlops_framework.drift.model_monitor_files import Constraints, Statistics
from mlops_framework.drift.model_monitor_files.violations import read_violations
from mlops_framework.drift.model_monitor_policy.rule import ModelMonitorFiles, ModelMonitorRule
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.drift.service import DriftMonitor
from mlops_framework.testing.drift import (
    MONITOR,
    InMemoryBucket,
    InMemoryMonitors,
    RecordingMetrics,
    RecordingPublisher,
    SetClock,
    capture_key,
    capture_line,
)

pytestmark = pytest.mark.oracle

CONFIG = replace(MONITOR, policy="model-monitor")
TIME = "2026-03-01T10:05:00Z"


def test_the_sdk_reads_a_windows_files_and_what_it_saves_is_read_again(
    oracle_python: Path, tmp_path: Path
) -> None:
    source = np.random.default_rng(1)
    incomes, visits = source.normal(50, 9, 1000), source.poisson(4, 1000)
    colours = source.choice(["red", "green"], 1000)
    rows = list(zip(incomes.round(3), visits, colours, strict=True))
    bucket, key = InMemoryBucket(), capture_key(CONFIG.name, TIME, "a")
    captured = [capture_line((income + 40, *rest), time=TIME) for income, *rest in rows[:400]]
    bucket.objects[CONFIG.data_bucket, key] = "\n".join(captured)
    bucket.objects[CONFIG.data_bucket, "datasets/employment/train.csv"] = "\n".join(
        ["income,visits,colour", *(",".join(map(str, row)) for row in rows)]
    )
    clock = SetClock()
    drift = DriftMonitor(
        monitors=InMemoryMonitors({CONFIG.name: CONFIG}),
        sources=bucket,
        store=bucket,
        publisher=RecordingPublisher(),
        metrics=RecordingMetrics(),
        clock=clock,
        filers=(ModelMonitorFiles(),),
        rules=(ModelMonitorRule(),),
    )
    drift.build_baseline(CONFIG.name)
    drift.profile_object(ObjectVersion(CONFIG.data_bucket, key))
    clock.set("2026-03-01T11:20:00Z")
    drift.evaluate(CONFIG.name)
    for (name, path), text in bucket.objects.items():
        place = tmp_path / name / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
    (folder,) = {path.parent for path in tmp_path.rglob("statistics.json")}
    uri = f"s3://{folder.relative_to(tmp_path)}"

    done = subprocess.run(
        [
            str(oracle_python),
            str(Path(__file__).with_name("sdk_monitor_files.py")),
            *(str(tmp_path), uri, "visits"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    theirs = json.loads(done.stdout)
    ours = json.loads((folder / "statistics.json").read_text())
    assert theirs["statistics"] == ours
    assert Statistics.from_document(theirs["statistics"], uri).rows == 400
    (violation,) = read_violations(theirs["violations"], uri)
    assert (violation.feature, violation.check) == ("income", "baseline_drift_check")
    saved = json.loads((folder / "constraints.json").read_text())
    again = Constraints.from_document(saved, uri)
    assert [feature.settings.evaluate for feature in again.features] == [True, False, True]
    before = Constraints.from_document(theirs["constraints"], uri)
    assert [feature.settings.evaluate for feature in before.features] == [True] * 3
