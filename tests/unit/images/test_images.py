"""Which image a request gets for an algorithm, and what it is told when there is none."""

from __future__ import annotations

import pytest

from mlops_framework.images import ImageUnknown, image_uri, known, versions


def test_a_built_in_algorithm_has_one_image_for_training_and_serving_whatever_it_runs_on() -> None:
    uris = {
        image_uri("xgboost", "1.7-1", "us-east-1", scope=scope, instance_type=instance)
        for scope in ("training", "inference")
        for instance in (None, "ml.m5.large", "ml.g5.xlarge")
    }

    assert uris == {"683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"}


def test_a_framework_has_an_image_for_each_scope_and_processor() -> None:
    def image(scope: str, instance: str | None) -> str:
        uri = image_uri("pytorch", "2.3", "us-east-1", scope=scope, instance_type=instance)  # type: ignore[arg-type]
        return uri.partition("/")[2]

    assert image("training", "ml.g5.xlarge") == "pytorch-training:2.3-gpu-py311"
    assert image("inference", "ml.m5.large") == "pytorch-inference:2.3-cpu-py311"
    assert image("inference", "ml.c7g.large") == (
        "pytorch-inference-graviton:2.3-cpu-py311-ubuntu20.04-sagemaker"
    )
    assert image("inference", None) == image("inference", "ml.m5.large")


def test_each_partition_has_its_own_accounts_and_domain() -> None:
    assert image_uri("xgboost", "1.7-1", "cn-north-1") == (
        "450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:1.7-1"
    )


def test_a_version_may_be_left_out_where_there_is_only_one() -> None:
    assert image_uri("clarify", "", "us-east-1").endswith("/sagemaker-clarify-processing:1.0")
    assert image_uri("model-monitor", "", "us-east-1").endswith("/sagemaker-model-monitor-analyzer")
    with pytest.raises(ImageUnknown, match="There is no version '' of xgboost"):
        image_uri("xgboost", "", "us-east-1")


@pytest.mark.parametrize(
    ("framework", "version", "region", "instance", "aspect", "said"),
    [
        ("xgbost", "1.7-1", "us-east-1", None, "framework", "Did you mean 'xgboost'?"),
        ("xgboost", "1.7", "us-east-1", None, "version", "Did you mean '1.7-1'?"),
        ("xgboost", "1.7-1", "us-eats-1", None, "region", "Did you mean 'us-east-1'?"),
        ("pytorch", "2.3", "us-east-1", "ml.c7g.large", "instance_type", "x86 CPUs, GPUs"),
        ("pytorch", "2.3", "us-east-1", "ml.inf2.xlarge", "instance_type", "an image of your own"),
    ],
)
def test_an_image_that_is_not_there_names_the_argument_and_what_is_accepted(
    framework: str, version: str, region: str, instance: str | None, aspect: str, said: str
) -> None:
    with pytest.raises(ImageUnknown) as refused:
        image_uri(framework, version, region, instance_type=instance)

    assert refused.value.aspect == aspect
    assert said in str(refused.value)
    assert refused.value.fault("algorithm").path == "algorithm"


def test_every_framework_of_the_table_names_an_image_for_every_version_it_offers() -> None:
    for framework in known():
        for version in versions(framework):
            gpu = image_or_none(framework, version, "ml.g4dn.xlarge")
            assert gpu or image_or_none(framework, version, "ml.m5.large"), (framework, version)


def image_or_none(framework: str, version: str, instance: str) -> str | None:
    try:
        return image_uri(framework, version, "us-east-1", instance_type=instance)
    except ImageUnknown:
        return None
