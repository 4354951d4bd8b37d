"""Where each parameter of the predecessor's templates stands in the resources that ours create."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from mlops_framework.contracts.base import PipelineRequest
from mlops_framework.images import image_uri
from tests.contracts.deployed import Deployed

ASSETS = "assets-bucket"
_IMAGE = re.compile(r"<image-uri framework=(\S+) region=(\S+) version=(\S+)>")

Expected = Callable[[str], Any]
Found = str | Callable[[Deployed, PipelineRequest], Any]


def same(value: str) -> Any:
    return value


def asset(value: str) -> str:
    return value if value.startswith("s3://") else f"s3://{ASSETS}/{value}"


def place(value: str) -> str:
    return f"s3://{value}"


def image(value: str) -> str:
    looked_up = _IMAGE.fullmatch(value)
    if looked_up is None:
        return value
    framework, region, version = looked_up.groups()
    return image_uri(framework, "" if version == "None" else version, region)


def small(value: str) -> str:
    return value.lower()


def switch(value: str) -> bool:
    return value == "True"


def texts(value: str) -> dict[str, str]:
    return {name: str(each) for name, each in json.loads(value).items()}


def of_pipeline(step: str, path: str) -> str:
    steps = "SageMaker/Pipeline:PipelineDefinition/PipelineDefinitionBody/Steps"
    return f"{steps}/Name={step}/Arguments/{path}"


def batch_input(deployed: Deployed, _: PipelineRequest) -> str:
    uri = deployed.at(of_pipeline("Transform", "TransformInput/DataSource/S3DataSource/S3Uri"))
    body = "SageMaker/Pipeline:PipelineDefinition/PipelineDefinitionBody"
    key = deployed.at(f"{body}/Parameters/Name=InputKey/DefaultValue")
    return "/".join(key if isinstance(part, dict) else part for part in uri["Std:Join"]["Values"])


def analysis(deployed: Deployed, request: PipelineRequest) -> dict[str, Any]:
    """What Clarify is told for the baseline, members of the predictor among the others."""
    (text,) = request.documents(deployed.value("Stage")).values()
    config: dict[str, Any] = json.loads(text)["baseline"]
    return {**config.get("predictor", {}), **config}


def bias_analysis(deployed: Deployed, request: PipelineRequest) -> dict[str, Any]:
    names = ("label_values_or_threshold", "facet", "group_variable")
    return members(analysis(deployed, request), names)


def bias(value: str) -> dict[str, Any]:
    """As Clarify's SDK writes a BiasConfig: one facet, or a list with a list of values each."""
    given = json.loads(value)
    names, values = given["facet_name"], given.get("facet_values_or_threshold")
    pairs = zip(names, values, strict=True) if isinstance(names, list) else [(names, values)]
    facets = [
        {"name_or_index": name} | ({} if some is None else {"value_or_threshold": some})
        for name, some in pairs
    ]
    group = {"group_variable": given["group_name"]} if given.get("group_name") else {}
    labels = given["label_values_or_threshold"]
    return {"label_values_or_threshold": labels, "facet": facets, **group}


PREDICTED = ("label", "probability", "probability_threshold", "label_headers")


def predicted_analysis(deployed: Deployed, request: PipelineRequest) -> dict[str, Any] | None:
    found = analysis(deployed, request)
    config = {**found, "label": found["predictor"].get("label")}
    return members(config, PREDICTED) or None


def predicted(value: str) -> dict[str, Any]:
    """The threshold is a half where it is not given, as it is Clarify's."""
    return {"probability_threshold": 0.5, **json.loads(value)}


def shap_analysis(deployed: Deployed, request: PipelineRequest) -> dict[str, Any]:
    found: dict[str, Any] = analysis(deployed, request)["methods"]["shap"]
    return found


def shap(value: str) -> dict[str, Any]:
    """With the values that Clarify's SDK takes for what is left out."""
    given = json.loads(value)
    rows = given.get("baseline")
    if isinstance(rows, str):
        given["baseline"] = asset(rows)
    return {"agg_method": "mean_abs", "use_logit": False, "save_local_shap_values": True} | given


def scores(deployed: Deployed, request: PipelineRequest) -> Any:
    return analysis(deployed, request)["predictor"].get("label")


def members(document: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: document[name] for name in names if document.get(name) is not None}


