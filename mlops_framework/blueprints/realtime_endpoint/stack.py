"""What a realtime-endpoint pipeline deploys: models, endpoint, its scaling, API and alarms."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_sagemaker as sagemaker

from mlops_framework import naming
from mlops_framework.blueprints.realtime_endpoint import slots
from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack, either, object_arn
from mlops_framework.cdk.constructs import ServiceApi, Throttle
from mlops_framework.cdk.function import FunctionShape, PythonFunction
from mlops_framework.cdk.security import allow
from mlops_framework.cdk.serving import (
    Bounds,
    Completion,
    EndpointForm,
    LateAnswers,
    Locations,
    ModelSource,
    Scaled,
    ScheduledAction,
    StepFromZero,
    Tracking,
    Variant,
    endpoint_alarms,
    endpoint_configuration,
    let_models_run,
    served_model,
    unless,
    where,
)

_PLACES = (1, *slots.VARIANT_PLACES)
_OWN_FIELDS = {"name": "variant_name", "weight": "initial_variant_weight"}
_INFERENCE_TIMEOUT_SECONDS = 29  # API Gateway waits no longer
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
        "target_variant": {"type": "string", "minLength": 1, "maxLength": 63},
        "target_model": {"type": "string", "minLength": 1, "maxLength": 256},
    },
}


class RealtimeEndpointStack(BlueprintStack):
    """Serve one model, up to four with a share of the traffic each, or a folder of them.

    Creates: models, endpoint configuration, endpoint, a function and a signed API before it, what
    scales it, alarms on server errors and latency. Fixed: encryption, capture of requests and
    responses in SageMaker's own layout. CloudFormation names models and configuration, because a
    change replaces them and the endpoint then moves over without a gap; the old ones are removed
    when the new ones serve.
    """

    def build(self) -> None:
        """Define models, endpoint, scaling, API and alarms."""
        self._endpoint_name = self.given_or("endpoint_name", self.deployed_name)
        data = f"s3://{self.platform.value('data-bucket-name')}"
        queue = f"{data}/{naming.ASYNCHRONOUS_PREFIX}/{self._endpoint_name}"
        self._inputs = f"{queue}/input"
        self._notes = f"{data}/{naming.UNANSWERED_PREFIX}/{self._endpoint_name}"
        self._captures = self.given_or("data_capture_location", f"{data}/{naming.CAPTURES_PREFIX}")
        locations = Locations(
            captures=self._captures,
            answers=self.given_or("async_output_location", f"{queue}/output"),
            failures=self.given_or("async_failure_location", f"{queue}/failure"),
            key=self.given_or("kms_key_arn", self.platform.value("key-arn")),
        )
        names = {place: self._of(place, "name") for place in _PLACES}
        self._form = EndpointForm(self, {place: names[place] for place in slots.VARIANT_PLACES})
        self._form.refuse_serverless_in_a_vpc()

        role = self.sagemaker_role("ModelRole", "Runs the models' containers")
        sources = {_model_id(place): self._source(place) for place in _PLACES}
        models = [
            served_model(self, construct_id, source, role)
            for construct_id, source in sources.items()
        ]
        let_models_run(self, role, sources, locations, self._inputs)
        variants = [
            self._variant(place, model) for place, model in zip(_PLACES, models, strict=True)
        ]
        config = endpoint_configuration(self, self._form, variants, locations, role)
        endpoint = self._endpoint(config)
        component = self._component(endpoint, models[0])
        self._scaling(endpoint, component)
        api = self._api()
        self._complete_captures(locations)
        endpoint_alarms(self, self._form, self._endpoint_name, names)
        self._keep_defaults_from_cfn_lint()

        self.output("EndpointName", endpoint.attr_endpoint_name)
        self.output("EndpointConfigName", config.attr_endpoint_config_name)
        self.output("EndpointMode", self.text("endpoint_mode"))
        self.output("ModelName", models[0].attr_model_name)
        self.output("VariantModels", self._variant_models(variants))
        self.output(
            "InferenceComponentName",
            cdk.Token.as_string(
                cdk.Fn.condition_if(
                    self._form.by_component.logical_id, component.inference_component_name, "none"
                )
            ),
        )
        self.output("InferenceApiUrl", f"{api.url}/inference")

    def _of(self, place: int, name: str) -> str:
        """Text of a field of the variant in a place; the request's own has the first."""
        own = _OWN_FIELDS.get(name, name)
        return self.text(own if place == 1 else slots.variant_field(place, name))

    def _number_of(self, place: int, name: str) -> int | float:
        own = _OWN_FIELDS.get(name, name)
        return self.number(own if place == 1 else slots.variant_field(place, name))

    def _source(self, place: int) -> ModelSource:
        return ModelSource(
            package=self._of(place, "model_package_name"),
            image=self._of(place, "image_uri"),
            artefact=self._of(place, "model_artifact_location"),
            environment=self._of(place, "environment"),
            present=self._form.has_variant.get(place),
            models=self.text("models_location") if place == 1 else "",
            many=self._form.many_models if place == 1 else None,
        )

    def _variant(self, place: int, model: sagemaker.CfnModel) -> Variant:
        return Variant(
            name=self._of(place, "name"),
            model=model.attr_model_name,
            instance_type=self._of(place, "instance_type"),
            instance_count=self._number_of(place, "instance_count"),
            weight=self._number_of(place, "weight"),
            present=self._form.has_variant.get(place),
        )

    def _keep_defaults_from_cfn_lint(self) -> None:
        """Say that an empty parameter, or one that is 0, is never what a resource gets."""
        # W1030: cfn-lint tries the parameters' empty defaults, which the conditions keep out.
        # W3005 is .cfnlintrc's, which this setting replaces.
        self.template_options.metadata = {
            "cfn-lint": {"config": {"ignore_checks": ["W1030", "W3005"]}}
        }

    def _endpoint(self, config: sagemaker.CfnEndpointConfig) -> sagemaker.CfnEndpoint:
        keeps = self._form.keeps_counts
        return sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=self._endpoint_name,
            endpoint_config_name=config.attr_endpoint_config_name,
            # An update starts with as many instances as scaling has come to, not with the first.
            retain_all_variant_properties=where(keeps, True),
            exclude_retained_variant_properties=where(
                keeps,
                [{"VariantPropertyType": name} for name in ("DesiredWeight", "DataCaptureConfig")],
            ),
        )

    def _component(
        self, endpoint: sagemaker.CfnEndpoint, model: sagemaker.CfnModel
    ) -> sagemaker.CfnInferenceComponent:
        """The model as a component that may have no copy; only for endpoints that scale to zero."""
        form, properties = self._form, sagemaker.CfnInferenceComponent
        no_gpu = self.when("WithoutAccelerators", "component_accelerators", "0")
        component = properties(
            self,
            "Component",
            inference_component_name=self._endpoint_name,
            endpoint_name=endpoint.attr_endpoint_name,
            variant_name=self.text("variant_name"),
            specification=properties.InferenceComponentSpecificationProperty(
                model_name=model.attr_model_name,
                compute_resource_requirements=(
                    properties.InferenceComponentComputeResourceRequirementsProperty(
                        min_memory_required_in_mb=self.number("component_memory_mb"),
                        number_of_cpu_cores_required=self.number("component_cpu_cores"),
                        number_of_accelerator_devices_required=cdk.Token.as_number(
                            unless(no_gpu, self.number("component_accelerators"))
                        ),
                    )
                ),
                startup_parameters=properties.InferenceComponentStartupParametersProperty(
                    container_startup_health_check_timeout_in_seconds=self.number(
                        "container_startup_timeout_seconds"
                    ),
                    model_data_download_timeout_in_seconds=self.number(
                        "model_download_timeout_seconds"
                    ),
                ),
            ),
            runtime_config=properties.InferenceComponentRuntimeConfigProperty(
                copy_count=self.number("instance_count")
            ),
        )
        component.cfn_options.condition = form.by_component
        return component

    def _scaling(
        self, endpoint: sagemaker.CfnEndpoint, component: sagemaker.CfnInferenceComponent
    ) -> None:
        """Bounds and policies for every form of endpoint that has instances."""
        form = self._form
        bounds = Bounds(
            self.number("autoscaling_min_instances"),
            self.number("autoscaling_max_instances"),
            tuple(self._action(place) for place in slots.ACTION_PLACES),
        )
        per_instance = self.number("autoscaling_invocations_per_instance")
        rest = (
            self.number("autoscaling_scale_in_cooldown_seconds"),
            self.number("autoscaling_scale_out_cooldown_seconds"),
        )
        name = endpoint.attr_endpoint_name
        for place in _PLACES:
            Scaled(
                self,
                "Scaling" if place == 1 else f"Scaling{place}",
                resource=f"endpoint/{name}/variant/{self._of(place, 'name')}",
                dimension="sagemaker:variant:DesiredInstanceCount",
                bounds=bounds,
                tracking=Tracking(
                    per_instance, *rest, predefined="SageMakerVariantInvocationsPerInstance"
                ),
                when=form.scales_variant[place],
            )
        Scaled(
            self,
            "QueueScaling",
            resource=f"endpoint/{name}/variant/{self.text('variant_name')}",
            dimension="sagemaker:variant:DesiredInstanceCount",
            bounds=bounds,
            tracking=Tracking(
                self.number("autoscaling_backlog_per_instance"),
                *rest,
                metric="ApproximateBacklogSizePerInstance",
                endpoint=name,
            ),
            when=form.scales_queue,
        ).comes_back_from_zero(
            StepFromZero("HasBacklogWithoutCapacity", "EndpointName", name, "Average", 60, 2, 300),
            form.queue_from_zero,
        )
        by_copies = Scaled(
            self,
            "ComponentScaling",
            resource=f"inference-component/{self._endpoint_name}",
            dimension="sagemaker:inference-component:DesiredCopyCount",
            bounds=bounds,
            tracking=Tracking(
                per_instance, *rest, predefined="SageMakerInferenceComponentInvocationsPerCopy"
            ),
            when=form.by_component,
        )
        # The component's name is the endpoint's, so nothing else tells that it has to be there.
        by_copies.target.node.add_dependency(component)
        by_copies.comes_back_from_zero(
            StepFromZero(
                "NoCapacityInvocationFailures",
                "InferenceComponentName",
                self._endpoint_name,
                "Maximum",
                30,
                1,
                60,
            ),
            form.by_component,
        )

    def _action(self, place: int) -> ScheduledAction:
        def field(name: str) -> str:
            return slots.action_field(place, name)

        return ScheduledAction(
            present=cdk.CfnCondition(
                self,
                f"HasScheduledAction{place}",
                expression=cdk.Fn.condition_not(
                    cdk.Fn.condition_equals(self.text(field("name")), "")
                ),
            ),
            name=self.text(field("name")),
            schedule=self.text(field("schedule_expression")),
            timezone=self.text(field("timezone")),
            least=self.number(field("min_instances")),
            most=self.number(field("max_instances")),
        )

    def _api(self) -> ServiceApi:
        bundle = self.bundler.bundle("inference")
        function = PythonFunction(
            self,
            "Inference",
            bundle=bundle,
            handler="handler:handler",
            settings=bundle.settings("InferenceSettings"),
            environment={
                "endpoint_name": self._endpoint_name,
                "endpoint_mode": self.text("endpoint_mode"),
                "input_location": self._inputs,
                "inference_component": either(self._form.by_component, self._endpoint_name, ""),
                "many_models": either(self._form.many_models, "true", "false"),
                "variant_name": self.text("variant_name"),
                "notes_location": self._notes,
                "capture_location": self._captures,
                "capture_percentage": self.text("api_capture_percentage"),
                "capture_csv_types": self.text("capture_csv_types"),
                "capture_json_types": self.text("capture_json_types"),
            },
            description="Passes POST /inference on to the endpoint",
            logs=self.logs,
            shape=FunctionShape(timeout_seconds=_INFERENCE_TIMEOUT_SECONDS),
        )
        allow(
            function,
            actions=perms.INVOKE_ENDPOINT,
            resources=[
                self.arn("sagemaker", f"endpoint/{self._endpoint_name}"),
                self.arn("sagemaker", f"inference-component/{self._endpoint_name}"),
            ],
        )
        allow(
            function,
            actions=perms.WRITE_OBJECTS,
            resources=[f"{object_arn(self, self._inputs)}/*"],
            because="Every call of an asynchronous endpoint is an object of its own.",
        )
        allow(
            function,
            actions=perms.WRITE_OBJECTS,
            resources=[f"{object_arn(self, self._captures)}/{self._endpoint_name}/*"],
            because="Every call that the function captures is an object of its own.",
        )
        allow(
            function,
            actions=[*perms.WRITE_OBJECTS, *perms.TAG_OBJECTS],
            resources=[f"{object_arn(self, self._notes)}/*"],
            because="The note of a captured call whose answer comes later is an object, too.",
        )
        allow(function, actions=perms.USE_KEY, resources=[self.platform.value("key-arn")])
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

    def _complete_captures(self, locations: Locations) -> None:
        """Of an asynchronous endpoint: the answers join the requests that the API captured."""
        endpoint = self._endpoint_name
        places = Completion(
            endpoint=endpoint,
            captures=self._captures,
            notes=self._notes,
            notes_prefix=f"{naming.UNANSWERED_PREFIX}/{endpoint}/",
            answers=locations.answers,
            answers_prefix=f"{naming.ASYNCHRONOUS_PREFIX}/{endpoint}/output/",
            key=locations.key,
        )
        LateAnswers(self, "LateAnswers", form=self._form, places=places)

    @staticmethod
    def _variant_models(variants: list[Variant]) -> str:
        """Every variant with its model, for the check after a deployment: ``A=model,B=model``."""
        first, *further = variants
        texts = [f"{first.name}={first.model}"]
        texts += [
            cdk.Token.as_string(
                cdk.Fn.condition_if(each.present.logical_id, f",{each.name}={each.model}", "")
            )
            for each in further
            if each.present
        ]
        return "".join(texts)


def _model_id(place: int) -> str:
    return "ServedModel" if place == 1 else f"ServedModel{place}"
