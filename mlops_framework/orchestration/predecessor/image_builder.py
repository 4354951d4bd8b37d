"""The type that builds a container image, which named no model."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from mlops_framework import naming
from mlops_framework.orchestration.predecessor.draft import Draft
from mlops_framework.orchestration.predecessor.fields import Form, Old, OldType

_FIELDS: Final[Mapping[str, Old]] = {
    "custom_algorithm_docker": Old(
        "source_archive", Form.ASSET, required=True, meaning="Zip with the Dockerfile."
    ),
    "ecr_repo_name": Old(
        "repository_name", Form.TEXT, required=True, meaning="ECR repository of the image."
    ),
    "image_tag": Old("image_tag", Form.TEXT, required=True, meaning="Tag of the image."),
}
_ROOM: Final = naming.PIPELINE_ID_LENGTH - len("image-builder") - 1
_DIGEST: Final = 6


def identity(tag: str) -> str:
    """The name that stands for the model's: the tag, by which such pipelines were told apart.

    A tag that cannot be part of a stack's name becomes one that can, with a digest, so that no two
    tags meet.
    """
    plain = re.sub("[^a-z0-9]+", "-", tag.lower()).strip("-")
    name = plain if plain[:1].isalpha() else f"image-{plain}".rstrip("-")
    if name == tag.lower() and len(name) <= min(_ROOM, naming.MODEL_NAME_LENGTH):
        return name
    digest = hashlib.sha256(tag.lower().encode()).hexdigest()[:_DIGEST]
    room = min(_ROOM, naming.MODEL_NAME_LENGTH) - _DIGEST - 1
    return f"{name[:room].rstrip('-')}-{digest}"


def _finish(draft: Draft) -> None:
    tag = draft.body.get("image_tag")
    if isinstance(tag, str):
        draft.put("model_name", identity(tag), draft.spelt("image_tag"))
    else:
        draft.came_from("model_name", draft.spelt("image_tag"))


IMAGE_BUILDER: Final[Mapping[str, OldType]] = {
    "byom_image_builder": OldType("image-builder", _FIELDS, _finish),
}
