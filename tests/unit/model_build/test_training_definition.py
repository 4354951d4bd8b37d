"""The model build of the training blueprint."""

from __future__ import annotations

import dataclasses
import json

from mlops_framework.aws.step_arguments import step_argument_faults
from mlops_framework.model_build import (
    ModelBuild,
    PipelineDefinition,
    ProcessingStep,
    Splice,
    TrainingStep,
    model_build_definition,
)

KEY = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
BUILD = ModelBuild(
    role_arn="arn:aws:iam::111122223333:role/mlops/jobs",
    image_uri="111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3",
    training_data="s3://data/train.csv",
    evaluation_data="s3://data/evaluation.csv",
    source_archive="s3://code/source.tar.gz",
    evaluation_script="s3://code/evaluate.py",
    inference_entry_point="inference.py",
    output_location="s3://models/census",
    hyperparameters={"max-depth": "5"},
    instance_type="ml.m5.large",
    instance_count=1,
    volume_size_gb=30,
    max_runtime_seconds=3600,
    metric="accuracy",
    comparison="GreaterThanOrEqualTo",
    direction="at-least",
    threshold=0.75,
    model_package_group="census",
    kms_key_arn=KEY,
)


def test_steps_are_train_evaluate_gate_and_the_two_ends() -> None:
    names = [step.name for step in model_build_definition(BUILD).all_steps()]

    assert names == ["Train", "Evaluate", "Gate", "Register", "Reject"]


def test_every_argument_is_one_the_service_knows() -> None:
    assert step_argument_faults(model_build_definition(BUILD)) == []


def test_template_values_pass_the_check_as_unknown_yet() -> None:
    build = dataclasses.replace(
        BUILD,
        role_arn="${RoleArn}",
        hyperparameters=Splice("Hyperparameters"),
        instance_type="${InstanceType}",
        instance_count=Splice("InstanceCount"),
        threshold=Splice("QualityThreshold"),
        comparison="${QualityComparison}",
    )

    definition = model_build_definition(build)

    assert step_argument_faults(definition) == []
    assert definition.splices() == {
        "RoleArn",
        "Hyperparameters",
        "InstanceType",
        "InstanceCount",
        "QualityThreshold",
        "QualityComparison",
    }


def test_isolation_and_network_reach_both_jobs() -> None:
    network = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    build = dataclasses.replace(BUILD, vpc_config=network, network_isolation=True)

    text = json.loads(model_build_definition(build).to_template_text())

    train, evaluate = text["Steps"][0]["Arguments"], text["Steps"][1]["Arguments"]
    assert train["VpcConfig"] == evaluate["NetworkConfig"]["VpcConfig"] == network
    assert train["EnableNetworkIsolation"] is True
    assert evaluate["NetworkConfig"]["EnableNetworkIsolation"] is True


def test_the_gate_compares_the_metric_of_the_report() -> None:
    text = json.loads(model_build_definition(BUILD).to_template_text())

    (condition,) = text["Steps"][2]["Arguments"]["Conditions"]

    assert condition == {
        "Type": "GreaterThanOrEqualTo",
        "LeftValue": {
            "Std:JsonGet": {
                "PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.EvaluationReport"},
                "Path": "metrics.accuracy.value",
            }
        },
        "RightValue": 0.75,
    }


def test_a_registered_model_waits_for_approval() -> None:
    text = json.loads(model_build_definition(BUILD).to_template_text())

    (register,) = text["Steps"][2]["Arguments"]["IfSteps"]

    assert register["Arguments"]["ModelApprovalStatus"] == "PendingManualApproval"


def test_the_gate_says_what_was_measured_and_what_is_required() -> None:
    text = json.loads(model_build_definition(BUILD).to_template_text())

    (reject,) = text["Steps"][2]["Arguments"]["ElseSteps"]

    said = reject["Arguments"]["ErrorMessage"]["Std:Join"]["Values"]
    assert said[0] == "accuracy is "
    assert said[1] == text["Steps"][2]["Arguments"]["Conditions"][0]["LeftValue"]
    assert said[2] == ", at-least 0.75 is required; the model was not registered"


def test_seeded_mistakes_are_each_found() -> None:
    train = model_build_definition(BUILD).steps[0]
    assert isinstance(train, TrainingStep)
    arguments = dict(train.arguments)
    arguments["TrainingJobName"] = "mine"
    arguments["RollArn"] = arguments.pop("RoleArn")
    arguments["ResourceConfig"] = {"InstanceType": "ml.m5.huge", "InstanceCount": "one"}
    arguments["InputDataConfig"] = {}
    definition = PipelineDefinition((TrainingStep(name="Train", arguments=arguments),))

    faults = "\n".join(step_argument_faults(definition))

    assert "Train.TrainingJobName: Pipelines names the job itself" in faults
    assert "Train.RoleArn: required" in faults
    assert "Train.RollArn: unknown" in faults
    assert "Train.ResourceConfig.InstanceType: 'ml.m5.huge' is not one of" in faults
    assert "Train.ResourceConfig.InstanceCount: a integer is wanted" in faults
    assert "Train.InputDataConfig: a list is wanted" in faults


def test_limits_of_numbers_and_text_are_checked() -> None:
    step = ProcessingStep(
        name="Evaluate",
        arguments={
            "AppSpecification": {"ImageUri": "x" * 300},
            "RoleArn": BUILD.role_arn,
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceType": "ml.m5.large",
                    "InstanceCount": 0,
                    "VolumeSizeInGB": True,
                }
            },
        },
    )

    faults = "\n".join(step_argument_faults(PipelineDefinition((step,))))

    assert "ImageUri: 300 is above the most accepted, 255" in faults
    assert "InstanceCount: 0 is below the least accepted, 1" in faults
    assert "VolumeSizeInGB: a integer is wanted, found True" in faults
