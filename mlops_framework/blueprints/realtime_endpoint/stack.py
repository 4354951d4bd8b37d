"""What a realtime-endpoint pipeline deploys: model, endpoint with capture, API, alarms."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker

from mlops_framework import naming
from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack, either, object_arn
from mlops_framework.cdk.constructs import ServiceApi, Throttle
from mlops_framework.cdk.containers import let_containers_start
from mlops_framework.cdk.function import FunctionShape, PythonFunction
from mlops_framework.cdk.security import acknowledge_template, allow

_VARIANT = "AllTraffic"
_INFERENCE_TIMEOUT_SECONDS = 29  # API Gateway waits no longer
_SLOW_MICROSECONDS = 1_000_000
_INFERENCE_BODY = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["payload"],
    "additionalProperties": False,
    "properties": {
        "payload": {"description": "Text in content_type, or any JSON value."},
        "content_type": {"type": "string", "maxLength": 256},
        "accept": {"type": "string", "maxLength": 256},
        "inference_id": {"type": "string", "minLength": 1, "maxLength": 64},
    },
}


class RealtimeEndpointStack(BlueprintStack):
    """Serve one model.

    Creates: model, endpoint configuration, endpoint, a function and a signed API before it, alarms
    on server errors and latency. Fixed: encryption, capture of requests and responses in
    SageMaker's own layout. CloudFormation names model and configuration, because a change replaces
    them and the endpoint then moves over without a gap.
    """

    def build(self) -> None:
        """Define model, endpoint, API and alarms."""
        self._endpoint_name = self.given_or("endpoint_name", self.deployed_name)
        self._key_arn = self.given_or("kms_key_arn", self.platform.value("key-arn"))
        self._captures = self.given_or(
            "data_capture_location",
            f"s3://{self.platform.value('data-bucket-name')}/{naming.CAPTURES_PREFIX}",
        )
        role = self.sagemaker_role("ModelRole", "Runs one model's containers")
        model = self._model(role)
        config = self._configuration(model)
        endpoint = sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=self._endpoint_name,
            endpoint_config_name=config.attr_endpoint_config_name,
        )
        api = self._api()
        self._alarms()
        self._excuse_empty_defaults(model, config, endpoint)

        self.output("EndpointName", endpoint.attr_endpoint_name)
        self.output("EndpointConfigName", config.attr_endpoint_config_name)
        self.output("ModelName", model.attr_model_name)
        self.output("InferenceApiUrl", f"{api.url}/inference")

    def _excuse_empty_defaults(self, *resources: cdk.CfnResource) -> None:
        """Say that an empty parameter is never what a resource gets.

        CDK's validation puts each parameter's default in its place and does not see that a
        condition replaces an empty one.
        """
        for resource in resources:
            for code in ("F3031", "F3033"):
                acknowledge_template(
                    resource,
                    code,
                    "The empty default is replaced by Fn::If before it reaches the property; the "
                    "contract's own patterns refuse other values.",
                )

    def _model(self, role: iam.Role) -> sagemaker.CfnModel:
        from_package = cdk.CfnCondition(
            self,
            "FromPackage",
            expression=cdk.Fn.condition_not(
                cdk.Fn.condition_equals(self.text("model_package_name"), "")
            ),
        )
        none = cdk.Aws.NO_VALUE

        def unless_package(value: str) -> str:
            return either(from_package, none, value)

        artifact = self.text("model_artifact_location")
        network = self.config.networking
        model = sagemaker.CfnModel(
            self,
            "ServedModel",
            execution_role_arn=role.role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                model_package_name=either(from_package, self.text("model_package_name"), none),
                image=unless_package(self.text("image_uri")),
                model_data_url=unless_package(artifact),
                environment=cdk.Token.as_any(
                    cdk.Fn.condition_if(
                        from_package.logical_id,
                        none,
                        {
                            "SAGEMAKER_PROGRAM": "inference.py",
                            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                        },
                    )
                ),
            ),
            enable_network_isolation=network.network_isolation if network else None,
            vpc_config=sagemaker.CfnModel.VpcConfigProperty(
                subnets=list(network.subnet_ids),
                security_group_ids=list(network.security_group_ids),
            )
            if network
            else None,
        )
        # W1030: cfn-lint tries the parameters' empty defaults, which the condition keeps out.
        # W3005 is .cfnlintrc's, which this setting replaces.
        self.template_options.metadata = {
            "cfn-lint": {"config": {"ignore_checks": ["W1030", "W3005"]}}
        }
        # SageMaker tries the role on the artefact when the model is made.
        model.node.add_dependency(role)
        data = self.platform.bucket_arn("data-bucket-name")
        allow(
            role,
            actions=perms.READ_OBJECTS,
            resources=[f"{data}/{naming.MODELS_PREFIX}/*", f"{data}/{naming.CODE_PREFIX}/*"],
            because="A model package names an artefact below models/ and scripts below code/; "
            "which ones, only the registry knows.",
        )
        allow(
            role,
            actions=perms.READ_OBJECTS,
            resources=[
                cdk.Token.as_string(
                    cdk.Fn.condition_if(
                        from_package.logical_id,
                        f"{data}/{naming.MODELS_PREFIX}",
                        object_arn(self, artifact),
                    )
                )
            ],
        )
        allow(role, actions=perms.LIST_BUCKET, resources=[data])
        allow(
            role,
            actions=perms.WRITE_OBJECTS,
            resources=[f"{object_arn(self, self._captures)}/*"],
            because="Capture files are named by SageMaker below the request's capture location.",
        )
        allow(
            role,
            actions=perms.USE_KEY_FOR_VOLUMES,
            resources=[self._key_arn, self.platform.value("key-arn")],
        )
        let_containers_start(self, role, self._registry_image(from_package))
        return model

    def _registry_image(self, from_package: cdk.CfnCondition) -> str:
        """The image whose account may be pulled from; a package's is in this account or AWS's.

        A package does not tell CloudFormation its image, so its registry cannot be written out.
        """
        return either(from_package, "*.dkr", self.text("image_uri"))

    def _configuration(self, model: sagemaker.CfnModel) -> sagemaker.CfnEndpointConfig:
        never = self.when("CapturesNothing", "data_capture_percentage", "0")
        return sagemaker.CfnEndpointConfig(
            self,
            "EndpointConfig",
            kms_key_id=self._key_arn,
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name=_VARIANT,
                    model_name=model.attr_model_name,
                    instance_type=self.text("instance_type"),
                    initial_instance_count=self.number("instance_count"),
                    initial_variant_weight=self.number("initial_variant_weight"),
                )
            ],
            data_capture_config=sagemaker.CfnEndpointConfig.DataCaptureConfigProperty(
                enable_capture=cdk.Fn.condition_if(never.logical_id, False, True),
                initial_sampling_percentage=self.number("data_capture_percentage"),
                destination_s3_uri=self._captures,
                kms_key_id=self._key_arn,
                capture_options=[
                    sagemaker.CfnEndpointConfig.CaptureOptionProperty(capture_mode="Input"),
                    sagemaker.CfnEndpointConfig.CaptureOptionProperty(capture_mode="Output"),
                ],
                capture_content_type_header=(
                    sagemaker.CfnEndpointConfig.CaptureContentTypeHeaderProperty(
                        csv_content_types=["text/csv"], json_content_types=["application/json"]
                    )
                ),
            ),
        )

    def _api(self) -> ServiceApi:
        bundle = self.bundler.bundle("inference")
        function = PythonFunction(
            self,
            "Inference",
            bundle=bundle,
            handler="handler:handler",
            settings=bundle.settings("InferenceSettings"),
            environment={"endpoint_name": self._endpoint_name},
            description="Passes POST /inference on to the endpoint",
            logs=self.logs,
            shape=FunctionShape(timeout_seconds=_INFERENCE_TIMEOUT_SECONDS),
        )
        allow(
            function,
            actions=perms.INVOKE_ENDPOINT,
            resources=[self.arn("sagemaker", f"endpoint/{self._endpoint_name}")],
        )
        api = ServiceApi(
            self,
            "InferenceApi",
            function=function,
            description=f"Inference API of {self.config.prefix}",
            logs=self.logs,
            throttle=Throttle(
                rate=self.number("requests_per_second"), burst=self.number("requests_per_second")
            ),
        )
        api.route("POST", "/inference", body=_INFERENCE_BODY, body_name="Inference")
        return api

    def _alarms(self) -> None:
        if not self.config.alarms.enabled:
            return
        dimensions = {"EndpointName": self._endpoint_name, "VariantName": _VARIANT}
        topic = self.platform.value("alert-topic-arn")
        period = self.config.alarms.period_minutes * 60
        for name, metric, statistic, threshold, text in (
            ("ServerErrors", "Invocation5XXErrors", "Sum", 1, "answers with server errors"),
            ("Latency", "ModelLatency", "p90", _SLOW_MICROSECONDS, "takes over a second (p90)"),
        ):
            percentile = statistic.startswith("p")
            alarm = cloudwatch.CfnAlarm(
                self,
                f"{name}Alarm",
                alarm_description=f"Endpoint {self._endpoint_name} {text}",
                namespace="AWS/SageMaker",
                metric_name=metric,
                dimensions=[
                    cloudwatch.CfnAlarm.DimensionProperty(name=key, value=value)
                    for key, value in dimensions.items()
                ],
                statistic=None if percentile else statistic,
                extended_statistic=statistic if percentile else None,
                period=period,
                evaluation_periods=1,
                threshold=threshold,
                comparison_operator="GreaterThanOrEqualToThreshold",
                treat_missing_data="notBreaching",
                alarm_actions=[topic],
            )
            self._excuse_empty_defaults(alarm)
