"""The table: what CloudFormation needs to deploy each resource type that blueprints hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

BY_PREFIX = "Names begin with the environment's prefix; CloudFormation adds what makes them unique."
_BY_TAG = (
    "The name is the request's or the service's own. Changes are limited to resources that carry "
    "the environment's tag; only reading is not."
)
_BY_SERVICE = (
    "API Gateway numbers its APIs itself and has no names in ARNs; the permissions boundary keeps "
    "the role in this account and region."
)

_BY_SCALING = (
    "Application Auto Scaling numbers its targets itself, and reaches no resource that its own "
    "role may not change."
)


@dataclass(frozen=True)
class TypePermissions:
    """What it takes to create, change and delete one resource type.

    Attributes:
        changes: Actions that change something.
        reads: Actions that only look.
        resources: ARN tails after ``arn:<partition>:``, with ``{region}``, ``{account}``,
            ``{prefix}`` and ``{path}``.
        because: Why a wildcard in ``resources`` is no wider than it has to be.
        tagged: Whether changes are allowed only where the environment's tag is.
        key: Whether the service is granted a KMS key by who creates the resource.
        passes_role_to: Service that is handed a role with the resource; empty if none is.
    """

    changes: tuple[str, ...]
    resources: tuple[str, ...]
    reads: tuple[str, ...] = ()
    because: str = BY_PREFIX
    tagged: bool = False
    key: bool = False
    passes_role_to: str = ""


def _sagemaker(noun: str, kind: str, *changes: str, reads: tuple[str, ...] = ()) -> TypePermissions:
    return TypePermissions(
        changes=tuple(
            f"sagemaker:{action}"
            for action in (f"Create{noun}", f"Delete{noun}", *changes, "AddTags", "DeleteTags")
        ),
        reads=(f"sagemaker:Describe{noun}", "sagemaker:ListTags", *reads),
        resources=(f"sagemaker:{{region}}:{{account}}:{kind}/*",),
        because=_BY_TAG,
        tagged=True,
    )


TYPES: Mapping[str, TypePermissions] = {
    "AWS::SageMaker::Model": _sagemaker("Model", "model"),
    "AWS::SageMaker::EndpointConfig": replace(
        _sagemaker("EndpointConfig", "endpoint-config"), key=True
    ),
    "AWS::SageMaker::Endpoint": TypePermissions(
        changes=(
            "sagemaker:CreateEndpoint",
            "sagemaker:UpdateEndpoint",
            "sagemaker:UpdateEndpointWeightsAndCapacities",
            "sagemaker:DeleteEndpoint",
            "sagemaker:AddTags",
            "sagemaker:DeleteTags",
        ),
        reads=("sagemaker:DescribeEndpoint", "sagemaker:ListTags"),
        # Creating and moving an endpoint is also checked against its configuration.
        resources=(
            "sagemaker:{region}:{account}:endpoint/*",
            "sagemaker:{region}:{account}:endpoint-config/*",
        ),
        because=_BY_TAG,
        tagged=True,
    ),
    "AWS::SageMaker::InferenceComponent": TypePermissions(
        changes=(
            "sagemaker:CreateInferenceComponent",
            "sagemaker:UpdateInferenceComponent",
            "sagemaker:UpdateInferenceComponentRuntimeConfig",
            "sagemaker:DeleteInferenceComponent",
            "sagemaker:AddTags",
            "sagemaker:DeleteTags",
        ),
        reads=("sagemaker:DescribeInferenceComponent", "sagemaker:ListTags"),
        # Creating one is also checked against its endpoint.
        resources=(
            "sagemaker:{region}:{account}:inference-component/*",
            "sagemaker:{region}:{account}:endpoint/*",
        ),
        because=_BY_TAG,
        tagged=True,
    ),
    "AWS::ApplicationAutoScaling::ScalableTarget": TypePermissions(
        changes=(
            "application-autoscaling:RegisterScalableTarget",
            "application-autoscaling:DeregisterScalableTarget",
            "application-autoscaling:PutScheduledAction",
            "application-autoscaling:DeleteScheduledAction",
            # A stack's tags go on to its targets.
            "application-autoscaling:TagResource",
            "application-autoscaling:UntagResource",
            # The first target of an account makes the role with which AWS scales.
            "iam:CreateServiceLinkedRole",
        ),
        reads=(
            "application-autoscaling:DescribeScalableTargets",
            "application-autoscaling:DescribeScheduledActions",
            "application-autoscaling:ListTagsForResource",
        ),
        resources=(
            "application-autoscaling:{region}:{account}:scalable-target/*",
            "iam::{account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/*",
        ),
        because=_BY_SCALING,
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": TypePermissions(
        changes=(
            "application-autoscaling:PutScalingPolicy",
            "application-autoscaling:DeleteScalingPolicy",
        ),
        reads=("application-autoscaling:DescribeScalingPolicies", "cloudwatch:GetMetricData"),
        resources=("application-autoscaling:{region}:{account}:scalable-target/*",),
        because=_BY_SCALING,
    ),
    "AWS::SageMaker::ModelPackageGroup": _sagemaker(
        "ModelPackageGroup",
        "model-package-group",
        "PutModelPackageGroupPolicy",
        "DeleteModelPackageGroupPolicy",
        reads=("sagemaker:GetModelPackageGroupPolicy",),
    ),
    **{
        f"AWS::SageMaker::{noun}JobDefinition": _sagemaker(
            f"{noun}JobDefinition", f"{kind}-job-definition"
        )
        for noun, kind in (
            ("DataQuality", "data-quality"),
            ("ModelQuality", "model-quality"),
            ("ModelBias", "model-bias"),
            ("ModelExplainability", "model-explainability"),
        )
    },
    "AWS::SageMaker::MonitoringSchedule": _sagemaker(
        "MonitoringSchedule", "monitoring-schedule", "UpdateMonitoringSchedule"
    ),
    "AWS::SageMaker::Pipeline": _sagemaker("Pipeline", "pipeline", "UpdatePipeline"),
    "AWS::IAM::Role": TypePermissions(
        changes=(
            "iam:DeleteRole",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateRole",
            "iam:UpdateRoleDescription",
            "iam:UpdateAssumeRolePolicy",
        ),
        reads=(
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListRolePolicies",
            "iam:ListRoleTags",
            "iam:ListAttachedRolePolicies",
        ),
        resources=("iam::{account}:role{path}{prefix}*",),
    ),
    "AWS::IAM::Policy": TypePermissions(
        changes=(),
        reads=("iam:GetRolePolicy",),
        resources=("iam::{account}:role{path}{prefix}*",),
    ),
    "AWS::Lambda::Function": TypePermissions(
        changes=(
            "lambda:CreateFunction",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
            "lambda:DeleteFunction",
            "lambda:PutFunctionConcurrency",
            "lambda:DeleteFunctionConcurrency",
            "lambda:TagResource",
            "lambda:UntagResource",
        ),
        reads=(
            "lambda:GetFunction",
            "lambda:GetFunctionConfiguration",
            "lambda:GetFunctionCodeSigningConfig",
            "lambda:GetFunctionRecursionConfig",
            "lambda:GetFunctionScalingConfig",
            "lambda:GetRuntimeManagementConfig",
            "lambda:ListTags",
        ),
        resources=("lambda:{region}:{account}:function:{prefix}*",),
    ),
    "AWS::Lambda::Permission": TypePermissions(
        changes=("lambda:AddPermission", "lambda:RemovePermission"),
        reads=("lambda:GetPolicy",),
        resources=("lambda:{region}:{account}:function:{prefix}*",),
    ),
    "AWS::Logs::LogGroup": TypePermissions(
        changes=(
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:PutRetentionPolicy",
            "logs:DeleteRetentionPolicy",
            "logs:AssociateKmsKey",
            "logs:DisassociateKmsKey",
            "logs:TagResource",
            "logs:UntagResource",
        ),
        reads=(
            "logs:ListTagsForResource",
            "logs:GetDataProtectionPolicy",
            "logs:DescribeLogGroups",
            "logs:DescribeIndexPolicies",
            "logs:DescribeResourcePolicies",
        ),
        resources=("logs:{region}:{account}:log-group:{prefix}*",),
    ),
    "AWS::Events::Rule": TypePermissions(
        changes=(
            "events:PutRule",
            "events:DeleteRule",
            "events:PutTargets",
            "events:RemoveTargets",
            "events:TagResource",
            "events:UntagResource",
        ),
        reads=("events:DescribeRule", "events:ListTargetsByRule", "events:ListTagsForResource"),
        resources=("events:{region}:{account}:rule/{prefix}*",),
    ),
    "AWS::StepFunctions::StateMachine": TypePermissions(
        changes=(
            "states:CreateStateMachine",
            "states:UpdateStateMachine",
            "states:DeleteStateMachine",
            "states:TagResource",
            "states:UntagResource",
        ),
        reads=("states:DescribeStateMachine", "states:ListTagsForResource"),
        resources=("states:{region}:{account}:stateMachine:{prefix}*",),
        passes_role_to="states.amazonaws.com",
    ),
    "AWS::Scheduler::Schedule": TypePermissions(
        changes=(
            "scheduler:CreateSchedule",
            "scheduler:UpdateSchedule",
            "scheduler:DeleteSchedule",
        ),
        reads=("scheduler:GetSchedule",),
        resources=("scheduler:{region}:{account}:schedule/default/{prefix}*",),
    ),
    "AWS::SSM::Parameter": TypePermissions(
        changes=(
            "ssm:PutParameter",
            "ssm:DeleteParameter",
            "ssm:AddTagsToResource",
            "ssm:RemoveTagsFromResource",
        ),
        reads=("ssm:GetParameters", "ssm:ListTagsForResource"),
        resources=("ssm:{region}:{account}:parameter/{environment}/drift/*",),
        because="A monitor's configuration is named after its endpoint, which the request names.",
    ),
    "AWS::CloudWatch::Alarm": TypePermissions(
        changes=(
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:DeleteAlarms",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
        ),
        reads=("cloudwatch:ListTagsForResource", "cloudwatch:DescribeAlarms"),
        resources=("cloudwatch:{region}:{account}:alarm:{prefix}*",),
    ),
    "AWS::CodePipeline::Pipeline": TypePermissions(
        changes=(
            "codepipeline:CreatePipeline",
            "codepipeline:UpdatePipeline",
            "codepipeline:DeletePipeline",
            "codepipeline:TagResource",
            "codepipeline:UntagResource",
        ),
        reads=(
            "codepipeline:GetPipeline",
            "codepipeline:GetPipelineState",
            "codepipeline:ListTagsForResource",
            # Of the role that the pipeline is handed.
            "iam:GetRole",
        ),
        resources=(
            "codepipeline:{region}:{account}:{prefix}*",
            "iam::{account}:role{path}{prefix}*",
        ),
    ),
    "AWS::CodeBuild::Project": TypePermissions(
        changes=("codebuild:CreateProject", "codebuild:UpdateProject", "codebuild:DeleteProject"),
        reads=("codebuild:BatchGetProjects",),
        resources=("codebuild:{region}:{account}:project/{prefix}*",),
        passes_role_to="codebuild.amazonaws.com",
    ),
    "AWS::ECR::Repository": TypePermissions(
        changes=(
            "ecr:CreateRepository",
            "ecr:DeleteRepository",
            "ecr:PutLifecyclePolicy",
            "ecr:DeleteLifecyclePolicy",
            "ecr:PutImageTagMutability",
            "ecr:PutImageScanningConfiguration",
            "ecr:TagResource",
            "ecr:UntagResource",
        ),
        reads=(
            "ecr:DescribeRepositories",
            "ecr:GetLifecyclePolicy",
            "ecr:GetRepositoryPolicy",
            "ecr:ListTagsForResource",
        ),
        resources=("ecr:{region}:{account}:repository/{prefix}*",),
    ),
    **{
        f"AWS::ApiGateway::{noun}": TypePermissions(
            changes=(
                "apigateway:POST",
                "apigateway:PUT",
                "apigateway:PATCH",
                "apigateway:DELETE",
            ),
            reads=("apigateway:GET",),
            resources=(
                "apigateway:{region}::/restapis",
                "apigateway:{region}::/restapis/*",
                "apigateway:{region}::/tags/*",
            ),
            because=_BY_SERVICE,
        )
        for noun in (
            "RestApi",
            "Resource",
            "Method",
            "Model",
            "GatewayResponse",
            "RequestValidator",
            "Deployment",
            "Stage",
        )
    },
}

PASSED_TO: Mapping[str, str] = {
    "AWS::SageMaker::Model": "sagemaker.amazonaws.com",
    "AWS::SageMaker::EndpointConfig": "sagemaker.amazonaws.com",
    "AWS::SageMaker::Pipeline": "sagemaker.amazonaws.com",
    "AWS::SageMaker::DataQualityJobDefinition": "sagemaker.amazonaws.com",
    "AWS::SageMaker::ModelQualityJobDefinition": "sagemaker.amazonaws.com",
    "AWS::SageMaker::ModelBiasJobDefinition": "sagemaker.amazonaws.com",
    "AWS::SageMaker::ModelExplainabilityJobDefinition": "sagemaker.amazonaws.com",
    "AWS::SageMaker::MonitoringSchedule": "sagemaker.amazonaws.com",
    "AWS::Lambda::Function": "lambda.amazonaws.com",
    "AWS::Scheduler::Schedule": "scheduler.amazonaws.com",
    "AWS::Events::Rule": "events.amazonaws.com",
    "AWS::CodePipeline::Pipeline": "codepipeline.amazonaws.com",
}
"""Types that are given a role, and the service that takes it."""
