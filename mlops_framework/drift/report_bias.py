"""The section on bias of the report's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from mlops_framework.drift.findings import number
from mlops_framework.drift.report_tables import table_head

_WIDTH: Final = 220
_HEIGHT: Final = 18


def bias_page(section: Mapping[str, Any]) -> str:
    """The section from its document (:mod:`mlops_framework.drift.bias.report`)."""
    parts = [_facet(facet) for facet in section["facets"]]
    overall = _table(section["overall"])
    if overall:
        parts.append(f"<h3>Everybody</h3>{overall}")
    against = f"with {section['reference']}" if section["reference"] else "with nothing but policy"
    confidence = f"{section['confidence'] * 100:g} %"
    note = (
        f"Intervals hold the truth in {confidence} of windows. Band: what is allowed; dot and "
        "line: what was measured, with its interval; thick tick: before; thin line: equal "
        "treatment. "
        f"Compared {escape(against)}; groups of fewer than {section['minimum_rows']:,} rows are "
        "described and not judged."
    )
    if section["unpredicted"]:
        note += f" {section['unpredicted']:,} rows without a usable prediction are left out."
    return f'<section>\n<h2>Bias</h2>\n<p class="note">{note}</p>{"".join(parts)}\n</section>\n'


def _facet(facet: Mapping[str, Any]) -> str:
    rows = (
        f"{facet['rows']:,} rows ({facet['labelled']:,} with label) against {facet['others']:,} "
        f"({facet['others_labelled']:,})"
    )
    if facet["unknown"]:
        rows += f"; of {facet['unknown']:,} the group is not known"
    breached = any(j["breached"] for one in facet["metrics"] for j in one["judged"])
    flag = ' <span class="chip bad">bias</span>' if breached else ""
    return (
        f'<h3>{escape(facet["name"])}{flag}</h3><p class="kind">{rows}</p>'
        f"{_table(facet['metrics'])}{_undefined(facet['metrics'])}"
    )


def _table(metrics: Sequence[Mapping[str, Any]]) -> str:
    found = [one for one in metrics if one["value"] is not None]
    found.sort(key=lambda one: not _mark(one))  # what drifted first, else as they are
    if not found:
        return ""
    rows = "".join(
        f'<tr><th scope="row" title="{escape(one["meaning"])}">{escape(one["metric"])}{_mark(one)}'
        f'{_chart(one)}</th><td class="n">{number(one["value"])}</td>'
        f'<td class="n">{number(one["low"])} to {number(one["high"])}</td>'
        f'<td class="n">{number(one["baseline"])}</td></tr>'
        for one in found
    )
    meanings = "".join(
        f"<li><b>{escape(one['metric'])}</b> {escape(one['meaning'])}</li>" for one in found
    )
    return (
        f'<div class="scroll"><table>{table_head(("metric", "window", "interval", "before"))}'
        f"<tbody>{rows}</tbody></table></div>"
        f"<details><summary>What the metrics are</summary><ul>{meanings}</ul></details>"
    )


def _mark(one: Mapping[str, Any]) -> str:
    breached = any(judged["breached"] for judged in one["judged"])
    return ' <span class="chip bad">!</span>' if breached else ""


def _undefined(metrics: Sequence[Mapping[str, Any]]) -> str:
    reasons: dict[str, list[str]] = {}
    for one in metrics:
        if one["value"] is None:
            reasons.setdefault(one["undefined"], []).append(one["metric"])
    if not reasons:
        return ""
    items = "".join(
        f"<li>{escape(', '.join(names))}: {escape(reason)}</li>"
        for reason, names in reasons.items()
    )
    return f"<details><summary>Without a value</summary><ul>{items}</ul></details>"


def _chart(one: Mapping[str, Any]) -> str:
    """Interval, value, allowed range and baseline on one axis."""
    fair = 1.0 if one["metric"] == "DI" else 0.0
    allowed = [bound for judged in one["judged"] for bound in judged["allowed"]]
    shown = [one["value"], one["low"], one["high"], fair, *allowed]
    if one["baseline"] is not None:
        shown.append(one["baseline"])
    low, high = min(shown), max(shown)
    reach = (high - low) or 1.0
    # A very wide interval would leave nothing to see of the rest.
    span = min(reach, 6 * max(abs(one["value"] - fair), *(abs(a - fair) for a in allowed), 0.05))
    if span < reach:
        low, high = max(low, fair - span / 2), min(high, fair + span / 2)

    def x(value: float) -> float:
        share: float = (min(max(value, low), high) - low) / ((high - low) or 1.0)
        return 4 + share * (_WIDTH - 8)

    middle = _HEIGHT / 2
    parts = []
    if allowed:
        left, right = x(min(allowed)), x(max(allowed))
        parts.append(
            f'<rect x="{left:.1f}" y="3" width="{max(right - left, 1):.1f}" '
            f'height="{_HEIGHT - 6}" fill="var(--baseline)" fill-opacity="0.3"/>'
        )
    colour = "var(--bad)" if _mark(one) else "var(--window)"
    parts.append(_line(x(fair), 1, x(fair), _HEIGHT - 1, "var(--soft)", 1))
    parts.append(_line(x(one["low"]), middle, x(one["high"]), middle, colour, 2))
    if one["baseline"] is not None:
        at = x(one["baseline"])
        parts.append(_line(at, 4, at, _HEIGHT - 4, "var(--baseline)", 3))
    parts.append(f'<circle cx="{x(one["value"]):.1f}" cy="{middle}" r="4" fill="{colour}"/>')
    label = f"{one['metric']} {number(one['value'])}"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}" '
        f'style="width:{_WIDTH}px;min-width:96px;max-width:100%;margin:2px 0 0">'
        f"{''.join(parts)}</svg>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: int) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}"/>'
    )
