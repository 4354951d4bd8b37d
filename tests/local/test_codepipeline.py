from __future__ import annotations

import io
import json
import time
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pytest
from botocore.exceptions import ClientError

from mlops_framework.local.emulator import Emulator

T = TypeVar("T")
ROLE = "arn:aws:iam::111122223333:role/mlops/pipeline"
TOPIC = {"Type": "AWS::SNS::Topic"}
JOB_FUNCTION = """
import json, boto3
def handler(event, context):
    job = event["CodePipeline.job"]
    data = job["data"]
    wanted = json.loads(data["actionConfiguration"]["configuration"]["UserParameters"])
    client = boto3.client("codepipeline")
    if wanted.get("raise"):
        raise RuntimeError(wanted["raise"])
    if wanted.get("fail"):
        client.put_job_failure_result(
            jobId=job["id"], failureDetails={"type": "JobFailed", "message": wanted["fail"]})
        return
    if "continuationToken" not in data and wanted.get("twice"):
        client.put_job_success_result(jobId=job["id"], continuationToken="again",
                                      executionDetails={"summary": "half way"})
        return
    client.put_job_success_result(
        jobId=job["id"], outputVariables={"Verdict": data.get("continuationToken", "first")},
        executionDetails={"summary": "verified", "percentComplete": 100})
"""


def zipped(files: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def action(
    name: str, category: str, provider: str, configuration: dict[str, str], **more: Any
) -> dict[str, Any]:
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, "configuration": configuration, **more}


def only_if(variable: str, operator: str, value: str, otherwise: str = "SKIP") -> dict[str, Any]:
    rule = {
        "name": "Holds",
        "ruleTypeId": {
            "category": "Rule",
            "owner": "AWS",
            "provider": "VariableCheck",
            "version": "1",
        },
        "configuration": {"Variable": variable, "Operator": operator, "Value": value},
    }
    return {"conditions": [{"result": otherwise, "rules": [rule]}]}


