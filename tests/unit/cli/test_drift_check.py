"""Drift between files: real census records, every form of file, and bad input told in words."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

import jsonschema
import pyarrow
import pyarrow.parquet
import pytest
from typer.testing import Result

from mlops_framework.testing.drift import capture_line

Run = Callable[..., Result]
Row = tuple[object, ...]

ROOT = Path(__file__).parents[3]
DATA = ROOT / "examples/employment/data/acs_employment_ma.parquet"
SCHEMA = json.loads((ROOT / "mlops_framework/drift/report.schema.json").read_text("utf-8"))
SMALL = ("amount", "colour")


@cache
def census() -> tuple[tuple[str, ...], dict[int, list[Row]]]:
    """Column names, label last, and the shuffled records of each year."""
    table = pyarrow.parquet.read_table(DATA)
    names = (*(n for n in table.column_names if n not in ("year", "employed")), "employed")
    columns = [table[name].to_pylist() for name in names]
    years: dict[int, list[Row]] = {}
    for year, *values in zip(table["year"].to_pylist(), *columns, strict=True):
        years.setdefault(year, []).append(tuple(values))
    for year, found in years.items():
        random.Random(year).shuffle(found)
    return names, years


def halves() -> tuple[list[Row], list[Row]]:
    found = census()[1][2015]
    return found[: len(found) // 2], found[len(found) // 2 :]


def over_sixty() -> list[Row]:
    return [row for row in census()[1][2018] if int(str(row[0])) > 60][:1000]


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Row]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def write_parquet(path: Path, header: Sequence[str], rows: Sequence[Row]) -> Path:
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def small(count: int, seed: int, *, shift: float = 0.0) -> list[Row]:
    source = random.Random(seed)
    return [
        (round(source.gauss(40 + shift, 10), 2), source.choice(["red", "blue"]))
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One half of 2015, with the label."""
    return write_csv(tmp_path_factory.mktemp("census") / "half.csv", census()[0], halves()[0])


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, where pages go."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "train.csv", SMALL, small(2000, 1))


def message(result: Result) -> str:
    """The fault's panel as one line."""
    return " ".join(result.stderr.replace("│", " ").split())


def test_the_two_halves_of_a_census_year_are_healthy(
    run: Run, reference: Path, tmp_path: Path
) -> None:
    current = write_parquet(tmp_path / "other.parquet", census()[0], halves()[1])

    result = run("drift", "check", str(current), "-b", str(reference), "--label", "employed")

    assert result.exit_code == 0, result.stderr
    assert "No drift in other.parquet" in result.stdout
    assert "baseline does not have it: employed." in result.stdout


def test_people_over_sixty_three_years_later_are_drift_with_age_first(
    run: Run, reference: Path, tmp_path: Path
) -> None:
    current, page = (
        write_csv(tmp_path / "old.csv", census()[0], over_sixty()),
        tmp_path / "r/p.html",
    )
    files = (str(current), "-b", str(reference), "--label", "employed")

    result = run("drift", "check", *files, "--html", str(page))
    document = json.loads(run("drift", "check", *files, "--json").stdout)

    assert result.exit_code == 2, result.stderr
    first = result.stdout.split("━\n", 1)[1].splitlines()[0]
    assert first.split()[0] == "AGEP"
    assert "moved up: the average went from 4" in first
    assert page.read_text().startswith("<!doctype html>")
    jsonschema.validate(document, SCHEMA)
    assert document["features"][0] == "AGEP"
    assert "employed" not in {column["name"] for column in document["columns"]}


def test_every_form_of_the_same_records_gets_the_same_verdict_on_every_column(
    run: Run, reference: Path, tmp_path: Path
) -> None:
    names, rows = census()[0], over_sixty()
    built = tmp_path / "baseline.json"
    made = run("drift", "baseline", str(reference), "-o", str(built), "--label", "employed")
    assert made.exit_code == 0, made.stderr
    assert "16 columns of 34," in made.stdout
    captured = tmp_path / "captured.jsonl"
    captured.write_text("".join(f"{capture_line(row[:-1])}\n" for row in rows))
    turned = write_csv(tmp_path / "turned.csv", names[::-1], (row[::-1] for row in rows))
    forms = (captured, turned, write_parquet(tmp_path / "p.parquet", names, rows))

    documents = [
        json.loads(run("drift", "check", str(form), "-b", str(built), "--json").stdout)
        for form in forms
    ]

    assert documents[0]["verdict"] == "drift"
    assert documents[0]["columns"] == documents[1]["columns"] == documents[2]["columns"]


