"""The endpoint configuration: variants, capture, queue; in the form that the request decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker

from mlops_framework.cdk.blueprint import BlueprintStack
from mlops_framework.cdk.serving.form import EndpointForm, holds, unless, where
from mlops_framework.cdk.serving.model import Network


@dataclass(frozen=True)
class Variant:
    """Tokens of one production variant; its instances are of no account where there are none.

    Attributes:
        name: Of the variant.
        model: Name of its model.
        instance_type: Of its instances.
        instance_count: Instances at the start.
        weight: Share of the traffic.
        present: Holds when the request has this variant; none for its own.
    """

    name: str
    model: str
    instance_type: str
    instance_count: int | float
    weight: int | float
    present: cdk.CfnCondition | None = None


@dataclass(frozen=True)
class Locations:
    """Tokens of where an endpoint writes.

    Attributes:
        captures: Requests and responses of a real-time endpoint.
        answers: Of an asynchronous endpoint.
        failures: Of an asynchronous endpoint.
        key: KMS key for all of it, and for volumes.
    """

    captures: str
    answers: str
    failures: str
    key: str


def endpoint_configuration(
    stack: BlueprintStack,
    form: EndpointForm,
    variants: list[Variant],
    locations: Locations,
    role: iam.Role,
) -> sagemaker.CfnEndpointConfig:
    """Declare the configuration.

    Args:
        stack: The blueprint's stack.
        form: What the request decides.
        variants: The request's own first.
        locations: Where it writes.
        role: What an inference component's containers may do.
    """
    network = Network.of(stack)
    by_component = form.by_component
    no_key = stack.when("NoVolumeTakesAKey", "encrypts_volumes", "false")
    return sagemaker.CfnEndpointConfig(
        stack,
        "EndpointConfig",
        kms_key_id=cdk.Token.as_string(unless(no_key, locations.key)),
        production_variants=_variants(stack, form, variants),
        data_capture_config=unless(
            stack.when("CapturesNothing", "data_capture_percentage", "0"),
            _capture(stack, locations),
        ),
        async_inference_config=where(form.asynchronous, _queue(stack, form, locations)),
        # Models bring role and network along; an inference component takes the configuration's.
        execution_role_arn=cdk.Token.as_string(where(by_component, role.role_arn)),
        enable_network_isolation=where(by_component, network.isolated) if network else None,
        vpc_config=where(
            by_component,
            {
                "Subnets": list(network.subnets),
                "SecurityGroupIds": list(network.security_groups),
            },
        )
        if network
        else None,
    )


def _variants(
    stack: BlueprintStack, form: EndpointForm, variants: list[Variant]
) -> cdk.IResolvable:
    """The list of variants: one list for each form, so that a form's conditions stand once.

    CDK's own validation tries every combination of the conditions inside a property; with a
    condition at every member it does not end. In CloudFormation's own spelling, since a condition
    passes it on as it stands.
    """
    first, *further = variants
    warm = stack.when("NothingKeptWarm", "serverless_provisioned_concurrency", "0")
    serverless = {
        "VariantName": first.name,
        "ModelName": first.model,
        "ServerlessConfig": {
            "MemorySizeInMB": stack.number("serverless_memory_mb"),
            "MaxConcurrency": stack.number("serverless_max_concurrency"),
            "ProvisionedConcurrency": unless(
                warm, stack.number("serverless_provisioned_concurrency")
            ),
        },
    }
    by_component = {
        "VariantName": first.name,
        "ManagedInstanceScaling": {
            "Status": "ENABLED",
            "MinInstanceCount": stack.number("autoscaling_min_instances"),
            "MaxInstanceCount": stack.number("autoscaling_max_instances"),
        },
        "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
        **_instances(stack, form, first),
    }
    by_model = [
        _by_model(stack, form, first),
        *(where(each.present, _by_model(stack, form, each)) for each in further if each.present),
    ]
    return cdk.Fn.condition_if(
        form.serverless.logical_id,
        [serverless],
        cdk.Fn.condition_if(form.by_component.logical_id, [by_component], by_model),
    )


def _by_model(stack: BlueprintStack, form: EndpointForm, variant: Variant) -> dict[str, Any]:
    return {
        "VariantName": variant.name,
        "ModelName": variant.model,
        "InitialVariantWeight": variant.weight,
        "ContainerStartupHealthCheckTimeoutInSeconds": stack.number(
            "container_startup_timeout_seconds"
        ),
        "ModelDataDownloadTimeoutInSeconds": stack.number("model_download_timeout_seconds"),
        **_instances(stack, form, variant),
    }


def _instances(stack: BlueprintStack, form: EndpointForm, variant: Variant) -> dict[str, Any]:
    return {
        "InstanceType": variant.instance_type,
        "InitialInstanceCount": variant.instance_count,
        "VolumeSizeInGB": unless(form.without("volume_size_gb"), stack.number("volume_size_gb")),
    }


def _capture(stack: BlueprintStack, locations: Locations) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": stack.number("data_capture_percentage"),
        "DestinationS3Uri": locations.captures,
        "KmsKeyId": locations.key,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {
            "CsvContentTypes": cdk.Fn.split(",", stack.text("capture_csv_types")),
            "JsonContentTypes": cdk.Fn.split(",", stack.text("capture_json_types")),
        },
    }


def _queue(stack: BlueprintStack, form: EndpointForm, locations: Locations) -> dict[str, Any]:
    topics = {
        "SuccessTopic": stack.left_empty("async_success_topic_arn"),
        "ErrorTopic": stack.left_empty("async_error_topic_arn"),
    }
    success, error = topics.values()
    nobody = cdk.CfnCondition(
        stack, "TellsNobody", expression=cdk.Fn.condition_and(holds(success), holds(error))
    )
    return {
        "ClientConfig": unless(
            form.without("async_max_concurrent_invocations"),
            {
                "MaxConcurrentInvocationsPerInstance": stack.number(
                    "async_max_concurrent_invocations"
                )
            },
        ),
        "OutputConfig": {
            "S3OutputPath": locations.answers,
            "S3FailurePath": locations.failures,
            "KmsKeyId": locations.key,
            "NotificationConfig": unless(
                nobody,
                {
                    "SuccessTopic": unless(success, stack.text("async_success_topic_arn")),
                    "ErrorTopic": unless(error, stack.text("async_error_topic_arn")),
                },
            ),
        },
    }
