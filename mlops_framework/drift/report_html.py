"""The report as one self-contained HTML page: no network, no script, readable on a phone.

It shows nothing but the JSON report, so a page can be made again from a stored report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from mlops_framework.drift.findings import number, percent
from mlops_framework.drift.report_charts import comparison_chart
from mlops_framework.drift.report_findings import anchor, findings_section, watched_line
from mlops_framework.drift.report_recent import recent_section
from mlops_framework.drift.report_sections import sections_page
from mlops_framework.drift.report_style import STYLE
from mlops_framework.drift.report_tables import table, type_rows
from mlops_framework.drift.windows import Window, moment

FILES: Final = "files"
"""What reports of files name where a monitor's names its environment."""
_TYPES_DIFFER: Final = 0.01
"""Types of values are shown where a share differs by this; rounded amounts always have a few."""
_VERDICTS: Final[Mapping[str, tuple[str, str]]] = {
    "healthy": ("Healthy", "good"),
    "drift": ("Drift", "bad"),
    "insufficient-data": ("Not enough data", "unsure"),
    "no-data": ("No data", "bad"),
}
_KINDS: Final[Mapping[str, str]] = {
    "numeric": "numeric",
    "codes": "codes (few distinct numbers)",
    "categories": "categories",
}
_TESTS: Final[Mapping[str, str]] = {
    "location": "Moved up or down (Wilcoxon rank sum)",
    "scale": "Spread or narrowed (Mood)",
    "shape": "Changed anywhere (Kolmogorov-Smirnov)",
    "shares": "Shares of the values (chi-square)",
    "missing": "Missing values (exact binomial)",
    "invalid": "Not a number (exact binomial)",
    "unseen": "Values never seen in training (Good-Turing)",
    "range": "Beyond the training range (exchangeability)",
    "data_type_check": "Model Monitor: values of the expected type",
    "completeness_check": "Model Monitor: records with a value",
    "baseline_drift_check": "Model Monitor: distance of the distributions",
    "categorical_values_check": "Model Monitor: values of the known ones",
}


def _watched(monitor: Mapping[str, Any]) -> str:
    return str(monitor.get("watched") or monitor["endpoint_name"])


def report_page(report: Mapping[str, Any]) -> str:
    """The HTML page of a report (:func:`~mlops_framework.drift.report.report_document`)."""
    monitor = report["monitor"]
    title = f"Drift report: {_watched(monitor)}, {_window(report['window'])}"
    sections = (
        _header(report),
        findings_section(report),
        recent_section(report),
        _columns(report["columns"], drifted=True),
        sections_page(report),
        _columns(report["columns"], drifted=False),
        _predictions(report["predictions"]),
        _captures(report),
        _method(report),
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def _header(report: Mapping[str, Any]) -> str:
    label, tone = _VERDICTS[report["verdict"]]
    monitor, captures = report["monitor"], report["captures"]
    still_open = "" if report["window"]["complete"] else '<span class="chip">still open</span>'
    tiles = (
        ("Records", f"{captures['rows']:,}"),
        ("Columns drifted", f"{len(report['features'])} of {len(report['columns'])}"),
        ("Left out", f"{sum(entry['count'] for entry in captures['left_out']):,}"),
        ("Training rows", f"{report['baseline']['rows']:,}" if report["baseline"]["rows"] else "–"),
    )
    cards = "".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>'
        for name, value in tiles
    )
    return (
        f'<header class="{tone}">\n'
        f'<p class="eyebrow">Drift report · {escape(monitor["environment"])}</p>\n'
        f"<h1>{escape(_watched(monitor))}</h1>\n"
        f'<p class="when"><span class="badge">{label}</span> '
        f"{escape(_window(report['window']))} {still_open}</p>\n"
        f'<p class="summary">{escape(report["summary"])}</p>\n'
        f'<dl class="tiles">{cards}</dl>\n{watched_line(report)}</header>\n'
    )