class Pipelines:
    """A versioned bucket, a job function, and pipelines over them."""

    def __init__(self, aws: Emulator) -> None:
        self.aws = aws
        self.codepipeline = aws.client("codepipeline")
        self.cloudformation = aws.client("cloudformation")
        self.s3 = aws.client("s3")
        self.bucket = f"artifacts-{uuid.uuid4().hex[:8]}"
        self.s3.create_bucket(Bucket=self.bucket)
        self.s3.put_bucket_versioning(
            Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"}
        )
        self.function = f"verify-{uuid.uuid4().hex[:8]}"
        aws.client("lambda").create_function(
            FunctionName=self.function,
            Role=ROLE,
            Runtime="python3.14",
            Handler="index.handler",
            Timeout=30,
            Code={"ZipFile": zipped({"index.py": JOB_FUNCTION})},
        )

    def upload(self, files: Mapping[str, str], key: str = "source.zip") -> str:
        put = self.s3.put_object(Bucket=self.bucket, Key=key, Body=zipped(files))
        return str(put["VersionId"])

    def source(self, key: str = "source.zip") -> dict[str, Any]:
        configuration = {
            "S3Bucket": self.bucket,
            "S3ObjectKey": key,
            "PollForSourceChanges": "false",
        }
        return action(
            "Fetch",
            "Source",
            "S3",
            configuration,
            outputArtifacts=[{"name": "Source"}],
            namespace="Fetched",
        )

    def deploy(self, stack: str, parameters: str = "parameters.json") -> list[dict[str, Any]]:
        replace = {
            "ActionMode": "CHANGE_SET_REPLACE",
            "StackName": stack,
            "ChangeSetName": "delivery",
            "TemplatePath": "Source::template.json",
            "TemplateConfiguration": f"Source::{parameters}",
            "Capabilities": "CAPABILITY_NAMED_IAM,CAPABILITY_AUTO_EXPAND",
            "RoleArn": ROLE,
        }
        execute = {
            "ActionMode": "CHANGE_SET_EXECUTE",
            "StackName": stack,
            "ChangeSetName": "delivery",
        }
        return [
            action(
                *("CreateChangeSet", "Deploy", "CloudFormation", replace),
                inputArtifacts=[{"name": "Source"}],
                runOrder=1,
            ),
            action(
                *("ExecuteChangeSet", "Deploy", "CloudFormation", execute),
                namespace="Deployed",
                runOrder=2,
            ),
        ]

    def verify(self, parameters: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        configuration = {
            "FunctionName": self.function,
            "UserParameters": json.dumps(parameters),
        }
        return action("Verify", "Invoke", "Lambda", configuration, **more)

    def declaration(self, *stages: tuple[str, list[dict[str, Any]]], **more: Any) -> dict[str, Any]:
        return {
            "name": f"p-{uuid.uuid4().hex[:8]}",
            "roleArn": ROLE,
            "artifactStore": {"type": "S3", "location": self.bucket},
            "pipelineType": "V2",
            "executionMode": "QUEUED",
            "stages": [{"name": name, "actions": actions} for name, actions in stages],
            **more,
        }

    def create(self, *stages: tuple[str, list[dict[str, Any]]], **more: Any) -> str:
        declared = self.declaration(*stages, **more)
        self.codepipeline.create_pipeline(pipeline=declared)
        return str(declared["name"])

    def executions(self, name: str) -> list[dict[str, Any]]:
        found = self.codepipeline.list_pipeline_executions(pipelineName=name)
        return list(found["pipelineExecutionSummaries"])

    def settled(self, name: str, execution_id: str | None = None) -> dict[str, Any]:
        wanted = execution_id or self.executions(name)[-1]["pipelineExecutionId"]

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.codepipeline.get_pipeline_execution(
                pipelineName=name, pipelineExecutionId=wanted
            )["pipelineExecution"]
            return None if found["status"] in ("InProgress", "Stopping") else found

        return eventually(look)

    def actions(self, name: str) -> dict[str, dict[str, Any]]:
        state = self.codepipeline.get_pipeline_state(name=name)
        return {
            item["actionName"]: item.get("latestExecution", {})
            for stage in state["stageStates"]
            for item in stage["actionStates"]
        }

    def stages(self, name: str) -> dict[str, str | None]:
        state = self.codepipeline.get_pipeline_state(name=name)
        return {
            stage["stageName"]: stage.get("latestExecution", {}).get("status")
            for stage in state["stageStates"]
        }


def eventually(look: Callable[[], T | None], seconds: float = 30.0) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


@pytest.fixture(scope="module")
def pipelines(local_aws: Emulator) -> Pipelines:
    return Pipelines(local_aws)


def capitalised(value: Any) -> Any:
    if isinstance(value, list):
        return [capitalised(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name[:1].upper() + name[1:]: item if name == "configuration" else capitalised(item)
        for name, item in value.items()
    }


def template(resources: Mapping[str, Any], **more: Any) -> str:
    return json.dumps({"Resources": resources, **more})


def test_a_pipeline_fetches_deploys_and_verifies(pipelines: Pipelines) -> None:
    stack = f"stack-{uuid.uuid4().hex[:8]}"
    version = pipelines.upload(
        {
            "template.json": template(
                {"Topic": {**TOPIC, "Properties": {"TopicName": {"Ref": "Name"}}}},
                Parameters={"Name": {"Type": "String"}},
                Outputs={"Arn": {"Value": {"Ref": "Topic"}}},
            ),
            "parameters.json": json.dumps({"Parameters": {"Name": stack}, "Tags": {"a": "b"}}),
        }
    )
    name = pipelines.create(
        ("Source", [pipelines.source()]),
        (
            "Dev",
            [
                *pipelines.deploy(stack),
                pipelines.verify({"twice": True, "arn": "#{Deployed.Arn}"}, runOrder=3),
            ],
        ),
    )
    execution = pipelines.settled(name)
    assert execution["status"] == "Succeeded", execution.get("statusSummary")
    assert execution["trigger"]["triggerType"] == "CreatePipeline"
    assert execution["artifactRevisions"][0]["revisionId"] == version
    assert pipelines.stages(name) == {"Source": "Succeeded", "Dev": "Succeeded"}
    assert pipelines.actions(name)["Verify"]["summary"] == "verified"
    found = pipelines.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    assert found["StackStatus"] == "CREATE_COMPLETE"
    assert found["Tags"] == [{"Key": "a", "Value": "b"}]
    details = pipelines.codepipeline.list_action_executions(pipelineName=name)
    verify = details["actionExecutionDetails"][0]
    arn = found["Outputs"][0]["OutputValue"]
    assert json.loads(verify["input"]["resolvedConfiguration"]["UserParameters"])["arn"] == arn
    assert verify["output"]["outputVariables"] == {"Verdict": "again"}


def test_deploying_the_same_again_succeeds_without_changes(pipelines: Pipelines) -> None:
    stack = f"stack-{uuid.uuid4().hex[:8]}"
    files = {"template.json": template({"T": TOPIC}), "parameters.json": "{}"}
    pipelines.upload(files, "same.zip")
    name = pipelines.create(
        ("Source", [pipelines.source("same.zip")]), ("Dev", pipelines.deploy(stack))
    )
    assert pipelines.settled(name)["status"] == "Succeeded"
    again = pipelines.codepipeline.start_pipeline_execution(name=name)["pipelineExecutionId"]
    execution = pipelines.settled(name, again)
    assert execution["status"] == "Succeeded", execution.get("statusSummary")
    assert execution["trigger"]["triggerType"] == "StartPipelineExecution"
    assert "contains no changes" in pipelines.actions(name)["ExecuteChangeSet"]["summary"]


def test_a_failed_stack_tells_the_resource_and_the_real_reason(pipelines: Pipelines) -> None:
    stack = f"stack-{uuid.uuid4().hex[:8]}"
    broken = {
        "Type": "AWS::CodePipeline::Pipeline",
        "Properties": {"RoleArn": ROLE, "ArtifactStore": {"Type": "S3", "Location": "b-b"}},
    }
    files = {"template.json": template({"T": TOPIC, "Broken": broken}), "parameters.json": "{}"}
    pipelines.upload(files, "broken.zip")
    name = pipelines.create(
        ("Source", [pipelines.source("broken.zip")]), ("Dev", pipelines.deploy(stack))
    )
    execution = pipelines.settled(name)
    assert execution["status"] == "Failed"
    told = pipelines.actions(name)["ExecuteChangeSet"]["errorDetails"]["message"]
    assert "Broken (AWS::CodePipeline::Pipeline): " in told
    assert 'Missing required parameter in pipeline: "stages"' in told
    assert f"Stack {stack} ended ROLLBACK_COMPLETE" in told
    assert told in execution["statusSummary"]


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"fail": "the endpoint is not in service"}, "the endpoint is not in service"),
        ({"raise": "no such key"}, "no such key"),
    ],
)
def test_a_failed_job_tells_its_reason(
    pipelines: Pipelines, parameters: dict[str, str], told: str
) -> None:
    pipelines.upload({"a": "b"}, "job.zip")
    name = pipelines.create(
        ("Source", [pipelines.source("job.zip")]), ("Check", [pipelines.verify(parameters)])
    )
    assert pipelines.settled(name)["status"] == "Failed"
    assert told in pipelines.actions(name)["Verify"]["errorDetails"]["message"]


