"""Real records: the American Community Survey for Massachusetts, as the example uses it."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from pathlib import Path

import pyarrow.parquet
import pytest

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.findings import findings_of
from mlops_framework.drift.policy import Policy, judge
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.tally import counted
from mlops_framework.drift.values import Numbers
from tests.unit.drift.conftest import profile_of_rows

DATA = Path(__file__).parents[3] / "examples/employment/data/acs_employment_ma.parquet"
POLICY = Policy()

Record = tuple[int, ...]


@cache
def records() -> tuple[tuple[str, ...], dict[int, list[Record]]]:
    """Feature names, and the shuffled records of each year, features then label."""
    table = pyarrow.parquet.read_table(DATA)
    names = tuple(name for name in table.column_names if name not in ("year", "employed"))
    columns = [table[name].to_pylist() for name in (*names, "employed")]
    by_year: dict[int, list[Record]] = {}
    for year, *values in zip(table["year"].to_pylist(), *columns, strict=True):
        by_year.setdefault(year, []).append(tuple(values))
    for year, found in by_year.items():
        random.Random(year).shuffle(found)
    return names, by_year


@cache
def whole_years() -> dict[int, dict[str, Numbers]]:
    """The columns of each year."""
    table = pyarrow.parquet.read_table(DATA)
    columns = {name: table[name].to_numpy().astype(float) for name in table.column_names}
    year = columns.pop("year")
    return {
        each: {name: Numbers(values[year == each]) for name, values in columns.items()}
        for each in (2015, 2016, 2017, 2018)
    }


@pytest.fixture(scope="module")
def census() -> Baseline:
    """The first half of 2015."""
    names, by_year = records()
    half = by_year[2015][: len(by_year[2015]) // 2]
    lines = [",".join((*names, "employed")), *(",".join(map(str, record)) for record in half)]
    return Baseline.of_csv(
        (f"{line}\n" for line in lines), label_column="employed", source="2015.csv"
    )


def profile(census: Baseline, found: list[Record]) -> Profile:
    return profile_of_rows(census, [record[:-1] for record in found])


def other_half() -> list[Record]:
    found = records()[1][2015]
    return found[len(found) // 2 :]


def test_census_codes_are_counted_as_codes(census: Baseline) -> None:
    assert {column.spec.kind for column in census.columns} == {"codes"}
    assert len(census.columns) == 16
    ages = census.columns[0].spec
    assert (ages.name, ages.codes[0], ages.codes[-1]) == ("AGEP", 0.0, 94.0)


def test_the_two_halves_of_a_year_are_alike(census: Baseline) -> None:
    judgement = judge(census, profile(census, other_half()), POLICY)
    assert judgement.verdict == "healthy"
    assert min(test.q_value for test in judgement.tests) > 0.01


@pytest.mark.parametrize("size", [250, 1000])
def test_windows_of_unseen_records_of_the_same_year_are_healthy(
    census: Baseline, size: int
) -> None:
    found = other_half()
    windows = [found[start : start + size] for start in range(0, 30 * size, size)]
    verdicts = [
        judge(census, profile(census, w), POLICY).verdict for w in windows if len(w) == size
    ]
    assert set(verdicts) == {"healthy"}


def test_people_over_sixty_three_years_later_are_drift_and_age_is_named_first(
    census: Baseline,
) -> None:
    old = [record for record in records()[1][2018] if record[0] > 60][:1000]
    seen = profile(census, old)
    judgement = judge(census, seen, POLICY)
    found = findings_of(judgement, census, seen, POLICY)
    assert judgement.verdict == "drift"
    assert found[0].column == "AGEP"
    assert found[0].sentence.startswith("AGEP moved up: the average went from 4")
    assert {"AGEP", "MAR", "RELP", "ESP"} <= {finding.column for finding in found}
    # Sex and race of people over sixty differ little, and nobody's place of birth moved.
    assert "RAC1P" not in {finding.column for finding in found}


def test_the_next_years_differ_too_little_to_matter(census: Baseline) -> None:
    for year in (2016, 2017):
        seen = profile(census, records()[1][year][:2000])
        breaches = {test.column for test in judge(census, seen, POLICY).breaches}
        assert breaches <= {"AGEP"}, "ages above the first half's oldest may occur"


@pytest.mark.parametrize(
    ("year", "effect", "drifted"),
    [
        (2016, 0.1, []),
        (2016, 0.02, ["ANC"]),
        (2017, 0.1, ["AGEP"]),
        (2017, 0.02, ["ANC", "AGEP"]),
        (2018, 0.1, ["AGEP"]),
        (2018, 0.02, ["ANC", "SCHL", "AGEP"]),
    ],
)
def test_whole_years_differ_by_what_the_examples_page_explains(
    year: int, effect: float, drifted: list[str]
) -> None:
    years = whole_years()
    columns = {name: values for name, values in years[2015].items() if name != "employed"}
    first = Baseline.of_columns(columns, source="2015.csv")
    counts = tuple(counted(spec, years[year][spec.name]) for spec in first.specs)
    seen = replace(Profile.empty(first), columns=counts)
    policy = Policy(effect_threshold=effect)
    found = findings_of(judge(first, seen, policy), first, seen, policy)
    assert [finding.column for finding in found] == drifted
