"""What our templates create carries the values that the predecessor's parameters would have given.

``predecessor/cases.json`` holds what its own orchestrator computed for some bodies;
``predecessors_parameters`` computes the same for others, and is held by those cases. Every
parameter is compared with the property of ours that stands for it, or is a deliberate difference,
listed with its reason in ``docs/migration.md``; there is no third way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from mlops_framework.cdk.bundling import Bundler, RuntimeTarget
from mlops_framework.cdk.catalogue import add_templates, read_templates
from mlops_framework.contracts.base import Place
from mlops_framework.contracts.parameters import template_values
from mlops_framework.environments.loader import load_environment
from mlops_framework.errors import RequestInvalid
from mlops_framework.orchestration.predecessor import TYPES, Setting, understood
from mlops_framework.registry import Registry
from tests.contracts.deployed import Deployed
from tests.contracts.predecessors_differences import DIFFERENCES, Difference
from tests.contracts.predecessors_parameters import parameters_of
from tests.contracts.predecessors_resources import ASSETS, FIELDS, FIXED, value_at
from tests.contracts.predecessors_variations import variations

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).with_name("predecessor")
CASES: dict[str, Any] = json.loads((DATA / "cases.json").read_text())
BODIES: dict[str, Any] = json.loads((DATA / "bodies.json").read_text())
PIPELINES = [name for name, body in BODIES.items() if body["pipeline_type"] in TYPES]
PLACE = Place("us-east-1", "aws", "111122223333", ASSETS, "mlops-test")
_ROW = re.compile(r"^\| `(\w+)` \| ([a-z ]+) \| ([a-z ]+) \| .+ \|$", re.M)

Found = dict[str, Any]
Files = Mapping[str, Mapping[str, str]]


class Comparison:
    """Compares what our templates create for a body with the predecessor's parameters for it."""

    def __init__(self, templates: Path) -> None:
        self._templates = templates
        self._read: dict[str, Mapping[str, Any]] = {}
        self._registry = Registry.discover()
        self.used: set[Difference] = set()

    def __call__(self, body: Mapping[str, Any], files: Files) -> Found:
        """What differs and is not on the list, by stage and parameter."""
        stages = [_stage_of(file) for file in files]
        with understood(body, Setting({stage: () for stage in stages}, ASSETS)) as ours:
            request = self._registry.parse(ours.body, stages=stages).resolved(PLACE)
        kind, wrong = request.pipeline_type, dict[str, Any]()
        for stage, parameters in zip(stages, files.values(), strict=True):
            values = template_values(request, stage)
            if "SettledBaseline" in values:  # As it is once the baseline was computed.
                values = {**values, "SettledBaseline": values["BaselineKey"]}
            deployed = Deployed(self._template(kind), values)
            for parameter, value in parameters.items():
                listed = {
                    each
                    for each in DIFFERENCES
                    if each.holds(kind, parameter, parameters, len(stages))
                }
                self.used |= listed
                if listed:
                    continue
                place, expected = FIELDS[kind][parameter]
                found = value_at(deployed, request, place)
                wanted = None if value == "" else expected(value)
                if found != wanted and str(found) != str(wanted):
                    wrong[f"{stage}.{parameter}"] = {"theirs": wanted, "ours": found}
            for where, wanted in FIXED.get(kind, {}).items():
                if str(deployed.at(where)) != wanted:
                    wrong[f"{stage}.{where}"] = {"theirs": wanted, "ours": deployed.at(where)}
        return wrong

    def _template(self, kind: str) -> Mapping[str, Any]:
        if kind not in self._read:
            self._read[kind], _ = read_templates(self._templates, kind)
        return self._read[kind]


@pytest.fixture(scope="module")
def compare(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    outdir = tmp_path_factory.mktemp("differential")
    app = cdk.App(
        context=json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"],
        outdir=str(outdir),
        builtin_cloud_formation_validation=False,
    )
    config = load_environment("dev", ROOT / "environments")
    bundler = Bundler(ROOT, ROOT / ".build", RuntimeTarget.this_host())
    add_templates(app, config, Registry.discover(config.blueprints), bundler)
    app.synth()
    return Comparison(outdir)


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_to_be_the_predecessors_parameters_is_what_it_computed(name: str) -> None:
    recorded = {file: dict(each) for file, each in CASES[name]["parameters"].items()}
    computed = parameters_of(CASES[name]["request"])
    for each in (*recorded.values(), *computed.values()):
        each.pop("JobName", None)  # Random.

    assert computed == recorded


@pytest.mark.parametrize("name", CASES)
def test_every_value_of_the_recorded_parameters_is_in_our_resources(
    name: str, compare: Comparison
) -> None:
    assert compare(CASES[name]["request"], CASES[name]["parameters"]) == {}


@pytest.mark.parametrize("name", PIPELINES)
def test_so_it_is_for_bodies_that_nobody_recorded(name: str, compare: Comparison) -> None:
    wrong = []
    for body in variations(BODIES[name]):
        changed = {key: value for key, value in body.items() if BODIES[name].get(key, "~") != value}
        try:
            found = compare(body, parameters_of(body))
        except RequestInvalid as refused:
            found = {fault.path: fault.message for fault in refused.faults}
        if found:
            wrong.append((changed, found))

    assert not wrong


def test_the_documented_differences_are_those_of_the_list() -> None:
    page = (ROOT / "docs" / "migration.md").read_text("utf-8")

    assert [Difference(*row) for row in _ROW.findall(page)] == list(DIFFERENCES)


def test_no_difference_is_listed_that_no_body_shows(compare: Comparison) -> None:
    for name in PIPELINES:
        for body in variations(BODIES[name]):
            compare(body, parameters_of(body))

    assert set(DIFFERENCES) == compare.used


def _stage_of(file: str) -> str:
    if file == "params.json":
        return "live"
    return file.removesuffix("template_params.json").rstrip("_") or "live"
