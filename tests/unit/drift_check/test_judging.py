"""Tables and files judged as a notebook asks for it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.csv
import pytest

from mlops_framework.blueprints.drift_monitor.contract import DriftMonitorRequest
from mlops_framework.drift.errors import BaselineInvalid, FileUnusable, MonitorInvalid
from mlops_framework.drift.model_monitor_files.counted import (
    baseline_statistics,
    suggested_constraints,
)
from mlops_framework.drift_check import baseline_from, check
from mlops_framework.drift_check.settings import NOT_USED, USED
from mlops_framework.testing.drift import capture_line

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "mlops_framework/drift/report.schema.json").read_text("utf-8"))
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Columns = dict[str, list[Any]]


def people(rows: int, seed: int, *, wrong: float = 0.0, unfair: float = 0.0) -> Columns:
    """Ages and groups of people, what a model said of them, and how it was."""
    source = random.Random(seed)
    columns: Columns = {name: [] for name in ("age", "sex", "said", "chance", "was")}
    for _ in range(rows):
        age, sex = source.gauss(40, 10), source.choice("mf")
        chance = min(1.0, max(0.0, (age - 30) / 20))
        said = int(chance > 0.5) ^ (source.random() < wrong)
        if sex == "f" and source.random() < unfair:
            said = 0
        row = (round(age, 2), sex, int(said), round(chance, 3), int(age + source.gauss(0, 4) > 40))
        for column, value in zip(columns.values(), row, strict=True):
            column.append(value)
    return columns


def features(columns: Columns) -> Columns:
    return {name: columns[name] for name in ("age", "sex")}


@dataclass
class Stream:
    """As data frames give themselves away to Arrow."""

    table: pa.Table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


@dataclass
class Frame:
    """As data frames did before that."""

    table: pa.Table

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> object:
        return self.table.__dataframe__(nan_as_null, allow_copy)


TRAIN, NOW = features(people(2000, 1)), features(people(800, 2))
QUALITY: Mapping[str, Any] = {
    "label_column": "was",
    "ground_truth": {
        "problem_type": "BinaryClassification",
        "inference_attribute": "0",
        "probability_attribute": "1",
        "baseline_inference_attribute": "said",
        "baseline_probability_attribute": "chance",
        "baseline_ground_truth_attribute": "was",
    },
    "bias": {"facets": [{"column": "sex", "values": ["f"]}], "flip_test_columns": ["age"]},
}


def test_a_table_is_the_same_however_it_is_given(tmp_path: Path) -> None:
    table = pa.table(NOW)
    indexed = table.append_column("__index_level_0__", pa.array(range(800)))
    coded = table.set_column(1, "sex", table["sex"].dictionary_encode())
    pyarrow.csv.write_csv(table, tmp_path / "now.csv")
    forms: list[Any] = [
        NOW,
        table.to_pylist(),
        table.combine_chunks().to_batches()[0],
        coded,
        Stream(indexed),
        Frame(table),
        tmp_path / "now.csv",
        [str(tmp_path / "*.csv")],
    ]
    baseline = baseline_from(TRAIN)

    expected = check(table, TRAIN, time=NOON).report["columns"]

    for form in forms:
        found = check(form, baseline, time=NOON)
        assert found.report["columns"] == expected
        assert not found.ignored


def test_drift_is_told_in_words_as_a_document_and_as_a_page_in_a_notebook() -> None:
    older = {**NOW, "age": [age + 20 for age in NOW["age"]]}

    found = check(older, TRAIN, time=NOON, name="this week")

    assert found.drifted
    assert found.features == ("age",)
    assert str(found).startswith("Drift in this week: 1 of 2 columns")
    assert f"- {found.findings[0]}" in str(found)
    jsonschema.validate(found.report, SCHEMA)
    assert found.report["window"]["start"] == "2026-03-01T00:00:00Z"
    shown = found._repr_html_()
    assert shown.startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    assert "<script" not in shown
    assert check(older, TRAIN, ignored_columns=["age"]).verdict == "healthy"


@pytest.mark.parametrize(
    ("current", "told"),
    [
        (7, "is a builtins.int; accepted are paths, Arrow tables"),
        ({"age": [[1]], "sex": ["f"]}, "age (list<"),
        ({"age": [1.0]}, "has no column sex"),
        ({"age": [1, "x"], "sex": ["f", "m"]}, "cannot be read as a table"),
    ],
)
def test_what_is_no_table_is_told(current: Any, told: str) -> None:
    with pytest.raises(FileUnusable) as caught:
        check(current, TRAIN)
    assert told in str(caught.value)


def test_settings_that_files_have_none_of_are_refused() -> None:
    with pytest.raises(MonitorInvalid, match="retrain"):
        check(NOW, TRAIN, retrain=True)
    with pytest.raises(MonitorInvalid, match=r"accepted is a number from 0\.001 to 1"):
        check(NOW, TRAIN, effect_threshold=7)
    with pytest.raises(MonitorInvalid, match="Did you mean age"):
        check(NOW, TRAIN, thresholds=[{"column": "agee", "share": 0.1}])


def test_every_setting_of_a_request_is_used_or_known_not_to_be() -> None:
    assert {*USED, *NOT_USED} == set(DriftMonitorRequest.model_fields)
    assert not set(USED) & set(NOT_USED)


def test_quality_and_bias_are_judged_where_files_hold_predictions_and_labels() -> None:
    train = people(3000, 1)

    well = check(people(1500, 2), train, request=QUALITY)
    worse = check(people(1500, 3, wrong=0.25), train, request=QUALITY)
    unfair = check(people(1500, 4, unfair=0.4), train, request=QUALITY)

    assert well.verdict == "healthy"
    assert well.notes == well.ignored == ()
    assert well.report["model_quality"]["labels"]["labelled"] == 1500
    assert well.report["bias"]["facets"][0]["metrics"]
    assert worse.drifted
    assert any("The accuracy fell from" in sentence for sentence in worse.findings)
    assert unfair.drifted
    assert any("disparate impact" in sentence for sentence in unfair.findings)
    nobody = check({**people(1500, 2), "sex": ["null"] * 1500}, train, request=QUALITY)
    (group,) = nobody.report["bias"]["facets"]
    assert (group["rows"], group["others"], group["unknown"]) == (0, 0, 1500)
    for found in (worse, unfair):
        assert not found.features
        jsonschema.validate(found.report, SCHEMA)
        assert "Model quality" in found.page


def test_without_labels_quality_is_estimated_and_without_predictions_it_is_said_not_to_be() -> None:
    train, now = people(3000, 1), people(1500, 3, wrong=0.25)

    unlabelled = check({**now, "was": [None] * 1500}, train, request=QUALITY)
    del now["was"]
    absent = check(now, train, request=QUALITY)
    bare = check(features(now), train, request=QUALITY)

    for found in (unlabelled, absent):
        assert "The estimated accuracy fell" in found.findings[0]
    assert bare.verdict == "healthy"
    assert "has no columns said, chance, was" in bare.notes[0]


def test_a_baseline_without_predictions_leaves_the_bounds_of_the_request(tmp_path: Path) -> None:
    known = baseline_from(features(people(3000, 1)))
    truth = {**QUALITY["ground_truth"], "thresholds": {"recall": 0.5}}
    now = people(1500, 3, wrong=0.25)

    well = check(now, known, request={**QUALITY, "ground_truth": truth})
    bound = {**truth, "thresholds": {"accuracy": 0.8}}
    broken = check(now, known, request={**QUALITY, "ground_truth": bound})

    assert (well.verdict, broken.verdict) == ("healthy", "drift")
    assert "bounds alone" in well.notes[0]
    assert well.report["model_quality"]["reference"]["origin"] == "none"
    assert "Later windows" not in well.page
    jsonschema.validate(well.report, SCHEMA)


def test_captures_bring_their_predictions_with_them(tmp_path: Path) -> None:
    now = people(1500, 4, unfair=0.4)
    rows = zip(now["age"], now["sex"], now["said"], now["chance"], strict=True)
    lines = [capture_line((a, s), f"{said},{chance}") for a, s, said, chance in rows]
    (tmp_path / "captured.jsonl").write_text("\n".join(lines))

    found = check(tmp_path / "captured.jsonl", people(3000, 1), request=QUALITY)

    assert any("disparate impact" in sentence for sentence in found.findings)
    assert found.report["model_quality"]["labels"]["labelled"] == 0


def test_captures_that_hold_attributions_are_judged_by_them(tmp_path: Path) -> None:
    now, source = features(people(400, 2)), random.Random(5)
    rows = zip(now["age"], now["sex"], strict=True)
    lines = [
        capture_line(row, f"0.5,{source.gauss(0.1, 0.05)},{source.gauss(0.8, 0.05)}")
        for row in rows
    ]
    (tmp_path / "captured.jsonl").write_text("\n".join(lines))
    outputs = {"age": "prediction.1", "sex": "prediction.2"}
    request = {
        "attribution": {
            "source": "captured",
            "outputs": outputs,
            "baseline": {"age": 0.9, "sex": 0.05},
        }
    }

    found = check(tmp_path / "captured.jsonl", TRAIN, request=request)
    table = check(now, TRAIN, request=request)

    assert found.drifted
    assert found.report["attribution"]["rows"] == 400
    jsonschema.validate(found.report, SCHEMA)
    assert "attribution: answers of captures hold it" in table.notes[0]


def constraints(tmp_path: Path) -> Path:
    path = tmp_path / "constraints.json"
    document = suggested_constraints(baseline_from(TRAIN)).to_document()
    document["features"][1]["string_constraints"] = {"domains": ["m", "f"]}
    path.write_text(json.dumps(document))
    return path


def test_constraints_alone_check_what_they_say_and_tell_what_they_do_not(tmp_path: Path) -> None:
    path = constraints(tmp_path)
    rule: dict[str, Any] = {"policy": "model-monitor", "time": NOON}
    bad: Columns = {
        "age": [None if n % 3 == 0 else -1.0 if n % 2 else "x" for n in range(800)],
        "sex": ["d" if n % 4 == 0 else sex for n, sex in enumerate(NOW["sex"])],
    }
    bad["age"] = [None if age is None else str(age) for age in bad["age"]]

    well = check(NOW, path, **rule)
    broken = check(bad, path, **rule)
    missing = check({"age": NOW["age"], "id": NOW["age"]}, path, **rule)
    limited = check(NOW, path, **rule, effect_threshold=0.02)

    assert well.verdict == "healthy"
    assert "keep to the constraints in all 2 columns" in well.evaluation.summary
    assert "Distributions were not" in well.notes[0]
    assert "not by effect_threshold" in limited.notes[0]
    told = {(finding["column"], finding["test"]) for finding in broken.report["findings"]}
    assert told == {
        ("age", "completeness_check"),
        ("age", "data_type_check"),
        ("sex", "categorical_values_check"),
    }
    assert "age goes down to -1" in broken.notes[1]
    checks = {finding["test"] for finding in missing.report["findings"]}
    assert {"missing_column_check", "extra_column_check"} <= checks
    for found in (well, broken, missing):
        jsonschema.validate(found.report, SCHEMA)
        assert "files in" not in found.page


def test_constraints_alone_are_no_baseline_for_the_engines_own_tests(tmp_path: Path) -> None:
    path = constraints(tmp_path)

    with pytest.raises(BaselineInvalid, match=r"holds constraints alone.*statistics\.json"):
        check(NOW, path)
    assert baseline_from(path, label_column="sex").names == ("age",)
    with pytest.raises(BaselineInvalid, match="no column 'sexx' to leave out"):
        baseline_from(path, label_column="sexx")
    kept = baseline_from(path)
    assert type(kept).from_document(kept.to_document(), "stored") == kept


def test_statistics_beside_constraints_judge_distributions_too(tmp_path: Path) -> None:
    constraints(tmp_path)
    statistics = baseline_statistics(baseline_from(TRAIN))
    (tmp_path / "statistics.json").write_text(json.dumps(statistics))
    older = {**NOW, "age": [age + 20 for age in NOW["age"]]}

    found = check(older, tmp_path)
    theirs = check(older, tmp_path, policy="model-monitor")

    assert found.features == theirs.features == ("age",)
    assert theirs.report["model_monitor"]["decides"]


def wobbling(hours: range, *, rows: int = 60) -> Columns:
    """Traffic whose level differs from hour to hour."""
    source = random.Random(len(hours))
    columns: Columns = {"level": [], "time": []}
    for hour in hours:
        centre = source.gauss(0, 0.5)
        columns["level"] += [round(source.gauss(centre, 1), 3) for _ in range(rows)]
        columns["time"] += [f"2026-03-{1 + hour // 24:02}T{hour % 24:02}:30:00Z"] * rows
    return columns


def test_a_day_is_held_against_days_and_an_hour_against_hours() -> None:
    """Ordinary days differ by less than ordinary hours, so a smaller shift of a day counts."""
    train = baseline_from(wobbling(range(24 * 24)), time_column="time")
    source, day = random.Random(7), wobbling(range(576, 600))
    hour = {
        "level": [round(source.gauss(1, 1), 3) for _ in day["level"]],
        "time": day["time"][:1] * len(day["time"]),
    }
    moved = {**day, "level": [level + 1 for level in day["level"]]}
    torn = {**moved, "time": ["yesterday"] * len(day["time"])}

    verdicts = [
        check(now, train, time_column="time", time=NOON).verdict for now in (day, moved, hour, torn)
    ]

    assert verdicts == ["healthy", "drift", "healthy", "healthy"]
    assert check(day, train, time_column="time").report["window"] == {
        "start": "2026-03-25T00:00:00Z",
        "end": "2026-03-26T00:00:00Z",
        "complete": True,
    }
