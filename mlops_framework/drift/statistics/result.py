"""What a test returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One statistical test.

    Attributes:
        statistic: The test statistic (z, D, chi-square or a count; the test's module says which).
        p_value: Probability of one at least as extreme without drift, 0..1.
        effect: How much changed, as a share of the records (0..1); what relevance is judged by.
    """

    statistic: float
    p_value: float
    effect: float