def _columns(columns: Sequence[Mapping[str, Any]], *, drifted: bool) -> str:
    shown = [column for column in columns if column["drifted"] is drifted]
    if not shown:
        return ""
    heading = "Drifted columns"
    if not drifted:
        rest = len(shown) < len(columns)
        heading = f"{_counted(len(shown), 'column')} without drift" if rest else "All columns"
    hours = any("ordinary" in bar for column in shown for bar in column["bars"])
    ordinary = '<span class="key ordinary"></span>nine of ten windows of the training data'
    legend = (
        '<p class="legend"><span class="key baseline"></span>training data'
        f"{ordinary if hours else ''}"
        '<span class="key window"></span>this window <span>(share of the records)</span></p>'
    )
    cards = "".join(_column(column) for column in shown)
    return f'<section>\n<h2>{heading}</h2>{legend}\n<div class="grid">{cards}</div>\n</section>\n'


def _column(column: Mapping[str, Any]) -> str:
    name = column["name"]
    flag = '<span class="chip bad">drift</span>' if column["drifted"] else ""
    baseline, window = column["baseline"], column["window"]
    rows = [("missing", baseline["missing_share"], window["missing_share"])]
    if baseline["mean"] is not None or window["mean"] is not None:
        rows = [
            ("mean", number(baseline["mean"]), number(window["mean"])),
            ("deviation", number(baseline["deviation"]), number(window["deviation"])),
            ("range", _range(baseline), _range(window)),
            *rows,
        ]
    if window["invalid"] or baseline["invalid"]:
        rows.append(("not a number", f"{baseline['invalid']:,}", f"{window['invalid']:,}"))
    rows += type_rows(column, differing=_TYPES_DIFFER)
    compared = table(("", "training", "window"), rows)
    chart = comparison_chart(column["bars"], f"{name}: share of records per group of values")
    return (
        f'<article id="{anchor(name)}">\n<h3>{escape(name)} {flag}</h3>'
        f'<p class="kind">{escape(_KINDS[column["kind"]])}</p>\n{chart}\n{compared}\n'
        f"{_tests(column)}</article>\n"
    )


def _tests(column: Mapping[str, Any]) -> str:
    if not column["tests"]:
        return ""
    rows = [
        (
            f"{_TESTS.get(test['test'], test['test'])}{' ●' if test['breached'] else ''}",
            percent(test["effect"]),
            _probability(test["q_value"]),
        )
        for test in column["tests"]
    ]
    distances = column["distances"]
    described = ""
    if distances:
        parts = [
            f"PSI {number(distances['psi'])}",
            f"Jensen-Shannon {number(distances['jensen_shannon'])}",
        ]
        if distances["wasserstein"] is not None:
            parts.append(f"Wasserstein {number(distances['wasserstein'])}")
        described = f'<p class="kind">Descriptive: {escape(", ".join(parts))}</p>'
    return (
        "<details><summary>Tests</summary>"
        f"{table(('test', 'effect', 'q'), rows)}{described}</details>\n"
    )


def _predictions(predictions: Sequence[Mapping[str, Any]]) -> str:
    if not predictions:
        return ""
    cards = ""
    for prediction in predictions:
        window = prediction["window"]
        rows = [("records", f"{window['records']:,}"), ("missing", window["missing_share"])]
        if window["mean"] is not None:
            rows += [
                ("mean", number(window["mean"])),
                ("deviation", number(window["deviation"])),
                ("range", _range(window)),
            ]
        label = f"{prediction['name']}: share of records"
        cards += (
            f"<article>\n<h3>{escape(prediction['name'])}</h3>"
            f"{comparison_chart(prediction['bars'], label)}"
            f"{table(('', 'window'), rows)}</article>\n"
        )
    note = '<p class="note">Described, not judged: the training data holds no predictions.</p>'
    return f'<section>\n<h2>Predictions</h2>{note}\n<div class="grid">{cards}</div>\n</section>\n'


