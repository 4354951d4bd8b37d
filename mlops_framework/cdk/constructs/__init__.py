"""Building blocks that are secure before anybody thinks of it."""

from __future__ import annotations

from mlops_framework.cdk.constructs.bucket import PrivateBucket
from mlops_framework.cdk.constructs.queue import QueueWithDeadLetters
from mlops_framework.cdk.constructs.service_api import ServiceApi, Throttle
from mlops_framework.cdk.constructs.topic import AlertTopic

__all__ = ["AlertTopic", "PrivateBucket", "QueueWithDeadLetters", "ServiceApi", "Throttle"]