def test_a_missing_source_object_fails_the_source_action(pipelines: Pipelines) -> None:
    name = pipelines.create(
        ("Source", [pipelines.source("not-there.zip")]), ("Check", [pipelines.verify({})])
    )
    assert pipelines.settled(name)["status"] == "Failed"
    told = pipelines.actions(name)["Fetch"]["errorDetails"]
    assert told["code"] == "RevisionUnavailable"
    assert "'not-there.zip' does not exist" in told["message"]


def _approval() -> dict[str, Any]:
    return action("Approve", "Approval", "Manual", {"CustomData": "look at it"})


def _token(pipelines: Pipelines, name: str) -> str:
    return eventually(lambda: pipelines.actions(name)["Approve"].get("token"))


@pytest.mark.parametrize(
    ("verdict", "status", "told"),
    [("Approved", "Succeeded", "fine"), ("Rejected", "Failed", "fine")],
)
def test_an_approval_waits_for_its_verdict(
    pipelines: Pipelines, verdict: str, status: str, told: str
) -> None:
    pipelines.upload({"a": "b"}, "approve.zip")
    name = pipelines.create(("Source", [pipelines.source("approve.zip")]), ("Gate", [_approval()]))
    token = _token(pipelines, name)
    put = {
        "pipelineName": name,
        "stageName": "Gate",
        "actionName": "Approve",
        "token": token,
        "result": {"status": verdict, "summary": "fine"},
    }
    pipelines.codepipeline.put_approval_result(**put)
    assert pipelines.settled(name)["status"] == status
    latest = pipelines.actions(name)["Approve"]
    assert told in (latest.get("errorDetails") or {}).get("message", latest.get("summary", ""))
    with pytest.raises(pipelines.codepipeline.exceptions.ApprovalAlreadyCompletedException):
        pipelines.codepipeline.put_approval_result(**put)


