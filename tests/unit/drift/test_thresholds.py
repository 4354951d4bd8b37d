"""What matters may differ from column to column and from test to test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from mlops_framework.blueprints.drift_monitor.thresholds import ColumnThreshold
from mlops_framework.drift.thresholds import WORDS, Thresholds
from tests.unit.drift.test_service import CONFIG, NAME, UNLIKE, World


def judged(**settings: Any) -> tuple[str, list[str]]:
    """Verdict and features of a window whose income moved."""
    world = World(replace(CONFIG, **settings))
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-01T12:00:00Z")
    world.capture("2026-03-01T14:05:00Z", UNLIKE)
    world.evaluate("2026-03-01T15:15:00Z")
    report = world.document("reports/2026/03/01/1400/report.json")
    return report["verdict"], report["features"]


def of(document: dict[str, dict[str, float]]) -> Thresholds:
    return Thresholds.from_document(
        [
            {"column": column, "test": test, "share": share}
            for column, given in document.items()
            for test, share in given.items()
        ]
    )


def test_a_column_may_have_a_threshold_of_its_own() -> None:
    assert judged() == ("drift", ["income"])
    assert judged(thresholds=of({"income": {"values": 0.9}}))[0] == "healthy"
    assert judged(thresholds=of({"children": {"values": 0.9}})) == ("drift", ["income"])
    assert judged(thresholds=of({"*": {"values": 0.9}, "income": {"values": 0.1}}))[0] == "drift"


def test_an_ignored_column_is_shown_and_not_judged() -> None:
    assert judged(ignored_columns=("income",)) == ("healthy", [])


def test_the_closest_word_wins() -> None:
    thresholds = of({"*": {"rates": 0.1, "missing": 0.2}, "age": {"rates": 0.3, "location": 0.4}})
    assert thresholds.of("age", "missing") == 0.3
    assert thresholds.of("age", "location") == 0.4
    assert thresholds.of("age", "scale") is None
    assert thresholds.of("income", "missing") == 0.2
    assert thresholds.of("income", "range") == 0.1


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([{"column": "age", "test": "mean", "share": 0.1}], r"0\.test: accepted are values, rates"),
        ([{"column": "age", "share": 2}], r"0\.share: accepted is a number from 0 to 1"),
        ([{"share": 0.1}], r"0\.column: accepted is a column's name"),
        ({"age": 0.1}, "accepted is a list"),
    ],
)
def test_a_threshold_that_cannot_be_is_named(document: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Thresholds.from_document(document)


def test_requests_may_say_what_the_engine_reads() -> None:
    said = get_args(ColumnThreshold.model_fields["test"].annotation)
    assert set(said) == set(WORDS)
    thresholds = of({"*": {"missing": 0.02}, "age": {"values": 0.05}})
    assert Thresholds.from_document(thresholds.to_document()) == thresholds
