"""Which permissions a call needs: one entry for each operation that our functions use.

Most operations need the action of their own name on one resource. What differs is written out, as
the Service Authorization Reference and each service's page on KMS say: reading an object is one
action under several operations, an encrypted store takes its key besides, a role that is handed on
is a permission of its own, and a missing object is told apart from a forbidden one only by who may
list the bucket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.iam.account import REGION, Account, arn
from tests.iam.policies import Ask

Parameters = Mapping[str, Any]
Asks = Callable[[Parameters, Account], Iterator[Ask]]


def asks_of(call: Mapping[str, Any], account: Account) -> list[Ask]:
    """The permissions that a recorded call needs.

    Args:
        call: A line of the record.
        account: What was there when it was made.

    Raises:
        LookupError: Nobody has said what this operation needs.
    """
    name = f"{call['service']}.{call['operation']}"
    if name not in OPERATIONS:
        raise LookupError(f"{name}: say in tests/iam/calls.py which permissions it needs")
    asks = list(OPERATIONS[name](call["parameters"], account))
    if call["error"] in ("NoSuchKey", "404", "NoSuchVersion"):
        # Without it S3 answers 403, and what is only not there looks like a refusal.
        asks.append(Ask("s3:ListBucket", _bucket(call["parameters"]["Bucket"])))
    return asks


def key(arn_of_key: str, service: str, *actions: str) -> Iterator[Ask]:
    """What it takes of the key behind an encrypted store; nothing where there is none of ours."""
    context = {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}
    if arn_of_key:
        yield from (Ask(f"kms:{action}", arn_of_key, context) for action in actions)


def passing(role: str | None, service: str) -> Iterator[Ask]:
    """Handing a role to a service."""
    if role:
        yield Ask("iam:PassRole", role, {"iam:PassedToService": service})


def _bucket(name: str) -> str:
    return f"arn:aws:s3:::{name}"


def _object(given: Parameters) -> str:
    return f"{_bucket(given['Bucket'])}/{given['Key']}"


def _reading(given: Parameters, account: Account) -> Iterator[Ask]:
    action = "s3:GetObjectVersion" if given.get("VersionId") else "s3:GetObject"
    yield Ask(action, _object(given))
    yield from key(account.bucket_key(given["Bucket"]), "s3", "Decrypt")


def _writing(given: Parameters, account: Account) -> Iterator[Ask]:
    yield Ask("s3:PutObject", _object(given))
    if given.get("Tagging"):
        yield Ask("s3:PutObjectTagging", _object(given))
    if given.get("IfMatch"):
        yield Ask("s3:GetObject", _object(given))
    used = given.get("SSEKMSKeyId") or account.bucket_key(given["Bucket"])
    yield from key(used, "s3", "GenerateDataKey")


def _on_object(action: str) -> Asks:
    def asks(given: Parameters, _: Account) -> Iterator[Ask]:
        yield Ask(action, _object(given))

    return asks


def _on_bucket(action: str) -> Asks:
    def asks(given: Parameters, _: Account) -> Iterator[Ask]:
        context = {"s3:prefix": given["Prefix"]} if given.get("Prefix") else {}
        yield Ask(action, _bucket(given["Bucket"]), context)

    return asks


def _plain(action: str, resource: Callable[[Parameters], str]) -> Asks:
    def asks(given: Parameters, _: Account) -> Iterator[Ask]:
        yield Ask(action, resource(given))

    return asks


def _nowhere(action: str) -> Asks:
    return _plain(action, lambda _: "*")


def _item(action: str) -> Asks:
    def asks(given: Parameters, account: Account) -> Iterator[Ask]:
        yield Ask(f"dynamodb:{action}", arn("dynamodb", f"table/{given['TableName']}"))
        yield from key(account.table_key(given["TableName"]), "dynamodb", "Decrypt")

    return asks


def _stack(action: str) -> Asks:
    def asks(given: Parameters, account: Account) -> Iterator[Ask]:
        name = given.get("StackName")
        if name is None:
            yield Ask(f"cloudformation:{action}", "*")
            return
        whole = name if name.startswith("arn:") else arn("cloudformation", f"stack/{name}/0")
        yield Ask(f"cloudformation:{action}", whole)
        yield from passing(given.get("RoleARN"), "cloudformation.amazonaws.com")
        if address := given.get("TemplateURL"):
            # CloudFormation fetches a template in the name of who calls it.
            bucket, _, name = address.partition("://")[2].partition("/")
            bucket = bucket.partition(".s3.")[0]
            if bucket.startswith("s3."):
                bucket, _, name = name.partition("/")
            yield from _reading({"Bucket": bucket, "Key": name}, account)

    return asks


def _events(given: Parameters, _: Account) -> Iterator[Ask]:
    for entry in given["Entries"]:
        bus = entry.get("EventBusName") or "default"
        context = {"events:source": entry["Source"], "events:detail-type": entry["DetailType"]}
        whole = bus if bus.startswith("arn:") else arn("events", f"event-bus/{bus}")
        yield Ask("events:PutEvents", whole, context)


def _publishing(given: Parameters, account: Account) -> Iterator[Ask]:
    topic = given["TopicArn"]
    yield Ask("sns:Publish", topic)
    yield from key(account.topic_key(topic), "sns", "GenerateDataKey", "Decrypt")


def _invoking(given: Parameters, _: Account) -> Iterator[Ask]:
    name = given["FunctionName"]
    yield Ask(
        "lambda:InvokeFunction",
        name if name.startswith("arn:") else arn("lambda", f"function:{name}"),
    )


def _parameters(given: Parameters) -> list[str]:
    names = given.get("Names") or [given["Name"]]
    return [
        name if name.startswith("arn:") else arn("ssm", f"parameter/{name.lstrip('/')}")
        for name in names
    ]


def _reading_parameters(action: str) -> Asks:
    def asks(given: Parameters, _: Account) -> Iterator[Ask]:
        yield from (Ask(f"ssm:{action}", name) for name in _parameters(given))

    return asks


def _sagemaker(action: str, kind: str, member: str) -> Asks:
    """An operation of SageMaker's on one resource of a kind, tags and roles included."""

    def asks(given: Parameters, _: Account) -> Iterator[Ask]:
        name = str(given[member])
        whole = name if name.startswith("arn:") else arn("sagemaker", f"{kind}/{name}")
        tags = {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in given.get("Tags", ())}
        yield Ask(f"sagemaker:{action}", whole, tags)
        if tags:
            yield Ask("sagemaker:AddTags", whole, tags)
        yield from passing(
            given.get("RoleArn") or given.get("ExecutionRoleArn"), "sagemaker.amazonaws.com"
        )

    return asks


