"""Which container images the local AWS can stand in for.

There are no containers here: a job runs in an environment of this machine, through a runner that
keeps the image's contract. The scikit-learn framework image runs scripts in the ML environment. The
XGBoost image runs its algorithm, in one release: the one whose library is installed beside it, when
a job first wants it. Any other image would be pretence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_framework.local import venvs
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker.area import not_carried

CARRIED = "sagemaker-scikit-learn"
XGBOOST, XGBOOST_RELEASE = "sagemaker-xgboost", "3.2-0"
IMAGE = "MLOPS_IMAGE"
"""Variable that says which image a process stands in for."""
_ACCEPTED = (
    f"It runs images whose repository name contains {CARRIED!r}, from any registry, with any tag, "
    f"and {XGBOOST}:{XGBOOST_RELEASE}, the built-in algorithm."
)
_OTHER_XGBOOST = (
    f"Of XGBoost's releases it runs {XGBOOST_RELEASE}, with the library of the same release: give "
    f"algorithm_version {XGBOOST_RELEASE!r} here. The others run in an AWS account."
)
_ANALYZERS = ("sagemaker-model-monitor-analyzer", "sagemaker-clarify-processing")
_INSTEAD = (
    "It is AWS's own and cannot be had outside AWS; the blueprint drift-monitor watches captured "
    "traffic here."
)
_PYTHON = re.compile(r"(.*/)?python(3(\.\d+)?)?")


@dataclass(frozen=True)
class Program:
    """What stands in for an image.

    Attributes:
        environment: lock of its virtual environment; empty for the ML environment.
        prefix: of the runner's kinds.
        metric_definitions: how its metrics are read, where the image brings that itself.
    """

    environment: str = ""
    prefix: str = ""
    metric_definitions: tuple[Mapping[str, str], ...] = ()

    def python(self, host: PlaneHost) -> Path:
        """Its interpreter; its environment is installed when it is wanted for the first time.

        Raises:
            EnvironmentFailed: it cannot be installed.
        """
        if not self.environment:
            return host.ml_python
        return venvs.ensure(self.environment, host.ml_python.parents[2], installer=host.installer)


_METRICS = (
    *("rmse", "rmsle", "mae", "mape", "mphe", "logloss", "error", "merror", "mlogloss", "auc"),
    *("aucpr", "ndcg", "map", "poisson-nloglik", "gamma-nloglik", "cox-nloglik"),
    *("gamma-deviance", "tweedie-nloglik", "aft-nloglik"),
)
_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
_SCRIPTS = Program()
_ALGORITHM = Program(
    environment="xgboost",
    prefix="xgboost_",
    metric_definitions=tuple(
        {"Name": f"{data}:{metric}", "Regex": rf"^\[[0-9]+\].*\t{data}-{metric}:{_NUMBER}"}
        for data in ("train", "validation")
        for metric in _METRICS
    ),
)


def program_of(image: str) -> Program:
    """What stands in for an image that was not refused."""
    return _ALGORITHM if _is_xgboost(image) else _SCRIPTS


def with_metrics(algorithm: Mapping[str, Any]) -> dict[str, Any]:
    """An AlgorithmSpecification with the metrics that a built-in algorithm brings itself."""
    own = program_of(algorithm.get("TrainingImage", "")).metric_definitions
    return {**algorithm, "MetricDefinitions": list(own)} if own else dict(algorithm)


def check_image(image: str | None, *, told_as: str, algorithms: bool = True) -> None:
    """Refuse an image that is not run here.

    Args:
        image: its URI, None when the request names none.
        told_as: the member of the request, for the message.
        algorithms: whether a built-in algorithm may be meant, and not a program of the user's.

    Raises:
        AwsFault: it is refused by name.
    """
    if image is None:
        raise not_carried(f"a {told_as} without an image", _ACCEPTED)
    if CARRIED not in _repository(image) and not (algorithms and _is_xgboost(image)):
        raise not_carried(f"the image {image!r} ({told_as})", _instead_of(image))


def check_script(image: str, script: str | None, *, told_as: str) -> None:
    """Refuse a script where the image runs its algorithm only.

    Raises:
        AwsFault: it is refused by name.
    """
    if script and _is_xgboost(image):
        raise not_carried(
            f"{told_as} in the XGBoost image",
            f"Here it runs its algorithm, without a script; scripts run in {CARRIED}.",
        )


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


def _is_xgboost(image: str) -> bool:
    tag = image.rpartition(":")[2]
    return _repository(image) == XGBOOST and tag.startswith(XGBOOST_RELEASE)


def _repository(image: str) -> str:
    return image.split("/", 1)[-1].split("@", 1)[0].split(":", 1)[0]


def _instead_of(image: str) -> str:
    if _repository(image) in (XGBOOST, "xgboost"):
        return _OTHER_XGBOOST
    return _INSTEAD if _repository(image) in _ANALYZERS else _ACCEPTED
