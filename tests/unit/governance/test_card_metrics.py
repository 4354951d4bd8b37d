"""Files that Clarify and Model Monitor write, as a model card shows them."""

from __future__ import annotations

import pytest

from mlops_framework.contracts.model_cards.content import MetricGroup
from mlops_framework.governance.card_metrics import MetricsUnreadable, metric_groups


def metrics(kind, document) -> dict:
    """Name of each metric to type and value, over all groups; each group fits into a card."""
    groups = metric_groups(kind, document)
    for group in groups:
        MetricGroup.model_validate(group)
    return {
        metric["name"]: (metric["type"], metric["value"])
        for group in groups
        for metric in group["metric_data"]
    }


def test_the_quality_of_a_regression_with_and_without_deviation() -> None:
    document = {
        "regression_metrics": {
            "mae": {"value": 1.5, "standard_deviation": 0.1},
            "r2": {"value": 0.9, "standard_deviation": "NaN"},
        }
    }

    assert metrics("regression", document) == {
        "mae": ("number", 1.5),
        "mae - standard deviation": ("number", 0.1),
        "r2": ("number", 0.9),
    }


def test_a_binary_classifier_has_its_matrix_and_both_curves() -> None:
    document = {
        "binary_classification_metrics": {
            "confusion_matrix": {"0": {"0": 50, "1": 5}, "1": {"1": 40, "0": 3}},
            "auc": {"value": 0.97, "standard_deviation": "NaN"},
            "receiver_operating_characteristic_curve": {
                "false_positive_rates": [0.0, 0.1],
                "true_positive_rates": [0.0, 0.9],
            },
            "precision_recall_curve": {"precisions": [1.0, 0.8], "recalls": [0.1, 0.9]},
        }
    }

    found = metrics("binary_classification", document)

    assert found["confusion_matrix"] == ("matrix", [[50, 5], [3, 40]])
    assert found["receiver_operating_characteristic_curve"] == (
        "linear_graph",
        [[0.0, 0.0], [0.1, 0.9]],
    )
    assert found["precision_recall_curve"] == ("linear_graph", [[0.1, 1.0], [0.9, 0.8]])
    assert found["auc"] == ("number", 0.97)


def test_every_section_of_a_multiclass_file_is_read() -> None:
    document = {
        "multiclass_classification_metrics": {
            "accuracy": {"value": 0.6, "standard_deviation": 0.0},
            "weighted_f1": {"value": 0.5, "standard_deviation": 0.0},
        }
    }

    assert {"accuracy", "weighted_f1"} <= metrics("multiclass_classification", document).keys()


def test_explanations_have_shap_values_and_partial_dependence() -> None:
    document = {
        "explanations": {
            "kernel_shap": {"label0": {"global_shap_values": {"age": 0.3, "sex": 0.1}}},
            "pdp": [
                {
                    "feature_name": "age",
                    "data_type": "numerical",
                    "feature_values": [20, 40],
                    "data_distribution": [0.5, 0.5],
                    "label_headers": ["income"],
                    "model_predictions": [[0.1, 0.7]],
                },
                {
                    "feature_name": "sex",
                    "data_type": "categorical",
                    "feature_values": ["f", "m"],
                    "label_headers": ["income"],
                    "model_predictions": [[0.4, 0.6]],
                },
            ],
        }
    }

    found = metrics("clarify_explainability", document)

    assert found["age"] == ("number", 0.3)
    assert found["age: prediction of income"] == ("linear_graph", [[20, 0.1], [40, 0.7]])
    assert found["sex: prediction of income"] == ("bar_chart", [0.4, 0.6])


def test_a_file_in_the_cards_own_form_is_taken_as_it_is() -> None:
    document = {
        "metric_groups": [
            {"name": "g", "metric_data": [{"name": "n", "type": "string", "value": "good"}]}
        ]
    }

    assert metrics("model_card_metric_schema", document) == {"n": ("string", "good")}


@pytest.mark.parametrize(
    ("kind", "document", "said"),
    [
        ("regression", [], "no JSON object"),
        ("regression", {"binary_classification_metrics": {}}, "no object regression_metrics"),
        ("clarify_bias", {"explanations": {}}, "no bias metrics"),
        ("clarify_explainability", {"explanations": 1}, "no object explanations"),
        ("clarify_explainability", {"explanations": {}}, "no metric"),
        ("binary_classification", {"binary_classification_metrics": {"auc": 1}}, "another form"),
        ("model_card_metric_schema", {"metrics": []}, "no list metric_groups"),
    ],
)
def test_a_file_of_another_kind_says_what_was_looked_for(kind, document, said) -> None:
    with pytest.raises(MetricsUnreadable, match=said):
        metric_groups(kind, document)
