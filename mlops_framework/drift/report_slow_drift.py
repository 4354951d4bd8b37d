"""The section on slow drift of the report's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mlops_framework.drift.findings import percent
from mlops_framework.drift.report_tables import minute, table

_RISING: Final[Mapping[str, str]] = {
    "location": "higher values",
    "scale": "wider spread",
    "share": "more of",
    "missing": "more missing",
}
_FALLING: Final[Mapping[str, str]] = {
    "location": "lower values",
    "scale": "narrower spread",
    "share": "less of",
    "missing": "fewer missing",
}
_HEAD: Final = ("column", "since (UTC)", "of the records", "moved", "values")


def slow_drift_page(section: Mapping[str, Any]) -> str:
    """The section from its document (:mod:`.slow_drift_watch`)."""
    windows = section["windows"]
    alarms = f"at most one false alarm in {section['run_length']:,} windows, on average"
    if section["drifts"]:
        text = f"What the last {windows:,} windows say together ({alarms})."
        shown = table(_HEAD, map(_row, section["drifts"]), words=2)
    else:
        text = f"Nothing adds up over the last {windows:,} windows ({alarms})."
        shown = ""
    return f"<section>\n<h2>Slow drift</h2>\n<p>{text}</p>{shown}\n</section>\n"


def _row(drift: Mapping[str, Any]) -> tuple[str, ...]:
    """Levels and spreads are ranks, whose numbers say nothing; how many values moved does."""
    words = _RISING if drift["after"] > drift["before"] else _FALLING
    what, share = words[drift["side"]], "–"
    if drift["side"] in ("share", "missing"):
        share = f"{percent(drift['before'])} to {percent(drift['after'])}"
    if drift["side"] == "share":
        what = f"{what} {drift.get('value') or 'a value'}"
    return (
        f"{drift['column']}: {what}",
        minute(drift["since"]),
        share,
        percent(drift["moved"]),
        f"{drift['records']:,}",
    )
