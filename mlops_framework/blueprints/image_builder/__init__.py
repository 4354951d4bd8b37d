"""The image-builder blueprint: build, scan and name a container image."""

from mlops_framework.blueprints.image_builder.contract import ImageBuilderRequest
from mlops_framework.registry import Blueprint

BLUEPRINT = Blueprint(
    kind="image-builder",
    summary="Build a container image from a zip or Git, scan it, and tag it when it passes.",
    request=ImageBuilderRequest,
    stack="mlops_framework.blueprints.image_builder.stack:ImageBuilderStack",
    after_deploy="run-image-build",
)
