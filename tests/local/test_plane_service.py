from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops_framework.local.plane import AwsFault, LocalService, PlaneHost, Scope, operation
from mlops_framework.local.plane.stores import Stores
from mlops_framework.local.plane.wire import Request, Wire

SCOPE = Scope("111122223333", "us-east-1")
MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
SIGNED = "AWS4-HMAC-SHA256 Credential=111122223333/20260102/us-east-1/sagemaker/aws4_request, S="


class ModelGroups(LocalService):
    name = "sagemaker"

    @operation("CreateModelPackageGroup")
    def create(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        name = request["ModelPackageGroupName"]
        store = self.host.store("sagemaker", scope)
        if name in store:
            raise AwsFault("ValidationException", f"{name} exists.")
        store[name] = {"created": MOMENT}
        return {"ModelPackageGroupArn": scope.arn("sagemaker", f"model-package-group/{name}")}

    @operation("DescribeModelPackageGroup")
    def describe(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        name = request["ModelPackageGroupName"]
        return {
            "ModelPackageGroupName": name,
            "ModelPackageGroupArn": scope.arn("sagemaker", f"model-package-group/{name}"),
            "ModelPackageGroupDescription": None,
            "CreationTime": self.host.store("sagemaker", scope)[name]["created"],
            "CreatedBy": {},
            "ModelPackageGroupStatus": "Completed",
        }

    @operation("DeleteModelPackageGroup")
    def answers_wrongly(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        return {"Deleted": True}

    @operation("ListModelPackageGroups")
    def leaves_a_member_out(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        return {"ModelPackageGroupSummaryList": [{"ModelPackageGroupName": "a"}]}


class Runtime(LocalService):
    name = "sagemaker-runtime"

    @operation("InvokeEndpoint")
    def invoke(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        if request["EndpointName"] == "broken":
            raise AwsFault("ModelError", "boom", 424, {"OriginalStatusCode": 500})
        return {
            "Body": request["Body"].upper(),
            "ContentType": request.get("ContentType", "text/csv"),
            "InvokedProductionVariant": "AllTraffic",
        }


class ClaimsTooMuch(LocalService):
    name = "sagemaker"

    @operation("CreateTheWorld")
    def create(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        return {}


def _no_events(*_: object) -> None:
    raise AssertionError("no event was expected")


@pytest.fixture
def host(tmp_path: Path) -> PlaneHost:
    return PlaneHost(
        endpoint="http://127.0.0.1:1",
        state_dir=tmp_path,
        ml_python=Path("/usr/bin/python3"),
        events=_no_events,
    )


def _json_request(operation_name: str, parameters: Mapping[str, Any]) -> Request:
    headers = {"x-amz-target": f"SageMaker.{operation_name}", "authorization": SIGNED}
    return Request("POST", "/", headers, json.dumps(parameters).encode())


def test_a_carried_operation_runs_and_answers_in_aws_shapes(host: PlaneHost) -> None:
    service = ModelGroups(host)
    service.call("CreateModelPackageGroup", {"ModelPackageGroupName": "churn"}, SCOPE)
    found = service.call("DescribeModelPackageGroup", {"ModelPackageGroupName": "churn"}, SCOPE)
    assert found["CreationTime"] == MOMENT
    assert "ModelPackageGroupDescription" not in found


def test_an_operation_that_is_not_carried_is_refused_with_the_list_of_those_that_are(
    host: PlaneHost,
) -> None:
    with pytest.raises(AwsFault) as refused:
        ModelGroups(host).call("CreateHyperParameterTuningJob", {}, SCOPE)
    assert refused.value.code == "NotCarriedByLocalAws"
    assert refused.value.status == 501
    assert "sagemaker:CreateHyperParameterTuningJob" in refused.value.message
    assert "CreateModelPackageGroup, DeleteModelPackageGroup" in refused.value.message


def test_an_operation_that_aws_does_not_have_is_unknown(host: PlaneHost) -> None:
    with pytest.raises(AwsFault) as refused:
        ModelGroups(host).call("CreateTheWorld", {}, SCOPE)
    assert refused.value.code == "UnknownOperationException"


def test_a_service_that_claims_an_operation_aws_does_not_have_does_not_start(
    host: PlaneHost,
) -> None:
    with pytest.raises(ValueError, match=r"ClaimsTooMuch\.create claims .*'CreateTheWorld'"):
        ClaimsTooMuch(host)


@pytest.mark.parametrize(
    ("parameters", "needed"),
    [
        ({}, "Value null at 'modelPackageGroupName' failed to satisfy constraint: Member must not"),
        ({"ModelPackageGroupName": "a_b"}, "Member must satisfy regular expression pattern"),
        ({"ModelPackageGroupName": "a" * 64}, "Member must have length less than or equal to 63"),
        ({"ModelPackageGroupName": 7}, "Member must be a string"),
        ({"ModelPackageGroupName": "a", "Nmae": "b"}, "Unknown member 'Nmae' at 'the request'"),
        (
            {"ModelPackageGroupName": "a", "Tags": [{"Key": "k"}]},
            "Value null at 'tags.1.member.value'",
        ),
    ],
)
def test_a_malformed_request_is_refused_in_the_words_of_aws(
    host: PlaneHost, parameters: dict[str, Any], needed: str
) -> None:
    with pytest.raises(AwsFault) as refused:
        ModelGroups(host).call("CreateModelPackageGroup", parameters, SCOPE)
    assert refused.value.code == "ValidationException"
    assert "validation error" in refused.value.message
    assert needed in refused.value.message


def test_all_faults_of_a_request_are_told_at_once(host: PlaneHost) -> None:
    with pytest.raises(AwsFault, match="3 validation errors detected") as refused:
        ModelGroups(host).call(
            "CreateModelPackageGroup",
            {"ModelPackageGroupName": "a_b", "X": 1, "Tags": [{"Key": "", "Value": "v"}]},
            SCOPE,
        )
    assert refused.value.message.count("failed to satisfy constraint") == 2


@pytest.mark.parametrize(
    ("name", "parameters", "told"),
    [
        ("DeleteModelPackageGroup", {"ModelPackageGroupName": "a"}, "has no output"),
        ("ListModelPackageGroups", {}, "Value null at 'modelPackageGroupSummaryList.1.member."),
    ],
)
def test_an_answer_against_the_model_is_an_internal_failure(
    host: PlaneHost, name: str, parameters: dict[str, Any], told: str
) -> None:
    with pytest.raises(AwsFault) as failed:
        ModelGroups(host).call(name, parameters, SCOPE)
    assert (failed.value.code, failed.value.status) == ("InternalFailure", 500)
    assert told in failed.value.message


def test_json_requests_are_claimed_by_target_and_answered_with_epoch_seconds(
    host: PlaneHost,
) -> None:
    service = ModelGroups(host)
    wire = Wire(service.model)
    request = _json_request("DescribeModelPackageGroup", {"ModelPackageGroupName": "churn"})
    assert wire.claims(request)
    assert not wire.claims(Request("POST", "/", {"x-amz-target": "CodePipeline_20150709.X"}))
    host.store("sagemaker", SCOPE)["churn"] = {"created": MOMENT}
    call = wire.read(request)
    answer = wire.write(
        request, call.operation, service.call(call.operation, call.parameters, SCOPE)
    )
    assert answer.headers["Content-Type"] == "application/x-amz-json-1.1"
    assert json.loads(answer.body)["CreationTime"] == MOMENT.timestamp()


def test_a_body_that_is_not_json_is_a_serialization_exception(host: PlaneHost) -> None:
    wire = Wire(ModelGroups(host).model)
    headers = {"x-amz-target": "SageMaker.ListModels"}
    with pytest.raises(AwsFault) as refused:
        wire.read(Request("POST", "/", headers, b"{nope"))
    assert refused.value.code == "SerializationException"


def test_rest_requests_carry_their_members_in_path_headers_and_raw_body(host: PlaneHost) -> None:
    service = Runtime(host)
    wire = Wire(service.model)
    request = Request(
        "POST",
        "/endpoints/churn/invocations",
        {"authorization": SIGNED, "content-type": "text/csv"},
        b"a,b",
    )
    assert wire.claims(request)
    assert not wire.claims(Request("GET", "/endpoints/churn/invocations", request.headers))
    call = wire.read(request)
    assert call.parameters == {
        "EndpointName": "churn",
        "ContentType": "text/csv",
        "Body": b"a,b",
    }
    answer = wire.write(
        request, call.operation, service.call(call.operation, call.parameters, SCOPE)
    )
    assert answer.body == b"A,B"
    assert answer.headers["Content-Type"] == "text/csv"
    assert answer.headers["x-Amzn-Invoked-Production-Variant"] == "AllTraffic"


def test_a_fault_carries_the_further_members_of_its_shape(host: PlaneHost) -> None:
    service = Runtime(host)
    wire = Wire(service.model)
    request = Request("POST", "/endpoints/broken/invocations", {"authorization": SIGNED}, b"")
    call = wire.read(request)
    with pytest.raises(AwsFault) as failed:
        service.call(call.operation, call.parameters, SCOPE)
    answer = wire.write_fault(request, failed.value)
    assert answer.status == 424
    assert answer.headers["x-amzn-ErrorType"] == "ModelError"
    assert json.loads(answer.body)["OriginalStatusCode"] == 500


def test_stores_are_apart_per_account_and_region_and_survive_when_kept(tmp_path: Path) -> None:
    first = Stores(tmp_path)
    first.open("sagemaker", SCOPE)["jobs"] = {"a": {"at": MOMENT, "blob": b"\x00", "n": [1, None]}}
    first.open("sagemaker", Scope("111122223333", "eu-west-1"))["jobs"] = {}
    first.save()
    second = Stores(tmp_path)
    assert second.open("sagemaker", SCOPE) == first.open("sagemaker", SCOPE)
    assert [scope.region for scope in second.scopes("sagemaker")] == ["eu-west-1", "us-east-1"]


def test_stores_leave_nothing_behind_when_not_kept() -> None:
    stores = Stores(None)
    stores.open("sagemaker", SCOPE)["a"] = 1
    stores.save()
    assert stores.open("sagemaker", SCOPE) == {"a": 1}
    assert Stores(None).open("sagemaker", SCOPE) == {}


def test_a_store_says_what_it_cannot_hold_and_keeps_the_others(tmp_path: Path) -> None:
    stores = Stores(tmp_path)
    stores.open("sagemaker", SCOPE)["thread"] = {1, 2}
    stores.open("codepipeline", SCOPE)["a"] = 1
    with pytest.raises(TypeError, match=r"sagemaker are not kept: .* cannot hold a set"):
        stores.save()
    assert Stores(tmp_path).open("codepipeline", SCOPE) == {"a": 1}


def test_stopping_runs_every_action_even_after_one_failed(host: PlaneHost) -> None:
    done: list[str] = []
    host.on_stop("first", lambda: done.append("first"))
    host.on_stop("bad", lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    host.on_stop("last", lambda: done.append("last"))
    host.stop()
    assert done == ["last", "first"]
    assert host.stopping.is_set()
