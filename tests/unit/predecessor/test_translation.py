"""What clients of the AWS MLOps Framework 2.x get for their bodies, unchanged."""

from __future__ import annotations

import pytest

from mlops_framework.orchestration.predecessor import CARD_TYPES, TYPES, card_request, speaks

from .conftest import BODIES

PIPELINES = [name for name in BODIES if not name.startswith("card-")]
THREE = {"dev": (), "staging": (), "prod": ()}


@pytest.mark.parametrize("name", PIPELINES)
def test_every_documented_body_is_taken_as_it_is(door, body, name) -> None:
    stages = THREE if name.endswith("-stages") else {"live": ()}

    request = door(body(name), stages)

    assert request.pipeline_type == TYPES[BODIES[name]["pipeline_type"]].kind


def test_all_eighteen_types_are_known() -> None:
    assert len(TYPES) + len(CARD_TYPES) == 18
    assert all(
        speaks(body) or card_request(body) == body["pipeline_type"] for body in BODIES.values()
    )


@pytest.mark.parametrize("written", ["BYOM_REALTIME_BUILTIN", "  byom_realtime_builtin\n"])
def test_case_and_blanks_of_the_type_do_not_matter(door, body, written) -> None:
    request = door(body("realtime-builtin", pipeline_type=written))

    assert request.pipeline_id == "m-realtime-endpoint"


def test_an_endpoint_gets_what_it_had(door, body) -> None:
    request = door(body("realtime-builtin"))

    assert request.endpoint_name == "myendpoint"
    assert request.instance_type == "ml.m5.large"
    assert request.model_artifact_location == "s3://assets/path/model.tar.gz"
    assert request.data_capture_location == "s3://bucket/capture"
    assert request.image_uri.endswith("/sagemaker-xgboost:1.7-1")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("path/model.tar.gz", "s3://assets/path/model.tar.gz"),
        ("/path/model.tar.gz", "s3://assets/path/model.tar.gz"),
        ("assets/path/model.tar.gz", "s3://assets/path/model.tar.gz"),
        ("s3://other/model.tar.gz", "s3://other/model.tar.gz"),
    ],
)
def test_a_path_without_a_bucket_is_in_the_assets_bucket(door, body, written, meant) -> None:
    request = door(body("realtime-builtin", model_artifact_location=written))

    assert request.model_artifact_location == meant


@pytest.mark.parametrize("written", ["bucket/capture", "bucket/capture/", "s3://bucket/capture/"])
def test_a_place_with_its_bucket_may_be_a_uri_too(door, body, written) -> None:
    request = door(body("realtime-builtin", data_capture_location=written))

    assert request.data_capture_location == "s3://bucket/capture"


def test_a_model_package_makes_it_a_registry_request_whatever_stands_beside_it(door, body) -> None:
    package = BODIES["realtime-registry"]["model_package_name"]

    request = door(body("realtime-builtin", model_package_name=package))

    assert request.model_package_name == package
    assert request.image_uri == request.model_artifact_location == request.algorithm == ""
    assert "the model package brings its own" in door.notes[0]


def test_a_container_of_ones_own_gets_no_variables_that_it_did_not_get(door, body) -> None:
    assert door(body("realtime-custom")).parameter_value("environment", "live") == {}


def test_numbers_and_switches_may_be_text_and_text_may_be_numbers(door, body) -> None:
    spelt = door(
        body(
            "training",
            instance_count="2",
            instance_volume_size=" 30 ",
            max_runtime_per_job=3600.0,
            encrypt_inner_traffic=False,
            use_spot_instances="FALSE",
            attribute_names="",
        )
    )
    threshold = door(
        body(
            "model-quality-binary",
            probability_threshold_attribute=0.8,
            monitor_inference_attribute=0,
            instance_volume_size=20,
        )
    )

    assert (spelt.instance_count, spelt.volume_size_gb, spelt.max_runtime_seconds) == (2, 30, 3600)
    assert (spelt.encrypt_inter_container_traffic, spelt.use_spot) == (False, False)
    assert threshold.probability_threshold == 0.8
    assert threshold.inference_attribute == "0"
    assert threshold.volume_size_gb == 20


def test_training_without_options_has_the_predecessors_defaults(door, body) -> None:
    required = ("pipeline_type", "model_name", "model_framework", "model_framework_version")
    required += ("training_data", "job_output_location", "algo_hyperparamaters")
    short = {key: value for key, value in BODIES["training"].items() if key in required}

    assert door(short) == door(body("training", job_name=..., validation_data=...))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("algo_hyperparamaters", "algo_hyperparameters"),
        ("algo_hyperparamaters", "hyperparameters"),
        ("hyperparamaters_ranges", "hyperparameters_ranges"),
        ("hyperparamaters_ranges", "hyperparameter_ranges"),
    ],
)
def test_misspelt_fields_may_be_spelt_properly(door, body, wrong, right) -> None:
    spelt = body("tuner", **{right: BODIES["tuner"][wrong], wrong: ...})

    assert door(spelt) == door(body("tuner"))


