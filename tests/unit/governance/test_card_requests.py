"""The six requests of the predecessor, unchanged, and what they do to a card."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mlops_framework import governance
from mlops_framework.contracts.model_cards.requests import CardCreation
from mlops_framework.governance.cards import EXPORTS_FOLDER, read
from mlops_framework.governance.errors import CardExists, CardLocked, CardUnknown

CREATION: dict[str, Any] = {
    "pipeline_type": "create_model_card",
    "name": "c",
    "status": "Draft",
    "model_overview": {"model_name": "m"},
    "intended_uses": {"purpose_of_model": "p", "risk_rating": "Low"},
    "training_details": {"training_job_name": "j"},
    "evaluation_details": [
        {"name": "e", "metric_file_s3_url": "s3://b/k.json", "metric_type": "clarify_bias"}
    ],
    "additional_information": {"ethical_considerations": "t"},
}


def test_a_card_is_completed_with_what_sagemaker_knows_of_model_and_job(world) -> None:
    answer = world.ask(**CREATION)

    card = world.cards.describe("c")
    overview, job = (
        card.content["model_overview"],
        card.content["training_details"]["training_job_details"],
    )
    assert answer["message"] == "Model card c is created, version 1, Draft."
    assert overview["model_id"].endswith(":model/m")
    assert overview["model_artifact"] == ["s3://data/models/m/j/output/model.tar.gz"]
    assert job["training_datasets"] == ["s3://data/train/"]
    assert job["training_metrics"] == [{"name": "validation:auc", "value": 0.91}]
    assert job["hyper_parameters"] == [{"name": "num_round", "value": "400"}]
    assert card.kms_key_arn == "the-key"
    assert world.cards.tags["c"] == {"team": "risk"}


def test_a_metric_file_becomes_metric_groups(world) -> None:
    world.ask(**CREATION)

    (evaluation,) = world.cards.describe("c").content["evaluation_details"]
    (group,) = evaluation["metric_groups"]
    assert group["name"] == "pre_training_bias_metrics - label income = 1 and facet age = 40"
    assert group["metric_data"] == [{"name": "CI", "type": "number", "value": 0.2}]


def test_the_job_of_a_model_is_found_where_its_file_lies(world) -> None:
    world.ask(pipeline_type="create_model_card", name="c", training_details={"model_name": "m"})

    details = world.cards.describe("c").content["training_details"]
    assert details["training_job_details"]["training_arn"].endswith("training-job/j")


def test_what_a_request_says_itself_wins_over_what_is_found_out(world) -> None:
    world.ask(
        pipeline_type="create_model_card",
        name="c",
        model_overview={"model_name": "m", "model_artifact": ["s3://kept/elsewhere"]},
    )

    overview = world.cards.describe("c").content["model_overview"]
    assert overview["model_artifact"] == ["s3://kept/elsewhere"]
    assert overview["model_id"].endswith(":model/m")


def test_the_predecessors_flat_forms_are_those_of_sagemaker(world) -> None:
    world.ask(
        pipeline_type=" Create_Model_Card ",
        name="c",
        status="pendingreview",
        version=3,
        model_overview={"inference_environment": ["image"], "model_version": "2"},
        training_details={
            "objective_function": {"function": "maximize", "facet": "AUC", "notes": "n"},
            "training_job_details": {"training_environment": ["image"]},
        },
    )

    card = world.cards.describe("c")
    assert card.status == "PendingReview"
    assert card.content["model_overview"]["inference_environment"] == {"container_image": ["image"]}
    assert card.content["training_details"]["objective_function"] == {
        "function": {"function": "Maximize", "facet": "AUC"},
        "notes": "n",
    }


def test_fields_that_sagemaker_sets_are_left_out_with_a_word(world) -> None:
    answer = world.ask(pipeline_type="create_model_card", name="c", arn="a", created_by="me")

    assert answer["notes"] == [
        "arn is set by SageMaker and was left out",
        "created_by is set by SageMaker and was left out",
    ]


def test_unknown_keys_are_told_with_the_nearest_one_and_all_at_once(world) -> None:
    found = world.refused(
        pipeline_type="create_model_card",
        name="-",
        model_overview={"model_nme": "m"},
        intended_uses={"risk_rating": "Lowish"},
        evaluations=[],
    )

    assert "Did you mean 'model_name'?" in found["model_overview.model_nme"]
    assert "Give one of High, Medium, Low, Unknown" in found["intended_uses.risk_rating"]
    assert "There is no field 'evaluations' here" in found["evaluations"]
    assert "name" in found
    assert world.cards.cards == {}


def test_what_cannot_be_found_is_told_all_at_once_and_nothing_is_created(world) -> None:
    found = world.refused(
        pipeline_type="create_model_card",
        name="c",
        model_overview={"model_name": "nobody"},
        training_details={"training_job_name": "nothing"},
        evaluation_details=[
            {"name": "a", "metric_file_s3_url": "s3://b/gone.json", "metric_type": "regression"},
            {"name": "b", "metric_file_s3_url": "s3://b/k.json", "metric_type": "regression"},
            {"name": "c", "metric_file_s3_url": "s3://b/k.json"},
        ],
    )

    assert "no model 'nobody'" in found["model_overview.model_name"]
    assert "no training job 'nothing'" in found["training_details.training_job_name"]
    assert "cannot be read" in found["evaluation_details.0.metric_file_s3_url"]
    assert "no object regression_metrics" in found["evaluation_details.1.metric_file_s3_url"]
    assert "Say what wrote" in found["evaluation_details.2.metric_type"]
    assert world.cards.cards == {}


def test_a_second_card_of_a_name_is_refused(world) -> None:
    world.ask(**CREATION)

    with pytest.raises(CardExists, match="PATCH /model-cards/c"):
        world.ask(**CREATION)


def test_an_update_replaces_the_sections_it_gives_and_keeps_the_others(world) -> None:
    world.ask(**CREATION)

    world.ask(
        pipeline_type="update_model_card",
        name="c",
        status="Approved",
        intended_uses={"purpose_of_model": "another"},
    )

    card = world.cards.describe("c")
    assert (card.version, card.status) == (2, "Approved")
    assert card.content["intended_uses"] == {"purpose_of_model": "another"}
    assert card.content["additional_information"] == {"ethical_considerations": "t"}


def test_a_status_alone_makes_no_new_version(world) -> None:
    world.ask(**CREATION)

    answer = world.ask(pipeline_type="update_model_card", name="c", status="Approved")

    assert answer["message"] == ("Model card c is changed: content as before, version 1, Approved.")


def test_an_archived_card_keeps_its_content(world) -> None:
    world.ask(**CREATION)
    world.ask(pipeline_type="update_model_card", name="c", status="Archived")

    with pytest.raises(CardLocked, match="archived"):
        world.ask(pipeline_type="update_model_card", name="c", business_details={})
    assert world.cards.describe("c").version == 1


def test_an_update_that_says_nothing_is_refused(world) -> None:
    world.ask(**CREATION)

    assert "Nothing to change" in world.refused(pipeline_type="update_model_card", name="c")[""]


def test_describing_answers_in_sagemakers_own_words(world) -> None:
    world.ask(**CREATION)

    message = world.ask(pipeline_type="describe_model_card", name="c")["message"]

    assert message["ModelCardName"] == "c"
    assert message["ModelCardStatus"] == "Draft"
    assert message["Content"]["intended_uses"]["risk_rating"] == "Low"
    with pytest.raises(CardUnknown, match="'gone'"):
        world.ask(pipeline_type="describe_model_card", name="gone")


def test_a_list_holds_every_page_unless_it_is_limited(world) -> None:
    for number in range(105):
        world.use.create({"name": f"card-{number}"})

    every = world.ask(pipeline_type="list_model_cards")["message"]
    some = world.ask(pipeline_type="list_model_cards", limit=2)["message"]
    rest = world.ask(pipeline_type="list_model_cards", limit="2", next_token=some["NextToken"])

    assert len(every["ModelCardSummaries"]) == 105
    assert "NextToken" not in every
    assert [one["ModelCardName"] for one in some["ModelCardSummaries"]] == ["card-104", "card-103"]
    assert rest["message"]["ModelCardSummaries"][0]["ModelCardName"] == "card-102"


def test_an_export_is_waited_for_and_says_where_the_file_is(world) -> None:
    world.ask(**CREATION)
    world.cards.looks = 2

    answer = world.ask(
        pipeline_type="export_model_card", name="c", export_job_name="x", model_card_version=1
    )

    assert answer["status"] == "Completed"
    assert answer["location"] == f"s3://data/{EXPORTS_FOLDER}/c/x.pdf"
    assert len(world.waited) == 2


def test_an_export_that_takes_long_is_answered_before_the_api_gives_up(world) -> None:
    world.ask(**CREATION)
    world.cards.looks = 1000

    answer = world.ask(pipeline_type="export_model_card", name="c")

    assert answer["status"] == "InProgress"
    assert "GET /model-cards/c/exports" in answer["message"]
    assert sum(world.waited) < 25


def test_deleting_takes_every_version(world) -> None:
    world.ask(**CREATION)

    answer = world.ask(pipeline_type="delete_model_card", name="c")

    assert "deleted with all its versions" in answer["message"]
    assert world.cards.cards == {}


def test_a_card_that_is_too_long_for_sagemaker_is_refused_with_its_length(world) -> None:
    long = {f"k{number}": "x" * 1000 for number in range(101)}

    found = world.refused(
        pipeline_type="create_model_card",
        name="c",
        additional_information={"custom_details": long},
    )

    assert "SageMaker takes 100000" in found[""]


def test_the_request_of_the_page_is_accepted_as_it_stands() -> None:
    page = (Path(governance.__file__).parent / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```json\n(.+?)```", page, re.S)

    assert read(json.loads(block), CardCreation).name == "employment"
