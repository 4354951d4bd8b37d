"""The realtime-endpoint blueprint: serve a model behind an HTTPS API and capture its traffic."""

from mlops_framework.blueprints.realtime_endpoint.contract import RealtimeEndpointRequest
from mlops_framework.registry import Blueprint

BLUEPRINT = Blueprint(
    kind="realtime-endpoint",
    summary="Serve a model on a SageMaker endpoint with data capture and an inference API.",
    request=RealtimeEndpointRequest,
    stack="mlops_framework.blueprints.realtime_endpoint.stack:RealtimeEndpointStack",
    after_deploy="verify-endpoint",
)
