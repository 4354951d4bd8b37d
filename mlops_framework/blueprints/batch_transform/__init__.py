"""The batch-transform blueprint: score the objects of an S3 location."""

from mlops_framework.blueprints.batch_transform.contract import BatchTransformRequest
from mlops_framework.registry import Blueprint

BLUEPRINT = Blueprint(
    kind="batch-transform",
    summary="Score the objects of an S3 location with a model: now, on a schedule or as they come.",
    request=BatchTransformRequest,
    stack="mlops_framework.blueprints.batch_transform.stack:BatchTransformStack",
    after_deploy="run-pipeline",
)
