"""The data-quality-monitor blueprint: columns of traffic against the training data."""

from mlops_framework.blueprints.monitors._base.availability import ANNOUNCED
from mlops_framework.blueprints.monitors.data_quality.contract import DataQualityMonitorRequest
from mlops_framework.registry import Blueprint

BLUEPRINT = Blueprint(
    kind="data-quality-monitor",
    summary=f"Check captured traffic, column by column, against the training data. {ANNOUNCED}",
    request=DataQualityMonitorRequest,
    stack="mlops_framework.blueprints.monitors.data_quality.stack:DataQualityMonitorStack",
    after_deploy="run-monitor-baseline",
)