SERVED: Mapping[str, tuple[Found, Expected]] = {
    "ModelArtifactLocation": ("SageMaker/Model:PrimaryContainer/ModelDataUrl", asset),
    "ImageUri": ("SageMaker/Model:PrimaryContainer/Image", image),
    "ModelPackageName": ("SageMaker/Model:PrimaryContainer/ModelPackageName", same),
}
VARIANT = "SageMaker/EndpointConfig:ProductionVariants/0"


def watched(monitor: str) -> dict[str, tuple[Found, Expected]]:
    """Of a monitor: of its job definition, its schedule and its baseline job."""
    job = f"SageMaker/{monitor}JobDefinition"
    cluster = f"{job}:JobResources/ClusterConfig"
    endpoint = f"{job}:{monitor}JobInput/EndpointInput"
    return {
        "EndpointName": (f"{endpoint}/EndpointName", same),
        "ImageUri": (f"{job}:{monitor}AppSpecification/ImageUri", image),
        "InstanceType": (f"{cluster}/InstanceType", small),
        "InstanceVolumeSize": (f"{cluster}/VolumeSizeInGB", same),
        "MonitorMaxRuntimeSeconds": (f"{job}:StoppingCondition/MaxRuntimeInSeconds", same),
        "MonitoringOutputLocation": (
            f"{job}:{monitor}JobOutputConfig/MonitoringOutputs/0/S3Output/S3Uri",
            place,
        ),
        "ScheduleExpression": (
            "SageMaker/MonitoringSchedule:MonitoringScheduleConfig/ScheduleConfig/"
            "ScheduleExpression",
            same,
        ),
        "MonitorInferenceAttribute": (f"{endpoint}/InferenceAttribute", same),
        "MonitorProbabilityAttribute": (f"{endpoint}/ProbabilityAttribute", same),
        "ProbabilityThresholdAttribute": (f"{endpoint}/ProbabilityThresholdAttribute", same),
        "FeaturesAttribute": (f"{endpoint}/FeaturesAttribute", same),
        "MonitorGroundTruthInput": (f"{job}:{monitor}JobInput/GroundTruthS3Input/S3Uri", place),
        "KmsKeyArn": (f"{cluster}/VolumeKmsKeyId", same),
    }


def baseline(uri: str, runtime: str) -> dict[str, tuple[Found, Expected]]:
    return {"BaselineData": (uri, asset), "BaselineMaxRuntimeSeconds": (runtime, same)}


BASELINE = baseline(
    of_pipeline("Baseline", "ProcessingInputs/InputName=baseline_dataset_input/S3Input/S3Uri"),
    of_pipeline("Baseline", "StoppingCondition/MaxRuntimeInSeconds"),
)
CLARIFIED = baseline(
    of_pipeline("Baseline", "ProcessingInputs/InputName=dataset/S3Input/S3Uri"),
    of_pipeline("Baseline", "StoppingCondition/MaxRuntimeInSeconds"),
)


def trained(job: str) -> dict[str, tuple[Found, Expected]]:
    data = f"{job}/InputDataConfig/ChannelName"
    train = f"{data}=train"
    return {
        "ImageUri": (f"{job}/AlgorithmSpecification/TrainingImage", image),
        "InstanceType": (f"{job}/ResourceConfig/InstanceType", small),
        "JobInstanceCount": (f"{job}/ResourceConfig/InstanceCount", same),
        "InstanceVolumeSize": (f"{job}/ResourceConfig/VolumeSizeInGB", same),
        "JobOutputLocation": (f"{job}/OutputDataConfig/S3OutputPath", asset),
        "TrainingData": (f"{train}/DataSource/S3DataSource/S3Uri", asset),
        "ValidationData": (f"{data}=validation/DataSource/S3DataSource/S3Uri", asset),
        "EncryptInnerTraffic": (f"{job}/EnableInterContainerTrafficEncryption", switch),
        "MaxRuntimePerJob": (f"{job}/StoppingCondition/MaxRuntimeInSeconds", same),
        "UseSpotInstances": (f"{job}/EnableManagedSpotTraining", switch),
        "MaxWaitTimeForSpotInstances": (f"{job}/StoppingCondition/MaxWaitTimeInSeconds", same),
        "ContentType": (f"{train}/ContentType", same),
        "S3DataType": (f"{train}/DataSource/S3DataSource/S3DataType", same),
        "DataDistribution": (f"{train}/DataSource/S3DataSource/S3DataDistributionType", same),
        "CompressionType": (f"{train}/CompressionType", same),
        "DataInputMode": (f"{train}/InputMode", same),
        "DataRecordWrapping": (f"{train}/RecordWrapperType", same),
        "AttributeNames": (f"{train}/DataSource/S3DataSource/AttributeNames", json.loads),
        "KmsKeyArn": (f"{job}/OutputDataConfig/KmsKeyId", same),
    }


