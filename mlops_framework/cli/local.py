"""``mlops local``: an AWS on this machine with the platform deployed to it."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from mlops_framework.cli.embedded import Embedded, Up
from mlops_framework.cli.options import AsJson

NOT_RUNNING = 1
"""Exit status of ``local status`` and ``local env`` when none runs."""

app = typer.Typer(no_args_is_help=True, help="An AWS on this machine, with the platform in it.")


@app.command("up")
def up(
    ctx: typer.Context,
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, show_default="a free one", help="On 127.0.0.1."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep its state over down and up.")] = False,
    deploy: Annotated[
        bool, typer.Option("--deploy/--no-deploy", help="Deploy the platform to it.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Start the local AWS, or take the running one, and deploy the platform to it."""
    from mlops_framework.cli import screen

    with screen.progress("Starting the local AWS") as progress:
        found = _embedded(ctx).up(progress.update, port=port, keep=keep, deploy=deploy)
    _show(found, as_json)


@app.command("down")
def down(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Stop the local AWS and everything it started."""
    from mlops_framework.cli import screen

    with screen.progress("Stopping the local AWS"):
        stopped = _embedded(ctx).down()
    if as_json:
        screen.show_json({"stopped": stopped})
    else:
        screen.show_line("The local AWS is down." if stopped else "No local AWS was running here.")


@app.command("status")
def status(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show what runs; exit status 1 if nothing does."""
    from mlops_framework.cli import screen

    with screen.progress("Looking at the local AWS"):
        found = _embedded(ctx).look()
    if found is not None:
        _show(found, as_json)
        return
    if as_json:
        screen.show_json({"running": False})
    else:
        screen.show_line("No local AWS runs here. Start it: mlops local up")
    raise typer.Exit(NOT_RUNNING)


@app.command("env")
def env(ctx: typer.Context) -> None:
    """Print what points AWS tools at the local AWS: eval "$(mlops local env)"."""
    from mlops_framework.cli import screen

    found = _embedded(ctx).look()
    if found is None:
        screen.err().print("No local AWS runs here. Start it: mlops local up", markup=False)
        raise typer.Exit(NOT_RUNNING)
    for name, value in found.environment.items():
        print(f"export {name}={shlex.quote(value)}")


def _show(found: Up, as_json: bool) -> None:
    from mlops_framework.cli import screen

    if as_json:
        screen.show_json(found.to_document())
        return
    screen.show_line(f"The local AWS is up at {found.endpoint} (process {found.pid}).")
    if found.stacks:
        screen.show_table(("Stack", "Status"), sorted(found.stacks.items()))
    if found.api_url:
        screen.show_line(f"API:        {found.api_url}")
    screen.show_line(f"State:      {found.state}")
    screen.show_line('AWS tools:  eval "$(mlops local env)"')


def _embedded(ctx: typer.Context) -> Embedded:
    embedded: Embedded = ctx.obj.embedded
    return embedded
