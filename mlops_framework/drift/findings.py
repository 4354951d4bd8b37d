"""Findings: what breached, one per column and aspect, each with a sentence a person understands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import accumulate
from typing import Final, Literal

from mlops_framework.drift.baseline import Baseline, BaselineColumn
from mlops_framework.drift.capture import REASONS
from mlops_framework.drift.columns import ColumnCounts
from mlops_framework.drift.comparison import FEWEST_VALUES, Test, known, unseen
from mlops_framework.drift.policy import Judged, Judgement, Kind, Policy, unreadable_inputs
from mlops_framework.drift.profile import Profile

Aspect = Literal["values", "missing", "invalid", "unseen", "range", "records", "heartbeat"]

_ASPECTS: Final[dict[str, Aspect]] = {
    "location": "values",
    "scale": "values",
    "shape": "values",
    "shares": "values",
    "missing": "missing",
    "invalid": "invalid",
    "unseen": "unseen",
    "range": "range",
    "records": "records",
}
_LEAD: Final[tuple[Test, ...]] = ("location", "shares", "scale", "shape")
"""Which of several breached tests of the values leads the sentence."""

_MOSTLY: Final = 0.5
_MANY: Final = 100
"""Fewer rows may well be all different."""
_DATE: Final = re.compile(r"\d{4}-\d\d(-\d\d|$)|\d\d?[./]\d\d?[./]\d{4}")

_NOMINAL_CODES: Final = 25
"""Few codes are usually names ("3 = divorced"), so their shares say more than their average."""
_DIGITS: Final = 4
_MOST_DIGITS: Final = 15


@dataclass(frozen=True)
class Finding:
    """Something a person should know.

    Attributes:
        column: The column; empty for the captures as a whole.
        aspect: What about it.
        test: The test that leads; ``heartbeat`` and ``too-few`` are no tests.
        effect: How much changed, as a share of the records (other kinds: of the baseline's value).
        p_value: Of the leading test; ``None`` without a test.
        q_value: Adjusted for all tests of the window; ``None`` without a test.
        sentence: What happened, for a person.
        kind: What it is about; ``column`` and ``aspect`` are words of that kind.
        since: Start of the first window that was like this, where whoever found it knows; else it
            is told from the windows before.
    """

    column: str
    aspect: str
    test: str
    effect: float
    p_value: float | None
    q_value: float | None
    sentence: str
    kind: Kind = "data-quality"
    since: datetime | None = None


def findings_of(
    judgement: Judgement,
    baseline: Baseline,
    profile: Profile,
    policy: Policy,
    *,
    stale: int = 0,
) -> tuple[Finding, ...]:
    """The findings of a judged window, worst first.

    Args:
        judgement: Verdict and tests.
        baseline: What the window was compared with.
        profile: The window's merged profile.
        policy: The rule.
        stale: Profiles left out because they were counted on an earlier baseline.
    """
    if judgement.verdict == "no-data":
        sentence = (
            "No captured traffic arrived in this window. Check that the endpoint is in service and "
            "called, and that its data capture is on."
        )
        return (Finding("", "heartbeat", "heartbeat", 1.0, None, None, sentence),)
    if judgement.verdict == "insufficient-data":
        records = "record" if profile.rows == 1 else "records"
        sentence = (
            f"Only {profile.rows:,} {records} arrived; a verdict needs at least "
            f"{max(policy.minimum_records, FEWEST_VALUES):,}."
        )
        if stale:
            sentence += f" Left out: {stale:,} counted on an earlier baseline (captured objects)."
        return (Finding("", "records", "too-few", 0.0, None, None, sentence),)
    columns = {column.spec.name: index for index, column in enumerate(baseline.columns)}
    grouped: dict[tuple[str, Aspect], list[Judged]] = {}
    for breach in judgement.breaches:
        grouped.setdefault((breach.column, _ASPECTS[breach.test]), []).append(breach)
    found = []
    for (name, aspect), breaches in grouped.items():
        nominal = bool(name) and _nominal(baseline.columns[columns[name]])
        lead = min(breaches, key=partial(_leads, nominal=nominal))
        if name:
            pair = baseline.columns[columns[name]], profile.columns[columns[name]]
            lead = _plainer(lead, breaches, *pair)
            sentence = _sentence(lead, *pair)
        else:
            sentence = _unreadable_sentence(profile)
        effect = max(breach.effect for breach in breaches)
        found.append(Finding(name, aspect, lead.test, effect, lead.p_value, lead.q_value, sentence))
    return tuple(found)


def number(value: float | None) -> str:
    """A number for people: four significant digits, thousands grouped, an en dash for none."""
    if value is None:
        return "–"
    if abs(value) < 1e-300:
        return "0"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.{_DIGITS}g}"


def _from_to(before: float | None, after: float | None) -> str:
    """Two numbers that differ, with as many digits as it takes to see that they do."""
    told, digits = (number(before), number(after)), _DIGITS
    while told[0] == told[1] and before is not None and after is not None and digits < _MOST_DIGITS:
        digits += 1
        told = f"{before:,.{digits}g}", f"{after:,.{digits}g}"
    return f"from {told[0]} to {told[1]}"


def percent(share: float) -> str:
    """A share for people: ``12.3 %``."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    return f"{share * 100:.1f} %" if share < 0.9995 or share == 1 else "over 99.9 %"


def _nominal(column: BaselineColumn) -> bool:
    return column.spec.kind == "codes" and len(column.spec.codes) <= _NOMINAL_CODES


def _leads(breach: Judged, *, nominal: bool) -> tuple[int, float]:
    order = _LEAD.index(breach.test) if breach.test in _LEAD else len(_LEAD)
    return -1 if nominal and breach.test == "shares" else order, breach.q_value


def _plainer(
    lead: Judged, breaches: Sequence[Judged], column: BaselineColumn, window: ColumnCounts
) -> Judged:
    """The spread instead of the place, where it is the spread that changed more.

    Ranks of a lopsided column move when it spreads out around its average.
    """
    scale = next((breach for breach in breaches if breach.test == "scale"), None)
    centre = column.spec.centre
    before, after = column.counts.mean(centre), window.mean(centre)
    spread, now = column.counts.deviation(), window.deviation()
    if lead.test != "location" or scale is None or None in (before, after, spread, now):
        return lead
    wider = (now or 0.0) - (spread or 0.0)
    says_so = (wider > 0) == (scale.statistic > 0)
    return scale if says_so and abs((after or 0.0) - (before or 0.0)) < abs(wider) else lead


def _sentence(lead: Judged, column: BaselineColumn, window: ColumnCounts) -> str:
    name, baseline = column.spec.name, column.counts
    match lead.test:
        case "missing":
            rates = _rates(baseline.missing, baseline, window.missing, window)
            return f"{name} is missing in {rates}."
        case "invalid":
            examples = _quoted([text for text, _ in window.unseen.most_frequent()][:3])
            rates = _rates(baseline.invalid, baseline, window.invalid, window)
            return f"{name} is not a number in {rates}; for example {examples}."
        case "unseen":
            share = percent(unseen(column, window) / window.valid)
            return (
                f"{name} holds values the training data never had in {share} of the "
                f"records{_unseen_examples(column, window)}.{_goes_on(lead, column, window)}"
            )
        case "range":
            return (
                f"{name} reaches from {number(window.minimum)} to {number(window.maximum)}; the "
                f"training data from {number(baseline.minimum)} to {number(baseline.maximum)}. "
                f"{percent(lead.effect)} of the records lie beyond."
                f"{_goes_on(lead, column, window)}"
            )
        case "shares":
            return _shares_sentence(column, window)
        case _:
            return _moved_sentence(lead, column, window)


def _goes_on(lead: Judged, column: BaselineColumn, window: ColumnCounts) -> str:
    """What to do about a column whose later values are new ones by their nature."""
    if lead.effect < _MOSTLY:
        return ""
    if column.spec.ordered:
        found = column.integral and column.distinct == column.counts.valid >= _MANY
        what = "numbers of rows, identifiers and times"
    else:
        examples = [text for text, _ in window.unseen.most_frequent()]
        found = bool(examples) and all(map(_DATE.match, examples))
        what = "dates and times"
    return (
        f" It looks like {what}, which always go on; ignored_columns leaves it out."
        if found
        else ""
    )


def _moved_sentence(lead: Judged, column: BaselineColumn, window: ColumnCounts) -> str:
    name, baseline, centre = column.spec.name, column.counts, column.spec.centre
    verb = {
        "location": "moved up" if lead.statistic > 0 else "moved down",
        "scale": "spread out" if lead.statistic > 0 else "narrowed",
    }.get(lead.test, "changed shape")
    spread, before, after = baseline.deviation(), baseline.mean(centre), window.mean(centre)
    now, shift, spreads = window.deviation(), "", lead.test == "scale"
    if spread and before is not None and after is not None:
        shift = f" ({(after - before) / spread:+.1f} standard deviations)"
        if spreads and abs(after - before) > abs((now or 0.0) - spread):
            # All of it is far from the training data's middle: it has moved rather than spread.
            verb, spreads = "moved up" if after > before else "moved down", False
    if spreads:
        what = f"the standard deviation went {_from_to(spread, now)}"
    else:
        what = f"the average went {_from_to(before, after)}{shift}"
        if lead.test == "location" and ((after or 0.0) > (before or 0.0)) != (lead.statistic > 0):
            # A few large values can pull the average where most values did not go.
            was, share = (percent(_above(column, one)) for one in (column.counts, window))
            side = f"{share} of the values lie above the training data's middle, where {was} did"
            what = f"{side}, though {what}"
    return f"{name} {verb}: {what}; {percent(lead.effect)} of the records moved."


def _above(column: BaselineColumn, counts: ColumnCounts) -> float:
    """Share of the values in cells above the one with the training data's median."""
    upto = list(accumulate(column.counts.cells))
    middle = next(cell for cell, count in enumerate(upto) if 2 * count >= column.counts.valid)
    return sum(counts.cells[middle + 1 :]) / max(1, counts.valid)


def _shares_sentence(column: BaselineColumn, window: ColumnCounts) -> str:
    before, after = known(column, column.counts), known(column, window)
    m, n = sum(before) or 1, sum(after) or 1
    changes = [w / n - b / m for b, w in zip(before, after, strict=True)]
    codes = [number(code) for code in column.spec.codes]
    rarer = ["one of its rarer values"] * column.spec.buckets
    labels = codes or [*map(repr, column.spec.categories), *rarer]
    up, down = changes.index(max(changes)), changes.index(min(changes))
    more, less = (
        f"{labels[cell]} ({percent(before[cell] / m)} of the training data, "
        f"{percent(after[cell] / n)} of this window)"
        for cell in (up, down)
    )
    return f"{column.spec.name} is more often {more} and less often {less}."


def _rates(hits: int, baseline: ColumnCounts, hits_now: int, window: ColumnCounts) -> str:
    return (
        f"{percent(hits_now / window.records)} of the records; "
        f"in the training data in {percent(hits / baseline.records)}"
    )


def _unseen_examples(column: BaselineColumn, window: ColumnCounts) -> str:
    if column.spec.kind == "codes":
        codes, gaps = column.spec.codes, window.cells[::2]
        most = max(range(len(gaps)), key=lambda gap: gaps[gap])
        if 0 < most < len(codes) and gaps[0] == gaps[-1] == 0:
            low, high = number(codes[most - 1]), number(codes[most])
            return f", most often between {low} and {high}, which are neighbours there"
        return (
            f" (window {number(window.minimum)} to {number(window.maximum)}, "
            f"training data {number(codes[0])} to {number(codes[-1])})"
        )
    examples = [text for text, _ in window.unseen.most_frequent()][:3]
    return f", for example {_quoted(examples)}" if examples else ""


def _quoted(texts: Sequence[str]) -> str:
    return ", ".join(repr(text[:40]) for text in texts) or "none kept"


def _unreadable_sentence(profile: Profile) -> str:
    count = unreadable_inputs(profile)
    seen = profile.rows + count
    inputs = {k: n for k, n in profile.unreadable.items() if not k.startswith("output-")}
    reason = max(sorted(inputs), key=lambda key: inputs[key])
    return (
        f"{count:,} of {seen:,} captured requests could not be read ({percent(count / seen)}), "
        f"mostly because {REASONS[reason]}."
    )
