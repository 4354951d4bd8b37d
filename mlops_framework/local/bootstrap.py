"""The bootstrap stack, as far as deploying needs it: asset bucket, version, roles.

Logical ids and names are those of ``cdk bootstrap`` (template version 30), so the CDK CLI finds
what it looks for, and running ``cdk bootstrap`` afterwards updates this very stack.
"""

from __future__ import annotations

import json
from typing import Any

STACK_NAME = "CDKToolkit"
_QUALIFIER = "hnb659fds"
_VERSION = "30"
_ROLES = {
    "FilePublishingRole": "file-publishing-role",
    "ImagePublishingRole": "image-publishing-role",
    "LookupRole": "lookup-role",
    "DeploymentActionRole": "deploy-role",
    "CloudFormationExecutionRole": "cfn-exec-role",
}


def template() -> str:
    """The stack's template."""
    resources: dict[str, Any] = {
        "StagingBucket": {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "BucketName": _named("assets"),
                "VersioningConfiguration": {"Status": "Enabled"},
            },
        },
        "CdkBootstrapVersion": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {
                "Type": "String",
                "Name": f"/cdk-bootstrap/{_QUALIFIER}/version",
                "Value": _VERSION,
            },
        },
        **{logical_id: _role(logical_id, name) for logical_id, name in _ROLES.items()},
    }
    outputs = {
        "BucketName": {"Value": {"Ref": "StagingBucket"}},
        "BucketDomainName": {"Value": {"Fn::GetAtt": ["StagingBucket", "RegionalDomainName"]}},
        "BootstrapVersion": {"Value": {"Fn::GetAtt": ["CdkBootstrapVersion", "Value"]}},
    }
    return json.dumps({"Resources": resources, "Outputs": outputs})


def _named(noun: str) -> dict[str, str]:
    return {"Fn::Sub": f"cdk-{_QUALIFIER}-{noun}-${{AWS::AccountId}}-${{AWS::Region}}"}


def _role(logical_id: str, noun: str) -> dict[str, Any]:
    executes = logical_id == "CloudFormationExecutionRole"
    trusted = (
        {"Service": "cloudformation.amazonaws.com"}
        if executes
        else {"AWS": {"Ref": "AWS::AccountId"}}
    )
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": trusted}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": _named(noun),
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        },
    }