def test_queued_executions_wait_for_the_stage_and_keep_their_order(pipelines: Pipelines) -> None:
    pipelines.upload({"a": "b"}, "queue.zip")
    name = pipelines.create(("Source", [pipelines.source("queue.zip")]), ("Gate", [_approval()]))
    _token(pipelines, name)
    second = pipelines.codepipeline.start_pipeline_execution(name=name)["pipelineExecutionId"]

    def inbound() -> list[Any] | None:
        gate = pipelines.codepipeline.get_pipeline_state(name=name)["stageStates"][1]
        return gate.get("inboundExecutions") or None

    assert [item["pipelineExecutionId"] for item in eventually(inbound)] == [second]
    for _ in range(2):
        token = _token(pipelines, name)
        pipelines.codepipeline.put_approval_result(
            pipelineName=name,
            stageName="Gate",
            actionName="Approve",
            token=token,
            result={"status": "Approved", "summary": "next"},
        )
        eventually(
            lambda used=token: pipelines.actions(name)["Approve"].get("token") != used or None
        )
    assert pipelines.settled(name, second)["status"] == "Succeeded"


def test_a_newer_execution_supersedes_the_one_that_waits(pipelines: Pipelines) -> None:
    pipelines.upload({"a": "b"}, "super.zip")
    name = pipelines.create(
        ("Source", [pipelines.source("super.zip")]),
        ("Gate", [_approval()]),
        executionMode="SUPERSEDED",
    )
    _token(pipelines, name)
    started = []
    for _ in range(2):
        answer = pipelines.codepipeline.start_pipeline_execution(name=name)
        started.append(answer["pipelineExecutionId"])
        time.sleep(1.0)
    assert pipelines.settled(name, started[0])["status"] == "Superseded"


def test_an_abandoned_execution_stops_at_once(pipelines: Pipelines) -> None:
    pipelines.upload({"a": "b"}, "stop.zip")
    name = pipelines.create(("Source", [pipelines.source("stop.zip")]), ("Gate", [_approval()]))
    _token(pipelines, name)
    execution = pipelines.executions(name)[0]["pipelineExecutionId"]
    pipelines.codepipeline.stop_pipeline_execution(
        pipelineName=name, pipelineExecutionId=execution, abandon=True, reason="not needed"
    )
    settled = pipelines.settled(name)
    assert settled["status"] == "Stopped"
    assert settled["statusSummary"] == "not needed"
    assert pipelines.actions(name)["Approve"]["status"] == "Abandoned"


def test_a_failed_stage_can_be_retried(pipelines: Pipelines) -> None:
    name = pipelines.create(
        ("Source", [pipelines.source("late.zip")]), ("Check", [pipelines.verify({})])
    )
    assert pipelines.settled(name)["status"] == "Failed"
    pipelines.upload({"a": "b"}, "late.zip")
    execution = pipelines.executions(name)[0]["pipelineExecutionId"]
    pipelines.codepipeline.retry_stage_execution(
        pipelineName=name,
        stageName="Source",
        pipelineExecutionId=execution,
        retryMode="FAILED_ACTIONS",
    )
    assert pipelines.settled(name)["status"] == "Succeeded"


