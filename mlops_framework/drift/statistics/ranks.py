"""Pooled midranks of two samples that were counted on the same ordered cells."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_framework.drift.statistics.deviance import RARE, TAIL, of_scores
from mlops_framework.drift.statistics.special import normal_two_sided, student_two_sided


def pooled_midranks(baseline: Sequence[int], window: Sequence[int]) -> list[float]:
    """Midrank of each cell in the pooled sample, as a share of it, centred on zero (-½..½).

    All values of one cell are ties: they share the middle of the ranks the cell occupies.
    """
    total = sum(baseline) + sum(window)
    ranks: list[float] = []
    below = 0
    for b, w in zip(baseline, window, strict=True):
        here = b + w
        ranks.append((below + here / 2) / total - 0.5)
        below += here
    return ranks


def mean_score(counts: Sequence[int], scores: Sequence[float]) -> float:
    """The mean score of a sample that was counted on cells."""
    return sum(c * s for c, s in zip(counts, scores, strict=True)) / sum(counts)


def score_change(
    baseline: Sequence[int],
    window: Sequence[int],
    scores: Sequence[float],
    *,
    between: float = 0.0,
    hours: int = 0,
    less: float = 0.0,
) -> tuple[float, float]:
    """The z of the difference in mean score, window minus baseline, and its two-sided p-value.

    Linear rank statistic with its exact permutation variance, ties included:
    Var = S² (1/n + 1/m) with S² the pooled variance of the scores, divisor N - 1
    (Hájek, Šidák & Sen, *Theory of Rank Tests*, 1999, 3.3). The variance between hours is added
    where it is known; the law is then Student's with Satterthwaite's degrees of freedom. Far out,
    where nearly all values are ties of one (flags that are seldom set, amounts that mostly are
    zero) the normal law is too thin: there z counts for no more than the root of its deviance.

    Args:
        baseline: Counts per cell.
        window: Counts per cell.
        scores: One per cell.
        between: Variance of the mean score between ordinary hours.
        hours: From how many hours it was estimated.
        less: Part of the difference that does not count.
    """
    m, n = sum(baseline), sum(window)
    total = m + n
    pooled = [b + w for b, w in zip(baseline, window, strict=True)]
    mean = sum(c * s for c, s in zip(pooled, scores, strict=True)) / total
    squares = sum(c * (s - mean) ** 2 for c, s in zip(pooled, scores, strict=True))
    variance = squares / (total - 1) * (1 / n + 1 / m)
    if variance <= 0:
        return 0.0, 1.0
    change = mean_score(window, scores) - mean_score(baseline, scores) - less
    z, worth = float(change / (variance + between) ** 0.5), float(change / variance**0.5)
    sure = 1.0
    if min(m, n) * (1 - max(pooled) / total) < RARE and normal_two_sided(worth) < TAIL:
        sure = min(1.0, of_scores(baseline, window, scores) ** 0.5 / abs(worth))
    if not between:
        return z, normal_two_sided(z * sure)
    return z, student_two_sided(z * sure, (hours - 1) * ((variance + between) / between) ** 2)
