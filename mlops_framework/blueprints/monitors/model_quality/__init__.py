"""The model-quality-monitor blueprint: predictions against the truth."""

from mlops_framework.blueprints.monitors._base.availability import ANNOUNCED
from mlops_framework.blueprints.monitors.model_quality.contract import ModelQualityMonitorRequest
from mlops_framework.registry import Blueprint

BLUEPRINT = Blueprint(
    kind="model-quality-monitor",
    summary=f"Compare predictions with the truth that arrives later. {ANNOUNCED}",
    request=ModelQualityMonitorRequest,
    stack="mlops_framework.blueprints.monitors.model_quality.stack:ModelQualityMonitorStack",
    after_deploy="run-monitor-baseline",
)
