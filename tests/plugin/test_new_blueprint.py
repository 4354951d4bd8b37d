"""What `mlops blueprints new` writes conforms as it stands; what it refuses, it says."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlops_framework.cli.__main__ import app
from mlops_framework.cli.errors import BlueprintNotWritten
from mlops_framework.cli.new_blueprint import write_blueprint
from mlops_framework.discovery import GROUP, Offer

TAKEN = Offer("acme-taken", "acme_blueprints.taken:BLUEPRINT", "acme-blueprints")


def new(kind: str, folder: Path) -> list[Path]:
    return write_blueprint(kind, folder, [TAKEN])


def entry_points(folder: Path) -> dict[str, str]:
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    points: dict[str, str] = project["entry-points"][GROUP]
    return points


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_what_it_writes_conforms_to_the_suite(tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    done = CliRunner().invoke(
        app, ["blueprints", "new", "acme-error-alarm", "--folder", str(folder), "--json"]
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    tested = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    assert json.loads(done.stdout)["kind"] == "acme-error-alarm"
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "12 passed" in tested.stdout
    assert entry_points(folder) == {"acme-error-alarm": "acme_blueprints.error_alarm:BLUEPRINT"}


def test_a_second_kind_joins_the_first_in_its_distribution(tmp_path: Path) -> None:
    new("acme-error-alarm", tmp_path)
    new("acme-latency-alarm", tmp_path)

    assert entry_points(tmp_path) == {
        "acme-error-alarm": "acme_blueprints.error_alarm:BLUEPRINT",
        "acme-latency-alarm": "acme_blueprints.latency_alarm:BLUEPRINT",
    }
    assert {"tests/test_error_alarm.py", "tests/test_latency_alarm.py"} < files(tmp_path)


def test_it_goes_where_the_packages_of_an_existing_project_are(tmp_path: Path) -> None:
    (tmp_path / "src" / "ml_platform").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "ml-platform"\nversion = "1"')

    new("acme-error-alarm", tmp_path)

    assert entry_points(tmp_path) == {"acme-error-alarm": "ml_platform.error_alarm:BLUEPRINT"}
    assert "src/ml_platform/error_alarm/contract.py" in files(tmp_path)


@pytest.mark.parametrize("kind", ["Acme_Alarm", "acme--alarm", "-acme", "1acme", "a" * 33, ""])
def test_a_name_that_no_kind_may_have_is_refused_with_the_rule(kind: str, tmp_path: Path) -> None:
    with pytest.raises(BlueprintNotWritten, match="lower-case letters, digits and single hyphens"):
        new(kind, tmp_path)

    assert files(tmp_path) == set()


@pytest.mark.parametrize(
    ("kind", "said"),
    [("acme-taken", "offered already, as acme_blueprints.taken"), ("class", "acme-class")],
)
def test_a_name_that_cannot_be_used_is_refused_with_the_reason(
    kind: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(BlueprintNotWritten, match=said):
        new(kind, tmp_path)


def test_a_kind_whose_last_word_python_keeps_is_written_under_its_whole_name(
    tmp_path: Path,
) -> None:
    new("acme-class", tmp_path)

    assert entry_points(tmp_path) == {"acme-class": "acme_blueprints.acme_class:BLUEPRINT"}


def test_a_folder_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    new("acme-error-alarm", tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    with pytest.raises(BlueprintNotWritten, match="is there already; nothing was written"):
        new("acme-error-alarm", tmp_path)

    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[project]\nname = "mlops-framework"', "--folder ../acme-blueprints"),
        ("[project", "cannot be read as TOML"),
        ("[tool]", "no \\[project\\] with a name"),
        (
            f'project = {{name = "acme", entry-points = {{"{GROUP}" = {{}}}}}}',
            "could not be added",
        ),
    ],
)
def test_a_project_that_it_cannot_join_is_told(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)

    with pytest.raises(BlueprintNotWritten, match=said):
        new("acme-error-alarm", tmp_path)

    assert files(tmp_path) == {"pyproject.toml"}


def test_the_command_line_shows_a_refusal_in_words(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["blueprints", "new", "training", "--folder", str(tmp_path)])

    assert done.exit_code == 1
    assert "offered already" in done.output
