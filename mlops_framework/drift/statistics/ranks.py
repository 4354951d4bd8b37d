"""Pooled midranks of two samples that were counted on the same ordered cells."""

from __future__ import annotations

from collections.abc import Sequence


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


def score_z(baseline: Sequence[int], window: Sequence[int], scores: Sequence[float]) -> float:
    """The z of the difference in mean score, window minus baseline, under random labelling.

    Linear rank statistic with its exact permutation variance, ties included:
    Var = S² (1/n + 1/m) with S² the pooled variance of the scores, divisor N - 1
    (Hájek, Šidák & Sen, *Theory of Rank Tests*, 1999, 3.3). Zero when all scores are equal.
    """
    m, n = sum(baseline), sum(window)
    total = m + n
    pooled = [b + w for b, w in zip(baseline, window, strict=True)]
    mean = sum(c * s for c, s in zip(pooled, scores, strict=True)) / total
    squares = sum(c * (s - mean) ** 2 for c, s in zip(pooled, scores, strict=True))
    variance = squares / (total - 1) * (1 / n + 1 / m)
    if variance <= 0:
        return 0.0
    in_window = sum(w * s for w, s in zip(window, scores, strict=True)) / n
    in_baseline = sum(b * s for b, s in zip(baseline, scores, strict=True)) / m
    return float((in_window - in_baseline) / variance**0.5)