def test_a_source_revision_can_be_asked_for(pipelines: Pipelines) -> None:
    old = pipelines.upload({"a": "1"}, "revision.zip")
    pipelines.upload({"a": "2"}, "revision.zip")
    name = pipelines.create(
        ("Source", [pipelines.source("revision.zip")]), ("Check", [pipelines.verify({})])
    )
    pipelines.settled(name)
    started = pipelines.codepipeline.start_pipeline_execution(
        name=name,
        sourceRevisions=[
            {
                "actionName": "Fetch",
                "revisionType": "S3_OBJECT_VERSION_ID",
                "revisionValue": old,
            }
        ],
    )["pipelineExecutionId"]
    assert pipelines.settled(name, started)["artifactRevisions"][0]["revisionId"] == old


def test_state_changes_are_told_on_the_default_bus(pipelines: Pipelines) -> None:
    sqs, events = pipelines.aws.client("sqs"), pipelines.aws.client("events")
    queue = sqs.create_queue(QueueName=f"states-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    declared = pipelines.declaration(
        ("Source", [pipelines.source("job.zip")]), ("Check", [pipelines.verify({"fail": "no"})])
    )
    pattern = {"source": ["aws.codepipeline"], "detail": {"pipeline": [declared["name"]]}}
    events.put_rule(Name=declared["name"], EventPattern=json.dumps(pattern))
    events.put_targets(Rule=declared["name"], Targets=[{"Id": "queue", "Arn": arn["QueueArn"]}])
    pipelines.upload({"a": "b"}, "job.zip")
    pipelines.codepipeline.create_pipeline(pipeline=declared)
    pipelines.settled(declared["name"])
    told: list[tuple[str, str]] = []
    while messages := sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1
    ).get("Messages"):
        for message in messages:
            event = json.loads(message["Body"])
            told.append((event["detail-type"].split()[1], event["detail"]["state"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert sorted(told) == sorted(
        [
            *[("Pipeline", "STARTED"), ("Pipeline", "FAILED")],
            *[("Stage", "STARTED"), ("Stage", "SUCCEEDED")],
            *[("Stage", "STARTED"), ("Stage", "FAILED")],
            *[("Action", "STARTED"), ("Action", "SUCCEEDED")],
            *[("Action", "STARTED"), ("Action", "FAILED")],
        ]
    )


def test_an_object_created_event_starts_the_pipeline_of_a_stack(pipelines: Pipelines) -> None:
    stack = f"delivery-{uuid.uuid4().hex[:8]}"
    key = f"{stack}.zip"
    pipelines.upload({"a": "1"}, key)
    pipelines.s3.put_bucket_notification_configuration(
        Bucket=pipelines.bucket,
        NotificationConfiguration={"EventBridgeConfiguration": {}},
    )
    declared = pipelines.declaration(
        ("Source", [pipelines.source(key)]), ("Check", [pipelines.verify({})])
    )

    arn = {
        "Fn::Sub": "arn:aws:codepipeline:${AWS::Region}:${AWS::AccountId}:${Pipeline}",
    }
    rule = {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "EventPattern": {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {"bucket": {"name": [pipelines.bucket]}, "object": {"key": [key]}},
            },
            "Targets": [{"Id": "pipeline", "Arn": arn, "RoleArn": ROLE}],
        },
    }
    body = template(
        {
            "Pipeline": {
                "Type": "AWS::CodePipeline::Pipeline",
                "Properties": capitalised(declared),
            },
            "Rule": rule,
        },
        Outputs={"Version": {"Value": {"Fn::GetAtt": ["Pipeline", "Version"]}}},
    )
    pipelines.cloudformation.create_stack(StackName=stack, TemplateBody=body)
    pipelines.cloudformation.get_waiter("stack_create_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1}
    )
    name = declared["name"]
    assert pipelines.settled(name)["trigger"]["triggerType"] == "CreatePipeline"
    version = pipelines.upload({"a": "2"}, key)
    newest = eventually(lambda: found[0] if len(found := pipelines.executions(name)) == 2 else None)
    execution = pipelines.settled(name, newest["pipelineExecutionId"])
    assert execution["status"] == "Succeeded", execution.get("statusSummary")
    assert execution["trigger"]["triggerType"] == "CloudWatchEvent"
    assert ":rule/" in execution["trigger"]["triggerDetail"]
    assert execution["artifactRevisions"][0]["revisionId"] == version
    pipelines.cloudformation.delete_stack(StackName=stack)
    pipelines.cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1}
    )
    with pytest.raises(pipelines.codepipeline.exceptions.PipelineNotFoundException):
        pipelines.codepipeline.get_pipeline(name=name)


