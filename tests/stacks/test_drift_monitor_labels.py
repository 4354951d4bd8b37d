"""What a drift monitor's template becomes: with labels, and in the drift service's own reading."""

from __future__ import annotations

import json
from typing import Any

from mlops_framework.drift.config import MonitorConfig
from tests.stacks.conftest import Synthesized
from tests.stacks.deployed import Deployed

BODY = {
    "pipeline_type": "drift-monitor",
    "model_name": "churn",
    "endpoint_name": "churn",
    "baseline_data": "s3://my-data/train.csv",
}
TRUTH: dict[str, Any] = {
    "ground_truth_location": {"dev": "s3://my-data/labels/churn/", "prod": ""},
    "ground_truth": {"problem_type": "BinaryClassification", "probability_attribute": "0"},
}


def deployed(dev: Synthesized, stage: str, **more: Any) -> Deployed:
    return Deployed(dev.blueprints["drift-monitor"], {**BODY, **more}, stage)


def label_rules(found: Deployed) -> list[dict[str, Any]]:
    return [rule for rule in found.all("AWS::Events::Rule") if "label" in rule["Description"]]


def test_new_labels_of_a_stage_go_to_the_drift_service_with_whose_they_are(
    dev: Synthesized,
) -> None:
    (rule,) = label_rules(deployed(dev, "dev", **TRUTH))
    assert rule["EventPattern"]["detail"] == {
        "bucket": {"name": ["my-data"]},
        "object": {"key": [{"prefix": "labels/churn/"}]},
    }
    (target,) = rule["Targets"]
    transformer = target["InputTransformer"]
    assert transformer["InputPathsMap"] == {"detail": "$.detail"}
    message = json.loads(transformer["InputTemplate"].replace("<detail>", '{"object": {}}'))
    assert message == {"labels_of": "churn", "detail": {"object": {}}}


def test_where_no_labels_arrive_there_is_no_rule_for_them(dev: Synthesized) -> None:
    assert label_rules(deployed(dev, "prod", **TRUTH)) == []
    assert label_rules(deployed(dev, "dev")) == []


def test_the_drift_service_reads_what_a_request_says_of_labels(dev: Synthesized) -> None:
    asked = {**TRUTH, "ground_truth": {**TRUTH["ground_truth"], "thresholds": {"accuracy": 0.75}}}
    found = deployed(dev, "dev", **asked).one("AWS::SSM::Parameter")
    text = found["Value"].replace("<", "").replace(">", "")
    document = json.loads(text) | {"data_bucket": "my-data", "capture_location": ""}
    config = MonitorConfig.from_document(document, "the template")
    assert config.ground_truth is not None
    assert config.ground_truth.thresholds == {"accuracy": 0.75}
    assert config.ground_truth_location == "s3://my-data/labels/churn/"


def test_the_drift_service_reads_whether_columns_have_metrics_of_their_own(
    dev: Synthesized,
) -> None:
    found = []
    for asked in ({}, {"column_metrics": True}):
        value = deployed(dev, "dev", **asked).one("AWS::SSM::Parameter")["Value"]
        document = json.loads(value.replace("<", "").replace(">", ""))
        document |= {"data_bucket": "my-data", "capture_location": ""}
        found.append(MonitorConfig.from_document(document, "the template").column_metrics)
    assert found == [False, True]


def test_a_monitor_of_one_model_has_a_name_of_its_own_everywhere(dev: Synthesized) -> None:
    found = deployed(
        dev, "dev", target_model="eu/churn.tar.gz", monitor_name={"dev": "churn-eu", "prod": ""}
    )
    parameter = found.one("AWS::SSM::Parameter")
    assert parameter["Name"].endswith("/churn-eu")
    document = json.loads(parameter["Value"].replace("<", "").replace(">", ""))
    document |= {"data_bucket": "my-data", "capture_location": ""}
    config = MonitorConfig.from_document(document, "the template")
    assert (config.name, config.endpoint_name) == ("churn-eu", "churn")
    assert config.target_model == "eu/churn.tar.gz"
    (rule,) = found.all("AWS::Events::Rule")
    assert rule["EventPattern"]["detail"]["object"]["key"] == [{"prefix": "captures/churn/"}]
    message = rule["Targets"][0]["InputTransformer"]["InputTemplate"]
    assert json.loads(message.replace("<detail>", "{}")) == {
        "captures_of": "churn-eu",
        "detail": {},
    }
    schedule = found.one("AWS::Scheduler::Schedule")["Target"]
    assert json.loads(schedule["Input"]) == {"monitor": "churn-eu"}
    for alarm in found.all("AWS::CloudWatch::Alarm"):
        assert {"Name": "Monitor", "Value": "churn-eu"} in alarm["Dimensions"]
    assert deployed(dev, "prod").one("AWS::SSM::Parameter")["Name"].endswith("/churn")
