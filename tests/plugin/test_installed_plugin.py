"""The sample distribution, installed as a user installs it: found, synthesized, deployed, used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_framework.local.emulator import Emulator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "examples" / "acme_blueprints"
KINDS = {"acme-announcement", "acme-shadow-endpoint"}
BIN = Path(sys.executable).parent

Run = Callable[..., str]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the platform and the sample as wheels.

    What they depend on is this environment's, behind them on the path; nothing is downloaded.
    """
    home = tmp_path_factory.mktemp("clean") / "venv"
    uv = [BIN / "uv", "--quiet", "--offline"]
    subprocess.run([*uv, "venv", "--python", sys.executable, home], check=True)
    install = ["pip", "install", "--no-deps", "--python", home / "bin" / "python"]
    subprocess.run([*uv, *install, ROOT, SAMPLE], check=True)
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = home / "lib" / python / "site-packages"
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return home


@pytest.fixture(scope="module")
def run(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a program of the environment; what it printed, its complaint in an AssertionError."""
    state = tmp_path_factory.mktemp("state")
    path = os.pathsep.join([str(environment / "bin"), str(BIN), os.environ["PATH"]])
    given = {**os.environ, "PATH": path, "MLOPS_STATE": str(state)}

    def runs(program: str, *arguments: str, folder: Path = ROOT) -> str:
        command = [str(environment / "bin" / program), *arguments]
        done = subprocess.run(
            command, cwd=folder, env=given, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return runs


@pytest.fixture(scope="module")
def platform(run: Run) -> Iterator[dict[str, Any]]:
    """The platform with the plugin in it, on the local AWS."""
    try:
        yield json.loads(run("mlops", "local", "up", "--json"))
    finally:
        run("mlops", "local", "down")


@pytest.fixture(scope="module")
def delivered(platform: dict[str, Any], run: Run, tmp_path_factory: Any) -> dict[str, Any]:
    """Status of a request for a state machine, when it is settled."""
    file = tmp_path_factory.mktemp("request") / "announcement.json"
    body = {
        "pipeline_type": "acme-announcement",
        "model_name": "employment",
        "sentence": "The employment model is there.",
        "delay_seconds": {"local": 1},
    }
    file.write_text(json.dumps(body))
    accepted = json.loads(run("mlops", "submit", str(file), "--json"))
    status = run("mlops", "status", accepted["pipeline_id"], "--wait", "--json")
    found: dict[str, Any] = json.loads(status)
    return found


def test_the_kinds_are_found_by_their_entry_points(run: Run) -> None:
    listed = json.loads(run("mlops", "blueprints", "list", "--json"))
    program = "import acme_blueprints as a, mlops_framework as m; print(a.__file__, m.__file__)"
    files = run("python", "-I", "-c", program).split()

    assert {blueprint["kind"] for blueprint in listed["blueprints"]} > KINDS
    assert all("site-packages" in file and str(ROOT) not in file for file in files)


def test_its_own_tests_pass_where_it_is_installed(run: Run) -> None:
    said = run(
        *("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "pythonpath="),
        folder=SAMPLE,
    )

    assert "passed" in said


def test_the_catalogue_and_the_function_hold_both_kinds(platform: dict[str, Any]) -> None:
    assembly = Path(platform["state"]) / "cdk.out"
    catalogues = {}
    for bundle in assembly.glob("asset.*.zip"):
        with zipfile.ZipFile(bundle) as archive:
            if "catalogue/catalogue.json" in archive.namelist():
                catalogues[bundle] = set(archive.namelist())
                document = json.loads(archive.read("catalogue/catalogue.json"))

    (names,) = catalogues.values()
    assert {entry["kind"] for entry in document["blueprints"]} > KINDS
    assert {f"catalogue/{kind}.template.json" for kind in KINDS} <= names
    assert "acme_blueprints/announcement/contract.py" in names
    assert "acme_blueprints/announcement/stack.py" not in names


def test_the_platform_extension_stands_beside_the_platform(platform: dict[str, Any]) -> None:
    emulator = Emulator.attach(Path(platform["state"]))
    assert emulator is not None

    dashboards = emulator.client("cloudwatch").list_dashboards()["DashboardEntries"]

    name = "extension-mlops-local-acme-guard-rails-Operations"
    assert platform["stacks"][name] == "CREATE_COMPLETE"
    assert "mlops-local-endpoints" in {entry["DashboardName"] for entry in dashboards}


def test_its_rule_stops_a_synthesis_that_breaks_it(run: Run, tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from mlops_framework.environments.loader import load_environment
import app
config = load_environment("local", Path("environments"))
rules = {{"acme-guard-rails": {{"longest_log_retention_days": 3}}}}
chosen = config.extensions.model_copy(update={{"settings": rules}})
config = config.model_copy(update={{"extensions": chosen}})
app.define(config, outdir=Path({str(tmp_path)!r}), template_validation=False)
"""
    with pytest.raises(AssertionError, match="kept for 7 days; at most 3 days") as refused:
        run("python", "-c", program)
    assert "(extension acme-guard-rails)" in str(refused.value)


def test_a_request_for_a_service_that_is_not_sagemaker_is_delivered(
    delivered: dict[str, Any],
) -> None:
    assert delivered["status"] == "Delivered", delivered["message"]
    assert delivered["problems"] == []


def test_what_was_delivered_runs(platform: dict[str, Any], delivered: dict[str, Any]) -> None:
    emulator = Emulator.attach(Path(platform["state"]))
    assert emulator is not None
    states = emulator.client("stepfunctions")
    machine = delivered["stages"][-1]["outputs"]["StateMachineArn"]

    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    while (ended := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.1)

    assert ended["status"] == "SUCCEEDED", ended
    assert json.loads(ended["output"])["MessageId"]


def test_a_slip_in_its_request_is_told_by_the_deployed_platform(
    platform: dict[str, Any], run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "slip.json"
    body = {"pipeline_type": "acme-announcement", "model_name": "employment", "sentense": "Hello."}
    file.write_text(json.dumps(body))

    with pytest.raises(AssertionError, match="Did you mean 'sentence'"):
        run("mlops", "submit", str(file))
