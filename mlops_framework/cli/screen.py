"""What a command shows: results on stdout, progress and faults on stderr."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.status import Status
from rich.table import Table
from rich.text import Text

from mlops_framework.errors import Fault

COLOURS = {
    "Delivered": "green",
    "healthy": "green",
    "Failed": "red",
    "Stopped": "red",
    "Interrupted": "red",
    "DeleteFailed": "red",
    "drift": "red",
    "AwaitingApproval": "yellow",
    "no-data": "yellow",
    "insufficient-data": "yellow",
}


_WIDTH_IN_FILES = 160


def out() -> Console:
    """Where results go; made anew, since tests exchange stdout."""
    return Console(highlight=False, soft_wrap=True)


def err() -> Console:
    """Where progress and faults go."""
    return _wide(Console(stderr=True, highlight=False))


def _wide(console: Console) -> Console:
    """Outside a terminal rich takes 80 columns, which breaks names and ARNs in logs."""
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_IN_FILES
    return console


def show_json(document: Any) -> None:
    """The document as JSON on stdout, and nothing else."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def show_line(text: str) -> None:
    """One line of result; no markup, since names may hold brackets."""
    out().print(Text(text))


def show_note(text: str) -> None:
    """One line about what is going on, on stderr."""
    err().print(Text(text))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """A table; statuses are coloured."""
    table = Table(*columns, title=title or None, title_justify="left", show_edge=False)
    table.columns[0].no_wrap = True
    for row in rows:
        table.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
    _wide(Console(highlight=False)).print(table)


def show_fault(title: str, message: str, faults: Sequence[Fault] = (), hint: str = "") -> None:
    """What went wrong, as one panel on stderr."""
    body = Text(message.strip())
    for fault in faults:
        body.append("\n\n")
        body.append(fault.path or "the whole body", style="bold")
        body.append(f"\n  {fault.message}")
        for label, value in (("accepted: ", fault.accepted), ("found:    ", fault.found)):
            if value not in fault.message:
                body.append(f"\n  {label}{value}", style="dim")
    if hint:
        body.append(f"\n\n{hint}", style="italic")
    err().print(Panel(body, title=Text(title), title_align="left", border_style="red"))


@contextmanager
def progress(message: str) -> Iterator[Status]:
    """A spinner on stderr while something takes long; ``.update(text)`` says what."""
    with err().status(Text(message)) as status:
        yield status