def tuner(value: str) -> dict[str, Any]:
    """With the values that the SDK's HyperparameterTuner takes for what is left out."""
    given = {"strategy": "Bayesian", "objective_type": "Maximize", "max_jobs": 1}
    given |= {"max_parallel_jobs": 1, "early_stopping_type": "Off"} | json.loads(value)
    return {
        "Strategy": given["strategy"],
        "HyperParameterTuningJobObjective": {
            "Type": given["objective_type"],
            "MetricName": given["objective_metric_name"],
        },
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": int(given["max_jobs"]),
            "MaxParallelTrainingJobs": int(given["max_parallel_jobs"]),
        },
        "TrainingJobEarlyStoppingType": given["early_stopping_type"],
    }


def ranges(value: str) -> dict[str, Any]:
    found: dict[str, Any] = {f"{k}ParameterRanges": {} for k in ("Continuous", "Integer")}
    found["CategoricalParameterRanges"] = {}
    for name, (kind, given) in json.loads(value).items():
        texts = [str(each) for each in given]
        if kind != "categorical":
            texts = [*texts, "Auto"][:3]
        found[f"{kind.title()}ParameterRanges"][name] = texts
    return found


def tuned(deployed: Deployed, _: PipelineRequest) -> dict[str, Any]:
    config = deployed.at(of_pipeline("Tune", "HyperParameterTuningJobConfig"))
    return {name: value for name, value in config.items() if name != "ParameterRanges"}


def tuned_ranges(deployed: Deployed, _: PipelineRequest) -> dict[str, Any]:
    config = deployed.at(of_pipeline("Tune", "HyperParameterTuningJobConfig/ParameterRanges"))
    return {
        name: {
            each["Name"]: each.get("Values")
            or [each["MinValue"], each["MaxValue"], each["ScalingType"]]
            for each in listed
        }
        for name, listed in config.items()
    }


MACHINE = "StepFunctions/StateMachine:DefinitionString/States/Search/Parameters"
TABULAR = f"{MACHINE}/AutoMLProblemTypeConfig/TabularJobConfig"
PROJECT = "CodeBuild/Project:Environment/EnvironmentVariables/Name"

