"""Every name the framework derives, in one place: stacks, parameters, object keys, roles.

Pure string functions, used at synth (arguments may be CDK tokens, so nothing is checked except in
:func:`pipeline_id`), by the Lambdas and by the CLI. ``prefix`` is always the environment's prefix,
``<name_prefix>-<environment>``, for example ``mlops-local``.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

from mlops_framework.errors import NameRefused

MODEL_NAME_PATTERN: Final = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
MODEL_NAME_LENGTH: Final = 40
KIND_PATTERN: Final = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
KIND_LENGTH: Final = 32
STAGE_NAME_PATTERN: Final = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
STAGE_NAME_LENGTH: Final = 16
PIPELINE_ID_LENGTH: Final = 60
SAGEMAKER_NAME_LENGTH: Final = 63
"""Endpoints, models, jobs and model package groups: at most 63 characters."""

PlatformStack = Literal[
    "Foundation", "Delivery", "Orchestrator", "Drift", "Observability", "GitOps"
]
PlatformKey = Literal[
    "data-bucket-name",
    "artifact-bucket-name",
    "key-arn",
    "configuration-bucket-name",
    "alert-topic-arn",
    "permissions-boundary-arn",
    "evaluate-function-arn",
    "evaluate-role-arn",
    "profile-queue-arn",
    "drift-at-scale-arn",
    "scheduler-role-arn",
    "sagemaker-event-role-arn",
    "api-url",
]
PLATFORM_KEYS: Final[tuple[PlatformKey, ...]] = get_args(PlatformKey)

ENVIRONMENT_TAG: Final = "mlops:environment"
"""On everything an environment owns; its value is the environment's prefix."""

CAPTURES_PREFIX: Final = "captures"
ASYNCHRONOUS_PREFIX: Final = "asynchronous"
UNANSWERED_PREFIX: Final = "unanswered"
"""Notes of captured calls whose answers have not come yet."""
DATASETS_PREFIX: Final = "datasets"
CODE_PREFIX: Final = "code"
MODELS_PREFIX: Final = "models"
PREDICTIONS_PREFIX: Final = "predictions"
DRIFT_PREFIX: Final = "drift"
MONITORS_PREFIX: Final = "monitors"


def environment_prefix(name_prefix: str, environment: str) -> str:
    """The prefix of everything an environment owns: ``mlops``, ``local`` give ``mlops-local``."""
    return f"{name_prefix}-{environment}"


def pipeline_id(model_name: str, kind: str) -> str:
    """The identity of a pipeline; the same request always has the same one.

    Raises:
        NameRefused: If it is longer than 60 characters, past which stack and pipeline names break.
    """
    identity = f"{model_name}-{kind}"
    if len(identity) > PIPELINE_ID_LENGTH:
        raise NameRefused(
            f"The pipeline id {identity!r} has {len(identity)} characters; stack and pipeline "
            f"names hold {PIPELINE_ID_LENGTH}. Shorten model_name to at most "
            f"{PIPELINE_ID_LENGTH - len(kind) - 1} characters."
        )
    return identity


def platform_stack(prefix: str, stack: PlatformStack) -> str:
    """Name of a platform stack: ``mlops-local-Foundation``."""
    return f"{prefix}-{stack}"


def extension_stack(prefix: str, extension: str, stack: str) -> str:
    """Name of a stack that a platform extension adds: ``extension-mlops-local-acme-Operations``.

    It does not begin with the environment's prefix: what pipelines are made with may change stacks
    that do.
    """
    return f"extension-{prefix}-{extension}-{stack}"


def delivery_stack(prefix: str, pipeline: str) -> str:
    """Name of the CloudFormation stack that holds a pipeline's CodePipeline."""
    return f"{prefix}-{pipeline}-delivery"


def code_pipeline(prefix: str, pipeline: str) -> str:
    """Name of a pipeline's CodePipeline."""
    return f"{prefix}-{pipeline}"


def git_pipeline(prefix: str, source: str) -> str:
    """Name of the CodePipeline of a Git source; no pipeline id holds an underscore."""
    return f"{prefix}-git_{source}"


def git_artifacts(prefix: str) -> str:
    """Beginning of the artifact keys of Git sources: CodePipeline cuts a name after 20."""
    return git_pipeline(prefix, "")[:20]


def git_origin(source: str) -> str:
    """What pipelines of a Git source are recorded with."""
    return f"git:{source}"


def git_plan_key(source: str, digest: str) -> str:
    """Object key of a plan, for people, in the artifact bucket."""
    return f"gitops/{source}/{digest}.txt"


def blueprint_stack(prefix: str, pipeline: str, stage: str) -> str:
    """Name of the stack that a stage of a pipeline deploys."""
    return f"{prefix}-{pipeline}-{stage}"


def sagemaker_name(prefix: str, pipeline: str, stage: str) -> str:
    """Default name of the SageMaker Pipeline or endpoint of a stage (endpoints: at most 63)."""
    return f"{prefix}-{pipeline}-{stage}"


def platform_parameter(prefix: str, key: PlatformKey) -> str:
    """SSM parameter that publishes a value of the platform to blueprint templates."""
    return f"/{prefix}/platform/{key}"


def monitor_parameter(prefix: str, endpoint_name: str) -> str:
    """SSM parameter that holds the drift monitor's configuration of an endpoint, as JSON."""
    return f"{monitor_parameters(prefix)}/{endpoint_name}"


def monitor_parameters(prefix: str) -> str:
    """SSM path below which every drift monitor's configuration lies."""
    return f"/{prefix}/drift/monitors"


def role_path(name_prefix: str) -> str:
    """IAM path of every role the framework creates."""
    return f"/{name_prefix}/"


def source_key(pipeline: str) -> str:
    """Object key of a pipeline's source archive in the artifact bucket."""
    return f"pipelines/{pipeline}/source.zip"


def parameters_file(stage: str) -> str:
    """File in the source archive with a stage's template configuration."""
    return f"parameters-{stage}.json"


def request_key(pipeline: str, digest: str) -> str:
    """Object key of the immutable request document in the artifact bucket."""
    return f"requests/{pipeline}/{digest}.json"


def document_key(pipeline: str, digest: str, name: str) -> str:
    """Object key of a file that comes with a request, in the artifact bucket."""
    return f"requests/{pipeline}/documents/{digest}/{name}"


def model_prefix(model_name: str) -> str:
    """Prefix in the data bucket for what training writes."""
    return f"{MODELS_PREFIX}/{model_name}"


def monitor_prefix(monitor: str) -> str:
    """Prefix in the data bucket for a drift monitor's profiles, baseline and reports."""
    return f"{DRIFT_PREFIX}/{monitor}"
