"""What requests for training, tuning and Autopilot may hold, and what they come to."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from mlops_framework.blueprints import autopilot, training, tuning
from mlops_framework.contracts.base import PipelineRequest, Place
from mlops_framework.contracts.parameters import template_values
from mlops_framework.errors import RequestInvalid
from mlops_framework.registry import Registry

REGISTRY = Registry([training.BLUEPRINT, tuning.BLUEPRINT, autopilot.BLUEPRINT])
PLACE = Place("us-east-1", "aws", "111122223333", "data", "mlops-dev")
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1"
TRAINING = {
    "pipeline_type": "training",
    "model_name": "churn",
    "training_data": "s3://data/churn/train/",
    "image_uri": IMAGE,
}
TUNING = {
    **TRAINING,
    "pipeline_type": "tuning",
    "objective_metric": "validation:auc",
    "integer_ranges": [{"name": "max_depth", "minimum": 1, "maximum": 15}],
}
AUTOPILOT = {
    "pipeline_type": "autopilot",
    "model_name": "churn",
    "training_data": "s3://data/churn/train/",
    "target_attribute": "churned",
}


def taken(body: dict[str, Any], **changes: Any) -> PipelineRequest:
    return REGISTRY.parse({**body, **changes}).resolved(PLACE)


def values(body: dict[str, Any], **changes: Any) -> dict[str, str]:
    return template_values(taken(body, **changes), "dev")


def faults(body: dict[str, Any], **changes: Any) -> dict[str, str]:
    with pytest.raises(RequestInvalid) as caught:
        taken(body, **changes)
    return {fault.path: str(fault) for fault in caught.value.faults}


def test_an_own_container_gets_its_hyperparameters_as_they_are() -> None:
    given = values(TRAINING, hyperparameters={"depth": 3})

    assert json.loads(given["Hyperparameters"]) == {"depth": "3"}
    assert json.loads(given["InferenceEnvironment"]) == {}


def test_script_mode_says_which_script_and_where_it_is() -> None:
    given = values(TRAINING, source_archive="s3://data/code.tar.gz")

    assert json.loads(given["Hyperparameters"])["sagemaker_program"] == "train.py"
    assert json.loads(given["InferenceEnvironment"])["SAGEMAKER_PROGRAM"] == "inference.py"
    assert "s3://data/code.tar.gz*" in given["ReadLocations"].split(",")


def test_a_built_in_algorithm_brings_its_image_and_its_channel() -> None:
    body = {key: value for key, value in TRAINING.items() if key != "image_uri"}

    given = values(body, algorithm="xgboost", algorithm_version="1.7-1", content_type="text/csv")
    (channel,) = json.loads(given["InputDataConfig"])

    assert given["ImageUri"].endswith("/sagemaker-xgboost:1.7-1")
    assert given["InferenceImageUri"] == given["ImageUri"]
    assert channel["ChannelName"] == "train"
    assert channel["ContentType"] == "text/csv"


def test_resolving_again_changes_nothing_and_another_image_beside_the_algorithm_is_refused() -> (
    None
):
    once = taken(TUNING | {"image_uri": "", "algorithm": "xgboost", "algorithm_version": "1.7-1"})

    assert once.resolved(PLACE) == once
    assert (
        "algorithm" in faults(TRAINING, algorithm="xgboost", algorithm_version="1.7-1")["image_uri"]
    )
    assert (
        "1.7-1"
        in faults(TRAINING, image_uri="", algorithm="xgboost", algorithm_version="1.7")[
            "algorithm_version"
        ]
    )


def test_channels_carry_everything_that_an_algorithm_may_be_told() -> None:
    channel = {
        "name": "labels",
        "location": "s3://labels/all.manifest",
        "content_type": "application/x-image",
        "s3_data_type": "AugmentedManifestFile",
        "distribution": "ShardedByS3Key",
        "compression": "Gzip",
        "input_mode": "Pipe",
        "record_wrapping": "RecordIO",
        "attribute_names": ["source-ref", "class"],
    }

    given = values(
        TRAINING,
        channels=[channel],
        validation_data="s3://data/churn/validation/",
        readable_locations=["s3://images"],
    )
    training_channel, validation, labels = json.loads(given["InputDataConfig"])

    assert training_channel["ChannelName"] == "training"
    assert validation["ChannelName"] == "validation"
    assert labels == {
        "ChannelName": "labels",
        "ContentType": "application/x-image",
        "CompressionType": "Gzip",
        "InputMode": "Pipe",
        "RecordWrapperType": "RecordIO",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "AugmentedManifestFile",
                "S3Uri": "s3://labels/all.manifest",
                "S3DataDistributionType": "ShardedByS3Key",
                "AttributeNames": ["source-ref", "class"],
            }
        },
    }
    # A bucket alone is all that is in it, and no other bucket that begins with its name.
    assert "s3://images/*" in given["ReadLocations"].split(",")
    assert given["ReadBuckets"] == "s3://data,s3://images,s3://labels"


def test_a_spot_job_waits_twice_as_long_as_it_may_run_if_nothing_else_is_said() -> None:
    usual = values(TRAINING, use_spot=True, max_runtime_seconds={"dev": 600})
    given = values(TRAINING, use_spot=True, max_runtime_seconds=600, max_wait_seconds=900)

    assert json.loads(usual["StoppingCondition"]) == {
        "MaxRuntimeInSeconds": 600,
        "MaxWaitTimeInSeconds": 1200,
    }
    assert json.loads(given["StoppingCondition"])["MaxWaitTimeInSeconds"] == 900


def test_what_new_data_is_comes_out_of_the_location_and_the_marker() -> None:
    given = values(TRAINING, start_on_new_data=True, new_data_marker="_SUCCESS")

    assert given["NewDataBucket"] == "data"
    assert given["NewDataKeys"] == "churn/train/*_SUCCESS"


def test_a_tuning_is_told_to_sagemaker_as_one_object() -> None:
    given = values(
        TUNING,
        strategy="Hyperband",
        continuous_ranges=[
            {"name": "eta", "minimum": 0.01, "maximum": 0.5, "scaling": "Logarithmic"}
        ],
        categorical_ranges=[{"name": "booster", "values": ["gbtree", "dart"]}],
        hyperband_min_resource=1,
        hyperband_max_resource=27,
        max_jobs=30,
        max_tuning_seconds=3600,
        random_seed=7,
        warm_start_parents=["earlier"],
        warm_start_type="TransferLearning",
    )
    config = json.loads(given["TuningJobConfig"])

    assert config["Strategy"] == "Hyperband"
    assert config["StrategyConfig"] == {
        "HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 27}
    }
    assert config["ResourceLimits"] == {
        "MaxNumberOfTrainingJobs": 30,
        "MaxParallelTrainingJobs": 2,
        "MaxRuntimeInSeconds": 3600,
    }
    assert config["ParameterRanges"]["ContinuousParameterRanges"] == [
        {"Name": "eta", "MinValue": "0.01", "MaxValue": "0.5", "ScalingType": "Logarithmic"}
    ]
    assert config["RandomSeed"] == 7
    assert json.loads(given["WarmStart"]) == {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "earlier"}],
        "WarmStartType": "TransferLearning",
    }
    assert values(TUNING)["WarmStart"] == ""


@pytest.mark.parametrize(
    "strategy",
    [
        {"strategy": "Bayesian", "early_stopping": "Auto"},
        {"strategy": "Random", "early_stopping": "Auto", "random_seed": 7},
        {"strategy": "Hyperband", "hyperband_min_resource": 1, "hyperband_max_resource": 27},
        {
            "strategy": "Grid",
            "integer_ranges": [],
            "categorical_ranges": [{"name": "booster", "values": ["gbtree", "dart"]}],
        },
    ],
)
def test_every_strategy_is_told_as_the_service_takes_it(strategy: dict[str, Any]) -> None:
    config = json.loads(values(TUNING, **strategy)["TuningJobConfig"])
    shape = botocore.session.Session().get_service_model("sagemaker")
    taken = shape.shape_for("HyperParameterTuningJobConfig")

    assert ParamValidator().validate(config, taken).generate_report() == ""
    assert config["Strategy"] == strategy["strategy"]
    assert config["TrainingJobEarlyStoppingType"] == strategy.get("early_stopping", "Off")
    # SageMaker takes no limit on the jobs of a grid: it runs every combination.
    assert ("MaxNumberOfTrainingJobs" in config["ResourceLimits"]) == (
        strategy["strategy"] != "Grid"
    )


def test_an_autopilot_search_is_told_to_sagemaker_as_objects() -> None:
    given = values(
        AUTOPILOT,
        validation_data="s3://data/churn/validation/",
        problem_type="Regression",
        objective_metric="RMSE",
        max_candidates=5,
        max_runtime_seconds=600,
        max_total_seconds=7200,
        candidate_definitions_only=True,
        mode="HYPERPARAMETER_TUNING",
    )

    assert [each["ChannelType"] for each in json.loads(given["InputDataConfig"])] == [
        *("training", "validation")
    ]
    assert json.loads(given["TabularJobConfig"]) == {
        "TargetAttributeName": "churned",
        "Mode": "HYPERPARAMETER_TUNING",
        "ProblemType": "Regression",
        "GenerateCandidateDefinitionsOnly": True,
        "CompletionCriteria": {
            "MaxCandidates": 5,
            "MaxRuntimePerTrainingJobInSeconds": 600,
            "MaxAutoMLJobRuntimeInSeconds": 7200,
        },
    }


@pytest.mark.parametrize(
    ("body", "changes", "path"),
    [
        (TRAINING, {"image_uri": ""}, "image_uri"),
        (TRAINING, {"algorithm_version": "1"}, "algorithm"),
        (TRAINING, {"hyperparameters": {"sagemaker_program": "x"}}, "hyperparameters"),
        (TRAINING, {"channels": [{"name": "training", "location": "s3://data/x"}]}, "channels"),
        (TRAINING, {"attribute_names": ["a"]}, "attribute_names"),
        (TRAINING, {"evaluation_script": "s3://data/e.py"}, "evaluation_data"),
        (TRAINING, {"quality_threshold": 0.5}, "quality_threshold"),
        (TRAINING, {"max_wait_seconds": 10}, "max_wait_seconds"),
        (TRAINING, {"use_spot": True, "max_wait_seconds": 3599}, "max_wait_seconds"),
        (TRAINING, {"use_spot": True, "keep_alive_seconds": {"dev": 60}}, "keep_alive_seconds"),
        (TRAINING, {"start_on_new_data": True, "training_data": "s3://data"}, "training_data"),
        (
            TRAINING,
            {"start_on_new_data": True, "output_location": "s3://data/churn/train/models"},
            "output_location",
        ),
        (TRAINING, {"new_data_marker": "_SUCCESS"}, "new_data_marker"),
        (TRAINING, {"schedule_expression": "every monday"}, "schedule_expression"),
        (TUNING, {"integer_ranges": []}, "continuous_ranges"),
        (TUNING, {"hyperparameters": {"max_depth": 3}}, "integer_ranges"),
        (TUNING, {"strategy": "Grid"}, "integer_ranges"),
        (TUNING, {"strategy": "Hyperband", "early_stopping": "Auto"}, "early_stopping"),
        (TUNING, {"hyperband_max_resource": 9}, "hyperband_max_resource"),
        (TUNING, {"quality_metric": "train:auc"}, "quality_metric"),
        (TUNING, {"max_tuning_seconds": 60}, "max_tuning_seconds"),
        (AUTOPILOT, {"problem_type": "Regression"}, "objective_metric"),
        (AUTOPILOT, {"gate": True}, "objective_metric"),
        (AUTOPILOT, {"quality_threshold": 0.8}, "quality_threshold"),
        (AUTOPILOT, {"sample_weight_attribute": "w"}, "sample_weight_attribute"),
    ],
)
def test_what_contradicts_itself_is_refused_where_it_stands(
    body: dict[str, Any], changes: dict[str, Any], path: str
) -> None:
    told = faults(body, **changes)

    assert any(each.partition(".")[0] == path for each in told), told


def test_a_request_that_no_parameter_holds_is_refused_with_the_field_to_shorten() -> None:
    channels = [
        {"name": f"c{number}", "location": f"s3://data/{'x' * 200}/{number}"}
        for number in range(18)
    ]

    assert "4096" in faults(TRAINING, channels=channels)["channels"]
