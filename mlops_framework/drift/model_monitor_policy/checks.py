"""Model Monitor's checks of data quality, made on the engine's counts.

Sources: SageMaker developer guide, "Schema for Violations (constraint_violations.json file)" and
"Schema for Constraints (constraints.json file)"; descriptions after files of real runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from mlops_framework.drift.baseline import Baseline, BaselineColumn
from mlops_framework.drift.columns import ColumnCounts
from mlops_framework.drift.model_monitor_files.constraints import (
    Constraints,
    FeatureConstraints,
    MonitoringSettings,
)
from mlops_framework.drift.model_monitor_files.violations import Check, Violation
from mlops_framework.drift.model_monitor_policy.distances import chi_squared, of_numbers, of_texts
from mlops_framework.drift.policy import UNREADABLE_SHARE, unreadable_inputs
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.values import category_of, number_of

MISSING: Final = "Missing columns"
EXTRA: Final = "Extra columns"
"""What the analyzer writes where a violation is about no column in particular."""
OTHER_WIDTH: Final = "field-count"
_ROUNDING: Final = 1e-9

Measure: TypeAlias = Literal["share", "distance", "p-value", "columns"]


@dataclass(frozen=True)
class Checked:
    """One check that was made.

    Attributes:
        column: The column; empty where it is about columns as a whole.
        check: Which check.
        measure: What ``observed`` and ``threshold`` are.
        observed: What was found.
        threshold: What it was held against.
        violated: Whether it is a violation.
        description: In the analyzer's words.
        values: Type that was expected of the values (type check).
    """

    column: str
    check: Check
    measure: Measure
    observed: float
    threshold: float
    violated: bool
    description: str
    values: str = ""

    @property
    def violation(self) -> Violation:
        """The entry of the violations file."""
        usual = MISSING if self.check == "missing_column_check" else EXTRA
        return Violation(self.check, self.description, feature=self.column or usual)


def checks_of(constraints: Constraints, baseline: Baseline, profile: Profile) -> list[Checked]:
    """Every check that the constraints ask for, in the constraints' order.

    Columns of the constraints that the baseline does not have (the label, columns of the response)
    are not checked.

    Args:
        constraints: What the columns have to be like.
        baseline: What the window is compared with.
        profile: The window.
    """
    places = {name: place for place, name in enumerate(baseline.names)}
    found: list[Checked] = []
    for feature in constraints.features:
        place = places.get(feature.name)
        if place is None or not feature.settings.evaluate or not profile.rows:
            continue
        found += _of_column(feature, baseline.columns[place], profile.columns[place])
    if constraints.settings.evaluate:
        found += _of_columns(constraints, baseline, profile)
    return found


def violations_of(checked: list[Checked]) -> tuple[Violation, ...]:
    """The violations among the checks, in their order."""
    return tuple(one.violation for one in checked if one.violated)


def _of_column(
    feature: FeatureConstraints, column: BaselineColumn, window: ColumnCounts
) -> Iterator[Checked]:
    settings, name = feature.settings, feature.name
    present = window.records - window.missing
    of_type = _of_type(feature, column, window)
    if of_type is not None and present:
        share, needed = of_type / present, settings.datatype_threshold
        kind = feature.inferred_type
        yield Checked(
            name,
            "data_type_check",
            "share",
            share,
            needed,
            share < needed - _ROUNDING,
            "Data type match requirement is not met. "
            f"Expected data type: {kind}, Expected match: {needed * 100}%. "
            f"Observed: Only {share * 100}% of data is {kind}.",
            kind,
        )
    if feature.completeness is not None:
        share, needed = present / window.records, feature.completeness
        yield Checked(
            name,
            "completeness_check",
            "share",
            share,
            needed,
            share < needed - _ROUNDING,
            "Completeness requirement is not met. "
            f"Expected completeness: {needed * 100}%. Observed: Only {share * 100}% of data is "
            "present.",
        )
    known = _known(feature, column, window)
    if known is not None and present:
        share, needed = known / present, settings.domain_threshold
        yield Checked(
            name,
            "categorical_values_check",
            "share",
            share,
            needed,
            share < needed - _ROUNDING,
            "Categorical values requirement is not met. "
            f"Expected match: {needed * 100}%. Observed: Only {share * 100}% of data is in the "
            "domain of the baseline.",
        )
    if settings.compare and window.valid and column.counts.valid:
        yield from _drift(name, settings, column, window)


def _drift(
    name: str, settings: MonitoringSettings, column: BaselineColumn, window: ColumnCounts
) -> Iterator[Checked]:
    if column.spec.ordered:
        kind, limit = "numerical", settings.threshold
        found = of_numbers(column, window, settings.method)
    elif settings.categorical_method == "LInfinity":
        kind, limit = "categorical", settings.categorical_threshold
        found = of_texts(column, window, settings.method)
    else:
        p_value, limit = chi_squared(column, window), settings.categorical_threshold
        if p_value is not None:
            said = f"Categorical p-value: {p_value} is below categorical threshold: {limit}"
            violated = p_value < limit
            yield Checked(name, "baseline_drift_check", "p-value", p_value, limit, violated, said)
        return
    said = f"{kind.capitalize()} distance: {found} exceeds {kind} threshold: {limit}"
    yield Checked(name, "baseline_drift_check", "distance", found, limit, found > limit, said)


def _of_type(
    feature: FeatureConstraints, column: BaselineColumn, window: ColumnCounts
) -> int | None:
    """Rows whose value is of the inferred type; ``None`` where that is not counted.

    Values count, not how they are spelt: 3.0 is a whole number, a whole number is a number, and
    anything can be a text.
    """
    if feature.inferred_type not in ("Integral", "Fractional"):
        return None
    if not window.untyped:
        more = window.fractional if feature.inferred_type == "Fractional" else 0
        return window.whole + more
    # Profiles of earlier releases are among them.
    if not column.spec.ordered:
        return None
    counted = feature.inferred_type == "Integral" and column.spec.whole
    return window.whole if counted else window.valid


def _known(feature: FeatureConstraints, column: BaselineColumn, window: ColumnCounts) -> int | None:
    """Rows whose value is among the constraint's; ``None`` where that is not counted."""
    if feature.domains is None:
        return None
    if column.spec.kind == "codes":
        numbers = {_number(text) for text in feature.domains}
        pairs = zip(column.spec.codes, window.cells[1::2], strict=True)
        return sum(rows for code, rows in pairs if code in numbers)
    if column.spec.kind == "numeric" or not column.complete:
        return None
    domains = {category_of(text) for text in feature.domains}
    pairs_of_texts = zip(column.spec.categories, window.cells, strict=False)
    named = sum(rows for text, rows in pairs_of_texts if text in domains)
    return named + sum(rows for text, rows in window.unseen.counts.items() if text in domains)


