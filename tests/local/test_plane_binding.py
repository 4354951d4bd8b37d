"""One contract test per registry of the emulator that the plane uses.

They read the emulator's own sources in its own environment, so an upgrade that moves a name or
changes a signature is told here, by name, before anything behaves oddly.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mlops_framework.local import venvs
from mlops_framework.local.plane import binding

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def python() -> Path:
    return venvs.ensure("emulator", venvs.default_folder())


def inside(python: Path, code: str) -> Any:
    """Runs code in the emulator's environment; it prints one JSON value last."""
    prelude = f"import sys, json, inspect; sys.path.append({str(ROOT)!r})\n"
    shown = subprocess.run(
        [str(python), "-I", "-c", prelude + code], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout.splitlines()[-1])


def test_the_locked_emulator_is_the_version_the_plane_is_written_against(python: Path) -> None:
    code = "from importlib.metadata import version; print(json.dumps(version('ministack')))"
    assert inside(python, code) == binding.EMULATOR_VERSION


def test_every_name_used_exists(python: Path) -> None:
    code = """
from mlops_framework.local.plane import binding
binding.check_emulator()
print(json.dumps("complete"))
"""
    assert inside(python, code) == "complete"


def test_a_name_that_is_gone_stops_the_start_and_is_named(python: Path) -> None:
    code = """
from mlops_framework.local.plane import binding
from ministack.services import eventbridge
del eventbridge._invoke_target
try:
    binding.check_emulator()
except binding.EmulatorMismatch as error:
    print(json.dumps(str(error)))
"""
    told = inside(python, code)
    assert "ministack.services.eventbridge._invoke_target" in told
    assert "ministack 1.5.33 is installed" in told


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        ("ministack.app:detect_service", ["method", "path", "headers", "query_params"]),
        ("ministack.services.eventbridge:_put_events", ["data", "allow_aws_source"]),
        ("ministack.services.eventbridge:_invoke_target", ["target", "event", "rule", "view"]),
        (
            "ministack.services.cloudformation.stacks:_runs_on_worker_thread",
            ["resource_type"],
        ),
        ("ministack.core.lambda_runtime:_detect_runtime_binary", ["runtime"]),
        (
            "ministack.services.apigateway_v1:_update_method",
            ["api_id", "resource_id", "http_method", "data"],
        ),
    ],
)
def test_a_replaced_function_still_has_the_signature_it_is_replaced_by(
    python: Path, function: str, parameters: list[str]
) -> None:
    module, name = function.split(":")
    code = f"""
import {module} as module
print(json.dumps(list(inspect.signature(module.{name}).parameters)))
"""
    assert inside(python, code) == parameters


def test_service_handlers_are_awaited_with_five_arguments(python: Path) -> None:
    code = """
from ministack import app
handler = app.SERVICE_HANDLERS["sqs"]
taken = len(inspect.signature(handler).parameters)
print(json.dumps([inspect.iscoroutinefunction(handler), taken]))
"""
    assert inside(python, code) == [True, 5]


def test_resource_handlers_are_called_the_way_ours_are_written(python: Path) -> None:
    code = """
from ministack.services.cloudformation import provisioners
table = provisioners._RESOURCE_HANDLERS
topic = table["AWS::SNS::Topic"]
logical = [t for t, h in table.items() if h.get("delete_with_logical_id")]
print(json.dumps([
    list(inspect.signature(topic["create"]).parameters),
    topic["update_with_logical_id"],
    list(inspect.signature(topic["update"]).parameters),
    len(inspect.signature(table[logical[0]]["delete"]).parameters) if logical else 3,
]))
"""
    created, with_logical_id, updated, deleted = inside(python, code)
    assert created == ["logical_id", "props", "stack_name"]
    assert with_logical_id is True
    assert updated == ["physical_id", "old_props", "new_props", "stack_name", "logical_id"]
    assert deleted == 3


def test_none_of_our_resource_types_is_one_the_emulator_really_carries(python: Path) -> None:
    code = """
from pathlib import Path
from mlops_framework.local.process import build_plane
from mlops_framework.local.plane import PlaneHost
from ministack.services.cloudformation import provisioners
host = PlaneHost(endpoint="http://127.0.0.1:1", state_dir=Path("/nonexistent"),
                 ml_python=Path("/nonexistent"), events=lambda *_: None)
services, types = build_plane(host)
names = [kind.type_name for kind in types]
print(json.dumps([sorted(set(names) & set(provisioners._RESOURCE_HANDLERS)),
                  len(names) - len(set(names)), [s.name for s in services]]))
"""
    overlapping, twice, services = inside(python, code)
    # The emulator registers the first, but creates nothing; its CodeBuild runs builds in Docker.
    assert overlapping == ["AWS::ApiGateway::RequestValidator", "AWS::CodeBuild::Project"]
    assert twice == 0
    assert "codepipeline" in services


def test_a_request_for_a_service_of_ours_is_routed_to_us_and_no_other_is(python: Path) -> None:
    code = """
from pathlib import Path
from ministack import app
from mlops_framework.local.plane import PlaneHost, binding, codepipeline
host = PlaneHost(endpoint="http://127.0.0.1:1", state_dir=Path("/nonexistent"),
                 ml_python=Path("/nonexistent"), events=lambda *_: None)
binding.bind_services(codepipeline.services(host))
def ask(path, **headers):
    spelt = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.detect_service("POST", path, spelt, {})
print(json.dumps([
    ask("/", x_amz_target="CodePipeline_20150709.ListPipelines"),
    ask("/", x_amz_target="DynamoDB_20120810.PutItem"),
    ask("/service/CodePipeline_20150709/operation/ListPipelines"),
]))
"""
    assert inside(python, code) == ["plane:codepipeline", "dynamodb", "plane:codepipeline"]
