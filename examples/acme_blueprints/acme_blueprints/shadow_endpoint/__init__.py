"""A realtime endpoint whose traffic a second model answers too, unseen by the caller."""

from acme_blueprints.shadow_endpoint.contract import ShadowEndpointRequest
from mlops_framework.registry import Blueprint

BLUEPRINT = Blueprint(
    kind="acme-shadow-endpoint",
    summary="Serve a model, and let a challenger answer a share of the traffic in its shadow.",
    request=ShadowEndpointRequest,
    stack="acme_blueprints.shadow_endpoint.stack:ShadowEndpointStack",
    after_deploy="verify-endpoint",
)