def _number(text: str) -> float | None:
    try:
        return number_of(text)
    except ValueError:
        return None


def _of_columns(
    constraints: Constraints, baseline: Baseline, profile: Profile
) -> Iterator[Checked]:
    """Whether columns are missing or new.

    A window says so in three ways: a column without any value although the training data had some,
    many rows of another width, members of requests that the training data does not have.
    """
    ruled = {feature.name for feature in constraints.features}
    # Where there are constraints alone, they say whether there were values.
    expects = {
        feature.name
        for feature in constraints.features
        if not baseline.rows and feature.inferred_type != "Unknown" and feature.completeness != 0
    }
    expected = len([name for name in baseline.names if name in ruled])
    absent = [
        column.spec.name
        for column, window in zip(baseline.columns, profile.columns, strict=True)
        if column.spec.name in ruled
        and window.records
        and window.missing == window.records
        and (column.counts.missing < column.counts.records or column.spec.name in expects)
    ]
    other_width = profile.unreadable.get(OTHER_WIDTH, 0)
    wide = other_width > UNREADABLE_SHARE * (profile.rows + unreadable_inputs(profile))
    short = bool(absent) or wide
    now = expected - len(absent)
    yield Checked(
        "",
        "missing_column_check",
        "columns",
        now,
        expected,
        short,
        _counted("missing", now, expected)
        if absent or not wide
        else f"{other_width} rows in current dataset have another number of columns than the "
        f"baseline constraints: {expected}",
    )
    unruled = [name for name in baseline.names if name not in ruled]
    # Members and not records: of each that was kept one.
    extra = len(profile.unexpected.counts) + len(unruled)
    yield Checked(
        "",
        "extra_column_check",
        "columns",
        expected + extra,
        expected,
        extra > 0,
        _counted("extra", expected + extra, expected),
    )


def _counted(what: str, now: int, expected: int) -> str:
    return (
        f"There are {what} columns in current dataset. Number of columns in current dataset: "
        f"{now}, Number of columns in baseline constraints: {expected}"
    )
