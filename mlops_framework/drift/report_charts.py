"""Inline SVG for reports: horizontal pairs of bars, colours from the page's style sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from mlops_framework.drift.findings import percent

_WIDTH: Final = 360
_LABELS: Final = 126
_MOST_LETTERS: Final = 17
_MOST_DIGITS: Final = 20
_VALUES: Final = 52
_BAR: Final = 7
_GAP: Final = 9


def comparison_chart(bars: Sequence[Mapping[str, Any]], description: str) -> str:
    """A chart of labelled shares; a bar without ``baseline`` has the window's half alone.

    Args:
        bars: ``label``, ``window`` and optionally ``baseline``, shares 0..1; and optionally
            ``ordinary``, between which two shares the training data's windows lay.
        description: For screen readers.
    """
    if not bars:
        return ""
    paired = "baseline" in bars[0]
    row = (2 if paired else 1) * _BAR + 1 + _GAP
    longest = max(max(_shares(bar)) for bar in bars) or 1.0
    scale = (_WIDTH - _LABELS - _VALUES) / longest
    parts = []
    for index, bar in enumerate(bars):
        top = index * row + _GAP / 2
        middle = top + (row - _GAP) / 2 + 3.5
        tip = f"{bar['label']}: {percent(bar['window'])} of this window"
        if paired:
            tip = f"{tip}, {percent(bar['baseline'])} of the training data"
        shapes = ""
        if paired:
            shapes = _rectangle("baseline", top, bar["baseline"] * scale)
        shapes += _rectangle("window", top + (_BAR + 1) * paired, bar["window"] * scale)
        if "ordinary" in bar:
            low, high = bar["ordinary"]
            tip = f"{tip}, {percent(low)} to {percent(high)} in nine of ten windows of it"
            shapes += _span(top, low * scale, high * scale)
        end = _LABELS + max(_shares(bar)) * scale + 5
        parts.append(
            f"<g><title>{escape(tip)}</title>"
            f'<text x="{_LABELS - 6}" y="{middle:.1f}" text-anchor="end">'
            f"{escape(_fitted(bar['label']))}</text>{shapes}"
            f'<text class="value" x="{end:.1f}" y="{middle:.1f}">'
            f"{escape(percent(bar['window']))}</text></g>"
        )
    height = len(bars) * row
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(description)}">'
        f"{''.join(parts)}</svg>"
    )


def _rectangle(kind: str, top: float, width: float) -> str:
    return (
        f'<rect class="{kind}" x="{_LABELS}" y="{top:.1f}" width="{max(width, 0.5):.1f}" '
        f'height="{_BAR}" rx="1.5"/>'
    )


def _span(top: float, low: float, high: float) -> str:
    """From where to where ordinary windows reach: a line with two ends over the baseline's bar."""
    middle, tick = top + _BAR / 2, _BAR / 2 - 0.5
    left, right = _LABELS + low, _LABELS + max(high, low + 0.5)
    return (
        f'<path class="ordinary" d="M{left:.1f} {middle - tick:.1f}v{2 * tick:g}m0-{tick:g}'
        f'H{right:.1f}m0-{tick:g}v{2 * tick:g}"/>'
    )


def _shares(bar: Mapping[str, Any]) -> tuple[float, ...]:
    return (bar["window"], bar.get("baseline", 0.0), *bar.get("ordinary", ()))


def _fitted(label: str) -> str:
    """A label that fits its column; the whole of it is in the tooltip."""
    short = "new values" if label == "not in training data" else label
    most = _MOST_DIGITS if short[-1:].isdigit() else _MOST_LETTERS  # digits are narrower
    return short if len(short) <= most else f"{short[: most - 1]}…"
