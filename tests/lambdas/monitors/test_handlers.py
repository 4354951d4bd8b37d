"""The two functions of a monitor: what they take, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from lambdas.monitors.prepare import prepare
from lambdas.monitors.report import report
from mlops_framework.model_monitor.errors import EventMalformed
from mlops_framework.model_monitor.runs import Run, Violation

JOB = "data-quality-monitoring-1"
EVENT = {
    "detail-type": "SageMaker Processing Job State Change",
    "detail": {"ProcessingJobName": JOB},
}


@dataclass
class Told:
    """A service that answers with what it is given, and keeps what it was asked."""

    run: Run | None = None
    asked: list = field(default_factory=list)

    def report(self, job: str) -> Run | None:
        self.asked.append(job)
        return self.run

    def prepare(self, analysis: str, folder: str) -> dict[str, str]:
        self.asked.append((analysis, folder))
        return {"baseline": f"{folder}/analysis_config.json"}


def test_the_end_of_a_job_is_reported_with_what_it_came_to() -> None:
    service = Told(Run("income", JOB, "violations", (Violation("age", "check", "text"),)))

    answer = report(EVENT, service=service)

    assert answer == {"job": JOB, "outcome": "violations", "violations": 1}
    assert service.asked == [JOB]


def test_a_job_that_is_no_run_is_nothing_to_tell() -> None:
    assert report(EVENT, service=Told()) == {"job": JOB, "outcome": "none"}


@pytest.mark.parametrize("event", [{}, {"detail": {}}, {"detail": {"ProcessingJobName": 1}}])
def test_an_event_without_a_job_is_refused_with_what_is_accepted(event) -> None:
    with pytest.raises(EventMalformed, match="SageMaker Processing Job State Change"):
        report(event, service=Told())


def test_preparation_takes_an_analysis_and_a_folder_with_or_without_a_slash() -> None:
    service = Told()

    answer = prepare({"analysis": "s3://a/k", "folder": "s3://b/f/"}, service=service)

    assert answer == {"baseline": "s3://b/f/analysis_config.json"}
    assert service.asked == [("s3://a/k", "s3://b/f")]


@pytest.mark.parametrize("event", [{}, {"analysis": "a", "folder": "s3://b/f"}])
def test_preparation_without_locations_is_refused_with_what_is_accepted(event) -> None:
    with pytest.raises(EventMalformed, match="accepted"):
        prepare(event, service=Told())
