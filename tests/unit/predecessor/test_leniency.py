"""What clients of the AWS MLOps Framework 2.x may leave open, and what is made of it."""

from __future__ import annotations

import pytest

from mlops_framework.contracts.parameters import as_text

ECR = "111122223333.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("name", "field", "written", "ours", "meant"),
    [
        ("autopilot", "problem_type", "binaryclassification", None, "BinaryClassification"),
        ("autopilot", "job_objective", "f1MACRO", "objective_metric", "F1macro"),
        ("training", "compression_type", "gzip", "compression", "Gzip"),
        ("training", "data_distribution", "shardedbys3key", "distribution", "ShardedByS3Key"),
        ("training", "data_input_mode", "PIPE", "input_mode", "Pipe"),
        ("training", "model_framework", " XGBoost ", "algorithm", "xgboost"),
        ("realtime-builtin", "inference_instance", "ML.M5.Large", "instance_type", "ml.m5.large"),
        ("data-quality", "instance_type", "ml.M5.large", None, "ml.m5.large"),
    ],
)
def test_the_case_of_known_words_does_not_matter(door, body, name, field, written, ours, meant):
    assert getattr(door(body(name, **{field: written})), ours or field) == meant


def test_the_case_of_a_tuners_words_does_not_matter(door, body) -> None:
    configs = {"objective_metric_name": "x", "strategy": "random", "objective_type": "MINIMIZE"}

    request = door(body("tuner", tuner_configs=configs))

    assert (request.strategy, request.objective_type) == ("Random", "Minimize")


@pytest.mark.parametrize("name", ["realtime-custom", "batch-custom"])
def test_an_image_without_a_tag_has_the_tag_latest(door, body, name) -> None:
    request = door(body(name, custom_image_uri=f"{ECR}/team/model"))

    assert request.image_uri == f"{ECR}/team/model:latest"
    assert "its tag latest is taken" in door.notes[0]


def test_a_long_job_waits_for_spot_capacity_as_long_as_it_needs(door, body) -> None:
    no_wait = body("training", max_runtime_per_job=259200, max_wait_time_spot_instances=...)

    request = door(no_wait)

    assert request.parameter_value("stopping_condition", "live") == {
        "MaxRuntimeInSeconds": 259200,
        "MaxWaitTimeInSeconds": 518400,
    }
    assert any("twice max_runtime_per_job" in note for note in door.notes)


def test_a_wait_that_was_asked_for_is_refused_where_it_is_too_short(door, body) -> None:
    faults = door.refused(body("training", max_runtime_per_job=259200))

    assert list(faults) == ["max_wait_time_spot_instances"]


@pytest.mark.parametrize(
    ("given", "out", "read"),
    [
        ("bucket/in", "bucket/in-scored", "s3://bucket/in/"),
        ("bucket/in", "bucket/out", "s3://bucket/in"),
        ("bucket/in/data.csv", "bucket/in", "s3://bucket/in/data.csv"),
    ],
)
def test_predictions_beside_a_folder_are_not_scored_again(door, body, given, out, read) -> None:
    request = door(body("batch-builtin", batch_inference_data=given, batch_job_output_location=out))

    assert request.input_location == read
    assert bool(door.notes) == read.endswith("/")


def test_only_the_stage_is_changed_whose_output_begins_alike(door, body) -> None:
    out = {"test": "bucket/out", "live": "bucket/in-scored"}

    request = door(
        body("batch-builtin", batch_inference_data="bucket/in", batch_job_output_location=out),
        {"test": (), "live": ()},
    )

    assert request.input_location == {"test": "s3://bucket/in", "live": "s3://bucket/in/"}


def test_predictions_below_their_input_are_refused(door, body) -> None:
    faults = door.refused(
        body("batch-builtin", batch_inference_data="b1n/in", batch_job_output_location="b1n/in/out")
    )

    assert list(faults) == ["batch_job_output_location"]


@pytest.mark.parametrize(
    ("probability", "threshold", "text"),
    [("0", 0.8, "0.8"), ("0", ..., "0.5"), ("", 0.8, "0.8"), ("", ..., "")],
)
def test_a_threshold_is_there_where_it_was_asked_for_or_has_something_to_compare(
    door, body, probability, threshold, text
) -> None:
    request = door(
        body(
            "model-quality-binary",
            monitor_probability_attribute=probability,
            probability_threshold_attribute=threshold,
        )
    )

    assert as_text(request.parameter_value("probability_threshold", "live")) == text


def test_a_stage_without_a_value_has_what_all_have_without_the_field(door, body) -> None:
    request = door(
        body(
            "data-quality-stages",
            baseline_max_runtime_seconds={"dev": "", "staging": None, "prod": "3300"},
            kms_key_arn={"dev": "", "staging": None, "prod": ""},
        ),
        {"dev": (), "staging": (), "prod": ()},
    )

    assert request.baseline_max_runtime_seconds == {"dev": 3600, "staging": 3600, "prod": 3300}
    assert request.kms_key_arn == {"dev": "", "staging": "", "prod": ""}


def test_what_is_the_same_in_every_stage_takes_no_map(door, body) -> None:
    names = {"dev": "a", "staging": "b", "prod": "c"}

    faults = door.refused(body("realtime-builtin", model_name=names))

    assert faults["model_name"].startswith("Takes one value, for every stage; found ")
