"""The types that request fields are made of, each with its limits and the limits in words.

Values of a request become CloudFormation parameters and are spliced into JSON documents (a
SageMaker pipeline definition, for one), so no pattern here lets a quote, a backslash or a control
character through. Patterns are anchored: pydantic searches, CloudFormation matches the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from mlops_framework import naming

T = TypeVar("T")


@dataclass(frozen=True)
class Accepts:
    """What a pattern means, in words; stands beside the pattern in ``Annotated``."""

    words: str


VALUE_TAG = "~value"
STAGES_TAG = "~stages"


def _form(value: Any) -> str:
    return STAGES_TAG if isinstance(value, dict) else VALUE_TAG


PerStage = Annotated[
    Annotated[T, Tag(VALUE_TAG)] | Annotated[dict[str, T], Tag(STAGES_TAG)],
    Discriminator(_form),
]
"""One value for every stage, or a map from each stage of the environment to its value."""


_BUCKET = "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_KEY = "[A-Za-z0-9!_.*()/=+@:-]"
_ECR = "[0-9]{12}[.]dkr[.]ecr(-fips)?[.][a-z0-9-]+[.]amazonaws[.]com([.]cn)?"
_ARN = "arn:aws[a-z-]*"

ModelName = Annotated[
    str,
    Field(pattern=naming.MODEL_NAME_PATTERN, min_length=1, max_length=naming.MODEL_NAME_LENGTH),
    Accepts(
        f"1 to {naming.MODEL_NAME_LENGTH} lower-case letters, digits and single hyphens, starting "
        "with a letter (it becomes part of CloudFormation stack names, which take no underscore, "
        "dot or blank)"
    ),
]

S3_URI_PATTERN = f"^s3://{_BUCKET}(/{_KEY}*)?$"
S3_URI_LENGTH = 1024
S3Uri = Annotated[
    str,
    Field(pattern=S3_URI_PATTERN, max_length=S3_URI_LENGTH),
    Accepts("an S3 location, s3://bucket/prefix"),
]
S3Object = Annotated[
    str,
    Field(pattern=f"^s3://{_BUCKET}/({_KEY}*[A-Za-z0-9!_.*()=+@:-])$", max_length=1024),
    Accepts("one S3 object, s3://bucket/key"),
]
OptionalS3Uri = Annotated[
    str,
    Field(pattern=f"^(s3://{_BUCKET}(/{_KEY}*)?)?$", max_length=1024),
    Accepts("an S3 location, s3://bucket/prefix, or empty for the platform's own place"),
]
OptionalS3Object = Annotated[
    str,
    Field(pattern=f"^(s3://{_BUCKET}/({_KEY}*[A-Za-z0-9!_.*()=+@:-]))?$", max_length=1024),
    Accepts("one S3 object, s3://bucket/key, or empty"),
]

InstanceType = Annotated[
    str,
    Field(pattern="^ml[.][a-z0-9-]+[.][a-z0-9-]+$", max_length=64),
    Accepts("a SageMaker instance type such as ml.m5.large"),
]
ImageUri = Annotated[
    str,
    Field(
        pattern=f"^{_ECR}/[a-z0-9]+([._/-]+[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]*"
        "|@sha256:[a-f0-9]{64})$",
        max_length=255,
    ),
    Accepts("an image in Amazon ECR with its tag or digest, <registry>/<repository>:<tag>"),
]
OptionalImageUri = Annotated[
    str,
    Field(
        pattern=f"^({_ECR}/[a-z0-9]+([._/-]+[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]*"
        "|@sha256:[a-f0-9]{64}))?$",
        max_length=255,
    ),
    Accepts(
        "an image in Amazon ECR with its tag or digest, <registry>/<repository>:<tag>, or empty"
    ),
]
SageMakerName = Annotated[
    str,
    Field(pattern="^[a-zA-Z0-9](-?[a-zA-Z0-9])*$", max_length=naming.SAGEMAKER_NAME_LENGTH),
    Accepts("1 to 63 letters, digits and single hyphens, not starting or ending with a hyphen"),
]
OptionalSageMakerName = Annotated[
    str,
    Field(pattern="^([a-zA-Z0-9](-?[a-zA-Z0-9])*)?$", max_length=naming.SAGEMAKER_NAME_LENGTH),
    Accepts(
        "up to 63 letters, digits and single hyphens, not starting or ending with a hyphen; "
        "empty for the derived name"
    ),
]
OptionalModelPackageArn = Annotated[
    str,
    Field(
        pattern=f"^({_ARN}:sagemaker:[a-z0-9-]+:[0-9]{{12}}:model-package/[a-zA-Z0-9-]+/[0-9]+)?$",
        max_length=256,
    ),
    Accepts("the ARN of one model package version, arn:aws:sagemaker:…:model-package/<group>/<n>"),
]
OptionalKmsKeyArn = Annotated[
    str,
    Field(
        pattern=f"^({_ARN}:kms:[a-z0-9-]+:[0-9]{{12}}:key/[a-zA-Z0-9-]+)?$",
        max_length=256,
    ),
    Accepts("the ARN of a KMS key, arn:aws:kms:…:key/<id>, or empty for the platform's key"),
]
PythonScript = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_]+([./-][A-Za-z0-9_]+)*[.]py$", max_length=128),
    Accepts("the path of a Python file inside the source archive, such as train.py"),
]
MetricName = Annotated[
    str,
    Field(pattern="^[a-z][a-z0-9_]*$", max_length=64),
    Accepts("lower-case letters, digits and underscores, starting with a letter"),
]
ColumnName = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_. -]*$", max_length=128),
    Accepts("a column's name of letters, digits, blanks and _ . -, or empty for none"),
]
ScheduleExpression = Annotated[
    str,
    Field(
        pattern="^(rate[(](1 (minute|hour|day)|[2-9] (minutes|hours|days)"
        "|[1-9][0-9]+ (minutes|hours|days))[)]|cron[(][0-9A-Z*?,/#L -]+[)])$",
        max_length=128,
    ),
    Accepts(
        "an EventBridge Scheduler expression: rate(1 hour), rate(15 minutes) or cron(0 * * * ? *)"
    ),
]
Owner = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_.:/=+@ -]*$", max_length=128),
    Accepts("a person or team of letters, digits, blanks and _ . : / = + - @ (it becomes a tag)"),
]
Text = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$", max_length=1024),
    Accepts("text of at most 1024 characters without control characters"),
]


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


HyperParameter = Annotated[
    str,
    BeforeValidator(_as_text),
    Field(max_length=2500),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
"""SageMaker carries hyperparameters as text; numbers and booleans are turned into it."""

Share = Annotated[int, Field(ge=0, le=100)]
Direction = Literal["at-least", "at-most"]
