"""Evaluates the employment classifier on held-out records: a SageMaker processing script.

Reads model.tar.gz and the evaluation CSV files, writes evaluation.json:

    {"metrics": {"accuracy": {"value": 0.82}, …}, "rows": 13757, "groups": {"SEX": {"1": {…}}}, …}

The quality gate reads `metrics.<name>.value`. `groups` says how the model treats the groups of the
two sensitive attributes: *selection rate*, the share it calls employed, and *true positive rate*,
the share of the employed it finds (equal opportunity: Hardt, Price and Srebro, NeurIPS 2016).
"""

from __future__ import annotations

import argparse
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss, roc_auc_score

LABEL = "employed"
SENSITIVE = ("SEX", "RAC1P")
# A rate of fewer people says little, so smaller groups are reported but do not enter the gaps.
SMALLEST_COMPARED_GROUP = 100


def load_model(archive: Path) -> Any:
    """Reads the classifier out of a model artefact, unpacking nothing to disk.

    Args:
        archive: model.tar.gz, or the folder that holds it.

    Returns:
        What train.py saved.

    Raises:
        ValueError: The artefact holds no model.joblib.
    """
    archive = archive / "model.tar.gz" if archive.is_dir() else archive
    with tarfile.open(archive) as members:
        for member in members:
            if Path(member.name).name == "model.joblib":
                return joblib.load(members.extractfile(member))
    raise ValueError(f"{archive}: holds no model.joblib; train.py saves one")


def group_rates(
    label: np.ndarray, called: np.ndarray, group: np.ndarray
) -> dict[str, dict[str, Any]]:
    """Compares the groups of one attribute.

    Args:
        label: Truth, 0 or 1, shape (n,).
        called: The model's answer, 0 or 1, shape (n,).
        group: The code of each row's group, shape (n,).

    Returns:
        Rows, selection rate and true positive rate by code; a rate of nobody is None.
    """
    rates: dict[str, dict[str, Any]] = {}
    for code in sorted(np.unique(group).tolist()):
        inside = group == code
        employed = inside & (label == 1)
        rates[str(code)] = {
            "rows": int(inside.sum()),
            "selection_rate": float(called[inside].mean()),
            "true_positive_rate": float(called[employed].mean()) if employed.any() else None,
        }
    return rates


def gap(rates: dict[str, dict[str, Any]], rate: str) -> float:
    """The largest difference of one rate between groups that are large enough to compare."""
    compared = [
        group[rate]
        for group in rates.values()
        if group["rows"] >= SMALLEST_COMPARED_GROUP and group[rate] is not None
    ]
    return max(compared) - min(compared) if compared else 0.0


def evaluate(model: Any, records: pd.DataFrame) -> dict[str, Any]:
    """Judges a model on labelled records.

    Args:
        model: A fitted binary classifier that knows its feature names.
        records: Features and label, one row a person.

    Returns:
        The content of evaluation.json.

    Raises:
        ValueError: A column that the model was trained on, or the label, is missing.
    """
    missing = sorted({*model.feature_names_in_, LABEL} - set(records.columns))
    if missing:
        raise ValueError(f"the evaluation data lacks the columns {', '.join(missing)}")
    label = records[LABEL].to_numpy()
    chance = model.predict_proba(records[list(model.feature_names_in_)])[:, 1]
    called = (chance >= 0.5).astype(int)
    groups = {name: group_rates(label, called, records[name].to_numpy()) for name in SENSITIVE}
    metrics = {
        "accuracy": accuracy_score(label, called),
        "balanced_accuracy": balanced_accuracy_score(label, called),
        "roc_auc": roc_auc_score(label, chance),
        "log_loss": log_loss(label, chance),
        "majority_class_accuracy": max(label.mean(), 1 - label.mean()),
    }
    for name, rates in groups.items():
        metrics[f"{name.lower()}_selection_rate_gap"] = gap(rates, "selection_rate")
        metrics[f"{name.lower()}_true_positive_rate_gap"] = gap(rates, "true_positive_rate")
    return {
        "metrics": {name: {"value": round(float(value), 6)} for name, value in metrics.items()},
        "rows": len(records),
        "groups": groups,
        "smallest_compared_group": SMALLEST_COMPARED_GROUP,
    }


def main() -> None:
    """Runs the processing job; its folders default to those of the training blueprint."""
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "processing"
    parser = argparse.ArgumentParser(description="Evaluates the employment classifier.")
    parser.add_argument("--model", type=Path, default=base / "model")
    parser.add_argument("--test", type=Path, default=base / "test")
    parser.add_argument("--output", type=Path, default=base / "evaluation")
    options = parser.parse_args()
    files = sorted(options.test.glob("*.csv"))
    if not files:
        raise SystemExit(f"{options.test}: expected CSV files with a header row, found none")
    records = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    report = evaluate(load_model(options.model), records)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "evaluation.json").write_text(json.dumps(report, indent=2))
    for name, metric in report["metrics"].items():
        print(f"{name} {metric['value']}")


if __name__ == "__main__":
    main()
