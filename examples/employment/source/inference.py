"""Serves the employment classifier: the four functions that SageMaker's scikit-learn image calls.

Requests (one or many people each):

- `text/csv`: the features in training order, one line a person; a header line may name another
  order;
- `application/json`: `{"instances": [{"AGEP": 41, …}, …]}`, or the list alone, or lists of numbers
  in training order;
- `application/jsonlines`: one object a line.

Answers: `text/csv`, one `label,probability` line a person, or `application/json`,
`{"predictions": [{"label": 1, "probability": 0.93}, …]}`.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

CSV = "text/csv"
JSON = "application/json"
JSON_LINES = "application/jsonlines"


def model_fn(model_dir: str) -> Any:
    """Loads what train.py saved."""
    return joblib.load(Path(model_dir) / "model.joblib")


def names_its_columns(text: str) -> bool:
    """Tells whether a CSV text begins with a header: a line without a single number."""
    numbers = 0
    for value in next(csv.reader(text.lstrip().splitlines())):
        try:
            float(value)
        except ValueError:
            continue
        numbers += 1
    return numbers == 0


def input_fn(body: str | bytes, content_type: str) -> pd.DataFrame:
    """Reads a request.

    Args:
        body: The request's content.
        content_type: Its type; parameters such as a charset are ignored.

    Returns:
        One row a person; columns are numbered from 0 where the request does not name them.

    Raises:
        ValueError: The type is not one of the three, or the body is empty or not of its type.
    """
    text = body.decode("utf-8") if isinstance(body, (bytes, bytearray)) else body
    kind = content_type.split(";")[0].strip().lower()
    if not text.strip():
        raise ValueError(f"the request's body is empty; expected people as {kind}")
    if kind == CSV:
        return pd.read_csv(io.StringIO(text), header=0 if names_its_columns(text) else None)
    if kind == JSON_LINES:
        return pd.DataFrame([json.loads(line) for line in text.splitlines() if line.strip()])
    if kind == JSON:
        content = json.loads(text)
        people = content.get("instances") if isinstance(content, dict) else content
        if not isinstance(people, list) or not people:
            raise ValueError(
                'expected {"instances": [{"AGEP": 41, …}, …]} with at least one person'
            )
        return pd.DataFrame(people)
    raise ValueError(f"content type {kind!r} is not served; use {CSV}, {JSON} or {JSON_LINES}")


def predict_fn(people: pd.DataFrame, model: Any) -> np.ndarray:
    """Predicts the chance of being employed.

    Args:
        people: What `input_fn` read.
        model: What `model_fn` loaded.

    Returns:
        The chances, shape (people,).

    Raises:
        ValueError: A feature is missing or no number, or the number of unnamed columns is not the
            model's.
    """
    names = list(model.feature_names_in_)
    if all(isinstance(column, int) for column in people.columns):
        if people.shape[1] != len(names):
            raise ValueError(
                f"expected {len(names)} values ({','.join(names)}), got {people.shape[1]}"
            )
        people = people.set_axis(names, axis=1)
    missing = [name for name in names if name not in people.columns]
    if missing:
        raise ValueError(f"the request lacks {', '.join(missing)}; expected {', '.join(names)}")
    return model.predict_proba(people[names].apply(pd.to_numeric))[:, 1]


def output_fn(chances: np.ndarray, accept: str) -> tuple[str, str]:
    """Writes the answer.

    Args:
        chances: What `predict_fn` returned.
        accept: The type the caller asks for; CSV for anything that is not JSON.

    Returns:
        The body and its type.
    """
    answers = [(int(chance >= 0.5), round(float(chance), 6)) for chance in chances]
    if JSON in accept.lower():
        named = [{"label": label, "probability": chance} for label, chance in answers]
        return json.dumps({"predictions": named}), JSON
    return "".join(f"{label},{chance}\n" for label, chance in answers), CSV
