"""Inputs of training jobs as a request names them, and how their metrics are read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mlops_framework.contracts.base import Accepts, Document
from mlops_framework.contracts.fields import S3Uri
from mlops_framework.contracts.model_building import (
    Compression,
    ContentType,
    Distribution,
    S3DataType,
)

InputMode = Literal["File", "Pipe", "FastFile"]
RecordWrapping = Literal["None", "RecordIO"]
ChannelName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=64),
    Accepts("1 to 64 letters, digits and . _ -"),
]
OptionalChannelName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9._-]*$", max_length=64),
    Accepts("up to 64 letters, digits and . _ -, or empty for the usual name"),
]
AttributeName = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_.:/ -]+$", max_length=256),
    Accepts("an attribute of an augmented manifest: letters, digits, blanks and _ . : / -"),
]
MetricPattern = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f]+$", min_length=1, max_length=500),
    Accepts("a regular expression with one group, for the number"),
]


class Channel(Document):
    """One input of a training job, beside ``training_data`` and ``validation_data``."""

    name: ChannelName = Field(description="Name of the channel.")
    location: S3Uri = Field(description="Where its data lies: a prefix, an object or a manifest.")
    content_type: ContentType = Field(default="", description="Content type told to the algorithm.")
    s3_data_type: S3DataType = Field(
        default="S3Prefix", description="Whether the location is a prefix or a manifest."
    )
    distribution: Distribution = Field(
        default="FullyReplicated", description="Whether each instance gets all data or a share."
    )
    compression: Compression = Field(default="None", description="Compression of the objects.")
    input_mode: InputMode = Field(default="File", description="How the container gets the data.")
    record_wrapping: RecordWrapping = Field(
        default="None", description="Whether objects are wrapped in RecordIO."
    )
    attribute_names: list[AttributeName] = Field(
        default_factory=list, max_length=16, description="Attributes of an augmented manifest."
    )


class MetricDefinition(Document):
    """How a metric is read out of a job's log."""

    name: Annotated[
        str, Field(pattern="^[A-Za-z0-9_:./@ -]+$", max_length=255), Accepts("a metric's name")
    ] = Field(description="Name of the metric.")
    regex: MetricPattern = Field(
        description="Regular expression whose one group is the metric's value."
    )


def input_of(channel: Channel) -> dict[str, Any]:
    """The channel as ``CreateTrainingJob`` takes it."""
    source: dict[str, Any] = {
        "S3DataType": channel.s3_data_type,
        "S3Uri": channel.location,
        "S3DataDistributionType": channel.distribution,
    }
    if channel.attribute_names:
        source["AttributeNames"] = list(channel.attribute_names)
    found: dict[str, Any] = {
        "ChannelName": channel.name,
        "DataSource": {"S3DataSource": source},
        "InputMode": channel.input_mode,
    }
    if channel.content_type:
        found["ContentType"] = channel.content_type
    if channel.compression != "None":
        found["CompressionType"] = channel.compression
    if channel.record_wrapping != "None":
        found["RecordWrapperType"] = channel.record_wrapping
    return found
