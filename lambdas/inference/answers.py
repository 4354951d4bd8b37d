"""S3 "Object Created" of an answer, or of the note of a captured request: complete the capture."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from lambdas.inference import wiring
from mlops_framework.aws.late_answers import LateAnswers

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)


def complete(event: Mapping[str, Any], *, answers: LateAnswers) -> dict[str, str]:
    """Complete the capture record of the call that an object belongs to, if it is there.

    Whatever goes wrong raises, and Lambda calls again.

    Args:
        event: As EventBridge passes it on, which gives keys as they are.
        answers: What completes records.
    """
    bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
    taken = answers.arrived(bucket, key)
    LOGGER.info("s3://%s/%s: %s", bucket, key, taken)
    return {"taken": taken.value}


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Entry point of the function."""
    return complete(event, answers=wiring.answers())
