"""The report's optional sections on the page: which there are, and in which order.

Each is a function of the section's JSON document (:attr:`.sections.Section.document`) in a module
of its own, ``report_<member>.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from mlops_framework.drift.report_attribution import attribution_page
from mlops_framework.drift.report_bias import bias_page
from mlops_framework.drift.report_model_monitor import model_monitor_page
from mlops_framework.drift.report_model_quality import model_quality_page
from mlops_framework.drift.report_slow_drift import slow_drift_page

PAGES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "model_quality": model_quality_page,
    "bias": bias_page,
    "attribution": attribution_page,
    "slow_drift": slow_drift_page,
    "model_monitor": model_monitor_page,
}


def sections_page(report: Mapping[str, Any]) -> str:
    """The optional sections that a report holds."""
    return "".join(page(report[member]) for member, page in PAGES.items() if member in report)
