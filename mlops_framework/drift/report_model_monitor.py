"""The section on Model Monitor's rules of the report's page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from mlops_framework.drift.report_tables import table


def model_monitor_page(section: Mapping[str, Any]) -> str:
    """The section from its document (:mod:`mlops_framework.drift.model_monitor_policy.rule`)."""
    decides = "decide here" if section["decides"] else "do not decide here"
    place = section["files"]
    files = f" Its files are in <code>{escape(place)}</code>." if place else ""
    parts = [f"<p>By its rules, which {decides}: <b>{escape(section['status'])}</b>.{files}</p>"]
    if section["violations"]:
        rows = (
            (entry["feature_name"], entry["constraint_check_type"], entry["description"])
            for entry in section["violations"]
        )
        shown = table(("column", "check", "said"), rows, words=3)
        count = len(section["violations"])
        summary = f"{count} violation{'' if count == 1 else 's'}"
        parts.append(f"<details><summary>{summary}</summary>{shown}</details>")
    return f"<section>\n<h2>Model Monitor's rules</h2>\n{''.join(parts)}\n</section>\n"