def _versions(given: Parameters, _: Account) -> Iterator[Ask]:
    # IAM checks the versions that are listed, which are named after their group.
    yield Ask(
        "sagemaker:ListModelPackages",
        arn("sagemaker", f"model-package/{given['ModelPackageGroupName']}/1"),
    )


def _repository(action: str) -> Asks:
    def asks(given: Parameters, account: Account) -> Iterator[Ask]:
        names = given.get("repositoryNames") or [given["repositoryName"]]
        tags = {tag["Key"]: tag["Value"] for tag in given.get("tags", ())}
        in_request = {f"aws:RequestTag/{name}": value for name, value in tags.items()}
        for name in names:
            whole = arn("ecr", f"repository/{name}")
            yield Ask(f"ecr:{action}", whole, in_request)
            if tags:
                yield Ask("ecr:TagResource", whole, in_request)
                account.tag(whole, tags)
        # A registry that encrypts is granted the key, and gives the grant back with the repository.
        used = given.get("encryptionConfiguration", {}).get("kmsKey", "")
        yield from key(used, "ecr", "CreateGrant", "DescribeKey", "RetireGrant")

    return asks


def _builds(given: Parameters, _: Account) -> Iterator[Ask]:
    for build in given["ids"]:
        project = build.rpartition("/")[2].partition(":")[0]
        yield Ask("codebuild:BatchGetBuilds", arn("codebuild", f"project/{project}"))


def _taking(given: Parameters, _: Account) -> Iterator[Ask]:
    yield Ask("sts:AssumeRole", given["RoleArn"])


def _pipeline(given: Parameters) -> str:
    return arn("codepipeline", str(given.get("name") or given.get("pipelineName")))


def _machine(given: Parameters) -> str:
    return str(given.get("stateMachineArn") or given["executionArn"])