def test_a_parquet_reference_is_the_same_baseline_as_its_csv(run: Run, tmp_path: Path) -> None:
    rows: list[Row] = [*small(500, 1), (None, "red, or so"), (1.5, None)]
    forms = (
        write_parquet(tmp_path / "t.parquet", SMALL, rows),
        write_csv(tmp_path / "t.csv", SMALL, rows),
    )

    ids = [
        json.loads(run("drift", "baseline", str(f), "-o", f"{f}.json", "--json").stdout)["id"]
        for f in forms
    ]

    assert ids[0] == ids[1]
    written = [json.loads(Path(f"{form}.json").read_text()) for form in forms]
    assert written[0]["columns"] == written[1]["columns"]


def test_a_column_is_explained_with_every_test_and_both_sides(
    run: Run, train: Path, tmp_path: Path
) -> None:
    current = write_csv(tmp_path / "now.csv", SMALL, small(1000, 2, shift=15))

    result = run("drift", "explain", "amount", str(current), "-b", str(train))
    document = json.loads(
        run("drift", "explain", "amount", str(current), "-b", str(train), "--json").stdout
    )

    assert result.exit_code == 0, result.stderr
    for told in ("location", "Wilcoxon", "Kolmogorov-Smirnov", "Baseline", "Window", "mean", "psi"):
        assert told in result.stdout
    assert "amount moved up: the average went from" in result.stdout
    assert document["verdict"] == "drift"
    tests = {test["test"] for test in document["tests"]}
    assert tests == {"missing", "invalid", "location", "scale", "shape", "range"}


def test_a_column_misspelt_is_told_with_what_was_meant(run: Run, train: Path) -> None:
    result = run("drift", "explain", "amuont", str(train), "-b", str(train))

    assert result.exit_code == 1
    assert "Did you mean amount?" in message(result)


def test_a_data_frame_s_index_is_told_apart_and_not_compared(
    run: Run, train: Path, tmp_path: Path
) -> None:
    rows = [(number, *row) for number, row in enumerate(small(500, 2))]
    current = write_csv(tmp_path / "now.csv", ("", *SMALL), rows)

    judged = run("drift", "check", str(current), "-b", str(train))
    refused = run("drift", "check", str(train), "-b", str(current))

    assert judged.exit_code == 0
    assert judged.stderr == ""
    assert "the baseline does not have it: (no name)." in judged.stdout
    assert refused.exit_code == 1
    assert "a data frame's index" in message(refused)


def test_a_limit_that_nothing_reaches_is_healthy(run: Run, train: Path, tmp_path: Path) -> None:
    current = write_csv(tmp_path / "now.csv", SMALL, small(1000, 2, shift=5))
    command = ("drift", "check", str(current), "-b", str(train))

    assert run(*command).exit_code == 2
    assert run(*command, "--effect", "0.9").exit_code == 0


@pytest.mark.parametrize("count", [0, 1, 199])
def test_too_few_records_give_no_verdict_and_exit_status_three(
    run: Run, train: Path, tmp_path: Path, count: int
) -> None:
    current = write_csv(tmp_path / "now.csv", SMALL, small(count, 2))

    result = run("drift", "check", str(current), "-b", str(train))

    assert result.exit_code == 3
    records = "1 record" if count == 1 else f"{count} records"
    assert f"Only {records} arrived; a verdict needs at least 200." in result.stdout


def test_fewer_records_can_be_asked_to_be_enough(run: Run, train: Path, tmp_path: Path) -> None:
    current = write_csv(tmp_path / "now.csv", SMALL, small(100, 2))

    result = run("drift", "check", str(current), "-b", str(train), "--minimum-records", "100")

    assert result.exit_code == 0


def test_records_that_cannot_be_read_are_counted_with_reasons_and_examples(
    run: Run, train: Path, tmp_path: Path
) -> None:
    current = tmp_path / "captured.jsonl"
    lines = [*map(capture_line, small(1000, 2)), "rubbish", "more rubbish", capture_line((1, 2, 3))]
    current.write_text("\n".join(lines))

    result = run("drift", "check", str(current), "-b", str(train))

    assert result.exit_code == 0
    assert "Left out: 3 that could not be read." in result.stdout
    assert "- 2: the line is not a JSON object, for example '" in result.stdout
    assert "- 1: a row has another number of fields" in result.stdout


