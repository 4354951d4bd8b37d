"""By which rule files are judged: options, requests, Model Monitor; and where the report goes."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from typer.testing import Result

Run = Callable[..., Result]
ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "mlops_framework/drift/report.schema.json").read_text("utf-8"))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with training data and a week in which amounts are larger."""
    monkeypatch.chdir(tmp_path)
    write("train.csv", 3000, 1)
    write("now.csv", 1000, 2, shift=5)
    return tmp_path


def write(name: str, rows: int, seed: int, *, shift: float = 0.0) -> str:
    source = random.Random(seed)
    lines = [
        f"{source.gauss(40 + shift, 10):.2f},{source.choice(['red', 'blue'])}" for _ in range(rows)
    ]
    text = "\n".join(["amount,colour", *lines])
    Path(name).write_text(text)
    return text


def message(result: Result) -> str:
    return " ".join(result.stderr.replace("│", " ").split())


NOW = ("drift", "check", "now.csv", "-b", "train.csv")


def test_the_page_lies_in_the_working_folder_and_not_among_the_data(run: Run, here: Path) -> None:
    data = here / "data"
    data.mkdir()
    (here / "now.csv").rename(data / "now.v2.csv")

    one = run("drift", "check", "data/now.v2.csv", "-b", "train.csv")
    many = run("drift", "check", "data", "train.csv", "-b", "train.csv")

    assert (one.exit_code, many.exit_code) == (2, 0), one.stderr + many.stderr
    assert "Report (page): now.drift.html" in one.stdout
    assert (here / "now.drift.html").read_text().startswith("<!doctype html>")
    assert "Report (page): drift.html" in many.stdout
    assert "2 files: 4,000 records" in many.stdout
    assert list(data.iterdir()) == [data / "now.v2.csv"]


def test_json_goes_alone_and_into_a_file_where_that_is_asked_for(run: Run, here: Path) -> None:
    printed = run(*NOW, "--json")
    silent = run(*NOW, "--no-html", "--report", "deep/report.json")

    assert not list(here.glob("**/*.html"))
    report = json.loads((here / "deep/report.json").read_text())
    assert json.loads(printed.stdout) == report
    jsonschema.validate(report, SCHEMA)
    assert "Report (JSON): deep/report.json" in silent.stdout
    assert printed.stderr == ""


def test_a_page_that_cannot_be_written_is_told_and_the_verdict_stands(run: Run, here: Path) -> None:
    (here / "taken").write_text("a file")
    (here / "now.drift.html").mkdir()

    usual = run(*NOW)
    asked = run(*NOW, "--html", "taken/page.html")

    for result in (usual, asked):
        assert result.exit_code == 2
        assert "amount" in result.stdout
        assert "page was not written" in message(result)
        assert "The verdict stands." in message(result)


def test_a_column_and_a_kind_of_test_have_limits_of_their_own(run: Run) -> None:
    assert run(*NOW).exit_code == 2
    assert run(*NOW, "-t", "amount=0.5").exit_code == 0
    assert run(*NOW, "-t", "*:values=0.5").exit_code == 0
    assert run(*NOW, "-t", "*=0.5", "-t", "amount:location=0.05").exit_code == 2
    assert run(*NOW, "-t", "colour=0.5").exit_code == 2
    assert run(*NOW, "--ignore", "amount").exit_code == 0
    report = json.loads(run(*NOW, "-t", "amount:missing=0.3", "--json").stdout)
    amount = next(column for column in report["columns"] if column["name"] == "amount")
    limits = {test["test"]: test["threshold"] for test in amount["tests"]}
    assert (limits["missing"], limits["invalid"], limits["location"]) == (0.3, 0.005, 0.1)


def test_what_options_say_wrongly_is_told_by_their_names_with_what_is_meant(run: Run) -> None:
    unknown = run(*NOW, "-t", "amuont=0.5", "--ignore", "colr")
    beyond = run(*NOW, "-t", "amount=5", "--json")
    other = run(*NOW, "--policy", "strict")
    both = run(*NOW, "--html", "page.html", "--no-html")
    printed = run(*NOW, "--report", "-")

    assert "--threshold The baseline has no column 'amuont'" in message(unknown)
    assert "Did you mean amount?" in message(unknown)
    assert "--ignore The baseline has no column 'colr'" in message(unknown)
    assert "COLUMN:TEST=SHARE" in json.loads(beyond.stdout)["faults"][0]["accepted"]
    assert "accepted is standard or model-monitor" in message(other)
    assert "give one of them" in message(both)
    assert "--json prints the report" in message(printed)
    assert {each.exit_code for each in (unknown, beyond, other, both, printed)} == {1}


