"""Named lists of IAM actions. Stacks and blueprints grant these; nobody writes a wildcard action.

Grants of the L2 constructs are avoided on purpose: ``bucket.grant_read`` and ``key.grant_encrypt``
write actions such as ``s3:GetObject*``, which cover more than any function here needs.
"""

from __future__ import annotations

from typing import Final

Actions = tuple[str, ...]

READ_OBJECTS: Final[Actions] = ("s3:GetObject", "s3:GetObjectVersion")
WRITE_OBJECTS: Final[Actions] = ("s3:PutObject", "s3:AbortMultipartUpload")
DELETE_OBJECTS: Final[Actions] = ("s3:DeleteObject",)
TAG_OBJECTS: Final[Actions] = ("s3:PutObjectTagging",)
LIST_VERSIONS: Final[Actions] = ("s3:ListBucketVersions",)
LIST_BUCKET: Final[Actions] = ("s3:ListBucket",)
LOCATE_BUCKET: Final[Actions] = ("s3:GetBucketLocation", "s3:GetBucketVersioning")
WORK_IN_BUCKET: Final[Actions] = (*LIST_BUCKET, *LOCATE_BUCKET, "s3:GetBucketAcl")
"""What CodePipeline looks up of a bucket that it takes sources from or keeps artifacts in."""

USE_KEY: Final[Actions] = ("kms:Decrypt", "kms:GenerateDataKey")
GRANT_KEY: Final[Actions] = ("kms:CreateGrant", "kms:DescribeKey")
RETIRE_GRANT: Final[Actions] = ("kms:RetireGrant",)
USE_KEY_FOR_VOLUMES: Final[Actions] = (*USE_KEY, *GRANT_KEY)

WRITE_LOGS: Final[Actions] = ("logs:CreateLogStream", "logs:PutLogEvents")
WRITE_JOB_LOGS: Final[Actions] = ("logs:CreateLogGroup", *WRITE_LOGS, "logs:DescribeLogStreams")
WRITE_METRICS: Final[Actions] = ("cloudwatch:PutMetricData",)

CONSUME_QUEUE: Final[Actions] = (
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
)
SEND_TO_QUEUE: Final[Actions] = ("sqs:SendMessage",)
PUBLISH: Final[Actions] = ("sns:Publish",)
PUT_EVENTS: Final[Actions] = ("events:PutEvents",)
READ_PARAMETER: Final[Actions] = ("ssm:GetParameter",)
READ_PARAMETERS: Final[Actions] = ("ssm:GetParameter", "ssm:GetParameters")
INVOKE_FUNCTION: Final[Actions] = ("lambda:InvokeFunction",)
LIST_FUNCTIONS: Final[Actions] = ("lambda:ListFunctions",)
PASS_ROLE: Final[Actions] = ("iam:PassRole",)

READ_STACKS: Final[Actions] = (
    "cloudformation:DescribeStacks",
    "cloudformation:DescribeStackEvents",
)
CHANGE_STACKS: Final[Actions] = (
    "cloudformation:CreateStack",
    "cloudformation:UpdateStack",
    "cloudformation:DeleteStack",
    "cloudformation:ContinueUpdateRollback",
)
CHANGE_SETS: Final[Actions] = (
    "cloudformation:DescribeStacks",
    "cloudformation:CreateChangeSet",
    "cloudformation:DescribeChangeSet",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DeleteStack",
)

READ_PIPELINE_STATE: Final[Actions] = ("codepipeline:GetPipelineState",)
START_PIPELINE: Final[Actions] = ("codepipeline:StartPipelineExecution",)
ANSWER_PIPELINE_JOB: Final[Actions] = (
    "codepipeline:PutJobSuccessResult",
    "codepipeline:PutJobFailureResult",
)

USE_CONNECTION: Final[Actions] = (
    "codeconnections:UseConnection",
    "codestar-connections:UseConnection",
)
READ_REPOSITORY: Final[Actions] = (
    "codecommit:GetBranch",
    "codecommit:GetCommit",
    "codecommit:GetRepository",
    "codecommit:UploadArchive",
    "codecommit:GetUploadArchiveStatus",
    "codecommit:CancelUploadArchive",
)

