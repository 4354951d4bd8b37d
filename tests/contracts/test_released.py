"""What was released keeps holding, or somebody stands for it that it does not."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambdas.orchestrator.handler import build_app
from mlops_framework.registry import Registry
from mlops_framework.testing.events import FakeContext, api_event
from tests.contracts.orchestrator import InMemoryWorld
from tools import released as tool

CHANGELOG = (tool.ROOT / "CHANGELOG.md").read_text("utf-8")
BROKEN = "POST /provisionpipeline body TrainingRequest.input_mode"
SAID = "the value 'Pipe' was removed; there is 'File', 'FastFile'"
NAMED = "## Unreleased\n\n### Breaking\n\n- training: `input_mode` has no Pipe.\n\n## 0.1.0\n"
ENTRY = {"path": BROKEN, "said": SAID, "why": "Nobody has it.", "instead": "FastFile."}


@pytest.fixture
def old() -> tool.Published:
    return tool.released()


@pytest.fixture
def narrower(old: tool.Published) -> tool.Published:
    """The next minor version, with one word less."""
    api: Any = copy.deepcopy(old.api)
    words = api["components"]["schemas"]["TrainingRequest"]["properties"]["input_mode"]["enum"]
    words.remove("Pipe")
    api["info"]["version"] = "0.2.0"
    return replace(old, api=api)


def test_no_published_contract_breaks_what_was_released() -> None:
    said = list(tool.complaints(tool.released(), tool.published(), tool.declared(), CHANGELOG))

    assert not said, "\n".join(said)


@pytest.mark.parametrize("kind", Registry.discover().kinds)
def test_the_schema_of_every_kind_is_served_as_it_is_published(kind: str) -> None:
    world = InMemoryWorld()
    app = build_app(lambda: world.orchestrator)

    answer = app.resolve(api_event("GET", f"/blueprints/{kind}/schema"), FakeContext())

    file = Path(__file__).with_name("golden") / f"{kind}.schema.json"
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == json.loads(file.read_text("utf-8"))


def test_a_break_that_nobody_declared_is_told_with_the_way_out(old, narrower) -> None:
    [said] = tool.complaints(old, narrower, [], NAMED)

    assert said.startswith(f"{BROKEN}: {SAID}\n")
    assert "breaks.json" in said


def test_an_event_may_be_new_and_none_may_go(old) -> None:
    *kept, last = old.events["oneOf"]
    fewer = replace(old, events={**old.events, "oneOf": kept})
    name = f"{last['properties']['source']['const']} {last['properties']['detail-type']['const']}"

    assert list(fewer.breaks(old)) == []
    assert [str(each) for each in old.breaks(fewer)] == [f"event {name}: the event was removed"]


def test_a_declared_break_may_pass(old, narrower) -> None:
    assert list(tool.complaints(old, narrower, [ENTRY], NAMED)) == []


@pytest.mark.parametrize(
    ("entry", "changelog", "version", "said"),
    [
        (ENTRY, "## Unreleased\n", "0.2.0", "name input_mode below '### Breaking'"),
        (
            ENTRY,
            "## Unreleased\n\n## 0.1.0\n\n### Breaking\n\n- input_mode\n",
            "0.2.0",
            "name inpu",
        ),
        (ENTRY, NAMED, "0.1.9", "0.1.9 after 0.1.0 may not"),
        ({**ENTRY, "instead": ""}, NAMED, "0.2.0", "what clients do instead"),
    ],
)
def test_a_declared_break_says_everything(old, narrower, entry, changelog, version, said) -> None:
    api = {**narrower.api, "info": {"version": version}}

    [complaint] = tool.complaints(old, replace(narrower, api=api), [entry], changelog)

    assert complaint.startswith(f"{BROKEN}: ")
    assert said in complaint


def test_what_is_shown_to_break_nobody_needs_no_version(old, narrower) -> None:
    entry = {"path": BROKEN, "said": SAID, "harmless": "SageMaker never took it."}
    api = {**narrower.api, "info": {"version": "0.1.0"}}

    assert list(tool.complaints(old, replace(narrower, api=api), [entry], "")) == []


def test_a_declaration_of_what_is_not_broken_is_told(old) -> None:
    [said] = tool.complaints(old, old, [ENTRY], NAMED)

    assert "nothing of the kind breaks; remove it" in said


@pytest.mark.parametrize(
    ("before", "now", "may"),
    [
        ("0.1.0", "0.1.1", False),
        ("0.1.0", "0.2.0", True),
        ("0.9.0", "1.0.0", True),
        ("1.2.0", "1.3.0", False),
        ("1.2.0", "2.0.0", True),
    ],
)
def test_semantic_versioning_says_which_version_may_break(before, now, may) -> None:
    assert tool.may_break(before, now) is may


def test_a_release_is_what_is_published_without_prose(tmp_path: Path) -> None:
    tool.release(tmp_path)

    assert list(tool.released(tmp_path).breaks(tool.published())) == []
    assert tool.declared(tmp_path) == []
    assert '"description": "' not in json.dumps(tool.released(tmp_path).api)
