"""A third party's blueprint: subclassing, what it gets, and how its mistakes are told."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Literal

import pytest
from aws_cdk import aws_sqs as sqs
from pydantic import Field

from mlops_framework.blueprints.drift_monitor.stack import DriftMonitorStack
from mlops_framework.cdk.blueprint import BlueprintStack
from mlops_framework.cdk.bundling import Bundler
from mlops_framework.cdk.catalogue import Catalogue
from mlops_framework.cdk.errors import SynthesisRefused
from mlops_framework.contracts.base import PipelineRequest
from mlops_framework.environments.loader import load_environment
from mlops_framework.registry import Blueprint, Registry
from tests.stacks.conftest import ROOT


class EchoRequest(PipelineRequest):
    """A request for a queue."""

    pipeline_type: Literal["echo"] = Field(description="Kind of the blueprint.")
    seconds: int = Field(default=30, ge=1, le=600, description="How long a message stays.")


class EchoStack(BlueprintStack):
    """A queue that keeps messages as long as the request says."""

    def build(self) -> None:
        sqs.CfnQueue(self, "Queue", message_retention_period=self.number("seconds"))
        self.output("Seconds", self.text("seconds"))


class MistakenStack(BlueprintStack):
    """Reads a field that its contract does not have."""

    def build(self) -> None:
        self.text("minutes")


class TalkativeMonitor(DriftMonitorStack):
    """One of ours, with one output more."""

    def build(self) -> None:
        super().build()
        self.output("Schedule", self.text("schedule_expression"))


def echo(stack: str = "EchoStack") -> Blueprint:
    return Blueprint(
        kind="echo",
        summary="A queue.",
        request=EchoRequest,
        stack=f"tests.stacks.test_blueprint_seam:{stack}",
    )


def synthesize(blueprint: Blueprint, outdir: Path, bundler: Bundler) -> Catalogue:
    return Catalogue.synthesize(
        load_environment("dev", ROOT / "environments"),
        Registry([blueprint]),
        bundler,
        context=json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"],
        outdir=outdir,
    )


def test_a_stack_gets_a_parameter_per_field_with_its_limits(
    tmp_path: Path, host_bundler: Bundler
) -> None:
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        synthesize(echo(), tmp_path, host_bundler)  # cdk-nag: the queue has no TLS policy

    template = json.loads((tmp_path / "echo.template.json").read_text("utf-8"))
    seconds = template["Parameters"]["Seconds"]
    assert (seconds["Type"], seconds["Default"]) == ("Number", "30")
    assert (seconds["MinValue"], seconds["MaxValue"]) == (1, 600)
    assert template["Outputs"]["Seconds"] == {"Value": {"Ref": "Seconds"}}


def test_a_field_that_does_not_exist_is_told_with_those_that_do(
    tmp_path: Path, host_bundler: Bundler
) -> None:
    with pytest.raises(SynthesisRefused, match="EchoRequest has no field 'minutes'; it has"):
        synthesize(echo("MistakenStack"), tmp_path, host_bundler)


@pytest.mark.parametrize(
    ("stack", "said"),
    [("Missing", "cannot be loaded"), ("EchoRequest", "is no BlueprintStack")],
)
def test_a_stack_that_is_not_there_is_told_with_the_way_out(
    stack: str, said: str, tmp_path: Path, host_bundler: Bundler
) -> None:
    with pytest.raises(SynthesisRefused, match=said):
        synthesize(echo(stack), tmp_path, host_bundler)


def test_one_of_ours_may_be_subclassed(tmp_path: Path, host_bundler: Bundler) -> None:
    ours = Registry.discover().get("drift-monitor")
    theirs = dataclasses.replace(ours, stack="tests.stacks.test_blueprint_seam:TalkativeMonitor")

    (entry,) = synthesize(theirs, tmp_path, host_bundler).entries

    assert entry.template["Outputs"].keys() == {"MonitorName", "Schedule"}


def test_no_construct_knows_the_environments_name() -> None:
    sources = [*(ROOT / "stacks").glob("*.py"), *(ROOT / "mlops_framework/cdk").rglob("*.py")]

    for source in sources:
        text = source.read_text("utf-8")
        assert "config.name ==" not in text, source.name
        assert "os.environ" not in text, source.name
