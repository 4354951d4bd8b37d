"""Entry point of the ``mlops`` command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from mlops_framework.cli import (
    apply,
    blueprints,
    demo,
    drift,
    local,
    migrate,
    model_cards,
    models,
    monitors,
    pipelines,
)
from mlops_framework.cli.embedded import CheckoutEmbedded, Embedded
from mlops_framework.cli.failures import Commands
from mlops_framework.cli.place import STATE, CheckoutPlaces, Places
from mlops_framework.cli.waiting import Clock


@dataclass(frozen=True)
class Tools:
    """What commands reach the world with; tests pass their own.

    Attributes:
        state: Folder of the local AWS's state.
        state_given: Whether somebody said so, or it is the usual one.
        places: Finds environments.
        embedded_in: The local AWS over a state folder.
        clock: Time.
    """

    state: Path = STATE
    state_given: bool = False
    places: Places = field(default_factory=CheckoutPlaces)
    embedded_in: Callable[[Path], Embedded] = CheckoutEmbedded
    clock: Clock = field(default_factory=Clock)

    @property
    def embedded(self) -> Embedded:
        """The local AWS of the state folder."""
        return self.embedded_in(self.state)

    @classmethod
    def of(cls, state: Path | None) -> Tools:
        """The real tools, over a state folder."""
        folder = state or STATE
        return cls(folder, state is not None, CheckoutPlaces(state=folder))


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # They may hold credentials.
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(pipelines.submit)
app.command()(pipelines.status)
app.command()(apply.apply)
app.command()(migrate.migrate)
app.command()(models.approve)
app.command()(demo.demo)
app.add_typer(pipelines.app, name="pipelines")
app.add_typer(blueprints.app, name="blueprints")
app.add_typer(drift.app, name="drift")
app.add_typer(monitors.app, name="monitor")
app.add_typer(model_cards.app, name="model-card")
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
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            envvar="MLOPS_STATE",
            show_default=str(STATE),
            help="Folder of the local AWS's state and logs.",
        ),
    ] = None,
) -> None:
    """Machine learning pipelines on AWS: request them, follow them, remove them."""
    if ctx.obj is None:
        ctx.obj = Tools.of(state)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
