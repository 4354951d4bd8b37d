"""Files that come with a request: there before anything is deployed, and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import pytest
from pydantic import Field

from mlops_framework.contracts.base import PipelineRequest
from mlops_framework.contracts.parameters import Parameter
from mlops_framework.registry import Blueprint, Registry
from mlops_framework.testing.catalogue import InMemoryCatalogue


class RecipeRequest(PipelineRequest):
    """A kind whose resources read a file."""

    derived_parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("RecipeKey", "String", description="Where the file is.", field="recipe_key"),
    )

    pipeline_type: Literal["recipe"] = Field(description="Kind.")
    salt: int = Field(default=1, description="Grams.")

    def documents(self, stage: str) -> Mapping[str, str]:
        return {"recipe.txt": f"{self.salt} g of salt in {stage}"}

    def parameter_value(self, name: str, stage: str) -> Any:
        if name == "recipe_key":
            return self.document_key("recipe.txt", stage)
        return super().parameter_value(name, stage)


@pytest.fixture
def kitchen(world) -> Any:
    blueprint = Blueprint("recipe", "Cooks.", RecipeRequest, "kitchen:Stack")
    world.catalogue = InMemoryCatalogue(Registry([blueprint]))
    return world


def body(**changes: Any) -> dict[str, Any]:
    return {"pipeline_type": "recipe", "model_name": "soup", **changes}


def test_a_requests_files_are_written_before_its_stack_is_made(kitchen) -> None:
    kitchen.provision(body())

    planned = kitchen.plan(body())
    written = {key: kitchen.objects.objects[key] for key in planned.documents}
    assert sorted(written.values()) == [b"1 g of salt in dev", b"1 g of salt in prod"]
    assert all(key.startswith("requests/soup-recipe/documents/") for key in written)


def test_a_template_is_told_where_its_stages_file_is(kitchen) -> None:
    planned = kitchen.plan(body())

    keys = [stage.parameters["RecipeKey"] for stage in planned.stages]
    assert [planned.documents[key] for key in keys] == [
        "1 g of salt in dev",
        "1 g of salt in prod",
    ]


def test_another_text_is_another_file_and_the_former_stays(kitchen) -> None:
    kitchen.deploy(body())

    kitchen.provision(body(salt=2))

    texts = {text for key, text in kitchen.objects.objects.items() if key.endswith("/recipe.txt")}
    assert texts == {
        f"{salt} g of salt in {stage}".encode() for salt in (1, 2) for stage in ("dev", "prod")
    }
