"""The section on Model Monitor's rules of the report's page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any


def model_monitor_page(section: Mapping[str, Any]) -> str:
    """The section from its document (:mod:`mlops_framework.drift.model_monitor_policy.rule`)."""
    decides = "decide here" if section["decides"] else "do not decide here"
    parts = [
        f"<p>By its rules, which {decides}: <b>{escape(section['status'])}</b>. Its files are in "
        f"<code>{escape(section['files'])}</code>.</p>"
    ]
    if section["violations"]:
        rows = "".join(
            f"<tr><td>{escape(entry['feature_name'])}</td>"
            f"<td>{escape(entry['constraint_check_type'])}</td>"
            f"<td>{escape(entry['description'])}</td></tr>"
            for entry in section["violations"]
        )
        head = '<th scope="col">column</th><th scope="col">check</th><th scope="col">said</th>'
        parts.append(
            f"<details><summary>Violations</summary><table><thead><tr>{head}</tr></thead>"
            f"<tbody>{rows}</tbody></table></details>"
        )
    return f"<section><h2>Model Monitor's rules</h2>{''.join(parts)}</section>\n"
