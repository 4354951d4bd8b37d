"""Tables and times of the report's page: words to the left, numbers to the right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from mlops_framework.drift.findings import percent

_TYPES: Final[Mapping[str, str]] = {
    "whole": "whole numbers",
    "fractional": "other numbers",
    "boolean": "true and false",
    "textual": "text",
}
_NUMBER: Final = ' class="n"'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> str:
    """A table of texts, which scrolls by itself where it is wider than the page.

    Args:
        head: What the columns are called.
        rows: Their cells; the first names the row.
        words: So many columns are words; all others are numbers.
    """
    body = ""
    for first, *rest in rows:
        cells = "".join(
            f"<td{'' if place < words else _NUMBER}>{escape(cell)}</td>"
            for place, cell in enumerate(rest, 1)
        )
        body += f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>'
    return (
        f'<div class="scroll"><table>{table_head(head, words=words)}'
        f"<tbody>{body}</tbody></table></div>"
    )


def table_head(head: Sequence[str], *, words: int = 1) -> str:
    """The head of a table whose rows are made elsewhere."""
    cells = "".join(
        f'<th scope="col"{"" if place < words else _NUMBER}>{escape(cell)}</th>'
        for place, cell in enumerate(head)
    )
    return f"<thead><tr>{cells}</tr></thead>"


def type_rows(column: Mapping[str, Any], *, differing: float = 0.0) -> list[tuple[str, str, str]]:
    """Of which types a column's values are, in the training data and in the window.

    Args:
        column: A column of a report.
        differing: Rows are given if some share differs by so much.

    Returns:
        Nothing if all values of both are of one type, or types were not counted.
    """
    sides = [column[side].get("types") or {} for side in ("baseline", "window")]
    found = [name for name in _TYPES if any(name in side for side in sides)]
    if len(found) < 2 or not all(sides):
        return []
    before, after = ([side.get(n, 0) / sum(side.values()) for n in found] for side in sides)
    if max(abs(b - a) for b, a in zip(before, after, strict=True)) < differing:
        return []
    return [
        (_TYPES[name], percent(b), percent(a))
        for name, b, a in zip(found, before, after, strict=True)
    ]


def minute(text: str) -> str:
    """An ISO 8601 time of a report as people read it: ``2026-03-01 14:00``, UTC."""
    return text[:16].replace("T", " ")


def since_words(finding: Mapping[str, Any], start: str) -> str:
    """Since when, if longer than the window and the finding's sentence does not say so itself."""
    since = finding.get("since", start)
    if since >= start or finding["kind"] in ("model-quality", "slow-drift"):
        return ""
    return f" So it is since {minute(since)} UTC."
