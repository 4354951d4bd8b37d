"""The model-bias-monitor blueprint: bias between groups."""

from mlops_framework.blueprints.monitors._base.availability import ANNOUNCED
from mlops_framework.blueprints.monitors.model_bias.contract import ModelBiasMonitorRequest
from mlops_framework.registry import Blueprint

BLUEPRINT = Blueprint(
    kind="model-bias-monitor",
    summary=f"Measure bias between groups in what the model decides. {ANNOUNCED}",
    request=ModelBiasMonitorRequest,
    stack="mlops_framework.blueprints.monitors.model_bias.stack:ModelBiasMonitorStack",
    after_deploy="run-monitor-baseline",
)
