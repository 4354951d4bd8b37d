"""Explaining a window's rows by asking the endpoint, within a budget."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from mlops_framework.drift.attribution.kernel_shap import Explained, Question, Row, question
from mlops_framework.drift.baseline import Baseline, BaselineColumn
from mlops_framework.drift.columns import ColumnCounts, ColumnSpec
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.number_cells import plain
from mlops_framework.drift.sums import Floats
from mlops_framework.drift.values import text_of

ROWS_PER_CALL: Final = 500
TIME_IS_OVER: Final = "the time set aside for it was over"

Seconds = Callable[[], float]
"""A clock that only goes forward, seconds."""


class PredictionRefused(Exception):
    """The endpoint gave no usable predictions; the text says why, for people."""


class Predictor(Protocol):
    """Asks a monitor's endpoint."""

    def predict(self, config: MonitorConfig, rows: Sequence[Row], columns: Sequence[str]) -> Floats:
        """One prediction per row.

        Its calls carry an inference id that begins with
        :data:`~mlops_framework.drift.attribution.own_calls.PREFIX`.

        Args:
            config: The monitor; its ``attribution`` says how rows are sent and answers are read.
            rows: Values as texts, empty where missing, in the order of ``columns``.
            columns: The baseline's columns.

        Raises:
            PredictionRefused: If it does not answer with one number per row.
        """
        ...


@dataclass(frozen=True)
class Explanation:
    """What came of asking.

    Attributes:
        rows: The rows explained, in the order asked for.
        identities: Of each of them.
        asked: Predictions asked for.
        calls: Calls to the endpoint.
        stopped: Why not all rows were explained; empty if they were.
    """

    rows: tuple[Explained, ...]
    identities: tuple[str, ...]
    asked: int
    calls: int
    stopped: str = ""


@dataclass
class Explainer:
    """Asks for one window.

    Attributes:
        predictor: Asks the endpoint.
        config: The monitor.
        baseline: Whose typical row stands for a feature that is not known.
        clock: For the budget.
        seconds: How long it may take; a call that was begun is waited for.
    """

    predictor: Predictor
    config: MonitorConfig
    baseline: Baseline
    clock: Seconds
    seconds: float

    def explain(self, rows: Sequence[tuple[str, Row]]) -> Explanation:
        """Explain rows, given with their identities, until all are done or the time is spent.

        Raises:
            PredictionRefused: If the endpoint cannot be asked at all; after a first answer, what
                was explained so far is returned.
        """
        settings = self.config.attribution
        assert settings is not None
        started = self.clock()
        background = [typical_row(self.baseline)]
        first = [*background, *(row for _, row in rows)]
        predictions = self._predict(first)
        expected = float(predictions[0])
        calls, asked = -(-len(first) // ROWS_PER_CALL), len(first)
        done: list[Explained] = []
        group: list[tuple[Question, float]] = []
        stopped, waiting = "", 0
        for (identity, row), prediction in zip(rows, predictions[1:].tolist(), strict=True):
            one = question(row, background, settings.samples, _draw(identity))
            group.append((one, prediction))
            waiting += len(one.masks) * len(background)
            if waiting < ROWS_PER_CALL and len(done) + len(group) < len(rows):
                continue
            if self.clock() - started > self.seconds:
                stopped = TIME_IS_OVER
                break
            try:
                answered, made = self._answered(group, background, expected)
            except PredictionRefused as refusal:
                stopped = str(refusal)
                break
            done += answered
            calls, asked = calls + made, asked + waiting
            group, waiting = [], 0
        kept = tuple(identity for identity, _ in rows[: len(done)])
        return Explanation(tuple(done), kept, asked, calls, stopped)

    def _answered(
        self, group: Sequence[tuple[Question, float]], background: Sequence[Row], expected: float
    ) -> tuple[list[Explained], int]:
        asked = [one.rows(background) for one, _ in group]
        flat = [row for rows in asked for row in rows]
        predictions = self._predict(flat)
        ends = np.cumsum([len(rows) for rows in asked])[:-1]
        parts = np.split(predictions, ends)
        found = [
            one.answer(part, prediction, expected)
            for (one, prediction), part in zip(group, parts, strict=True)
        ]
        return found, -(-len(flat) // ROWS_PER_CALL)

    def _predict(self, rows: Sequence[Row]) -> Floats:
        parts = [
            self.predictor.predict(
                self.config, rows[start : start + ROWS_PER_CALL], self.baseline.names
            )
            for start in range(0, len(rows), ROWS_PER_CALL)
        ]
        return np.concatenate(parts) if parts else np.empty(0)


def typical_row(baseline: Baseline) -> Row:
    """The row that stands for "feature not known": medians of numbers, else the most frequent."""
    return tuple(_typical(column) for column in baseline.columns)


def _typical(column: BaselineColumn) -> str:
    spec, counts = column.spec, column.counts
    if not counts.valid:
        return ""
    if spec.kind == "categories":
        kept = counts.cells[: len(spec.categories)]
        return spec.categories[max(range(len(kept)), key=kept.__getitem__)] if kept else ""
    if spec.kind == "codes":
        cells = [counts.cells[2 * place + 1] for place in range(len(spec.codes))]
        return text_of(spec.codes[_middle(cells)])
    return text_of(_median(spec, counts))


def _median(spec: ColumnSpec, counts: ColumnCounts) -> float:
    cell = _middle(counts.cells)
    low = spec.edges[cell - 1] if cell else spec.edges[0]
    high = spec.edges[cell] if cell < len(spec.edges) else spec.edges[-1]
    single = plain(low, high, max(abs(spec.edges[0]), abs(spec.edges[-1])))
    return (low + high) / 2 if single is None else single


def _middle(cells: Sequence[int]) -> int:
    half, reached = sum(cells) / 2, 0
    for place, count in enumerate(cells):
        reached += count
        if reached >= half:
            return place
    return len(cells) - 1


def _draw(identity: str) -> np.random.Generator:
    """The same row is asked about in the same way every time."""
    digest = hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))
