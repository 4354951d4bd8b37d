"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_framework.cli.failures import JSON


def _remember(ctx: typer.Context, value: bool) -> bool:
    ctx.meta[JSON] = value
    return value


Environment = Annotated[
    str | None,
    typer.Option(
        "--env",
        "-e",
        envvar="MLOPS_ENV",
        show_default="the running local AWS",
        help="Environment to act on; a file in environments/.",
    ),
]
ApiUrl = Annotated[
    str | None,
    typer.Option("--api-url", help="The API itself, if not the one that the platform publishes."),
]
AsJson = Annotated[
    bool, typer.Option("--json", callback=_remember, help="Print the document as JSON.")
]
Wait = Annotated[bool, typer.Option("--wait", "-w", help="Wait until it is settled.")]
Timeout = Annotated[
    int, typer.Option("--timeout", min=1, help="How long to wait at most, seconds.")
]
