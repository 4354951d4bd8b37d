"""``mlops submit``, ``mlops status`` and ``mlops pipelines``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from mlops_framework.cli.approvals import approve
from mlops_framework.cli.errors import ApiRefused, NotDone
from mlops_framework.cli.options import ApiUrl, AsJson, Environment, Timeout, Wait
from mlops_framework.cli.place import Places

AWAITS_APPROVAL = 3
"""Exit status of ``status --wait`` when a person has to act."""

PipelineId = Annotated[str, typer.Argument(metavar="ID", help="<model_name>-<kind>.")]

app = typer.Typer(no_args_is_help=True, help="List, approve and remove pipelines.")
app.command()(approve)


def submit(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Request, a JSON file.")],
    env: Environment = None,
    api_url: ApiUrl = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only validate, here, without calling the API.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Request a pipeline; every fault of the request is told at once.

    {data-bucket-name} and other values that the platform publishes are filled in.
    """
    from mlops_framework.cli import screen
    from mlops_framework.cli.request_file import expand, read_request

    body = read_request(file)
    if check:
        # Its own name stands in for a value: it is text that every field takes.
        _check(file, expand(body, str), env, as_json)
        return
    with screen.progress("Sending the request"):
        place = _places(ctx).find(env, api_url)
        answer = place.api().provision(expand(body, place.value))
    if as_json:
        screen.show_json(answer)
        return
    screen.show_line(answer["message"])
    if "pipeline_id" in answer:  # Requests about model cards make no pipeline.
        screen.show_line(f"mlops status {answer['pipeline_id']} --wait")


def status(
    ctx: typer.Context,
    pipeline_id: PipelineId,
    env: Environment = None,
    api_url: ApiUrl = None,
    wait: Wait = False,
    timeout: Timeout = 3600,
    as_json: AsJson = False,
) -> None:
    """Show how a pipeline is doing, why, and what to do next.

    With --wait the exit status is 0 if it was delivered, 1 if it failed, 3 if it awaits approval.
    """
    from mlops_framework.cli import screen, waiting

    api = _places(ctx).find(env, api_url).api()
    with screen.progress(f"Looking at {pipeline_id}") as progress:
        if wait:
            found = waiting.wait_until_settled(
                lambda: api.status(pipeline_id),
                progress.update,
                seconds=timeout,
                clock=_clock(ctx),
            )
        else:
            found = api.status(pipeline_id)
    if as_json:
        screen.show_json(found)
    else:
        _show(found)
    if wait and found["status"] != "Delivered":
        raise typer.Exit(1 if found["status"] in waiting.FAILED else AWAITS_APPROVAL)


@app.command("list")
def list_pipelines(
    ctx: typer.Context,
    env: Environment = None,
    api_url: ApiUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the pipelines."""
    from mlops_framework.cli import screen

    with screen.progress("Reading the pipelines"):
        found = _places(ctx).find(env, api_url).api().pipelines()
    if as_json:
        screen.show_json({"pipelines": found})
        return
    if not found:
        screen.show_line("There is no pipeline yet. Request one: mlops submit FILE")
        return
    names = ("pipeline_id", "pipeline_type", "state", "updated_at", "requested_by")
    screen.show_table(
        ("Pipeline", "Kind", "State", "Changed", "By"),
        [[str(one[name]) for name in names] for one in found],
    )


@app.command("delete")
def delete_pipeline(
    ctx: typer.Context,
    pipeline_id: PipelineId,
    env: Environment = None,
    api_url: ApiUrl = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Wait = False,
    timeout: Timeout = 1800,
    as_json: AsJson = False,
) -> None:
    """Take a pipeline and what it deployed down; data and models stay."""
    from mlops_framework.cli import screen

    api = _places(ctx).find(env, api_url).api()
    if not yes:
        typer.confirm(f"Delete {pipeline_id} and everything it deployed?", abort=True, err=True)
    with screen.progress(f"Deleting {pipeline_id}") as progress:
        answer = api.delete(pipeline_id)
        if wait:
            _wait_until_gone(ctx, api.status, pipeline_id, timeout, progress.update)
    if as_json:
        screen.show_json(answer)
        return
    screen.show_line(f"{pipeline_id} is gone." if wait else answer["message"])
    for title, names in (("Removes", answer["removes"]), ("Keeps", answer["keeps"])):
        for name in names:
            screen.show_line(f"  {title.lower()}: {name}")


def _check(file: Path, body: Any, env: str | None, as_json: bool) -> None:
    from mlops_framework.cli import screen
    from mlops_framework.cli.place import ENVIRONMENTS
    from mlops_framework.environments.loader import load_environment
    from mlops_framework.registry import Registry

    if env:
        config = load_environment(env, ENVIRONMENTS)
        request = Registry.discover(config.blueprints).parse(
            body, stages=config.stage_names, prefix=config.prefix
        )
    else:
        request = Registry.discover().parse(body)
    if as_json:
        screen.show_json({"valid": True, "pipeline_id": request.pipeline_id})
    else:
        screen.show_line(f"{file} is a valid request for {request.pipeline_id}.")


def _wait_until_gone(
    ctx: typer.Context, look: Any, pipeline_id: str, seconds: int, tell: Any
) -> None:
    from mlops_framework.cli import waiting

    clock = _clock(ctx)
    start = clock.now()
    while clock.now() - start < seconds:
        try:
            seen = look(pipeline_id)
        except ApiRefused as refusal:
            if refusal.status == 404:
                return
            raise
        if seen["status"] == "DeleteFailed":
            raise NotDone(f"{seen['message']} {seen['next']}")
        tell(f"{pipeline_id}: {seen['status']}")
        clock.sleep(waiting.seconds_between(clock.now() - start))
    raise NotDone(
        f"After {seconds} s {pipeline_id} is not gone yet. It goes on; look again with "
        f"mlops status {pipeline_id}."
    )


def _show(found: Mapping[str, Any]) -> None:
    from mlops_framework.cli import screen

    style = screen.COLOURS.get(found["status"], "bold")
    heading = screen.out()
    heading.print(found["pipeline_id"], style="bold", end="  ", markup=False)
    heading.print(found["status"], style=style, markup=False)
    if not found["problems"]:  # Their message is the first of them, told below in full.
        screen.show_line(found["message"])
    rows = [
        [stage["name"], action["name"], action["status"], _said(action)]
        for stage in found["stages"]
        for action in stage["actions"]
    ]
    if rows:
        screen.show_table(("Stage", "Action", "Status", "Said"), rows)
    for problem in found["problems"]:
        what = " ".join(part for part in (problem["resource_type"], problem["resource"]) if part)
        screen.show_line(f"\n{problem['stage']}/{problem['action']} {what}")
        screen.show_line(problem["reason"])
        if problem.get("link"):
            screen.show_line(f"Look: {problem['link']}")
        screen.show_line("")
    for stage in found["stages"]:
        for name, value in (stage.get("outputs") or {}).items():
            screen.show_line(f"  {name} = {value}")
    screen.show_line(f"Next: {found['next']}")


def _said(action: Mapping[str, Any]) -> str:
    """An action's summary; why it failed is told once, below the table."""
    return "" if action["status"] == "Failed" else str(action["reason"] or action["summary"])


def _places(ctx: typer.Context) -> Places:
    places: Places = ctx.obj.places
    return places


def _clock(ctx: typer.Context) -> Any:
    return ctx.obj.clock
