"""From a trained model to the registry: evaluate, compare, register or say why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops_framework.model_build.expressions import Expression, Splice, execution, join
from mlops_framework.model_build.jobs import TrainingJobs
from mlops_framework.model_build.steps import (
    Comparison,
    ConditionStep,
    FailStep,
    ProcessingStep,
    PropertyFile,
    RegisterModelStep,
    Step,
)

_PROCESSING = "/opt/ml/processing"
_REPORT = "evaluation.json"
UNGATED = "Registered without a quality gate: the request asks for no quality metric."


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A script that measures the model on data it has not seen.

    Attributes:
        image_uri: Image that runs it.
        script: S3 object, a Python file that writes ``evaluation.json``.
        script_name: The file's name.
        data: S3 prefix or object the model has not seen.
        max_runtime_seconds: Limit of the job, seconds.
    """

    image_uri: str
    script: str
    data: str
    max_runtime_seconds: Splice | int
    script_name: str = "evaluate.py"


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What a model has to reach.

    Attributes:
        metric: Name; below ``metrics`` in ``evaluation.json``, where its ``value`` is compared, or
            of the training job's own metric.
        comparison: SageMaker's condition type: passing means ``metric <comparison> threshold``.
        direction: The comparison in words, ``at-least`` or ``at-most``, for the gate's message.
        threshold: The bound.
    """

    metric: str
    comparison: str
    direction: str
    threshold: Splice | float


@dataclass(frozen=True, kw_only=True)
class Registration:
    """How the model is registered.

    Attributes:
        group: Model package group.
        image_uri: Image that serves the model.
        environment: Variables of that container.
    """

    group: str
    image_uri: str
    environment: Splice | Mapping[str, str]


def to_registry(
    jobs: TrainingJobs,
    model: Expression,
    own_metric: Expression | None,
    *,
    evaluation: Evaluation | None,
    gate: Gate | None,
    registration: Registration,
) -> tuple[Step, ...]:
    """The steps after training.

    Args:
        jobs: For role, key, network and size of the evaluation.
        model: Where the model's archive lies.
        own_metric: The gate's metric as the training job tells it, for builds without evaluation.
        evaluation: None to take the training's own metric.
        gate: None to register every model.
        registration: Where and how.

    Raises:
        ValueError: There is a gate and nothing it could compare.
    """
    if gate is None:
        return (_register(model, registration, None, gated=False),)
    evaluate = _evaluate(jobs, model, evaluation) if evaluation else None
    metric = own_metric
    if evaluate:
        metric = evaluate.value_in("EvaluationReport", f"metrics.{gate.metric}.value")
    if metric is None:
        raise ValueError(f"the gate on {gate.metric} has neither an evaluation nor a metric")
    check = ConditionStep(
        name="Gate",
        conditions=(Comparison(gate.comparison, metric, gate.threshold),),
        if_steps=(_register(model, registration, evaluate),),
        else_steps=(_reject(gate, metric),),
    )
    return (evaluate, check) if evaluate else (check,)


def _evaluate(jobs: TrainingJobs, model: Expression, evaluation: Evaluation) -> ProcessingStep:
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
        "EnableNetworkIsolation": jobs.network_isolation,
        "EnableInterContainerTrafficEncryption": jobs.encrypt_traffic,
    }
    if jobs.vpc_config:
        network["VpcConfig"] = dict(jobs.vpc_config)
    report = join("/", [jobs.output_location, execution("PipelineExecutionId"), "evaluation"])
    arguments = {
        "AppSpecification": {
            "ImageUri": evaluation.image_uri,
            "ContainerEntrypoint": [
                "python3",
                f"{_PROCESSING}/input/code/{evaluation.script_name}",
            ],
        },
        "RoleArn": jobs.role_arn,
        "ProcessingInputs": [
            given("code", evaluation.script, "input/code"),
            given("model", model, "model"),
            given("test", evaluation.data, "test"),
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
            "KmsKeyId": jobs.kms_key_arn,
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": jobs.instance_type,
                # The report is one file about one model, whatever the training's size.
                "InstanceCount": 1,
                "VolumeSizeInGB": jobs.volume_size_gb,
                "VolumeKmsKeyId": jobs.volume_key or jobs.kms_key_arn,
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": evaluation.max_runtime_seconds},
        "NetworkConfig": network,
    }
    return ProcessingStep(
        name="Evaluate",
        arguments=arguments,
        property_files=(PropertyFile("EvaluationReport", "evaluation", _REPORT),),
    )


def _register(
    model: Expression,
    registration: Registration,
    evaluate: ProcessingStep | None,
    *,
    gated: bool = True,
) -> RegisterModelStep:
    arguments: dict[str, Any] = {
        "ModelPackageGroupName": registration.group,
        "ModelApprovalStatus": "PendingManualApproval",
        **({} if gated else {"ModelPackageDescription": UNGATED}),
        "InferenceSpecification": {
            "Containers": [
                {
                    "Image": registration.image_uri,
                    "ModelDataUrl": model,
                    "Environment": registration.environment,
                }
            ],
            "SupportedContentTypes": ["text/csv", "application/json"],
            "SupportedResponseMIMETypes": ["text/csv", "application/json"],
        },
    }
    if evaluate:
        where = evaluate.result("ProcessingOutputConfig.Outputs['evaluation'].S3Output.S3Uri")
        report = {"ContentType": "application/json", "S3Uri": join("/", [where, _REPORT])}
        arguments["ModelMetrics"] = {"ModelQuality": {"Statistics": report}}
    return RegisterModelStep(name="Register", arguments=arguments)


def _reject(gate: Gate, metric: Expression) -> FailStep:
    bound = (
        f"${{{gate.threshold.name}}}"
        if isinstance(gate.threshold, Splice)
        else f"{gate.threshold:g}"
    )
    said = f", {gate.direction} {bound} is required; the model was not registered"
    return FailStep(name="Reject", message=join("", [f"{gate.metric} is ", metric, said]))
