"""Objects and lists in a request: checked inside, told with their place, one parameter each."""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar, Literal, Self

import pytest
from pydantic import Field

from mlops_framework.contracts.base import METADATA, Document, PerStage, PipelineRequest, Place
from mlops_framework.contracts.fields import Accepts
from mlops_framework.contracts.parameters import Parameter, parameters_of, values_for
from mlops_framework.errors import BlueprintInvalid, Fault, RequestInvalid
from mlops_framework.registry import Blueprint, Registry


class Channel(Document):
    name: Annotated[str, Field(pattern="^[a-z]+$"), Accepts("lower-case letters")] = Field(
        description="Name of the channel."
    )
    shards: Annotated[int, Field(ge=1)] = Field(default=1, description="Objects it is cut into.")


class ChannelsRequest(PipelineRequest):
    pipeline_type: Literal["acme-channels"] = Field(description="Kind.")
    channels: list[Channel] = Field(default_factory=list, description="Channels.")
    main: Channel | None = Field(default=None, description="The first channel.")
    weights: dict[str, float] = Field(default_factory=dict, description="Weight of each channel.")
    subnets: PerStage[list[str]] = Field(default_factory=list, description="Subnets.")
    ports: list[int] = Field(
        default_factory=list, description="Ports.", json_schema_extra=dict(METADATA)
    )
    image: str = Field(default="", description="Image.")

    derived_parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("FirstPort", "Number", "0", field="first_port"),
    )

    def parameter_value(self, name: str, stage: str) -> Any:
        if name == "first_port":
            return self.ports[0] if self.ports else 0
        return super().parameter_value(name, stage)

    def resolved(self, place: Place) -> Self:
        return self.model_copy(update={"image": self.image or f"image-in-{place.region}"})


REGISTRY = Registry([Blueprint("acme-channels", "Channels.", ChannelsRequest, "acme.stack:Stack")])
BODY = {"pipeline_type": "acme-channels", "model_name": "income"}


def faults(**fields: Any) -> dict[str, Fault]:
    with pytest.raises(RequestInvalid) as caught:
        REGISTRY.parse({**BODY, **fields}, stages=("dev", "prod"))
    return {fault.path: fault for fault in caught.value.faults}


def request(**fields: Any) -> PipelineRequest:
    return REGISTRY.parse({**BODY, **fields}, stages=("dev", "prod"))


def test_a_structured_field_is_one_parameter_with_canonical_json() -> None:
    values = values_for(request(channels=[{"shards": 2, "name": "train"}]), "dev")

    assert values["Channels"] == '[{"name":"train","shards":2}]'
    assert values["Main"] == ""
    assert values["Weights"] == "{}"


def test_a_list_may_differ_per_stage() -> None:
    made = request(subnets={"dev": ["a"], "prod": ["b", "c"]})

    assert json.loads(values_for(made, "prod")["Subnets"]) == ["b", "c"]
    assert json.loads(values_for(request(subnets=["a"]), "prod")["Subnets"]) == ["a"]


def test_its_parameters_are_text_with_the_default_as_json() -> None:
    made = {parameter.name: parameter for parameter in parameters_of(ChannelsRequest)}

    assert (made["Channels"].kind, made["Channels"].default) == ("String", "[]")
    assert made["Main"].default == ""
    assert made["Channels"].max_length == 4096


def test_a_field_that_is_no_parameter_may_be_derived_into_some() -> None:
    made = {parameter.name for parameter in parameters_of(ChannelsRequest)}

    assert "FirstPort" in made
    assert "Ports" not in made
    assert values_for(request(ports=[8080, 1]), "dev")["FirstPort"] == "8080"


def test_a_derived_parameter_without_a_value_is_told() -> None:
    with pytest.raises(BlueprintInvalid, match="override parameter_value"):
        request().parameter_value("second_port", "dev")


def test_faults_inside_are_told_with_their_place_and_what_is_accepted() -> None:
    found = faults(
        channels=[{"name": "Train"}, {"nam": "x", "name": "x"}], main={"name": "a", "shards": 0}
    )

    assert found["channels.0.name"].accepted == "lower-case letters"
    assert "Did you mean 'name'?" in found["channels.1.nam"].message
    assert found["main.shards"].accepted == "a whole number, at least 1"


def test_what_is_no_list_is_told_with_what_the_list_holds() -> None:
    assert faults(channels="train")["channels"].accepted == "a list of objects with name, shards"


def test_what_does_not_fit_into_a_parameter_is_refused() -> None:
    found = faults(channels=[{"name": "a" * 100} for _ in range(50)])

    assert "4096" in found["channels"].message


def test_the_schema_describes_the_objects_inside() -> None:
    schema = REGISTRY.schema("acme-channels")

    assert schema["$defs"]["Channel"]["properties"]["shards"]["description"]


def test_resolving_twice_is_resolving_once() -> None:
    place = Place("eu-west-1", "aws", "111122223333", "data", "mlops-test")
    once = request().resolved(place)

    assert once.resolved(place) == once
    assert values_for(once, "dev")["Image"] == "image-in-eu-west-1"


def test_a_document_keeps_the_rules_of_a_contract() -> None:
    with pytest.raises(BlueprintInvalid, match="has no description"):
        type("Bare", (Document,), {"__module__": __name__, "__annotations__": {"name": str}})