@pytest.mark.parametrize("name", ["request.json", "request.yaml"])
def test_a_monitors_request_judges_files_as_far_as_it_is_about_files(
    run: Run, here: Path, name: str
) -> None:
    request = {
        "pipeline_type": "drift-monitor",
        "model_name": "sales",
        "endpoint_name": {"dev": "a", "prod": "b"},
        "baseline_data": "s3://{data-bucket-name}/train.csv",
        "minimum_records": {"dev": 50, "prod": 5000},
        "thresholds": [{"column": "amount", "share": 0.5}],
        "attribution": {"source": "endpoint"},
    }
    (here / name).write_text(json.dumps(request))

    dev = run(*NOW, "--config", name, "--stage", "dev")
    prod = run(*NOW, "--config", name, "--stage", "prod")
    stricter = run(*NOW, "-c", name, "--stage", "dev", "-t", "amount=0.05")
    neither = run(*NOW, "-c", name)

    assert (dev.exit_code, prod.exit_code, stricter.exit_code) == (0, 3, 2), dev.stderr
    assert "attribution asks the endpoint, which a monitor alone does" in message(dev)
    assert neither.exit_code == 1
    assert "say with --stage which of them counts: dev, prod" in message(neither)


def test_a_setting_that_no_request_has_is_refused_with_what_is_meant(run: Run, here: Path) -> None:
    (here / "request.yaml").write_text("effect_treshold: 0.4\nbias: {facets: [{column: colour}]}\n")

    result = run(*NOW, "-c", "request.yaml")

    assert result.exit_code == 1
    assert "did you mean effect_threshold" in message(result)
    (here / "request.yaml").write_text("pipeline_type: training\n")
    assert "this is one of 'training'" in message(run(*NOW, "-c", "request.yaml"))


def test_a_mistyped_option_is_a_fault_and_not_the_status_of_drift(run: Run) -> None:
    for arguments in (("drift", "check", "--bogus"), ("drift", "chek"), NOW[:3]):
        assert run(*arguments).exit_code == 1


def test_standard_input_gzip_and_json_lines_are_judged_like_the_file(run: Run, here: Path) -> None:
    text = (here / "now.csv").read_bytes()
    (here / "now.gz").write_bytes(gzip.compress(text))
    rows = [line.split(",") for line in text.decode().splitlines()[1:]]
    lines = [json.dumps({"amount": float(a), "colour": c}) for a, c in rows]
    (here / "now.jsonl").write_text("\n".join([*lines[:500], "torn", *lines[500:]]))

    expected = json.loads(run(*NOW, "--json").stdout)["columns"]
    piped = run("drift", "check", "-", "-b", "train.csv", "--json", input=text)
    packed = run("drift", "check", "now.gz", "-b", "train.csv", "--json")
    listed = run("drift", "check", "now.jsonl", "-b", "train.csv", "--json")

    for result in (piped, packed, listed):
        assert json.loads(result.stdout)["columns"] == expected, result.stderr
    assert json.loads(piped.stdout)["monitor"]["endpoint_name"] == "stdin"
    assert json.loads(listed.stdout)["captures"]["left_out"][0]["reason"] == "not-json"
    twice = run("drift", "check", "-", "-b", "-", input=text)
    assert "can be read once" in message(twice)


def test_files_of_several_forms_are_judged_as_one(run: Run, here: Path) -> None:
    text = (here / "now.csv").read_text().splitlines()
    (here / "parts").mkdir()
    (here / "parts/a.csv").write_text("\n".join(text[:400]))
    turned = [",".join(line.split(",")[::-1]) for line in [text[0], *text[400:]]]
    (here / "parts/b.csv.gz").write_bytes(gzip.compress("\n".join(turned).encode()))

    whole = json.loads(run(*NOW, "--json").stdout)
    parts = json.loads(run("drift", "check", "parts", "-b", "train.csv", "--json").stdout)

    assert parts["columns"] == whole["columns"]
