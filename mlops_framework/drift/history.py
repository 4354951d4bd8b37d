"""Drift over time: what the reports of many windows say, as rows and as one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final, TypedDict

from mlops_framework.drift.findings import percent
from mlops_framework.drift.report_style import STYLE

MOST_COLUMNS: Final = 25
_SIGNIFICANT: Final = 0.05
"""Effects that chance explains are left out of the page; they would be all there is to see."""
_WIDTH: Final = 960
_LABELS: Final = 150
_ROW: Final = 18
_CHART: Final = 110
_CLASSES: Final[Mapping[str, str]] = {
    "healthy": "good",
    "drift": "bad",
    "no-data": "unsure",
    "insufficient-data": "unsure",
}
_OWN_STYLE: Final = """
svg{width:100%;height:auto;display:block}
svg text{font-size:11px;fill:var(--soft)}
rect.good{fill:var(--good)}rect.bad{fill:var(--bad)}rect.unsure{fill:var(--unsure)}
rect.cell{fill:var(--window)}rect.drifted{fill:var(--bad)}
.wide{overflow-x:auto}.wide svg{min-width:640px}
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


def history_page(endpoint: str, entries: Sequence[Entry]) -> str:
    """The page: windows over time, the columns that moved most, and every window as a row.

    Args:
        endpoint: What was monitored.
        entries: Judged windows, oldest first; at least one.
    """
    drifted = sum(entry["verdict"] == "drift" for entry in entries)
    state = "bad" if drifted else "good"
    what = (
        f"{drifted} of {len(entries)} windows drifted"
        if drifted
        else f"None of {len(entries)} windows drifted"
    )
    title = f"Drift of {endpoint}"
    span = f"{entries[0]['start']} to {entries[-1]['end']}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{_OWN_STYLE}</style>\n</head>\n<body>\n"
        f'<main>\n<header class="{state}"><p class="eyebrow">Drift over time</p>'
        f'<h1>{escape(title)}</h1><p>{escape(span)}</p><p class="summary">{escape(what)}.</p>'
        "</header>\n"
        "<section><h2>Windows</h2><p class='note'>Height: the largest share of the records that "
        "moved in any column. Red: drift; amber: too little data, or none.</p>"
        f"<div class='wide'>{_timeline(entries)}</div></section>\n"
        "<section><h2>Columns</h2><p class='note'>The columns that moved most. The darker, the "
        "nearer to what matters; red: beyond it.</p>"
        f"<div class='wide'>{_columns(entries)}</div></section>\n"
        f"<section><h2>Every window</h2>{_table(entries)}</section>\n</main>\n</body>\n</html>\n"
    )


def _timeline(entries: Sequence[Entry]) -> str:
    step = (_WIDTH - _LABELS) / len(entries)
    most = max((entry["largest_effect"] for entry in entries), default=0.0) or 1.0
    bars = []
    for number, entry in enumerate(entries):
        height = max(3.0, entry["largest_effect"] / most * _CHART)
        tip = f"{entry['start']}: {entry['verdict']}, {entry['records']:,} records. "
        bars.append(
            f'<rect class="{_CLASSES[entry["verdict"]]}" x="{_LABELS + number * step:.2f}" '
            f'y="{_CHART - height:.1f}" width="{max(step - 1, 0.6):.2f}" height="{height:.1f}">'
            f"<title>{escape(tip + entry['summary'])}</title></rect>"
        )
    label = f'<text x="{_LABELS - 8}" y="12" text-anchor="end">{percent(most)} moved</text>'
    return _svg(_CHART + 18, label + "".join(bars) + _days(entries, _CHART + 13), "Windows")


def _columns(entries: Sequence[Entry]) -> str:
    worst: dict[str, float] = {}
    for entry in entries:
        for name, share in entry["columns"].items():
            worst[name] = max(worst.get(name, 0.0), share)
    names = sorted(worst, key=lambda name: (-worst[name], name))[:MOST_COLUMNS]
    step = (_WIDTH - _LABELS) / len(entries)
    shapes = []
    for row, name in enumerate(names):
        top = row * _ROW
        short = name if len(name) <= 22 else f"{name[:21]}…"
        shapes.append(
            f'<text x="{_LABELS - 8}" y="{top + 13}" text-anchor="end">{escape(short)}'
            f"<title>{escape(name)}</title></text>"
        )
        for number, entry in enumerate(entries):
            share = entry["columns"].get(name, 0.0)
            if share <= 0:
                continue
            drifted = name in entry["features"]
            shade = 1.0 if drifted else 0.08 + 0.6 * min(share, 1.0)
            tip = f"{name}, {entry['start']}: {percent(share)} of what matters"
            shapes.append(
                f'<rect class="{"drifted" if drifted else "cell"}" '
                f'x="{_LABELS + number * step:.2f}" y="{top + 2}" '
                f'width="{max(step - 0.5, 0.6):.2f}" height="{_ROW - 4}" opacity="{shade:.2f}">'
                f"<title>{escape(tip)}</title></rect>"
            )
    height = len(names) * _ROW
    return _svg(height + 18, "".join(shapes) + _days(entries, height + 13), "Columns over time")


def _days(entries: Sequence[Entry], baseline: float) -> str:
    """Dates below a chart: as many as there is room for."""
    step = (_WIDTH - _LABELS) / len(entries)
    shown = max(1, round(90 / step))
    return "".join(
        f'<text x="{_LABELS + number * step:.1f}" y="{baseline:.0f}">'
        f"{escape(entry['start'][5:16].replace('T', ' '))}</text>"
        for number, entry in enumerate(entries)
        if number % shown == 0 and number * step < _WIDTH - _LABELS - 60
    )


def _table(entries: Sequence[Entry]) -> str:
    rows = "".join(
        f"<tr><th>{escape(entry['start'])}</th><td>{escape(entry['verdict'])}</td>"
        f"<td>{entry['records']:,}</td><td>{escape(', '.join(entry['features']))}</td>"
        f"<td>{escape(entry['summary'])}</td></tr>"
        for entry in reversed(entries)
    )
    return (
        "<div class='wide'><table><thead><tr><th>window</th><th>verdict</th><th>records</th>"
        f"<th>drifted</th><th></th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _svg(height: float, shapes: str, description: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{description}">'
        f"{shapes}</svg>"
    )
