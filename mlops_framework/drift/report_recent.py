"""The strip of the latest windows on the report's page: since when it has been like this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

_WIDTH: Final = 720
_HEIGHT: Final = 46
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
    first, last = (escape(windows[at]["start"][5:16].replace("T", " ")) for at in (0, -1))
    labels = (
        f'<text x="0" y="{_HEIGHT - 3}">{first}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT - 3}" text-anchor="end">{last}</text>'
    )
    return (
        "<section>\n<h2>Over time</h2>\n"
        f"<p class='note'>{drifted} of the last {len(windows)} windows drifted; the taller the "
        "mark, the more columns did.</p>\n"
        f'<svg class="recent" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="Verdicts of the latest windows">{bars}{labels}</svg>\n</section>\n'
    )


def _bar(window: Mapping[str, Any], left: float, step: float) -> str:
    drift = window["verdict"] == "drift"
    height = min(_BARS, 12 + 3 * window["columns"]) if drift else 8
    tip = f"{window['start']}: {window['verdict']}"
    if window["columns"]:
        tip += f", {window['columns']} columns"
    return (
        f'<rect class="{_COLOURS.get(window["verdict"], "unsure")}" x="{left:.1f}" '
        f'y="{_BARS - height}" width="{max(step - 1.5, 1):.1f}" height="{height}" rx="1.5">'
        f"<title>{escape(tip)}</title></rect>"
    )
