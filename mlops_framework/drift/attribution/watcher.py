"""Watches whether the model still decides by the same features."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from mlops_framework.drift.attribution.explaining import (
    TIME_IS_OVER,
    Explainer,
    PredictionRefused,
    Predictor,
    Seconds,
)
from mlops_framework.drift.attribution.report import AttributionSight, Reference
from mlops_framework.drift.attribution.sampled_rows import SampledRows
from mlops_framework.drift.attribution.settings import AttributionSettings
from mlops_framework.drift.attribution.sums import AttributionSums, groups_of
from mlops_framework.drift.attribution.uncertainty import agreement
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.layout import kept_key, kept_prefix
from mlops_framework.drift.outcomes.sums import counting_id
from mlops_framework.drift.ports import Store
from mlops_framework.drift.watching import Scene, Sight
from mlops_framework.drift.windows import Window, instant

KIND: Final = "mlops-drift-attributions"
VERSION: Final = 1
_JSON: Final = "application/json"
_SUMS: Final = "attributions"
_ROWS: Final = "rows"


@dataclass(frozen=True)
class _Found:
    """Attributions of a window.

    Attributes:
        sums: Of its rows.
        calls: Calls to the endpoint that they took.
        asked: Predictions asked for.
        note: What people should know of how they came about; empty for nothing.
    """

    sums: AttributionSums
    calls: int = 0
    asked: int = 0
    note: str = ""


@dataclass
class AttributionWatcher:
    """The watcher of monitors with an ``attribution`` section.

    Attributes:
        store: A monitor's documents.
        predictor: Asks endpoints; ``None`` where nobody may.
        clock: For the time it may take.
    """

    store: Store
    predictor: Predictor | None
    clock: Seconds
    _until: float = 0.0

    def reach(self, config: MonitorConfig) -> timedelta:
        """Attributions never come late."""
        return timedelta(0)

    def news(
        self, config: MonitorConfig, profiles: Mapping[Window, Sequence[str]], now: datetime
    ) -> Mapping[Window, str]:
        """There are none beside the profiles; with each evaluation its time begins."""
        if config.attribution is not None:
            self._until = self.clock() + config.attribution.seconds
        return {}

    def look(self, scene: Scene) -> Sight | None:
        """See ``Watcher.look``."""
        settings = scene.config.attribution
        if settings is None or not scene.captured:
            return None
        if settings.asks and not scene.task.complete:
            return AttributionSight(
                scene.config, note="The endpoint is asked when the window is complete."
            )
        found = self._asked(scene, settings) if settings.asks else self._captured(scene, settings)
        if found.sums.count < settings.minimum_rows:
            note = f"{found.sums.count:,} rows have attributions; {settings.minimum_rows:,} needed."
            return AttributionSight(
                scene.config, found.sums, note=f"{note} {found.note}".strip(), calls=found.calls
            )
        reference = self._reference(scene, settings, found.sums)
        known = reference.attributions if reference else None
        return AttributionSight(
            scene.config,
            found.sums,
            reference,
            agreement(known, found.sums, settings.confidence) if known is not None else None,
            found.note,
            found.calls,
            found.asked,
        )

    def _captured(self, scene: Scene, settings: AttributionSettings) -> _Found:
        profiled = scene.profile.outcomes.get(counting_id(scene.config))
        if profiled is not None and profiled.attribution is not None:
            return _Found(profiled.attribution)
        found = AttributionSums.empty(tuple(settings.outputs))
        for key, document in self._kept(scene, _SUMS):
            part = AttributionSums.from_document(document, key)
            if part.features == found.features:  # others were kept under earlier settings
                found = found.merged(part)
        return _Found(found)

    def _asked(self, scene: Scene, settings: AttributionSettings) -> _Found:
        names = scene.baseline.names
        sample = self._sample(scene, settings)
        rows = [(identity, values) for _, identity, values in sample.rows]
        if self.predictor is None:
            return _Found(AttributionSums.empty(names), note="Nobody here may ask the endpoint.")
        place = _place(scene.config, f"{scene.task.window.path}/answers")
        question = _digest(settings, scene.baseline.id, rows)
        known = self._stored(scene.config, place, question)
        if known is not None:
            return known
        left = self._until - self.clock()
        if left <= 0:
            return _Found(AttributionSums.empty(names), note=f"Nothing was asked: {TIME_IS_OVER}.")
        explainer = Explainer(self.predictor, scene.config, scene.baseline, self.clock, left)
        try:
            explanation = explainer.explain(rows)
        except PredictionRefused as refusal:
            return _Found(AttributionSums.empty(names), note=str(refusal))
        values = np.array([one.contributions for one in explanation.rows]).reshape(-1, len(names))
        sums = AttributionSums.of_rows(names, values, groups_of(explanation.identities))
        note = f"Of {len(rows)} rows {len(explanation.rows)} were explained: {explanation.stopped}."
        found = _Found(
            sums, explanation.calls, explanation.asked, note if explanation.stopped else ""
        )
        if not explanation.stopped or sums.count >= settings.minimum_rows:
            self._store(scene.config, place, question, found)
        return found

    def _sample(self, scene: Scene, settings: AttributionSettings) -> SampledRows:
        profiled = scene.profile.outcomes.get(counting_id(scene.config))
        if profiled is not None and profiled.sampled is not None:
            return profiled.sampled
        sample = SampledRows(settings.rows)
        for key, document in self._kept(scene, _ROWS):
            # Others were kept of an earlier baseline.
            if document.get("columns") == list(scene.baseline.names):
                sample = sample.merged(SampledRows.from_document(document, key))
        return sample

    def _reference(
        self, scene: Scene, settings: AttributionSettings, sums: AttributionSums
    ) -> Reference | None:
        """What windows are compared with: given, or else the first complete window."""
        if settings.baseline:
            given = np.array([settings.baseline.get(name, 0.0) for name in sums.features])
            return Reference("the request's baseline", given)
        place = _place(scene.config, "reference")
        question = _digest(settings, scene.baseline.id, sums.features)
        key = scene.config.data_bucket
        document = self.store.read(key, place)
        if document is not None and document.get("question") == question:
            expect(document, KIND, VERSION, place)
            with member(place):
                start = str(document["window"])
                known = AttributionSums.from_document(document["sums"], place)
            if start == instant(scene.task.window.start):
                return None
            return Reference(f"the window that began {start}", known)
        if scene.task.complete:
            self._write(
                scene.config,
                place,
                {
                    "question": question,
                    "window": instant(scene.task.window.start),
                    "sums": sums.to_document(),
                },
            )
        return None

    def _kept(self, scene: Scene, name: str) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """What releases before this one kept beside the profiles."""
        window = scene.task.window
        keys = sorted(
            kept_key(scene.config, name, window, f"{one.digest}.json") for one in scene.captured
        )
        read = self.store.read_bytes(scene.config.data_bucket, keys)
        return [(key, json.loads(read[key])) for key in keys if key in read]

    def _stored(self, config: MonitorConfig, place: str, question: str) -> _Found | None:
        document = self.store.read(config.data_bucket, place)
        if document is None or document.get("question") != question:
            return None
        expect(document, KIND, VERSION, place)
        with member(place):
            sums = AttributionSums.from_document(document["sums"], place)
            calls, asked = int(document["calls"]), int(document["asked"])
            return _Found(sums, calls, asked, str(document["note"]))

    def _store(self, config: MonitorConfig, place: str, question: str, found: _Found) -> None:
        document = {
            "question": question,
            "sums": found.sums.to_document(),
            "calls": found.calls,
            "asked": found.asked,
            "note": found.note,
        }
        self._write(config, place, document)

    def _write(self, config: MonitorConfig, place: str, document: Mapping[str, Any]) -> None:
        whole = {"kind": KIND, "version": VERSION, **document}
        text = json.dumps(whole, sort_keys=True, ensure_ascii=False)
        self.store.write(config.data_bucket, place, text, _JSON)


def _place(config: MonitorConfig, name: str) -> str:
    return f"{kept_prefix(config, 'attribution')}{name}.json"


def _digest(settings: AttributionSettings, *parts: Any) -> str:
    """What an answer depends on; thresholds and the time set aside are not among it."""
    asked = (
        settings.source,
        sorted(settings.outputs.items()),
        settings.samples,
        settings.output,
        settings.content_type,
        *parts,
    )
    return hashlib.sha256(repr(asked).encode("utf-8", "surrogatepass")).hexdigest()[:32]
