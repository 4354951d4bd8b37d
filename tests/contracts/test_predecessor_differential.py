"""What our templates create carries the values that the predecessor's parameters would have given.

``predecessor/cases.json`` holds what its own orchestrator computed for some bodies. Every parameter
is compared with the property of ours that stands for it, or is a deliberate difference, listed with
its reason in ``docs/migration.md``; there is no third way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from mlops_framework.cdk.bundling import Bundler, RuntimeTarget
from mlops_framework.cdk.catalogue import add_templates, read_templates
from mlops_framework.contracts.base import PipelineRequest, Place
from mlops_framework.contracts.parameters import template_values
from mlops_framework.environments.loader import load_environment
from mlops_framework.images import image_uri
from mlops_framework.orchestration.predecessor import TYPES, Setting, understood
from mlops_framework.registry import Registry
from tests.contracts.deployed import Deployed

ROOT = Path(__file__).parents[2]
CASES: dict[str, Any] = json.loads(
    (Path(__file__).with_name("predecessor") / "cases.json").read_text()
)
ASSETS = "assets-bucket"
PLACE = Place("us-east-1", "aws", "111122223333", ASSETS, "mlops-test")
_DIFFERENCE = re.compile(r"^\| `(\w+)` \| ([a-z ]+) \| (always|empty) \| .+ \|$", re.M)
_OF: Mapping[str, str] = {
    "all": "",
    "autopilot": "autopilot",
    "monitors": "-monitor",
    "bias and explainability monitors": "model-bias-monitor model-explainability-monitor",
}
_IMAGE = re.compile(r"<image-uri framework=(\S+) region=(\S+) version=(\S+)>")

Expected = Callable[[str], Any]
Found = str | Callable[[Deployed, PipelineRequest], Any]


def same(value: str) -> Any:
    return value


def asset(value: str) -> str:
    return f"s3://{ASSETS}/{value}"


def place(value: str) -> str:
    return f"s3://{value}"


def image(value: str) -> str:
    framework, region, version = _IMAGE.fullmatch(value).groups()  # type: ignore[union-attr]
    return image_uri(framework, "" if version == "None" else version, region)


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


def analysis(_: Deployed, request: PipelineRequest) -> dict[str, Any]:
    """What Clarify is told for the baseline, members of the predictor among the others."""
    (text,) = request.documents("live").values()
    config: dict[str, Any] = json.loads(text)["baseline"]
    return {**config.get("predictor", {}), **config}


def of_analysis(*members: str) -> Callable[[Deployed, PipelineRequest], Any]:
    return lambda deployed, request: {name: analysis(deployed, request)[name] for name in members}


def bias(value: str) -> dict[str, Any]:
    given = json.loads(value)
    facet = {
        "name_or_index": given["facet_name"],
        "value_or_threshold": given["facet_values_or_threshold"],
    }
    return {
        "label_values_or_threshold": given["label_values_or_threshold"],
        "facet": [facet],
        "group_variable": given["group_name"],
    }


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
        "InstanceType": (f"{cluster}/InstanceType", same),
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


def trained(job: str) -> dict[str, tuple[Found, Expected]]:
    data = f"{job}/InputDataConfig/ChannelName"
    train = f"{data}=train"
    return {
        "ImageUri": (f"{job}/AlgorithmSpecification/TrainingImage", image),
        "InstanceType": (f"{job}/ResourceConfig/InstanceType", same),
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
    given = json.loads(value)
    return {
        "Strategy": given["strategy"],
        "HyperParameterTuningJobObjective": {
            "Type": given["objective_type"],
            "MetricName": given["objective_metric_name"],
        },
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": given["max_jobs"],
            "MaxParallelTrainingJobs": given["max_parallel_jobs"],
        },
        "TrainingJobEarlyStoppingType": given["early_stopping_type"],
    }


def ranges(value: str) -> dict[str, Any]:
    found: dict[str, Any] = {f"{k}ParameterRanges": {} for k in ("Continuous", "Integer")}
    found["CategoricalParameterRanges"] = {}
    for name, (kind, given) in json.loads(value).items():
        found[f"{kind.title()}ParameterRanges"][name] = [str(each) for each in given]
    return found


def tuned(deployed: Deployed, _: PipelineRequest) -> dict[str, Any]:
    config = deployed.at(of_pipeline("Tune", "HyperParameterTuningJobConfig"))
    return {name: value for name, value in config.items() if name != "ParameterRanges"}


def tuned_ranges(deployed: Deployed, _: PipelineRequest) -> dict[str, Any]:
    config = deployed.at(of_pipeline("Tune", "HyperParameterTuningJobConfig/ParameterRanges"))
    return {
        name: {
            each["Name"]: each.get("Values") or [each["MinValue"], each["MaxValue"]]
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
        "InferenceInstance": (f"{VARIANT}/InstanceType", same),
        "DataCaptureLocation": (
            "SageMaker/EndpointConfig:DataCaptureConfig/DestinationS3Uri",
            place,
        ),
        "EndpointName": ("SageMaker/Endpoint:EndpointName", same),
        "KmsKeyArn": ("SageMaker/EndpointConfig:KmsKeyId", same),
    },
    "batch-transform": {
        **SERVED,
        "InferenceInstance": (of_pipeline("Transform", "TransformResources/InstanceType"), same),
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
        "ProblemType": (lambda _, request: request.problem_type, same),  # type: ignore[attr-defined]
        "BiasConfig": (
            of_analysis("label_values_or_threshold", "facet", "group_variable"),
            bias,
        ),
        "ModelPredictedLabelConfig": (
            of_analysis("probability", "probability_threshold"),
            json.loads,
        ),
    },
    "image-builder": {
        "CustomImage": ("CodeBuild/Project:Source/Location", lambda value: f"{ASSETS}/{value}"),
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


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outdir = tmp_path_factory.mktemp("differential")
    app = cdk.App(
        context=json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"],
        outdir=str(outdir),
        builtin_cloud_formation_validation=False,
    )
    config = load_environment("dev", ROOT / "environments")
    bundler = Bundler(ROOT, ROOT / ".build", RuntimeTarget.this_host())
    add_templates(app, config, Registry.discover(config.blueprints), bundler)
    app.synth()
    return outdir


Differs = Callable[[str, str, str], bool]


@pytest.fixture(scope="module")
def differs() -> Differs:
    """Whether a kind's parameter with a value is different on purpose, as documented."""
    page = (ROOT / "docs" / "migration.md").read_text("utf-8")
    rows = [match.groups() for match in _DIFFERENCE.finditer(page)]

    def look_up(kind: str, parameter: str, value: str) -> bool:
        return any(
            name == parameter
            and (_OF[of] in kind or kind in _OF[of].split())
            and (when == "always" or value == "")
            for name, of, when in rows
        )

    return look_up


