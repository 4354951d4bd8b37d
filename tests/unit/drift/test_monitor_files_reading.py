"""Files of Model Monitor, whoever wrote them and in which year, become numbers to build on."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from mlops_framework.drift.baseline import Baseline, column_of
from mlops_framework.drift.errors import BaselineInvalid, MonitorFileInvalid
from mlops_framework.drift.model_monitor_files import (
    Constraints,
    NumberStatistics,
    Statistics,
    TextStatistics,
    UnknownStatistics,
    is_statistics,
)
from mlops_framework.drift.model_monitor_files.counted import baseline_statistics
from mlops_framework.drift.model_monitor_files.training import baseline_of
from mlops_framework.drift.values import Numbers, texts_of

SOURCE = "s3://data/baseline/statistics.json"


def numbers(name: str = "age", **members: Any) -> dict[str, Any]:
    """A column as the analyzer writes it: 6 rows, one missing, sketch of two levels."""
    statistics = {
        "common": {"num_present": 5, "num_missing": 1},
        "mean": 3.0,
        "sum": 15.0,
        "std_dev": 1.5,
        "min": 1.0,
        "max": 5.0,
        "distribution": {
            "kll": {
                "buckets": [{"lower_bound": 1.0, "upper_bound": 5.0, "count": 5.0}],
                "sketch": {"parameters": {"c": 0.64, "k": 2048.0}, "data": [[3.0], [1.0, 5.0]]},
            }
        },
    }
    return {
        "name": name,
        "inferred_type": "Integral",
        "numerical_statistics": statistics | members,
    }


def document(*features: dict[str, Any]) -> dict[str, Any]:
    return {"version": 0.0, "dataset": {"item_count": 6}, "features": list(features)}


def only(*features: dict[str, Any]) -> Any:
    return Statistics.from_document(document(*features), SOURCE).features[0]


def test_items_of_the_second_level_of_a_sketch_stand_for_two_rows() -> None:
    values, weights = only(numbers()).points()

    assert values.tolist() == [1.0, 3.0, 5.0]
    assert weights.tolist() == [2, 1, 2]


def test_equal_values_of_different_levels_add_up_instead_of_replacing_each_other() -> None:
    kll = {"sketch": {"data": [[0.0, 0.0, 1.0], [0.0]]}}
    column = only(numbers(distribution={"kll": kll}, min=0.0, max=1.0))

    values, weights = column.points()

    assert values.tolist() == [0.0, 1.0]
    assert weights.tolist() == [4, 1]


def test_a_column_is_expanded_to_its_rows_so_that_a_baseline_can_be_built_of_it() -> None:
    column = only(numbers())

    values = column.values().values
    built = column_of(column.name, column.values())

    assert np.nan_to_num(values, nan=-1).tolist() == [1, 1, 3, 5, 5, -1]
    assert (built.counts.records, built.counts.missing) == (6, 1)
    assert (built.counts.minimum, built.counts.maximum) == (1.0, 5.0)


def test_the_extremes_are_there_even_if_the_sketch_forgot_them() -> None:
    kll = {"sketch": {"data": [[], [2.0, 3.0, 4.0]]}}
    common = {"num_present": 6, "num_missing": 0}
    column = only(numbers(distribution={"kll": kll}, common=common, min=-7.0, max=90.0))

    values, weights = column.points()

    assert (values[0], values[-1]) == (-7.0, 90.0)
    assert weights.sum() == 6


def test_weights_add_up_to_the_rows_present_whatever_the_sketch_lost() -> None:
    kll = {"sketch": {"data": [[], [], [1.0, 2.0, 3.0]]}}
    common = {"num_present": 1000, "num_missing": 0}
    column = only(numbers(distribution={"kll": kll}, common=common, min=1.0, max=3.0))

    assert column.points()[1].tolist() == [334, 333, 333]


def test_without_a_sketch_the_buckets_stand_in_and_whole_numbers_stay_whole() -> None:
    buckets = [
        {"lower_bound": 0.0, "upper_bound": 10.0, "count": 300},
        {"lower_bound": 10.0, "upper_bound": 20.0, "count": 700},
    ]
    common = {"num_present": 1000, "num_missing": 0}
    column = only(numbers(distribution={"kll": {"buckets": buckets}}, common=common, max=20.0))

    values, weights = column.points()

    assert weights.sum() == 1000
    assert set(values.tolist()) <= set(range(21))
    assert weights[values < 10].sum() == pytest.approx(300, abs=20)


def test_sixty_million_rows_are_expanded_to_a_million_in_the_same_proportions() -> None:
    kll: dict[str, Any] = {"sketch": {"data": [[]] * 20 + [[1.0, 1.0, 2.0]]}}
    common = {"num_present": 45_000_000, "num_missing": 15_000_000}
    column = only(numbers(distribution={"kll": kll}, common=common, min=1.0, max=2.0))

    values = column.values().values

    assert len(values) == 1_000_000
    assert np.isnan(values).sum() == 250_000
    assert (values == 1.0).sum() == 500_000


def test_deequs_own_spelling_and_counts_as_floats_are_read() -> None:
    kll = {"parameters": [0.64, 2048.0], "data": [[1.0, 2.0]]}
    column = only(numbers(distribution={"kll": kll}, common={"num_present": 2.0}, mean="NaN"))

    assert column.levels == ((1.0, 2.0),)
    assert (column.present, column.missing, column.mean) == (2, 0, None)


def test_texts_keep_their_counts_and_tell_what_is_not_named() -> None:
    column = only(
        {
            "name": "flag",
            "inferred_type": "String",
            "string_statistics": {
                "common": {"num_present": 10, "num_missing": 2},
                "distinct_count": 5.0,
                "distribution": {
                    "categorical": {
                        "buckets": [{"value": "Y", "count": 6}, {"value": "N", "count": 3}]
                    }
                },
            },
        }
    )

    assert isinstance(column, TextStatistics)
    assert (column.counts, column.others, column.distinct) == ({"Y": 6, "N": 3}, 1, 5.0)
    texts = column.values()
    assert [texts.distinct[i] for i in texts.indices] == ["Y"] * 6 + ["N"] * 3 + ["", ""]


def test_a_column_without_values_is_known_by_name_only() -> None:
    column = only({"name": "empty", "inferred_type": "Unknown"})

    assert column == UnknownStatistics("empty", 0, 0)


def test_numbers_of_an_unknown_type_are_numbers() -> None:
    column = only(numbers() | {"inferred_type": "Unknown"})

    assert isinstance(column, NumberStatistics)
    assert column.inferred_type == "Fractional"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([1], "is [1]; accepted is a JSON object"),
        (
            {"version": 0.0, "binary_classification_metrics": {}},
            "holds binary_classification_metrics",
        ),
        ({"features": [{"inferred_type": "String"}]}, "features[0].name is absent"),
        (document(numbers(), numbers()), "names age more than once"),
        (document(numbers(mean="high")), 'numerical_statistics.mean is "high"; accepted'),
        (
            document(numbers(common={"num_present": -1})),
            "common.num_present is -1.0; accepted is a whole number from 0",
        ),
        (
            document(numbers(distribution={"kll": {"sketch": {"data": [["x"]]}}})),
            'sketch.data[0] is "x"; accepted is a list of numbers',
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(wrong: Any, said: str) -> None:
    with pytest.raises(MonitorFileInvalid) as refused:
        Statistics.from_document(wrong, SOURCE)

    assert str(refused.value).startswith(SOURCE)
    assert said in str(refused.value)


def test_a_statistics_file_is_told_from_constraints_and_from_our_own_baseline() -> None:
    assert is_statistics(document(numbers()))
    assert not is_statistics({"version": 0.0, "features": [{"name": "a"}]})
    assert not is_statistics({"kind": "mlops-drift-baseline", "features": [], "dataset": {}})


def constraints(monitoring: dict[str, Any], **feature: Any) -> Constraints:
    text = json.dumps(
        {
            "version": 0.0,
            "features": [{"name": "a", "inferred_type": "Fractional"} | feature],
            "monitoring_config": monitoring,
        }
    )
    return Constraints.from_document(json.loads(text), "constraints.json")


def test_constraints_without_settings_have_the_containers_defaults() -> None:
    settings = constraints({}).settings

    assert (settings.datatype_threshold, settings.domain_threshold) == (1.0, 1.0)
    assert (settings.threshold, settings.method) == (0.1, "Robust")
    assert settings.categorical_method == "LInfinity"


@pytest.mark.parametrize(
    "comparison",
    [
        {"enable_comparisons": False, "min_domain_mass": 0.9, "comparion_method": "Simple"},
        {
            "perform_comparison": "Disabled",
            "domain_content_threshold": 0.9,
            "comparison_method": "linf_simple",
        },
    ],
    ids=["older", "newer"],
)
def test_older_and_newer_spellings_mean_the_same(comparison: dict[str, Any]) -> None:
    settings = constraints({"distribution_constraints": comparison}).settings

    assert (settings.compare, settings.domain_threshold, settings.method) == (False, 0.9, "Simple")


@pytest.mark.parametrize(
    "feature",
    [
        {"monitoring_config_overrides": {"evaluate_constraints": "Disabled"}},
        {"monitoringConfigOverrides": {"evaluate_constraints": "Disabled"}},
        {
            "string_constraints": {
                "domains": ["x"],
                "monitoring_config_overrides": {"evaluate_constraints": "Disabled"},
            }
        },
    ],
    ids=["files", "documentation", "of a type"],
)
def test_a_column_overrides_the_files_settings(feature: dict[str, Any]) -> None:
    read = constraints({"datatype_check_threshold": 0.8}, **feature)

    assert read.settings.evaluate
    assert not read.features[0].settings.evaluate
    assert read.features[0].settings.datatype_threshold == 0.8


def test_what_is_read_is_written_back() -> None:
    feature = {
        "completeness": 0.98,
        "num_constraints": {"is_non_negative": True},
        "monitoring_config_overrides": {"distribution_constraints": {"comparison_threshold": 0.3}},
    }
    read = constraints({"evaluate_constraints": "Enabled"}, **feature)

    again = Constraints.from_document(read.to_document(), "constraints.json")

    assert again == read
    assert again.features[0].settings.threshold == 0.3
    assert read.to_document()["monitoring_config"]["datatype_check_threshold"] == 1.0


def test_an_unknown_method_is_refused_with_what_is_accepted() -> None:
    with pytest.raises(MonitorFileInvalid, match='comparison_method is "KS"; accepted is Robust'):
        constraints({"distribution_constraints": {"comparison_method": "KS"}})


def test_a_baseline_is_made_of_statistics_alone_and_counts_what_they_counted() -> None:
    source = np.random.default_rng(3)
    columns = {
        "gone": Numbers(np.full(5000, np.nan)),
        "income": Numbers(source.normal(40, 9, 5000)),
        "children": Numbers(source.poisson(2, 5000).astype(float)),
        "colour": texts_of(source.choice(["red", "blue"], 5000).tolist()),
        "label": Numbers(np.ones(5000)),
    }
    before = Baseline.of_columns(columns, source="training data")
    statistics = Statistics.from_document(baseline_statistics(before), SOURCE)

    after = baseline_of(statistics, source=SOURCE, without=["label"])

    assert after.names == ("gone", "income", "children", "colour")
    assert [each.spec.kind for each in after.columns] == [
        each.spec.kind for each in before.columns[:4]
    ]
    assert (after.rows, after.source) == (5000, SOURCE)
    assert after.columns[2].counts.cells == before.columns[2].counts.cells
    assert sorted(after.columns[3].counts.cells) == sorted(before.columns[3].counts.cells)
    income = after.columns[1]
    assert income.counts.mean(income.spec.centre) == pytest.approx(40, abs=0.5)


def test_statistics_of_nothing_make_no_baseline() -> None:
    statistics = Statistics.from_document(document(numbers("label")), SOURCE)

    with pytest.raises(BaselineInvalid, match=r"no columns other than label"):
        baseline_of(statistics, source=SOURCE, without=["label"])
