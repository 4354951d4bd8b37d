"""Decides on the baseline of a monitor: which one there is, whether to compute another, and how.

The stack of a monitor is deployed twice. The first time it keeps the baseline it is settled on
(none, for a new one), so that a schedule that runs goes on as it did; then the wanted baseline is
computed; then the stack is settled on that one, which is what makes or moves the schedule.
Source: SageMaker API, ``DescribePipelineExecution`` and ``ListPipelineExecutionSteps``.
"""

from __future__ import annotations

from typing import Final

from mlops_framework.delivery.model_build import BuildRun
from mlops_framework.delivery.verdict import Passed, Refused, Verdict, Waiting
from mlops_framework.orchestration.stack import Condition, Stack

UNSETTLED: Final = "none"
"""What a stack without a finished baseline is settled on."""
WANTED: Final = "BaselineKey"
SETTLED: Final = "SettledBaseline"
PIPELINE: Final = "BaselinePipelineName"
"""Two parameters and one output of a monitor's stack; the first two are also variables."""
CARRIED: Final = {
    "SettledConstraints": "BaselineConstraintsLocation",
    "SettledStatistics": "BaselineStatisticsLocation",
}
"""Files that the settled baseline has elsewhere than in its own folder, because a request brought
them: the parameter (also a variable) that hands a file on, and the one that brought it."""
_CARRIED_LENGTH: Final = 800
"""CodePipeline takes 1 KB of parameters for all three variables together."""

_THERE: Final = (Condition.DEPLOYED, Condition.ROLLED_BACK)


def settled(stack: Stack | None) -> Passed:
    """Which baseline the stage compares with at present.

    Args:
        stack: The stage's stack before it is deployed, or nothing.
    """
    known = stack.parameters if stack is not None and stack.condition in _THERE else {}
    key = known.get(SETTLED, "") or UNSETTLED
    nothing = dict.fromkeys(CARRIED, UNSETTLED)
    if key == UNSETTLED:
        return Passed("No baseline yet.", outputs={SETTLED: UNSETTLED, **nothing})
    files = {
        name: known.get(name, UNSETTLED)
        if known.get(name, UNSETTLED) != UNSETTLED
        else known.get(brought, "") or UNSETTLED
        for name, brought in CARRIED.items()
    }
    if sum(map(len, files.values())) > _CARRIED_LENGTH:
        return Passed(
            f"The names of the files of baseline {key} are too long to be handed on: there is no "
            "schedule until the wanted baseline is there.",
            outputs={SETTLED: UNSETTLED, **nothing},
        )
    return Passed(f"The stage compares with baseline {key}.", outputs={SETTLED: key, **files})


def needed(stack: Stack) -> Passed | None:
    """Nothing if the wanted baseline has to be computed; else why not.

    Args:
        stack: The stage's stack, deployed.
    """
    key = stack.parameters.get(WANTED, "")
    if key == stack.parameters.get(SETTLED):
        return Passed(f"Baseline {key} is there, and nothing it depends on changed.", "", _is(key))
    if not stack.outputs.get(PIPELINE):
        return Passed(f"Baseline {key} is given with the request.", "", _is(key))
    return None


def judge(stack: Stack, run: BuildRun) -> Verdict:
    """What computing the baseline came to so far."""
    key = stack.parameters.get(WANTED, "")
    if run.status in ("Executing", "Stopping"):
        busy = sorted(step.name for step in run.steps if step.status in ("Starting", "Executing"))
        doing = f": {', '.join(busy)}" if busy else ""
        return Waiting(f"Baseline {key} is being computed{doing}.", run.arn)
    if run.status == "Succeeded":
        return Passed(f"Baseline {key} is computed.", run.arn, _is(key))
    former = stack.parameters.get(SETTLED, UNSETTLED)
    kept = (
        "There is no schedule without a baseline."
        if former == UNSETTLED
        else f"The schedule goes on with baseline {former}."
    )
    return Refused(f"{_why(run)} {kept}", run.arn)


def _is(key: str) -> dict[str, str]:
    return {WANTED: key}


def _why(run: BuildRun) -> str:
    if run.status == "Stopped":
        return "The computation of the baseline was stopped before it finished."
    failed = [
        f"Step {step.name} failed{f' ({step.job})' if step.job else ''}: "
        f"{step.reason or 'SageMaker gives no reason'}"
        for step in run.steps
        if step.status == "Failed"
    ]
    said = "; ".join(failed) or (
        f"The baseline failed: {run.reason or 'SageMaker gives no reason'}"
    )
    return said if said.endswith(".") else f"{said}."
