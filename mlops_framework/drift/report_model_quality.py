"""The section on the model's quality of the report's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from mlops_framework.drift.findings import number, percent
from mlops_framework.drift.report_tables import minute, table_head

_PLAIN: Final = frozenset(
    {"auc", "pr_auc", "weighted_auc", "log_loss", "brier", "mae", "mse", "rmse", "r2"}
)
_MOST_CLASSES: Final = 12
_SIDE: Final = 200
_MARGIN: Final = 8
_WIDE: Final = 480
_TALL: Final = 90


def model_quality_page(section: Mapping[str, Any]) -> str:
    """The section from its document (:mod:`.quality.section`)."""
    parts = [
        f"<p>{escape(_labels(section))}</p>",
        f"<p>{escape(_reference(section))}</p>",
        _metrics(section["metrics"]),
        _over_time(section.get("history")),
        _estimate(section["estimate"]),
        _roc(section["roc"]),
        _confusion(section["confusion"]),
    ]
    return f"<section>\n<h2>Model quality</h2>\n{''.join(parts)}\n</section>\n"


def _labels(section: Mapping[str, Any]) -> str:
    labels = section["labels"]
    rows, labelled = labels["rows"], labels["labelled"]
    share = percent(labelled / rows) if rows else "none"
    told = [f"{labelled:,} of {rows:,} captured rows have a label ({share})."]
    pool = section.get("pool")
    if pool:
        told.append(
            f"These are few: {pool['windows']:,} windows, since {minute(pool['since'])} UTC, are "
            f"judged together ({pool['rows']:,} rows)."
        )
    elif labels["compared"] < labels["needed"]:
        told.append(f"A verdict on quality needs {labels['needed']:,}.")
    extras = (
        ("labels_repeated", "labels came again (the last collected counts)"),
        ("labels_conflicting", "rows had labels that contradict each other"),
        ("labels_of_other_shape", "labels belong to records with another number of rows"),
        ("repeated_ids", "rows have an id that was used again later (the last gets the label)"),
        ("without_id", "rows have no id to be found by"),
    )
    told += [f"{labels[name]:,} {words}." for name, words in extras if labels[name]]
    unmatched = labels["arrived_unmatched"]
    if labels["arrived"]:
        told.append(
            f"{labels['arrived']:,} labels were collected in these hours"
            + (f"; {unmatched:,} of them match no captured prediction." if unmatched else ".")
        )
    return " ".join(told)


def _reference(section: Mapping[str, Any]) -> str:
    reference = section["reference"]
    if reference["learnt_from_this_window"]:
        return (
            "Later windows are compared with the first "
            f"{reference['windows_needed']} complete ones with enough labels, this one among them."
        )
    if reference["origin"] == "none":
        return "There is nothing to compare with yet."
    if reference["origin"] == "baseline":
        return f"Compared with {reference['rows']:,} rows of the baseline data."
    count = len(reference["windows"])
    windows = f"{count} windows" if count > 1 else "window"
    return f"Compared with {reference['rows']:,} rows of the first {windows} with labels."


def _metrics(metrics: Sequence[Mapping[str, Any]]) -> str:
    if not metrics:
        return ""
    rows = ""
    for metric in sorted(metrics, key=lambda metric: not metric["breached"]):
        name, window, before = metric["name"], metric["window"], metric["reference"]
        mark = ' <span class="chip bad">worse</span>' if metric["breached"] else ""
        held = _shown(name, before)
        if metric["threshold"] is not None:
            held = f"asked for: {_value(name, metric['threshold'])}"
        rows += (
            f'<tr><th scope="row">{escape(metric["words"])}{mark}</th>'
            f'<td class="n">{escape(held)}</td><td class="n">{escape(_shown(name, window))}</td>'
            f'<td class="n">{escape(_interval(name, window))}</td></tr>'
        )
    head = table_head(("metric", "before", "window", "95 % interval"))
    return f'<div class="scroll"><table>{head}<tbody>{rows}</tbody></table></div>\n'


def _estimate(estimate: Mapping[str, Any] | None) -> str:
    if estimate is None:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(metric["words"])}</th>'
        f'<td class="n">{escape(_shown(metric["name"], metric["reference"]))}</td>'
        f'<td class="n">{escape(_shown(metric["name"], metric["window"]))}</td>'
        f'<td class="n">{escape(_interval(metric["name"], metric["window"]))}</td></tr>'
        for metric in estimate["metrics"]
    )
    head = table_head(("metric", "before", "estimate", "95 % interval"))
    note = (
        f"Estimated of {estimate['rows']:,} rows that have no label yet, from the model's own "
        "probabilities as earlier labels calibrated them. It follows changes of the traffic; that "
        "the same requests have other answers now, only labels show."
    )
    return (
        f'<h3>Without labels</h3><p class="note">{escape(note)}</p>'
        f'<div class="scroll"><table>{head}<tbody>{rows}</tbody></table></div>\n'
    )


def _over_time(history: Mapping[str, Any] | None) -> str:
    """The first metric of the latest windows with its intervals, and the reference's as a line."""
    if history is None:
        return ""
    points, known = history["points"], history["reference"]
    ends = [point[end] for point in points for end in ("low", "high")]
    ends += [known["value"]] if known else []
    low, high = min(ends), max(ends)
    scale = _TALL / (high - low or 1.0)
    step = _WIDE / max(1, len(points) - 1)

    def at(value: float) -> float:
        return float(_MARGIN + (high - value) * scale)

    marks = ""
    if known:
        y = at(known["value"])
        marks += (
            f'<line x1="{_MARGIN}" x2="{_MARGIN + _WIDE}" y1="{y:.1f}" y2="{y:.1f}" '
            'stroke="var(--baseline)" stroke-width="2"/>'
        )
    line = []
    for place, point in enumerate(points):
        x = _MARGIN + place * step
        line.append(f"{x:.1f},{at(point['value']):.1f}")
        tip = f"{minute(point['start'])} UTC: {_value(history['name'], point['value'])}"
        marks += (
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{at(point["high"]):.1f}" '
            f'y2="{at(point["low"]):.1f}" stroke="var(--window)" stroke-width="3" '
            f'stroke-opacity="0.3"><title>{escape(tip)}</title></line>'
        )
    marks += (
        f'<polyline points="{" ".join(line)}" fill="none" stroke="var(--window)" '
        'stroke-width="1.5"/>'
    )
    words = escape(history["words"])
    shown = (
        f"{words}: {_value(history['name'], low)} to {_value(history['name'], high)}, "
        f"{minute(points[0]['start'])} to {minute(points[-1]['start'])} UTC"
    )
    return (
        f'<h3>Over time</h3><p class="legend"><span class="key baseline"></span>before'
        f'<span class="key window"></span>{shown}</p>'
        f'<svg class="plot" viewBox="0 0 {_WIDE + 2 * _MARGIN} {_TALL + 2 * _MARGIN}" '
        f'preserveAspectRatio="none" role="img" '
        f'aria-label="{shown}">{marks}</svg>\n'
    )


