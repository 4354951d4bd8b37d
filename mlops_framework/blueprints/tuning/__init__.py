"""The tuning blueprint: try hyperparameters, evaluate the best model, gate and register it."""

from mlops_framework.blueprints.tuning.contract import TuningRequest
from mlops_framework.registry import Blueprint

BLUEPRINT = Blueprint(
    kind="tuning",
    summary="Search hyperparameters, evaluate the best model, gate its quality and register it.",
    request=TuningRequest,
    stack="mlops_framework.blueprints.tuning.stack:TuningStack",
    after_deploy="run-model-build",
)
