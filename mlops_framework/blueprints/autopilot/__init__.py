"""The autopilot blueprint: let SageMaker Autopilot find a model, gate and register it."""

from mlops_framework.blueprints.autopilot.contract import AutopilotRequest
from mlops_framework.registry import Blueprint

BLUEPRINT = Blueprint(
    kind="autopilot",
    summary="Let SageMaker Autopilot search a model of tabular data, gate and register the best.",
    request=AutopilotRequest,
    stack="mlops_framework.blueprints.autopilot.stack:AutopilotStack",
    after_deploy="run-state-machine",
)