def _roc(roc: Mapping[str, Sequence[Sequence[float]]]) -> str:
    if not roc["window"]:
        return ""
    lines = ""
    for kind, points in (("baseline", roc["reference"]), ("window", roc["window"])):
        if points:
            path = " ".join(
                f"{_MARGIN + x * _SIDE:.1f},{_MARGIN + (1 - y) * _SIDE:.1f}" for x, y in points
            )
            lines += (
                f'<polyline points="{path}" fill="none" stroke="var(--{kind})" stroke-width="2"/>'
            )
    end = _MARGIN + _SIDE
    frame = (
        f'<rect x="{_MARGIN}" y="{_MARGIN}" width="{_SIDE}" height="{_SIDE}" fill="none" '
        f'stroke="var(--line)"/><line x1="{_MARGIN}" y1="{end}" x2="{end}" y2="{_MARGIN}" '
        'stroke="var(--line)" stroke-dasharray="4 4"/>'
    )
    size = _SIDE + 2 * _MARGIN
    label = "ROC curve: true positive rate over false positive rate, before and in this window"
    return (
        '<h3>ROC curve</h3><p class="legend"><span class="key baseline"></span>before'
        '<span class="key window"></span>this window</p>'
        f'<svg viewBox="0 0 {size} {size}" style="max-width:{size}px" role="img" '
        f'aria-label="{label}">{frame}{lines}</svg>\n'
    )


def _confusion(cells: Sequence[Mapping[str, Any]]) -> str:
    if not cells:
        return ""
    totals: dict[str, int] = {}
    for cell in cells:
        for name in {cell["label"], cell["prediction"]}:
            totals[name] = totals.get(name, 0) + cell["count"]
    names = sorted(totals, key=lambda name: (-totals[name], name))[:_MOST_CLASSES]
    found = {(cell["label"], cell["prediction"]): cell["count"] for cell in cells}
    head = "".join(f'<th scope="col" class="n">said {escape(name)}</th>' for name in names)
    body = "".join(
        f'<tr><th scope="row">is {escape(label)}</th>'
        + "".join(f'<td class="n">{found.get((label, said), 0):,}</td>' for said in names)
        + "</tr>"
        for label in names
    )
    more = ""
    if len(totals) > len(names):
        more = f'<p class="note">The {len(names)} most frequent of {len(totals)} classes.</p>'
    return (
        "<details><summary>Confusion matrix</summary>"
        f'<div class="scroll"><table><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{more}</details>\n"
    )


def _shown(name: str, metric: Mapping[str, Any] | None) -> str:
    return "–" if metric is None else _value(name, metric["value"])


def _interval(name: str, metric: Mapping[str, Any] | None) -> str:
    if metric is None:
        return "–"
    low, high = (_value(name, metric[end]) for end in ("low", "high"))
    return f"{low} to {high}"


def _value(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return number(float(f"{value:.4g}")) if name in _PLAIN else percent(value)
