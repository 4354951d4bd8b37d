"""One training job of SageMaker's XGBoost algorithm: no script, hyperparameters and two channels.

The contract is that of the image's algorithm mode: the channels ``train`` and ``validation`` as CSV
or LIBSVM, metrics in the log as ``[round]  train-<metric>:…  validation-<metric>:…``, the model as
``model/xgboost-model``. The training itself is the library's of the same release.

Source: SageMaker developer guide, "XGBoost algorithm with Amazon SageMaker AI".
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import xgboost

from . import training
from .errors import UserError
from .xgboost_data import read_channel

MODEL_NAME = "xgboost-model"
_CHECKPOINT = re.compile(r"xgboost-checkpoint\.([0-9]+)")
_CHECKPOINTS_KEPT = 5
_OURS = frozenset(
    ("num_round", "early_stopping_rounds", "csv_weights", "eval_metric", "_tuning_objective_metric")
)
"""Read here; every other one is the library's."""
_LIBRARYS = frozenset(
    (
        *("booster", "verbosity", "nthread", "eta", "gamma", "max_depth", "min_child_weight"),
        *("max_delta_step", "subsample", "colsample_bytree", "colsample_bylevel"),
        *("colsample_bynode", "lambda", "alpha", "tree_method", "sketch_eps", "scale_pos_weight"),
        *("updater", "dsplit", "refresh_leaf", "process_type", "grow_policy", "max_leaves"),
        *("max_bin", "predictor", "monotone_constraints", "interaction_constraints"),
        *("sample_type", "normalize_type", "rate_drop", "one_drop", "skip_drop", "lambda_bias"),
        *("tweedie_variance_power", "objective", "num_class", "base_score", "seed"),
        *("num_parallel_tree", "aft_loss_distribution", "aft_loss_distribution_scale"),
        *("deterministic_histogram", "sampling_method", "max_cached_hist_node", "huber_slope"),
    )
)
_NOT_CARRIED = frozenset(
    ("_kfold", "_num_cv_round", "use_dask_gpu_training", "save_model_on_termination")
)
_IMAGES_METRICS = frozenset(
    (
        *("accuracy", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "mse", "precision"),
        *("precision_macro", "precision_micro", "r2", "recall", "recall_macro", "recall_micro"),
    )
)
"""Computed by the image and not by the library."""


def main(arguments: list[str]) -> int:
    """Run the job whose folder is given.

    Args:
        arguments: the one folder that is to be /opt/ml.

    Returns:
        0, or 1 for a failure of the user's making.
    """
    return training.run(arguments, lambda base, _: train(base), by_program=False)


