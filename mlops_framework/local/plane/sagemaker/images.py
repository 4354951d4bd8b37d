"""Which container images the local AWS can stand in for.

There are no containers here: a job runs in the ML environment of this machine, through a runner
that keeps the contract of the scikit-learn framework image. Any other image would be pretence.
"""

from __future__ import annotations

import re

from mlops_framework.local.plane.sagemaker.area import not_carried

CARRIED = "sagemaker-scikit-learn"
_ACCEPTED = (
    f"It runs images whose repository name contains {CARRIED!r}, from any registry, with any tag."
)
_ANALYZERS = ("sagemaker-model-monitor-analyzer", "sagemaker-clarify-processing")
_INSTEAD = (
    "It is AWS's own and cannot be had outside AWS; the blueprint drift-monitor watches captured "
    "traffic here."
)
_PYTHON = re.compile(r"(.*/)?python(3(\.\d+)?)?")


def check_image(image: str | None, *, told_as: str) -> None:
    """Refuse an image that is not run here.

    Args:
        image: its URI, None when the request names none.
        told_as: the member of the request, for the message.

    Raises:
        AwsFault: it is refused by name.
    """
    if image is None:
        raise not_carried(f"a {told_as} without an image", _ACCEPTED)
    if CARRIED not in _repository(image):
        raise not_carried(f"the image {image!r} ({told_as})", _instead_of(image))


def check_entry_point(entry_point: list[str] | None) -> None:
    """Refuse a processing job whose program is not Python.

    Raises:
        AwsFault: it is refused by name.
    """
    if not entry_point or not _PYTHON.fullmatch(entry_point[0]):
        raise not_carried(
            f"the ContainerEntrypoint {entry_point or []!r}",
            "A processing job runs a Python program: "
            '["python3", "/opt/ml/processing/input/code/script.py"].',
        )


def why_not(image: str, *, told_as: str) -> str:
    """Why an image is not run here, in the words with which a job of it is refused."""
    return not_carried(f"the image {image!r} ({told_as})", _instead_of(image)).message


def _repository(image: str) -> str:
    return image.split("/", 1)[-1].split("@", 1)[0].split(":", 1)[0]


def _instead_of(image: str) -> str:
    return _INSTEAD if _repository(image) in _ANALYZERS else _ACCEPTED
