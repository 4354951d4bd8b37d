"""The section on slow drift of the report's page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from mlops_framework.drift.findings import number, percent

_SIDES: Final[Mapping[str, str]] = {
    "location": "level (mean midrank)",
    "scale": "spread (of midranks)",
    "share": "share of a value",
    "missing": "missing values",
}


def slow_drift_page(section: Mapping[str, Any]) -> str:
    """The section from its document (:mod:`.slow_drift_watch`)."""
    windows = section["windows"]
    years = f"one false alarm in {section['run_length']:,} windows at most"
    if not section["drifts"]:
        text = f"Nothing adds up over the last {windows:,} windows ({years})."
        return f"<section><h2>Slow drift</h2><p>{text}</p></section>"
    rows = "".join(
        f"<tr><th>{escape(drift['column'])}</th><td>{_SIDES[drift['side']]}</td>"
        f"<td>{escape(drift['since'])}</td>{_sides(drift)}"
        f"<td>{drift['records']:,}</td></tr>"
        for drift in section["drifts"]
    )
    text = f"What {windows:,} windows say together, though no single one proves it ({years})."
    return (
        f"<section><h2>Slow drift</h2><p>{text}</p><div class='scroll'><table><thead><tr>"
        "<th>column</th><th>what</th><th>since</th><th>training</th><th>windows</th>"
        f"<th>records</th></tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _sides(drift: Mapping[str, Any]) -> str:
    shown = percent if drift["side"] in ("share", "missing") else number
    return f"<td>{shown(drift['before'])}</td><td>{shown(drift['after'])}</td>"