def train(base: Path) -> None:
    """Read the channels, train, save.

    Args:
        base: /opt/ml, or the folder that stands for it.

    Raises:
        UserError: hyperparameters or data are refused, here or by the library.
    """
    for folder in ("model", "output/data"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    config = base / "input" / "config"
    given = json.loads((config / "hyperparameters.json").read_text())
    channels = json.loads((config / "inputdataconfig.json").read_text())
    rounds, parameters, metrics = _read(given)
    if unknown := sorted(set(channels) - {"train", "validation"}):
        raise UserError(f"Extraneous channel found: {unknown[0]}. There are train and validation.")
    if "train" not in channels:
        raise UserError("Missing required channel: train.")
    matrices = {
        name: read_channel(
            base / "input" / "data" / name,
            channels["train"].get("ContentType"),
            weights=name == "train" and given.get("csv_weights") == "1",
        )
        for name in ("train", "validation")
        if name in channels
    }
    checkpoints = base / "checkpoints"
    before, done = _resumed(checkpoints)
    print(f"Train matrix has {matrices['train'].num_row()} rows", flush=True)
    stopping = given.get("early_stopping_rounds")
    try:
        booster = xgboost.train(
            {**parameters, **({"eval_metric": metrics} if metrics else {})},
            matrices["train"],
            num_boost_round=max(rounds - done, 0),
            evals=[(matrix, name) for name, matrix in matrices.items()],
            early_stopping_rounds=int(stopping) if stopping else None,
            xgb_model=before,
            verbose_eval=False,
            callbacks=[_Told(done), *([_Kept(checkpoints, done)] if checkpoints.is_dir() else [])],
        )
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        said = str(error).split("Stack trace")[0].strip()
        raise UserError(f"XGB train call failed with exception:\n {said}") from error
    _save(booster, base / "model" / MODEL_NAME)


def _read(given: dict[str, str]) -> tuple[int, dict[str, str], list[str]]:
    """Rounds, the library's parameters, and the metrics to evaluate."""
    for name in given:
        if name in _NOT_CARRIED:
            raise UserError(
                f"The hyperparameter {name!r} is not carried by the local AWS. Leave it out here."
            )
        if name not in _OURS | _LIBRARYS:
            raise UserError(f"Extraneous hyperparameter found: {name}")
    text = given.get("num_round", "")
    if not text.isdigit() or int(text) < 1:
        raise UserError(f"num_round is required, a whole number of at least 1; it is {text!r}.")
    objective = given.get("objective", "")
    if objective.startswith("multi:") and "num_class" not in given:
        raise UserError("Require input for parameter 'num_class' for multi-classification")
    metrics = [each.strip() for each in given.get("eval_metric", "").split(",") if each.strip()]
    wanted = given.get("_tuning_objective_metric", "").partition(":")[2]
    metrics += [wanted] if wanted and wanted not in metrics else []
    for metric in metrics:
        if metric in _IMAGES_METRICS:
            raise UserError(
                f"The metric {metric!r} is computed by AWS's image and not by the library; it is "
                "not carried by the local AWS. Use one of XGBoost's own, such as auc, logloss or "
                "rmse."
            )
    parameters = {name: value for name, value in given.items() if name in _LIBRARYS}
    return int(text), parameters, metrics


def _resumed(folder: Path) -> tuple[Any, int]:
    """The booster of the newest checkpoint and how many rounds it has had."""
    found = {}
    for file in folder.glob("*") if folder.is_dir() else ():
        match = _CHECKPOINT.fullmatch(file.name)
        if match:
            found[int(match[1])] = file
    if not found:
        return None, 0
    newest = max(found)
    booster = xgboost.Booster()
    booster.load_model(found[newest])
    print(f"Checkpoint loaded from {found[newest]}", flush=True)
    return booster, newest + 1


def _save(booster: Any, file: Path) -> None:
    """Write a booster, under its name only when it is whole."""
    # The ending says in which format, and the image's own names have none.
    whole = file.with_name(f".{file.name}.ubj")
    booster.save_model(whole)
    whole.replace(file)


class _Told(xgboost.callback.TrainingCallback):  # type: ignore[misc]  # untyped base
    """One line per round, which the metrics are read from."""

    def __init__(self, done: int) -> None:
        self._done = done
        super().__init__()

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Print the round's metrics."""
        parts = [
            f"{data}-{metric}:{values[-1]:.5f}"
            for data, metrics in evals_log.items()
            for metric, values in metrics.items()
        ]
        print("\t".join([f"[{self._done + epoch}]", *parts]), flush=True)
        return False


class _Kept(xgboost.callback.TrainingCallback):  # type: ignore[misc]  # untyped base
    """A checkpoint after every round; the newest few stay."""

    def __init__(self, folder: Path, done: int) -> None:
        self._folder, self._done = folder, done
        super().__init__()

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Write one; the oldest goes."""
        number = self._done + epoch
        _save(model, self._folder / f"xgboost-checkpoint.{number}")
        old = self._folder / f"xgboost-checkpoint.{number - _CHECKPOINTS_KEPT}"
        old.unlink(missing_ok=True)
        return False