def test_a_stack_changes_its_pipeline_in_place_and_replaces_a_renamed_one(
    pipelines: Pipelines,
) -> None:
    stack = f"changing-{uuid.uuid4().hex[:8]}"
    pipelines.upload({"a": "1"}, "changing.zip")
    declared = pipelines.declaration(
        ("Source", [pipelines.source("changing.zip")]), ("Check", [pipelines.verify({})])
    )
    cloudformation = pipelines.cloudformation

    def put(kind: str, **changes: Any) -> dict[str, Any]:
        properties = {**capitalised(declared), **changes}
        body = template(
            {"Pipeline": {"Type": "AWS::CodePipeline::Pipeline", "Properties": properties}},
            Outputs={
                "Name": {"Value": {"Ref": "Pipeline"}},
                "Version": {"Value": {"Fn::GetAtt": ["Pipeline", "Version"]}},
            },
        )
        getattr(cloudformation, f"{kind}_stack")(StackName=stack, TemplateBody=body)
        cloudformation.get_waiter(f"stack_{kind}_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 1}
        )
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        return {item["OutputKey"]: item["OutputValue"] for item in found["Outputs"]}

    assert put("create") == {"Name": declared["name"], "Version": "1"}
    tags = [{"Key": "owner", "Value": "risk"}]
    changed = put("update", ExecutionMode="SUPERSEDED", Tags=tags)
    assert changed == {"Name": declared["name"], "Version": "2"}
    found = pipelines.codepipeline.get_pipeline(name=declared["name"])
    assert found["pipeline"]["executionMode"] == "SUPERSEDED"
    arn = found["metadata"]["pipelineArn"]
    tagged = pipelines.codepipeline.list_tags_for_resource(resourceArn=arn)["tags"]
    assert {"key": "owner", "value": "risk"} in tagged
    renamed = put("update", Name=f"{declared['name']}-2", Tags=tags)
    assert renamed == {"Name": f"{declared['name']}-2", "Version": "1"}
    with pytest.raises(pipelines.codepipeline.exceptions.PipelineNotFoundException):
        pipelines.codepipeline.get_pipeline(name=declared["name"])


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [
        ("EQ", "job.zip", True),
        ("NE", "job.zip", False),
        ("CONTAINS", "job", True),
        ("MATCHES", "[a-z]+[.]zip", True),
        ("MATCHES", "[a-z]+", False),
    ],
)
def test_a_condition_skips_a_stage_and_what_follows_goes_on(
    pipelines: Pipelines, operator: str, value: str, holds: bool
) -> None:
    pipelines.upload({"a": "b"}, "job.zip")
    declared = pipelines.declaration(
        ("Source", [pipelines.source("job.zip")]),
        ("Maybe", [pipelines.verify({"fail": "it was run"})]),
        ("Always", [{**pipelines.verify({}), "name": "Last"}]),
    )
    declared["stages"][1]["beforeEntry"] = only_if("#{Fetched.ObjectKey}", operator, value)
    pipelines.codepipeline.create_pipeline(pipeline=declared)

    ended = pipelines.settled(declared["name"])

    stages = pipelines.stages(declared["name"])
    if holds:
        assert (ended["status"], stages["Maybe"], stages["Always"]) == ("Failed", "Failed", None)
    else:
        assert ended["status"] == "Succeeded"
        assert (stages["Maybe"], stages["Always"]) == ("Skipped", "Succeeded")
    state = pipelines.codepipeline.get_pipeline_state(name=declared["name"])["stageStates"][1]
    latest = state["beforeEntryConditionState"]["latestExecution"]
    assert latest["status"] == ("Succeeded" if holds else "Failed")


