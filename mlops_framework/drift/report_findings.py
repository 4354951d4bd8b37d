"""The findings on the report's page, by what they are about, and a line on what is watched."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from mlops_framework.drift.findings import percent
from mlops_framework.drift.report_tables import since_words

_WATCHED: Final[tuple[tuple[str, str, str], ...]] = (
    ("data-quality", "columns", "Columns"),
    ("model-quality", "model_quality", "Model quality"),
    ("bias", "bias", "Bias"),
    ("attribution", "attribution", "Attributions"),
    ("slow-drift", "slow_drift", "Slow drift"),
    ("heartbeat", "heartbeat", "Data capture"),
)
"""Kind of a finding, the report's member that shows it is watched, and its name for people."""
_SHARES: Final = frozenset({"data-quality", "slow-drift"})
"""Kinds whose effect is a share of the records; those of others have units of their own."""


def watched_line(report: Mapping[str, Any]) -> str:
    """What is watched, and how many findings each part has."""
    chips = ""
    for kind, member, name in _WATCHED:
        if member not in report:
            continue
        count = sum(finding["kind"] == kind for finding in report["findings"])
        tone, text = "calm", "nothing found"
        if count:
            tone, text = "bad", f"{count} finding{'' if count == 1 else 's'}"
        if not count and kind == "slow-drift" and report[member]["drifts"]:
            text = "nothing more"  # It repeats no column that the window proves by itself.
        chips += f'<span class="chip {tone}">{name}: {text}</span> '
    return f'<p class="watched">{chips}</p>\n'


def findings_section(report: Mapping[str, Any]) -> str:
    """All findings, in the report's order; nothing if there are none."""
    found = report["findings"]
    if not found:
        return ""
    kinds = list(dict.fromkeys(finding["kind"] for finding in found))
    names = {kind: name for kind, _, name in _WATCHED}
    html = ""
    for kind in kinds:
        if len(kinds) > 1:
            html += f"<h3>{names[kind]}</h3>"
        own = [finding for finding in found if finding["kind"] == kind]
        start = report["window"]["start"]
        items = "".join(
            f"<li>{_strength(one)}<p>{_emphasised(one)}{since_words(one, start)}</p></li>"
            for one in own
        )
        plain = "" if any(map(_is_share, own)) else " plain"
        html += f'<ol class="findings{plain}">{items}</ol>'
    note = ""
    if any(_is_share(finding) for finding in found):
        note = (
            '<p class="note">Red percentages: the largest share of the records that moved, by any '
            "of the tests that count.</p>"
        )
    return f"<section>\n<h2>What changed</h2>\n{note}{html}\n</section>\n"


def anchor(name: str) -> str:
    """A fragment identifier for any column name."""
    return "column-" + "".join(c if c.isascii() and c.isalnum() else f"-{ord(c):x}" for c in name)


def _is_share(finding: Mapping[str, Any]) -> bool:
    measured = finding["p_value"] is not None or finding["kind"] == "slow-drift"
    return measured and finding["kind"] in _SHARES


def _strength(finding: Mapping[str, Any]) -> str:
    if not _is_share(finding):
        return '<span class="effect">!</span>' if finding["kind"] in _SHARES else ""
    return f'<span class="effect">{escape(percent(finding["effect"]))}</span>'


def _emphasised(finding: Mapping[str, Any]) -> str:
    sentence, column = finding["sentence"], finding["column"]
    if finding["kind"] == "data-quality" and column and sentence.startswith(column):
        rest = escape(sentence[len(column) :])
        return f'<a href="#{anchor(column)}"><b>{escape(column)}</b></a>{rest}'
    return escape(sentence)
