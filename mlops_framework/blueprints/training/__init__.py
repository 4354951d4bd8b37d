"""The training blueprint: train, evaluate, gate and register a model."""

from mlops_framework.blueprints.training.contract import TrainingRequest
from mlops_framework.registry import Blueprint

BLUEPRINT = Blueprint(
    kind="training",
    summary="Train a model, evaluate it on unseen data, gate its quality and register it.",
    request=TrainingRequest,
    stack="mlops_framework.blueprints.training.stack:TrainingStack",
    after_deploy="run-model-build",
)
