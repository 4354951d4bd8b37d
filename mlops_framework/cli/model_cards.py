"""``mlops model-card``: keep the cards of models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from mlops_framework.cli.options import ApiUrl, AsJson, Environment

if TYPE_CHECKING:
    from mlops_framework.cli.api import Api

CardName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the card.")]
CardFile = Annotated[Path, typer.Argument(help="Sections of the card, a JSON file.")]

app = typer.Typer(no_args_is_help=True, help="Keep the cards of models.")


@app.command("create")
def create_card(
    ctx: typer.Context,
    file: CardFile,
    env: Environment = None,
    api_url: ApiUrl = None,
    as_json: AsJson = False,
) -> None:
    """Create a card; the model, job and files of metrics it names are looked up."""
    api, body = _api_and_body(ctx, file, env, api_url)
    _show(api.request("POST", "/model-cards", body=body), as_json)


@app.command("update")
def update_card(
    ctx: typer.Context,
    name: CardName,
    file: CardFile,
    env: Environment = None,
    api_url: ApiUrl = None,
    as_json: AsJson = False,
) -> None:
    """Replace the sections that the file gives; the others stay as they are."""
    api, body = _api_and_body(ctx, file, env, api_url)
    _show(api.request("PATCH", _path(name), body=body), as_json)


@app.command("status")
def set_status(
    ctx: typer.Context,
    name: CardName,
    status: Annotated[
        str, typer.Argument(help="Draft, PendingReview, Approved or Archived.", metavar="STATUS")
    ],
    env: Environment = None,
    api_url: ApiUrl = None,
    as_json: AsJson = False,
) -> None:
    """Set the status of a card's review."""
    _show(_api(ctx, env, api_url).request("PATCH", _path(name), body={"status": status}), as_json)


@app.command("show")
def show_card(
    ctx: typer.Context,
    name: CardName,
    version: Annotated[
        int | None, typer.Option("--version", min=1, show_default="the newest", help="Version.")
    ] = None,
    env: Environment = None,
    api_url: ApiUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show a card; --json gives the whole of it."""
    from mlops_framework.cli import screen

    query = {"version": str(version)} if version else None
    card = _api(ctx, env, api_url).request("GET", _path(name), query=query)
    if as_json:
        screen.show_json(card)
        return
    screen.show_line(f"{card['name']}, version {card['version']}: {card['status']}")
    rows = [(where, text) for where, text in _leaves(card["content"])]
    screen.show_table(("Where", "What"), rows)


@app.command("list")
def list_cards(
    ctx: typer.Context,
    contains: Annotated[str, typer.Option("--name-contains", help="Part of the name.")] = "",
    env: Environment = None,
    api_url: ApiUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the cards, the newest first."""
    from mlops_framework.cli import screen

    api = _api(ctx, env, api_url)
    found: list[dict[str, Any]] = []
    query = {"name_contains": contains} if contains else {}
    token = ""
    while True:
        more = {"next_token": token} if token else {}
        page = api.request("GET", "/model-cards", query={**query, **more})
        found += page["model_cards"]
        token = page["next_token"]
        if not token:
            break
    if as_json:
        screen.show_json({"model_cards": found})
        return
    if not found:
        screen.show_line("There is no model card. Make one: mlops model-card create FILE")
        return
    names = ("name", "status", "created_at", "modified_at")
    screen.show_table(
        ("Card", "Status", "Created", "Changed"),
        [[str(one[key]) for key in names] for one in found],
    )


@app.command("export")
def export_card(
    ctx: typer.Context,
    name: CardName,
    version: Annotated[
        int | None, typer.Option("--version", min=1, show_default="the newest", help="Version.")
    ] = None,
    env: Environment = None,
    api_url: ApiUrl = None,
    as_json: AsJson = False,
) -> None:
    """Export a card to a PDF in the data bucket."""
    body = {"model_card_version": version} if version else {}
    api = _api(ctx, env, api_url)
    _show(api.request("POST", f"{_path(name)}/exports", body=body), as_json)


@app.command("delete")
def delete_card(
    ctx: typer.Context,
    name: CardName,
    env: Environment = None,
    api_url: ApiUrl = None,
    as_json: AsJson = False,
) -> None:
    """Delete a card with all its versions; exported files stay."""
    _show(_api(ctx, env, api_url).request("DELETE", _path(name)), as_json)


def _api(ctx: typer.Context, env: str | None, api_url: str | None) -> Api:
    api: Api = ctx.obj.places.find(env, api_url).api()
    return api


def _api_and_body(
    ctx: typer.Context, file: Path, env: str | None, api_url: str | None
) -> tuple[Api, Any]:
    """The API, and the file with the platform's values filled in."""
    from mlops_framework.cli.request_file import expand, read_request

    body = read_request(file)
    place = ctx.obj.places.find(env, api_url)
    return place.api(), expand(body, place.value)


def _path(name: str) -> str:
    return f"/model-cards/{quote(name, safe='')}"


def _show(answer: dict[str, Any], as_json: bool) -> None:
    from mlops_framework.cli import screen

    if as_json:
        screen.show_json(answer)
    else:
        screen.show_line(answer["message"])


def _leaves(value: Any, where: str = "") -> list[tuple[str, str]]:
    """Every text and number of a card with its place; metrics are one line each."""
    if isinstance(value, dict) and {"name", "value"} <= value.keys():
        return [(f"{where}.{value['name']}", str(value["value"]))]
    if isinstance(value, dict):
        pairs = [(f"{where}.{key}" if where else key, inner) for key, inner in value.items()]
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        pairs = [(f"{where}.{number}", inner) for number, inner in enumerate(value)]
    else:
        return [(where, ", ".join(map(str, value)) if isinstance(value, list) else str(value))]
    return [leaf for name, inner in pairs for leaf in _leaves(inner, name)]