OPERATIONS: Mapping[str, Asks] = {
    "s3.GetObject": _reading,
    "s3.HeadObject": _reading,
    "s3.PutObject": _writing,
    "s3.DeleteObject": _on_object("s3:DeleteObject"),
    "s3.ListObjectsV2": _on_bucket("s3:ListBucket"),
    "s3.ListObjectVersions": _on_bucket("s3:ListBucketVersions"),
    **{f"dynamodb.{name}": _item(name) for name in ("GetItem", "PutItem", "DeleteItem", "Scan")},
    **{
        f"cloudformation.{name}": _stack(name)
        for name in (
            "CreateStack",
            "UpdateStack",
            "DeleteStack",
            "ContinueUpdateRollback",
            "DescribeStacks",
            "DescribeStackEvents",
        )
    },
    "events.PutEvents": _events,
    "sns.Publish": _publishing,
    "lambda.Invoke": _invoking,
    "ssm.GetParameter": _reading_parameters("GetParameter"),
    "ssm.GetParameters": _reading_parameters("GetParameters"),
    "sts.AssumeRole": _taking,
    "stepfunctions.StartExecution": _plain("states:StartExecution", _machine),
    "stepfunctions.DescribeExecution": _plain("states:DescribeExecution", _machine),
    "codepipeline.GetPipelineState": _plain("codepipeline:GetPipelineState", _pipeline),
    "codepipeline.StartPipelineExecution": _plain("codepipeline:StartPipelineExecution", _pipeline),
    "codepipeline.PutJobSuccessResult": _nowhere("codepipeline:PutJobSuccessResult"),
    "codepipeline.PutJobFailureResult": _nowhere("codepipeline:PutJobFailureResult"),
    "codebuild.StartBuild": _plain(
        "codebuild:StartBuild", lambda given: arn("codebuild", f"project/{given['projectName']}")
    ),
    "codebuild.BatchGetBuilds": _builds,
    **{
        f"ecr.{name}": _repository(name)
        for name in (
            "CreateRepository",
            "DescribeImages",
            "DescribeImageScanFindings",
            "DescribeRepositories",
            "PutLifecyclePolicy",
            "StartImageScan",
        )
    },
    **{
        f"sagemaker.{action}": _sagemaker(action, kind, member)
        for action, kind, member in (
            ("CreateModelCard", "model-card", "ModelCardName"),
            ("UpdateModelCard", "model-card", "ModelCardName"),
            ("DeleteModelCard", "model-card", "ModelCardName"),
            ("DescribeModelCard", "model-card", "ModelCardName"),
            ("ListModelCardVersions", "model-card", "ModelCardName"),
            ("CreateModelCardExportJob", "model-card", "ModelCardName"),
            ("ListModelCardExportJobs", "model-card", "ModelCardName"),
            ("DescribeModelCardExportJob", "model-card", "ModelCardExportJobArn"),
            ("CreateModelPackageGroup", "model-package-group", "ModelPackageGroupName"),
            ("DescribeModelPackageGroup", "model-package-group", "ModelPackageGroupName"),
            ("DescribeModel", "model", "ModelName"),
            ("DescribeTrainingJob", "training-job", "TrainingJobName"),
            ("DescribeProcessingJob", "processing-job", "ProcessingJobName"),
            ("DescribeEndpoint", "endpoint", "EndpointName"),
            ("DescribeEndpointConfig", "endpoint-config", "EndpointConfigName"),
            ("DescribeInferenceComponent", "inference-component", "InferenceComponentName"),
            ("StartPipelineExecution", "pipeline", "PipelineName"),
            ("DescribePipelineExecution", "pipeline", "PipelineExecutionArn"),
            ("ListPipelineExecutionSteps", "pipeline", "PipelineExecutionArn"),
        )
    },
    "sagemaker.ListModelPackages": _versions,
    "sagemaker.ListModelCards": _nowhere("sagemaker:ListModelCards"),
    "sagemaker-runtime.InvokeEndpoint": _sagemaker("InvokeEndpoint", "endpoint", "EndpointName"),
    "sagemaker-runtime.InvokeEndpointAsync": _sagemaker(
        "InvokeEndpointAsync", "endpoint", "EndpointName"
    ),
}