START_MODEL_BUILD: Final[Actions] = ("sagemaker:StartPipelineExecution",)
WATCH_MODEL_BUILD: Final[Actions] = (
    "sagemaker:DescribePipelineExecution",
    "sagemaker:ListPipelineExecutionSteps",
)
RUN_JOBS: Final[Actions] = (
    "sagemaker:CreateTrainingJob",
    "sagemaker:DescribeTrainingJob",
    "sagemaker:StopTrainingJob",
    "sagemaker:CreateProcessingJob",
    "sagemaker:DescribeProcessingJob",
    "sagemaker:StopProcessingJob",
    "sagemaker:AddTags",
)
RUN_PROCESSING_JOBS: Final[Actions] = (
    "sagemaker:CreateProcessingJob",
    "sagemaker:DescribeProcessingJob",
    "sagemaker:StopProcessingJob",
    "sagemaker:AddTags",
)
READ_PROCESSING_JOB: Final[Actions] = ("sagemaker:DescribeProcessingJob",)
RUN_SHADOW_ENDPOINT: Final[Actions] = (
    "sagemaker:CreateEndpoint",
    "sagemaker:CreateEndpointConfig",
    "sagemaker:DeleteEndpoint",
    "sagemaker:DeleteEndpointConfig",
    "sagemaker:InvokeEndpoint",
    "sagemaker:AddTags",
)
RUN_TUNING: Final[Actions] = (
    "sagemaker:CreateHyperParameterTuningJob",
    "sagemaker:DescribeHyperParameterTuningJob",
    "sagemaker:StopHyperParameterTuningJob",
    "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
    "sagemaker:AddTags",
)
RUN_AUTOML: Final[Actions] = (
    "sagemaker:CreateAutoMLJobV2",
    "sagemaker:DescribeAutoMLJobV2",
    "sagemaker:AddTags",
)
RUN_TRANSFORM_JOBS: Final[Actions] = (
    "sagemaker:CreateTransformJob",
    "sagemaker:DescribeTransformJob",
    "sagemaker:StopTransformJob",
    "sagemaker:AddTags",
)
RUN_SEARCH_PARTS: Final[Actions] = (
    "sagemaker:CreateTrainingJob",
    "sagemaker:DescribeTrainingJob",
    "sagemaker:StopTrainingJob",
    "sagemaker:CreateProcessingJob",
    "sagemaker:DescribeProcessingJob",
    "sagemaker:StopProcessingJob",
    "sagemaker:CreateTransformJob",
    "sagemaker:DescribeTransformJob",
    "sagemaker:StopTransformJob",
    "sagemaker:CreateHyperParameterTuningJob",
    "sagemaker:DescribeHyperParameterTuningJob",
    "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
    "sagemaker:StopHyperParameterTuningJob",
    "sagemaker:CreateModel",
    "sagemaker:DescribeModel",
    "sagemaker:DescribeAutoMLJobV2",
    "sagemaker:AddTags",
)
START_MACHINE: Final[Actions] = ("states:StartExecution",)
WATCH_MACHINE: Final[Actions] = ("states:DescribeExecution",)
LOOK_AFTER_EXECUTIONS: Final[Actions] = ("states:DescribeExecution", "states:StopExecution")
REGISTER_MODEL: Final[Actions] = (
    "sagemaker:CreateModelPackage",
    "sagemaker:DescribeModelPackage",
    "sagemaker:DescribeModelPackageGroup",
    "sagemaker:ListModelPackages",
    "sagemaker:AddTags",
)
MAKE_MODEL_GROUP: Final[Actions] = ("sagemaker:CreateModelPackageGroup", "sagemaker:AddTags")
READ_MODEL_GROUP: Final[Actions] = ("sagemaker:DescribeModelPackageGroup",)
LIST_MODEL_VERSIONS: Final[Actions] = ("sagemaker:ListModelPackages",)
READ_SERVING: Final[Actions] = (
    "sagemaker:DescribeEndpoint",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:DescribeModel",
    "sagemaker:DescribeInferenceComponent",
)
READ_CAPTURE: Final[Actions] = ("sagemaker:DescribeEndpoint",)
READ_MODEL_PACKAGE: Final[Actions] = ("sagemaker:DescribeModelPackage",)
ASK_ENDPOINT: Final[Actions] = ("sagemaker:InvokeEndpoint",)
TAKE_ROLE: Final[Actions] = ("sts:AssumeRole",)
INVOKE_ENDPOINT: Final[Actions] = ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync")

KEEP_MODEL_CARDS: Final[Actions] = (
    "sagemaker:CreateModelCard",
    "sagemaker:UpdateModelCard",
    "sagemaker:DescribeModelCard",
    "sagemaker:DeleteModelCard",
    "sagemaker:ListModelCardVersions",
    "sagemaker:CreateModelCardExportJob",
    "sagemaker:DescribeModelCardExportJob",
    "sagemaker:ListModelCardExportJobs",
    "sagemaker:AddTags",
)
LIST_MODEL_CARDS: Final[Actions] = ("sagemaker:ListModelCards",)
READ_MODEL_FACTS: Final[Actions] = ("sagemaker:DescribeModel", "sagemaker:DescribeTrainingJob")

PULL_IMAGE: Final[Actions] = (
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchCheckLayerAvailability",
)
PUSH_IMAGE: Final[Actions] = (
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
)
READ_IMAGES: Final[Actions] = ("ecr:DescribeImages",)
SCAN_IMAGE: Final[Actions] = ("ecr:DescribeImageScanFindings", "ecr:StartImageScan")
DESCRIBE_REPOSITORY: Final[Actions] = ("ecr:DescribeRepositories",)
MAKE_REPOSITORY: Final[Actions] = ("ecr:CreateRepository", "ecr:TagResource")
KEEP_REPOSITORY_SMALL: Final[Actions] = ("ecr:PutLifecyclePolicy",)
RUN_BUILD: Final[Actions] = ("codebuild:StartBuild", "codebuild:BatchGetBuilds")
PULL_CODE_COMMIT: Final[Actions] = ("codecommit:GitPull",)
FETCH_OVER_CONNECTION: Final[Actions] = tuple(
    f"{service}:{action}"
    # Connections made before 2024 have ARNs, and permissions, of the service's former name.
    for service in ("codeconnections", "codestar-connections")
    for action in ("GetConnection", "GetConnectionToken", "UseConnection")
)
ECR_LOGIN: Final[Actions] = ("ecr:GetAuthorizationToken",)
USE_VPC: Final[Actions] = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
)
SEE_VPC: Final[Actions] = (
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeVpcs",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
)

WITHOUT_RESOURCE: Final[frozenset[str]] = frozenset(
    (
        *ANSWER_PIPELINE_JOB,
        *WRITE_METRICS,
        *ECR_LOGIN,
        *LIST_FUNCTIONS,
        *LIST_MODEL_CARDS,
        *SEE_VPC,
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetMetricData",
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies",
        "application-autoscaling:DescribeScheduledActions",
        "logs:DescribeIndexPolicies",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "lambda:GetAccountSettings",
    )
)
"""Actions that IAM offers no resource for; the only ones that may be granted on ``*``."""