FIELDS: Mapping[str, Mapping[str, tuple[Found, Expected]]] = {
    "realtime-endpoint": {
        **SERVED,
        "InferenceInstance": (f"{VARIANT}/InstanceType", small),
        "DataCaptureLocation": (
            "SageMaker/EndpointConfig:DataCaptureConfig/DestinationS3Uri",
            place,
        ),
        "EndpointName": ("SageMaker/Endpoint:EndpointName", same),
        "KmsKeyArn": ("SageMaker/EndpointConfig:KmsKeyId", same),
    },
    "batch-transform": {
        **SERVED,
        "InferenceInstance": (of_pipeline("Transform", "TransformResources/InstanceType"), small),
        "BatchInferenceData": (batch_input, place),
        "BatchOutputLocation": (of_pipeline("Transform", "TransformOutput/S3OutputPath"), place),
        "KmsKeyArn": (of_pipeline("Transform", "TransformResources/VolumeKmsKeyId"), same),
    },
    "data-quality-monitor": {**watched("DataQuality"), **BASELINE},
    "model-quality-monitor": {
        **watched("ModelQuality"),
        **BASELINE,
        "ProblemType": (
            "SageMaker/ModelQualityJobDefinition:ModelQualityAppSpecification/ProblemType",
            same,
        ),
        "BaselineInferenceAttribute": (
            of_pipeline("Baseline", "Environment/inference_attribute"),
            same,
        ),
        "BaselineProbabilityAttribute": (
            of_pipeline("Baseline", "Environment/probability_attribute"),
            same,
        ),
        "BaselineGroundTruthAttribute": (
            of_pipeline("Baseline", "Environment/ground_truth_attribute"),
            same,
        ),
    },
    "model-bias-monitor": {
        **watched("ModelBias"),
        **CLARIFIED,
        "ProblemType": (lambda _, request: request.problem_type, same),  # type: ignore[attr-defined]
        "BiasConfig": (bias_analysis, bias),
        "ModelPredictedLabelConfig": (predicted_analysis, predicted),
    },
    "model-explainability-monitor": {
        **watched("ModelExplainability"),
        **CLARIFIED,
        "ProblemType": (lambda _, request: request.problem_type, same),  # type: ignore[attr-defined]
        "ProbabilityThresholdAttribute": (
            lambda _, request: request.probability_threshold,  # type: ignore[attr-defined]
            float,
        ),
        "SHAPConfig": (shap_analysis, shap),
        "ExplainabilityModelScores": (scores, same),
    },
    "image-builder": {
        "CustomImage": (
            "CodeBuild/Project:Source/Location",
            lambda value: asset(value).removeprefix("s3://"),
        ),
        "ECRRepoName": (f"{PROJECT}=REPOSITORY_NAME/Value", same),
        "ImageTag": (f"{PROJECT}=IMAGE_TAG/Value", same),
    },
    "training": {
        **trained(of_pipeline("Train", "").rstrip("/")),
        "AlgoHyperparameteres": (of_pipeline("Train", "HyperParameters"), texts),
    },
    "tuning": {
        **trained(of_pipeline("Tune", "TrainingJobDefinition")),
        "AlgoHyperparameteres": (
            of_pipeline("Tune", "TrainingJobDefinition/StaticHyperParameters"),
            texts,
        ),
        "HyperparametersTunerConfig": (tuned, tuner),
        "AlgoHyperparameteresRange": (tuned_ranges, ranges),
    },
    "autopilot": {
        "ProblemType": (f"{TABULAR}/ProblemType", same),
        "AutopilotJobObjective": (
            f"{MACHINE}/AutoMLJobObjective/MetricName",
            same,
        ),
        "TrainingData": (
            f"{MACHINE}/AutoMLJobInputDataConfig/0/DataSource/S3DataSource/S3Uri",
            asset,
        ),
        "TargetAttribute": (f"{TABULAR}/TargetAttributeName", same),
        "CompressionType": (f"{MACHINE}/AutoMLJobInputDataConfig/0/CompressionType", same),
        "JobOutputLocation": (f"{MACHINE}/OutputDataConfig/S3OutputPath", asset),
        "AutopilotMaxCandidates": (f"{TABULAR}/CompletionCriteria/MaxCandidates", same),
        "EncryptInnerTraffic": (
            f"{MACHINE}/SecurityConfig/EnableInterContainerTrafficEncryption",
            switch,
        ),
        "MaxRuntimePerJob": (
            f"{TABULAR}/CompletionCriteria/MaxRuntimePerTrainingJobInSeconds",
            same,
        ),
        "AutopilotTotalRuntime": (
            f"{TABULAR}/CompletionCriteria/MaxAutoMLJobRuntimeInSeconds",
            same,
        ),
        "GenerateDefinitionsOnly": (f"{TABULAR}/GenerateCandidateDefinitionsOnly", switch),
        "KmsKeyArn": (f"{MACHINE}/OutputDataConfig/KmsKeyId", same),
    },
}
"""Where each parameter of the predecessor's templates stands in ours, and in which form."""
FIXED: Mapping[str, Mapping[str, Any]] = {
    "realtime-endpoint": {
        f"{VARIANT}/InitialInstanceCount": "1",
        f"{VARIANT}/VariantName": "AllTraffic",
        f"{VARIANT}/InitialVariantWeight": "1",
        "SageMaker/EndpointConfig:DataCaptureConfig/CaptureOptions/0/CaptureMode": "Input",
        "SageMaker/EndpointConfig:DataCaptureConfig/CaptureOptions/1/CaptureMode": "Output",
        "SageMaker/EndpointConfig:DataCaptureConfig/InitialSamplingPercentage": "100",
    },
    "batch-transform": {
        of_pipeline("Transform", "TransformInput/ContentType"): "text/csv",
        of_pipeline("Transform", "TransformInput/SplitType"): "Line",
        of_pipeline("Transform", "TransformOutput/AssembleWith"): "Line",
        of_pipeline("Transform", "TransformResources/InstanceCount"): "1",
    },
}
"""What the predecessor's templates said themselves, and ours say for its bodies."""


def value_at(deployed: Deployed, request: PipelineRequest, where: Found) -> Any:
    if not isinstance(where, str):
        return where(deployed, request)
    try:
        return deployed.at(where)
    except LookupError:
        return None
