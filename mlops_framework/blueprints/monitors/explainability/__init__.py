"""The model-explainability-monitor blueprint: which features decide."""

from mlops_framework.blueprints.monitors._base.availability import ANNOUNCED
from mlops_framework.blueprints.monitors.explainability.contract import (
    ModelExplainabilityMonitorRequest,
)
from mlops_framework.registry import Blueprint

BLUEPRINT = Blueprint(
    kind="model-explainability-monitor",
    summary=f"Watch which features the model decides by. {ANNOUNCED}",
    request=ModelExplainabilityMonitorRequest,
    stack="mlops_framework.blueprints.monitors.explainability.stack:ModelExplainabilityMonitorStack",
    after_deploy="run-monitor-baseline",
)
