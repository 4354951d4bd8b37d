"""What is kept of captured rows for attributions: their sums, or a sample of the rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from mlops_framework.drift.attribution.sampled_rows import SampledRows, identities_of
from mlops_framework.drift.attribution.settings import AttributionSettings
from mlops_framework.drift.attribution.sums import AttributionSums, groups_of
from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.rows import CapturedRows
from mlops_framework.drift.sums import Floats
from mlops_framework.drift.values import Numbers, Values
from mlops_framework.drift.watching import Artefact, Keeping
from mlops_framework.drift.windows import Window

SUMS: Final = "attributions"
ROWS: Final = "rows"
SUFFIX: Final = ".json"
_JSON: Final = "application/json"


@dataclass(frozen=True)
class AttributionKeeper:
    """The keeper of monitors with an ``attribution`` section."""

    def start(self, config: MonitorConfig, baseline: Baseline) -> Keeping | None:
        """See ``Keeper.start``."""
        settings = config.attribution
        if settings is None:
            return None
        return _Rows(settings.rows, baseline.names) if settings.asks else _Sums(settings)


@dataclass
class _Sums:
    """Sums of the attributions that answers hold."""

    settings: AttributionSettings
    found: dict[Window, AttributionSums] = field(default_factory=dict)

    def add(self, window: Window, rows: CapturedRows) -> None:
        names = tuple(self.settings.outputs)
        values = np.column_stack(
            [
                _numbers(rows.outputs.get(column), len(rows))
                for column in self.settings.outputs.values()
            ]
        )
        groups = groups_of(list(identities_of(rows)))
        counted = AttributionSums.of_rows(names, values, groups)
        known = self.found.get(window)
        self.found[window] = counted if known is None else known.merged(counted)

    def artefacts(self) -> Mapping[Window, Artefact]:
        return {window: _artefact(SUMS, one.to_document()) for window, one in self.found.items()}


@dataclass
class _Rows:
    """A sample of the rows, for the endpoint to be asked about."""

    limit: int
    columns: Sequence[str]
    found: dict[Window, SampledRows] = field(default_factory=dict)

    def add(self, window: Window, rows: CapturedRows) -> None:
        known = self.found.get(window, SampledRows(self.limit))
        self.found[window] = known.added(rows)

    def artefacts(self) -> Mapping[Window, Artefact]:
        # With the columns: a baseline built later may have others.
        columns = {"columns": list(self.columns)}
        return {
            window: _artefact(ROWS, one.to_document() | columns)
            for window, one in self.found.items()
        }


def _artefact(name: str, document: Mapping[str, Any]) -> Artefact:
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Artefact(name, SUFFIX, text.encode("utf-8", "surrogatepass"), _JSON)


def _numbers(values: Values | None, rows: int) -> Floats:
    """A column of attributions, NaN where there is none or no number."""
    if values is None:
        return np.full(rows, np.nan)
    if isinstance(values, Numbers):
        return values.values
    return np.array([_number(text) for text in values.distinct], np.float64)[values.indices]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
