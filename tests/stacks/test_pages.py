"""The page of each kind: its requests can be sent as they stand, and what it says is so."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from mlops_framework.cli.request_file import expand
from mlops_framework.environments.loader import load_environment
from mlops_framework.orchestration.plan import EnvironmentView, plan
from mlops_framework.registry import Blueprint, Registry
from tests.stacks.conftest import ANALYZERS, KINDS, ROOT, Synthesized
from tests.stacks.deployed import PLACE, Deployed

STAGES = ("dev", "prod")
ENVIRONMENT = EnvironmentView("mlops-dev", STAGES, "mlops-artifacts")
REGISTRY = Registry.discover()
CHAPTERS = ("Inputs", "What it creates", "Outputs", "Cost", "Limits")


@dataclass(frozen=True)
class Page:
    """A kind's README: its text, and that of each chapter by heading."""

    blueprint: Blueprint
    text: str
    chapters: Mapping[str, str]

    @classmethod
    def of(cls, kind: str) -> Page:
        blueprint = REGISTRY.get(kind)
        package = blueprint.request.__module__.rpartition(".")[0]
        text = files(package).joinpath("README.md").read_text("utf-8")
        _, *parts = re.split(r"^## (.+)$", text, flags=re.M)
        return cls(blueprint, text, dict(zip(parts[::2], parts[1::2], strict=True)))

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(block) for block in re.findall(r"```json\n(.+?)```", self.text, re.S)]

    def rows(self, chapter: str) -> Iterator[list[str]]:
        """Cells of the rows of a chapter's tables, without their headings."""
        for table in re.findall(r"(?:^\|.+\|\n)+", self.chapters[chapter], re.M):
            for line in table.splitlines()[2:]:
                yield [cell.strip() for cell in line.strip("|").split("|")]


@dataclass(frozen=True)
class Templates:
    """The synthesized templates, as the orchestrator's bundle holds them."""

    dev: Synthesized

    def blueprint_template(self, kind: str) -> Mapping[str, Any]:
        return self.dev.blueprints[kind]

    def delivery_template(self, kind: str) -> Mapping[str, Any]:
        return self.dev.blueprints[f"{kind}-delivery"]


def dollars(text: str) -> float:
    """The first amount of a cell: ``**12.50 USD** and …`` is 12.5."""
    found = re.search(r"([0-9][0-9,.]*) USD", text)
    return float(found[1].replace(",", "")) if found else 0.0


def computed(text: str) -> float | None:
    """What the products of a cell come to, or nothing if it holds none.

    ``runs: 30 × 10/60 h × 0.115 USD/h, logs 30 MB × 0.0005 USD/MB``: a comma adds, words and units
    say what the numbers are.
    """
    sums = []
    for part in text.rpartition(": ")[2].split(", "):
        if "×" not in part:
            continue
        plain = re.sub(r"[(][^)]*[)]|ml[.][a-z0-9.]+", "", part)
        plain = re.sub(r"(?<=[0-9]),(?=[0-9]{3})", "", plain)
        plain = re.sub(r"[A-Za-z%][A-Za-z0-9/.-]*", "", plain)
        value = 1.0
        for sign, number in re.findall(r"([×÷/]?)\s*([0-9.]+)", plain):
            value = value / float(number) if sign in ("÷", "/") else value * float(number)
        sums.append(value)
    return sum(sums) if sums else None


@pytest.fixture(params=KINDS)
def page(request: pytest.FixtureRequest) -> Page:
    return Page.of(request.param)


def test_a_page_has_all_that_one_looks_for(page: Page) -> None:
    assert [chapter for chapter in CHAPTERS if chapter not in page.chapters] == []
    assert page.text.startswith(f"# {page.blueprint.kind}\n")
    assert f"mlops blueprints show {page.blueprint.kind}" in page.text


def test_every_request_of_a_page_is_planned_as_it_stands(page: Page, dev: Synthesized) -> None:
    assert page.requests
    for body in page.requests:
        request = REGISTRY.parse(body, stages=STAGES).resolved(PLACE)

        planned = plan(request, Templates(dev), ENVIRONMENT)

        assert planned.kind == page.blueprint.kind
        assert [stage.name for stage in planned.stages] == list(STAGES)


def test_the_request_of_the_front_page_is_planned_as_it_stands(dev: Synthesized) -> None:
    (block,) = re.findall(r"```json\n(.+?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    body = expand(json.loads(block), lambda key: f"the-{key}")

    request = REGISTRY.parse(body, stages=STAGES).resolved(PLACE)

    assert plan(request, Templates(dev), ENVIRONMENT).pipeline_id == "employment-training"


def test_the_environment_of_the_front_page_is_accepted(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.+?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    shutil.copy(ROOT / "environments" / "base.yaml", tmp_path)
    (tmp_path / "mine.yaml").write_text(block)

    config = load_environment("mine", tmp_path)

    assert [(stage.name, stage.approval) for stage in config.stages] == [
        ("staging", False),
        ("prod", True),
    ]


def test_the_front_page_leads_to_the_page_of_every_kind() -> None:
    text = (ROOT / "README.md").read_text("utf-8")

    assert [kind for kind in KINDS if f"`{kind}`" not in text] == []
    links = [link for link in re.findall(r"[]][(]([^)#]+)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_inputs_of_a_page_are_fields_and_none_that_is_required_is_missing(page: Page) -> None:
    fields = page.blueprint.request.model_fields
    named = {name for first, *_ in page.rows("Inputs") for name in re.findall(r"`(\w+)`", first)}

    assert named <= fields.keys()
    assert {name for name, field in fields.items() if field.is_required()} <= {
        *named,
        "pipeline_type",
        "model_name",
    }


def test_the_outputs_of_a_page_are_those_of_the_template(page: Page, dev: Synthesized) -> None:
    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", page.chapters["Outputs"]))

    assert named == set(dev.blueprints[page.blueprint.kind]["Outputs"])


def test_the_costs_of_a_page_are_what_its_arithmetic_comes_to(page: Page) -> None:
    rows = list(page.rows("Cost"))
    products = {row[0]: (computed(row[0]), dollars(row[1])) for row in rows}
    wrong = {
        text: (value, said)
        for text, (value, said) in products.items()
        if value is not None and abs(value - said) > 0.006
    }

    assert any(value is not None for value, _ in products.values())
    assert "us-east-1" in page.chapters["Cost"]
    assert wrong == {}


def test_the_parts_of_a_cost_add_up(page: Page) -> None:
    rows = list(page.rows("Cost"))
    totals = [row for row in rows if row[0] == "**together**"]
    parts = sum(dollars(row[1]) for row in rows if row not in totals)

    assert [dollars(total[1]) for total in totals] in ([], [pytest.approx(parts, abs=0.011)])


def test_the_alarms_of_a_page_are_those_of_its_first_request(page: Page, dev: Synthesized) -> None:
    kind = page.blueprint.kind
    said = [int(found) for row in page.rows("Cost") for found in re.findall("^alarms: (.)", row[0])]

    # A monitor that has its baseline.
    settled = {"SettledBaseline": "0" * 16} if kind in ANALYZERS else {}
    made = Deployed(dev.blueprints[kind], page.requests[0], given=settled)

    assert sum(said) == len(made.all("AWS::CloudWatch::Alarm"))
