"""Two-sample statistics on counts; one module each, values in, values out.

Every function takes the counts of the baseline and of the window over the same cells and returns
numbers. Nothing here knows columns, thresholds or verdicts (:mod:`mlops_framework.drift.policy`).
"""
