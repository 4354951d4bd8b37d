"""Chi-square on categories, small cells pooled: have the shares changed?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from mlops_framework.drift.statistics.between_hours import BetweenHours
from mlops_framework.drift.statistics.deviance import RARE, TAIL, of_count
from mlops_framework.drift.statistics.result import Outcome
from mlops_framework.drift.statistics.special import chi_square_upper, f_upper

_SMALLEST_EXPECTED: Final = 5.0


def chi_square(
    baseline: Sequence[int], window: Sequence[int], between: BetweenHours | None = None
) -> Outcome | None:
    """Pearson's test of homogeneity of two columns of counts.

    Categories whose expected count in the smaller sample is below five are pooled into one
    (Cochran 1954, Biometrics 10): sparse cells are what makes the unpooled test cry wolf. Where the
    test would be significant, a rare cell counts for no more than its deviance: of five expected
    records sixteen are far likelier than the square of their z says. With more cells, and so more
    to add up, it matters for rarer ones only.

    The effect is the total variation distance, the share of records that would have to change
    category, less what sampling alone gives on average (E|difference| of each cell under no
    change), since with many categories the raw distance is mostly noise; or the largest change of
    one category's share, where that is more.

    Where ordinary hours differ, the statistic is divided by the window's design effect and judged
    by an F law (Rao & Scott 1984, second order).

    Returns:
        ``None`` when fewer than two cells remain.
    """
    m, n = sum(baseline), sum(window)
    if not m or not n:
        return None
    cells: list[tuple[int, int]] = []
    rest_baseline = rest_window = 0
    for b, w in zip(baseline, window, strict=True):
        if (b + w) / (m + n) * min(m, n) >= _SMALLEST_EXPECTED:
            cells.append((b, w))
        else:
            rest_baseline, rest_window = rest_baseline + b, rest_window + w
    if rest_baseline or rest_window:
        cells.append((rest_baseline, rest_window))
    if len(cells) < 2:
        return None
    weight = 1 / n + 1 / m
    statistic = sober = distance = chance = largest = 0.0
    for b, w in cells:
        share = (b + w) / (m + n)
        difference = w / n - b / m
        square = difference * difference / (share * weight)
        statistic += square
        rare = min(m, n) * share < max(RARE / len(cells), 2 * _SMALLEST_EXPECTED)
        own = of_count(w, n * share) + of_count(b, m * share) if rare else square
        sober += min(square, own)
        distance += abs(difference) / 2
        largest = max(largest, abs(difference))
        chance += math.sqrt(share * (1 - share) * weight / (2 * math.pi))
    degrees = len(cells) - 1
    independent = weight
    if between and between.design:
        worth = n / (1 + n * between.design)
        independent = 1 / worth + 1 / m
    p_value = _p_value(statistic * weight / independent, degrees, between)
    if p_value < TAIL:
        p_value = _p_value(sober * weight / independent, degrees, between)
    return Outcome(statistic, p_value, max(largest, distance - chance))


def _p_value(statistic: float, degrees: int, between: BetweenHours | None) -> float:
    if not (between and between.design):
        return chi_square_upper(statistic, degrees)
    fewer = min(degrees, between.degrees or degrees)
    return f_upper(statistic / degrees, fewer, fewer * (between.hours - 1))
