"""Model servers at work: one process per production variant, and which of them answers."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_framework.local.errors import EnvironmentFailed
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker import objects
from mlops_framework.local.plane.sagemaker.plans import serves_itself
from mlops_framework.local.plane.sagemaker.processes import (
    LogStream,
    RunnerProcess,
    base_environment,
    work_folder,
)
from mlops_framework.local.plane.service import AwsFault, Scope

_POLL_SECONDS = 0.1
_PING_SECONDS = 2.0
_GRACE_SECONDS = 5.0
# SageMaker gives a container 60 seconds for an answer.
INVOCATION_SECONDS = 60.0


class ServingError(Exception):
    """A variant does not serve; the text is a FailureReason."""


@dataclass(frozen=True)
class Answer:
    """What a model server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class VariantServer:
    """The model server of one production variant; a transform job's is built on it."""

    log_groups = "/aws/sagemaker/Endpoints"
    serves = "production variant"

    def __init__(
        self, host: PlaneHost, scope: Scope, endpoint: str, plan: Mapping[str, Any], folder: Path
    ) -> None:
        """Fetch the model and start its server.

        Args:
            host: the emulator.
            scope: account and region.
            endpoint: the endpoint's name.
            plan: VariantName, ModelDataUrl, Environment, CurrentWeight, HealthCheckSeconds.
            folder: the server's own folder.

        Raises:
            ServingError: the model archive cannot be had.
        """
        self.variant: str = plan["VariantName"]
        self.group, stream = self._log_place(endpoint)
        self._opt_ml = folder / "opt" / "ml"
        self._limit = float(plan["HealthCheckSeconds"])
        self._port = 0
        archive = folder / "model.tar.gz"
        try:
            objects.fetch(host.client("s3", scope), plan["ModelDataUrl"], archive)
            objects.unpack(archive, self._opt_ml / "model", told_as=plan["ModelDataUrl"])
        except objects.DataError as error:
            raise ServingError(str(error)) from error
        self._log = LogStream(
            host,
            scope,
            group=self.group,
            stream=stream,
            file=folder / "log.txt",
        )
        self.log_arn = self._log.arn
        self._host = host
        self._environment = {**base_environment(host, scope, folder), **plan["Environment"]}
        self._starting = threading.Lock()
        self._counting, self._calls = threading.Lock(), 0
        self._process = self._start()

    def wait_until_healthy(self, abandoned: threading.Event) -> None:
        """Wait until the server answers its ping.

        Args:
            abandoned: set when nobody waits for it any more.

        Raises:
            ServingError: it ended, or did not answer in time.
        """
        deadline = time.monotonic() + self._limit
        while time.monotonic() < deadline:
            if abandoned.wait(_POLL_SECONDS):
                raise ServingError("The endpoint was abandoned while it was being started.")
            if self._process.status is not None:
                self._process.wait()
                raise ServingError(self._unhealthy(self._reason()))
            if self._ping():
                return
        reason = f"It did not answer within {self._limit:g} seconds."
        raise ServingError(self._unhealthy(reason))

    def invoke(
        self, body: bytes, headers: Mapping[str, str], seconds: float = INVOCATION_SECONDS
    ) -> Answer:
        """Send one request to the model.

        Args:
            body: the payload.
            headers: Content-Type, Accept and so on.
            seconds: how long it may take.

        Returns:
            Its answer.

        Raises:
            ServingError: the server does not answer. One that has ended is started again, as
                SageMaker does, and answers once its model is loaded.
        """
        ended = self._restart_if_ended()
        if ended is not None:
            raise ServingError(
                f"The container primary ended with status {ended} and is being started again."
            )
        if not self._find_port():
            raise ServingError("The container primary is being started.")
        try:
            return self._request("POST", "/invocations", seconds, body, headers)
        except TimeoutError:
            raise ServingError(
                "Your invocation timed out while waiting for a response from container primary. "
                "Review the latency metrics for the container in Amazon CloudWatch, resolve the "
                "issue, and try again."
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise ServingError(f"The container primary does not answer: {error}.") from error

    @contextlib.contextmanager
    def room(self, limit: int | None, endpoint: str) -> Iterator[None]:
        """Count a call in, as long as there is room.

        Args:
            limit: most calls at once; None for any number.
            endpoint: for the message.

        Raises:
            AwsFault: `ThrottlingException`, there are as many.
        """
        with self._counting:
            if limit is not None and self._calls >= limit:
                raise AwsFault("ThrottlingException", f"Endpoint {endpoint} works on {limit}.", 429)
            self._calls += 1
        try:
            yield
        finally:
            with self._counting:
                self._calls -= 1

    def stop(self) -> None:
        """End the server."""
        self._process.stop(_GRACE_SECONDS)

    def _log_place(self, owner: str) -> tuple[str, str]:
        """Log group and log stream, as SageMaker names them."""
        return f"{self.log_groups}/{owner}", f"{self.variant}/i-{uuid.uuid4().hex[:17]}"

    def _start(self) -> RunnerProcess:
        self._port = 0
        for name in ("serving.json", "failure"):
            (self._opt_ml / "output" / name).unlink(missing_ok=True)
        try:
            return RunnerProcess(self._host, "serving", self._opt_ml, self._environment, self._log)
        except EnvironmentFailed as error:
            raise ServingError(str(error)) from error

    def _restart_if_ended(self) -> int | None:
        """The status with which the server ended, when it had to be started again."""
        with self._starting:
            ended = self._process.status
            if ended is not None and not self._host.stopping.is_set():
                self._process.wait()
                self._process = self._start()
            return ended

    def _find_port(self) -> bool:
        """Whether the server says that its model is loaded."""
        if not self._port:
            ready = self._opt_ml / "output" / "serving.json"
            if ready.exists():
                self._port = json.loads(ready.read_text())["port"]
        return self._port != 0

    def _ping(self) -> bool:
        if not self._find_port():
            return False
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self._request("GET", "/ping", _PING_SECONDS).status == 200
        return False

    def _request(
        self,
        method: str,
        path: str,
        seconds: float,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=seconds)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def _reason(self) -> str:
        failure = self._opt_ml / "output" / "failure"
        if failure.exists():
            return failure.read_text(encoding="utf-8", errors="replace").strip()
        return f"The model server ended with status {self._process.status}."

    def _unhealthy(self, reason: str) -> str:
        return (
            f"The primary container for {self.serves} {self.variant} did not pass the ping health "
            f"check. Please check CloudWatch logs for it ({self.group}). {reason}"
        )[:1024]


class ComponentServer(VariantServer):
    """The model server of an inference component, for however many copies it has."""

    log_groups = "/aws/sagemaker/InferenceComponents"
    serves = "inference component"


class Deployment:
    """All servers of one version of an endpoint or of an inference component."""

    def __init__(self, servers: Sequence[VariantServer], weights: Mapping[str, float]) -> None:
        """Take started servers.

        Args:
            servers: one per variant; none for one that has no instance.
            weights: each variant's share of the traffic, relative to the others'.
        """
        self.servers = {server.variant: server for server in servers}
        self.weights = dict(weights)
        self._in_use = 0
        self._idle = threading.Condition()

    def choose(self) -> VariantServer | None:
        """A server, at random by weight; None when there is none."""
        names = [name for name in self.servers if self.weights[name] > 0]
        if not names:
            return None
        (chosen,) = random.choices(names, [self.weights[name] for name in names])
        return self.servers[chosen]

    def enter(self) -> None:
        """Count an invocation in, so that its server is not ended under it."""
        with self._idle:
            self._in_use += 1

    def leave(self) -> None:
        """Count an invocation out."""
        with self._idle:
            self._in_use -= 1
            self._idle.notify_all()

    def stop(self, drain_seconds: float) -> None:
        """End all servers.

        Args:
            drain_seconds: invocations under way are waited for at most this long.
        """
        with self._idle:
            self._idle.wait_for(lambda: not self._in_use, drain_seconds)
        for server in self.servers.values():
            server.stop()


class Fleet:
    """The deployments that serve, by endpoint or by inference component."""

    def __init__(
        self,
        host: PlaneHost,
        kind: str = "endpoint",
        server: Callable[..., VariantServer] = VariantServer,
    ) -> None:
        """Start empty.

        Args:
            host: the emulator.
            kind: `endpoint` or `inference-component`.
            server: what serves one of their plans.
        """
        self._host, self._kind, self._server = host, kind, server
        self._serving: dict[tuple[Scope, str], Deployment] = {}
        self._lock = threading.Lock()
        host.on_stop(f"SageMaker {kind}s", self._stop_all)

    def get(self, endpoint: str, scope: Scope) -> Deployment | None:
        """The deployment that serves an endpoint."""
        with self._lock:
            return self._serving.get((scope, endpoint))

    @contextlib.contextmanager
    def in_use(self, endpoint: str, scope: Scope) -> Iterator[Deployment | None]:
        """The deployment that serves an endpoint, kept running until the block is left.

        Args:
            endpoint: its name.
            scope: account and region.

        Yields:
            The deployment; None when nothing serves.
        """
        with self._lock:
            deployment = self._serving.get((scope, endpoint))
            if deployment is not None:
                deployment.enter()
        try:
            yield deployment
        finally:
            if deployment is not None:
                deployment.leave()

    def deploy(self, endpoint: str, plans: Sequence[Mapping[str, Any]], scope: Scope) -> None:
        """Start new servers; once all of them are healthy they take over from the old ones.

        Args:
            endpoint: its name.
            plans: one per variant, see `VariantServer`; one without model or instance gets none.
            scope: account and region.

        Raises:
            ServingError: one of them is not healthy. The old ones serve on.
        """
        place = work_folder(self._host, scope, self._kind, endpoint) / uuid.uuid4().hex[:8]
        place.mkdir(parents=True)
        servers: list[VariantServer] = []
        try:
            for plan in filter(serves_itself, plans):
                folder = place / plan["VariantName"]
                servers.append(self._server(self._host, scope, endpoint, plan, folder))
            for server in servers:
                server.wait_until_healthy(self._host.stopping)
        except BaseException:
            for server in servers:
                server.stop()
            raise
        weights = {plan["VariantName"]: plan["CurrentWeight"] for plan in plans}
        deployment = Deployment(servers, weights)
        with self._lock:
            old = self._serving.get((scope, endpoint))
            self._serving[scope, endpoint] = deployment
        if old is not None:
            old.stop(INVOCATION_SECONDS)
        for other in place.parent.iterdir():
            if other != place:
                shutil.rmtree(other, ignore_errors=True)

    def remove(self, endpoint: str, scope: Scope) -> None:
        """End an endpoint's servers and remove their files."""
        with self._lock:
            deployment = self._serving.pop((scope, endpoint), None)
        if deployment is not None:
            deployment.stop(INVOCATION_SECONDS)
        shutil.rmtree(work_folder(self._host, scope, self._kind, endpoint), ignore_errors=True)

    def _stop_all(self) -> None:
        with self._lock:
            deployments, self._serving = list(self._serving.values()), {}
        for deployment in deployments:
            deployment.stop(0)
