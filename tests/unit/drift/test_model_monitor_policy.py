"""The policy `model-monitor`: its checks, its thresholds, its verdict and its files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from typing import Any

import jsonschema
import numpy as np
import pytest
from pydantic import ValidationError

from mlops_framework.blueprints.drift_monitor.contract import DriftMonitorRequest
from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.errors import BaselineInvalid, MonitorFileInvalid
from mlops_framework.drift.model_monitor_files import Constraints, FeatureConstraints
from mlops_framework.drift.model_monitor_files.constraints import MonitoringSettings
from mlops_framework.drift.model_monitor_files.schemas import Name, schema
from mlops_framework.drift.model_monitor_policy.checks import Checked, checks_of
from mlops_framework.drift.model_monitor_policy.distances import less_chance
from mlops_framework.drift.model_monitor_policy.preparing import prepared
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.report_html import report_page
from mlops_framework.drift.report_model_monitor import model_monitor_page
from mlops_framework.drift.sample import Sample
from mlops_framework.drift.slow_drift_watch import SlowDriftWatcher
from mlops_framework.drift.tally import counted
from mlops_framework.drift.values import Numbers, Values, texts_of
from mlops_framework.testing.drift import MONITOR, InMemoryBucket, capture_line
from tests.unit.drift.conftest import Row, rows_of
from tests.unit.drift.test_service import World

RULED = replace(MONITOR, label_column="label", policy="model-monitor")
PLACE = f"drift/{MONITOR.name}/reports/model-monitor/{MONITOR.name}/drift-monitor"
ROWS = 2000
REPORT = json.loads(
    resources.files("mlops_framework.drift").joinpath("report.schema.json").read_text("utf-8")
)


def numbers(*, shift: float = 0.0, missing: int = 0, rows: int = ROWS) -> Numbers:
    values = np.random.default_rng(7).normal(shift, 1, rows)
    values[:missing] = np.nan
    return Numbers(values)


def whole(*, fractions: int = 0) -> Numbers:
    values = np.arange(float(ROWS))
    values[:fractions] += 0.5
    return Numbers(values)


def texts(**counts: int) -> Values:
    return texts_of([text for text, count in counts.items() for _ in range(count)])


def window_of(baseline: Baseline, columns: Mapping[str, Values], **members: Any) -> Profile:
    counts = tuple(counted(spec, columns[spec.name]) for spec in baseline.specs)
    return replace(Profile.empty(baseline), columns=counts, **members)


def checked(
    before: Values, now: Values, *, settings: MonitoringSettings | None = None, **rule: Any
) -> dict[str, Checked]:
    """The checks of one column `x`, by name; `rule` changes what its constraints say."""
    baseline = prepared(RULED, Baseline.of_columns({"x": before}, source="test"), InMemoryBucket())
    assert baseline.constraints is not None
    feature = replace(
        baseline.constraints.features[0], **rule, **({"settings": settings} if settings else {})
    )
    constraints = Constraints((feature,), baseline.constraints.settings)
    found = checks_of(constraints, baseline, window_of(baseline, {"x": now}))
    return {one.check: one for one in found}


def test_a_window_like_the_training_data_breaks_no_rule() -> None:
    for before, now in [
        (numbers(), numbers()),
        (whole(), whole()),
        (texts(a=500, b=500), texts(b=400, a=400)),
    ]:
        assert not any(one.violated for one in checked(before, now).values())


def test_the_robust_distance_is_what_chance_does_not_explain() -> None:
    rows = 1000
    found = checked(numbers(), numbers(shift=1.0, rows=rows))["baseline_drift_check"]

    largest = math.erf(0.5 / math.sqrt(2))  # of two normals one standard deviation apart
    chance = 1.8 * math.sqrt((ROWS + rows) / (ROWS * rows))
    assert found.observed == pytest.approx(largest - chance, abs=0.03)
    assert found.violated
    assert found.description.startswith("Numerical distance: 0.3")
    assert found.description.endswith("exceeds numerical threshold: 0.1")


def test_the_simple_distance_grants_nothing_to_chance_and_few_rows_trip_it() -> None:
    few = Numbers(numbers().values[:40])
    simple = MonitoringSettings(method="Simple")

    assert checked(numbers(), few, settings=simple)["baseline_drift_check"].violated
    assert not checked(numbers(), few)["baseline_drift_check"].violated
    assert less_chance(0.2, 40, ROWS, "Simple") == 0.2
    assert less_chance(0.2, 40, ROWS, "Robust") == 0.0


def test_repeated_values_are_compared_by_how_often_they_occur() -> None:
    def flags(ones: int) -> Numbers:
        return Numbers(np.array([1.0] * ones + [0.0] * (ROWS - ones)))

    found = checked(flags(600), flags(1200))["baseline_drift_check"]

    assert found.observed == pytest.approx(0.3 - 1.8 * math.sqrt(2 / ROWS))
    assert found.violated


def test_texts_are_compared_by_the_share_of_each_known_or_new() -> None:
    before = texts(a=1000, b=1000)

    shifted = checked(before, texts(a=700, b=300))["baseline_drift_check"]
    new = checked(before, texts(a=300, b=300, c=400))["baseline_drift_check"]

    chance = 1.8 * math.sqrt((2000 + 1000) / (2000 * 1000))
    assert shifted.observed == pytest.approx(0.2 - chance)
    assert new.observed == pytest.approx(0.4 - chance)
    assert new.description.startswith("Categorical distance: ")


def test_chi_squared_is_a_p_value_and_categories_expected_too_seldom_are_joined() -> None:
    settings = MonitoringSettings(categorical_method="ChiSquared", categorical_threshold=0.05)
    before = texts(a=1000, b=900, c=90, d=10)

    same = checked(before, texts(a=100, b=90, c=9, d=1), settings=settings)
    other = checked(before, texts(a=60, b=120, c=19, d=1), settings=settings)

    assert same["baseline_drift_check"].observed == pytest.approx(1.0)
    assert not same["baseline_drift_check"].violated
    # Expected of 200: 100, 90, 9, 1; a fifth of four cells may be below five, one cell is not.
    assert other["baseline_drift_check"].violated
    assert "p-value" in other["baseline_drift_check"].description


def test_one_category_has_nothing_to_compare_by_chi_squared() -> None:
    settings = MonitoringSettings(categorical_method="ChiSquared")

    assert "baseline_drift_check" not in checked(texts(a=99), texts(a=9), settings=settings)


def test_fractions_in_a_column_of_whole_numbers_are_of_the_wrong_type() -> None:
    found = checked(whole(), whole(fractions=20))["data_type_check"]

    assert found.violated
    assert found.description == (
        "Data type match requirement is not met. Expected data type: Integral, Expected match: "
        "100.0%. Observed: Only 99.0% of data is Integral."
    )
    tolerant = MonitoringSettings(datatype_threshold=0.98)
    assert not checked(whole(), whole(fractions=20), settings=tolerant)["data_type_check"].violated


def test_whole_numbers_in_a_column_of_fractions_are_numbers_and_words_are_not() -> None:
    words = texts_of(["1"] * 90 + ["many"] * 10)

    assert not checked(numbers(), whole())["data_type_check"].violated
    assert checked(numbers(), words)["data_type_check"].observed == 0.9


def test_completeness_is_held_against_the_training_datas_own_exactly() -> None:
    before = numbers(missing=20)

    assert not checked(before, numbers(missing=20))["completeness_check"].violated
    assert checked(before, numbers(missing=21))["completeness_check"].violated
    relaxed = checked(before, numbers(missing=21), completeness=0.9)
    assert not relaxed["completeness_check"].violated


def test_values_outside_of_the_domain_count_against_its_threshold() -> None:
    before = texts(a=500, b=500)
    now = texts(a=95, z=5)

    assert checked(before, now)["categorical_values_check"].observed == 0.95
    assert checked(before, now)["categorical_values_check"].violated
    tolerant = MonitoringSettings(domain_threshold=0.9)
    assert not checked(before, now, settings=tolerant)["categorical_values_check"].violated
    widened = checked(before, now, domains=("a", "b", "z"))
    assert not widened["categorical_values_check"].violated


def test_codes_may_have_a_domain_written_as_text() -> None:
    before = Numbers(np.array([0.0, 1.0] * 500))

    found = checked(before, Numbers(np.array([0.0, 1.0, 2.0, 1.0])), domains=("0", "1.0"))

    assert found["categorical_values_check"].observed == 0.75


def test_what_is_switched_off_is_not_checked() -> None:
    off = MonitoringSettings(evaluate=False)
    uncompared = MonitoringSettings(compare=False)

    assert set(checked(numbers(), numbers(shift=9), settings=off)) == {
        "missing_column_check",
        "extra_column_check",
    }
    assert "baseline_drift_check" not in checked(numbers(), numbers(), settings=uncompared)


def test_columns_that_are_gone_or_new_are_told_in_numbers() -> None:
    baseline = prepared(
        RULED,
        Baseline.of_columns({"x": numbers(), "y": numbers()}, source="test"),
        InMemoryBucket(),
    )
    assert baseline.constraints is not None
    gone = window_of(baseline, {"x": numbers(), "y": numbers(missing=ROWS)})
    new = window_of(
        baseline,
        {"x": numbers(), "y": numbers()},
        unexpected=Sample(32).added({"z": 5, "w": 1}),
    )
    wide = window_of(
        baseline, {"x": numbers(), "y": numbers()}, unreadable={"field-count": ROWS // 10}
    )

    said = {
        name: [
            (one.violation.feature, one.description)
            for one in checks_of(baseline.constraints, baseline, window)
            if one.violated and one.measure == "columns"
        ]
        for name, window in (("gone", gone), ("new", new), ("wide", wide))
    }

    count = "Number of columns in current dataset"
    limit = "Number of columns in baseline constraints: 2"
    assert said["gone"] == [
        ("Missing columns", f"There are missing columns in current dataset. {count}: 1, {limit}")
    ]
    assert said["new"] == [
        ("Extra columns", f"There are extra columns in current dataset. {count}: 4, {limit}")
    ]
    assert "200 rows in current dataset have another number of columns" in said["wide"][0][1]


def test_columns_of_the_constraints_that_are_not_watched_are_passed_over() -> None:
    baseline = Baseline.of_columns({"x": numbers()}, source="test")
    label = FeatureConstraints("label", "Integral", 1.0)
    constraints = Constraints((label, FeatureConstraints("x", "Fractional", 1.0)))

    found = checks_of(constraints, baseline, window_of(baseline, {"x": numbers()}))

    assert {one.column for one in found} == {"x", ""}
    assert not any(one.violated for one in found)


def constraints_at(world: World, document: Any) -> None:
    key = world.config.constraints_location.removeprefix(f"s3://{world.config.data_bucket}/")
    text = document if isinstance(document, str) else json.dumps(document)
    world.bucket.objects[world.config.data_bucket, key] = text


GIVEN = replace(RULED, constraints_location=f"s3://{RULED.data_bucket}/their/constraints.json")


def test_constraints_of_other_columns_are_refused_when_the_baseline_is_built() -> None:
    world = World(GIVEN)
    other = Constraints((FeatureConstraints("height", "Fractional", 1.0),))
    constraints_at(world, other.to_document())

    with pytest.raises(MonitorFileInvalid, match=r"is about height; the baseline .* has income"):
        world.drift.build_baseline(world.config.name)


def test_constraints_that_are_no_json_are_refused_by_place() -> None:
    world = World(GIVEN)
    constraints_at(world, "not json")

    with pytest.raises(MonitorFileInvalid, match=r"s3://.*constraints\.json is not JSON"):
        world.drift.build_baseline(world.config.name)


def watched(world: World, rows: list[Row], hour: int = 10) -> dict[str, Any]:
    """The report of a window with these rows."""
    world.drift.build_baseline(world.config.name)
    world.capture(f"2026-03-01T{hour}:05:00Z", rows)
    world.evaluate(f"2026-03-01T{hour + 1}:20:00Z")
    return report(world, hour)


def report(world: World, hour: int) -> dict[str, Any]:
    key = f"drift/{world.config.name}/reports/2026/03/01/{hour}00/report.json"
    document = json.loads(world.bucket.objects[world.config.data_bucket, key])
    assert isinstance(document, dict)
    jsonschema.Draft202012Validator(REPORT).validate(document)
    return document


def file(world: World, name: str, hour: int = 10, place: str = PLACE) -> Any:
    text = world.bucket.objects[world.config.data_bucket, f"{place}/2026/03/01/{hour}/{name}"]
    return json.loads(text)


def test_the_verdict_is_model_monitors_where_its_policy_is_asked_for() -> None:
    quiet = watched(World(RULED), rows_of(400, 2, green=0.55))
    drifted = watched(World(RULED), rows_of(400, 2, shift=20))

    assert quiet["verdict"] == "healthy"
    assert quiet["model_monitor"]["status"] == "Completed"
    assert drifted["verdict"] == "drift"
    assert drifted["features"] == ["income"]
    assert drifted["findings"][0]["test"] == "baseline_drift_check"
    assert drifted["model_monitor"]["status"] == "CompletedWithViolations"
    assert drifted["model_monitor"]["decides"]


def test_it_judges_windows_that_are_too_small_for_the_engines_own_tests() -> None:
    assert watched(World(RULED), rows_of(50, 2, shift=90))["verdict"] == "drift"


def test_files_may_be_had_without_the_verdict() -> None:
    # A shift of a quarter of a standard deviation: significant, and below Model Monitor's 0.1.
    files = World(replace(RULED, policy="standard", model_monitor_files=True))
    said = watched(files, rows_of(2000, 2, shift=3.3))

    assert said["verdict"] == "drift"
    assert not said["model_monitor"]["decides"]
    assert said["model_monitor"]["status"] == "Completed"
    assert file(files, "constraint_violations.json") == {"violations": []}


def test_the_three_files_lie_where_model_monitor_puts_them_and_are_as_its_schemas_say() -> None:
    world = World(replace(RULED, monitoring_schedule_name="hourly"))
    said = watched(world, rows_of(400, 2, shift=20))
    place = PLACE.replace("drift-monitor", "hourly")

    names: tuple[Name, ...] = ("statistics", "constraints", "constraint_violations")
    for name in names:
        document = file(world, f"{name}.json", place=place)
        jsonschema.Draft202012Validator(schema(name)).validate(document)
    violations = file(world, "constraint_violations.json", place=place)["violations"]
    assert [entry["feature_name"] for entry in violations] == ["income"]
    assert said["model_monitor"]["violations"] == violations
    page, own = report_page(said), model_monitor_page(said["model_monitor"])
    assert own in page
    assert all(word in own for word in ("income", "baseline_drift_check", "Numerical distance"))
    assert "By Model Monitor&#x27;s own rules" in page
    assert said["model_monitor"]["files"] == (
        f"s3://{world.config.data_bucket}/{place}/2026/03/01/10"
    )


def test_a_window_without_traffic_has_no_files_and_stays_a_finding() -> None:
    world = World(RULED)
    watched(world, rows_of(400, 2))
    world.evaluate("2026-03-01T13:20:00Z")

    assert report(world, 12)["verdict"] == "no-data"
    assert "model_monitor" not in report(world, 12)


def test_the_constraints_thresholds_decide() -> None:
    loose = MonitoringSettings(threshold=0.9, categorical_threshold=0.9)
    features = tuple(
        FeatureConstraints(name, kind, 0.5, settings=loose)
        for name, kind in (("income", "Fractional"), ("children", "Integral"), ("colour", "String"))
    )
    world = World(GIVEN)
    constraints_at(world, Constraints(features, loose).to_document())

    assert watched(world, rows_of(400, 2, shift=20))["verdict"] == "healthy"


def test_a_monitor_that_does_not_ask_has_the_baseline_it_always_had() -> None:
    plain = World(replace(RULED, policy="standard"))
    ruled = World(RULED)

    plain_id = plain.drift.build_baseline(plain.config.name)
    ruled_id = ruled.drift.build_baseline(ruled.config.name)

    assert plain_id.constraints is None
    assert not any(spec.whole for spec in plain_id.specs)
    assert [spec.whole for spec in ruled_id.specs] == [False, True, False]


def test_an_unreadable_window_stays_a_finding_though_model_monitor_has_no_such_check() -> None:
    world = World(RULED)
    world.drift.build_baseline(world.config.name)
    time = "2026-03-01T10:05:00Z"
    lines = [capture_line(row, time=time) for row in rows_of(300, 2)]
    world.capture_lines(time, [*lines, *["{broken"] * 60])
    world.evaluate("2026-03-01T11:20:00Z")

    said = report(world, 10)
    assert said["model_monitor"]["status"] == "Completed"
    assert said["verdict"] == "drift"


def test_constraints_that_nobody_would_read_are_refused_in_the_request() -> None:
    body = {
        "pipeline_type": "drift-monitor",
        "model_name": "employment",
        "endpoint_name": "employment",
        "baseline_data": "s3://mlops-test-data/train.csv",
        "constraints_location": "s3://mlops-test-data/constraints.json",
    }

    with pytest.raises(ValidationError, match="only Model Monitor's rules read it"):
        DriftMonitorRequest.model_validate(body)
    for asking in ({"policy": "model-monitor"}, {"model_monitor_files": True}):
        assert DriftMonitorRequest.model_validate(body | asking).constraints_location


def alone(**settings: Any) -> World:
    """A monitor that knows nothing but constraints, and sees whether traffic drifts slowly."""
    place = f"s3://{RULED.data_bucket}/job/"
    world = World(replace(RULED, baseline_data=place, label_column="", slow_drift=True, **settings))
    features = (
        FeatureConstraints("income", "Fractional", 1.0),
        FeatureConstraints("children", "Integral", 1.0),
        FeatureConstraints("colour", "String", 1.0, domains=("red", "blue", "green")),
    )
    document = Constraints(features).to_document()
    world.bucket.objects[RULED.data_bucket, "job/constraints.json"] = json.dumps(document)
    world.drift = replace(world.drift, watchers=(SlowDriftWatcher(world.bucket),))
    return world


def test_constraints_alone_are_a_baseline_for_model_monitors_rules() -> None:
    def row(number: int) -> Row:
        return (float(number), 1, "violet" if number % 2 else "red")

    quiet, broken = alone(), alone()
    said = watched(quiet, rows_of(400, 2))
    told = watched(broken, [row(number) for number in range(400)])

    assert said["verdict"] == "healthy"
    assert "keep to the constraints" in said["summary"]
    assert told["features"] == ["colour"]
    assert told["findings"][0]["test"] == "categorical_values_check"
    kept = file(broken, "constraints.json")
    assert [feature["name"] for feature in kept["features"]] == ["income", "children", "colour"]
    jsonschema.Draft202012Validator(schema("statistics")).validate(file(quiet, "statistics.json"))
    jsonschema.validate(told, REPORT)
    assert "no distributions" not in report_page(told)


def test_constraints_alone_are_refused_where_the_engines_own_rule_is_to_judge() -> None:
    world = alone()
    strict = World(replace(world.config, policy="standard"), bucket=world.bucket)

    with pytest.raises(BaselineInvalid, match="holds constraints alone") as caught:
        strict.drift.build_baseline(strict.config.name)
    assert "policy: model-monitor" in str(caught.value)
