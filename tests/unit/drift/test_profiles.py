"""Profiles add up: any split and any order of merging give the same bytes."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.capture import CaptureReader, Unreadable
from mlops_framework.drift.columns import ColumnSpec
from mlops_framework.drift.errors import DocumentInvalid, ProfileMismatch
from mlops_framework.drift.profile import Profile, Profiler, merge, sample_of
from mlops_framework.drift.tally import counted
from mlops_framework.drift.values import texts_of, values_of
from mlops_framework.testing.drift import capture_line
from tests.unit.drift.conftest import csv_of, profile_of_rows, rows_of

number = st.floats(-1e6, 1e6).map(repr) | st.integers(-3, 3).map(str)
field = number | st.sampled_from(["", "nan", "1e300", "inf", "abc", "-0.0", " 7 ", "1e-320"])
row = st.tuples(field, field, st.sampled_from(["green", "red", "blue", "mauve", "", "True"]))
payload = row.map(",".join) | st.sampled_from(["1,2", "1,2,3,4", '"', "1,2,green\n3,4,red"])
lines = st.lists(payload.map(lambda text: capture_line(text)) | st.just("{"), max_size=25)


def profile(baseline: Baseline, captured: list[str]) -> Profile:
    reader, profiler = CaptureReader(baseline.names), Profiler(baseline)
    for line in captured:
        try:
            profiler.add(reader.read(line), line)
        except Unreadable as fault:
            profiler.leave_out(fault.reason, line)
    return profiler.profile()


@settings(max_examples=60, deadline=None)
@given(lines, st.randoms(use_true_random=False), st.integers(1, 5))
def test_any_split_and_any_merge_order_give_the_same_profile(
    baseline: Baseline, captured: list[str], source: random.Random, parts: int
) -> None:
    whole = profile(baseline, captured).to_json()
    shuffled = source.sample(captured, len(captured))
    split = [profile(baseline, shuffled[part::parts]) for part in range(parts)]
    assert merge(baseline, split).to_json() == whole
    tree = list(split)
    while len(tree) > 1:
        tree.append(tree.pop(source.randrange(len(tree))).merged(tree.pop(0)))
    assert tree[0].to_json() == whole


@settings(max_examples=60, deadline=None)
@given(lines)
def test_a_stored_profile_is_read_back_as_it_was(baseline: Baseline, captured: list[str]) -> None:
    written = profile(baseline, captured)
    read = Profile.from_document(json.loads(written.to_json()), "a profile")
    assert read.to_json() == written.to_json()
    assert read.merged(written).to_json() == written.merged(written).to_json()


@settings(max_examples=100, deadline=None)
@given(st.lists(field, max_size=40))
def test_numbers_and_their_texts_are_counted_alike(values: list[str]) -> None:
    spec = ColumnSpec("x", "numeric", (-10.0, 0.0, 0.5, 3.0), centre=0.25, exponent=20)
    assert counted(spec, texts_of(values)) == counted(spec, values_of(values, ordered=True))


def test_counts_are_what_was_sent(baseline: Baseline) -> None:
    found = profile_of_rows(baseline, [(40.5, 1, "green"), ("", 1, "mauve"), ("?", 9, "")])
    income, children, colour = found.columns
    assert (income.records, income.missing, income.invalid, income.valid) == (3, 1, 1, 1)
    assert income.unseen.counts == {"?": 1}
    assert children.maximum == 9
    assert colour.missing == 1
    assert colour.unseen.counts == {"mauve": 1}
    assert found.predictions["prediction"].records == 3


def test_moments_are_those_of_the_values_far_from_zero_too() -> None:
    source = random.Random(2)
    values = [1e9 + source.gauss(0, 1) for _ in range(3000)]
    csv = ["x\n", *(f"{value!r}\n" for value in values)]
    column = Baseline.of_csv(csv, label_column="", source="x.csv").columns[0]
    mean = sum(value - 1e9 for value in values) / 3000
    variance = sum((value - 1e9 - mean) ** 2 for value in values) / 3000
    assert column.counts.mean(column.spec.centre) == pytest.approx(1e9 + mean, rel=1e-15)
    assert column.counts.deviation() == pytest.approx(variance**0.5, rel=1e-9)


def test_what_was_left_out_is_counted_and_quoted(baseline: Baseline) -> None:
    found = profile(baseline, ["{", "{", capture_line("1,2"), capture_line("1,2,green")])
    assert found.unreadable == {"not-json": 2, "field-count": 1}
    assert found.left_out == 3
    assert found.rows == 1
    assert sample_of(next(iter(found.samples.counts)))[0] in ("not-json", "field-count")


def test_profiles_of_different_baselines_do_not_add_up(baseline: Baseline) -> None:
    other = Baseline.of_csv(csv_of(rows_of(300, 9)), label_column="label", source="other.csv")
    with pytest.raises(ProfileMismatch, match="profile the captures again"):
        Profile.empty(baseline).merged(Profile.empty(other))


def test_a_profile_of_another_version_is_refused() -> None:
    with pytest.raises(DocumentInvalid, match="version 7"):
        Profile.from_document({"kind": "mlops-drift-profile", "version": 7}, "s3://b/k")


def test_a_damaged_profile_is_named(baseline: Baseline) -> None:
    document = Profile.empty(baseline).to_document()
    del document["columns"]
    with pytest.raises(DocumentInvalid, match="s3://b/k is damaged"):
        Profile.from_document(document, "s3://b/k")
