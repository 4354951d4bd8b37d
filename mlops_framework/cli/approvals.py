"""``mlops pipelines approve``: a person's word on a delivery, or on the plan of a push."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from mlops_framework import naming
from mlops_framework.cli.errors import NotDone
from mlops_framework.cli.options import AsJson, Environment

_GIT: Final = naming.git_origin("")
_SUMMARY_LIMIT: Final = 512
_RUNS: Final = 20
"""Newest runs of actions that are looked at; a pipeline of a Git source has four actions."""


@dataclass(frozen=True)
class _Question:
    """An approval that waits."""

    stage: str
    action: str
    token: str


def approve(
    ctx: typer.Context,
    pipeline_id: Annotated[
        str,
        typer.Argument(metavar="ID", help="<model_name>-<kind>, or git:<name> for a Git source."),
    ],
    env: Environment = None,
    reject: Annotated[bool, typer.Option("--reject", help="Reject it instead.")] = False,
    because: Annotated[str, typer.Option("--because", help="Kept with the decision.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Approve what a pipeline waits for: the next stage, or the plan of a push to Git."""
    from mlops_framework.cli import screen

    with screen.progress(f"Looking at {pipeline_id}"):
        place = ctx.obj.places.find(env)
        name = _code_pipeline(place.prefix, pipeline_id)
        codepipeline = place.client("codepipeline")
        state = codepipeline.get_pipeline_state(name=name)
    questions = list(_waiting(state))
    if not questions:
        raise NotDone(f"Nothing of {pipeline_id} waits for approval. It is: {_standing(state)}.")
    question = questions[0]
    word = "Rejected" if reject else "Approved"
    if not yes:
        for line in _asked(codepipeline, name, state, question):
            screen.show_note(line)
        verb = "Reject" if reject else "Approve"
        typer.confirm(f"{verb} {question.stage} of {pipeline_id}?", abort=True, err=True)
    codepipeline.put_approval_result(
        pipelineName=name,
        stageName=question.stage,
        actionName=question.action,
        token=question.token,
        result={"status": word, "summary": because[:_SUMMARY_LIMIT] or f"{word} by mlops"},
    )
    if as_json:
        screen.show_json({"pipeline_id": pipeline_id, "stage": question.stage, "status": word})
    else:
        screen.show_line(f"{question.stage} of {pipeline_id} is {word}.")


def _code_pipeline(prefix: str, pipeline_id: str) -> str:
    if pipeline_id.startswith(_GIT):
        return naming.git_pipeline(prefix, pipeline_id.removeprefix(_GIT))
    return naming.code_pipeline(prefix, pipeline_id)


def _waiting(state: Mapping[str, Any]) -> Iterator[_Question]:
    for stage in state["stageStates"]:
        for action in stage["actionStates"]:
            latest = action.get("latestExecution", {})
            if latest.get("status") == "InProgress" and latest.get("token"):
                yield _Question(stage["stageName"], action["actionName"], latest["token"])


def _standing(state: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{stage['stageName']} {stage.get('latestExecution', {}).get('status', 'not run yet')}"
        for stage in state["stageStates"]
    )


def _asked(
    codepipeline: Any, name: str, state: Mapping[str, Any], question: _Question
) -> list[str]:
    """What is to be approved: the plan of a push, or what the actions before say of themselves."""
    runs = codepipeline.list_action_executions(pipelineName=name, maxResults=_RUNS)
    for run in runs["actionExecutionDetails"]:
        told = run.get("output", {}).get("outputVariables", {})
        if "Summary" in told:
            return [*str(told["Summary"]).splitlines(), f"In full: {told.get('Link', '')}"]
    lines = []
    for stage in state["stageStates"]:
        if stage["stageName"] == question.stage:
            break
        for action in stage["actionStates"]:
            summary = action.get("latestExecution", {}).get("summary")
            lines += [f"{stage['stageName']}/{action['actionName']}: {summary}"] if summary else []
    return lines
