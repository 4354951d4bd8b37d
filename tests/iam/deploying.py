"""What CloudFormation does with a stack's resources under the role that it was handed for them.

What its handlers call is the registry's word; on which resource, follows from the resource itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.iam.account import Account, Resource, arn
from tests.iam.calls import passing
from tests.iam.handlers import needed
from tests.iam.policies import Ask
from tests.iam.uses import Use

_CLOUD_FORMATION = "cloudformation.amazonaws.com"
_NOWHERE = frozenset(
    {
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies",
        "application-autoscaling:DescribeScheduledActions",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetMetricData",
        "logs:DescribeIndexPolicies",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
    }
)
_SERVICES = {
    "AWS::CodePipeline::Pipeline": "codepipeline.amazonaws.com",
    "AWS::Events::Rule": "events.amazonaws.com",
    "AWS::Lambda::Function": "lambda.amazonaws.com",
    "AWS::Scheduler::Schedule": "scheduler.amazonaws.com",
    "AWS::StepFunctions::StateMachine": "states.amazonaws.com",
}
_SAGEMAKER = {
    "ModelPackageGroup": "model-package-group",
    "EndpointConfig": "endpoint-config",
    "InferenceComponent": "inference-component",
    "MonitoringSchedule": "monitoring-schedule",
}
_SKIPPED = re.compile(
    r"AWS::(ApiGateway::|CodeBuild::|CDK::|ApplicationAutoScaling::).*|Custom::.*"
)


def deploying(resource: Resource, account: Account) -> Iterator[Use]:
    """What it takes to make, change and remove a resource, where its stack was handed a role.

    Left out are API Gateway's resources, whose actions are verbs on paths, scaling, whose targets
    have numbers for names, and CodeBuild's, of which the registry says nothing.

    Args:
        resource: As CloudFormation made it.
        account: Where it is.
    """
    role = account.deployed_by(resource.stack)
    if role is None or _SKIPPED.fullmatch(resource.kind):
        return
    tags = {f"aws:RequestTag/{key}": value for key, value in _tags(resource).items()}
    held = {f"aws:ResourceTag/{key}": value for key, value in _tags(resource).items()}
    context = {**tags, **held}
    if boundary := resource.properties.get("PermissionsBoundary"):
        context["iam:PermissionsBoundary"] = boundary
    for action in sorted(needed(resource.kind)):
        if action == "iam:PassRole":
            for ask in _passed(resource):
                yield Use(role, _CLOUD_FORMATION, ask)
            continue
        for whole in ["*"] if action in _NOWHERE else _arns(resource, action, account):
            given = dict(context)
            if resource.kind == "AWS::IAM::Policy":
                given["iam:PermissionsBoundary"] = _boundary(whole, account)
            yield Use(role, _CLOUD_FORMATION, Ask(action, whole, given))


def _tags(resource: Resource) -> dict[str, str]:
    found = resource.properties.get("Tags", [])
    items = found.items() if isinstance(found, Mapping) else ((t["Key"], t["Value"]) for t in found)
    return {key: value for key, value in items if not key.startswith("aws:")}


def _boundary(role: str, account: Account) -> str:
    found = account.find("AWS::IAM::Role", role.rpartition("/")[2])
    return str(found.properties.get("PermissionsBoundary", "")) if found else ""


def _passed(resource: Resource) -> Iterator[Ask]:
    given = resource.properties
    roles = {
        *(given.get(name) for name in ("Role", "RoleArn", "ExecutionRoleArn")),
        given.get("Target", {}).get("RoleArn"),
        *(target.get("RoleArn") for target in given.get("Targets", ())),
    }
    for role in sorted(filter(None, roles)):
        yield from passing(role, _SERVICES.get(resource.kind, "sagemaker.amazonaws.com"))


def _arns(resource: Resource, action: str, account: Account) -> list[str]:
    _, service, noun = resource.kind.split("::")
    named = resource.physical_id
    if action.startswith("kms:"):
        return [key] if (key := str(resource.properties.get("KmsKeyId", ""))) else []
    if action == "iam:GetRole" and service == "CodePipeline":
        return [str(resource.properties["RoleArn"])]
    match service, noun:
        case "SageMaker", _:
            words = _SAGEMAKER.get(noun) or re.sub(r"(?<!^)([A-Z])", r"-\1", noun).lower()
            return [arn("sagemaker", f"{words}/{named.rpartition('/')[2].lower()}")]
        case "IAM", "Policy":
            found = (account.find("AWS::IAM::Role", role) for role in resource.properties["Roles"])
            return [role.arn for role in found if role]
        case "Lambda", "Permission":
            name = resource.properties["FunctionName"].rpartition(":")[2]
            return [arn("lambda", f"function:{name}")]
        case "Logs", _:
            # Without a name of its own CloudFormation begins it with the stack's.
            name = resource.properties.get("LogGroupName") or f"{resource.stack}-Log-0A1B2C3D4E5F"
            return [arn("logs", f"log-group:{name}:*")]
        case "SSM", _:
            return [arn("ssm", f"parameter/{resource.properties['Name'].lstrip('/')}")]
        case "CloudWatch", _:
            return [arn("cloudwatch", f"alarm:{named}")]
        case "CodePipeline", _:
            return [arn("codepipeline", named)]
        case "ECR", _:
            return [arn("ecr", f"repository/{named}")]
    return [resource.arn]


def named_in(line: Mapping[str, Any]) -> tuple[str, str] | None:
    """The stack that a call makes or changes, and the role that it hands on for it."""
    given = line["parameters"]
    if line["service"] == "cloudformation" and given.get("RoleARN"):
        return str(given["StackName"]), str(given["RoleARN"])
    return None
