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


XGBOOST = image_uri("xgboost", "1.7-1", "us-east-1")


def archived(folder: Path, name: str, *, listed: bool = False, image: str = XGBOOST) -> Path:
    """A case as the predecessor kept it: one object, or a list of parameters per stage."""
    kind = kind_of(name)
    template = TEMPLATES.get(kind, f"byom_{kind.replace('-', '_')}")
    home = folder / f"mlops-pipeline-m-{name.replace('_', '')}"
    home.mkdir()
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
        ({"x.yaml": "", "template_params.json": "[1]"}, "not of ParameterKey"),
        ({"x.yaml": "", "template_params.json": "3"}, "neither an object nor a list"),
        ({"x.yaml": "", "template_params.json": "[" * 100_000}, "nested too deeply"),
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


def test_an_own_container_stays_one(run: Run, tmp_path: Path) -> None:
    image = "111122223333.dkr.ecr.us-east-1.amazonaws.com/own/model:3"
    archive = archived(tmp_path, "realtime_builtin_all", image=image)

    (done,) = json.loads(run("migrate", str(archive), "--json").stdout)

    assert done["body"]["pipeline_type"] == "byom_realtime_custom"
    assert done["request"]["image_uri"] == image


def test_what_fields_are_called_now_is_printed_and_what_an_old_endpoint_keeps(
    run: Run, tmp_path: Path
) -> None:
    told = " ".join(run("migrate", str(archived(tmp_path, "realtime_builtin_all"))).stdout.split())

    assert "inference_instance is called instance_type now." in told
    assert "endpoint_name is the old endpoint's." in told


def test_a_folder_stands_for_its_archives_and_what_is_wrong_keeps_no_other_back(
    run: Run, tmp_path: Path
) -> None:
    archived(tmp_path, "batch_builtin")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "template.zip").write_text("no zip")

    result = run("migrate", str(tmp_path), "--output", str(tmp_path / "new"))

    assert result.exit_code == 1
    assert "1 of 2 not migrated" in result.output
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["m-batch-transform.json"]


def test_a_stage_of_ones_own_stands_for_one_of_the_old(run: Run, tmp_path: Path) -> None:
    archive = str(archived(tmp_path, "multi_realtime_builtin"))

    (done,) = json.loads(run("migrate", archive, "--stage", "live=prod", "--json").stdout)
    wrong = run("migrate", archive, "--stage", "live=production")

    assert done["request"]["endpoint_name"] == {"live": "e-prd"}
    assert "no stage dev or staging" in " ".join(done["changes"])
    assert "dev|staging|prod" in wrong.output


def test_a_folder_without_archives_says_how_to_fetch_them(run: Run, tmp_path: Path) -> None:
    assert "aws s3 cp --recursive" in " ".join(run("migrate", str(tmp_path)).output.split())


def test_an_archive_with_a_password_is_told(run: Run, tmp_path: Path) -> None:
    archive = archived(tmp_path, "batch_builtin")
    locked = bytearray(archive.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = locked.find(header)
        while at >= 0:
            locked[at + flags] |= 1
            at = locked.find(header, at + 1)
    archive.write_bytes(locked)

    assert "no zip archive that can be read" in run("migrate", str(archive)).output
