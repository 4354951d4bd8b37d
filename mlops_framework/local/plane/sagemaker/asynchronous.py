"""The queues of asynchronous endpoints: input from S3, answer or error to S3, a message to SNS.

What waits is kept in memory: it is lost when the local AWS stops.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker import objects
from mlops_framework.local.plane.sagemaker.area import iso, now
from mlops_framework.local.plane.sagemaker.fleet import Fleet, ServingError
from mlops_framework.local.plane.service import Scope

_log = logging.getLogger(__name__)
_WORKERS = 4
_POLL_SECONDS = 0.2
_METRIC_SECONDS = 2.0
_TTL_SECONDS = 21_600
_TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class Ticket:
    """One call that waits.

    Attributes:
        request: as InvokeEndpointAsync got it.
        queue: the endpoint's AsyncInferenceConfig.
        inference_id: the caller's, or one of ours.
        output: object of the answer.
        failure: object of the error.
        received: when it came.
    """

    request: Mapping[str, Any]
    queue: Mapping[str, Any]
    inference_id: str
    output: str
    failure: str
    received: str = field(default_factory=lambda: iso(now()))
    since: float = field(default_factory=time.monotonic)


class Queues:
    """One queue for each asynchronous endpoint, worked off while it has an instance."""

    def __init__(self, host: PlaneHost, fleet: Fleet, serves: Callable[[str, Scope], bool]) -> None:
        """Start empty.

        Args:
            host: the emulator.
            fleet: what answers.
            serves: whether an endpoint is still there.
        """
        self._host, self._fleet, self._serves = host, fleet, serves
        self._waiting: dict[tuple[Scope, str], deque[Ticket]] = {}
        self._busy: dict[tuple[Scope, str], int] = {}
        self._lock = threading.Lock()

    def take(
        self, endpoint: str, queue: Mapping[str, Any], request: Mapping[str, Any], scope: Scope
    ) -> Ticket:
        """Put a call into an endpoint's queue.

        Args:
            endpoint: its name.
            queue: its AsyncInferenceConfig.
            request: as InvokeEndpointAsync got it.
            scope: account and region.
        """
        name = str(uuid.uuid4())
        places = queue["OutputConfig"]
        outputs = places.get("S3OutputPath", "").rstrip("/")
        failures = places.get("S3FailurePath", outputs).rstrip("/")
        ticket = Ticket(
            request,
            queue,
            request.get("InferenceId") or name,
            f"{outputs}/{name}.out",
            f"{failures}/{name}-error.out",
        )
        key = (scope, endpoint)
        with self._lock:
            first = key not in self._waiting
            self._waiting.setdefault(key, deque()).append(ticket)
        if first:
            limit = queue.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance")
            for number in range(min(limit or _WORKERS, _WORKERS)):
                name = f"queue of {endpoint}, {number}"
                self._host.spawn(name, self._work, key)
            self._host.spawn(f"metrics of {endpoint}", self._tell_of_backlog, key)
        return ticket

    def _work(self, key: tuple[Scope, str]) -> None:
        scope, endpoint = key
        while not self._host.stopping.is_set() and self._serves(endpoint, scope):
            with self._fleet.in_use(endpoint, scope) as deployment:
                server = deployment.choose() if deployment else None
                ticket = self._next(key) if server else None
                if server and ticket:
                    try:
                        self._answer(endpoint, server.invoke, ticket, scope)
                    finally:
                        self._done(key)
                    continue
            self._host.stopping.wait(_POLL_SECONDS)
        with self._lock:
            self._waiting.pop(key, None)

    def _next(self, key: tuple[Scope, str]) -> Ticket | None:
        with self._lock:
            waiting = self._waiting.get(key)
            if not waiting:
                return None
            self._busy[key] = self._busy.get(key, 0) + 1
            return waiting.popleft()

    def _done(self, key: tuple[Scope, str]) -> None:
        with self._lock:
            self._busy[key] -= 1

    def _answer(self, endpoint: str, ask: Callable[..., Any], ticket: Ticket, scope: Scope) -> None:
        request = ticket.request
        headers = {"Content-Type": request.get("ContentType", "")}
        if accept := request.get("Accept"):
            headers["Accept"] = accept
        kind = ""
        try:
            if time.monotonic() - ticket.since > request.get("RequestTTLSeconds", _TTL_SECONDS):
                raise ServingError("ClientError: The request expired before it was processed.")
            client = self._host.client("s3", scope)
            if "InputLocation" in request:
                bucket, name = objects.split(request["InputLocation"])
                body = client.get_object(Bucket=bucket, Key=name)["Body"].read()
            else:
                body = request["Body"]
            seconds = request.get("InvocationTimeoutSeconds", _TIMEOUT_SECONDS)
            answer = ask(body, headers, float(seconds))
            kind = answer.headers.get("Content-Type", "application/octet-stream")
            if answer.status >= 400:
                told = answer.body.decode("utf-8", "replace")
                raise ServingError(
                    f"ClientError: Received {answer.status} from primary with message: {told}"
                )
            self._put(ticket.output, answer.body, kind, ticket, scope)
        except (ServingError, objects.DataError, ClientError, BotoCoreError) as error:
            self._put(ticket.failure, str(error).encode(), "text/plain", ticket, scope)
            self._tell(endpoint, ticket, "", str(error), scope)
        else:
            self._tell(endpoint, ticket, kind, "", scope)

    def _put(self, uri: str, body: bytes, kind: str, ticket: Ticket, scope: Scope) -> None:
        bucket, key = objects.split(uri)
        name = ticket.queue["OutputConfig"].get("KmsKeyId")
        secret = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": name} if name else {}
        self._host.client("s3", scope).put_object(
            Bucket=bucket, Key=key, Body=body, ContentType=kind, **secret
        )

    def _tell(self, endpoint: str, ticket: Ticket, kind: str, reason: str, scope: Scope) -> None:
        topics = ticket.queue["OutputConfig"].get("NotificationConfig", {})
        topic = topics.get("ErrorTopic" if reason else "SuccessTopic")
        if not topic:
            return
        message: dict[str, Any] = {
            "awsRegion": scope.region,
            "eventTime": iso(now()),
            "receivedTime": ticket.received,
            "invocationStatus": "Failed" if reason else "Completed",
            "requestParameters": {
                "contentType": ticket.request.get("ContentType", ""),
                "endpointName": endpoint,
                "inputLocation": ticket.request.get("InputLocation", ""),
            },
            "inferenceId": ticket.inference_id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
        if reason:
            message["failureReason"] = reason
            message["responseParameters"] = {"outputLocation": ticket.failure}
        else:
            message["responseParameters"] = {"contentType": kind, "outputLocation": ticket.output}
        try:
            client = self._host.client("sns", scope)
            client.publish(TopicArn=topic, Message=json.dumps(message))
        except (ClientError, BotoCoreError) as error:
            _log.warning("%s cannot be told of %s: %s", topic, ticket.inference_id, error)

    def _tell_of_backlog(self, key: tuple[Scope, str]) -> None:
        """What scaling from zero is built on."""
        scope, endpoint = key
        while self._serves(endpoint, scope):
            with self._lock:
                backlog = len(self._waiting.get(key, ())) + self._busy.get(key, 0)
            deployment = self._fleet.get(endpoint, scope)
            idle = not (deployment and deployment.servers)
            data = {
                "ApproximateBacklogSize": backlog,
                "HasBacklogWithoutCapacity": int(bool(backlog) and idle),
            }
            dimensions = [{"Name": "EndpointName", "Value": endpoint}]
            try:
                self._host.client("cloudwatch", scope).put_metric_data(
                    Namespace="AWS/SageMaker",
                    MetricData=[
                        {"MetricName": name, "Value": float(value), "Dimensions": dimensions}
                        for name, value in data.items()
                    ],
                )
            except (ClientError, BotoCoreError) as error:
                _log.info("No metrics of %s: %s", endpoint, error)
            if self._host.stopping.wait(_METRIC_SECONDS):
                return
