"""Tell everybody on the platform's alert topic that a model is there."""

from acme_blueprints.announcement.contract import AnnouncementRequest
from mlops_framework.registry import Blueprint

BLUEPRINT = Blueprint(
    kind="acme-announcement",
    summary="A state machine that announces a model to those who subscribed.",
    request=AnnouncementRequest,
    stack="acme_blueprints.announcement.stack:AnnouncementStack",
)