def test_a_field_in_both_spellings_is_refused(door, body) -> None:
    faults = door.refused(body("training", algo_hyperparameters={"eta": 1}))

    assert faults["algo_hyperparameters"].startswith("Stands for algo_hyperparamaters")


def test_a_tuning_keeps_its_objective_limits_and_ranges(door, body) -> None:
    request = door(body("tuner"))

    assert (request.objective_metric, request.objective_type) == ("validation:auc", "Maximize")
    assert (request.max_jobs, request.max_parallel_jobs) == (10, 2)
    assert (request.strategy, request.early_stopping) == ("Bayesian", "Auto")
    [eta], [depth] = request.continuous_ranges, request.integer_ranges
    assert (eta.name, eta.minimum, eta.maximum) == ("eta", 0.1, 0.5)
    assert (depth.name, depth.minimum, depth.maximum) == ("max_depth", 1, 15)
    assert request.categorical_ranges[0].values == ["sgd", "Adam"]
    assert request.hyperparameters == {"eval_metric": "auc", "num_round": "400"}


def test_a_tuned_hyperparameter_loses_its_fixed_value(door, body) -> None:
    request = door(body("tuner", algo_hyperparamaters={"eta": 0.3, "num_round": 5}))

    assert request.hyperparameters == {"num_round": "5"}
    assert "eta is tuned" in door.notes[-1]


def test_autopilot_gets_key_and_compression(door, body) -> None:
    key = BODIES["realtime-builtin"]["kms_key_arn"]

    request = door(body("autopilot", kms_key_arn=key))

    assert request.kms_key_arn == key
    assert request.compression == "Gzip"
    assert (request.max_candidates, request.max_total_seconds) == (10, 2592000)
    assert request.objective_metric == "F1"


def test_the_first_column_is_kept_as_model_scores(door, body) -> None:
    assert door(body("model-explainability")).model_scores == "0"


def test_clarifys_configurations_are_ours(door, body) -> None:
    bias = door(body("model-bias")).model_dump(mode="json")
    shap = door(body("model-explainability")).shap_config
    text = door(body("model-explainability", shap_config={"baseline": "shap/rows.csv"})).shap_config

    assert bias["bias_config"] == {
        "label_values_or_threshold": [1],
        "facets": [{"name": "age", "values_or_threshold": [40]}],
        "group_name": "g",
    }
    assert bias["model_predicted_label_config"]["probability"] == "0"
    assert bias["model_predicted_label_config"]["probability_threshold"] == 0.8
    assert (shap.baseline, shap.num_samples) == ([[0.1, 0.2]], 100)
    assert text.baseline_location == "s3://assets/shap/rows.csv"


def test_several_facets_have_a_list_of_values_each(door, body) -> None:
    config = {
        "label_values_or_threshold": [1],
        "facet_name": ["age", 3],
        "facet_values_or_threshold": [[40], None],
    }

    facets = door(body("model-bias", bias_config=config)).model_dump(mode="json")["bias_config"]

    assert facets["facets"] == [
        {"name": "age", "values_or_threshold": [40]},
        {"name": "3", "values_or_threshold": []},
    ]


@pytest.mark.parametrize(
    ("tag", "identity"),
    [("tag", "tag"), ("Latest", "latest"), ("1.0", "image-1-0-"), ("1_0", "image-1-0-")],
)
def test_an_image_is_known_by_its_tag(door, body, tag, identity) -> None:
    request = door(body("image-builder", image_tag=tag))

    assert request.model_name.startswith(identity)
    assert request.image_tag == tag
    assert request.repository_name == "repo"
    assert request.source_archive == "s3://assets/path/image.zip"


def test_no_two_tags_make_one_pipeline(door, body) -> None:
    tags = ("1.0", "1-0", "1_0", "v" * 60, "v" * 61, "image-1-0")

    assert len({door(body("image-builder", image_tag=tag)).model_name for tag in tags}) == len(tags)


def test_what_a_job_is_called_is_told_to_be_pipelines_own(door, body) -> None:
    door(body("training"))

    assert any(note.startswith("job_name: not used") for note in door.notes)


# Stages


def test_a_map_of_stages_is_a_map_of_stages(door, body) -> None:
    request = door(body("realtime-stages"), THREE)

    assert request.instance_type == {
        "dev": "ml.t3.medium",
        "staging": "ml.m5.large",
        "prod": "ml.m5.xlarge",
    }
    assert request.endpoint_name["staging"] == "e-stg"
    assert door.notes == ()


