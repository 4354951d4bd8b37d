"""One model server of SageMaker's XGBoost algorithm: CSV or LIBSVM in, CSV out, no script.

Predictions of a request are one line with commas between; of a batch transform, a line each.

Source: SageMaker developer guide, "Input/Output interface for the XGBoost algorithm".
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xgboost

from . import serving
from .errors import UserError
from .xgboost_data import format_of, read_request

_TEXT = "text/plain"


def main(arguments: list[str]) -> int:
    """Serve the model whose folder is given until the process is ended.

    Args:
        arguments: the one folder that is to be /opt/ml; its `model` holds the unpacked artefact.

    Returns:
        1 when the model cannot be loaded.
    """
    return serving.serve(arguments, load)


def load(base: Path) -> serving.ModelServer:
    """Load the booster and open the server.

    Raises:
        UserError: the artefact holds no model of XGBoost's.
    """
    files = sorted(file for file in (base / "model").iterdir() if file.is_file())
    if not files:
        raise UserError("The model archive holds no file; XGBoost's is called xgboost-model.")
    booster = xgboost.Booster()
    try:
        booster.load_model(files[0])
    except xgboost.core.XGBoostError as error:
        said = str(error).split("Stack trace")[0].strip()
        raise UserError(f"Unable to load model {files[0].name}: {said}") from error
    return XgboostServer(booster, base / "model")


class XgboostServer(serving.ModelServer):
    """Answers with the booster's predictions."""

    def transform(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        """Answer one request.

        Args:
            body: its payload.
            headers: its headers.

        Returns:
            Status, content type and payload of the answer.
        """
        if not body:
            return 204, _TEXT, b""
        given = {name.lower(): value for name, value in headers.items()}
        try:
            matrix = read_request(body, given.get("content-type"))
        except (UserError, UnicodeDecodeError) as error:
            return 415, _TEXT, str(error).encode()
        try:
            with self.one_at_a_time:
                found = self._predicted(matrix, format_of(given.get("content-type") or "csv"))
        except (xgboost.core.XGBoostError, ValueError) as error:
            said = str(error).split("Stack trace")[0].strip()
            return 400, _TEXT, f"Unable to evaluate payload provided: {said}".encode()
        batch = os.environ.get("SAGEMAKER_BATCH") == "true"
        texts = [str(value) for value in found.tolist()]
        answer = "\n".join([*texts, ""]) if batch else ",".join(texts)
        return 200, "text/csv; charset=utf-8", answer.encode()

    def _predicted(self, matrix: Any, form: str) -> Any:
        """Sparse rows may end before the last feature; those of CSV may not."""
        booster = self.transformer
        wanted, there = booster.num_features(), matrix.num_col()
        if there > wanted or (there < wanted and form == "csv"):
            raise ValueError(
                f"Feature size of inference data {there} is not consistent with feature size of "
                f"trained model {wanted}."
            )
        best = booster.attr("best_iteration")
        rounds = (0, int(best) + 1) if best else (0, 0)
        return booster.predict(matrix, validate_features=False, iteration_range=rounds)
