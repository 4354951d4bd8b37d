"""SageMaker's answers, as botocore's own models allow them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from botocore.stub import Stubber

from mlops_framework.aws.endpoints import SageMakerEndpoints
from mlops_framework.aws.model_builds import SageMakerBuilds
from mlops_framework.delivery.model_build import BuildStep
from mlops_framework.orchestration.errors import ServiceRefused

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = "arn:aws:sagemaker:us-east-1:111122223333:"
RUN = f"{ROOT}pipeline/p/execution/abcdefghijkl"
JOB = f"{ROOT}training-job/train"
PACKAGE = f"{ROOT}model-package/income/3"
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2"


@pytest.fixture
def sagemaker(client_of) -> Iterator[Stubber]:
    with Stubber(client_of("sagemaker")) as stub:
        yield stub
        stub.assert_no_pending_responses()


def test_a_build_starts_once_for_a_token(sagemaker) -> None:
    sagemaker.add_response(
        "start_pipeline_execution",
        {"PipelineExecutionArn": RUN},
        {"PipelineName": "p", "ClientRequestToken": "a" * 64},
    )

    assert SageMakerBuilds(sagemaker.client, "mlops-test").start("p", token="a" * 64) == RUN


GROUP = {"ModelPackageGroupName": "income"}
TAGGED = {**GROUP, "Tags": [{"Key": "mlops:environment", "Value": "mlops-test"}]}
GROUP_ARN = f"{ROOT}model-package-group/income"


def test_a_group_is_made_with_the_environments_tag(sagemaker) -> None:
    sagemaker.add_response(
        "create_model_package_group", {"ModelPackageGroupArn": GROUP_ARN}, TAGGED
    )

    SageMakerBuilds(sagemaker.client, "mlops-test").keep_group("income")


def test_a_group_that_is_there_is_kept(sagemaker) -> None:
    sagemaker.add_client_error("create_model_package_group", "ValidationException")
    described = {
        "ModelPackageGroupName": "income",
        "ModelPackageGroupArn": GROUP_ARN,
        "CreationTime": NOW,
        "CreatedBy": {},
        "ModelPackageGroupStatus": "Completed",
    }
    sagemaker.add_response("describe_model_package_group", described, GROUP)

    SageMakerBuilds(sagemaker.client, "mlops-test").keep_group("income")


def test_a_group_that_cannot_be_made_is_told_in_sagemakers_words(sagemaker) -> None:
    sagemaker.add_client_error(
        "create_model_package_group", "ValidationException", "the tag is not allowed"
    )
    sagemaker.add_client_error("describe_model_package_group", "ValidationException")

    with pytest.raises(ServiceRefused, match="the tag is not allowed"):
        SageMakerBuilds(sagemaker.client, "mlops-test").keep_group("income")


def test_a_run_is_read_with_every_page_of_its_steps(sagemaker) -> None:
    sagemaker.add_response(
        "describe_pipeline_execution",
        {
            "PipelineExecutionArn": RUN,
            "PipelineExecutionStatus": "Failed",
            "FailureReason": "a step failed",
        },
        {"PipelineExecutionArn": RUN},
    )
    asked = {"PipelineExecutionArn": RUN, "SortOrder": "Ascending"}
    sagemaker.add_response(
        "list_pipeline_execution_steps",
        {
            "PipelineExecutionSteps": [
                {
                    "StepName": "Train",
                    "StepStatus": "Succeeded",
                    "Metadata": {"TrainingJob": {"Arn": JOB}},
                }
            ],
            "NextToken": "more",
        },
        asked,
    )
    sagemaker.add_response(
        "list_pipeline_execution_steps",
        {
            "PipelineExecutionSteps": [
                {
                    "StepName": "Reject",
                    "StepStatus": "Failed",
                    "FailureReason": "fail step",
                    "Metadata": {"Fail": {"ErrorMessage": "accuracy is 0.61"}},
                },
                {
                    "StepName": "Register",
                    "StepStatus": "Succeeded",
                    "Metadata": {"RegisterModel": {"Arn": PACKAGE}},
                },
            ]
        },
        {**asked, "NextToken": "more"},
    )

    run = SageMakerBuilds(sagemaker.client, "mlops-test").look(RUN)

    assert (run.status, run.reason) == ("Failed", "a step failed")
    assert run.steps == (
        BuildStep("Train", "Succeeded", job=JOB),
        BuildStep("Reject", "Failed", reason="fail step", verdict="accuracy is 0.61"),
        BuildStep("Register", "Succeeded", model_package=PACKAGE),
    )


def test_an_endpoint_is_read_down_to_the_packages_of_its_models(sagemaker) -> None:
    sagemaker.add_response(
        "describe_endpoint",
        {
            "EndpointName": "income",
            "EndpointArn": f"{ROOT}endpoint/income",
            "EndpointConfigName": "config-2",
            "EndpointStatus": "InService",
            "CreationTime": NOW,
            "LastModifiedTime": NOW,
            "ProductionVariants": [
                {
                    "VariantName": "AllTraffic",
                    "CurrentInstanceCount": 1,
                    "DeployedImages": [{"SpecifiedImage": IMAGE, "ResolvedImage": IMAGE}],
                }
            ],
        },
        {"EndpointName": "income"},
    )
    sagemaker.add_response(
        "describe_endpoint_config",
        {
            "EndpointConfigName": "config-2",
            "EndpointConfigArn": f"{ROOT}endpoint-config/config-2",
            "CreationTime": NOW,
            "ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "model-2"}],
        },
        {"EndpointConfigName": "config-2"},
    )
    sagemaker.add_response(
        "describe_model",
        {
            "ModelName": "model-2",
            "ModelArn": f"{ROOT}model/model-2",
            "CreationTime": NOW,
            "PrimaryContainer": {"ModelPackageName": PACKAGE},
        },
        {"ModelName": "model-2"},
    )

    serving = SageMakerEndpoints(sagemaker.client).look("income")

    (variant,) = serving.variants
    assert (serving.status, serving.configuration) == ("InService", "config-2")
    assert (variant.model, variant.model_packages) == ("model-2", (PACKAGE,))
    assert (list(variant.images), variant.instances) == ([IMAGE], 1)


def test_an_endpoint_that_moves_is_not_looked_into(sagemaker) -> None:
    sagemaker.add_response(
        "describe_endpoint",
        {
            "EndpointName": "income",
            "EndpointArn": f"{ROOT}endpoint/income",
            "EndpointConfigName": "config-1",
            "EndpointStatus": "Updating",
            "CreationTime": NOW,
            "LastModifiedTime": NOW,
        },
    )

    assert SageMakerEndpoints(sagemaker.client).look("income").variants == ()


def test_an_endpoint_that_does_not_exist_is_nothing(sagemaker) -> None:
    sagemaker.add_client_error(
        "describe_endpoint", "ValidationException", f'Could not find endpoint "{ROOT}endpoint/x".'
    )

    assert SageMakerEndpoints(sagemaker.client).look("x") is None


def test_another_refusal_of_the_same_code_is_a_refusal(sagemaker) -> None:
    sagemaker.add_client_error("describe_endpoint", "ValidationException", "too long a name")

    with pytest.raises(ServiceRefused, match="too long a name"):
        SageMakerEndpoints(sagemaker.client).look("x")
