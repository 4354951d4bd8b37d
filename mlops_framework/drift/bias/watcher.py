"""Watches whether groups of people are treated otherwise than the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import numpy as np

from mlops_framework.drift.bias.condition import UNKNOWN
from mlops_framework.drift.bias.counts import BiasCounts
from mlops_framework.drift.bias.flip_sample import FlipSample
from mlops_framework.drift.bias.flip_test import flip_test, standardised
from mlops_framework.drift.bias.judging import compare
from mlops_framework.drift.bias.metrics import LABEL_FREE, Measure, entropy, measures
from mlops_framework.drift.bias.reference import Reference, reference_key
from mlops_framework.drift.bias.report import BiasSight
from mlops_framework.drift.bias.settings import BiasSettings
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.outcomes.sums import OutcomeSums
from mlops_framework.drift.ports import Store
from mlops_framework.drift.watching import Scene, Sight
from mlops_framework.drift.windows import Window

EVERYBODY: Final = ""
"""In place of a facet's name: measures of all rows."""


class Outcomes(Protocol):
    """Gives windows' outcomes, with labels as far as there are any."""

    def outcomes(self, scene: Scene) -> OutcomeSums | None:
        """What a window's rows came to; ``None`` if there are none to look at."""
        ...


@dataclass(frozen=True)
class BiasWatcher:
    """The watcher of monitors with a ``bias`` section.

    Attributes:
        joiner: Gives windows' outcomes.
        store: A monitor's documents.
    """

    joiner: Outcomes
    store: Store

    def reach(self, config: MonitorConfig) -> timedelta:
        """The model's quality re-opens windows for late labels; every watcher then looks again."""
        return timedelta(0)

    def news(
        self, config: MonitorConfig, profiles: Mapping[Window, Sequence[str]], now: datetime
    ) -> Mapping[Window, str]:
        """None of its own."""
        return {}

    def look(self, scene: Scene) -> Sight | None:
        """See ``Watcher.look``."""
        settings = scene.config.bias
        outcomes = self.joiner.outcomes(scene) if settings else None
        if settings is None or outcomes is None or outcomes.bias is None:
            return None
        counts = outcomes.bias
        found = measured(counts, settings)
        if outcomes.flips is not None:
            found = {**found, **_flips(outcomes.flips, settings, found)}
        reference = self._reference(scene, settings, counts)
        known = measured(reference[1], settings) if reference else {}
        enough = _enough(found, counts, settings)
        return BiasSight(
            scene.config,
            counts,
            found,
            known,
            compare(enough, known, settings),
            reference[0] if reference else "",
        )

    def _reference(
        self, scene: Scene, settings: BiasSettings, counts: BiasCounts
    ) -> tuple[str, BiasCounts] | None:
        """What the window is compared with, and how to call it; ``None`` for nothing (yet).

        A window that is part of it, or still collected for it, is not compared with it.
        """
        place = reference_key(scene.config)
        document = self.store.read(scene.config.data_bucket, place)
        known = Reference.from_document(document, place) if document else None
        if known is None or known.counting != settings.counting.id:
            known = Reference(settings.counting.id)
        if known.baseline is not None:
            return "the training data", known.baseline
        truth = scene.config.ground_truth
        needed = truth.reference_windows if truth else 1
        start = scene.task.window.start
        if start in known.windows or (scene.task.complete and len(known.windows) < needed):
            text = json.dumps(known.with_window(start, counts).to_document(), sort_keys=True)
            self.store.write(scene.config.data_bucket, place, text, "application/json")
            return None
        return None if len(known.windows) < needed else ("the first windows", known.merged())


def measured(counts: BiasCounts, settings: BiasSettings) -> dict[str, tuple[Measure, ...]]:
    """Every metric by facet name; GE under :data:`EVERYBODY`."""
    grouped, confidence = bool(settings.group_column), settings.confidence
    found = {
        facet.name: measures(one, confidence=confidence, grouped=grouped)
        for facet, one in zip(settings.facets, counts.facets, strict=True)
    }
    return {**found, EVERYBODY: (entropy(counts, confidence=confidence),)}


def _enough(
    found: Mapping[str, Sequence[Measure]], counts: BiasCounts, settings: BiasSettings
) -> dict[str, tuple[Measure, ...]]:
    """What may be judged: both sides of a facet have enough rows, or labelled ones."""
    kept: dict[str, tuple[Measure, ...]] = {}
    for facet, one in zip(settings.facets, counts.facets, strict=True):
        sides = [one.outcomes(facet=inside) for inside in (False, True)]
        rows = min(side.rows for side in sides) >= settings.minimum_rows
        labelled = min(side.labelled for side in sides) >= settings.minimum_rows
        kept[facet.name] = tuple(
            measure
            for measure in found[facet.name]
            if (rows if measure.metric in LABEL_FREE else labelled)
        )
    everybody = counts.outcomes.labelled >= 2 * settings.minimum_rows
    kept[EVERYBODY] = tuple(found[EVERYBODY]) if everybody else ()
    return kept


def _flips(
    sample: FlipSample,
    settings: BiasSettings,
    found: Mapping[str, tuple[Measure, ...]],
) -> dict[str, tuple[Measure, ...]]:
    """The measures of each facet with its flip test."""
    columns = {}
    for place, name in enumerate(settings.flip_test_columns):
        numbers = sample.numbers(place)
        if not len(sample) or not np.isnan(numbers).all():
            columns[name] = numbers
    made = {}
    for place, facet in enumerate(settings.facets):
        others = [column for name, column in columns.items() if name != facet.column]
        if not others:
            undefined = "none of the columns to compare people by was captured"
            made[facet.name] = (*found[facet.name], Measure("FT", None, undefined))
            continue
        inside = sample.inside(place)
        usable = np.flatnonzero(inside != UNKNOWN)
        table, complete = standardised(np.column_stack([column[usable] for column in others]))
        kept = usable[complete]
        measure = flip_test(
            table, inside[kept] == 1, sample.good[kept], confidence=settings.confidence
        )
        made[facet.name] = (*found[facet.name], measure)
    return made