def test_a_stage_may_stand_for_one_of_the_predecessors(door, body) -> None:
    request = door(body("realtime-stages"), {"live": ("prod",)})

    assert request.endpoint_name == {"live": "e-prd"}
    assert "no stage dev or staging" in door.notes[0]


def test_other_stages_are_told_what_is_there(door, body) -> None:
    faults = door.refused(body("realtime-stages"), {"test": (), "prod": ()})

    assert "Says nothing for the stage test" in faults["inference_instance"]
    assert "it names dev, staging, prod" in faults["inference_instance"]
    assert set(faults) == {"inference_instance", "data_capture_location", "endpoint_name"}


def test_a_value_of_a_stage_is_refused_where_it_stands(door, body) -> None:
    wrong = {"dev": "ml.t3.medium", "staging": "large", "prod": "ml.m5.xlarge"}

    faults = door.refused(body("realtime-stages", inference_instance=wrong), THREE)

    assert list(faults) == ["inference_instance.staging"]


def test_one_endpoint_name_in_stages_of_one_account_stays_the_last_ones(door, body) -> None:
    request = door(body("realtime-builtin"), {"test": (), "live": ()})

    assert request.endpoint_name == {"test": "myendpoint-test", "live": "myendpoint"}
    assert "test has myendpoint-test" in door.notes[0]


# Faults, in their words


def test_every_fault_is_told_at_once_with_the_fields_of_the_body(door, body) -> None:
    faults = door.refused(
        body(
            "data-quality",
            model_name="my_model",
            instance_volume_size="many",
            monitor_max_runtime_seconds=100000,
            schedule_expression="hourly",
            baseline_data=...,
            endpoint_nam="ep",
            endpoint_name=...,
            kms_key_arn="key",
        )
    )

    assert set(faults) == {
        "model_name",
        "instance_volume_size",
        "monitor_max_runtime_seconds",
        "schedule_expression",
        "baseline_data",
        "endpoint_nam",
        "endpoint_name",
        "kms_key_arn",
    }
    assert "Did you mean 'endpoint_name'?" in faults["endpoint_nam"]
    assert "does not have the necessary parameter: baseline_data" in faults["baseline_data"]
    assert "whole number" in faults["instance_volume_size"]


@pytest.mark.parametrize("name", PIPELINES)
def test_no_fault_names_a_field_that_the_body_could_not_have(door, body, name) -> None:
    """Each value in turn is of a form that nothing takes."""
    stages = THREE if name.endswith("-stages") else {"live": ()}
    known = TYPES[BODIES[name]["pipeline_type"]].fields
    for field in body(name):
        if field == "pipeline_type":
            continue
        for wrong in ([None], {"x": []}, True, "\x00"):
            try:
                door(body(name, **{field: wrong}), stages)
            except Exception:
                faults = door.refused(body(name, **{field: wrong}), stages)
                assert {path.split(".")[0] for path in faults} <= set(known), (field, wrong, faults)


def test_what_a_contract_finds_between_fields_is_told_in_the_bodys_words(door, body) -> None:
    faults = door.refused(body("autopilot", job_objective=...))

    assert faults == {"job_objective": faults["job_objective"]}
    assert "objective_metric" not in faults["job_objective"]


def test_a_field_of_another_type_is_told_whose_it_is(door, body) -> None:
    faults = door.refused(body("batch-builtin", data_capture_location="bucket/capture"))

    assert "It belongs to byom_realtime_builtin" in faults["data_capture_location"]


def test_an_algorithm_that_is_not_there_is_told_with_the_nearest(door, body) -> None:
    faults = door.refused(body("training", model_framework="xgbost"))

    assert "Did you mean 'xgboost'?" in faults["model_framework"]


def test_a_range_is_refused_where_it_stands(door, body) -> None:
    ranges = {"eta": ["continuous", [0.5, 0.1]], "depth": ["whole", [1, 2]], "n": 3}

    faults = door.refused(body("tuner", hyperparamaters_ranges=ranges))

    assert set(faults) == {
        "hyperparamaters_ranges.eta",
        "hyperparamaters_ranges.depth",
        "hyperparamaters_ranges.n",
    }


def test_a_member_of_clarifys_configurations_is_refused_where_it_stands(door, body) -> None:
    bias = {"label_values_or_threshold": [], "facet_nam": "age"}
    shap = {"baseline": [[1]], "num_samples": "many", "text_config": {}}

    assert {"bias_config.facet_nam", "bias_config.label_values_or_threshold"} <= set(
        door.refused(body("model-bias", bias_config=bias))
    )
    assert set(door.refused(body("model-explainability", shap_config=shap))) == {
        "shap_config.num_samples",
        "shap_config.text_config",
    }
