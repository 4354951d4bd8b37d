from __future__ import annotations

import csv
from pathlib import Path

from examples.employment import prepare

SOURCE = Path(prepare.__file__).parent / "data" / "acs_employment_ma.parquet"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def person(**columns: int) -> dict[str, int]:
    return {"year": 2015, "AGEP": 30, **columns}


def test_the_files_have_the_sizes_that_the_data_card_states(prepared: Path) -> None:
    sizes = {path.name: len(rows(path)) for path in prepared.glob("*.csv")}

    assert sizes == {
        "train.csv": 48_079,
        "evaluation.csv": 13_946,
        "baseline.csv": 48_079,
        "healthy.csv": 6_760,
        "drifted.csv": 17_847,
    }


def test_preparing_twice_gives_the_same_bytes(prepared: Path, tmp_path: Path) -> None:
    prepare.prepare(SOURCE, tmp_path)

    for path in prepared.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_training_and_evaluation_carry_the_label_and_traffic_does_not(prepared: Path) -> None:
    for name in ("train.csv", "evaluation.csv"):
        assert set(rows(prepared / name)[0]) == {*prepare.FEATURES, prepare.LABEL}
    for name in ("baseline.csv", "healthy.csv", "drifted.csv"):
        assert tuple(rows(prepared / name)[0]) == prepare.FEATURES


def test_drifted_traffic_is_people_over_sixty_only(prepared: Path) -> None:
    assert min(int(row["AGEP"]) for row in rows(prepared / "drifted.csv")) == 61


def test_the_first_thousand_healthy_records_look_like_the_training_data(prepared: Path) -> None:
    healthy = [int(row["AGEP"]) for row in rows(prepared / "healthy.csv")[:1000]]
    trained_on = [int(row["AGEP"]) for row in rows(prepared / "train.csv")]

    assert abs(sum(healthy) / len(healthy) - sum(trained_on) / len(trained_on)) < 2


def test_a_record_of_2015_goes_to_one_file_by_its_draw() -> None:
    assert prepare.destination(person(), 0.69) == "train.csv"
    assert prepare.destination(person(), 0.71) == "evaluation.csv"
    assert prepare.destination(person(), 0.91) == "healthy.csv"


def test_other_years_are_used_for_old_people_of_2018_alone() -> None:
    assert prepare.destination(person(year=2018, AGEP=61), 0.5) == "drifted.csv"
    assert prepare.destination(person(year=2018, AGEP=60), 0.5) is None
    assert prepare.destination(person(year=2017, AGEP=70), 0.5) is None