def test_a_torn_row_of_a_table_is_left_out_and_counted(
    run: Run, train: Path, tmp_path: Path
) -> None:
    current = write_csv(tmp_path / "now.csv", SMALL, [*small(1000, 2), ("7",)])

    result = run("drift", "check", str(current), "-b", str(train))

    assert result.exit_code == 0
    assert "Left out: 1 that could not be read." in result.stdout


def test_the_report_names_the_days_that_the_captures_are_of(
    run: Run, train: Path, tmp_path: Path
) -> None:
    current = tmp_path / "captured.jsonl"
    rows = small(1000, 2)
    days = ("2026-03-01T10:00:00Z", "2026-03-02T23:00:00Z")
    current.write_text(
        "".join(f"{capture_line(row, time=days[n % 2])}\n" for n, row in enumerate(rows))
    )

    document = json.loads(run("drift", "check", str(current), "-b", str(train), "--json").stdout)

    assert document["window"]["start"] == "2026-03-01T00:00:00Z"
    assert document["window"]["end"] == "2026-03-03T00:00:00Z"
    assert document["captures"]["rows"] == 1000


BAD = {
    "empty": (b" \n", "is empty; expected CSV with a header line"),
    "numbers": (b"1,2\n3,4\n", "has no header: its first line is data (1,2)"),
    "semicolons": (b"amount;colour\n1;red\n", "separated by ';'; expected commas"),
    "binary": (b"\x93\x00\xff\x01" * 99, "is not UTF-8 text"),
    "latin": (b"amount,colour\n1,\xe9\n", "is not UTF-8 text"),
    "latin at the end": (
        b"amount,colour\n" + b"1,red\n" * 20_000 + b"1,\xe9\n",
        "is not UTF-8 text (b'\\xe9' is not)",
    ),
    "packed": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "is damaged gzip"),
    "array": (b"[[1, 2]]", "JSON"),
    "cut parquet": (b"PAR1\x00\x01", "is damaged Parquet"),
    "another document": (b'{"kind": "mlops-drift-report"}', "says it is 'mlops-drift-report'"),
}


@pytest.mark.parametrize("side", ["current", "baseline"])
@pytest.mark.parametrize("case", BAD)
def test_a_file_that_cannot_be_used_is_told_in_words(
    run: Run, train: Path, tmp_path: Path, case: str, side: str
) -> None:
    content, told = BAD[case]
    bad = tmp_path / "bad"
    bad.write_bytes(content)
    current, reference = (bad, train) if side == "current" else (train, bad)

    result = run("drift", "check", str(current), "-b", str(reference))

    assert result.exit_code == 1
    assert told in message(result)
    assert result.stdout == ""


