"""What an endpoint is made of, for any blueprint that serves models.

- ``form``: what the request decides, as conditions
- ``model``, ``access``: models, and what their containers may do
- ``configuration``: variants, capture, queue
- ``late_answers``: what completes the captures of a queue
- ``scaling``, ``alarms``: how many serve, and how well
"""

from __future__ import annotations

from mlops_framework.cdk.serving.access import let_models_run
from mlops_framework.cdk.serving.alarms import endpoint_alarms
from mlops_framework.cdk.serving.configuration import (
    Locations,
    Variant,
    endpoint_configuration,
)
from mlops_framework.cdk.serving.form import EndpointForm, unless, where
from mlops_framework.cdk.serving.late_answers import Completion, LateAnswers
from mlops_framework.cdk.serving.model import ModelSource, Network, served_model
from mlops_framework.cdk.serving.scaling import (
    Bounds,
    Scaled,
    ScheduledAction,
    StepFromZero,
    Tracking,
)

__all__ = [
    "Bounds",
    "Completion",
    "EndpointForm",
    "LateAnswers",
    "Locations",
    "ModelSource",
    "Network",
    "Scaled",
    "ScheduledAction",
    "StepFromZero",
    "Tracking",
    "Variant",
    "endpoint_alarms",
    "endpoint_configuration",
    "let_models_run",
    "served_model",
    "unless",
    "where",
]
