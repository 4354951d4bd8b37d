"""The section on attributions of the report's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from mlops_framework.drift.report_charts import comparison_chart

_MOST_BARS: Final = 20


def attribution_page(section: Mapping[str, Any]) -> str:
    """The section from its document (:mod:`mlops_framework.drift.attribution.report`)."""
    parts = [f"<p>{escape(_summary(section))}</p>"]
    if section["note"]:
        parts.append(f'<p class="note">{escape(section["note"])}</p>')
    chart = comparison_chart(_bars(section["features"]), "Share of all attribution by feature")
    if chart:
        legend = (
            '<span class="key window"></span>this window <span>(share of all attribution)</span>'
        )
        if section["reference"]:
            legend = f'<span class="key baseline"></span>{escape(section["reference"])}{legend}'
        parts.append(f'<p class="legend">{legend}</p><div class="grid">{chart}</div>')
    if "endpoint" in section:
        asked = section["endpoint"]
        parts.append(
            f'<p class="note">Kernel SHAP asked the endpoint for {asked["predictions"]:,} '
            f"predictions in {asked['calls']:,} calls; they are not counted as traffic.</p>"
        )
    return f"<section>\n<h2>Attributions</h2>\n{''.join(parts)}\n</section>\n"


def _summary(section: Mapping[str, Any]) -> str:
    found = section["ndcg"]
    rows = f"{section['rows']:,} rows"
    if section["left_out"]:
        rows += f" ({section['left_out']:,} more have no usable attributions)"
    if found is None:
        return f"Attributions of {rows}; there is nothing to compare them with yet."
    return (
        f"NDCG {found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f}) by {rows}; drift "
        f"is below {section['threshold']:g}. 1 means that the features rank as before."
    )


def _bars(features: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    now = sum(one["window"] for one in features) or 1.0
    paired = bool(features) and features[0]["baseline"] is not None
    before = (sum(one["baseline"] for one in features) if paired else 1.0) or 1.0
    return [
        {"label": one["name"], "window": one["window"] / now}
        | ({"baseline": one["baseline"] / before} if paired else {})
        for one in features[:_MOST_BARS]
    ]
