"""The model build of the training blueprint."""

from __future__ import annotations

import dataclasses
import json

from mlops_framework.aws.step_arguments import step_argument_faults
from mlops_framework.model_build import (
    Evaluation,
    Gate,
    ModelBuild,
    ModelTuning,
    PipelineDefinition,
    ProcessingStep,
    Registration,
    Splice,
    TrainingJobs,
    TrainingStep,
    model_build_definition,
    model_tuning_definition,
)

KEY = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
JOBS = TrainingJobs(
    role_arn="arn:aws:iam::111122223333:role/mlops/jobs",
    image_uri=IMAGE,
    channels=[
        {
            "ChannelName": "training",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": "s3://data/train.csv",
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
        }
    ],
    hyperparameters={"max-depth": "5"},
    output_location="s3://models/census",
    instance_type="ml.m5.large",
    instance_count=1,
    volume_size_gb=30,
    stopping_condition={"MaxRuntimeInSeconds": 3600},
    kms_key_arn=KEY,
)
EVALUATION = Evaluation(
    image_uri=IMAGE,
    script="s3://code/evaluate.py",
    data="s3://data/evaluation.csv",
    max_runtime_seconds=3600,
)
GATE = Gate(
    metric="accuracy", comparison="GreaterThanOrEqualTo", direction="at-least", threshold=0.75
)
REGISTRATION = Registration(
    group="census", image_uri=IMAGE, environment={"SAGEMAKER_PROGRAM": "inference.py"}
)
BUILD = ModelBuild(jobs=JOBS, registration=REGISTRATION, evaluation=EVALUATION, gate=GATE)


def test_steps_are_train_evaluate_gate_and_the_two_ends() -> None:
    names = [step.name for step in model_build_definition(BUILD).all_steps()]

    assert names == ["Train", "Evaluate", "Gate", "Register", "Reject"]


def test_every_argument_is_one_the_service_knows() -> None:
    assert step_argument_faults(model_build_definition(BUILD)) == []


def test_template_values_pass_the_check_as_unknown_yet() -> None:
    jobs = dataclasses.replace(
        JOBS,
        role_arn="${RoleArn}",
        hyperparameters=Splice("Hyperparameters"),
        instance_type="${InstanceType}",
        instance_count=Splice("InstanceCount"),
        keep_alive_seconds=Splice("KeepAliveSeconds"),
        spot=Splice("UseSpot"),
        checkpoint_location="${Checkpoints}",
    )
    gate = dataclasses.replace(
        GATE, threshold=Splice("QualityThreshold"), comparison="${QualityComparison}"
    )
    build = dataclasses.replace(BUILD, jobs=jobs, gate=gate)

    definition = model_build_definition(build)

    assert step_argument_faults(definition) == []
    assert definition.splices() == {
        "RoleArn",
        "Hyperparameters",
        "InstanceType",
        "InstanceCount",
        "KeepAliveSeconds",
        "WarmPoolMember",
        "UseSpot",
        "SpotMembers",
        "Checkpoints",
        "QualityThreshold",
        "QualityComparison",
    }


def test_isolation_and_network_reach_both_jobs() -> None:
    network = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    jobs = dataclasses.replace(JOBS, vpc_config=network, network_isolation=True)
    build = dataclasses.replace(BUILD, jobs=jobs)

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


def test_without_an_evaluation_the_gate_reads_the_final_metric_of_the_training_job() -> None:
    gate = dataclasses.replace(GATE, metric="validation:auc")
    build = dataclasses.replace(BUILD, evaluation=None, gate=gate)

    text = json.loads(model_build_definition(build).to_template_text())

    train, check = text["Steps"]
    assert train["Name"] == "Train"
    (condition,) = check["Arguments"]["Conditions"]
    assert condition["LeftValue"] == {
        "Get": "Steps.Train.FinalMetricDataList['validation:auc'].Value"
    }
    assert "ModelMetrics" not in check["Arguments"]["IfSteps"][0]["Arguments"]


def test_a_model_that_nobody_judges_is_registered_and_says_so() -> None:
    build = dataclasses.replace(BUILD, evaluation=None, gate=None)

    train, register = json.loads(model_build_definition(build).to_template_text())["Steps"]

    assert (train["Name"], register["Name"]) == ("Train", "Register")
    assert register["Arguments"]["ModelApprovalStatus"] == "PendingManualApproval"
    assert "no quality metric" in register["Arguments"]["ModelPackageDescription"]


TUNING = ModelTuning(
    jobs=JOBS,
    config={
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "accuracy"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
    },
    registration=REGISTRATION,
    evaluation=EVALUATION,
    gate=GATE,
)


def test_the_best_model_of_a_tuning_is_evaluated_gated_and_registered() -> None:
    definition = model_tuning_definition(TUNING)

    text = json.loads(definition.to_template_text())
    tune, evaluate, gate = text["Steps"]
    best = {"Get": "Steps.Tune.TrainingJobSummaries[0].TrainingJobName"}
    model = {"Std:Join": {"On": "/", "Values": ["s3://models/census", best, "output/model.tar.gz"]}}
    assert step_argument_faults(definition) == []
    assert tune["Type"] == "Tuning"
    assert tune["Arguments"]["TrainingJobDefinition"]["StaticHyperParameters"] == {"max-depth": "5"}
    assert evaluate["Arguments"]["ProcessingInputs"][1]["S3Input"]["S3Uri"] == model
    container = gate["Arguments"]["IfSteps"][0]["Arguments"]["InferenceSpecification"]["Containers"]
    assert container[0]["ModelDataUrl"] == model


def test_without_an_evaluation_a_tuning_is_judged_by_its_objective() -> None:
    build = dataclasses.replace(TUNING, evaluation=None, warm_start=Splice("WarmStart"))

    definition = model_tuning_definition(build)

    tune, gate = json.loads(definition.to_template_text().replace("${WarmStartMember}", ""))[
        "Steps"
    ]
    (condition,) = gate["Arguments"]["Conditions"]
    assert "WarmStartConfig" not in tune["Arguments"]
    assert definition.to_template().options == {
        "WarmStartMember": '"WarmStartConfig":${WarmStart},'
    }
    assert condition["LeftValue"] == {
        "Get": "Steps.Tune.BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value"
    }


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
            "RoleArn": JOBS.role_arn,
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
