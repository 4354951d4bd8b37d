"""The template parameters that the predecessor computed for a body, from its inventory.

Held by what its own orchestrator gave for the recorded cases; used for bodies that nobody recorded.
Its accidents are not repeated where they lost what was asked for: ``model_scores`` of 0, and
values that made it fail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Body = Mapping[str, Any]
RANGES = "hyperparamaters_ranges"
STAGES = ("dev", "staging", "prod")
TOPIC = "arn:aws:sns:us-east-1:111122223333:topic"
REPOSITORY = "arn:aws:ecr:us-east-1:111122223333:repository/repo"
JOBS: Mapping[str, tuple[str, str]] = {
    # Parameter: field, value where it was left out.
    "InstanceType": ("instance_type", "ml.m4.xlarge"),
    "JobInstanceCount": ("instance_count", "1"),
    "InstanceVolumeSize": ("instance_volume_size", "20"),
    "EncryptInnerTraffic": ("encrypt_inner_traffic", "True"),
    "MaxRuntimePerJob": ("max_runtime_per_job", "86400"),
    "UseSpotInstances": ("use_spot_instances", "True"),
    "MaxWaitTimeForSpotInstances": ("max_wait_time_spot_instances", "172800"),
    "ContentType": ("content_type", "csv"),
    "S3DataType": ("s3_data_type", "S3Prefix"),
    "DataDistribution": ("data_distribution", "FullyReplicated"),
    "CompressionType": ("compression_type", ""),
    "DataInputMode": ("data_input_mode", "File"),
    "DataRecordWrapping": ("data_record_wrapping", ""),
    "AttributeNames": ("attribute_names", ""),
}
AUTOPILOT: Mapping[str, tuple[str, str]] = {
    "ProblemType": ("problem_type", ""),
    "AutopilotJobObjective": ("job_objective", ""),
    "CompressionType": ("compression_type", ""),
    "AutopilotMaxCandidates": ("job_max_candidates", "10"),
    "EncryptInnerTraffic": ("encrypt_inner_traffic", "True"),
    "MaxRuntimePerJob": ("max_runtime_per_job", "86400"),
    "AutopilotTotalRuntime": ("total_max_runtime", "2592000"),
    "GenerateDefinitionsOnly": ("generate_definition_only", "False"),
}
IN_ASSETS = frozenset(
    (
        *("model_artifact_location", "baseline_data", "training_data", "validation_data"),
        *("job_output_location", "custom_algorithm_docker"),
    )
)
MONITORS: Mapping[str, tuple[str, str]] = {
    "byom_data_quality_monitor": ("dataquality", "model-monitor"),
    "byom_model_quality_monitor": ("modelquality", "model-monitor"),
    "byom_model_bias_monitor": ("modelbias", "clarify"),
    "byom_model_explainability_monitor": ("modelexplainability", "clarify"),
}


def parameters_of(body: Body) -> dict[str, dict[str, str]]:
    """The parameter files of a body by name: one, or one for each of dev, staging and prod."""
    given = {name: value for name, value in body.items() if name != "pipeline_type"}
    old = str(body["pipeline_type"]).strip().lower()
    if old == "byom_image_builder":
        return {"params.json": _image_builder(given)}
    if any(isinstance(value, dict) and {*value} == {*STAGES} for value in given.values()):
        return {
            f"{stage}_template_params.json": _of(old, _in_stage(given, stage)) for stage in STAGES
        }
    return {"template_params.json": _of(old, given)}


def _in_stage(given: Body, stage: str) -> Body:
    return {
        name: value[stage] if isinstance(value, dict) and {*value} == {*STAGES} else value
        for name, value in given.items()
    }


def _of(old: str, given: Body) -> dict[str, str]:
    common = {
        "AssetsBucket": "assets-bucket",
        "KmsKeyArn": _text(given, "kms_key_arn"),
        "BlueprintBucket": "blueprint-bucket",
    }
    if old in MONITORS:
        return common | dict(_monitor(old, given))
    if old.startswith("byom_"):
        return common | _served(old, given)
    return common | {"NotificationsSNSTopicArn": TOPIC} | _built(old, given)


def _served(old: str, given: Body) -> dict[str, str]:
    package = _text(given, "model_package_name")
    image = given.get("custom_image_uri", "") if "custom" in old else _image(given)
    found = {
        "ModelName": _text(given, "model_name"),
        "ModelArtifactLocation": "" if package else _path(given, "model_artifact_location"),
        "InferenceInstance": _text(given, "inference_instance"),
        "CustomAlgorithmsECRRepoArn": REPOSITORY,
        "ImageUri": "" if package else image,
        "ModelPackageGroupName": package.split("/")[1] if package else "",
        "ModelPackageName": package,
    }
    if "realtime" in old:
        return found | {
            "DataCaptureLocation": _path(given, "data_capture_location"),
            "EndpointName": _text(given, "endpoint_name").lower(),
        }
    data = _path(given, "batch_inference_data")
    return found | {
        "BatchInputBucket": data.split("/")[0],
        "BatchInferenceData": data,
        "BatchOutputLocation": _path(given, "batch_job_output_location"),
    }


def _monitor(old: str, given: Body) -> Iterator[tuple[str, str]]:
    kind, framework = MONITORS[old]
    job = f"{_text(given, 'endpoint_name').lower()}-{kind}-0000"
    output, captures = (
        _path(given, "baseline_job_output_location"),
        _path(given, "data_capture_location"),
    )
    yield "BaselineJobName", job
    yield "BaselineOutputBucket", output.split("/")[0]
    yield "BaselineJobOutputLocation", f"{output}/{job}"
    yield "DataCaptureBucket", captures.split("/")[0]
    yield "DataCaptureLocation", captures
    yield "EndpointName", _text(given, "endpoint_name").lower()
    yield "ImageUri", f"<image-uri framework={framework} region=us-east-1 version=None>"
    yield "InstanceType", _text(given, "instance_type")
    yield "InstanceVolumeSize", _text(given, "instance_volume_size")
    yield "BaselineMaxRuntimeSeconds", _text(given, "baseline_max_runtime_seconds")
    yield "MonitorMaxRuntimeSeconds", _text(given, "monitor_max_runtime_seconds")
    yield "MonitoringOutputLocation", _path(given, "monitoring_output_location")
    yield "MonitoringScheduleName", job
    yield "ScheduleExpression", _text(given, "schedule_expression")
    yield "BaselineData", _path(given, "baseline_data")
    if kind == "dataquality":
        return
    yield "ProblemType", _text(given, "problem_type")
    yield "MonitorInferenceAttribute", _text(given, "monitor_inference_attribute")
    yield "MonitorProbabilityAttribute", _text(given, "monitor_probability_attribute")
    yield "ProbabilityThresholdAttribute", _text(given, "probability_threshold_attribute")
    if kind == "modelquality":
        for parameter in ("InferenceAttribute", "ProbabilityAttribute", "GroundTruthAttribute"):
            name = "".join(f"_{c.lower()}" if c.isupper() else c for c in parameter)
            yield f"Baseline{parameter}", _text(given, f"baseline{name}")
    if kind != "modelexplainability":
        truth = _path(given, "monitor_ground_truth_input")
        yield "GroundTruthBucket", truth.split("/")[0]
        yield "MonitorGroundTruthInput", truth
    if kind == "modelbias":
        yield "ModelPredictedLabelConfig", _json(given.get("model_predicted_label_config") or "")
        yield "BiasConfig", _json(given["bias_config"])
    if kind == "modelexplainability":
        yield "SHAPConfig", _json(given["shap_config"])
        yield "ExplainabilityModelScores", _text(given, "model_scores")
    if kind != "modelquality":
        yield "FeaturesAttribute", _text(given, "features_attribute")


def _built(old: str, given: Body) -> dict[str, str]:
    found = {
        "JobName": _text(given, "job_name") or "m-0000",
        "TrainingData": _path(given, "training_data"),
        "JobOutputLocation": _path(given, "job_output_location"),
    }
    if old == "model_autopilot_training":
        return (
            found
            | {"TargetAttribute": _text(given, "target_attribute")}
            | _with_defaults(AUTOPILOT, given)
        )
    found |= {
        "ImageUri": _image(given),
        "ValidationData": _path(given, "validation_data"),
        "AlgoHyperparameteres": _json(_either(given, "algo_hyperparamaters")),
    }
    if old == "model_tuner_builtin":
        fixed, tuned = (json.loads(found["AlgoHyperparameteres"]), _either(given, RANGES))
        names = json.loads(tuned) if isinstance(tuned, str) else tuned
        found["AlgoHyperparameteres"] = json.dumps(  # As its SDK left them out.
            {name: value for name, value in fixed.items() if name not in names}
        )
        found["HyperparametersTunerConfig"] = _json(given["tuner_configs"])
        found["AlgoHyperparameteresRange"] = _json(tuned)
    return found | _with_defaults(JOBS, given)


def _with_defaults(table: Mapping[str, tuple[str, str]], given: Body) -> dict[str, str]:
    return {
        parameter: _text(given, field) or default for parameter, (field, default) in table.items()
    }


def _image_builder(given: Body) -> dict[str, str]:
    return {
        "NotificationsSNSTopicArn": TOPIC,
        "AssetsBucket": "assets-bucket",
        "CustomImage": _path(given, "custom_algorithm_docker"),
        "ECRRepoName": _text(given, "ecr_repo_name"),
        "ImageTag": _text(given, "image_tag"),
    }


def _image(given: Body) -> str:
    framework, version = (
        _text(given, name).lower() for name in ("model_framework", "model_framework_version")
    )
    return f"<image-uri framework={framework} region=us-east-1 version={version}>"


def _text(given: Body, name: str) -> str:
    value = given.get(name)
    if isinstance(value, float) and value == int(value):
        return str(int(value))  # It wrote 20.0, which CloudFormation takes for 20.
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().title()  # Anything but True was false, which nobody meant by true.
    return "" if value is None or value == [] else str(value).strip()


def _path(given: Body, name: str) -> str:
    """Without slashes at its ends, and without a bucket that goes without saying.

    It could not do with ``s3://``; what that means is plain all the same.
    """
    text = _text(given, name).rstrip("/")
    if name in IN_ASSETS:
        return text if text.startswith("s3://") else text.lstrip("/").removeprefix("assets-bucket/")
    return text.removeprefix("s3://")


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _either(given: Body, misspelt: str) -> Any:
    return given.get(misspelt, given.get(misspelt.replace("paramaters", "parameters")))
