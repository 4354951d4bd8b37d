"""The state machine of the autopilot blueprint."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
import pytest
from botocore.model import Shape, StructureShape
from botocore.validate import ParamValidator

from mlops_framework.blueprints.autopilot.contract import AutopilotRequest
from mlops_framework.model_build.expressions import Splice
from mlops_framework.model_build.search import ModelSearch, model_search_definition

KEY = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
REQUEST = AutopilotRequest(
    pipeline_type="autopilot",
    model_name="churn",
    training_data="s3://data/churn/",
    target_attribute="churned",
    problem_type="BinaryClassification",
    objective_metric="F1",
    compression="Gzip",
    validation_fraction=0.2,
    mode="ENSEMBLING",
    sample_weight_attribute="weight",
)


@pytest.fixture(scope="module")
def machine() -> dict[str, Any]:
    """The machine with everything put in, and every option there."""
    written = model_search_definition(
        ModelSearch(
            partition="aws",
            name_prefix="churn",
            role_arn="arn:aws:iam::111122223333:role/mlops/search",
            channels=Splice("InputDataConfig"),
            job=Splice("TabularJobConfig"),
            objective="F1",
            split=Splice("DataSplitConfig"),
            output_location="s3://models/churn",
            kms_key_arn=KEY,
            encrypt_traffic=True,
            comparison="NumericGreaterThanEquals",
            threshold=0.8,
            direction="at-least",
            below_the_gate="Reject",
            model_package_group="churn",
            vpc_config={"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        )
    )
    text = written.text
    for name, option in written.options.items():
        text = text.replace(f"${{{name}}}", option)
    for field in ("input_data_config", "tabular_job_config", "data_split_config"):
        name = "".join(word.capitalize() for word in field.split("_"))
        text = text.replace(f"${{{name}}}", json.dumps(REQUEST.parameter_value(field, "dev")))
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def calls(machine: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Operation and parameters of every task; a reference stands as a text that fits."""
    stand_ins = {
        "AutoMLJobName": "churn-0123456789ab",
        "ModelPackageDescription": "text",
        "Containers": [{"Image": "image"}],
    }
    for state in machine["States"].values():
        if state["Type"] != "Task":
            continue
        text = json.dumps(state["Parameters"])
        parameters = json.loads(re.sub(r'\.\$"', '"', text))
        for value in (parameters, parameters.get("InferenceSpecification", {})):
            value.update({key: stand_ins[key] for key in value if key in stand_ins})
        operation = state["Resource"].rpartition(":")[2]
        yield operation[0].upper() + operation[1:], parameters


def test_every_call_is_one_the_service_takes(machine: dict[str, Any]) -> None:
    model = botocore.session.Session().get_service_model("sagemaker")

    made = dict(calls(machine))

    assert set(made) == {"CreateAutoMLJobV2", "DescribeAutoMLJobV2", "CreateModelPackage"}
    for operation, parameters in made.items():
        shape = model.operation_model(operation).input_shape
        assert shape is not None
        assert ParamValidator().validate(parameters, shape).generate_report() == ""


def test_key_compression_and_split_are_really_passed_on(machine: dict[str, Any]) -> None:
    search = dict(calls(machine))["CreateAutoMLJobV2"]

    assert search["SecurityConfig"]["VolumeKmsKeyId"] == KEY
    assert search["OutputDataConfig"]["KmsKeyId"] == KEY
    assert search["SecurityConfig"]["EnableInterContainerTrafficEncryption"] is True
    assert search["SecurityConfig"]["VpcConfig"]["Subnets"] == ["subnet-1"]
    assert [each["CompressionType"] for each in search["AutoMLJobInputDataConfig"]] == ["Gzip"]
    assert search["DataSplitConfig"] == {"ValidationFraction": 0.2}
    assert search["AutoMLJobObjective"] == {"MetricName": "F1"}


def test_the_best_candidate_is_registered_as_the_service_tells_it(machine: dict[str, Any]) -> None:
    model = botocore.session.Session().get_service_model("sagemaker")
    answer = model.operation_model("DescribeAutoMLJobV2").output_shape

    for path in set(re.findall(r"[$][.]job[.]([A-Za-z0-9.]+[A-Za-z0-9])", json.dumps(machine))):
        shape: Shape | None = answer
        for name in path.split("."):
            assert isinstance(shape, StructureShape)
            assert name in shape.members, path
            shape = shape.members[name]

    register = machine["States"]["Register"]["Parameters"]
    best = "$.job.BestCandidate.InferenceContainers"
    assert register["InferenceSpecification"]["Containers.$"] == best
    assert register["ModelApprovalStatus"] == "PendingManualApproval"


def test_names_fit_in_what_a_search_may_be_called() -> None:
    request = REQUEST.model_copy(update={"model_name": "a-model-with-a-rather-long-name"})

    prefix = request.parameter_value("job_prefix", "dev")

    assert len(f"{prefix}-{'0' * 12}") <= 32
    assert not prefix.endswith("-")


def test_every_state_is_reached_and_every_next_one_exists(machine: dict[str, Any]) -> None:
    states = machine["States"]
    reached, pending = set(), [machine["StartAt"]]
    while pending:
        name = pending.pop()
        if name in reached:
            continue
        reached.add(name)
        state = states[name]
        following = [state.get("Next"), state.get("Default")]
        following += [choice["Next"] for choice in state.get("Choices", [])]
        pending += [each for each in following if each]

    assert reached == set(states)


def test_a_candidate_below_the_bound_is_not_registered(machine: dict[str, Any]) -> None:
    gate, reject = machine["States"]["Gate"], machine["States"]["Reject"]

    (choice,) = gate["Choices"]
    assert choice["Next"] == "Register"
    assert choice["And"][1]["NumericGreaterThanEquals"] == 0.8
    assert gate["Default"] == "Reject"
    assert "at-least 0.8 is required" in reject["CausePath"]
