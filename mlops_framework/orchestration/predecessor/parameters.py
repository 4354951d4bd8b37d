"""From the parameters of a pipeline that the predecessor made, back to a body for it.

It kept them in its assets bucket, ``mlops_provisioned_pipelines/<stack>/template.zip``: a template,
and one parameter file or one for each of dev, staging and prod.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from mlops_framework.contracts.faults import NOTHING
from mlops_framework.errors import Fault, RequestInvalid
from mlops_framework.images import image_uri as look_up
from mlops_framework.images import known, versions
from mlops_framework.images.lookup import ImageUnknown

Parameters = Mapping[str, str]
_STACK: Final = re.compile(r"mlops-pipeline-(.+)-([a-z]+)")
_JOB: Final = re.compile(r"(.+)-(?:training|tuner|autopilot)-[0-9a-f]{4}")
_IMAGE: Final = re.compile(r"[0-9]{12}[.]dkr[.]ecr[.]([a-z0-9-]+)[.][^/]+/.+")

_TYPES: Final[Mapping[str, str]] = {
    "byom_realtime_inference_pipeline": "byom_realtime_custom",
    "byom_batch_pipeline": "byom_batch_custom",
    "byom_data_quality_monitor": "byom_data_quality_monitor",
    "byom_model_quality_monitor": "byom_model_quality_monitor",
    "byom_model_bias_monitor": "byom_model_bias_monitor",
    "byom_model_explainability_monitor": "byom_model_explainability_monitor",
    "model_training_pipeline": "model_training_builtin",
    "model_hyperparameter_tunning_pipeline": "model_tuner_builtin",
    "autopilot_training_pipeline": "model_autopilot_training",
}
"""By the name of the template in the archive; those that serve do not say whose image it was."""

_MODELS: Final = (
    *("byom_realtime_custom", "byom_batch_custom"),
    *("model_training_builtin", "model_tuner_builtin"),
)
"""Those with an image of a model's: an own one's, or a built-in algorithm's."""

_FIELDS: Final[Mapping[str, str]] = {
    "ModelName": "model_name",
    "ModelArtifactLocation": "model_artifact_location",
    "InferenceInstance": "inference_instance",
    "ModelPackageName": "model_package_name",
    "DataCaptureLocation": "data_capture_location",
    "EndpointName": "endpoint_name",
    "KmsKeyArn": "kms_key_arn",
    "BatchInferenceData": "batch_inference_data",
    "BatchOutputLocation": "batch_job_output_location",
    "BaselineJobOutputLocation": "baseline_job_output_location",
    "BaselineData": "baseline_data",
    "BaselineMaxRuntimeSeconds": "baseline_max_runtime_seconds",
    "MonitorMaxRuntimeSeconds": "monitor_max_runtime_seconds",
    "MonitoringOutputLocation": "monitoring_output_location",
    "ScheduleExpression": "schedule_expression",
    "InstanceType": "instance_type",
    "InstanceVolumeSize": "instance_volume_size",
    "ProblemType": "problem_type",
    "BaselineInferenceAttribute": "baseline_inference_attribute",
    "BaselineProbabilityAttribute": "baseline_probability_attribute",
    "BaselineGroundTruthAttribute": "baseline_ground_truth_attribute",
    "MonitorInferenceAttribute": "monitor_inference_attribute",
    "MonitorProbabilityAttribute": "monitor_probability_attribute",
    "ProbabilityThresholdAttribute": "probability_threshold_attribute",
    "MonitorGroundTruthInput": "monitor_ground_truth_input",
    "FeaturesAttribute": "features_attribute",
    "BiasConfig": "bias_config",
    "ModelPredictedLabelConfig": "model_predicted_label_config",
    "SHAPConfig": "shap_config",
    "ExplainabilityModelScores": "model_scores",
    "JobInstanceCount": "instance_count",
    "JobOutputLocation": "job_output_location",
    "TrainingData": "training_data",
    "ValidationData": "validation_data",
    "EncryptInnerTraffic": "encrypt_inner_traffic",
    "MaxRuntimePerJob": "max_runtime_per_job",
    "UseSpotInstances": "use_spot_instances",
    "MaxWaitTimeForSpotInstances": "max_wait_time_spot_instances",
    "ContentType": "content_type",
    "S3DataType": "s3_data_type",
    "DataDistribution": "data_distribution",
    "CompressionType": "compression_type",
    "DataInputMode": "data_input_mode",
    "DataRecordWrapping": "data_record_wrapping",
    "AttributeNames": "attribute_names",
    "AlgoHyperparameteres": "algo_hyperparamaters",
    "HyperparametersTunerConfig": "tuner_configs",
    "AlgoHyperparameteresRange": "hyperparamaters_ranges",
    "TargetAttribute": "target_attribute",
    "AutopilotJobObjective": "job_objective",
    "AutopilotMaxCandidates": "job_max_candidates",
    "AutopilotTotalRuntime": "total_max_runtime",
    "GenerateDefinitionsOnly": "generate_definition_only",
}