def stage_of(file: str) -> str:
    return file.removesuffix("template_params.json").rstrip("_") or "live"


@pytest.mark.parametrize("name", CASES)
def test_every_value_of_the_predecessors_parameters_is_in_our_resources(
    name: str, templates: Path, differs: Differs
) -> None:
    case = CASES[name]
    registry = Registry.discover()
    if TYPES[case["request"]["pipeline_type"]].kind not in registry.kinds:
        pytest.skip("its blueprint is not offered yet")
    stages = [stage_of(file) for file in case["parameters"]]
    stages = ["live"] if stages == ["params.json"] else stages
    with understood(case["request"], Setting({stage: () for stage in stages}, ASSETS)) as ours:
        request = registry.parse(ours.body, stages=stages).resolved(PLACE)
    template, _ = read_templates(templates, request.pipeline_type)
    wrong: dict[str, Any] = {}
    for stage, parameters in zip(stages, case["parameters"].values(), strict=True):
        values = template_values(request, stage)
        if "SettledBaseline" in values:  # As it is once the baseline was computed.
            values = {**values, "SettledBaseline": values["BaselineKey"]}
        deployed = Deployed(template, values)
        for parameter, value in parameters.items():
            if differs(request.pipeline_type, parameter, value):
                continue
            place_of, expected = FIELDS[request.pipeline_type][parameter]
            found = value_at(deployed, request, place_of)
            wanted = None if value == "" else expected(value)
            if found != wanted and str(found) != str(wanted):
                wrong[f"{stage}.{parameter}"] = {"theirs": wanted, "ours": found}
        for where, wanted in FIXED.get(request.pipeline_type, {}).items():
            if str(deployed.at(where)) != wanted:
                wrong[f"{stage}.{where}"] = {"theirs": wanted, "ours": deployed.at(where)}

    assert not wrong


def value_at(deployed: Deployed, request: PipelineRequest, where: Found) -> Any:
    if not isinstance(where, str):
        return where(deployed, request)
    try:
        return deployed.at(where)
    except LookupError:
        return None
