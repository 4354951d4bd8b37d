"""Decides on the run of a pipeline whose work is to be done once it is deployed.

Source: SageMaker API, ``DescribePipelineExecution`` and ``ListPipelineExecutionSteps``.
"""

from __future__ import annotations

from typing import Final

from mlops_framework.delivery.model_build import BuildRun, why_failed
from mlops_framework.delivery.verdict import Passed, Refused, Verdict, Waiting
from mlops_framework.orchestration.stack import Stack

PIPELINE: Final = "PipelineName"
RUNS: Final = "RunOnDeployment"
"""Outputs of the stack: what is run, and whether a delivery runs it (``true`` or ``false``)."""
RESULTS: Final = "OutputLocation"
"""Output of the stack, if there is one: where the results are."""
_EXECUTION: Final = "PipelineExecutionArn"


def needed(stack: Stack) -> Passed | None:
    """Nothing if a delivery runs the pipeline; else why not."""
    if stack.outputs.get(RUNS, "true") == "true":
        return None
    pipeline = stack.outputs.get(PIPELINE, "")
    return Passed(f"Pipeline {pipeline} is deployed; its schedule or new data starts it.")


def judge(stack: Stack, run: BuildRun) -> Verdict:
    """What the run came to so far."""
    if run.status in ("Executing", "Stopping"):
        busy = sorted(step.name for step in run.steps if step.status in ("Starting", "Executing"))
        doing = f": {', '.join(busy)}" if busy else ""
        return Waiting(f"The pipeline is {run.status.lower()}{doing}.", run.arn)
    if run.status == "Succeeded":
        results = stack.outputs.get(RESULTS, "")
        where = f"; its results are in {results}" if results else ""
        return Passed(f"The pipeline ran{where}.", run.arn, {_EXECUTION: run.arn})
    if run.status == "Stopped":
        return Refused("The pipeline was stopped before it finished.", run.arn)
    return Refused(why_failed(run, "pipeline"), run.arn)
