"""What counts as a break of a published contract, on the real API document and its real changes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from mlops_framework.contracts.compatibility import api_breaks, schema_breaks
from mlops_framework.contracts.events import events_document
from mlops_framework.contracts.openapi import openapi_document
from mlops_framework.registry import Registry

Document = dict[str, Any]
Change = Callable[[Document], Any]
REQUEST = "POST /provisionpipeline body TrainingRequest"


@cache
def _text() -> str:
    return json.dumps(openapi_document(Registry.discover(), version="1.0.0"))


@pytest.fixture
def api() -> Document:
    document: Document = json.loads(_text())
    return document


def told(api: Document, change: Change) -> dict[str, str]:
    """What a change of the API document breaks, by path."""
    changed = copy.deepcopy(api)
    change(changed)
    return {each.path: each.said for each in api_breaks(api, changed)}


def schema(name: str) -> Callable[[Document], Document]:
    return lambda api: api["components"]["schemas"][name]


def field(name: str, of: str = "TrainingRequest") -> Callable[[Document], Document]:
    return lambda api: schema(of)(api)["properties"][name]


def test_the_same_document_breaks_nothing(api) -> None:
    assert told(api, lambda changed: None) == {}


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        (
            lambda a: schema("TrainingRequest")(a)["properties"].pop("use_spot"),
            "use_spot",
            "removed",
        ),
        (
            lambda a: schema("TrainingRequest")(a)["required"].append("owner"),
            "owner",
            "required now",
        ),
        (
            lambda a: (
                schema("TrainingRequest")(a)["properties"].update(team={"type": "string"}),
                schema("TrainingRequest")(a)["required"].append("team"),
            ),
            "team",
            "new and required",
        ),
        (
            lambda a: field("input_mode")(a)["enum"].remove("Pipe"),
            "input_mode",
            "'Pipe' was removed",
        ),
        (lambda a: field("use_spot")(a).update(default=True), "use_spot", "was False, now True"),
        (
            lambda a: field("quality_threshold")(a).pop("default"),
            "quality_threshold",
            "none is said",
        ),
        (lambda a: field("description")(a).update(maxLength=10), "description", "maxLength is 10"),
        (lambda a: field("description")(a).update(minLength=1), "description", "minLength is 1"),
        (lambda a: field("owner")(a).update(pattern="^x*$"), "owner", "takes less"),
        (lambda a: field("owner")(a).update(pattern=r"^(a)\1$"), "owner", "nothing here can tell"),
        (lambda a: field("use_spot")(a).update(type="string"), "use_spot", "boolean is not taken"),
        (
            lambda a: field("hyperparameters")(a).update(maxProperties=3),
            "hyperparameters",
            "maxProperties is 3, and was nothing",
        ),
        (
            lambda a: field("instance_count")(a)["oneOf"].pop(),
            "instance_count",
            "object is not taken any more",
        ),
        (
            lambda a: field("instance_count")(a)["oneOf"][0].update(maximum=10),
            "instance_count",
            "maximum is 10, and was 100",
        ),
        (
            lambda a: field("attribute_names")(a)["items"].update(maxLength=8),
            "attribute_names[]",
            "maxLength is 8",
        ),
        (
            lambda a: field("hyperparameters")(a)["additionalProperties"].update(type="string"),
            "hyperparameters.*",
            "not taken any more",
        ),
        (lambda a: field("owner")(a).update(format="email"), "owner", "format changed"),
    ],
)
def test_a_request_that_was_taken_is_taken_and_means_the_same(api, change, path, said) -> None:
    found = told(api, change)

    assert list(found) == [f"{REQUEST}.{path}"]
    assert said in found[f"{REQUEST}.{path}"]


@pytest.mark.parametrize(
    "change",
    [
        lambda a: schema("TrainingRequest")(a)["properties"].update(team={"type": "string"}),
        lambda a: schema("TrainingRequest")(a)["required"].remove("model_name"),
        lambda a: field("input_mode")(a)["enum"].append("Stream"),
        lambda a: field("description")(a).update(maxLength=9999, description="Other words."),
        lambda a: field("description")(a).pop("pattern"),
        lambda a: field("owner")(a).update(pattern=f"^(new|{field('owner')(a)['pattern'][1:-1]})$"),
        lambda a: field("owner")(a).update(deprecated=True),
        lambda a: field("use_spot")(a).update(type=["boolean", "string"]),
        lambda a: field("instance_count")(a)["oneOf"][0].update(maximum=1000),
        lambda a: field("instance_count")(a)["oneOf"].reverse(),
        lambda a: a["components"]["schemas"]["PipelineRequest"]["oneOf"].append({"type": "object"}),
        lambda a: a["paths"].update({"/new": {"get": {}}}),
        lambda a: a["paths"]["/pipelines"]["get"]["parameters"].append(
            {"name": "x", "in": "query", "schema": {"type": "string"}}
        ),
    ],
)
def test_more_may_be_taken(api, change) -> None:
    assert told(api, change) == {}


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        (lambda a: a["paths"].pop("/plans"), "POST /plans", "operation was removed"),
        (
            lambda a: a["paths"]["/pipelines/{pipeline_id}"].pop("delete"),
            "DELETE /pipelines/{pipeline_id}",
            "operation was removed",
        ),
        (
            lambda a: a["paths"]["/provisionpipeline"]["post"]["responses"].pop("202"),
            "POST /provisionpipeline 202",
            "answer was removed",
        ),
        (
            lambda a: a["paths"]["/provisionpipeline"]["post"]["parameters"].clear(),
            "POST /provisionpipeline origin (query)",
            "parameter was removed",
        ),
        (
            lambda a: a["paths"]["/provisionpipeline"]["post"]["parameters"].append(
                {"name": "why", "in": "query", "required": True, "schema": {}}
            ),
            "POST /provisionpipeline why (query)",
            "parameter is required now",
        ),
        (
            lambda a: schema("PipelineRequest")(a)["oneOf"].remove(
                {"$ref": "#/components/schemas/TuningRequest"}
            ),
            "POST /provisionpipeline body PipelineRequest",
            "TuningRequest is not taken any more",
        ),
    ],
)
def test_an_operation_stays_as_it_was(api, change, path, said) -> None:
    found = told(api, change)

    assert [each for each in found if each.startswith(path)]
    assert said in next(iter(found.values()))


def test_an_answer_can_be_read_as_before(api) -> None:
    answer = schema("ProvisionAnswer")

    assert told(api, lambda a: answer(a)["properties"].pop("pipeline_id")) == {
        "POST /provisionpipeline 200 ProvisionAnswer.pipeline_id": "the field was removed"
    }
    assert told(api, lambda a: answer(a)["required"].remove("pipeline_id")) == {
        "POST /provisionpipeline 200 ProvisionAnswer.pipeline_id": "the field may be missing now"
    }
    nullable = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    changed = told(api, lambda a: answer(a)["properties"].update(pipeline_id=nullable))
    assert ["null was never given before" in said for said in changed.values()] == [True]
    assert told(api, lambda a: answer(a)["properties"].update(more={"type": "string"})) == {}


def test_an_event_can_be_read_as_before() -> None:
    released = json.loads(json.dumps(events_document()))
    changed = copy.deepcopy(released)
    name = next(name for name, form in changed["$defs"].items() if "version" in form["properties"])
    changed["$defs"][name]["properties"]["version"]["const"] = 2

    found = schema_breaks(released, changed, role="sent")

    assert [str(each) for each in found] == [f"{name}.version: it was 1 and is 2"]
    assert schema_breaks(released, released, role="sent") == ()


def test_schemas_that_point_at_themselves_are_compared_once() -> None:
    tree = {
        "$ref": "#/$defs/Node",
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {
                    "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
                    "size": {"type": "integer", "maximum": 9},
                },
            }
        },
    }
    smaller = copy.deepcopy(tree)
    smaller["$defs"]["Node"]["properties"]["size"]["maximum"] = 8  # type: ignore[index]

    assert [str(each) for each in schema_breaks(tree, smaller, role="request")] == [
        "Node.size: maximum is 8, and was 9"
    ]
