"""Values are counted by type in every column: whole numbers, fractions, truth values, texts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.drift.baseline import Baseline, column_of
from mlops_framework.drift.columns import ColumnCounts, ColumnSpec
from mlops_framework.drift.documents import counts_from, counts_to
from mlops_framework.drift.model_monitor_files.constraints import Constraints, FeatureConstraints
from mlops_framework.drift.model_monitor_files.counted import inferred_type, window_statistics
from mlops_framework.drift.model_monitor_policy.checks import checks_of
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.report import report_document
from mlops_framework.drift.report_html import report_page
from mlops_framework.drift.sums import Floats
from mlops_framework.drift.tally import counted
from mlops_framework.drift.values import Numbers, texts_of
from tests.unit.drift.test_report import SCHEMA, evaluation

NUMBERS = ColumnSpec("x", "numeric", (0.0, 10.0))
CODES = ColumnSpec("x", "codes", (0.5, 1.5), (1.0,))
TEXTS = ColumnSpec("x", "categories", categories=("a", "7"))
BUCKETS = replace(TEXTS, buckets=8)
SEEN = ["3", "3.0", "-7", "2.5", ".5", "1e3", "true", "False", "a", "a1", "1e300", "", " ", "1_x"]


def types(counts: ColumnCounts) -> tuple[int, int, int, int]:
    return counts.whole, counts.fractional, counts.boolean, counts.textual


@pytest.mark.parametrize("spec", [NUMBERS, CODES, TEXTS, BUCKETS], ids=lambda spec: spec.kind)
def test_a_value_has_the_same_type_whatever_its_column_is(spec: ColumnSpec) -> None:
    counts = counted(spec, texts_of(SEEN))

    assert types(counts) == (4, 2, 2, 4)
    assert counts.missing == 2
    assert counts.untyped == 0


def test_numbers_as_arrays_have_the_types_of_their_texts() -> None:
    values = [3.0, -0.0, 2.5, np.nan, np.inf, -1e300, 1e17]

    assert types(counted(NUMBERS, Numbers(np.array(values)))) == (3, 1, 0, 2)


WORDS = st.sampled_from([*SEEN, "nan", "NA", "id-1", "id-2"])


@given(st.lists(st.lists(WORDS, max_size=12), max_size=5))
def test_types_add_up_in_any_order_and_are_stored_as_they_were(parts: list[list[str]]) -> None:
    for spec in (NUMBERS, TEXTS):
        whole = counted(spec, texts_of([word for part in parts for word in part]))
        merged = counted(spec, texts_of([]))
        for part in reversed(parts):
            merged = merged.merged(counted(spec, texts_of(part)))

        assert types(merged) == types(whole)
        assert merged.untyped == 0
        again = counts_from(json.loads(json.dumps(counts_to(merged))))
        assert again == merged


def earlier(counts: ColumnCounts) -> ColumnCounts:
    """As an earlier release stored it."""
    document = counts_to(counts)
    for name in ("whole", "fractional", "boolean", "textual"):
        document.pop(name, None)
    return counts_from(document)


def test_profiles_of_earlier_releases_are_added_and_known_to_be_of_no_type() -> None:
    now = counted(NUMBERS, texts_of(["1", "2", "x"]))

    both = earlier(now).merged(now)

    assert types(both) == (2, 0, 0, 1)
    assert both.untyped == 3
    assert both.valid == 4


def statistics_of(values: Floats, seen: ColumnCounts) -> str:
    column = column_of("x", Numbers(values))
    baseline = Baseline((column,), len(values), "test")
    found = window_statistics(baseline, Profile(baseline.id, (seen,)))
    kind: str = found["features"][0]["inferred_type"]
    return kind


def test_statistics_say_whether_a_windows_numbers_are_whole() -> None:
    whole, halves = np.arange(500.0), np.arange(500.0) / 2
    spec = column_of("x", Numbers(whole)).spec

    assert statistics_of(whole, counted(spec, Numbers(whole[:50]))) == "Integral"
    assert statistics_of(whole, counted(spec, Numbers(halves[:50]))) == "Fractional"
    assert statistics_of(whole, earlier(counted(spec, Numbers(halves[:50])))) == "Integral"


def test_the_type_check_counts_types_in_columns_of_text_too() -> None:
    letters = column_of("x", texts_of(["a", "b", "c", "7"] * 30))
    baseline = Baseline((letters,), 120, "test")
    rules = (FeatureConstraints("x", kind) for kind in ("Integral", "Fractional", "String"))

    for rule, share in zip(rules, (0.5, 0.75, None), strict=True):
        window = Profile(
            baseline.id, (counted(letters.spec, texts_of(["7", "8", "2.5", "b", ""])),)
        )
        checked = checks_of(Constraints((rule,)), baseline, window)
        found = [one.observed for one in checked if one.check == "data_type_check"]
        assert found == ([] if share is None else [share])


def test_a_baseline_says_so_of_its_training_data() -> None:
    columns = {
        "codes": Numbers(np.array([1.0, 2.0, 2.0, np.nan] * 50)),
        "many": Numbers(np.arange(5000.0)),
        "halves": Numbers(np.arange(5000.0) / 2),
    }
    baseline = Baseline.of_columns(columns, source="test")

    found = [inferred_type(column, column.counts) for column in baseline.columns]

    assert found == ["Integral", "Integral", "Fractional"]
    assert [column.integral for column in baseline.columns] == [True, True, False]
    assert Baseline.from_document(baseline.to_document(), "test") == baseline


def test_a_baseline_of_model_monitors_rules_keeps_the_cells_of_its_own_name() -> None:
    column = column_of("n", Numbers(np.arange(500.0)))
    asking = replace(column, spec=replace(column.spec, whole=True))

    plain, other = (Baseline((each,), 500, "test") for each in (column, asking))

    assert plain.id != other.id
    assert Baseline.from_document(other.to_document(), "test") == other


def test_reports_tell_types_where_they_differ() -> None:
    letters = column_of("x", texts_of(["a", "b", "c", "7"] * 30))
    baseline = Baseline((letters,), 120, "test")
    likes = ["7", "a", "b", "c"] * 50

    def reported(values: list[str], *, now: bool = True) -> tuple[dict[str, Any], str]:
        counts = counted(letters.spec, texts_of(values))
        profile = Profile(baseline.id, (counts if now else earlier(counts),))
        document = report_document(evaluation(baseline, profile))
        jsonschema.validate(document, SCHEMA)
        return document["columns"][0]["window"], report_page(document)

    window, page = reported(["7", "2.5", "true", "b", ""] * 40)
    assert window["types"] == {"whole": 40, "fractional": 40, "boolean": 40, "textual": 40}
    assert all(name in page for name in ("whole numbers", "other numbers", "true and false"))
    assert reported(likes)[0]["types"] == {"whole": 50, "textual": 150}
    assert "whole numbers" not in reported(likes)[1], "as many as in the training data"
    window, page = reported(likes, now=False)
    assert "types" not in window
    assert "whole numbers" not in page
