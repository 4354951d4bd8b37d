"""The drift-monitor blueprint: watch an endpoint's captured traffic for drift."""

from mlops_framework.blueprints.drift_monitor.contract import DriftMonitorRequest
from mlops_framework.registry import Blueprint

BLUEPRINT = Blueprint(
    kind="drift-monitor",
    summary="Compare an endpoint's captured traffic with its training data and act on drift.",
    request=DriftMonitorRequest,
    stack="mlops_framework.blueprints.drift_monitor.stack:DriftMonitorStack",
    after_deploy="build-baseline",
)
