"""What services do under the roles that stacks hand them, and whom resources have to let in.

Read from the resources themselves: a state machine's definition, a pipeline's actions, a rule's
targets. Sources: the developer guides of Step Functions (policies for integrated services and for
distributed maps), CodePipeline (service role), EventBridge and its Scheduler, SNS and SQS (keys
of encrypted topics and queues), and CloudWatch (alarms on encrypted topics).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.iam import jobs
from tests.iam.account import ACCOUNT, Account, Resource, arn
from tests.iam.calls import key, passing
from tests.iam.policies import Ask
from tests.iam.uses import Found, Use, Visit


def uses(resource: Resource, account: Account) -> Found:
    """What a resource makes services do.

    Args:
        resource: As CloudFormation made it.
        account: Where it is.
    """
    if look := _KINDS.get(resource.kind):
        yield from look(resource, account)


def _machine(machine: Resource, account: Account) -> Found:
    role = machine.properties["RoleArn"]
    values = machine.properties.get("DefinitionSubstitutions", {})
    text = re.sub(
        r"[$][{](\w+)[}]",
        lambda found: str(values[found[1]]),
        machine.properties["DefinitionString"],
    )
    for state in _states(json.loads(text)):
        for ask in _in_state(state, machine, account):
            yield Use(role, "states.amazonaws.com", ask)
        if searcher := state.get("Parameters", {}).get("RoleArn"):
            yield from jobs.search(searcher, state["Parameters"], account)


def _states(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for state in node.get("States", {}).values():
        yield state
        for inner in (
            state.get("ItemProcessor"),
            state.get("Iterator"),
            *state.get("Branches", ()),
        ):
            yield from _states(inner or {})


def _in_state(state: Mapping[str, Any], machine: Resource, account: Account) -> Iterator[Ask]:
    if state["Type"] == "Task":
        yield from _task(state["Resource"], state.get("Parameters", {}))
    if state["Type"] == "Map":
        processor = state.get("ItemProcessor", {}).get("ProcessorConfig", {})
        if processor.get("Mode") == "DISTRIBUTED":
            yield Ask("states:StartExecution", machine.arn)
            executions = machine.arn.replace(":stateMachine:", ":execution:")
            yield Ask("states:DescribeExecution", f"{executions}:1")
            yield Ask("states:StopExecution", f"{executions}:1")
        if reader := state.get("ItemReader"):
            assert reader["Resource"].endswith(":states:::s3:getObject"), reader
            for bucket in _data_buckets(account):
                yield Ask("s3:GetObject", f"{bucket.arn}/drift/any/runs/any")
                yield from key(account.bucket_key(bucket.physical_id), "s3", "Decrypt")


def _data_buckets(account: Account) -> Iterator[Resource]:
    # Which bucket a run's lists lie in is known at run time; they are written to the data bucket.
    return (
        found for found in account.all("AWS::S3::Bucket") if found.logical_id.startswith("Data")
    )


_NAMED_IN = {
    "AutoMLJobV2": ("automl-job", "AutoMLJobName"),
    "ModelPackage": ("model-package", "ModelPackageGroupName"),
    "ModelPackageGroup": ("model-package-group", "ModelPackageGroupName"),
}


def _task(task: str, given: Mapping[str, Any]) -> Iterator[Ask]:
    if ":lambda:" in task and ":function:" in task:
        yield Ask("lambda:InvokeFunction", task)
        return
    found = re.fullmatch(r"arn:aws:states:::aws-sdk:sagemaker:([a-z]+)(\w+)", task)
    if found is None:
        raise LookupError(f"say in tests/iam/handed.py what {task} needs")
    kind, member = _NAMED_IN[found[2]]
    # A name that is made at run time is any name.
    name = str(given.get(member) or "*")
    whole = arn("sagemaker", f"{kind}/{name}" + ("/*" if kind == "model-package" else ""))
    tags = {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in given.get("Tags", ())}
    action = f"sagemaker:{found[1].capitalize()}{found[2]}"
    yield Ask(action, whole, tags, some="*" in whole)
    if tags:
        yield Ask("sagemaker:AddTags", whole, tags, some="*" in whole)
    yield from passing(given.get("RoleArn"), "sagemaker.amazonaws.com")


def _schedule(schedule: Resource, account: Account) -> Found:
    target = schedule.properties["Target"]
    for ask in _target(target["Arn"], account):
        yield Use(target["RoleArn"], "scheduler.amazonaws.com", ask)
    if queue := target.get("DeadLetterConfig", {}).get("Arn"):
        for ask in _sending(queue, account):
            yield Use(target["RoleArn"], "scheduler.amazonaws.com", ask)


def _rule(rule: Resource, account: Account) -> Found:
    source = {"aws:SourceArn": rule.arn, "aws:SourceAccount": ACCOUNT}
    for target in rule.properties.get("Targets", ()):
        for ask in _target(target["Arn"], account):
            if role := target.get("RoleArn"):
                yield Use(role, "events.amazonaws.com", ask)
            elif ":sns:" in target["Arn"]:
                # Neither SNS nor its key is told the rule or the account.
                yield Visit("events.amazonaws.com", ask)
            else:
                given = {**ask.context, **source}
                yield Visit("events.amazonaws.com", Ask(ask.action, ask.resource, given))


def _target(target: str, account: Account) -> Iterator[Ask]:
    service, resource = target.split(":")[2], target.split(":", 5)[5]
    match service:
        case "lambda":
            yield Ask("lambda:InvokeFunction", target)
        case "sqs":
            yield from _sending(target, account)
        case "sns":
            yield Ask("sns:Publish", target)
            yield from key(account.topic_key(target), "sns", "GenerateDataKey", "Decrypt")
        case "sagemaker" if resource.startswith("pipeline/"):
            yield Ask("sagemaker:StartPipelineExecution", target)
        case "codepipeline":
            yield Ask("codepipeline:StartPipelineExecution", target)
        case "states":
            yield Ask("states:StartExecution", target)
        case "autoscaling":
            pass  # A scaling policy is let act by whoever made it, not by whom it belongs to.
        case _:
            raise LookupError(f"say in tests/iam/handed.py what a target {target} needs")


def _sending(queue: str, account: Account) -> Iterator[Ask]:
    yield Ask("sqs:SendMessage", queue)
    yield from key(account.queue_key(queue), "sqs", "GenerateDataKey", "Decrypt")


def _alarm(alarm: Resource, account: Account) -> Found:
    source = {"aws:SourceArn": alarm.arn, "aws:SourceAccount": ACCOUNT}
    for state in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        for topic in alarm.properties.get(state, ()):
            for ask in _target(topic, account):
                # Only of SNS is it known that it is told the alarm and its account.
                given = {**ask.context, **(source if ask.action == "sns:Publish" else {})}
                yield Visit("cloudwatch.amazonaws.com", Ask(ask.action, ask.resource, given))


def _code_pipeline(pipeline: Resource, account: Account) -> Found:
    role = pipeline.properties["RoleArn"]
    store = pipeline.properties["ArtifactStore"]["Location"]
    # CodePipeline cuts the names of pipeline and artifact, and adds a random end.
    artifact = f"arn:aws:s3:::{store}/{pipeline.properties['Name'][:20]}/Source/0aB1"
    asks = [
        *(Ask(f"s3:{verb}", artifact) for verb in ("PutObject", "GetObject", "GetObjectVersion")),
        *(
            Ask(f"s3:{verb}", f"arn:aws:s3:::{store}")
            for verb in ("GetBucketVersioning", "GetBucketLocation", "GetBucketAcl")
        ),
        *key(account.bucket_key(store), "s3", "Decrypt", "GenerateDataKey"),
    ]
    for stage in pipeline.properties["Stages"]:
        for action in stage["Actions"]:
            asks += _action(action, account)
    yield from (Use(role, "codepipeline.amazonaws.com", ask) for ask in asks)


def _api_account(given: Resource, _: Account) -> Found:
    yield Use(given.properties["CloudWatchRoleArn"], "apigateway.amazonaws.com", None)


def _build(project: Resource, account: Account) -> Found:
    role, service = project.properties["ServiceRole"], "codebuild.amazonaws.com"
    group = project.properties.get("LogsConfig", {}).get("CloudWatchLogs", {}).get("GroupName")
    if group:
        whole = arn("logs", f"log-group:{group}")
        yield Use(role, service, Ask("logs:CreateLogStream", f"{whole}:*"))
        yield Use(role, service, Ask("logs:PutLogEvents", f"{whole}:log-stream:build/1"))
    for ask in key(str(project.properties.get("EncryptionKey", "")), "s3", "Decrypt"):
        yield Use(role, service, ask)
    source = project.properties["Source"]
    if source["Type"] == "S3":
        bucket, _, place = source["Location"].partition("/")
        for verb in ("GetObject", "GetObjectVersion"):
            yield Use(role, service, Ask(f"s3:{verb}", f"arn:aws:s3:::{bucket}/{place}"))
        for ask in key(account.bucket_key(bucket), "s3", "Decrypt"):
            yield Use(role, service, ask)


def stacks_of(pipeline: Resource) -> Iterator[tuple[str, str]]:
    """The stacks that a CodePipeline deploys, and the role that it hands on for each."""
    if pipeline.kind == "AWS::CodePipeline::Pipeline":
        for stage in pipeline.properties["Stages"]:
            for action in stage["Actions"]:
                given = action.get("Configuration", {})
                if "StackName" in given and "RoleArn" in given:
                    yield given["StackName"], given["RoleArn"]


def _action(action: Mapping[str, Any], account: Account) -> Iterator[Ask]:
    given = action.get("Configuration", {})
    match action["ActionTypeId"]["Provider"]:
        case "S3":
            bucket = f"arn:aws:s3:::{given['S3Bucket']}"
            for verb in ("GetObject", "GetObjectVersion"):
                yield Ask(f"s3:{verb}", f"{bucket}/{given['S3ObjectKey']}")
            yield Ask("s3:GetBucketVersioning", bucket)
            yield from key(account.bucket_key(given["S3Bucket"]), "s3", "Decrypt")
        case "CloudFormation":
            stack = arn("cloudformation", f"stack/{given['StackName']}/0")
            verbs = ["DescribeStacks"]
            if given["ActionMode"] == "CHANGE_SET_REPLACE":
                verbs += ["CreateChangeSet", "DeleteChangeSet", "DescribeChangeSet"]
            else:
                verbs += ["ExecuteChangeSet", "DescribeChangeSet"]
            for verb in verbs:
                yield Ask(f"cloudformation:{verb}", stack)
            yield from passing(given.get("RoleArn"), "cloudformation.amazonaws.com")
        case "Lambda":
            yield Ask("lambda:InvokeFunction", arn("lambda", f"function:{given['FunctionName']}"))
            yield Ask("lambda:ListFunctions", "*")
        case "Manual":
            if topic := given.get("NotificationArn"):
                yield from _target(topic, account)
        case "CodeBuild":
            for verb in ("StartBuild", "BatchGetBuilds"):
                yield Ask(f"codebuild:{verb}", arn("codebuild", f"project/{given['ProjectName']}"))
        case "CodeStarSourceConnection":
            service = given["ConnectionArn"].split(":")[2]
            yield Ask(f"{service}:UseConnection", given["ConnectionArn"])
        case other:
            raise LookupError(f"say in tests/iam/handed.py what an action of {other} needs")


_KINDS: Mapping[str, Callable[[Resource, Account], Found]] = {
    "AWS::ApiGateway::Account": _api_account,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CodeBuild::Project": _build,
    "AWS::CodePipeline::Pipeline": _code_pipeline,
    "AWS::Events::Rule": _rule,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::StepFunctions::StateMachine": _machine,
    **jobs.KINDS,
}
