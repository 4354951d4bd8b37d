"""What a realtime-endpoint request may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field

from mlops_framework import naming
from mlops_framework.blueprints.realtime_endpoint import many_models, rules, slots
from mlops_framework.blueprints.realtime_endpoint.scaling import ScheduledScaling
from mlops_framework.blueprints.realtime_endpoint.variants import (
    FIRST,
    Algorithm,
    AlgorithmVersion,
    Environment,
    Variant,
    VariantName,
    environment_of,
    images_of,
)
from mlops_framework.contracts.base import (
    METADATA,
    Accepts,
    PerStage,
    PipelineRequest,
    Place,
    value_for,
)
from mlops_framework.contracts.fields import (
    InstanceType,
    OptionalImageUri,
    OptionalKmsKeyArn,
    OptionalModelPackageArn,
    OptionalS3Object,
    OptionalS3Uri,
    OptionalSageMakerName,
    Share,
)
from mlops_framework.contracts.instances import has_local_disk
from mlops_framework.contracts.model_source import source_faults
from mlops_framework.contracts.parameters import Parameter
from mlops_framework.errors import Fault, RequestInvalid

OptionalTopicArn = Annotated[
    str,
    Field(pattern="^(arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+)?$", max_length=2048),
    Accepts("the ARN of an SNS topic, arn:aws:sns:<region>:<account>:<topic>, or empty for none"),
]
ContentType = Annotated[
    str,
    Field(pattern="^[a-zA-Z0-9](-*[a-zA-Z0-9])*/[a-zA-Z0-9](-*[a-zA-Z0-9.])*$", max_length=256),
    Accepts("a media type such as text/csv"),
]
ContentTypes = Annotated[list[ContentType], Field(min_length=1, max_length=10)]
Cooldown = Annotated[int, Field(ge=0, le=3600)]
Timeout = Annotated[int, Field(ge=60, le=3600)]
Concurrency = Annotated[int, Field(ge=1, le=200)]
_FOLDERS: Final = ("data_capture_location", "async_output_location", "async_failure_location")


class RealtimeEndpointRequest(PipelineRequest):
    """Models, endpoint configuration with data capture, endpoint, and an inference API before it.

    ``endpoint_mode`` chooses between instances that answer at once, capacity that SageMaker brings
    per call, and a queue before the instances.
    """

    pipeline_type: Literal["realtime-endpoint"] = Field(description="Kind of the blueprint.")

    endpoint_mode: Literal["real-time", "serverless", "asynchronous"] = Field(
        default="real-time",
        description="How it answers: from instances at once, without instances, or from a queue.",
    )
    endpoint_name: PerStage[OptionalSageMakerName] = Field(
        default="", description="Name of the endpoint; derived from pipeline and stage if empty."
    )
    model_package_name: OptionalModelPackageArn = Field(
        default="",
        description="Version in the model registry to serve, instead of image and artefact.",
    )
    model_package_group: OptionalSageMakerName = Field(
        default="",
        description="Group in the model registry whose newest approved version is served.",
        json_schema_extra=dict(METADATA),
    )
    image_uri: OptionalImageUri = Field(
        default="", description="Image that serves the model, with model_artifact_location."
    )
    model_artifact_location: OptionalS3Object = Field(
        default="", description="model.tar.gz with the model and its inference code."
    )
    models_location: PerStage[OptionalS3Uri] = Field(
        default="",
        description="Folder of the archives of a multi-model endpoint, instead of one artefact: "
        "each call names the one that answers it.",
    )
    algorithm: Algorithm = Field(
        default="",
        description="Built-in algorithm or framework whose image serves the model.",
        json_schema_extra=dict(METADATA),
    )
    algorithm_version: AlgorithmVersion = Field(
        default="",
        description="Version of the algorithm's image.",
        json_schema_extra=dict(METADATA),
    )
    environment: Environment = Field(
        default_factory=dict, description="Environment variables of the container."
    )

    instance_type: PerStage[InstanceType] = Field(
        default="ml.m5.large", description="Instance type of the endpoint."
    )
    instance_count: PerStage[Annotated[int, Field(ge=1, le=100)]] = Field(
        default=1, description="Instances of the endpoint, at its start if it is scaled."
    )
    variant_name: VariantName = Field(
        default=FIRST, description="Name of the production variant, for metrics and TargetVariant."
    )
    initial_variant_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        default=1.0, description="Share of the traffic the variant takes, relative to others."
    )
    further_variants: list[Variant] = Field(
        default_factory=list,
        description="Up to three more variants, each with a model and a weight of its own.",
        json_schema_extra=dict(METADATA),
    )
    volume_size_gb: PerStage[Annotated[int, Field(ge=0, le=512)]] = Field(
        default=0, description="Size of each instance's volume; 0 leaves it to SageMaker."
    )
    container_startup_timeout_seconds: Timeout = Field(
        default=600, description="Time a container has until its health check answers."
    )
    model_download_timeout_seconds: Timeout = Field(
        default=1200, description="Time to fetch and unpack the model."
    )

    serverless_memory_mb: PerStage[Annotated[int, Field(ge=1024, le=6144)]] = Field(
        default=2048, description="Memory of a serverless endpoint, in steps of 1024."
    )
    serverless_max_concurrency: PerStage[Concurrency] = Field(
        default=10, description="Calls that a serverless endpoint works on at one moment."
    )
    serverless_provisioned_concurrency: PerStage[Annotated[int, Field(ge=0, le=200)]] = Field(
        default=0, description="How many of them are kept warm, for a price by the hour."
    )

    async_output_location: PerStage[OptionalS3Uri] = Field(
        default="",
        description="Where an asynchronous endpoint puts answers; the data bucket's if empty.",
    )
    async_failure_location: PerStage[OptionalS3Uri] = Field(
        default="", description="Where it puts what failed; the data bucket's if empty."
    )
    async_success_topic_arn: PerStage[OptionalTopicArn] = Field(
        default="", description="SNS topic that is told of every answer."
    )
    async_error_topic_arn: PerStage[OptionalTopicArn] = Field(
        default="", description="SNS topic that is told of every failure."
    )
    async_max_concurrent_invocations: PerStage[Annotated[int, Field(ge=0, le=1000)]] = Field(
        default=0, description="Requests that one instance gets at once; 0 leaves it to SageMaker."
    )

    autoscaling_max_instances: PerStage[Annotated[int, Field(ge=0, le=100)]] = Field(
        default=0, description="Most instances of a scaled endpoint; 0 is no scaling."
    )
    autoscaling_min_instances: PerStage[Annotated[int, Field(ge=0, le=100)]] = Field(
        default=1,
        description="Fewest of them. 0 gives up the last when nobody calls: a real-time endpoint "
        "then serves through an inference component, and calls fail until it is back.",
    )
    autoscaling_invocations_per_instance: PerStage[Annotated[float, Field(ge=0.1)]] = Field(
        default=600.0,
        description="Calls a minute that one instance of a real-time endpoint should take.",
    )
    autoscaling_backlog_per_instance: PerStage[Annotated[float, Field(ge=0.1)]] = Field(
        default=5.0,
        description="Requests that may wait for each instance of an asynchronous endpoint.",
    )
    autoscaling_scale_in_cooldown_seconds: Cooldown = Field(
        default=300, description="Rest after giving up instances."
    )
    autoscaling_scale_out_cooldown_seconds: Cooldown = Field(
        default=60, description="Rest after adding instances."
    )
    scheduled_scaling: list[ScheduledScaling] = Field(
        default_factory=list,
        description="Up to four times at which the bounds of a scaled endpoint change.",
        json_schema_extra=dict(METADATA),
    )
    component_memory_mb: Annotated[int, Field(ge=128)] = Field(
        default=1024, description="Memory of each copy of the inference component."
    )
    component_cpu_cores: Annotated[float, Field(ge=0.25)] = Field(
        default=1.0, description="CPU cores of each copy of the inference component."
    )
    component_accelerators: Annotated[int, Field(ge=0, le=16)] = Field(
        default=0, description="Accelerators (GPUs) of each copy of the inference component."
    )

    requests_per_second: PerStage[Annotated[int, Field(ge=1, le=10_000)]] = Field(
        default=1000,
        description="Calls that the inference API lets through, per second and at one moment; "
        "10,000 is API Gateway's own limit for an account.",
    )

    data_capture_percentage: PerStage[Share] = Field(
        default=100,
        description="Requests and responses of a real-time endpoint that are captured, percent; "
        "0 is none.",
    )
    api_capture_percentage: PerStage[Share] = Field(
        default=0,
        description="Calls of a serverless, asynchronous or multi-model endpoint, whose traffic "
        "SageMaker does not capture, that the inference API captures itself, percent.",
    )
    data_capture_location: PerStage[OptionalS3Uri] = Field(
        default="", description="Where captures go; the data bucket's captures/ if empty."
    )
    capture_csv_content_types: ContentTypes = Field(
        default=["text/csv"],
        description="Media types that are captured as CSV text.",
        json_schema_extra=dict(METADATA),
    )
    capture_json_content_types: ContentTypes = Field(
        default=["application/json"],
        description="Media types that are captured as JSON text.",
        json_schema_extra=dict(METADATA),
    )
    kms_key_arn: PerStage[OptionalKmsKeyArn] = Field(
        default="",
        description="Key for volumes, captures and answers; the platform's key if empty.",
    )

    derived_parameters: ClassVar[tuple[Parameter, ...]] = (
        slots.switch("encrypts_volumes", True, "Whether a volume is there that takes a key."),
        Parameter(
            "CaptureCsvTypes",
            "String",
            "text/csv",
            description="Media types that are captured as CSV, with commas.",
            field="capture_csv_types",
        ),
        Parameter(
            "CaptureJsonTypes",
            "String",
            "application/json",
            description="Media types that are captured as JSON, with commas.",
            field="capture_json_types",
        ),
        Parameter(
            "AsyncOutputPrefix",
            "String",
            "",
            pattern="^[A-Za-z0-9!_.*'()=+@:/-]{0,1024}$",
            description="Beginning of the keys of answers, if they do not go to the data bucket.",
            field="async_output_prefix",
        ),
        *slots.place_parameters(),
    )

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Models come from one source each, and the mode can do what is asked of it."""
        yield from super().conflicts(given)
        yield from many_models.faults(given) if many_models.of(given) else source_faults(given)
        further = given.get("further_variants")
        for index, variant in enumerate(further if isinstance(further, list) else []):
            if isinstance(variant, Mapping):
                yield from source_faults(variant, f"further_variants.{index}.")
        defaults = {
            name: field.get_default(call_default_factory=True)
            for name, field in cls.model_fields.items()
            if not field.is_required() and not field.default_factory_takes_validated_data
        }
        yield from rules.rules(given, defaults)

    def parameter_value(self, name: str, stage: str) -> Any:
        """See the base; lists take their places, and a mode switches off what it cannot do."""
        if name == "models_location":
            folder = value_for(self.models_location, stage).rstrip("/")
            return f"{folder}/" if folder else ""
        if name == "environment" and self.models_location:
            return dict(self.environment)
        if name == "environment":
            return environment_of(
                self.environment,
                algorithm=self.algorithm,
                package=self.model_package_name or self.model_package_group,
            )
        if name == "data_capture_percentage" and not self._sagemaker_captures():
            return 0
        if name in _FOLDERS:
            # What lies below is named with a slash between, here as in policies and rules.
            return value_for(getattr(self, name), stage).rstrip("/")
        if name == "async_output_prefix":
            _, _, key = value_for(self.async_output_location, stage)[5:].rstrip("/").partition("/")
            return f"{key}/" if key else ""
        if name == "encrypts_volumes":
            return self._encrypts_volumes(stage)
        if name == "capture_csv_types":
            return ",".join(self.capture_csv_content_types)
        if name == "capture_json_types":
            return ",".join(self.capture_json_content_types)
        if name.startswith("variant_") and name != "variant_name":
            instance_type = value_for(self.instance_type, stage)
            instance_count = value_for(self.instance_count, stage)
            return slots.variant_values(self.further_variants, instance_type, instance_count)[name]
        if name.startswith("scheduled_action_"):
            return slots.action_values(self.scheduled_scaling)[name]
        return super().parameter_value(name, stage)

    def resolved(self, place: Place) -> Self:
        """With the images of algorithms filled in, and no capture where SageMaker has none.

        Raises:
            RequestInvalid: If SageMaker offers no such image in the place's region.
        """
        faults: list[Fault] = []

        def image(source: Self | Variant, types: set[str], path: str = "") -> str:
            if source.image_uri or not source.algorithm:
                return source.image_uri
            said = images_of(source.algorithm, source.algorithm_version, place.region, types, path)
            if isinstance(said, Fault):
                faults.append(said)
                return ""
            return said

        own = self._instance_types()
        first = image(self, own)
        further = [
            variant.model_copy(
                update={
                    "image_uri": image(
                        variant,
                        {variant.instance_type} if variant.instance_type else own,
                        f"further_variants.{index}.",
                    )
                }
            )
            for index, variant in enumerate(self.further_variants)
        ]
        if faults:
            raise RequestInvalid(faults)
        captured = self.data_capture_percentage if self._sagemaker_captures() else 0
        return self.model_copy(
            update={
                "image_uri": first,
                "further_variants": further,
                "data_capture_percentage": captured,
            }
        )

    def _sagemaker_captures(self) -> bool:
        return self.endpoint_mode == rules.REAL_TIME and not self.models_location

    def _instance_types(self) -> set[str]:
        """Instance types of all stages; none for an endpoint without instances."""
        if self.endpoint_mode == rules.SERVERLESS:
            return set()
        given = self.instance_type
        return set(given.values()) if isinstance(given, dict) else {given}

    def _encrypts_volumes(self, stage: str) -> bool:
        """Whether some variant has a volume, to which a key applies, and not only a local disk."""
        own = value_for(self.instance_type, stage)
        types = [own, *(variant.instance_type or own for variant in self.further_variants)]
        return self.endpoint_mode != rules.SERVERLESS and not all(map(has_local_disk, types))

    def resource_names(self, prefix: str, stage: str) -> Mapping[str, str]:
        """The endpoint's name, derived unless it is given."""
        given = value_for(self.endpoint_name, stage)
        derived = naming.sagemaker_name(prefix, self.pipeline_id, stage)
        return {"endpoint_name": given or derived}