def _of_files(report: Mapping[str, Any]) -> bool:
    """Whether files were judged, and not a window of an endpoint's traffic."""
    return bool(report["monitor"]["environment"] == FILES)


def _captures(report: Mapping[str, Any]) -> str:
    captures, heartbeat = report["captures"], report.get("heartbeat")
    counted, title = _counted(captures["rows"], "row"), "Captures"
    if _of_files(report):
        lines, title = [f"{counted} read."], "What was read"
    else:
        lines = [
            f"{_counted(captures['objects'], 'captured object')}, "
            f"{_counted(captures['invocations'], 'invocation')}, {counted}."
        ]
    if heartbeat:
        lines.append(_pulse(heartbeat))
    stale = captures["profiles_of_other_baseline"]
    if stale:
        lines.append(f"{stale:,} profiles of an earlier baseline were left out.")
    html = "".join(f"<p>{escape(line)}</p>" for line in lines)
    if captures["left_out"]:
        rows = [(entry["meaning"], f"{entry['count']:,}") for entry in captures["left_out"]]
        html += table(("left out because", "count"), rows)
    if captures["samples"]:
        samples = "".join(
            f"<li><b>{escape(sample['reason'])}</b> <code>{escape(sample['line'])}</code></li>"
            for sample in captures["samples"]
        )
        html += f'<details><summary>Samples</summary><ul class="samples">{samples}</ul></details>'
    if captures["unexpected"]:
        rows = [(entry["name"], f"{entry['count']:,}") for entry in captures["unexpected"]]
        what = "column" if _of_files(report) else "member"
        html += table((f"{what} the training data does not have", "count"), rows)
    return f"<section>\n<h2>{title}</h2>\n{html}\n</section>\n"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _pulse(heartbeat: Mapping[str, Any]) -> str:
    """How the endpoint's data capture stood when the window was judged."""
    status = heartbeat["endpoint_status"]
    if status is None:
        return "There was no such endpoint when this was judged."
    share = heartbeat["sampling_percentage"]
    at = "" if share is None else f", {share} % of the requests"
    capture = f"on{at}" if heartbeat["capture_enabled"] else "off"
    return f"When this was judged, the endpoint was {status}, its data capture {capture}."


def _method(report: Mapping[str, Any]) -> str:
    method, baseline = report["method"], report["baseline"]
    text = (
        f"{method['tests']} checks over all columns share one false discovery rate of "
        f"{method['false_discovery_rate']:g} (Benjamini-Hochberg). A rejected test counts only if "
        f"at least {percent(method['effect_threshold'])} of the records moved, or a rate changed "
        f"by {percent(method['rate_threshold'])}. Fewer than {method['minimum_records']:,} records "
        "give no verdict. Distances describe and never decide."
    )
    theirs = report.get("model_monitor")
    if theirs and theirs["decides"]:
        files = f"; files in {theirs['files']}" if theirs["files"] else ""
        text = (
            "By Model Monitor's own rules: each column is checked against its constraints, by "
            f"thresholds alone. Status {theirs['status']}{files}."
        )
    monitor = report["monitor"]
    origin = f"Baseline {baseline['id']}: {baseline['rows']:,} rows of {baseline['source']}."
    if not baseline["rows"]:
        origin = (
            f"Baseline {baseline['id']}: {baseline['source']}, constraints alone; distributions, "
            "of which it says nothing, were not compared."
        )
    if not _of_files(report):
        origin += f" Model {monitor['model_name']}; evaluated {monitor['schedule']}."
    return (
        '<section class="method">\n<h2>How this was judged</h2>\n'
        f"<p>{escape(text)}</p>\n<p>{escape(origin)}</p>\n</section>\n"
    )


def _range(summary: Mapping[str, Any]) -> str:
    if summary["minimum"] is None:
        return "–"
    return f"{number(summary['minimum'])} to {number(summary['maximum'])}"


def _probability(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def _window(window: Mapping[str, Any]) -> str:
    return str(Window(moment(window["start"]), moment(window["end"])))
