"""Data capture: requests and answers of an endpoint, in SageMaker's own files.

One object holds the records of one variant and one hour of invocation, one JSON object a line:
`<destination>/<endpoint>/<variant>/yyyy/mm/dd/HH/MM-SS-mmm-<uuid>.jsonl`, all times UTC.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import logging
import random
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker import objects
from mlops_framework.local.plane.sagemaker.area import iso, now
from mlops_framework.local.plane.service import Scope

_log = logging.getLogger(__name__)
FLUSH_SECONDS = 2.0
FLUSH_RECORDS = 500
_KEPT = "unwritten-capture"


@dataclass(frozen=True)
class Exchange:
    """One invocation, as it is captured.

    Attributes:
        request: the payload sent.
        request_type: its content type.
        response: the payload returned.
        response_type: its content type.
        inference_id: the caller's own id, or empty.
        custom_attributes: the caller's custom attributes, or empty.
    """

    request: bytes
    request_type: str
    response: bytes
    response_type: str
    inference_id: str = ""
    custom_attributes: str = ""


@dataclass(frozen=True)
class _Place:
    scope: Scope
    destination: str
    hour: str
    kms_key: str


def record_of(exchange: Exchange, config: Mapping[str, Any], moment: dt.datetime) -> dict[str, Any]:
    """One record of a capture file.

    Args:
        exchange: the invocation.
        config: the endpoint configuration's DataCaptureConfig.
        moment: when it happened.

    Returns:
        The record; its `data` is text: CSV and JSON as they are, anything else in base64.
    """
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    both = "InputAndOutput" in modes
    types = config.get("CaptureContentTypeHeader", {})
    captured: dict[str, Any] = {}
    if both or "Input" in modes:
        captured["endpointInput"] = _side(exchange.request, exchange.request_type, "INPUT", types)
    if both or "Output" in modes:
        captured["endpointOutput"] = _side(
            exchange.response, exchange.response_type, "OUTPUT", types
        )
    metadata: dict[str, Any] = {"eventId": str(uuid.uuid4())}
    if exchange.custom_attributes:
        metadata["customAttributes"] = [exchange.custom_attributes]
    if exchange.inference_id:
        metadata["inferenceId"] = exchange.inference_id
    metadata["inferenceTime"] = iso(moment)
    return {"captureData": captured, "eventMetadata": metadata, "eventVersion": "0"}


class CaptureWriter:
    """Collects records and writes them to S3 every few seconds, in a thread of its own."""

    def __init__(self, host: PlaneHost) -> None:
        """Start the writer, and take up what an earlier run could not write.

        Args:
            host: the emulator.
        """
        self._host = host
        self._lock = threading.Lock()
        self._waiting: dict[_Place, list[tuple[dt.datetime, str]]] = {}
        self._full = threading.Event()
        self._take_up()
        host.on_stop("SageMaker data capture", self._end)
        host.spawn("SageMaker data capture", self._work)

    def add(
        self,
        endpoint: str,
        variant: str,
        config: Mapping[str, Any],
        exchange: Exchange,
        scope: Scope,
    ) -> None:
        """Capture an invocation, if it falls into the sample.

        Args:
            endpoint: the endpoint's name.
            variant: the variant that answered.
            config: the DataCaptureConfig.
            exchange: the invocation.
            scope: account and region.
        """
        if not config.get("EnableCapture"):
            return
        if random.uniform(0, 100) >= config["InitialSamplingPercentage"]:
            return
        moment = now()
        place = _Place(
            scope,
            f"{config['DestinationS3Uri'].rstrip('/')}/{endpoint}/{variant}",
            moment.strftime("%Y/%m/%d/%H"),
            config.get("KmsKeyId", ""),
        )
        line = json.dumps(record_of(exchange, config, moment), separators=(",", ":"))
        with self._lock:
            lines = self._waiting.setdefault(place, [])
            lines.append((moment, line))
            if len(lines) >= FLUSH_RECORDS:
                self._full.set()

    def flush(self) -> None:
        """Write everything that waits; what S3 does not take waits on."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for place, lines in waiting.items():
            try:
                self._write(place, lines)
            except (ClientError, BotoCoreError, objects.DataError) as error:
                _log.warning("Captured data cannot be written to %s: %s", place.destination, error)
                with self._lock:
                    self._waiting[place] = lines + self._waiting.get(place, [])

    def _write(self, place: _Place, lines: list[tuple[dt.datetime, str]]) -> None:
        bucket, prefix = objects.split(place.destination)
        first = lines[0][0]
        milliseconds = first.microsecond // 1000
        name = f"{first:%M-%S}-{milliseconds:03d}-{uuid.uuid4()}.jsonl"
        body = "".join(f"{line}\n" for _, line in lines)
        encryption = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": place.kms_key}
            if place.kms_key
            else {}
        )
        self._host.client("s3", place.scope).put_object(
            Bucket=bucket, Key=f"{prefix}/{place.hour}/{name}", Body=body.encode(), **encryption
        )

    def _work(self) -> None:
        while not self._host.stopping.is_set():
            self._full.wait(FLUSH_SECONDS)
            self._full.clear()
            self.flush()

    def _end(self) -> None:
        self._full.set()
        self.flush()
        with self._lock:
            for place, lines in self._waiting.items():
                kept = self._host.store("sagemaker", place.scope).setdefault(_KEPT, {})
                kept[str(uuid.uuid4())] = {
                    "destination": place.destination,
                    "hour": place.hour,
                    "kms_key": place.kms_key,
                    "lines": [[moment, line] for moment, line in lines],
                }

    def _take_up(self) -> None:
        for scope in self._host.scopes("sagemaker"):
            kept = self._host.store("sagemaker", scope).pop(_KEPT, {})
            for each in kept.values():
                place = _Place(scope, each["destination"], each["hour"], each["kms_key"])
                lines = [(moment, line) for moment, line in each["lines"]]
                self._waiting[place] = lines + self._waiting.get(place, [])


def _side(payload: bytes, content_type: str, mode: str, types: Mapping[str, Any]) -> dict[str, str]:
    data, encoding = _encoded(payload, content_type, types)
    return {
        "observedContentType": content_type,
        "mode": mode,
        "data": data,
        "encoding": encoding,
    }


def _encoded(payload: bytes, content_type: str, types: Mapping[str, Any]) -> tuple[str, str]:
    media = content_type.split(";", 1)[0].strip().lower()
    for encoding, listed in (("CSV", "CsvContentTypes"), ("JSON", "JsonContentTypes")):
        if media in {each.lower() for each in types.get(listed, [])}:
            try:
                return payload.decode("utf-8"), encoding
            except UnicodeDecodeError:
                break
    return base64.b64encode(payload).decode("ascii"), "BASE64"
