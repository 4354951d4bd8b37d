"""Pipelines that broke, really, on the deployed platform: the right body repairs each of them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.session import Session

from mlops_framework.cli.api import SignedTransport
from mlops_framework.cli.embedded import Up
from mlops_framework.contracts.responses import SETTLED

pytestmark = pytest.mark.slow

_RACES = 5
"""How often requests are sent at the same moment until two of them overlap."""

GROUP = {
    "Type": "AWS::SageMaker::ModelPackageGroup",
    "Properties": {"ModelPackageGroupName": "mend-by-hand"},
}
STEPS = {
    "Version": "2020-12-01",
    "Steps": [{"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": "never run"}}],
}


class Hands:
    """Somebody who changes stacks past the platform."""

    def __init__(self, loop: Any) -> None:
        self._cloudformation = loop.place.client("cloudformation")
        self.s3 = loop.place.client("s3")
        self.sagemaker = loop.place.client("sagemaker")

    def status(self, stack: str) -> str:
        return str(
            self._cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        )

    def change(self, stack: str, **resources: Any) -> str:
        """Adds resources to a stack, or changes those; what it ends in."""
        template = self._cloudformation.get_template(StackName=stack)["TemplateBody"]
        template["Resources"] |= resources
        (found,) = self._cloudformation.describe_stacks(StackName=stack)["Stacks"]
        self._cloudformation.update_stack(
            StackName=stack,
            TemplateBody=json.dumps(template),
            Parameters=[
                {"ParameterKey": p["ParameterKey"], "UsePreviousValue": True}
                for p in found.get("Parameters", ())
            ],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        return self._settled(stack)

    def create(self, stack: str, **resources: Any) -> str:
        """Makes a stack that is left as it is when it fails; what it ends in."""
        self._cloudformation.create_stack(
            StackName=stack,
            TemplateBody=json.dumps({"Resources": resources}),
            OnFailure="DO_NOTHING",
        )
        return self._settled(stack)

    def delete(self, stack: str) -> None:
        self._cloudformation.delete_stack(StackName=stack)
        eventually(lambda: stack not in self._names())

    def _settled(self, stack: str) -> str:
        eventually(lambda: not self.status(stack).endswith("_IN_PROGRESS"))
        return self.status(stack)

    def _names(self) -> set[str]:
        pages = self._cloudformation.get_paginator("describe_stacks").paginate()
        return {stack["StackName"] for page in pages for stack in page["Stacks"]}


@pytest.fixture
def hands(loop: Any) -> Hands:
    return Hands(loop)


@pytest.fixture
def call(platform: Up) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Signs and sends: method, path, body; status and document."""
    session = Session()
    session.set_credentials(
        platform.environment["AWS_ACCESS_KEY_ID"], platform.environment["AWS_SECRET_ACCESS_KEY"]
    )

    def send(method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        transport = SignedTransport(session, platform.environment["AWS_REGION"])
        content = None if body is None else json.dumps(body).encode()
        status, text = transport.send(method, f"{platform.api_url.rstrip('/')}{path}", content)
        return status, json.loads(text)

    return send


@pytest.fixture
def submit(call: Any) -> Callable[[dict[str, Any]], Any]:
    """Submits and waits: the outcome, and the status in the end."""

    def send(body: dict[str, Any]) -> Any:
        status, accepted = call("POST", "/provisionpipeline", body)
        assert status in (200, 202), accepted
        path = f"/pipelines/{accepted['pipeline_id']}"

        def settled() -> Any:
            _, told = call("GET", path)
            return told if told["status"] in SETTLED else None

        return accepted["outcome"], eventually(settled)

    return send


def eventually(look: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.2)
    return seen


def monitor(bucket: str, name: str, **changes: Any) -> dict[str, Any]:
    """A pipeline that is quick to deploy."""
    return {
        "pipeline_type": "drift-monitor",
        "model_name": name,
        "endpoint_name": name,
        "baseline_data": f"s3://{bucket}/datasets/employment/baseline.csv",
        "schedule_expression": "rate(1 day)",
        **changes,
    }


def steps(bucket: str, key: str) -> dict[str, Any]:
    """A resource that goes back to an object, which may be gone by then."""
    return {
        "Type": "AWS::SageMaker::Pipeline",
        "Properties": {
            "PipelineName": "mend-by-hand",
            "PipelineDefinition": {"PipelineDefinitionS3Location": {"Bucket": bucket, "Key": key}},
            "RoleArn": "arn:aws:iam::111122223333:role/mlops/mlops-local-execution",
        },
    }


def nothing_there(*after: str) -> dict[str, Any]:
    """A resource that cannot be made, after others were."""
    variant = {
        "ModelName": "no-such-model",
        "VariantName": "AllTraffic",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1,
    }
    return {
        "Type": "AWS::SageMaker::EndpointConfig",
        "DependsOn": list(after),
        "Properties": {"ProductionVariants": [variant]},
    }


def test_a_pipeline_that_broke_in_every_way_is_repaired_by_its_body(
    loop: Any, bucket: str, hands: Hands, submit: Any, call: Any
) -> None:
    body, pipeline = monitor(bucket, "mend"), "mend-drift-monitor"
    stage = f"mlops-local-{pipeline}-local"
    submit(body)

    # An update that fails and cannot be rolled back: what it would go back to is gone.
    for key in ("by-hand/one.json", "by-hand/two.json"):
        hands.s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(STEPS))
    assert hands.change(stage, Hand=steps(bucket, "by-hand/one.json")) == "UPDATE_COMPLETE"
    hands.s3.delete_object(Bucket=bucket, Key="by-hand/one.json")
    ended = hands.change(
        stage, Hand=steps(bucket, "by-hand/two.json"), Broken=nothing_there("Hand")
    )
    assert ended == "UPDATE_ROLLBACK_FAILED"
    _, told = call("GET", f"/pipelines/{pipeline}")
    assert told["status"] == "Failed"
    assert {"Hand", "Broken"} & {problem["resource"] for problem in told["problems"]}
    assert "continues the rollback" in told["next"]
    assert told["link"].startswith("http://127.0.0.1:")

    # The rollback is continued, without what cannot be rolled back, and the stage delivered again.
    outcome, repaired = submit(body)
    assert (outcome, repaired["status"]) == ("repaired", "Delivered")
    assert hands.status(stage) == "UPDATE_COMPLETE"
    assert submit(body)[0] == "unchanged"

    # Somebody deletes the stage's stack; then the delivery stack.
    hands.delete(stage)
    _, told = call("GET", f"/pipelines/{pipeline}")
    assert (told["status"], told["problems"][0]["resource"]) == ("Failed", stage)
    assert submit(body)[0] == "repaired"
    hands.delete(f"mlops-local-{pipeline}-delivery")
    _, told = call("GET", f"/pipelines/{pipeline}")
    assert (told["status"], told["problems"][0]["action"]) == ("Failed", "delivery stack")
    assert submit(body)[0] == "repaired"

    # A deletion that cannot be finished: told as failed, with the reason.
    hands.change(stage, Group=GROUP)
    kept = hands.sagemaker.create_model_package(ModelPackageGroupName="mend-by-hand")
    assert call("DELETE", f"/pipelines/{pipeline}")[0] == 202
    told = eventually(lambda: _status(call, pipeline, "DeleteFailed"))
    (problem,) = told["problems"]
    assert (problem["stage"], problem["resource"]) == ("local", "Group")
    assert "not empty" in problem["reason"]
    assert "send DELETE again" in told["next"]

    # The body alone cannot help while the cause is there, and says so; then it brings it back.
    status, refused = call("POST", "/provisionpipeline", body)
    assert (status, refused["type"]) == (409, "urn:mlops-framework:problem:pipeline-broken")
    assert "not empty" in refused["detail"]
    assert refused["next"].startswith("Remove what holds")
    hands.sagemaker.delete_model_package(ModelPackageName=kept["ModelPackageArn"])
    assert submit(body)[1]["status"] == "Delivered"

    # The same again, and this time DELETE is sent again.
    hands.change(stage, Group=GROUP)
    kept = hands.sagemaker.create_model_package(ModelPackageGroupName="mend-by-hand")
    call("DELETE", f"/pipelines/{pipeline}")
    eventually(lambda: _status(call, pipeline, "DeleteFailed"))
    hands.sagemaker.delete_model_package(ModelPackageName=kept["ModelPackageArn"])
    call("DELETE", f"/pipelines/{pipeline}")
    eventually(lambda: call("GET", f"/pipelines/{pipeline}")[0] == 404)


