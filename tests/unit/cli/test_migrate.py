"""Request files from what the predecessor deployed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from mlops_framework.images import image_uri
from mlops_framework.orchestration.predecessor import TYPES, Setting, translate
from mlops_framework.registry import Registry

Run = Callable[..., Result]
CASES: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "contracts" / "predecessor" / "cases.json").read_text()
)
TEMPLATES = {
    "realtime-endpoint": "byom_realtime_inference_pipeline",
    "batch-transform": "byom_batch_pipeline",
    "training": "model_training_pipeline",
    "tuning": "model_hyperparameter_tunning_pipeline",
    "autopilot": "autopilot_training_pipeline",
}
KINDS = Registry.discover().kinds
MIGRATED = [
    name
    for name, case in CASES.items()
    if TYPES[case["request"]["pipeline_type"]].kind in KINDS and name != "image_builder"
]


def kind_of(name: str) -> str:
    return TYPES[CASES[name]["request"]["pipeline_type"]].kind


def archived(folder: Path, name: str, *, listed: bool = False) -> Path:
    """A case as the predecessor kept it: one object, or a list of parameters per stage."""
    kind = kind_of(name)
    template = TEMPLATES.get(kind, f"byom_{kind.replace('-', '_')}")
    home = folder / f"mlops-pipeline-m-{name.replace('_', '')}"
    home.mkdir()
    image = image_uri("xgboost", "1.7-1", "us-east-1")
    with zipfile.ZipFile(home / "template.zip", "w") as archive:
        archive.writestr(f"{template}.yaml", "Resources: {}")
        for file, parameters in CASES[name]["parameters"].items():
            real = {
                key: image if "framework=xgboost" in value else value
                for key, value in parameters.items()
            }
            as_list = [{"ParameterKey": k, "ParameterValue": v} for k, v in real.items()]
            archive.writestr(
                file, json.dumps(as_list if listed or "multi" in name else {"Parameters": real})
            )
    return home / "template.zip"


@pytest.mark.parametrize("name", MIGRATED)
def test_a_request_file_asks_for_what_the_body_had_asked_for(
    run: Run, tmp_path: Path, name: str
) -> None:
    result = run("migrate", str(archived(tmp_path, name)), "--output", str(tmp_path / "new"))

    assert result.exit_code == 0, result.output
    (file,) = (tmp_path / "new").iterdir()
    asked = json.loads(file.read_text())
    stages = {"dev": (), "staging": (), "prod": ()} if "multi" in name else {"live": ()}
    body = dict(translate(CASES[name]["request"], Setting(stages, "assets-bucket")).body)
    for algorithm in ("algorithm", "algorithm_version"):
        if "image_uri" in asked:  # An archive of a served model knows the image alone.
            body.pop(algorithm)
            body["image_uri"] = image_uri("xgboost", "1.7-1", "us-east-1")
    asked.pop("environment", None)
    assert asked == body


def test_what_changes_is_printed_and_nothing_is_written_without_a_folder(
    run: Run, tmp_path: Path
) -> None:
    result = run("migrate", str(archived(tmp_path, "training_min")))

    assert "model_training_builtin becomes training" in result.stdout
    assert '"training_data": "s3://assets-bucket/train/data.csv"' in result.stdout


def test_a_file_that_is_there_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    archive = str(archived(tmp_path, "batch_builtin"))
    run("migrate", archive, "-o", str(tmp_path / "new"))

    again = run("migrate", archive, "-o", str(tmp_path / "new"))

    assert again.exit_code == 1
    assert "has m-batch-transform.json already" in " ".join(again.output.split())


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds nothing"),
        ({"x.yaml": "", "template_params.json": "[1]"}, "malformed"),
        ({"x.yaml": "", "template_params.json": "{}"}, "no template of a pipeline"),
    ],
)
def test_an_archive_of_something_else_is_told(
    run: Run, tmp_path: Path, files: dict[str, str], said: str
) -> None:
    with zipfile.ZipFile(tmp_path / "template.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)

    result = run("migrate", str(tmp_path / "template.zip"))

    assert result.exit_code == 1
    assert said in " ".join(result.output.split())


def test_no_zip_at_all_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "template.zip").write_text("no zip")

    assert "no zip archive" in run("migrate", str(tmp_path / "template.zip")).output
