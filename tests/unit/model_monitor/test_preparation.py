"""Clarify's configuration, completed with what a request need not say."""

from __future__ import annotations

import json

import pytest

from mlops_framework.model_monitor.errors import AnalysisInvalid

ANALYSIS, FOLDER, DATA = "s3://artifacts/analysis.json", "s3://data/baseline/1", "s3://data/t.csv"


def analysis(**more) -> str:
    document = {
        "version": 1,
        "headers_of": DATA,
        "model_of": "",
        "baseline": {"label": 0, "dataset_type": "text/csv"},
        "monitor": {"predictor": {"instance_type": "ml.m5.large"}},
    }
    return json.dumps(document | more)


@pytest.fixture
def prepared(world):
    """Completes an analysis; the two documents that were written."""

    def run(**more):
        world.files |= {ANALYSIS: analysis(**more), DATA: "label,age,hours\n1,40,38\n"}
        written = world.preparation().prepare(ANALYSIS, FOLDER)
        return [json.loads(world.files[written[name]]) for name in ("baseline", "monitor")]

    return run


def test_captures_have_no_header_row_so_runs_are_told_the_columns_without_the_label(
    prepared,
) -> None:
    baseline, monitor = prepared()

    assert monitor["headers"] == ["age", "hours"]
    assert "headers" not in baseline


def test_a_monitor_that_joins_the_truth_is_told_the_label_too(prepared) -> None:
    _, monitor = prepared(monitor={"label": 0})

    assert monitor == {"label": "label", "headers": ["label", "age", "hours"]}


def test_the_model_is_looked_up_at_the_endpoint_where_the_request_names_none(
    prepared, world
) -> None:
    world.models["income"] = "income-model-2"

    baseline, monitor = prepared(model_of="income")

    assert baseline["predictor"]["model_name"] == "income-model-2"
    assert monitor["predictor"] == {"instance_type": "ml.m5.large", "model_name": "income-model-2"}


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (7, "label is 7, a position behind the last. The baseline data has the columns label, age"),
        ("income", "label is 'income', which is no column. The baseline data has the columns"),
    ],
)
def test_a_label_that_is_no_column_is_refused_with_the_columns_that_are_there(
    prepared, label, said
) -> None:
    with pytest.raises(AnalysisInvalid, match=said):
        prepared(baseline={"label": label})


def test_an_analysis_that_is_gone_or_of_another_version_says_what_to_do(prepared, world) -> None:
    with pytest.raises(AnalysisInvalid, match="send the request again"):
        world.preparation().prepare(ANALYSIS, FOLDER)
    with pytest.raises(AnalysisInvalid, match="version 2, this code reads 1"):
        prepared(version=2)


def test_data_without_a_header_row_asks_for_the_headers(world) -> None:
    world.files |= {ANALYSIS: analysis(), DATA: ""}

    with pytest.raises(AnalysisInvalid, match="header row of CSV; give headers"):
        world.preparation().prepare(ANALYSIS, FOLDER)