def body_of(template: str, stages: Mapping[str, Parameters], *, stack: str = "") -> dict[str, Any]:
    """The body that would have given these parameters.

    Args:
        template: Name of the template in the archive, ``byom_batch_pipeline.yaml``.
        stages: Parameters by stage; one, under any name, if there is one account.
        stack: Name of the pipeline's stack, if it is known: it names the model where no parameter
            does.

    Raises:
        RequestInvalid: If it is no template of a pipeline, or nothing tells the model's name.
    """
    old = _TYPES.get(template.removesuffix(".yaml"))
    if old is None:
        accepted = ", ".join(f"{name}.yaml" for name in _TYPES)
        said = f"{template} is no template of a pipeline of the predecessor."
        raise RequestInvalid([Fault("template", said, accepted, template)])
    first = next(iter(stages.values()))
    image = first.get("ImageUri", "")
    body: dict[str, Any] = {"pipeline_type": old, "model_name": _model_name(first, stack)}
    for parameter, field in _FIELDS.items():
        values = {stage: _cleaned(parameter, given) for stage, given in stages.items()}
        if all(value in (None, "") for value in values.values()):
            continue
        same = len(set(values.values())) == 1
        body[field] = next(iter(values.values())) if same else values
    if old not in _MODELS or "model_package_name" in body:
        return body
    found = _algorithm(image)
    if found is not None:
        body["pipeline_type"] = old.replace("_custom", "_builtin")
        body["model_framework"], body["model_framework_version"] = found
    elif image and old.startswith("byom_"):
        body["custom_image_uri"] = image
    elif not old.startswith("byom_"):
        said = f"{image or 'Nothing'} is no image of a built-in algorithm that is known here."
        accepted = "an image of mlops_framework.images, with its tag"
        raise RequestInvalid([Fault("ImageUri", said, accepted, image or NOTHING)])
    return body


def parameters_in(text: str) -> Parameters:
    """One parameter file: CodePipeline's template configuration, a plain object, or a list.

    Raises:
        ValueError: If it is none of them.
    """
    try:
        document = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if isinstance(document, list):
        if not all(
            isinstance(each, dict) and {"ParameterKey", "ParameterValue"} <= each.keys()
            for each in document
        ):
            raise ValueError("a list, but not of ParameterKey and ParameterValue")
        return _texts({each["ParameterKey"]: each["ParameterValue"] for each in document})
    given = document.get("Parameters", document) if isinstance(document, dict) else None
    if not isinstance(given, dict):
        raise ValueError("neither an object nor a list of parameters")
    return _texts(given)


def _texts(given: Mapping[Any, Any]) -> Parameters:
    return {str(name): "" if value is None else str(value) for name, value in given.items()}


def _cleaned(parameter: str, given: Parameters) -> str | None:
    value = given.get(parameter)
    if parameter == "BaselineJobOutputLocation" and value:
        # It ended with the random name of the job.
        return value.removesuffix(f"/{given.get('BaselineJobName', '')}")
    return value


def _model_name(given: Parameters, stack: str) -> str:
    found = [given.get("ModelName", "")]
    for pattern, text in ((_STACK, stack), (_JOB, given.get("JobName", ""))):
        match = pattern.fullmatch(text)
        found.append(match[1] if match else "")
    name = next(filter(None, found), "")
    if not name:
        raise RequestInvalid(
            [
                Fault(
                    "model_name",
                    "No parameter tells the model's name. Keep the archive in a folder named as "
                    "its stack, mlops-pipeline-<model>-<type>, as it was in the assets bucket.",
                    "a folder mlops-pipeline-<model>-<type>",
                    NOTHING,
                )
            ]
        )
    return name


def _algorithm(image: str) -> tuple[str, str] | None:
    """The algorithm and version of an image of AWS; nothing if the table has no such image."""
    match = _IMAGE.fullmatch(image)
    for framework in known() if match else ():
        for version in _offered(framework):
            if match and _uri(framework, version, match[1]) == image:
                return framework, version
    return None


def _offered(framework: str) -> tuple[str, ...]:
    try:
        return versions(framework)
    except ImageUnknown:
        return ()


def _uri(framework: str, version: str, region: str) -> str:
    find: Callable[..., str] = look_up
    try:
        return find(framework, version, region)
    except ImageUnknown:
        return ""