def test_what_is_not_there_or_not_local_is_told(run: Run, train: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    told = {
        str(tmp_path / "no.csv"): "There is no file",
        str(empty): "There is no file in",
        str(empty / "*.csv"): "There is no file like",
        "s3://bucket/captures": "s3://bucket/captures is not a local file",
    }

    for place, sentence in told.items():
        result = run("drift", "check", place, "-b", str(train))
        assert (result.exit_code, sentence in message(result)) == (1, True), message(result)


def test_columns_that_are_absent_are_named_as_json_too(
    run: Run, train: Path, tmp_path: Path
) -> None:
    current = write_csv(tmp_path / "now.csv", ("amount", "color"), small(300, 2))

    told = json.loads(run("drift", "check", str(current), "-b", str(train), "--json").stdout)

    assert "has no column colour, which the baseline has" in told["message"]
    assert "Its columns: amount, color." in told["message"]
    assert "If colour is the label: --label colour." in told["message"]


def test_a_column_named_twice_is_told(run: Run, train: Path, tmp_path: Path) -> None:
    current = write_csv(tmp_path / "now.csv", ("amount", "colour", "amount"), [(1, 2, 3)])

    assert "names amount more than once" in message(
        run("drift", "check", str(current), "-b", str(train))
    )


def test_captures_of_which_none_can_be_read_are_a_fault_with_the_reason(
    run: Run, train: Path, tmp_path: Path
) -> None:
    current = tmp_path / "captured.jsonl"
    current.write_text("".join(f"{capture_line((1, 2, 3))}\n" for _ in range(300)))

    result = run("drift", "check", str(current), "-b", str(train))

    assert result.exit_code == 1
    assert "The baseline has 2 columns: amount, colour." in message(result)
    assert "300: a row has another number of fields than the baseline" in message(result)


def test_a_baseline_cannot_be_judged(run: Run, train: Path, tmp_path: Path) -> None:
    built = tmp_path / "baseline.json"
    run("drift", "baseline", str(train), "-o", str(built))

    judged = run("drift", "check", str(built), "-b", str(train))

    assert "is a baseline; give it as --baseline" in message(judged)


def test_a_baseline_of_a_monitor_and_one_indented_by_hand_are_read(
    run: Run, train: Path, tmp_path: Path
) -> None:
    built = tmp_path / "baseline.json"
    run("drift", "baseline", str(train), "-o", str(built))
    document = json.loads(built.read_text())
    for text in (json.dumps(document, sort_keys=True), json.dumps(document, indent=2)):
        built.write_text(text)
        assert run("drift", "check", str(train), "-b", str(built)).exit_code == 0
    built.write_text(json.dumps(document | {"version": 99}))
    assert "version 99" in message(run("drift", "check", str(train), "-b", str(built)))


def test_parquet_without_pyarrow_is_told_with_the_way_out(
    run: Run, train: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = write_parquet(tmp_path / "now.parquet", SMALL, small(300, 2))
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    result = run("drift", "check", str(current), "-b", str(train))

    assert result.exit_code == 1
    assert "pyarrow is not installed" in message(result)
    assert "pip install pyarrow" in message(result)


def test_nested_columns_of_parquet_are_refused_by_name(
    run: Run, train: Path, tmp_path: Path
) -> None:
    current = tmp_path / "now.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"amount": [1.0], "colour": [["red"]]}), current)

    result = run("drift", "check", str(current), "-b", str(train))

    assert result.exit_code == 1
    assert "colour (list<" in message(result)


def test_what_was_read_is_never_overwritten(run: Run, train: Path) -> None:
    before = train.read_bytes()

    made = run("drift", "baseline", str(train), "-o", str(train))
    checked = run("drift", "check", str(train), "-b", str(train), "--html", str(train))

    assert (made.exit_code, checked.exit_code) == (1, 1)
    assert "name another file to write" in message(made)
    assert train.read_bytes() == before


@pytest.mark.parametrize("option", [("--effect", "0"), ("--minimum-records", "0")])
def test_a_limit_out_of_range_is_a_fault_and_not_the_status_of_drift(
    run: Run, train: Path, option: tuple[str, str]
) -> None:
    result = run("drift", "check", str(train), "-b", str(train), *option)

    assert result.exit_code == 1
    assert option[0] in message(result)


def test_a_baseline_brings_the_files_of_model_monitors_baseline_job(
    run: Run, train: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model-monitor"
    output = str(tmp_path / "baseline.json")

    done = run("drift", "baseline", str(train), "-o", output, "--model-monitor-files", str(folder))

    assert done.exit_code == 0, done.output
    statistics = json.loads((folder / "statistics.json").read_text())
    constraints = json.loads((folder / "constraints.json").read_text())
    names = [column["name"] for column in json.loads(Path(output).read_text())["columns"]]
    assert [feature["name"] for feature in statistics["features"]] == names
    assert [feature["name"] for feature in constraints["features"]] == names
    again = run("drift", "baseline", str(folder / "statistics.json"), "-o", output)
    assert again.exit_code == 0, again.output


def test_a_terminal_has_a_bar_of_progress_and_the_output_has_none(
    train: Path, tmp_path: Path
) -> None:
    current = write_csv(tmp_path / "now.csv", SMALL, small(500, 2))
    terminal, side = os.openpty()
    command = ["drift", "check", str(current), "--baseline", str(train), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "mlops_framework.cli", *command],
        stdout=subprocess.PIPE,
        stderr=side,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
        check=False,
        timeout=120,
    )
    os.close(side)
    shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert done.returncode == 0, shown
    assert json.loads(done.stdout)["verdict"] == "healthy"
    assert "Reading train.csv" in shown
    assert "Reading now.csv" in shown
    assert "%" in shown
