"""Decides on a run of a model build, from SageMaker's account of it.

Source: SageMaker API, ``DescribePipelineExecution`` and ``ListPipelineExecutionSteps``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mlops_framework.delivery.verdict import Passed, Refused, Verdict, Waiting

GATE: Final = "Gate"
"""Name of the step that compares a model's quality, in every model build."""


@dataclass(frozen=True)
class BuildStep:
    """One step of a run.

    Attributes:
        name: Of the step.
        status: ``Starting``, ``Executing``, ``Stopping``, ``Stopped``, ``Failed``, ``Succeeded``.
        reason: SageMaker's reason of a failure; empty otherwise.
        verdict: Message of a Fail step, which is how a quality gate speaks; empty otherwise.
        job: ARN of the job it ran; empty for steps without one.
        model_package: ARN of the package it registered; empty for other steps.
    """

    name: str
    status: str
    reason: str = ""
    verdict: str = ""
    job: str = ""
    model_package: str = ""


@dataclass(frozen=True)
class BuildRun:
    """One execution of a SageMaker Pipeline."""

    arn: str
    status: str
    reason: str = ""
    steps: Sequence[BuildStep] = ()


def judge(run: BuildRun) -> Verdict:
    """What the run comes to so far."""
    if run.status in ("Executing", "Stopping"):
        return _waiting(run)
    if run.status == "Succeeded":
        return _passed(run)
    if run.status == "Stopped":
        return Refused("The model build was stopped before it finished.", run.arn)
    return Refused(why_failed(run, "model build"), run.arn)


def _waiting(run: BuildRun) -> Waiting:
    busy = [step.name for step in run.steps if step.status in ("Starting", "Executing")]
    doing = f": {', '.join(sorted(busy))}" if busy else ""
    return Waiting(f"The model build is {run.status.lower()}{doing}.", run.arn)


def _passed(run: BuildRun) -> Passed:
    packages = [step.model_package for step in run.steps if step.model_package]
    if not packages:
        return Passed("The model build finished and registered no model.", run.arn)
    gated = any(step.name == GATE for step in run.steps)
    ungated = "" if gated else " No quality gate was asked for."
    return Passed(
        f"Registered {packages[-1]}; it waits for approval.{ungated}",
        run.arn,
        {"ModelPackageArn": packages[-1]},
    )


def why_failed(run: BuildRun, what: str) -> str:
    """The gate's words if the gate refused; else each failed step with its reason.

    Args:
        run: Failed.
        what: What the run is called, for a failure that no step explains.
    """
    refused = [step.verdict for step in run.steps if step.verdict]
    if refused:
        return f"Step {_refusing(run)}: {'; '.join(refused)}"
    failed = [step for step in run.steps if step.status == "Failed"]
    if failed:
        return "; ".join(_failure(step) for step in failed)
    return f"The {what} failed: {run.reason or 'SageMaker gives no reason'}"


def _refusing(run: BuildRun) -> str:
    return ", ".join(step.name for step in run.steps if step.verdict)


def _failure(step: BuildStep) -> str:
    job = f" ({step.job})" if step.job else ""
    return f"Step {step.name} failed{job}: {step.reason or 'SageMaker gives no reason'}"
