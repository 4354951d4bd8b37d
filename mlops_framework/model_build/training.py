"""The model build that the training blueprint deploys: train, evaluate, gate, register."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops_framework.model_build.definition import PipelineDefinition
from mlops_framework.model_build.expressions import Splice, execution, join
from mlops_framework.model_build.steps import (
    Comparison,
    ConditionStep,
    FailStep,
    ProcessingStep,
    PropertyFile,
    RegisterModelStep,
    TrainingStep,
)

_PROCESSING = "/opt/ml/processing"


@dataclass(frozen=True, kw_only=True)
class ModelBuild:
    """What differs between two model builds.

    Every string may hold ``${Name}`` for ``Fn::Sub``; numbers and maps that the template decides
    are a :class:`Splice`.

    Attributes:
        role_arn: Execution role of the jobs.
        image_uri: Image with the framework's script mode, for training, evaluation and serving.
        training_data: S3 prefix or object of the ``training`` channel.
        evaluation_data: S3 prefix or object the model has not seen.
        source_archive: S3 object, ``.tar.gz`` with the training and inference scripts.
        evaluation_script: S3 object named ``evaluate.py`` that writes ``evaluation.json``.
        inference_entry_point: Script in ``source_archive`` that serves the model.
        output_location: S3 prefix for models and reports.
        hyperparameters: JSON map of strings, script mode's own two among them.
        instance_type: Of both jobs.
        instance_count: Of the training job.
        volume_size_gb: Of both jobs, GB.
        max_runtime_seconds: Limit of each job, seconds.
        metric: Name below ``metrics`` in ``evaluation.json``; its ``value`` is compared.
        comparison: SageMaker's condition type: passing means ``metric <comparison> threshold``.
        direction: The comparison in words, ``at-least`` or ``at-most``, for the gate's message.
        threshold: The gate's bound.
        model_package_group: Where the passing model is registered.
        kms_key_arn: Key for volumes and outputs.
        vpc_config: ``{"Subnets": [...], "SecurityGroupIds": [...]}`` for both jobs, or none.
        network_isolation: Whether the containers may make no network call of their own.
    """

    role_arn: str
    image_uri: str
    training_data: str
    evaluation_data: str
    source_archive: str
    evaluation_script: str
    inference_entry_point: str
    output_location: str
    hyperparameters: Splice | Mapping[str, str]
    instance_type: str
    instance_count: Splice | int
    volume_size_gb: Splice | int
    max_runtime_seconds: Splice | int
    metric: str
    comparison: str
    direction: str
    threshold: Splice | float
    model_package_group: str
    kms_key_arn: str
    vpc_config: Mapping[str, Any] | None = None
    network_isolation: bool = False


def model_build_definition(build: ModelBuild) -> PipelineDefinition:
    """Train -> Evaluate -> Gate -> Register, or Fail with the gate's numbers.

    The registered package waits for a person (``PendingManualApproval``) and carries the
    evaluation as its model quality statistics.
    """
    train = _train(build)
    evaluate = _evaluate(build, train)
    metric = evaluate.value_in("EvaluationReport", f"metrics.{build.metric}.value")
    gate = ConditionStep(
        name="Gate",
        conditions=(Comparison(build.comparison, metric, build.threshold),),
        if_steps=(_register(build, train, evaluate),),
        else_steps=(_reject(build, metric),),
    )
    return PipelineDefinition((train, evaluate, gate))


def _s3_channel(uri: str) -> dict[str, Any]:
    return {
        "S3DataSource": {
            "S3DataType": "S3Prefix",
            "S3Uri": uri,
            "S3DataDistributionType": "FullyReplicated",
        }
    }


def _train(build: ModelBuild) -> TrainingStep:
    arguments: dict[str, Any] = {
        "AlgorithmSpecification": {
            "TrainingImage": build.image_uri,
            "TrainingInputMode": "File",
        },
        "RoleArn": build.role_arn,
        "HyperParameters": build.hyperparameters,
        "InputDataConfig": [
            {"ChannelName": "training", "DataSource": _s3_channel(build.training_data)}
        ],
        "OutputDataConfig": {
            "S3OutputPath": build.output_location,
            "KmsKeyId": build.kms_key_arn,
        },
        "ResourceConfig": {
            "InstanceType": build.instance_type,
            "InstanceCount": build.instance_count,
            "VolumeSizeInGB": build.volume_size_gb,
            "VolumeKmsKeyId": build.kms_key_arn,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": build.max_runtime_seconds},
        "EnableInterContainerTrafficEncryption": True,
        "EnableNetworkIsolation": build.network_isolation,
    }
    if build.vpc_config:
        arguments["VpcConfig"] = dict(build.vpc_config)
    return TrainingStep(name="Train", arguments=arguments)


def _evaluate(build: ModelBuild, train: TrainingStep) -> ProcessingStep:
    def given(name: str, uri: object, folder: str) -> dict[str, Any]:
        return {
            "InputName": name,
            "S3Input": {
                "S3Uri": uri,
                "LocalPath": f"{_PROCESSING}/{folder}",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
                "S3DataDistributionType": "FullyReplicated",
                "S3CompressionType": "None",
            },
        }

    network: dict[str, Any] = {
        "EnableNetworkIsolation": build.network_isolation,
        "EnableInterContainerTrafficEncryption": True,
    }
    if build.vpc_config:
        network["VpcConfig"] = dict(build.vpc_config)
    report = join("/", [build.output_location, execution("PipelineExecutionId"), "evaluation"])
    arguments = {
        "AppSpecification": {
            "ImageUri": build.image_uri,
            "ContainerEntrypoint": ["python3", f"{_PROCESSING}/input/code/evaluate.py"],
        },
        "RoleArn": build.role_arn,
        "ProcessingInputs": [
            given("code", build.evaluation_script, "input/code"),
            given("model", train.result("ModelArtifacts.S3ModelArtifacts"), "model"),
            given("test", build.evaluation_data, "test"),
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "evaluation",
                    "S3Output": {
                        "S3Uri": report,
                        "LocalPath": f"{_PROCESSING}/evaluation",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ],
            "KmsKeyId": build.kms_key_arn,
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": build.instance_type,
                # The report is one file about one model, whatever the training's size.
                "InstanceCount": 1,
                "VolumeSizeInGB": build.volume_size_gb,
                "VolumeKmsKeyId": build.kms_key_arn,
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": build.max_runtime_seconds},
        "NetworkConfig": network,
    }
    return ProcessingStep(
        name="Evaluate",
        arguments=arguments,
        property_files=(PropertyFile("EvaluationReport", "evaluation", "evaluation.json"),),
    )


def _register(
    build: ModelBuild, train: TrainingStep, evaluate: ProcessingStep
) -> RegisterModelStep:
    report = join(
        "/",
        [
            evaluate.result("ProcessingOutputConfig.Outputs['evaluation'].S3Output.S3Uri"),
            "evaluation.json",
        ],
    )
    return RegisterModelStep(
        name="Register",
        arguments={
            "ModelPackageGroupName": build.model_package_group,
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": build.image_uri,
                        "ModelDataUrl": train.result("ModelArtifacts.S3ModelArtifacts"),
                        "Environment": {
                            "SAGEMAKER_PROGRAM": build.inference_entry_point,
                            "SAGEMAKER_SUBMIT_DIRECTORY": build.source_archive,
                        },
                    }
                ],
                "SupportedContentTypes": ["text/csv", "application/json"],
                "SupportedResponseMIMETypes": ["text/csv", "application/json"],
            },
            "ModelMetrics": {
                "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": report}}
            },
        },
    )


def _reject(build: ModelBuild, metric: Mapping[str, Any]) -> FailStep:
    bound = (
        f"${{{build.threshold.name}}}"
        if isinstance(build.threshold, Splice)
        else (f"{build.threshold:g}")
    )
    return FailStep(
        name="Reject",
        message=join(
            "",
            [
                f"{build.metric} is ",
                metric,
                f", {build.direction} {bound} is required; the model was not registered",
            ],
        ),
    )
