"""Bodies that nobody recorded: the documented ones with one field left out, or of another value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops_framework.orchestration.predecessor import TYPES

Body = dict[str, Any]
STAGES = ("dev", "staging", "prod")
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ECR = "111122223333.dkr.ecr.us-east-1.amazonaws.com"

LONGEST = {"max_runtime_per_job": 259200}

OPTIONAL = frozenset(
    (
        *("endpoint_name", "kms_key_arn", "baseline_max_runtime_seconds", "features_attribute"),
        *("model_scores", "monitor_probability_attribute", "probability_threshold_attribute"),
        *("job_name", "validation_data", "instance_count", "encrypt_inner_traffic"),
        *("max_runtime_per_job", "use_spot_instances", "max_wait_time_spot_instances"),
        *("content_type", "s3_data_type", "data_distribution", "compression_type"),
        *("data_input_mode", "data_record_wrapping", "attribute_names", "job_max_candidates"),
        *("total_max_runtime", "generate_definition_only"),
    )
)
"""What the predecessor did not want everywhere; ``REQUIRED`` says where it did."""
REQUIRED: Mapping[str, tuple[str, ...]] = {"endpoint_name": ("monitor",)}
_PLACES = ("bucket/x", "s3://bucket/y/", "bucket", "bucket/", " bucket/a_b/year=2024/ ")
_ASSETS = ("data.csv", "a/b.csv", "s3://other/x.csv", "/lead/x.csv", "assets-bucket/x.csv")
_SWITCHES = ("True", "False", True, False, "true", " FALSE ")


def _numbers(*values: int) -> tuple[Any, ...]:
    return tuple(form for n in values for form in (n, str(n), f" {n} ", float(n)))


VALUES: Mapping[str, tuple[Any, ...]] = {
    "model_name": ("M", "My-Model", " m "),
    "inference_instance": ("ml.t2.medium", "ml.g4dn.xlarge", "ML.M5.Large", "ml.m5d.large"),
    "instance_type": ("ml.t3.medium", "ml.p3.2xlarge", "ML.M4.4xlarge", "ml.m5d.large"),
    "data_capture_location": _PLACES,
    "batch_inference_data": ("bucket/in", "s3://bucket/in/b.csv", "bucket/in/part-", "bucket/o"),
    "batch_job_output_location": _PLACES,
    "baseline_job_output_location": _PLACES,
    "monitoring_output_location": _PLACES,
    "monitor_ground_truth_input": _PLACES,
    "model_artifact_location": ("model.tar.gz", "s3://other/m.tar.gz", "assets-bucket/m.tar.gz"),
    "model_package_name": ("arn:aws:sagemaker:us-east-1:111122223333:model-package/My-Group/12",),
    "baseline_data": _ASSETS,
    "training_data": (*_ASSETS, "train", "train/"),
    "validation_data": (*_ASSETS, ""),
    "job_output_location": ("out", "a/b/", "s3://other/out"),
    "custom_algorithm_docker": ("a.zip", "s3://other/x.zip"),
    "endpoint_name": ("Ep", " my-endpoint ", "e" * 55),
    "kms_key_arn": ("", KEY, None),
    "model_framework": ("XGBoost",),
    "model_framework_version": ("1", "latest", "0.90-1", "1.5-1"),
    "custom_image_uri": (f"{ECR}/a/b:1.0", f"{ECR}/repo@sha256:{'a' * 64}", f"{ECR}/repo"),
    "schedule_expression": ("cron(0 0 ? * * *)", " cron(0 17/12 ? * * *) "),
    "instance_volume_size": _numbers(1, 30, 16384),
    "monitor_max_runtime_seconds": _numbers(1, 1800),
    "baseline_max_runtime_seconds": (*_numbers(1, 86400), ""),
    "problem_type": ("MulticlassClassification", "BinaryClassification"),
    "baseline_inference_attribute": ("_c0", 0, "my column"),
    "baseline_probability_attribute": ("p", 1),
    "baseline_ground_truth_attribute": ("y", 0),
    "monitor_inference_attribute": (0, "predictions[0].predicted_label"),
    "monitor_probability_attribute": (1, "predictions[0].score", ""),
    "probability_threshold_attribute": (0.8, " 0.3 ", 0, "1", ""),
    "features_attribute": ("instances[0].features", ""),
    "model_scores": (0, 1, "predictions[0].score", ""),
    "image_tag": ("latest", "1.0", "V1_2"),
    "ecr_repo_name": ("my/repo",),
    "instance_count": _numbers(1, 20),
    "max_runtime_per_job": _numbers(600, 86400),
    "max_wait_time_spot_instances": _numbers(86400, 259200),
    "use_spot_instances": _SWITCHES,
    "encrypt_inner_traffic": _SWITCHES,
    "generate_definition_only": _SWITCHES,
    "content_type": ("text/csv", "libsvm", "application/x-recordio-protobuf"),
    "s3_data_type": ("ManifestFile",),
    "data_distribution": ("ShardedByS3Key",),
    "compression_type": ("Gzip", ""),
    "data_input_mode": ("Pipe", "FastFile"),
    "data_record_wrapping": ("RecordIO", ""),
    "attribute_names": ("", []),
    "job_name": ("job", ""),
    "target_attribute": ("TARGET", "my target"),
    "job_max_candidates": _numbers(1, 250),
    "total_max_runtime": _numbers(3600, 2592000),
    "algo_hyperparamaters": ({}, {"eta": 0.1, "num_round": "10"}, '{"num_round": 10}'),
    "hyperparamaters_ranges": (
        {"n": ["integer", [1, 10]]},
        {"eta": ["continuous", [0.001, 0.5, "Logarithmic"]]},
        '{"o": ["categorical", ["a"]]}',
    ),
    "tuner_configs": (
        {"objective_metric_name": "x"},
        {"objective_metric_name": "x", "max_jobs": "4", "objective_type": "Minimize"},
        '{"objective_metric_name": "x", "strategy": "Random"}',
    ),
    "bias_config": (
        {"label_values_or_threshold": [1], "facet_name": "age"},
        {
            "label_values_or_threshold": ["yes"],
            "facet_name": ["age", "sex"],
            "facet_values_or_threshold": [[40], ["f"]],
        },
        '{"label_values_or_threshold": [0.5], "facet_name": "Account Length"}',
    ),
    "model_predicted_label_config": (
        {"label": 0},
        {"label": "predictions[0].label", "probability": "predictions[0].score"},
        {"probability": 1, "label_headers": ["a", "b"], "probability_threshold": 0.6},
    ),
    "shap_config": (
        {"baseline": "shap/baseline.csv", "num_samples": 10, "agg_method": "median"},
        {"num_samples": 10, "agg_method": "mean_sq", "seed": 0, "num_clusters": 4},
        {
            "baseline": [["a", 1]],
            "num_samples": 1,
            "use_logit": True,
            "save_local_shap_values": False,
            "features_to_explain": ["a", 1],
        },
        '{"baseline": [[1]], "num_samples": 5}',
    ),
}
"""Values that the predecessor took, in the forms that clients wrote them."""


def variations(body: Body) -> Iterator[Body]:
    """A body as it is, then each change of one field, then all of its stages spelt out."""
    yield body
    for name in TYPES[body["pipeline_type"]].fields:
        for value in VALUES.get(name, ()):
            yield {**body, name: value}
        wanted = any(kind in body["pipeline_type"] for kind in REQUIRED.get(name, ()))
        if name in body and name in OPTIONAL and not wanted:
            yield {key: value for key, value in body.items() if key != name}
    if "max_runtime_per_job" in TYPES[body["pipeline_type"]].fields:
        yield {name: value for name, value in body.items() if "spot" not in name} | LONGEST
    yield from _in_stages(body)


def _in_stages(body: Body) -> Iterator[Body]:
    """Each field that may be a map of stages as one, by itself and all of them at once."""
    fields = TYPES[body["pipeline_type"]].fields
    maps = {
        name: _map(name, body[name])
        for name, old in fields.items()
        if old.per_stage and isinstance(body.get(name), str)
    }
    if body["pipeline_type"].startswith("model_"):
        return  # What trains ran in one account, whatever the platform had.
    for name, value in maps.items():
        yield {**body, name: value}
    if maps:
        yield {**body, **maps}


def _map(name: str, value: str) -> dict[str, Any]:
    others = [each for each in VALUES.get(name, ()) if isinstance(each, str) and each.strip()]
    return dict(zip(STAGES, [value, *others, value, value], strict=False))
