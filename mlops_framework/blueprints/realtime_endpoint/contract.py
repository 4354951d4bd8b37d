"""What a realtime-endpoint request may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from mlops_framework import naming
from mlops_framework.contracts.base import PerStage, PipelineRequest, value_for
from mlops_framework.contracts.faults import NOTHING, shown
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
from mlops_framework.errors import Fault

_MODEL_SOURCES = "either model_package_name, or image_uri and model_artifact_location"


class RealtimeEndpointRequest(PipelineRequest):
    """Model, endpoint configuration with data capture, endpoint, and an inference API before it."""

    pipeline_type: Literal["realtime-endpoint"] = Field(description="Kind of the blueprint.")

    endpoint_name: PerStage[OptionalSageMakerName] = Field(
        default="", description="Name of the endpoint; derived from pipeline and stage if empty."
    )
    model_package_name: OptionalModelPackageArn = Field(
        default="",
        description="Version in the model registry to serve, instead of image and artefact.",
    )
    image_uri: OptionalImageUri = Field(
        default="", description="Image that serves the model, with model_artifact_location."
    )
    model_artifact_location: OptionalS3Object = Field(
        default="", description="model.tar.gz with the model and its inference code."
    )

    instance_type: PerStage[InstanceType] = Field(
        default="ml.m5.large", description="Instance type of the endpoint."
    )
    instance_count: PerStage[Annotated[int, Field(ge=1, le=100)]] = Field(
        default=1, description="Instances of the endpoint."
    )
    initial_variant_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        default=1.0, description="Share of the traffic the variant takes, relative to others."
    )

    requests_per_second: PerStage[Annotated[int, Field(ge=1, le=10_000)]] = Field(
        default=1000,
        description="Calls that the inference API lets through, per second and at one moment; "
        "10,000 is API Gateway's own limit for an account.",
    )

    data_capture_percentage: PerStage[Share] = Field(
        default=100, description="Requests and responses that are captured, percent; 0 is none."
    )
    data_capture_location: PerStage[OptionalS3Uri] = Field(
        default="", description="Where captures go; the data bucket's captures/ if empty."
    )
    kms_key_arn: PerStage[OptionalKmsKeyArn] = Field(
        default="", description="Key for volumes and captures; the platform's key if empty."
    )

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """A model comes from the registry or from image and artefact, not from both or neither."""
        yield from super().conflicts(given)
        package = given.get("model_package_name")
        image, artefact = given.get("image_uri"), given.get("model_artifact_location")
        if package and (image or artefact):
            yield Fault(
                "model_package_name",
                f"Given together with image_uri or model_artifact_location; give {_MODEL_SOURCES}.",
                _MODEL_SOURCES,
                shown(package),
            )
        elif not package and not (image and artefact):
            missing = (
                "model_package_name"
                if not (image or artefact)
                else "model_artifact_location"
                if image
                else "image_uri"
            )
            yield Fault(
                missing, f"No model to serve: give {_MODEL_SOURCES}.", _MODEL_SOURCES, NOTHING
            )

    def resource_names(self, prefix: str, stage: str) -> Mapping[str, str]:
        """The endpoint's name, derived unless it is given."""
        given = value_for(self.endpoint_name, stage)
        derived = naming.sagemaker_name(prefix, self.pipeline_id, stage)
        return {"endpoint_name": given or derived}
