"""Capture of an endpoint's traffic by the API before it, in SageMaker's own files.

SageMaker captures nothing of serverless and asynchronous endpoints. Where it does not, the API
writes each call that falls into the sample as a capture object of one record, so that whatever
reads captures reads these. Of an asynchronous call there is no answer yet: the request is captured,
and :mod:`~mlops_framework.aws.late_answers` completes the record.
"""

from __future__ import annotations

import base64
import json
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

LOGGER = logging.getLogger(__name__)

VARIANT: Final = "AllTraffic"
"""SageMaker's name of the variant of an endpoint that has one."""


@dataclass(frozen=True)
class MediaTypes:
    """Which media types are captured as text; all others in base64.

    Attributes:
        csv: Those that are CSV.
        json: Those that are JSON.
    """

    csv: Sequence[str] = ("text/csv",)
    json: Sequence[str] = ("application/json",)


@dataclass(frozen=True)
class Exchange:
    """One call.

    Attributes:
        request: What the model was asked.
        request_type: Its media type.
        response: What it answered; ``None`` if there is no answer yet.
        response_type: Its media type.
        variant: Which variant answered; empty if that is not known.
        target_model: Which model of a multi-model endpoint was asked; empty for other endpoints.
        inference_id: The caller's id, or the queue's.
    """

    request: bytes
    request_type: str
    response: bytes | None = None
    response_type: str = ""
    variant: str = ""
    target_model: str = ""
    inference_id: str = ""


@dataclass(frozen=True)
class InferenceCapture:
    """Captures calls of one endpoint.

    Attributes:
        client: An S3 client.
        bucket: Where captures go.
        prefix: Key prefix of the endpoint's captures, its name included.
        share: Calls that are captured, percent.
        types: How payloads are written down.
        now: The present.
        chance: A number from 0 to below 1, for the sample.
        variant: The variant that captures name where nobody says which one answered.
    """

    client: Any
    bucket: str
    prefix: str
    share: int
    now: Callable[[], datetime]
    chance: Callable[[], float]
    types: MediaTypes = field(default_factory=MediaTypes)
    variant: str = VARIANT

    def keep(self, exchange: Exchange) -> str:
        """Write a call down if it falls into the sample; it never fails.

        Returns:
            ``s3://bucket/key`` of the capture object; empty if there is none.
        """
        if self.chance() * 100 >= self.share:
            return ""
        moment = self.now().astimezone(UTC)
        line = json.dumps(record_of(exchange, self.types, moment), separators=(",", ":"))
        key = f"{self.prefix}/{exchange.variant or self.variant}/{self._name(moment, exchange)}"
        try:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=f"{line}\n".encode())
        except Exception:
            LOGGER.exception("a call could not be captured in s3://%s/%s", self.bucket, key)
            return ""
        return f"s3://{self.bucket}/{key}"

    def _name(self, moment: datetime, exchange: Exchange) -> str:
        """Hour and file as SageMaker names them, then the share, and the model if there are many.

        SageMaker's names have no full stop before ``.jsonl``. The share is there because nobody
        else can tell a monitor how many calls a capture stands for. A model's name is a key below
        a prefix, and ``!`` stands for the slashes in it, which would be folders.
        """
        name = f"{moment:%Y/%m/%d/%H/%M-%S}-{moment.microsecond // 1000:03d}-{uuid.uuid4()}"
        target = exchange.target_model.replace("/", "!")
        model = f".model={target}" if target else ""
        return f"{name}.share={self.share}{model}.jsonl"


def record_of(exchange: Exchange, types: MediaTypes, moment: datetime) -> dict[str, Any]:
    """The capture record of a call.

    Args:
        exchange: The call.
        types: How payloads are written down.
        moment: When it was, UTC.
    """
    sides = {"endpointInput": side(exchange.request, exchange.request_type, "INPUT", types)}
    if exchange.response is not None:
        output = side(exchange.response, exchange.response_type, "OUTPUT", types)
        sides["endpointOutput"] = output
    metadata = {"eventId": str(uuid.uuid4())}
    if exchange.inference_id:
        metadata["inferenceId"] = exchange.inference_id
    metadata["inferenceTime"] = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    return {"captureData": sides, "eventMetadata": metadata, "eventVersion": "0"}


def side(payload: bytes, content_type: str, mode: str, types: MediaTypes) -> Mapping[str, str]:
    """One side of a capture record.

    Args:
        payload: As it was sent.
        content_type: Its media type.
        mode: ``INPUT`` or ``OUTPUT``.
        types: How payloads are written down.
    """
    data, encoding = base64.b64encode(payload).decode(), "BASE64"
    media = content_type.partition(";")[0].strip().lower()
    for name, listed in (("CSV", types.csv), ("JSON", types.json)):
        if media in {each.lower() for each in listed}:
            with suppress(UnicodeDecodeError):
                data, encoding = payload.decode(), name
            break
    return {
        "observedContentType": content_type,
        "mode": mode,
        "data": data,
        "encoding": encoding,
    }
