"""Drift between files and tables at hand, in notebooks, CI and on the command line, without AWS.

    >>> from mlops_framework.drift_check import check
    >>> found = check(this_week, "train.parquet", label_column="churned")
    >>> found.verdict, found.features
    ('drift', ('age',))

The engine and its rules are the monitor's (:mod:`mlops_framework.drift`), which itself knows
neither disk nor clock.
"""

from mlops_framework.drift_check.judging import Check, baseline_from, check

__all__ = ["Check", "baseline_from", "check"]