def test_a_condition_may_fail_a_stage_and_says_why(pipelines: Pipelines) -> None:
    pipelines.upload({"a": "b"}, "job.zip")
    declared = pipelines.declaration(
        ("Source", [pipelines.source("job.zip")]), ("Guarded", [pipelines.verify({})])
    )
    declared["stages"][1]["beforeEntry"] = only_if("#{Nobody.Knows}", "EQ", "it", "FAIL")
    pipelines.codepipeline.create_pipeline(pipeline=declared)

    ended = pipelines.settled(declared["name"])

    assert (ended["status"], pipelines.stages(declared["name"])["Guarded"]) == ("Failed", "Failed")
    assert "#{Nobody.Knows}, which is not set" in ended["statusSummary"]


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (
            lambda p: p["stages"].pop(),
            "InvalidStructureException",
            "minimum of 2 stages",
        ),
        (
            lambda p: p["stages"][1]["actions"][0]["actionTypeId"].update(
                category="Build", provider="Jenkins"
            ),
            "NotCarriedByLocalAws",
            "Build/Jenkins",
        ),
        (
            lambda p: p["stages"][0]["actions"][0]["configuration"].update(
                PollForSourceChanges="true"
            ),
            "InvalidActionDeclarationException",
            "does not poll",
        ),
        (
            lambda p: p["stages"][1]["actions"][0].update(inputArtifacts=[{"name": "Other"}]),
            "InvalidActionDeclarationException",
            "Input Artifact Bundle Other",
        ),
        (
            lambda p: p["stages"][1]["actions"][0]["configuration"].pop("FunctionName"),
            "InvalidActionDeclarationException",
            "missing required configuration 'FunctionName'",
        ),
        (
            lambda p: p.update(name="spaces are not allowed"),
            "ValidationException",
            "regular expression pattern",
        ),
        (
            lambda p: p["stages"][1].update(onFailure={"result": "ROLLBACK"}),
            "NotCarriedByLocalAws",
            "onFailure of stage Check",
        ),
        (
            lambda p: p["stages"][1].update(beforeEntry=only_if("1", "EQ", "1", "ROLLBACK")),
            "NotCarriedByLocalAws",
            "beforeEntry of stage Check with the result ROLLBACK",
        ),
        (
            lambda p: p["stages"][1].update(beforeEntry=only_if("1", "GT", "1")),
            "NotCarriedByLocalAws",
            "Operator of EQ, NE, CONTAINS, MATCHES",
        ),
        (
            lambda p: p["stages"][0]["actions"][0].update(
                actionTypeId={
                    "category": "Source",
                    "owner": "AWS",
                    "provider": "CodeStarSourceConnection",
                    "version": "1",
                }
            ),
            "NotCarriedByLocalAws",
            "mlops apply FOLDER --yes --watch",
        ),
    ],
)
def test_a_pipeline_that_cannot_run_is_refused_with_the_reason(
    pipelines: Pipelines, change: Callable[[dict[str, Any]], Any], code: str, told: str
) -> None:
    declared = pipelines.declaration(
        ("Source", [pipelines.source()]), ("Check", [pipelines.verify({})])
    )
    change(declared)
    with pytest.raises(ClientError) as refused:
        pipelines.codepipeline.create_pipeline(pipeline=declared)
    assert refused.value.response["Error"]["Code"] == code
    assert told in refused.value.response["Error"]["Message"]
    names = [item["name"] for item in pipelines.codepipeline.list_pipelines()["pipelines"]]
    assert declared["name"] not in names


def test_an_operation_that_is_not_carried_says_so(pipelines: Pipelines) -> None:
    with pytest.raises(ClientError, match="The local AWS does not carry codepipeline:ListWebhooks"):
        pipelines.codepipeline.list_webhooks()


def test_times_and_errors_arrive_as_botocore_reads_them(pipelines: Pipelines) -> None:
    name = pipelines.create(
        ("Source", [pipelines.source("job.zip")]), ("Check", [pipelines.verify({})])
    )
    created = pipelines.codepipeline.get_pipeline(name=name)["metadata"]["created"]
    assert created.tzinfo is not None
    with pytest.raises(pipelines.codepipeline.exceptions.PipelineNameInUseException):
        pipelines.codepipeline.create_pipeline(
            pipeline=pipelines.codepipeline.get_pipeline(name=name)["pipeline"]
        )


