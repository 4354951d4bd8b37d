from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from mlops_framework.model_monitor.runs import Job
from mlops_framework.model_monitor.service import Preparation, Reporting
from mlops_framework.testing.drift import RecordingMetrics, RecordingPublisher


@dataclass
class World:
    """Files, jobs and whoever listens, as the room sees them."""

    files: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    publisher: RecordingPublisher = field(default_factory=RecordingPublisher)
    metrics: RecordingMetrics = field(default_factory=RecordingMetrics)

    def read(self, uri: str) -> str | None:
        return self.files.get(uri)

    def beginning(self, uri: str, size: int) -> str:
        return self.files[uri][:size]

    def write(self, uri: str, text: str) -> None:
        self.files[uri] = text

    def look(self, job: str) -> Job:
        return self.jobs[job]

    def model_of(self, endpoint: str) -> str:
        return self.models[endpoint]

    def reporting(self) -> Reporting:
        labels = {"environment": "mlops-test", "endpoint_name": "income"}
        return Reporting(self, self, self.publisher, self.metrics, labels)

    def preparation(self) -> Preparation:
        return Preparation(self, self)


@pytest.fixture
def world() -> World:
    return World()
