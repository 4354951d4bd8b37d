"""The strip of the latest windows on the report's page: since when it has been like this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from mlops_framework.drift.report_tables import minute

_WIDTH: Final = 720
_BARS: Final = 30
_COLOURS: Final[Mapping[str, str]] = {"healthy": "good", "drift": "bad"}


def recent_section(report: Mapping[str, Any]) -> str:
    """The windows before this one, and this one; nothing if it is the first."""
    earlier: Sequence[Mapping[str, Any]] = report.get("recent", ())
    if not earlier:
        return ""
    this = {
        "start": report["window"]["start"],
        "verdict": report["verdict"],
        "columns": len(report["features"]),
    }
    windows = [*earlier, this]
    drifted = sum(window["verdict"] == "drift" for window in windows)
    step = _WIDTH / len(windows)
    bars = "".join(_bar(window, place * step, step) for place, window in enumerate(windows))
    first, last = (escape(minute(windows[at]["start"])) for at in (0, -1))
    return (
        "<section>\n<h2>Over time</h2>\n"
        f'<p class="note">{drifted or "None"} of the last {len(windows)} windows drifted; the '
        "taller the mark, the more columns did. Amber: no verdict, or no data.</p>\n"
        f'<svg class="strip" viewBox="0 0 {_WIDTH} {_BARS}" preserveAspectRatio="none" role="img" '
        f'aria-label="Verdicts of the latest windows">{bars}</svg>\n'
        f'<p class="ends"><span>{first}</span><span>{last} UTC</span></p>\n</section>\n'
    )


def _bar(window: Mapping[str, Any], left: float, step: float) -> str:
    drift = window["verdict"] == "drift"
    height = min(_BARS, 12 + 3 * window["columns"]) if drift else 8
    tip = f"{window['start']}: {window['verdict']}"
    if window["columns"]:
        tip += f", {window['columns']} columns"
    return (
        f"<g><title>{escape(tip)}</title>"
        f'<rect class="{_COLOURS.get(window["verdict"], "unsure")}" x="{left:.1f}" '
        f'y="{_BARS - height}" width="{max(step - 1.5, 1):.1f}" height="{height}"/></g>'
    )
