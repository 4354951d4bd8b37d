"""Entry point of the ``mlops`` command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from mlops_framework.cli import blueprints, drift, local, models, pipelines
from mlops_framework.cli.embedded import CheckoutEmbedded, Embedded
from mlops_framework.cli.failures import Commands
from mlops_framework.cli.place import CheckoutPlaces, Places
from mlops_framework.cli.waiting import Clock


@dataclass(frozen=True)
class Tools:
    """What commands reach the world with; tests pass their own."""

    places: Places = field(default_factory=CheckoutPlaces)
    embedded: Embedded = field(default_factory=CheckoutEmbedded)
    clock: Clock = field(default_factory=Clock)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # They may hold credentials.
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(pipelines.submit)
app.command()(pipelines.status)
app.command()(models.approve)
app.add_typer(pipelines.app, name="pipelines")
app.add_typer(blueprints.app, name="blueprints")
app.add_typer(drift.app, name="drift")
app.add_typer(local.app, name="local")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(version("mlops-framework"))
        except PackageNotFoundError:
            typer.echo("a checkout that is not installed")
        raise typer.Exit


@app.callback()
def mlops(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Machine learning pipelines on AWS: request them, follow them, remove them."""
    if ctx.obj is None:
        ctx.obj = Tools()


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
