"""How the command line starts, and what it does with its own faults."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from mlops_framework.cli.__main__ import Tools, app
from mlops_framework.cli.errors import PlaceUnknown
from mlops_framework.cli.place import AwsPlace, CheckoutPlaces
from tests.unit.cli.fakes import tools

Run = Callable[..., Result]
ROOT = Path(__file__).parents[3]


def test_help_loads_nothing_that_is_heavy() -> None:
    program = (
        "import sys\n"
        "sys.argv = ['mlops', '--help']\n"
        "from mlops_framework.cli.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'aws_cdk', 'jsii', 'boto3', 'botocore', 'pydantic', 'yaml'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "Usage" in done.stdout
    assert "loaded: []" in done.stderr


def test_every_command_explains_itself(run: Run) -> None:
    for command in ("submit", "status", "approve", "pipelines", "blueprints", "drift"):
        result = run(command, "--help")

        assert result.exit_code == 0
        assert "Usage" in result.stdout


def test_blueprints_are_listed_without_aws(run: Run) -> None:
    result = run("blueprints", "list")

    assert result.exit_code == 0
    assert "realtime-endpoint" in result.stdout


def test_a_blueprint_shows_its_fields(run: Run) -> None:
    result = run("blueprints", "show", "training")

    assert "quality_threshold" in result.stdout
    assert "one value per stage" in result.stdout


def test_an_unknown_blueprint_is_told_with_the_nearest(run: Run) -> None:
    result = run("blueprints", "show", "trainin")

    assert result.exit_code == 1
    assert "Did you mean 'training'?" in result.stderr


def test_a_bug_keeps_its_traceback(run: Run) -> None:
    def broken(_: object) -> tuple[int, object]:
        raise ZeroDivisionError

    result = run(
        "status", "income-training", using=tools({"GET /pipelines/income-training": broken})
    )

    assert isinstance(result.exception, ZeroDivisionError)


def test_without_environment_and_local_aws_the_environments_are_named(tmp_path: Path) -> None:
    places = CheckoutPlaces(environments=ROOT / "environments", state=tmp_path)

    with pytest.raises(PlaceUnknown, match="dev, local, prod, staging"):
        places.find(None)


def test_the_local_aws_is_asked_for_by_name(tmp_path: Path) -> None:
    places = CheckoutPlaces(environments=ROOT / "environments", state=tmp_path)

    with pytest.raises(PlaceUnknown, match="mlops local up"):
        places.find("local")


def test_an_environment_gives_prefix_and_region(tmp_path: Path) -> None:
    places = CheckoutPlaces(environments=ROOT / "environments", state=tmp_path)

    assert places.find("dev") == AwsPlace("mlops-dev", "us-east-1")


def test_an_api_address_alone_gives_the_region(tmp_path: Path) -> None:
    url = "https://abc.execute-api.eu-west-1.amazonaws.com/prod/"

    place = CheckoutPlaces(environments=tmp_path, state=tmp_path).find(None, url)

    assert place == AwsPlace("", "eu-west-1", url)


def test_an_address_without_region_asks_for_the_environment(tmp_path: Path) -> None:
    with pytest.raises(PlaceUnknown, match="say --env too"):
        CheckoutPlaces(environments=tmp_path, state=tmp_path).find(None, "https://mlops.example")


def test_the_real_tools_are_used_unless_others_are_given() -> None:
    assert isinstance(Tools().places, CheckoutPlaces)
    assert app.info.no_args_is_help
