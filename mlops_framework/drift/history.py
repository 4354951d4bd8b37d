"""Drift over time: what the reports of many windows say, as rows and as one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final, TypedDict

from mlops_framework.drift.findings import percent
from mlops_framework.drift.report_style import STYLE
from mlops_framework.drift.report_tables import minute

MOST_COLUMNS: Final = 25
_SIGNIFICANT: Final = 0.05
"""Effects that chance explains are left out of the page; they would be all there is to see."""
_WIDTH: Final = 1000
_CHART: Final = 100
_UNSURE: Final = 12
_TONES: Final[Mapping[str, str]] = {
    "healthy": "good",
    "drift": "bad",
    "no-data": "unsure",
    "insufficient-data": "unsure",
}
_OWN_STYLE: Final = """
svg.strip.tall{height:110px}
.lane{display:grid;grid-template-columns:190px 1fr;gap:10px;align-items:center;font-size:13px;
border-top:1px solid var(--line)}
.lane span{overflow-wrap:anywhere}.lane svg.strip{height:16px}
.lane p{margin:0}
rect.cell{fill:var(--window)}
.time{display:inline-block;min-width:118px;font-variant-numeric:tabular-nums}
td.what{overflow-wrap:anywhere}
@media (max-width:640px){.lane{grid-template-columns:1fr;gap:0;padding-top:3px}}
"""


class Entry(TypedDict):
    """One judged window.

    Attributes:
        start: Its beginning, ISO 8601.
        end: Its end.
        complete: Whether it was over when it was judged last.
        verdict: The verdict.
        records: Rows that were counted.
        features: Drifted columns, worst first.
        largest_effect: The largest share of the records that moved in any column, 0..1.
        columns: Of each column, how far its worst test is on the way to its threshold (1 is there).
        summary: In words.
    """

    start: str
    end: str
    complete: bool
    verdict: str
    records: int
    features: list[str]
    largest_effect: float
    columns: dict[str, float]
    summary: str


def entry_of(report: Mapping[str, Any]) -> Entry:
    """What a stored report (any version) says in one row."""
    window = report["window"]
    effects = {
        column["name"]: [
            (float(test["effect"]), float(test["threshold"]) or 1.0)
            for test in column["tests"]
            if test["effect"] is not None and test.get("q_value", 0.0) <= _SIGNIFICANT
        ]
        for column in report["columns"]
    }
    return Entry(
        start=window["start"],
        end=window["end"],
        complete=bool(window["complete"]),
        verdict=report["verdict"],
        records=int(report["captures"]["rows"]),
        features=list(report["features"]),
        largest_effect=max((e for found in effects.values() for e, _ in found), default=0.0),
        columns={
            name: round(max((e / limit for e, limit in found), default=0.0), 4)
            for name, found in effects.items()
        },
        summary=report["summary"],
    )


def drifted_by(entry: Entry) -> str:
    """What drifted: the columns, or in words what else did; empty for a window that did not."""
    if entry["verdict"] != "drift":
        return ""
    window, _, words = entry["summary"].partition(". ")
    return ", ".join(entry["features"]) or words or window


def history_page(endpoint: str, entries: Sequence[Entry]) -> str:
    """The page: windows over time, the columns that moved most, and every window as a row.

    Args:
        endpoint: What was monitored.
        entries: Judged windows, oldest first; at least one.
    """
    drifted = sum(entry["verdict"] == "drift" for entry in entries)
    judged = sum(entry["verdict"] in ("drift", "healthy") for entry in entries)
    what = (
        f"{drifted} of {len(entries)} windows drifted"
        if drifted
        else f"None of {len(entries)} windows drifted"
    )
    title = f"Drift of {endpoint}"
    span = f"{minute(entries[0]['start'])} to {minute(entries[-1]['end'])} UTC"
    last = entries[-1]
    tiles = (
        ("Windows drifted", f"{drifted:,} of {len(entries):,}"),
        ("Without verdict", f"{len(entries) - judged:,}"),
        ("Records", f"{sum(entry['records'] for entry in entries):,}"),
        ("Last window", last["verdict"]),
    )
    cards = "".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>'
        for name, value in tiles
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{_OWN_STYLE}</style>\n</head>\n<body>\n"
        f'<main>\n<header class="{_state(drifted, judged)}"><p class="eyebrow">Drift over time</p>'
        f'<h1>{escape(title)}</h1><p class="when">{escape(span)}</p>'
        f'<p class="summary">{escape(what)}.</p><dl class="tiles">{cards}</dl></header>\n'
        f"{_timeline(entries)}{_columns(entries)}{_windows(entries)}</main>\n</body>\n</html>\n"
    )


def _state(drifted: int, judged: int) -> str:
    if drifted:
        return "bad"
    return "good" if judged else "unsure"


def _timeline(entries: Sequence[Entry]) -> str:
    step = _WIDTH / len(entries)
    most = max((entry["largest_effect"] for entry in entries), default=0.0) or 1.0
    bars = []
    for place, entry in enumerate(entries):
        tone = _TONES[entry["verdict"]]
        least = _UNSURE if tone == "unsure" else 3.0
        height = max(least, entry["largest_effect"] / most * _CHART)
        tip = f"{minute(entry['start'])} UTC: {entry['verdict']}, {entry['records']:,} records. "
        shape = _bar(tone, place * step, _CHART - height, step, height)
        bars.append(f"<g><title>{escape(tip + entry['summary'])}</title>{shape}</g>")
    return (
        "<section>\n<h2>Windows</h2>\n"
        '<p class="note">Height: the largest share of the records that moved in any column, up to '
        f"{percent(most)}. Red: drift; amber: too little data, or none.</p>\n"
        f"{_strip(''.join(bars), _CHART, 'Windows', tall=True)}{_ends(entries)}\n</section>\n"
    )


def _columns(entries: Sequence[Entry]) -> str:
    worst: dict[str, float] = {}
    for entry in entries:
        for name, share in entry["columns"].items():
            worst[name] = max(worst.get(name, 0.0), share)
    moved = sorted((n for n in worst if worst[n] > 0), key=lambda name: (-worst[name], name))
    lanes = "".join(_lane(name, entries) for name in moved[:MOST_COLUMNS])
    still = len(worst) - len(moved[:MOST_COLUMNS])
    rest = f'<p class="note">{still:,} more moved less, or not at all.</p>' if still else ""
    if not lanes:
        return ""
    return (
        '<section>\n<h2>Columns</h2>\n<p class="note">The columns that moved most, worst first. '
        "The darker, the nearer to what matters; red: beyond it.</p>\n"
        f'{lanes}<div class="lane"><span></span>{_ends(entries)}</div>{rest}\n</section>\n'
    )


def _lane(name: str, entries: Sequence[Entry]) -> str:
    """One column over time."""
    step = _WIDTH / len(entries)
    shapes = []
    for place, entry in enumerate(entries):
        share = entry["columns"].get(name, 0.0)
        drifted = name in entry["features"]
        if share <= 0 and not drifted:
            continue
        shade = 1.0 if drifted else 0.15 + 0.6 * min(share, 1.0)
        tip = f"{name}, {minute(entry['start'])} UTC: {percent(share)} of what matters"
        shape = _bar("bad" if drifted else "cell", place * step, 0, step, 1, shade)
        shapes.append(f"<g><title>{escape(tip)}</title>{shape}</g>")
    strip = _strip("".join(shapes), 1, f"{name} over time")
    return f'<div class="lane"><span>{escape(name)}</span>{strip}</div>'


def _windows(entries: Sequence[Entry]) -> str:
    """What is not healthy first, then all; the latest first."""
    latest = list(reversed(entries))
    notable = [entry for entry in latest if entry["verdict"] != "healthy"]
    html = ""
    if notable:
        html = f"<section>\n<h2>Windows to look at</h2>{_table(notable)}\n</section>\n"
    return (
        f"{html}<section>\n<h2>Every window</h2><details><summary>{len(latest):,} windows, the "
        f"latest first</summary>{_table(latest)}</details>\n</section>\n"
    )


def _table(entries: Sequence[Entry]) -> str:
    rows = "".join(
        f'<tr><th scope="row"><span class="time">{minute(entry["start"])}</span> '
        f'<span class="chip {_TONES[entry["verdict"]]}">{escape(entry["verdict"])}</span></th>'
        f'<td class="n">{entry["records"]:,}</td><td class="what">{escape(_said(entry))}</td></tr>'
        for entry in entries
    )
    head = (
        '<thead><tr><th scope="col">window (UTC)</th><th scope="col" class="n">records</th>'
        '<th scope="col">what</th></tr></thead>'
    )
    return f'<div class="scroll"><table>{head}<tbody>{rows}</tbody></table></div>'


def _said(entry: Entry) -> str:
    if entry["verdict"] == "healthy":
        return "–"
    return ", ".join(entry["features"]) or entry["summary"]


def _ends(entries: Sequence[Entry]) -> str:
    """When the first, the middle and the last window began."""
    shown = dict.fromkeys((0, len(entries) // 2, len(entries) - 1))
    dates = "".join(f"<span>{minute(entries[place]['start'])[5:]}</span>" for place in shown)
    return f'<p class="ends">{dates}</p>'


def _bar(tone: str, left: float, top: float, step: float, height: float, shade: float = 1.0) -> str:
    gap = min(1.0, step / 5)
    opacity = "" if shade == 1.0 else f' opacity="{shade:.2f}"'
    return (
        f'<rect class="{tone}" x="{left:.2f}" y="{top:.1f}" width="{step - gap:.2f}" '
        f'height="{height:.1f}"{opacity}/>'
    )


def _strip(shapes: str, height: int, description: str, *, tall: bool = False) -> str:
    """Bars as wide as the page lets them be; words beside them keep their size."""
    return (
        f'<svg class="strip{" tall" if tall else ""}" viewBox="0 0 {_WIDTH} {height}" '
        f'preserveAspectRatio="none" role="img" aria-label="{escape(description)}">{shapes}</svg>'
    )
