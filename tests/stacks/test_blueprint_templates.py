"""What the blueprints' templates promise, and how they fit the platform."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
import pytest

from mlops_framework import naming
from mlops_framework.blueprints.drift_monitor.contract import DriftMonitorRequest
from mlops_framework.contracts.parameters import template_parameters, values_for
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.registry import Registry
from tests.stacks.conftest import (
    ANALYZERS,
    KINDS,
    PLATFORM,
    Synthesize,
    Synthesized,
    properties,
    resources,
)
from tests.stacks.deployed import Deployed


def test_no_kind_is_left_out_of_these_tests() -> None:
    brought = [
        blueprint.kind
        for blueprint in Registry.discover().blueprints
        if blueprint.stack.startswith("mlops_framework.")
    ]

    assert sorted(brought) == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_takes_exactly_the_contracts_parameters(dev: Synthesized, kind: str) -> None:
    contract = Registry.discover().get(kind).request
    given = {
        name
        for name, parameter in dev.blueprints[kind]["Parameters"].items()
        if parameter["Type"] != "AWS::SSM::Parameter::Value<String>"
    }

    assert given == {parameter.name for parameter in template_parameters(contract)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_platform_value_a_template_reads_is_published(dev: Synthesized, kind: str) -> None:
    published = {
        parameter["Name"]
        for stack in PLATFORM
        for parameter in properties(dev.platform[stack], "AWS::SSM::Parameter")
    }
    read = {
        parameter["Default"]
        for parameter in dev.blueprints[kind]["Parameters"].values()
        if parameter["Type"] == "AWS::SSM::Parameter::Value<String>"
    }

    assert read
    assert read <= published


def test_every_platform_key_is_published_once(dev: Synthesized) -> None:
    published = sorted(
        parameter["Name"]
        for stack in PLATFORM
        for parameter in properties(dev.platform[stack], "AWS::SSM::Parameter")
    )

    assert published == sorted(
        naming.platform_parameter("mlops-dev", key) for key in naming.PLATFORM_KEYS
    )


def test_every_file_of_a_blueprint_is_uploaded_with_the_platform(dev: Synthesized) -> None:
    function = properties(dev.blueprints["realtime-endpoint"], "AWS::Lambda::Function")[0]
    key = function["Code"]["S3Key"]

    assert (dev.outdir / "catalogue" / f"asset.{key}").is_file()
    manifest = json.loads((dev.outdir / "Delivery.assets.json").read_text("utf-8"))
    assert key.removesuffix(".zip") in manifest["files"]


@pytest.mark.parametrize("kind", KINDS)
def test_delivery_never_polls_and_always_makes_a_change_set_first(
    dev: Synthesized, kind: str
) -> None:
    (pipeline,) = properties(dev.blueprints[f"{kind}-delivery"], "AWS::CodePipeline::Pipeline")
    source, stage = pipeline["Stages"]

    assert pipeline["PipelineType"] == "V2"
    assert pipeline["ExecutionMode"] == "QUEUED"
    assert source["Actions"][0]["Configuration"]["PollForSourceChanges"] == "false"
    in_order = sorted(stage["Actions"], key=lambda action: action["RunOrder"])
    modes = [action["Configuration"].get("ActionMode", "") for action in in_order]
    deployed = ["CHANGE_SET_REPLACE", "CHANGE_SET_EXECUTE", ""]
    # A monitor is deployed twice: with the pipeline of its baseline, then with its schedule.
    assert modes == (["", *deployed, *deployed[:2]] if kind in ANALYZERS else deployed)


def test_a_stage_that_asks_for_approval_waits_for_a_person(synthesize: Synthesize) -> None:
    template = synthesize("prod").blueprints["training-delivery"]
    (pipeline,) = properties(template, "AWS::CodePipeline::Pipeline")

    first = pipeline["Stages"][1]["Actions"][0]

    assert first["ActionTypeId"]["Category"] == "Approval"


def test_platform_stacks_of_prod_refuse_to_be_deleted(synthesize: Synthesize) -> None:
    for stack in PLATFORM:
        construct = synthesize("prod").app.node.find_child(stack)
        assert isinstance(construct, cdk.Stack)
        assert construct.termination_protection


def test_registered_models_are_not_in_the_stack_and_so_outlive_it(dev: Synthesized) -> None:
    template = dev.blueprints["training"]

    assert not resources(template, "AWS::SageMaker::ModelPackageGroup")
    assert template["Outputs"]["ModelPackageGroupName"]["Value"] == {"Ref": "ModelPackageGroup"}


def test_the_inference_api_lets_through_what_the_request_says(dev: Synthesized) -> None:
    (stage,) = properties(dev.blueprints["realtime-endpoint"], "AWS::ApiGateway::Stage")

    (every_method,) = stage["MethodSettings"]

    assert every_method["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert every_method["ThrottlingBurstLimit"] == {"Ref": "RequestsPerSecond"}


def test_an_endpoint_captures_csv_and_json_under_the_platforms_key(dev: Synthesized) -> None:
    (config,) = properties(dev.blueprints["realtime-endpoint"], "AWS::SageMaker::EndpointConfig")
    nothing, _, capture = config["DataCaptureConfig"]["Fn::If"]
    no_volume, _, key = config["KmsKeyId"]["Fn::If"]

    assert (nothing, no_volume) == ("CapturesNothing", "NoVolumeTakesAKey")
    assert capture["CaptureContentTypeHeader"] == {
        "CsvContentTypes": {"Fn::Split": [",", {"Ref": "CaptureCsvTypes"}]},
        "JsonContentTypes": {"Fn::Split": [",", {"Ref": "CaptureJsonTypes"}]},
    }
    assert [option["CaptureMode"] for option in capture["CaptureOptions"]] == ["Input", "Output"]
    assert capture["KmsKeyId"] == key


@pytest.mark.parametrize(
    "asked",
    [
        {"baseline_data": "s3://mlops-data/train.csv"},
        {
            "baseline_captures": {"since": "2026-03-01T00:00:00Z", "until": "2026-03-08T00:00:00Z"},
            "records": {"input": {"columns": {"age": 'rows[*]."the age"'}}, "output": None},
            "variant_name": "blue",
        },
        {
            "baseline_data": "s3://mlops-data/train.csv",
            "ground_truth": {"problem_type": "BinaryClassification", "inference_attribute": "0"},
            "bias": {
                "facets": [{"column": "sex", "values": [2]}, {"column": "age", "above": "40"}],
                "label": {"values": ["yes"]},
                "thresholds": {"DI": 0.8},
            },
            "attribution": {"source": "endpoint", "rows": 40},
        },
    ],
)
def test_the_drift_service_reads_the_configuration_that_a_monitor_is_given(
    dev: Synthesized, asked: dict[str, Any]
) -> None:
    (parameter,) = properties(dev.blueprints["drift-monitor"], "AWS::SSM::Parameter")
    text, variables = parameter["Value"]["Fn::Sub"]
    body = {"pipeline_type": "drift-monitor", "model_name": "m", "endpoint_name": "employment"}
    values = values_for(DriftMonitorRequest.model_validate(body | asked), "dev")
    variables = dict(variables)
    asks, role, nothing = variables.pop("AttributionRole")["Fn::If"]
    assert (asks, role, nothing) == (
        "EndpointIsAsked",
        {"Fn::GetAtt": [next(iter(roles_of(dev.blueprints["drift-monitor"]))), "Arn"]},
        "",
    )
    arn = "arn:aws:iam::111122223333:role/mlops/asks"
    values["AttributionRole"] = arn if values["AsksEndpoint"] == "true" else nothing
    for name, value in variables.items():
        chosen = value["Fn::If"][1 if not values.get(name) else 2] if "Fn::If" in value else "data"
        values[name] = chosen if isinstance(chosen, str) else values.get(name, "s3://data/captures")
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)

    config = MonitorConfig.parse(text, "the template")

    assert (config.environment, config.endpoint_name) == ("mlops-dev", "employment")
    assert config.baseline_data == asked.get("baseline_data", "")
    assert config.variant_name == asked.get("variant_name", "")
    if "attribution" in asked:
        assert config.attribution is not None
        assert (config.attribution.rows, config.attribution_role) == (40, arn)
        assert config.bias is not None
        assert [facet.name for facet in config.bias.facets] == ["sex 2", "age above 40"]
        assert config.bias.thresholds == {"DI": 0.8}
    else:
        assert (config.bias, config.attribution, config.attribution_role) == (None, None, "")
    if "records" in asked:
        assert config.records is not None
        assert str(config.records.input.rows) == "rows[*]"
        assert str(config.records.input.columns["age"]) == '"the age"'
        assert config.baseline_captures is not None
        assert config.baseline_captures.to_document() == asked["baseline_captures"]


def test_only_a_monitor_that_asks_its_endpoint_has_a_role_and_for_nothing_else(
    dev: Synthesized,
) -> None:
    template = dev.blueprints["drift-monitor"]
    (role,) = roles_of(template).values()
    (policy,) = (r for r in template["Resources"].values() if r["Type"] == "AWS::IAM::Policy")
    assert role["Condition"] == policy["Condition"] == "EndpointIsAsked"
    assert template["Conditions"]["EndpointIsAsked"] == {
        "Fn::Equals": [{"Ref": "AsksEndpoint"}, "true"]
    }
    (trusted,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert list(trusted["Principal"]) == ["AWS"]
    assert "evaluate-role-arn" in json.dumps(template["Parameters"]) + json.dumps(trusted)
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["sagemaker:InvokeEndpoint"]
    assert json.dumps(statement["Resource"]).endswith('endpoint/", {"Ref": "EndpointName"}]]}')


def roles_of(template: Mapping[str, Any]) -> dict[str, Any]:
    found = template["Resources"].items()
    return {name: r for name, r in found if r["Type"] == "AWS::IAM::Role"}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"use_spot": True, "max_wait_seconds": 90000},
        {"keep_alive_seconds": 600},
        {"instance_type": "ml.g5.xlarge"},
    ],
    ids=lambda asked: ",".join(asked) or "plain",
)
def test_the_pipeline_definition_is_json_once_its_values_are_there(
    dev: Synthesized, asked: dict[str, Any]
) -> None:
    body = {
        "pipeline_type": "training",
        "model_name": "income",
        "training_data": "s3://my-data/train/",
        "evaluation_data": "s3://my-data/evaluation/",
        "evaluation_script": "s3://my-data/code/evaluate.py",
        "source_archive": "s3://my-data/code/source.tar.gz",
        "image_uri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1",
        "hyperparameters": {"max_iter": 200},
        "quality_metric": "accuracy",
    }
    found = Deployed(dev.blueprints["training"], {**body, **asked})
    pipeline = found.one("AWS::SageMaker::Pipeline")

    text = pipeline["PipelineDefinition"]["PipelineDefinitionBody"]

    assert "${" not in text
    assert [step["Name"] for step in json.loads(text)["Steps"]] == ["Train", "Evaluate", "Gate"]
