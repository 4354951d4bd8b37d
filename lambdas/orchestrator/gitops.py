"""The two actions of a Git source's CodePipeline: plan a push, apply what was approved."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers

from lambdas.orchestrator import wiring
from mlops_framework import naming
from mlops_framework.orchestration.git_delivery import (
    FolderRefused,
    GitDelivery,
    GitSource,
    PlanOutdated,
    shortened,
    told,
)
from mlops_framework.orchestration.gitops import plan_lines, plan_sum
from mlops_framework.orchestration.provisioning import Requester

if TYPE_CHECKING:
    from mlops_framework.aws.pipeline_artifacts import Artifact, PipelineArtifacts
    from mlops_framework.orchestration.ports import ObjectStore

LOGGER = Logger(service="gitops", level="INFO")
# The library logs through the standard logger of its package, which has to exist by now.
logging.getLogger("mlops_framework")
copy_config_to_registered_loggers(LOGGER, include={"mlops_framework"})

SUMMARY_LIMIT: Final = 800
"""CodePipeline's configuration values hold 1000 characters; the approval adds its question."""
MESSAGE_LIMIT: Final = 4000
TRIES: Final = 20
"""How often CodePipeline asks again about pipelines that are busy; every half minute."""


class Reporter(Protocol):
    """Answers CodePipeline; see ``CodePipelineJobs``."""

    def succeed(
        self, job_id: str, *, summary: str, reference: str, outputs: Mapping[str, str]
    ) -> None:
        """The action is done."""

    def proceed(
        self, job_id: str, *, token: Mapping[str, str], summary: str, reference: str
    ) -> None:
        """Ask again later."""

    def fail(self, job_id: str, *, kind: str, message: str, reference: str) -> None:
        """The action failed."""


@dataclass(frozen=True)
class Desk:
    """What the actions are given of the world."""

    delivery: GitDelivery
    artifacts: PipelineArtifacts
    objects: ObjectStore
    reporter: Reporter
    bucket: str
    """Where plans are kept, for people."""
    link: Callable[[str, str], str]
    """Address of an object, by bucket and key."""


def act(job: Mapping[str, Any], desk: Desk) -> None:
    """Carry out one job; every fault becomes the job's failure, with all that is known of it."""
    data = job["data"]
    asked = json.loads(data["actionConfiguration"]["configuration"]["UserParameters"])
    source = GitSource(asked["source"], asked["folder"], asked["prune"])
    step = _plan if asked["step"] == "plan" else _apply
    try:
        step(job["id"], data, source, asked, desk)
    except (FolderRefused, PlanOutdated) as refused:
        desk.reporter.fail(job["id"], kind="JobFailed", message=str(refused), reference="")
    except Exception as fault:
        LOGGER.exception("the job %s failed", job["id"])
        said = f"{type(fault).__name__}: {fault}"
        desk.reporter.fail(job["id"], kind="JobFailed", message=said, reference="")


def _plan(
    job: str, data: Mapping[str, Any], source: GitSource, asked: Mapping[str, Any], desk: Desk
) -> None:
    repository = desk.artifacts.read(_artifact(data, "inputArtifacts"), below=source.folder)
    planned = desk.delivery.plan(source, repository)
    key = naming.git_plan_key(source.name, planned.plan.digest)
    desk.objects.put(key, planned.text.encode(), content_type="text/plain; charset=utf-8")
    document = planned.plan.to_document()
    link = desk.link(desk.bucket, key)
    if planned.plan.faults:
        said = shortened(told(planned.plan.faults), MESSAGE_LIMIT)
        message = f"{said}\nIn full: {link}"
        desk.reporter.fail(job, kind="ConfigurationError", message=message, reference="")
        return
    desk.artifacts.write(_artifact(data, "outputArtifacts"), planned.to_files())
    lines = plan_lines(document)
    outputs = {
        "Summary": shortened([plan_sum(document), *lines[:-1]], SUMMARY_LIMIT),
        "Link": link,
        "Changes": str(len(planned.plan.effective)),
    }
    desk.reporter.succeed(job, summary=plan_sum(document), reference="", outputs=outputs)


def _apply(
    job: str, data: Mapping[str, Any], source: GitSource, asked: Mapping[str, Any], desk: Desk
) -> None:
    tries = int(json.loads(data.get("continuationToken") or "{}").get("tries", 0))
    shown = desk.artifacts.read(_artifact(data, "inputArtifacts"))
    execution = str(asked["execution"])
    requester = Requester(f"{source.origin}, execution {execution}", execution, source.origin)
    applied = desk.delivery.apply(source, shown, requester, again=tries > 0)
    lines = [*applied.failed, *applied.busy, *applied.done]
    said = shortened(lines, MESSAGE_LIMIT) or "Nothing was to do."
    if applied.failed or (applied.busy and tries >= TRIES):
        desk.reporter.fail(job, kind="JobFailed", message=said, reference="")
    elif applied.busy:
        token = {"tries": str(tries + 1)}
        desk.reporter.proceed(job, token=token, summary=said, reference="")
    else:
        desk.reporter.succeed(job, summary=said, reference="", outputs={})


def _artifact(data: Mapping[str, Any], direction: str) -> Artifact:
    from mlops_framework.aws.pipeline_artifacts import Artifact

    location = data[direction][0]["location"]["s3Location"]
    return Artifact(location["bucketName"], location["objectKey"])


@LOGGER.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> None:
    """Entry point of the function; the event is a job of CodePipeline."""
    act(event["CodePipeline.job"], wiring.git_desk())
