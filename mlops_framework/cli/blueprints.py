"""``mlops blueprints``: what may be requested, and the beginning of a new kind, without AWS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_framework.cli.options import AsJson, Environment

if TYPE_CHECKING:
    from mlops_framework.registry import Registry

app = typer.Typer(no_args_is_help=True, help="What may be requested.")


@app.command("list")
def list_blueprints(env: Environment = None, as_json: AsJson = False) -> None:
    """List the blueprints that are installed, or enabled in an environment."""
    from mlops_framework.cli import screen

    registry = _registry(env)
    if as_json:
        screen.show_json(registry.to_catalogue())
        return
    rows = [(blueprint.kind, blueprint.summary) for blueprint in registry.blueprints]
    screen.show_table(("Kind", "What it does"), rows)


@app.command("show")
def show_blueprint(
    kind: Annotated[str, typer.Argument(help="Kind of the blueprint.")],
    env: Environment = None,
    as_json: AsJson = False,
) -> None:
    """Show the fields of a kind's request; --json gives its JSON Schema."""
    from mlops_framework.cli import screen
    from mlops_framework.contracts.parameters import as_text

    registry = _registry(env)
    blueprint = registry.get(kind)
    if as_json:
        screen.show_json(registry.schema(kind))
        return
    screen.show_line(f"{blueprint.kind}: {blueprint.summary}")
    rows = []
    for name, field in blueprint.request.model_fields.items():
        shape = blueprint.request.shapes[name]
        default = "required" if field.is_required() else as_text(field.get_default())
        if field.default_factory is not None:
            default = ""
        accepted = shape.accepted + ("; or one value per stage" if shape.per_stage else "")
        rows.append((name, default, accepted, field.description or ""))
    screen.show_table(("Field", "Default", "Accepted", "Meaning"), rows)


@app.command("new")
def new_blueprint(
    kind: Annotated[str, typer.Argument(help="Kind of the new blueprint, such as acme-alarm.")],
    folder: Annotated[
        Path, typer.Option("--folder", "-f", help="Of your distribution; begun if it is not there.")
    ] = Path(),
    as_json: AsJson = False,
) -> None:
    """Begin a blueprint of your own: contract, stack, entry point and a conformance test."""
    from mlops_framework import discovery
    from mlops_framework.cli import screen
    from mlops_framework.cli.new_blueprint import write_blueprint

    offers = [*discovery.installed(), *discovery.checked_out()]
    written = [str(path) for path in write_blueprint(kind, folder, offers)]
    if as_json:
        screen.show_json({"kind": kind, "written": written})
        return
    for path in written:
        screen.show_line(path)
    screen.show_line(f"Test it: python -m pytest {folder}")
    screen.show_line(f"Offer it: uv pip install --no-deps --editable {folder}")


def _registry(env: str | None) -> Registry:
    from mlops_framework.registry import Registry

    if env is None:
        return Registry.discover()
    from mlops_framework.cli.place import ENVIRONMENTS
    from mlops_framework.environments.loader import load_environment

    return Registry.discover(load_environment(env, ENVIRONMENTS).blueprints)
