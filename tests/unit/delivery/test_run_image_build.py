"""What a person gets of an image build: built once per source, tagged only when the scan passes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from mlops_framework.delivery.image_build import SCAN_PATIENCE
from mlops_framework.delivery.image_scan import Finding, Scan
from mlops_framework.delivery.ports import DeliveryPorts
from mlops_framework.delivery.service import Verification
from mlops_framework.orchestration.errors import ServiceRefused, ServiceUnavailable
from mlops_framework.testing.delivery import (
    FakeBaselines,
    InMemoryBuilds,
    InMemoryEndpoints,
    RecordedJobs,
    Reported,
)
from mlops_framework.testing.events import code_pipeline_event
from mlops_framework.testing.image_builds import InMemoryImageBuilds
from mlops_framework.testing.stacks import InMemoryStacks

STACK = "mlops-test-churn-image-builder-dev"
REPOSITORY = "team/churn"
CLEAN = Scan("COMPLETE", findings=(Finding("CVE-2024-9", "low", "tar"),))


@dataclass
class Stage:
    """A deployed image-builder stage; `look` is CodePipeline looking once more."""

    images: InMemoryImageBuilds = field(default_factory=InMemoryImageBuilds)
    stacks: InMemoryStacks = field(default_factory=InMemoryStacks)
    jobs: RecordedJobs = field(default_factory=RecordedJobs)

    def deploy(self, tag: str = "1.0.0", gate: str = "critical", accepted: str = "[]") -> None:
        outputs = {
            "ProjectName": STACK,
            "RepositoryName": REPOSITORY,
            "ImageTag": tag,
            "ScanGate": gate,
            "AcceptedFindings": accepted,
        }
        self.stacks.place(STACK, outputs={key: value for key, value in outputs.items() if value})

    def look(self, before: Reported | None = None) -> Reported:
        event = code_pipeline_event(
            {
                "pipeline_id": "churn-image-builder",
                "stage": "dev",
                "stack_name": STACK,
                "check": "run-image-build",
            },
            job_id=f"11111111-abcd-4111-8111-{len(self.jobs.reports):012d}",
            continuation_token=json.dumps(dict(before.token)) if before else "",
        )
        ports = DeliveryPorts(
            self.jobs,
            self.stacks,
            InMemoryBuilds(),
            InMemoryEndpoints(),
            FakeBaselines(),
            self.images,
        )
        Verification(ports).run(event)
        return self.jobs.reports[-1]

    def built(self) -> Reported:
        """The first look and a build that succeeds."""
        first = self.look()
        self.images.finish(REPOSITORY)
        return first


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.deploy()
    return stage


def test_an_image_gets_its_tag_after_its_scan_and_is_told_with_its_digest(stage) -> None:
    started = stage.built()
    stage.images.scans["sha256:new"] = Scan("IN_PROGRESS")
    scanning = stage.look(started)
    nobody_has_the_name = "1.0.0" not in stage.images.images[REPOSITORY]
    stage.images.scans["sha256:new"] = CLEAN
    releasing = stage.look(scanning)
    stage.images.finish(REPOSITORY, tag="1.0.0")

    done = stage.look(releasing)

    assert nobody_has_the_name
    assert scanning.text == "The image is being scanned (IN_PROGRESS)."
    assert releasing.text == "The image passed its scan and gets the tag 1.0.0."
    assert done.result == "succeeded"
    uri = "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/churn"
    assert done.text == f"Built {uri}:1.0.0, sha256:new; findings of all severities: 1 low."
    assert done.reference == f"{uri}@sha256:new"
    assert done.outputs == {
        "ImageUri": f"{uri}@sha256:new",
        "ImageTag": "1.0.0",
        "ImageDigest": "sha256:new",
        "SourceTag": "source-1",
        "ImageBuilt": "yes",
    }


def test_the_same_source_under_the_same_tag_is_not_built_again(stage) -> None:
    stage.images.images[REPOSITORY] = {"source-1": "sha256:new", "1.0.0": "sha256:new"}
    stage.images.scans["sha256:new"] = CLEAN

    done = stage.look(stage.built())

    assert done.result == "succeeded"
    assert done.text.startswith("Nothing to build, the source is the same: ")
    assert done.outputs["ImageBuilt"] == "no"


def test_a_tag_of_another_source_is_never_moved(stage) -> None:
    stage.images.images[REPOSITORY] = {"1.0.0": "sha256:old"}
    stage.images.scans["sha256:new"] = CLEAN

    report = stage.look(stage.built())

    assert report.result == "failed"
    assert "names another image already, sha256:old" in report.text
    assert "another image_tag" in report.text
    assert stage.images.images[REPOSITORY]["1.0.0"] == "sha256:old"


def test_grave_findings_are_named_and_keep_the_image_from_its_tag(stage) -> None:
    stage.deploy(gate="high")
    many = [Finding(f"CVE-2024-{n:02d}", "high", "openssl") for n in range(12)]
    worst = Finding("CVE-2023-1", "critical", "glibc")
    stage.images.scans["sha256:new"] = Scan("COMPLETE", findings=(*many, worst, *CLEAN.findings))

    report = stage.look(stage.built())

    assert report.result == "failed"
    assert "found 1 critical and 12 high: CVE-2023-1 (glibc), CVE-2024-00 (openssl)" in report.text
    assert "and 3 more" in report.text
    assert "CVE-2024-9" not in report.text
    assert set(stage.images.images[REPOSITORY]) == {"source-1"}


def test_findings_that_the_request_accepts_let_the_image_pass(stage) -> None:
    stage.deploy(gate="low", accepted='["CVE-2024-9"]')
    stage.images.scans["sha256:new"] = CLEAN

    assert stage.look(stage.built()).text == "The image passed its scan and gets the tag 1.0.0."


def test_without_a_gate_no_scan_is_waited_for(stage) -> None:
    stage.deploy(gate="none")

    assert "release" in stage.look(stage.built()).token


def test_a_repository_that_scans_nothing_by_itself_is_asked_to_once(stage) -> None:
    report = stage.look(stage.built())
    for _ in range(SCAN_PATIENCE - 1):
        report = stage.look(report)
    patient = report
    report = stage.look(report)

    assert patient.result == "proceeds"
    assert stage.images.scans_asked == ["sha256:new"]
    assert report.result == "failed"
    assert "Switch scanning on" in report.text


def test_an_image_that_cannot_be_scanned_does_not_pass(stage) -> None:
    stage.images.scans["sha256:new"] = Scan("UNSUPPORTED_IMAGE", "no package manager found")

    report = stage.look(stage.built())

    assert report.result == "failed"
    assert "UNSUPPORTED_IMAGE: no package manager found" in report.text


def test_without_a_tag_the_image_goes_by_its_source(stage) -> None:
    stage.deploy(tag="")
    stage.images.scans["sha256:new"] = CLEAN

    done = stage.look(stage.built())

    assert done.result == "succeeded"
    assert done.outputs["ImageTag"] == "source-1"


def test_a_build_that_fails_is_told_with_its_phase_and_reason(stage) -> None:
    started = stage.look()
    stage.images.finish(REPOSITORY, "FAILED", reason="COMMAND_EXECUTION_ERROR: exit status 1")

    report = stage.look(started)

    assert report.result == "failed"
    assert "FAILED in phase BUILD: COMMAND_EXECUTION_ERROR: exit status 1" in report.text
    assert report.reference == started.reference


def test_a_build_that_is_refused_is_told_in_the_services_words(stage) -> None:
    stage.images.refusal = ServiceRefused("CodeBuild", "StartBuild", "NotCarried", "no Docker here")

    report = stage.look()

    assert report.result == "failed"
    assert "no Docker here" in report.text


def test_a_silent_service_is_asked_again_without_a_second_build(stage) -> None:
    started = stage.look()
    stage.images.refusal = ServiceUnavailable("CodeBuild", "BatchGetBuilds", "Timeout", "")
    silent = stage.look(started)
    stage.images.refusal = None

    again = stage.look(silent)

    assert silent.result == "proceeds"
    assert again.reference == started.reference
    assert len(stage.images.builds) == 1