def test_stacks_that_could_not_be_made_are_made_by_the_same_body(
    loop: Any, bucket: str, hands: Hands, mlops: Any, submit: Any
) -> None:
    # The stage's stack was tried by hand and left as it failed.
    stage = "mlops-local-taken-drift-monitor-local"
    assert hands.create(stage, Broken=nothing_there()) == "CREATE_FAILED"

    # Its CodePipeline's name is taken by one that somebody made by hand.
    codepipeline = loop.place.client("codepipeline")
    taken = codepipeline.get_pipeline(name="mlops-local-git_local")["pipeline"]
    taken["name"] = "mlops-local-taken-drift-monitor"
    codepipeline.create_pipeline(pipeline=taken)

    _, failed = submit(monitor(bucket, "taken"))
    assert failed["status"] == "Failed"
    assert "PipelineNameInUseException" in failed["problems"][0]["reason"]
    codepipeline.delete_pipeline(name=taken["name"])

    outcome, repaired = submit(monitor(bucket, "taken"))

    assert (outcome, repaired["status"]) == ("repaired", "Delivered")
    assert hands.status(stage) == "CREATE_COMPLETE"
    mlops("pipelines", "delete", "taken-drift-monitor", "--yes", "--wait")


def test_of_requests_at_the_same_moment_one_wins_and_the_others_are_told(
    loop: Any, bucket: str, mlops: Any, call: Any
) -> None:
    # Which of four overlap is for the machine to say: once in a while all of them are through one
    # after the other, and are asked again. Of those that do overlap, one wins.
    answers: list[tuple[int, Any]] = []
    for begin in range(10, 10 + 4 * _RACES, 4):
        bodies = [monitor(bucket, "race", window_minutes=begin + number) for number in range(4)]
        answers += _at_once(call, bodies)
        winners = sum(status == 202 for status, _ in answers)
        losers = [told for status, told in answers if status != 202]
        if losers:
            break
    assert winners
    assert losers
    for told in losers:
        assert (told["status"], told["type"]) == (409, "urn:mlops-framework:problem:pipeline-busy")
        assert told["retry_after"] > 0
        assert told["running"]["subject"].endswith(("race-drift-monitor", "-delivery"))
        assert told["running"]["since"]
        assert told["link"].endswith("/pipelines/race-drift-monitor")
        assert "race-drift-monitor" in told["detail"]
    delivered = mlops("status", "race-drift-monitor", "--wait")
    assert delivered["status"] == "Delivered"

    # Nothing of the others is left behind, and what runs is one of them, whole.
    s3, artifacts = loop.place.client("s3"), loop.place.value("artifact-bucket-name")
    prefix = "requests/race-drift-monitor/"
    kept = s3.list_objects_v2(Bucket=artifacts, Prefix=prefix)["Contents"]
    assert len(kept) == winners
    document = s3.get_object(Bucket=artifacts, Key=delivered["request"])["Body"].read()
    parameter = loop.place.client("ssm").get_parameter(Name="/mlops-local/drift/monitors/race")
    configured = json.loads(parameter["Parameter"]["Value"])
    assert int(configured["window_minutes"]) == json.loads(document)["request"]["window_minutes"]
    mlops("pipelines", "delete", "race-drift-monitor", "--yes", "--wait")


def _at_once(call: Any, bodies: list[Any]) -> list[tuple[int, Any]]:
    """What each of several requests is answered that are sent at the same moment."""
    start = threading.Barrier(len(bodies))

    def send(body: Any) -> tuple[int, Any]:
        start.wait()
        answer: tuple[int, Any] = call("POST", "/provisionpipeline", body)
        return answer

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(send, bodies))


def _status(call: Any, pipeline: str, wanted: str) -> dict[str, Any] | None:
    _, told = call("GET", f"/pipelines/{pipeline}")
    return told if told["status"] == wanted else None
