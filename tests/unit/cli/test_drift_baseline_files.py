"""``mlops drift baseline`` of many files, of traffic, and of what Model Monitor wrote."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from click.testing import Result

from mlops_framework.testing.drift import capture_line

Run = Callable[..., Result]
HEADER = "amount,colour\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder, where pages go."""
    monkeypatch.chdir(tmp_path)


def rows(count: int, seed: int) -> list[tuple[float, str]]:
    source = random.Random(seed)
    return [(round(source.gauss(40, 10), 2), source.choice(["red", "blue"])) for _ in range(count)]


def csv_text(found: list[tuple[float, str]]) -> str:
    return HEADER + "".join(f"{amount},{colour}\n" for amount, colour in found)


def baseline(run: Run, tmp_path: Path, *arguments: str) -> dict[str, Any]:
    """What was built, without the name of its source."""
    built = tmp_path / "built.json"
    result = run("drift", "baseline", *arguments, "-o", str(built))
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(built.read_text())
    document.pop("source")
    return document


def test_a_folder_a_pattern_and_files_are_the_same_table(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "more").mkdir(parents=True)
    parts = [rows(200, seed) for seed in range(3)]
    (folder / "_SUCCESS").touch()
    (folder / "part-0.csv").write_text(csv_text(parts[0]))
    (folder / "part-1.csv").write_text(csv_text(parts[1]))
    amounts, colours = zip(*parts[2], strict=True)
    table = pyarrow.table({"amount": list(amounts), "colour": list(colours)})
    pyarrow.parquet.write_table(table, folder / "more" / "part-2.parquet")
    whole = tmp_path / "whole.csv"
    whole.write_text(csv_text([row for part in parts for row in part]))

    expected = baseline(run, tmp_path, str(whole))

    assert baseline(run, tmp_path, str(folder)) == expected
    two = [str(folder / f"part-{number}.csv") for number in range(2)]
    assert baseline(run, tmp_path, *two, str(folder / "more")) == expected
    pattern = baseline(run, tmp_path, str(folder / "part-*.csv"))
    assert pattern["rows"] == 400


def test_json_lines_and_nested_values_are_read_where_records_says(run: Run, tmp_path: Path) -> None:
    found = rows(300, 1)
    plain, nested, form = (tmp_path / name for name in ("a.jsonl", "b.jsonl", "form.json"))
    plain.write_text("".join(json.dumps({"amount": a, "colour": c}) + "\n" for a, c in found))
    nested.write_text(
        "".join(json.dumps({"order": {"amount": a}, "colour": c}) + "\n" for a, c in found)
    )
    form.write_text('{"input": {"columns": {"amount": "order.amount"}}}')

    expected = baseline(run, tmp_path, str(plain))

    assert baseline(run, tmp_path, str(nested), "--records", str(form)) == expected
    refused = run("drift", "baseline", str(nested), "-o", str(tmp_path / "x"))
    assert "an object or a list in order" in " ".join(refused.stderr.replace("│", " ").split())


def test_captured_traffic_is_a_baseline_with_names_of_its_columns(run: Run, tmp_path: Path) -> None:
    found = rows(300, 2)
    captured, whole = tmp_path / "captured.jsonl", tmp_path / "whole.csv"
    captured.write_text("".join(f"{capture_line(row)}\n" for row in found))
    whole.write_text(csv_text(found))

    built = baseline(run, tmp_path, str(captured), "--columns", "amount, colour")

    expected = baseline(run, tmp_path, str(whole))
    del built["hour_blocks"]  # captures have times, and this table has none
    for column in built["columns"]:
        del column["by_block"], column["between_hours"]
    for column in expected["columns"]:
        del column["between_hours"]
    assert built == expected
    nameless = baseline(run, tmp_path, str(captured))
    assert [column["name"] for column in nameless["columns"]] == ["_c0", "_c1"]


def test_nested_captures_are_checked_by_the_paths_of_records(run: Run, tmp_path: Path) -> None:
    train, current, form = (tmp_path / name for name in ("a.csv", "b.jsonl", "form.json"))
    train.write_text(csv_text(rows(1000, 1)))
    lines = [
        capture_line(
            json.dumps({"rows": [{"order": {"amount": a}, "colour": c}]}),
            encoding="JSON",
            content_type="application/json",
        )
        for a, c in rows(400, 2)
    ]
    current.write_text("\n".join(lines))
    form.write_text('{"input": {"rows": "rows[*]", "columns": {"amount": "order.amount"}}}')

    result = run("drift", "check", str(current), "-b", str(train), "--records", str(form))

    assert (result.exit_code, "healthy" in result.stdout) == (0, True)


@pytest.mark.parametrize(
    ("names", "arguments", "told"),
    [
        ({"empty/.hidden": ""}, ["empty"], "There is no file in"),
        ({}, ["*.csv"], "There is no file like"),
        ({"a.csv": HEADER + "1,red\n", "b.csv": "x,y\n1,2\n"}, ["a.csv", "b.csv"], "not in all"),
        (
            {"a.csv": HEADER + "1,red\n", "b.jsonl": capture_line((1, "red"))},
            ["a.csv", "b.jsonl"],
            "holds capture records and other files do not",
        ),
        ({"a.csv": HEADER + "1,red\n"}, ["a.csv", "--columns", "x"], "these have names"),
        ({"b.jsonl": capture_line((1, 2))}, ["b.jsonl", "--columns", "x"], "as 1 columns: x"),
        ({"a.csv": HEADER, "f": "{}x"}, ["a.csv", "--records", "f"], "is no form of records"),
    ],
)
def test_files_that_do_not_go_together_are_told(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: dict[str, str],
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in names.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)

    result = run("drift", "baseline", *arguments, "-o", "built.json")

    assert result.exit_code == 1
    assert told in " ".join(result.stderr.replace("│", " ").split())


def test_where_times_are_named_a_column_is_explained_by_what_is_ordinary(
    run: Run, tmp_path: Path
) -> None:
    train, now, built = tmp_path / "train.csv", tmp_path / "now.csv", tmp_path / "built.json"
    lines = [f"{amount},{hour * 3600}\n" for hour in range(24) for amount, _ in rows(40, hour)]
    train.write_text("amount,at\n" + "".join(lines))
    now.write_text("amount\n" + "".join(f"{amount:.0f}\n" for amount, _ in rows(300, 99)))
    run("drift", "baseline", str(train), "--time", "at", "-o", str(built))

    timed = run("drift", "explain", "amount", str(now), "-b", str(built)).stdout
    plain = run("drift", "explain", "amount", str(now), "-b", str(train), "--label", "at").stdout

    assert "Ordinary is what nine of ten windows of the baseline had" in timed
    assert "Ordinary" not in plain
    assert "whole numbers" in timed, "the window's amounts are rounded, and that is told"
