"""Trains the employment classifier: a SageMaker script-mode program.

SageMaker starts it with the hyperparameters as arguments and the channel's folder in
SM_CHANNEL_TRAINING; what it leaves in SM_MODEL_DIR becomes model.tar.gz. Runs under scikit-learn
1.4 (SageMaker's newest image) and later.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import joblib
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

LABEL = "employed"
# Age and schooling are ordered; every other column is a code whose order means nothing.
ORDERED = ("AGEP", "SCHL")


def read_records(folder: Path) -> pd.DataFrame:
    """Reads every CSV file of a channel.

    Args:
        folder: Holds one or more CSV files with a header row.

    Returns:
        Their rows together, label column included.

    Raises:
        ValueError: There is no CSV file, no label column, or the label is not 0 or 1.
    """
    files = sorted(folder.glob("*.csv"))
    if not files:
        found = ", ".join(sorted(path.name for path in folder.glob("*"))) or "nothing"
        raise ValueError(f"{folder}: expected CSV files with a header row, found {found}")
    records = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    if LABEL not in records:
        raise ValueError(
            f"{folder}: no column {LABEL!r} among {', '.join(map(str, records.columns))}"
        )
    labels = sorted(records[LABEL].unique().tolist())
    if labels != [0, 1]:
        raise ValueError(f"{folder}: {LABEL!r} must hold both 0 and 1, found {labels}")
    return records


def train(records: pd.DataFrame, options: argparse.Namespace) -> HistGradientBoostingClassifier:
    """Fits gradient-boosted trees.

    Args:
        records: Features and label, one row a person.
        options: The hyperparameters of `parse`.

    Returns:
        The fitted classifier; it remembers the names and the order of its features.
    """
    features = records.drop(columns=LABEL)
    model = HistGradientBoostingClassifier(
        max_iter=options.max_iter,
        learning_rate=options.learning_rate,
        max_leaf_nodes=options.max_leaf_nodes,
        l2_regularization=options.l2_regularization,
        categorical_features=[name not in ORDERED for name in features.columns],
        random_state=options.seed,
    )
    return model.fit(features, records[LABEL])


def parse(arguments: list[str]) -> argparse.Namespace:
    """Reads hyperparameters and folders; the folders default to SageMaker's environment."""
    parser = argparse.ArgumentParser(description="Trains the employment classifier.")
    parser.add_argument("--max-iter", type=int, default=100, help="number of trees")
    parser.add_argument("--learning-rate", type=float, default=0.1, help="weight of each tree")
    parser.add_argument("--max-leaf-nodes", type=int, default=31, help="leaves of each tree")
    parser.add_argument("--l2-regularization", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=2015)
    channel = os.environ.get("SM_CHANNEL_TRAINING", "/opt/ml/input/data/training")
    parser.add_argument("--training", type=Path, default=Path(channel))
    model = os.environ.get("SM_MODEL_DIR", "/opt/ml/model")
    parser.add_argument("--model-dir", type=Path, default=Path(model))
    # SageMaker passes every hyperparameter, those of its own among them.
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        print(f"hyperparameters that this script does not use: {' '.join(unknown)}", flush=True)
    return options


def main() -> None:
    """Reads, trains, saves, and says what it did in the job's log."""
    options = parse(sys.argv[1:])
    records = read_records(options.training)
    share = records[LABEL].mean()
    print(
        f"{len(records)} records, {records.shape[1] - 1} features, {share:.3f} employed", flush=True
    )
    started = time.perf_counter()
    model = train(records, options)
    seconds = time.perf_counter() - started
    fitted = model.score(records.drop(columns=LABEL), records[LABEL])
    print(f"{model.n_iter_} trees in {seconds:.1f} s, accuracy on the training data {fitted:.4f}")
    options.model_dir.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, options.model_dir / "model.joblib")


if __name__ == "__main__":
    main()
