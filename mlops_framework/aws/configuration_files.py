"""Files of the configuration bucket, and the topic that hears of refused ones."""

from __future__ import annotations

from typing import Any

from mlops_framework.aws.refusals import refusals

_MISSING = {"404": FileNotFoundError, "NoSuchKey": FileNotFoundError}


class ConfigurationFiles:
    """Reads request files, writes results, alerts.

    Args:
        objects: An S3 client.
        topics: An SNS client.
        topic_arn: The alert topic.
    """

    def __init__(self, objects: Any, topics: Any, *, topic_arn: str) -> None:
        self._objects = objects
        self._topics = topics
        self._topic_arn = topic_arn

    def read(self, bucket: str, key: str, *, limit: int) -> bytes:
        """At most ``limit`` bytes of an object as it is now.

        Raises:
            FileNotFoundError: If there is no such object.
        """
        with refusals("S3", "GetObject", _MISSING):
            content: bytes = self._objects.get_object(Bucket=bucket, Key=key)["Body"].read(limit)
        return content

    def write(self, bucket: str, key: str, text: str) -> None:
        """Write a JSON object."""
        with refusals("S3", "PutObject"):
            self._objects.put_object(
                Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json"
            )

    def alert(self, subject: str, text: str) -> None:
        """Tell people."""
        with refusals("SNS", "Publish"):
            self._topics.publish(TopicArn=self._topic_arn, Subject=subject, Message=text)
