"""The pipeline that the batch-transform blueprint deploys: one transform job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mlops_framework.model_build.definition import PipelineDefinition, PipelineParameter
from mlops_framework.model_build.expressions import Splice, When, join, parameter
from mlops_framework.model_build.steps import Arguments, Step
from mlops_framework.model_build.volumes import volume_key

INPUT_KEY = "InputKey"
"""Parameter of the pipeline: key or prefix, in the input's bucket, of what an execution scores."""
CAPTURE = "CaptureMember"
"""Variable of what a job has that captures data."""


@dataclass(frozen=True, kw_only=True)
class TransformStep(Step):
    """Runs a transform job."""

    type: ClassVar[str] = "Transform"
    api_operation: ClassVar[str | None] = "CreateTransformJob"

    arguments: Arguments

    def arguments_of_step(self) -> Arguments:
        """The ``CreateTransformJob`` request without its name."""
        return self.arguments


@dataclass(frozen=True, kw_only=True)
class BatchTransform:
    """What differs between two pipelines of this kind.

    Every string may hold ``${Name}`` for ``Fn::Sub``; what is no string in the definition is a
    :class:`Splice`.

    Attributes:
        model_name: The SageMaker model; its role reads and writes the data.
        environment: JSON map of the container's variables.
        input_bucket: Bucket of the input.
        input_key: Key or prefix in it, unless the start of an execution gives another.
        s3_data_type: ``S3Prefix`` or ``ManifestFile``.
        content_type: Of the input.
        compression: ``None`` or ``Gzip``.
        split_type: ``None``, ``Line``, ``RecordIO`` or ``TFRecord``.
        batch_strategy: ``MultiRecord`` or ``SingleRecord``.
        max_payload_mb: MB.
        max_concurrent_transforms: Requests at the same time, 0 to leave it to the container.
        invocation_timeout_seconds: Of one request, seconds.
        invocation_retries: Of one request.
        input_filter: JSONPath.
        output_filter: JSONPath.
        join_source: ``None`` or ``Input``.
        output_path: S3 prefix; a splice where it is an expression.
        accept: Media type of the predictions.
        assemble_with: ``None`` or ``Line``.
        instance_type: Of each instance.
        instance_count: Instances.
        kms_key_arn: Key for predictions, captures and volumes.
        capture_location: S3 prefix for what :data:`CAPTURE` records of input and output.
        generate_inference_id: Whether each row of output then gets an id and a time.
    """

    model_name: str
    environment: Splice | Mapping[str, str]
    input_bucket: str
    input_key: str
    s3_data_type: str
    content_type: str
    compression: str
    split_type: str
    batch_strategy: str
    max_payload_mb: Splice | int
    max_concurrent_transforms: Splice | int
    invocation_timeout_seconds: Splice | int
    invocation_retries: Splice | int
    input_filter: str
    output_filter: str
    join_source: str
    output_path: Splice | str
    accept: str
    assemble_with: str
    instance_type: str
    instance_count: Splice | int
    kms_key_arn: str
    capture_location: str
    generate_inference_id: Splice | bool


def batch_transform_definition(transform: BatchTransform) -> PipelineDefinition:
    """One Transform step; :data:`INPUT_KEY` says what it scores when the start gives it."""
    where = join("/", ["s3:/", transform.input_bucket, parameter(INPUT_KEY)])
    arguments: dict[str, Any] = {
        "ModelName": transform.model_name,
        "Environment": transform.environment,
        "BatchStrategy": transform.batch_strategy,
        "MaxPayloadInMB": transform.max_payload_mb,
        "MaxConcurrentTransforms": transform.max_concurrent_transforms,
        "ModelClientConfig": {
            "InvocationsTimeoutInSeconds": transform.invocation_timeout_seconds,
            "InvocationsMaxRetries": transform.invocation_retries,
        },
        "TransformInput": {
            "DataSource": {
                "S3DataSource": {"S3DataType": transform.s3_data_type, "S3Uri": where},
            },
            "ContentType": transform.content_type,
            "CompressionType": transform.compression,
            "SplitType": transform.split_type,
        },
        "DataProcessing": {
            "InputFilter": transform.input_filter,
            "OutputFilter": transform.output_filter,
            "JoinSource": transform.join_source,
        },
        "TransformOutput": {
            "S3OutputPath": transform.output_path,
            "Accept": transform.accept,
            "AssembleWith": transform.assemble_with,
            "KmsKeyId": transform.kms_key_arn,
        },
        "TransformResources": {
            "InstanceType": transform.instance_type,
            "InstanceCount": transform.instance_count,
            "VolumeKmsKeyId": volume_key(transform.kms_key_arn),
        },
        "DataCaptureConfig": When(
            CAPTURE,
            {
                "DestinationS3Uri": transform.capture_location,
                "KmsKeyId": transform.kms_key_arn,
                "GenerateInferenceId": transform.generate_inference_id,
            },
        ),
    }
    return PipelineDefinition(
        (TransformStep(name="Transform", arguments=arguments),),
        (PipelineParameter(INPUT_KEY, transform.input_key),),
    )
