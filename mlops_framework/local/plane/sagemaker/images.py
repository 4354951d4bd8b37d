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
    repository = image.split("/", 1)[-1].split("@", 1)[0].split(":", 1)[0]
    if CARRIED not in repository:
        raise not_carried(f"the image {image!r} ({told_as})", _ACCEPTED)


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