def test_a_client_that_speaks_cbor_is_answered_in_cbor(pipelines: Pipelines) -> None:
    address = f"{pipelines.aws.endpoint}/service/CodePipeline_20150709/operation/GetPipeline"
    # {"name": "none"} in CBOR: a map of one pair of texts.
    body = b"\xa1\x64name\x64none"
    credential = "111122223333/20260101/us-east-1/codepipeline/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, Signature=0",
        "Content-Type": "application/cbor",
        "Smithy-Protocol": "rpc-v2-cbor",
    }
    request = urllib.request.Request(address, body, headers, method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    with refused.value as answer:
        assert answer.headers["smithy-protocol"] == "rpc-v2-cbor"
        assert b"PipelineNotFoundException" in answer.read()


def test_a_build_takes_the_pipelines_source_and_hands_on_artifact_and_variables(
    pipelines: Pipelines,
) -> None:
    project = f"build-{uuid.uuid4().hex[:8]}"
    stack = f"stack-{project}"
    topic = template({"Topic": {**TOPIC, "Properties": {"TopicName": stack}}})
    spec = {
        "version": 0.2,
        "env": {"exported-variables": ["STACK"]},
        "phases": {"build": {"commands": ["mkdir out", "cp topic.json out/", "STACK=$NAME"]}},
        "artifacts": {"files": ["topic.json"], "base-directory": "out"},
    }
    pipelines.upload({"buildspec.yml": json.dumps(spec), "topic.json": topic}, f"{project}.zip")
    pipelines.aws.client("codebuild").create_project(
        name=project,
        source={"type": "CODEPIPELINE"},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=ROLE,
    )
    variables = json.dumps([{"name": "NAME", "value": stack, "type": "PLAINTEXT"}])
    build = action(
        "Make",
        "Build",
        "CodeBuild",
        {"ProjectName": project, "EnvironmentVariables": variables},
        inputArtifacts=[{"name": "Source"}],
        outputArtifacts=[{"name": "Made"}],
        namespace="Making",
    )
    deploy = action(
        "Deploy",
        "Deploy",
        "CloudFormation",
        {
            "ActionMode": "CREATE_UPDATE",
            "StackName": "#{Making.STACK}",
            "TemplatePath": "Made::topic.json",
            "RoleArn": ROLE,
        },
        inputArtifacts=[{"name": "Made"}],
        runOrder=2,
    )
    name = pipelines.create(
        ("Source", [pipelines.source(f"{project}.zip")]), ("Dev", [build, deploy])
    )

    execution = pipelines.settled(name)

    assert execution["status"] == "Succeeded", execution.get("statusSummary")
    (found,) = pipelines.cloudformation.describe_stacks(StackName=stack)["Stacks"]
    assert found["StackStatus"] == "CREATE_COMPLETE"


def test_a_build_that_fails_fails_its_action_with_the_command(pipelines: Pipelines) -> None:
    project = f"build-{uuid.uuid4().hex[:8]}"
    spec = {"version": 0.2, "phases": {"build": {"commands": ["exit 7"]}}}
    pipelines.upload({"a": "b"}, f"{project}.zip")
    pipelines.aws.client("codebuild").create_project(
        name=project,
        source={"type": "CODEPIPELINE", "buildspec": json.dumps(spec)},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=ROLE,
    )
    build = action(
        "Make",
        "Build",
        "CodeBuild",
        {"ProjectName": project},
        inputArtifacts=[{"name": "Source"}],
    )
    name = pipelines.create(("Source", [pipelines.source(f"{project}.zip")]), ("Dev", [build]))

    assert pipelines.settled(name)["status"] == "Failed"
    told = pipelines.actions(name)["Make"]["errorDetails"]
    assert told["code"] == "JobFailed"
    assert "Code: COMMAND_EXECUTION_ERROR" in told["message"]
    assert "exit 7. Reason: exit status 7" in told["message"]
