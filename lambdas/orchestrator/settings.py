"""What the orchestrator's functions read from their environment."""

from __future__ import annotations

from mlops_framework.settings import LambdaSettings


class TeardownSettings(LambdaSettings):
    """Settings of ``teardown:handler``."""

    environment_prefix: str
    """``<name_prefix>-<environment>``, for example ``mlops-local``."""
    stages: str
    """Delivery stages in order, separated by commas."""
    record_table: str
    """DynamoDB table of pipeline records."""
    artifact_bucket: str
    """Bucket of source archives and request documents."""


class OrchestratorSettings(LambdaSettings):
    """Settings of ``handler:handler``."""

    environment_prefix: str
    """``<name_prefix>-<environment>``, for example ``mlops-local``."""
    stages: str
    """Delivery stages in order, separated by commas."""
    record_table: str
    """DynamoDB table of pipeline records."""
    artifact_bucket: str
    """Bucket of source archives and request documents."""
    data_bucket: str
    """Bucket of data sets, models and captures."""
    account: str
    """Account it is deployed in, twelve digits."""
    partition: str
    """``aws``, ``aws-cn`` or ``aws-us-gov``."""
    delivery_role_arn: str
    """Role with which CloudFormation makes delivery stacks."""
    teardown_function_name: str
    """Function that ``DELETE`` starts."""
    continue_function_name: str
    """Function that goes on with what needs longer than a request may."""
    card_key_arn: str = ""
    """Key that model cards are encrypted with; AWS's own if empty."""
    assets_bucket: str = ""
    """Bucket of the predecessor's paths that name none; the data bucket if empty."""
    stage_aliases: str = "{}"
    """Stages of the predecessor that a stage stands for: a JSON object of lists."""
    tags: str = "{}"
    """Tags of everything the environment owns, a JSON object."""
    aws_endpoint_url: str = ""
    """Endpoint of the local AWS, which sets it; nobody else does."""


class FilesSettings(OrchestratorSettings):
    """Settings of ``files:handler``."""

    alert_topic_arn: str
    """Topic that hears of refused files."""
