"""The clients of the AWS MLOps Framework 2.x: their bodies in, the answers they read out.

One room knows the old form. ``translate`` turns a body of theirs into one of ours, with what was
wrong with it in its own words; nothing behind the door hears of it.

``fields`` says what a field of theirs may hold; ``serving``, ``monitors``, ``model_building`` and
``image_builder`` list the fields of each ``pipeline_type``; ``draft`` collects what becomes of
them.
"""

from mlops_framework.orchestration.predecessor.draft import Setting
from mlops_framework.orchestration.predecessor.status import predecessor_state
from mlops_framework.orchestration.predecessor.translation import (
    CARD_TYPES,
    TYPES,
    Translation,
    card_request,
    speaks,
    translate,
    understood,
)

__all__ = [
    "CARD_TYPES",
    "TYPES",
    "Setting",
    "Translation",
    "card_request",
    "predecessor_state",
    "speaks",
    "translate",
    "understood",
]
