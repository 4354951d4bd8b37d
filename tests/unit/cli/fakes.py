"""An API, a place and a clock for the commands, without any network."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from mlops_framework import naming
from mlops_framework.cli.__main__ import Tools
from mlops_framework.cli.api import Api
from mlops_framework.cli.embedded import Tell, Up
from mlops_framework.cli.errors import PlaceUnknown
from mlops_framework.cli.waiting import Clock

Route = Callable[[Any], tuple[int, Any]]


@dataclass
class FakeTransport:
    """Answers by method and path; keeps what was sent."""

    routes: Mapping[str, Route]
    sent: list[tuple[str, Any]] = field(default_factory=list)

    def send(self, method: str, url: str, body: bytes | None) -> tuple[int, bytes]:
        path = f"{method} {url.removeprefix('https://api')}"
        document = None if body is None else json.loads(body)
        self.sent.append((path, document))
        if path not in self.routes:
            raise ConnectionRefusedError("connection refused")
        status, answer = self.routes[path](document)
        return status, answer if isinstance(answer, bytes) else json.dumps(answer).encode()


class NoSuchKey(Exception):
    """As S3's client raises it."""


@dataclass
class FakeS3:
    """Objects by bucket and key."""

    objects: Mapping[tuple[str, str], bytes]
    exceptions: Any = field(default_factory=lambda: SimpleNamespace(NoSuchKey=NoSuchKey))

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if (Bucket, Key) not in self.objects:
            raise NoSuchKey(Key)
        return {"Body": io.BytesIO(self.objects[Bucket, Key])}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_objects_v2"
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        keys = sorted(key for place, key in self.objects if place == Bucket)
        return [{"Contents": [{"Key": key} for key in keys if key.startswith(Prefix)]}]


@dataclass
class FakeModelRegistry:
    """Approval statuses by ARN; ``stubborn`` ignores updates."""

    statuses: dict[str, str]
    stubborn: bool = False
    reasons: dict[str, str] = field(default_factory=dict)

    def update_model_package(
        self, *, ModelPackageArn: str, ModelApprovalStatus: str, ApprovalDescription: str = ""
    ) -> None:
        self.reasons[ModelPackageArn] = ApprovalDescription
        if not self.stubborn:
            self.statuses[ModelPackageArn] = ModelApprovalStatus

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        return {"ModelApprovalStatus": self.statuses[ModelPackageName]}


@dataclass
class FakePlace:
    """A place with the given API and clients."""

    transport: FakeTransport
    clients: Mapping[str, Any] = field(default_factory=dict)
    prefix: str = "mlops-test"

    def api(self) -> Api:
        return Api("https://api", self.transport)

    def client(self, service: str) -> Any:
        return self.clients[service]

    def value(self, key: naming.PlatformKey) -> str:
        return f"the-{key}"


@dataclass
class FakePlaces:
    """The one place there is, whatever is asked for; ``asked`` keeps it."""

    place: FakePlace | None
    asked: list[tuple[str | None, str | None]] = field(default_factory=list)

    def find(self, environment: str | None, api_url: str | None = None) -> FakePlace:
        self.asked.append((environment, api_url))
        if self.place is None:
            raise PlaceUnknown("Say which environment is meant.")
        return self.place


@dataclass
class FakeEmbedded:
    """A local AWS that only says it runs; ``asked`` keeps what it was started with."""

    running: bool = False
    asked: dict[str, Any] = field(default_factory=dict)
    refuses: Exception | None = None

    def up(
        self, tell: Tell, *, port: int | None, keep: bool, deploy: bool, outlive: bool = True
    ) -> Up:
        if self.refuses is not None:
            raise self.refuses
        tell("Starting")
        self.asked = {"port": port, "keep": keep, "deploy": deploy, "outlive": outlive}
        self.running = True
        return self._seen()

    def down(self) -> bool:
        was, self.running = self.running, False
        return was

    def look(self) -> Up | None:
        return self._seen() if self.running else None

    def _seen(self) -> Up:
        return Up(
            endpoint="http://127.0.0.1:4566",
            api_url="http://127.0.0.1:4566/api",
            pid=7,
            state=".mlops/local",
            environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_NOTE": "two words"},
            stacks={"mlops-local-Drift": "CREATE_COMPLETE"},
        )


@dataclass
class FakeTime:
    """A clock that moves when somebody sleeps."""

    seconds: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds, sleep=self.sleep)


def tools(
    routes: Mapping[str, Route] | None = None, clients: Mapping[str, Any] | None = None
) -> Tools:
    """Tools around a fake place."""
    place = FakePlace(FakeTransport(routes or {}), clients or {})
    return Tools(places=FakePlaces(place), clock=FakeTime().clock())


def sent(used: Tools) -> list[tuple[str, Any]]:
    """What the API was sent through these tools."""
    places: Any = used.places
    recorded: list[tuple[str, Any]] = places.place.transport.sent
    return recorded
