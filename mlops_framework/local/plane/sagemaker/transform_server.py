"""The model server of a transform job, and what it takes to get an answer out of it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker.fleet import Answer, ServingError, VariantServer
from mlops_framework.local.plane.sagemaker.transform_records import RecordsError
from mlops_framework.local.plane.service import Scope

LOG_GROUP = "/aws/sagemaker/TransformJobs"
HEALTH_CHECK_SECONDS = 240
_TIMEOUT_SECONDS = 600
_RETRIES = 3
_PAUSE_SECONDS = 0.2
_SHOWN = 400


class TransformServer(VariantServer):
    """The server of one job; its log is in the group and stream that SageMaker names."""

    log_groups = LOG_GROUP
    serves = "transform job"

    def __init__(
        self,
        host: PlaneHost,
        scope: Scope,
        job: Mapping[str, Any],
        *,
        data: str,
        environment: Mapping[str, str],
        folder: Path,
    ) -> None:
        """Fetch the model and start its server.

        Args:
            host: the emulator.
            scope: account and region.
            job: the CreateTransformJob request.
            data: S3 address of the model archive.
            environment: the model's own.
            folder: the job's own folder.

        Raises:
            ServingError: the model archive cannot be had.
        """
        self.instance = f"i-{uuid.uuid4().hex[:17]}"
        limits = job.get("ModelClientConfig", {})
        self._seconds = float(limits.get("InvocationsTimeoutInSeconds", _TIMEOUT_SECONDS))
        self._tries = 1 + int(limits.get("InvocationsMaxRetries", _RETRIES))
        self._headers = {
            name: value
            for name, value in (
                ("Content-Type", job["TransformInput"].get("ContentType")),
                ("Accept", job["TransformOutput"].get("Accept")),
            )
            if value
        }
        own = {
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(job.get("MaxPayloadInMB", 6)),
            "SAGEMAKER_BATCH_STRATEGY": job.get("BatchStrategy", "MultiRecord"),
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(job.get("MaxConcurrentTransforms", 1) or 1),
        }
        plan = {
            "VariantName": job["TransformJobName"],
            "ModelDataUrl": data,
            "Environment": {**own, **environment, **job.get("Environment", {})},
            "HealthCheckSeconds": HEALTH_CHECK_SECONDS,
        }
        super().__init__(host, scope, job["TransformJobName"], plan, folder)

    def ask(self, body: bytes, stop: threading.Event) -> bytes:
        """The model's answer to one request.

        Args:
            body: the request.
            stop: set when nobody waits for the answer any more.

        Raises:
            RecordsError: it refused, or failed however often it was asked.
        """
        said = ""
        for attempt in range(self._tries):
            if attempt and stop.wait(_PAUSE_SECONDS):
                break
            try:
                answer = self.invoke(body, self._headers, self._seconds)
            except ServingError as error:
                said = str(error)
                self._wait_for_restart(stop)
                continue
            if answer.status < 400:
                return answer.body
            said = _refusal(answer)
            if answer.status < 500:
                break
        raise RecordsError(said)

    def _log_place(self, owner: str) -> tuple[str, str]:
        return LOG_GROUP, f"{owner}/{self.instance}"

    def _wait_for_restart(self, stop: threading.Event) -> None:
        deadline = time.monotonic() + self._limit
        while time.monotonic() < deadline and not self._ping() and not stop.wait(_PAUSE_SECONDS):
            if self._process.status is not None:
                return


def _refusal(answer: Answer) -> str:
    told = " ".join(answer.body.decode("utf-8", "replace").split())
    return f"Bad HTTP status received from the model: {answer.status}: {told[:_SHOWN]}"
