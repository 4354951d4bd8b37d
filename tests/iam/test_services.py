"""What services do for us is held against roles and policies, on records one can see through."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tests.iam.account import ACCOUNT
from tests.iam.check import check
from tests.iam.test_check import allowing, made

TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
FROM_HERE = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def role(name: str, service: str, *policies: Mapping[str, Any], **trust: Any) -> dict[str, Any]:
    taken = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    return made(
        "AWS::IAM::Role",
        name,
        AssumeRolePolicyDocument={"Statement": [{**taken, **trust}]},
        Policies=[{"PolicyDocument": policy} for policy in policies],
    )


def arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def missing(*lines: Mapping[str, Any]) -> list[str]:
    found = check(lines)
    assert found.wrong == {}
    return list(found.missing)


def an_encrypted_topic(**condition: Any) -> Iterable[Mapping[str, Any]]:
    principal = {"Principal": {"Service": "events.amazonaws.com"}, **condition}
    key = allowing(["kms:GenerateDataKey", "kms:Decrypt"], **principal)
    yield {**made("AWS::KMS::Key", "1", KeyPolicy=key), "attributes": {"Arn": KEY}}
    yield made("AWS::SNS::Topic", TOPIC, KmsMasterKeyId=KEY)
    published = allowing(["sns:Publish"], TOPIC, Principal=principal["Principal"])
    yield made("AWS::SNS::TopicPolicy", "policy", Topics=[TOPIC], PolicyDocument=published)
    yield made("AWS::Events::Rule", "rule", Targets=[{"Id": "People", "Arn": TOPIC}])


def test_a_rule_reaches_an_encrypted_topic_only_where_its_key_asks_for_no_source() -> None:
    told = (
        "with kms:ViaService=sns.us-east-1.amazonaws.com, "
        "which the resource's own policy does not allow"
    )

    assert missing(*an_encrypted_topic()) == []
    assert missing(*an_encrypted_topic(Condition=FROM_HERE)) == [
        f"events.amazonaws.com: kms:{action} on {KEY} {told}"
        for action in ("GenerateDataKey", "Decrypt")
    ]


def test_a_distributed_map_looks_after_the_executions_of_its_machine() -> None:
    machine = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:scale"
    spread = {"Type": "Map", "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}}}
    run = role("run", "states.amazonaws.com", allowing(["states:StartExecution"], machine))
    definition = json.dumps({"StartAt": "Spread", "States": {"Spread": spread}})
    states = made(
        "AWS::StepFunctions::StateMachine",
        machine,
        RoleArn=arn("run"),
        DefinitionString=definition,
    )

    assert [told.partition(" on ")[0] for told in missing(run, states)] == [
        "run: states:DescribeExecution",
        "run: states:StopExecution",
    ]


def test_a_service_that_tells_no_account_cannot_take_a_role_that_asks_for_it() -> None:
    logging = made("AWS::ApiGateway::Account", "account", CloudWatchRoleArn=arn("logs"))
    open_to_it = role("logs", "apigateway.amazonaws.com")
    asking = role("logs", "apigateway.amazonaws.com", Condition=FROM_HERE)

    assert missing(open_to_it, logging) == []
    assert missing(asking, logging) == ["logs: apigateway.amazonaws.com, which it does not trust"]


def test_a_deploy_role_is_asked_for_what_the_handlers_of_its_stacks_call() -> None:
    deploy = role(
        "deploy",
        "cloudformation.amazonaws.com",
        allowing(["lambda:AddPermission", "lambda:RemovePermission"]),
    )
    stage = {
        "ActionTypeId": {"Provider": "CloudFormation"},
        "Configuration": {
            "ActionMode": "CHANGE_SET_REPLACE",
            "StackName": "served",
            "RoleArn": arn("deploy"),
        },
    }
    pipe = role("pipe", "codepipeline.amazonaws.com", allowing(["s3:*", "cloudformation:*"]))
    pipeline = made(
        "AWS::CodePipeline::Pipeline",
        "pipeline",
        Name="pipeline",
        RoleArn=arn("pipe"),
        ArtifactStore={"Location": "artifacts"},
        Stages=[{"Actions": [stage]}],
    )
    permission = {
        **made(
            "AWS::Lambda::Permission",
            "permission",
            FunctionName="f",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
        ),
        "stack": "served",
    }

    assert [told.partition(" on ")[0] for told in missing(deploy, pipe, pipeline, permission)] == [
        "pipe: iam:PassRole",
        "deploy: lambda:GetPolicy",
    ]


def test_the_key_of_the_bucket_that_a_job_reads_is_asked_of_the_jobs_role() -> None:
    encryption = {"ServerSideEncryptionByDefault": {"KMSMasterKeyID": KEY}}
    data = made(
        "AWS::S3::Bucket",
        "data",
        BucketEncryption={"ServerSideEncryptionConfiguration": [encryption]},
    )
    others = ["s3:*", "ecr:*", "logs:*", "cloudwatch:*"]
    runs = role("runs", "sagemaker.amazonaws.com", allowing(others))
    model = made(
        "AWS::SageMaker::Model",
        "model",
        ExecutionRoleArn=arn("runs"),
        PrimaryContainer={"ModelDataUrl": "s3://data/models/model.tar.gz"},
    )

    assert missing(data, runs, model) == [
        f"runs: kms:Decrypt on {KEY} with kms:ViaService=s3.us-east-1.amazonaws.com, "
        "not allowed by its policies"
    ]
