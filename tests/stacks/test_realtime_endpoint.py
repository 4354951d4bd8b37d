"""What the one template of realtime-endpoint becomes for each form that a request may ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.stacks.conftest import Synthesized
from tests.stacks.deployed import Deployed

BODY = {
    "pipeline_type": "realtime-endpoint",
    "model_name": "income",
    "image_uri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1",
    "model_artifact_location": "s3://data/models/model.tar.gz",
}
PACKAGE = "arn:aws:sagemaker:us-east-1:111122223333:model-package/income/2"


Deploy = Callable[..., Deployed]


@pytest.fixture(scope="module")
def deployed(dev: Synthesized) -> Deploy:
    template = dev.blueprints["realtime-endpoint"]
    return lambda **body: Deployed(template, {**BODY, **body})


def config(deployed: Deployed) -> dict[str, Any]:
    return deployed.one("AWS::SageMaker::EndpointConfig")


def test_a_plain_request_is_one_variant_with_instances_and_nothing_that_scales(
    deployed: Deploy,
) -> None:
    plain = deployed()

    (variant,) = config(plain)["ProductionVariants"]
    assert variant == {
        "VariantName": "AllTraffic",
        "ModelName": "<ServedModel.ModelName>",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": "1",
        "InitialVariantWeight": "1",
        "ContainerStartupHealthCheckTimeoutInSeconds": "600",
        "ModelDataDownloadTimeoutInSeconds": "1200",
    }
    assert config(plain)["DataCaptureConfig"]["InitialSamplingPercentage"] == "100"
    assert not {"AsyncInferenceConfig", "ExecutionRoleArn"} & config(plain).keys()
    assert len(plain.all("AWS::SageMaker::Model")) == 1
    assert plain.all("AWS::ApplicationAutoScaling::ScalableTarget") == []
    assert plain.all("AWS::SageMaker::InferenceComponent") == []


def test_a_serverless_endpoint_has_memory_instead_of_instances(deployed: Deploy) -> None:
    serverless = deployed(
        endpoint_mode="serverless",
        serverless_memory_mb=3072,
        serverless_max_concurrency=20,
        serverless_provisioned_concurrency=2,
    )

    (variant,) = config(serverless)["ProductionVariants"]
    assert variant == {
        "VariantName": "AllTraffic",
        "ModelName": "<ServedModel.ModelName>",
        "ServerlessConfig": {
            "MemorySizeInMB": "3072",
            "MaxConcurrency": "20",
            "ProvisionedConcurrency": "2",
        },
    }
    assert not {"DataCaptureConfig", "KmsKeyId"} & config(serverless).keys()


def test_an_asynchronous_endpoint_may_go_down_to_none_and_comes_back_when_something_waits(
    deployed: Deploy,
) -> None:
    topic = "arn:aws:sns:us-east-1:111122223333:answers"
    queued = deployed(
        endpoint_mode="asynchronous",
        autoscaling_min_instances=0,
        autoscaling_max_instances=4,
        async_success_topic_arn=topic,
        async_max_concurrent_invocations=8,
    )

    queue = config(queued)["AsyncInferenceConfig"]
    assert queue["ClientConfig"] == {"MaxConcurrentInvocationsPerInstance": "8"}
    assert queue["OutputConfig"]["NotificationConfig"] == {"SuccessTopic": topic}
    assert queue["OutputConfig"]["S3OutputPath"].endswith("/output")
    assert "DataCaptureConfig" not in config(queued)
    target = queued.one("AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == ("0", "4")
    metrics = {alarm["MetricName"] for alarm in queued.all("AWS::CloudWatch::Alarm")}
    assert metrics == {"Invocation5XXErrors", "HasBacklogWithoutCapacity"}
    tracking, step = queued.all("AWS::ApplicationAutoScaling::ScalingPolicy")
    followed = tracking["TargetTrackingScalingPolicyConfiguration"]
    assert (
        followed["CustomizedMetricSpecification"]["MetricName"]
        == "ApproximateBacklogSizePerInstance"
    )
    assert step["StepScalingPolicyConfiguration"]["StepAdjustments"] == [
        {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}
    ]
    # An update starts with an instance to try the new model on, not with the none of an idle hour.
    assert "RetainAllVariantProperties" not in queued.one("AWS::SageMaker::Endpoint")
    (told,) = [
        policy["PolicyDocument"]["Statement"][0]
        for policy in queued.all("AWS::IAM::Policy")
        if policy["PolicyDocument"]["Statement"][0]["Action"] == "sns:Publish"
    ]
    assert told["Resource"] == topic


def test_a_real_time_endpoint_that_scales_to_zero_serves_through_a_component(
    deployed: Deploy,
) -> None:
    zero = deployed(
        autoscaling_min_instances=0,
        autoscaling_max_instances=2,
        component_memory_mb=2048,
        container_startup_timeout_seconds=900,
    )

    (variant,) = config(zero)["ProductionVariants"]
    assert variant["ManagedInstanceScaling"] == {
        "Status": "ENABLED",
        "MinInstanceCount": "0",
        "MaxInstanceCount": "2",
    }
    assert not {"ModelName", "InitialVariantWeight"} & variant.keys()
    assert config(zero)["ExecutionRoleArn"]
    component = zero.one("AWS::SageMaker::InferenceComponent")
    assert component["Specification"] == {
        "ModelName": "<ServedModel.ModelName>",
        "ComputeResourceRequirements": {
            "MinMemoryRequiredInMb": "2048",
            "NumberOfCpuCoresRequired": "1",
        },
        "StartupParameters": {
            "ContainerStartupHealthCheckTimeoutInSeconds": "900",
            "ModelDataDownloadTimeoutInSeconds": "1200",
        },
    }
    target = zero.one("AWS::ApplicationAutoScaling::ScalableTarget")
    assert target["ScalableDimension"] == "sagemaker:inference-component:DesiredCopyCount"
    assert target["MinCapacity"] == "0"
    (alarm,) = [
        alarm
        for alarm in zero.all("AWS::CloudWatch::Alarm")
        if alarm["MetricName"] == "NoCapacityInvocationFailures"
    ]
    assert (alarm["Statistic"], alarm["Period"], alarm["Threshold"]) == ("Maximum", 30, 1)
    assert alarm["Dimensions"][0]["Name"] == "InferenceComponentName"


def test_every_variant_has_its_model_its_share_and_its_scaling(deployed: Deploy) -> None:
    shared = deployed(
        variant_name="champion",
        initial_variant_weight=9.0,
        further_variants=[
            {
                "variant_name": "challenger",
                "model_package_name": PACKAGE,
                "instance_type": "ml.c5.xlarge",
                "environment": {"THRESHOLD": "0.4"},
            }
        ],
        autoscaling_max_instances=3,
        scheduled_scaling=[
            {
                "name": "working-hours",
                "schedule_expression": "cron(0 7 ? * MON-FRI *)",
                "timezone": "Europe/Berlin",
                "min_instances": 2,
                "max_instances": 3,
            }
        ],
    )

    champion, challenger = config(shared)["ProductionVariants"]
    assert (champion["VariantName"], champion["InitialVariantWeight"]) == ("champion", "9")
    assert (challenger["InstanceType"], challenger["InitialVariantWeight"]) == ("ml.c5.xlarge", "1")
    first, second = (m["PrimaryContainer"] for m in shared.all("AWS::SageMaker::Model"))
    assert first["Environment"] == (
        '{"SAGEMAKER_PROGRAM":"inference.py","SAGEMAKER_SUBMIT_DIRECTORY":"/opt/ml/model/code"}'
    )
    assert second == {"ModelPackageName": PACKAGE, "Environment": '{"THRESHOLD":"0.4"}'}
    targets = shared.all("AWS::ApplicationAutoScaling::ScalableTarget")
    assert [target["ResourceId"].rpartition("/")[2] for target in targets] == [
        "champion",
        "challenger",
    ]
    for target in targets:
        assert target["ScheduledActions"] == [
            {
                "ScheduledActionName": "working-hours",
                "Schedule": "cron(0 7 ? * MON-FRI *)",
                "Timezone": "Europe/Berlin",
                "ScalableTargetAction": {"MinCapacity": "2", "MaxCapacity": "3"},
            }
        ]
    assert shared.one("AWS::SageMaker::Endpoint")["RetainAllVariantProperties"] is True


def test_start_up_volume_and_captured_share_are_those_of_the_request(deployed: Deploy) -> None:
    asked = deployed(
        container_startup_timeout_seconds=1800,
        model_download_timeout_seconds=2400,
        volume_size_gb={"dev": 40, "prod": 80},
        data_capture_percentage={"dev": 25, "prod": 5},
        capture_json_content_types=["application/json", "application/jsonlines"],
    )

    (variant,) = config(asked)["ProductionVariants"]
    capture = config(asked)["DataCaptureConfig"]

    assert variant["ContainerStartupHealthCheckTimeoutInSeconds"] == "1800"
    assert variant["ModelDataDownloadTimeoutInSeconds"] == "2400"
    assert variant["VolumeSizeInGB"] == "40"
    assert capture["InitialSamplingPercentage"] == "25"
    assert capture["CaptureContentTypeHeader"] == {
        "CsvContentTypes": ["text/csv"],
        "JsonContentTypes": ["application/json", "application/jsonlines"],
    }


def test_a_machine_with_disks_of_its_own_gets_no_key_for_a_volume(deployed: Deploy) -> None:
    assert "KmsKeyId" not in config(deployed(instance_type="ml.g5.xlarge"))
    assert "KmsKeyId" in config(deployed(instance_type="ml.m5.xlarge", volume_size_gb=100))


def test_the_inference_api_captures_what_sagemaker_does_not(deployed: Deploy) -> None:
    serverless = deployed(
        endpoint_mode="serverless",
        endpoint_name="income",
        api_capture_percentage=20,
        data_capture_location="s3://data/captured",
    )

    told = serverless.one("AWS::Lambda::Function")["Environment"]["Variables"]
    written = [
        str(statement["Resource"])
        for policy in serverless.all("AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
        if "s3:PutObject" in statement["Action"]
    ]

    assert told["CAPTURE_PERCENTAGE"] == "20"
    assert told["CAPTURE_LOCATION"] == "s3://data/captured"
    assert any("data/captured/income/*" in place for place in written), written


def captured_queue(deployed: Deploy, **body: Any) -> Deployed:
    return deployed(
        endpoint_mode="asynchronous", endpoint_name="income", api_capture_percentage=50, **body
    )


def rule_keys(found: Deployed) -> dict[str, str]:
    """Beginning of the keys, by bucket, that rules of an endpoint look at."""
    patterns = [rule["EventPattern"]["detail"] for rule in found.all("AWS::Events::Rule")]
    return {
        f"{each['bucket']['name'][0]}/{key['prefix']}": key["prefix"]
        for each in patterns
        for key in each["object"]["key"]
    }


def test_answers_of_a_captured_queue_complete_its_captures_and_nothing_else_has_the_function(
    deployed: Deploy,
) -> None:
    queued = captured_queue(deployed)

    assert set(rule_keys(queued).values()) == {
        "asynchronous/income/output/",
        "unanswered/income/",
    }
    (function,) = (
        each
        for each in queued.all("AWS::Lambda::Function")
        if each["Handler"] == "lambdas.inference.answers.handler"
    )
    assert function["Environment"]["Variables"]["NOTES_LOCATION"].endswith("/unanswered/income")
    assert len(queued.all("AWS::Events::Rule")) == 2
    for other in (
        deployed(),
        deployed(endpoint_mode="serverless", api_capture_percentage=50),
        deployed(endpoint_mode="asynchronous"),
    ):
        assert other.all("AWS::Events::Rule") == []
        assert len(other.all("AWS::Lambda::Function")) == 1


def test_answers_in_a_place_of_the_requests_own_are_looked_for_there(deployed: Deploy) -> None:
    elsewhere = captured_queue(
        deployed,
        async_output_location={"dev": "s3://letters/dev/answers", "prod": "s3://letters/answers/"},
    )
    assert "letters/dev/answers/" in rule_keys(elsewhere)
    read = [
        str(statement["Resource"])
        for policy in elsewhere.all("AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
        if "s3:GetObject" in statement["Action"]
    ]
    assert any("arn:aws:s3:::letters/dev/answers/*" in place for place in read), read


def test_a_multi_model_endpoint_serves_a_folder_that_its_role_may_read(deployed: Deploy) -> None:
    many = deployed(
        model_artifact_location="",
        models_location="s3://models/churn",
        api_capture_percentage=100,
        endpoint_name="income",
    )
    container = many.one("AWS::SageMaker::Model")["PrimaryContainer"]
    assert (container["Mode"], container["ModelDataUrl"]) == ("MultiModel", "s3://models/churn/")
    assert "DataCaptureConfig" not in config(many)
    (function,) = many.all("AWS::Lambda::Function")
    assert function["Environment"]["Variables"]["MANY_MODELS"] == "true"
    granted = [
        (statement["Action"], str(statement["Resource"]))
        for policy in many.all("AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    assert any("s3:GetObject" in a and "s3:::models/churn/*" in r for a, r in granted), granted
    assert any("s3:ListBucket" in a and "s3:::models'" in f"{r}'" for a, r in granted), granted

    one = deployed()
    assert "Mode" not in one.one("AWS::SageMaker::Model")["PrimaryContainer"]
    (function,) = one.all("AWS::Lambda::Function")
    assert function["Environment"]["Variables"]["MANY_MODELS"] == "false"
