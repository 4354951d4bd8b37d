"""One look at a deployed stage: read, decide, report."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import Any, Final

from mlops_framework.delivery import (
    baseline,
    endpoint,
    model_build,
    monitor_baseline,
    pipeline_run,
    state_machine,
)
from mlops_framework.delivery.image_build import ImageWanted, run_image_build
from mlops_framework.delivery.job import DeliveryJob, JobMalformed, read_job
from mlops_framework.delivery.ports import DeliveryPorts
from mlops_framework.delivery.verdict import Passed, Refused, Verdict, Waiting
from mlops_framework.orchestration.errors import AccessRefused, ServiceRefused, ServiceUnavailable
from mlops_framework.orchestration.stack import Stack

LOGGER = logging.getLogger(__name__)
_EXECUTION: Final = "execution"
_START: Final = "start"
_UNANSWERED: Final = "unanswered"
_PATIENCE: Final = 5
"""Looks in a row that may go unanswered; CodePipeline looks again after about half a minute."""


class Verification:
    """The ``Verify`` action of every delivery pipeline.

    Every job is answered exactly once, also when the check itself breaks: a job without an answer
    keeps the pipeline waiting until it times out after hours.
    """

    def __init__(self, ports: DeliveryPorts) -> None:
        self._ports = ports

    def run(self, event: Mapping[str, Any]) -> Verdict:
        """Look once and report.

        Args:
            event: As CodePipeline's Lambda invoke action sends it.

        Returns:
            What was reported.
        """
        job_id = event["CodePipeline.job"]["id"]
        verdict = self._verdict(event)
        LOGGER.info("job %s: %s", job_id, verdict)
        jobs = self._ports.jobs
        match verdict:
            case Passed(summary, reference, outputs):
                jobs.succeed(job_id, summary=summary, reference=reference, outputs=outputs)
            case Waiting(summary, reference, token):
                jobs.proceed(job_id, token=token, summary=summary, reference=reference)
            case Refused(message, reference, kind):
                jobs.fail(job_id, kind=kind, message=message, reference=reference)
        return verdict

    def _verdict(self, event: Mapping[str, Any]) -> Verdict:
        try:
            job = read_job(event)
        except JobMalformed as fault:
            return Refused(str(fault), kind="ConfigurationError")
        try:
            return self._check(job)
        except JobMalformed as fault:
            return Refused(str(fault), kind="ConfigurationError")
        except AccessRefused as fault:
            return Refused(str(fault), kind="PermissionError")
        except ServiceUnavailable as fault:
            return _look_again(job, fault)
        except ServiceRefused as fault:
            return Refused(str(fault))
        except Exception as fault:
            LOGGER.exception("the check broke")
            return Refused(
                f"The check itself broke ({type(fault).__name__}: {fault}); the log of the "
                "delivery function has the details.",
                kind="SystemUnavailable",
            )

    def _check(self, job: DeliveryJob) -> Verdict:
        if job.check == "none":
            return Passed(f"Stack {job.stack_name} is deployed; nothing else to check.")
        if job.check == "run-model-build":
            return self._run_model_build(job)
        if job.check == "run-image-build":
            return self._run_image_build(job)
        if job.check == "find-monitor-baseline":
            return monitor_baseline.settled(self._ports.stacks.describe(job.stack_name))
        if job.check == "run-monitor-baseline":
            return self._run_monitor_baseline(job)
        if job.check == "run-state-machine":
            return self._run_state_machine(job)
        if job.check == "run-pipeline":
            return self._run_pipeline(job)
        stack = self._stack(job)
        if job.check == "verify-endpoint":
            wanted = endpoint.wanted_of(
                _output(stack, "EndpointName"),
                _output(stack, "EndpointConfigName"),
                stack.outputs,
                stack.parameters,
            )
            serving = self._ports.endpoints.look(wanted.endpoint, wanted.component)
            return endpoint.judge(wanted, serving)
        return self._build_baseline(_output(stack, "MonitorName"))

    def _run_model_build(self, job: DeliveryJob) -> Verdict:
        execution = job.token.get(_EXECUTION)
        if not execution:
            stack = self._stack(job)
            pipeline = _output(stack, "PipelineName")
            self._keep_group(stack)
            execution = self._ports.builds.start(pipeline, token=_start_token(job))
        verdict = model_build.judge(self._ports.builds.look(execution))
        if isinstance(verdict, Waiting):
            return Waiting(verdict.summary, verdict.reference, {_EXECUTION: execution})
        return verdict

    def _run_image_build(self, job: DeliveryJob) -> Verdict:
        if self._ports.images is None:
            return Refused(
                "The platform was deployed without image builds.", kind="ConfigurationError"
            )
        stack = self._stack(job)
        for key in ("ProjectName", "RepositoryName", "ScanGate", "AcceptedFindings"):
            _output(stack, key)
        wanted = ImageWanted.of(stack.outputs)
        return run_image_build(wanted, self._ports.images, job.token, _start_token(job))

    def _run_monitor_baseline(self, job: DeliveryJob) -> Verdict:
        stack = self._stack(job)
        if done := monitor_baseline.needed(stack):
            return done
        execution = job.token.get(_EXECUTION) or self._ports.builds.start(
            _output(stack, monitor_baseline.PIPELINE), token=_start_token(job)
        )
        verdict = monitor_baseline.judge(stack, self._ports.builds.look(execution))
        if isinstance(verdict, Waiting):
            return Waiting(verdict.summary, verdict.reference, {_EXECUTION: execution})
        return verdict

    def _run_pipeline(self, job: DeliveryJob) -> Verdict:
        stack = self._stack(job)
        if done := pipeline_run.needed(stack):
            return done
        execution = job.token.get(_EXECUTION) or self._ports.builds.start(
            _output(stack, pipeline_run.PIPELINE), token=_start_token(job)
        )
        verdict = pipeline_run.judge(stack, self._ports.builds.look(execution))
        if isinstance(verdict, Waiting):
            return Waiting(verdict.summary, verdict.reference, {_EXECUTION: execution})
        return verdict

    def _run_state_machine(self, job: DeliveryJob) -> Verdict:
        if self._ports.machines is None:
            return Refused(
                "The platform was deployed without state machines.", kind="ConfigurationError"
            )
        execution = job.token.get(_EXECUTION)
        if not execution:
            stack = self._stack(job)
            machine = _output(stack, "StateMachineArn")
            self._keep_group(stack)
            execution = self._ports.machines.start(machine, name=_start_token(job))
        verdict = state_machine.judge(self._ports.machines.look(execution))
        if isinstance(verdict, Waiting):
            return Waiting(verdict.summary, verdict.reference, {_EXECUTION: execution})
        return verdict

    def _keep_group(self, stack: Stack) -> None:
        """Make the model package group of a stack, unless it is there.

        Not in the stack: registered versions outlive it, and the next stack of the same model, or
        of another stage, could not make a group that is there.
        """
        if group := stack.outputs.get("ModelPackageGroupName"):
            self._ports.builds.keep_group(group)

    def _build_baseline(self, monitor: str) -> Verdict:
        if self._ports.baselines is None:
            return Refused(
                "The platform was deployed without the drift service's baseline function.",
                kind="ConfigurationError",
            )
        result, error = self._ports.baselines.call({"monitor": monitor})
        return baseline.judge(monitor, result, error)

    def _stack(self, job: DeliveryJob) -> Stack:
        stack = self._ports.stacks.describe(job.stack_name)
        if stack is None:
            raise JobMalformed(f"There is no stack {job.stack_name}; the stage did not deploy it.")
        return stack


def _output(stack: Stack, key: str) -> str:
    value = stack.outputs.get(key, "")
    if not value:
        raise JobMalformed(
            f"Stack {stack.name} has no output {key}, which this check reads. It has: "
            f"{', '.join(sorted(stack.outputs)) or 'none'}."
        )
    return value


def _start_token(job: DeliveryJob) -> str:
    """The same for a repeated delivery of one job, another one when somebody retries the stage.

    The id of the pipeline execution would not do: it stays the same when a failed stage is retried,
    and SageMaker would give back the run that failed.
    """
    if _START in job.token:
        return job.token[_START]
    return hashlib.sha256(f"{job.stack_name}\0{job.job_id}".encode()).hexdigest()


def _look_again(job: DeliveryJob, fault: ServiceUnavailable) -> Verdict:
    """One silent look says nothing of the stage; keep on, with what is known, for a while."""
    unanswered = int(job.token.get(_UNANSWERED, "0")) + 1
    if unanswered > _PATIENCE:
        return Refused(
            f"{fault}. That was look {unanswered} in a row; retry the stage when the service is "
            "well again.",
            kind="SystemUnavailable",
        )
    known = {key: value for key, value in job.token.items() if key != _UNANSWERED}
    token = {_START: _start_token(job), **known, _UNANSWERED: str(unanswered)}
    return Waiting(f"No answer from {fault.service}; looking again.", token=token)
