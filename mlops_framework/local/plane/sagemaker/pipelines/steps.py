"""What each type of step does: the API calls that SageMaker Pipelines makes for it."""

from __future__ import annotations

import secrets
import string
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mlops_framework.local.plane.sagemaker.pipelines import conditions
from mlops_framework.local.plane.sagemaker.pipelines.definition import Step
from mlops_framework.local.plane.sagemaker.pipelines.expressions import Values, evaluate
from mlops_framework.local.plane.service import AwsFault, Scope

_POLL_SECONDS = 0.1
_NAME_LIMIT = 63
_TUNING_NAME_LIMIT = 32
_SUFFIX = 10
_LETTERS = string.ascii_letters + string.digits


class StepFailed(Exception):
    """A step did not succeed; the text is its FailureReason."""


class StepStopped(Exception):
    """A step was stopped with its execution."""


class Service(Protocol):
    """SageMaker, as a step calls it."""

    def call(self, name: str, request: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
        """Run one operation."""

    def invoke(self, function: str, event: Mapping[str, Any], scope: Scope) -> tuple[Any, str]:
        """Call a function; its answer and its error, of which one is empty."""


@dataclass(frozen=True)
class Run:
    """What a step needs of its execution.

    Attributes:
        service: SageMaker.
        scope: account and region.
        execution_id: part of the names of jobs.
        execution_arn: told to registered models.
        values: what the execution knows.
        stop: set when the execution is stopped.
        note: keeps the step's metadata as soon as it is known.
    """

    service: Service
    scope: Scope
    execution_id: str
    execution_arn: str
    values: Values
    stop: threading.Event
    note: Callable[[Mapping[str, Any]], None]

    def name_for(self, step: Step) -> str:
        """A name for the step's job or resource, of the form that SageMaker Pipelines gives."""
        suffix = "".join(secrets.choice(_LETTERS) for _ in range(_SUFFIX))
        head = f"pipelines-{self.execution_id}-"
        room = _NAME_LIMIT - len(head) - _SUFFIX - 1
        return f"{head}{step.name[:room].strip('-_')}-{suffix}".replace("_", "-")

    def short_name_for(self, step: Step) -> str:
        """A name for a tuning job, which has room for 32 characters and no common beginning."""
        suffix = "".join(secrets.choice(_LETTERS) for _ in range(_SUFFIX))
        room = _TUNING_NAME_LIMIT - len(self.execution_id) - _SUFFIX - 2
        return f"{self.execution_id}-{step.name[:room].strip('-_')}-{suffix}".replace("_", "-")

    def call(self, name: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Call SageMaker.

        Raises:
            StepFailed: it refused.
        """
        try:
            return self.service.call(name, request, self.scope)
        except AwsFault as fault:
            raise StepFailed(
                f"ClientError: Failed to invoke sagemaker:{name}. Error Details: {fault.message}"
            ) from fault


def run_step(step: Step, run: Run) -> Mapping[str, Any]:
    """Do what a step says.

    Args:
        step: the step; everything it waits for has succeeded.
        run: its execution.

    Returns:
        What other steps may refer to; for a Condition step `{"Outcome": bool}`.

    Raises:
        StepFailed: it failed.
        StepStopped: the execution was stopped meanwhile.
        ExpressionError: a value it refers to does not exist.
    """
    if step.type == "Condition":
        outcome = conditions.holds(step.arguments.get("Conditions", []), run.values)
        run.note({"Condition": {"Outcome": str(outcome)}})
        return {"Outcome": outcome}
    arguments = evaluate(step.arguments, run.values)
    if step.type == "Fail":
        message = str(arguments.get("ErrorMessage", ""))
        run.note({"Fail": {"ErrorMessage": message}})
        raise StepFailed(message)
    return _HANDLERS[step.type](step, arguments, run)


def _job(kind: str) -> Callable[[Step, Mapping[str, Any], Run], Mapping[str, Any]]:
    word = f"{kind}Job"

    def handle(step: Step, arguments: Mapping[str, Any], run: Run) -> Mapping[str, Any]:
        name = run.name_for(step)
        created = run.call(f"Create{word}", {**arguments, f"{word}Name": name})
        run.note({word: {"Arn": created[f"{word}Arn"]}})
        return _ended(word, name, run)

    return handle


def _tuning(step: Step, arguments: Mapping[str, Any], run: Run) -> Mapping[str, Any]:
    """A tuning job; its result is its description and its training jobs, the best first."""
    word, name = "HyperParameterTuningJob", run.short_name_for(step)
    created = run.call(f"Create{word}", {**arguments, f"{word}Name": name})
    run.note({"TuningJob": {"Arn": created[f"{word}Arn"]}})
    described = _ended(word, name, run)
    objective = described["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    order = "Descending" if objective["Type"] == "Maximize" else "Ascending"
    asked = {f"{word}Name": name, "SortBy": "FinalObjectiveMetricValue", "SortOrder": order}
    return {**described, **run.call(f"ListTrainingJobsFor{word}", asked)}


def _ended(word: str, name: str, run: Run) -> Mapping[str, Any]:
    """Wait for a job; its description.

    Raises:
        StepFailed: it failed, or somebody stopped it.
        StepStopped: it was stopped with its execution.
    """
    asked = False
    while True:
        described = run.call(f"Describe{word}", {f"{word}Name": name})
        status = described[f"{word}Status"]
        if status == "Completed":
            return described
        if status == "Failed":
            raise StepFailed(described.get("FailureReason", f"{name} failed."))
        if status == "Stopped":
            if run.stop.is_set():
                raise StepStopped
            raise StepFailed(f"ClientError: The job {name} was stopped.")
        if run.stop.wait(_POLL_SECONDS) and not asked:
            asked = True
            _stop(word, name, run)
        elif asked:
            threading.Event().wait(_POLL_SECONDS)


def _stop(word: str, name: str, run: Run) -> None:
    try:
        run.call(f"Stop{word}", {f"{word}Name": name})
    except StepFailed:
        # It ended by itself in this very moment; its status says how.
        return


def _register(step: Step, arguments: Mapping[str, Any], run: Run) -> Mapping[str, Any]:
    group = arguments.get("ModelPackageGroupName")
    if group:
        _ensure_group(group, run)
    properties = {"GeneratedBy": run.execution_arn, **arguments.get("MetadataProperties", {})}
    request = {**arguments, "MetadataProperties": properties}
    arn = run.call("CreateModelPackage", request)["ModelPackageArn"]
    run.note({"RegisterModel": {"Arn": arn}})
    return run.call("DescribeModelPackage", {"ModelPackageName": arn})


def _ensure_group(group: str, run: Run) -> None:
    """As SageMaker Pipelines: a group that does not exist is made."""
    try:
        run.service.call("DescribeModelPackageGroup", {"ModelPackageGroupName": group}, run.scope)
    except AwsFault:
        run.call("CreateModelPackageGroup", {"ModelPackageGroupName": group.rsplit("/", 1)[-1]})


def _model(step: Step, arguments: Mapping[str, Any], run: Run) -> Mapping[str, Any]:
    name = run.name_for(step)
    arn = run.call("CreateModel", {**arguments, "ModelName": name})["ModelArn"]
    run.note({"Model": {"Arn": arn}})
    return run.call("DescribeModel", {"ModelName": name})


def _function(step: Step, arguments: Mapping[str, Any], run: Run) -> Mapping[str, Any]:
    """Call a function and wait; its answer is what other steps may refer to."""
    answer, error = run.service.invoke(step.function, arguments, run.scope)
    run.note({"Lambda": {"Arn": step.function, "OutputParameters": []}})
    if error:
        raise StepFailed(f"ClientError: The function {step.function} failed: {error}")
    return {"OutputParameters": answer if isinstance(answer, Mapping) else {}}


_HANDLERS: Mapping[str, Callable[[Step, Mapping[str, Any], Run], Mapping[str, Any]]] = {
    "Training": _job("Training"),
    "Processing": _job("Processing"),
    "Transform": _job("Transform"),
    "Tuning": _tuning,
    "RegisterModel": _register,
    "Model": _model,
    "Lambda": _function,
}
