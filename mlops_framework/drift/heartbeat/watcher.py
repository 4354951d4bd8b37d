"""Watches whether captures and labels come, in time and as they always did."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.findings import Finding
from mlops_framework.drift.ground_truth.joiner import Joiner
from mlops_framework.drift.heartbeat.capture_state import Captures, CaptureState
from mlops_framework.drift.heartbeat.label_memory import LabelMemory
from mlops_framework.drift.heartbeat.labels import files_by_day, label_faults
from mlops_framework.drift.heartbeat.memory import Memory
from mlops_framework.drift.heartbeat.pulse import Fault, faults_of
from mlops_framework.drift.layout import heartbeat_key
from mlops_framework.drift.objects import newest_share
from mlops_framework.drift.policy import Claim, JudgedClaim, Judgement
from mlops_framework.drift.ports import Clock, Store
from mlops_framework.drift.sections import Section
from mlops_framework.drift.watched import watched
from mlops_framework.drift.watching import Scene
from mlops_framework.drift.windows import Window, instant

KEPT: Final = timedelta(days=3)
"""Longer than late captures are looked for."""


@dataclass(frozen=True)
class HeartbeatWatcher:
    """Looks at every window that is over, for monitors that ask for it (``heartbeat``).

    Attributes:
        store: Where it remembers.
        captures: Who knows the endpoint's data capture.
        clock: The present.
        joiner: Knows which labels came; ``None`` to look for none.
    """

    store: Store
    captures: Captures
    clock: Clock
    joiner: Joiner | None = None

    def reach(self, config: MonitorConfig) -> timedelta:
        """Nothing beside profiles is looked at, so there is never news."""
        return timedelta(0)

    def news(
        self, config: MonitorConfig, profiles: Mapping[Window, Sequence[str]], now: datetime
    ) -> Mapping[Window, str]:
        """None."""
        return {}

    def look(self, scene: Scene) -> Pulse | None:
        """Feel the pulse of a window that is over.

        Raises:
            StateConflict: If another evaluation wrote the memory meanwhile.
        """
        config, task = scene.config, scene.task
        if not config.heartbeat or not task.complete:
            return None
        key = heartbeat_key(config)
        document, tag = self.store.read_state(config.data_bucket, key)
        memory = Memory.from_document(document, f"s3://{config.data_bucket}/{key}")
        capture, now = self.captures.state(config.endpoint_name), self.clock()
        objects, sampling = len(scene.captured), _sampling(scene, capture, memory)
        faults = faults_of(
            config,
            task.window,
            scene.baseline,
            scene.profile,
            objects=objects,
            capture=capture,
            sampling=sampling,
            memory=memory,
            now=now,
        )
        labels, told = self._labels(scene, memory, sampling, now)
        after = memory.after(task.window, objects, sampling, now, KEPT, labels)
        text = json.dumps(after.to_document(), sort_keys=True)
        self.store.write_state(config.data_bucket, key, text, tag)
        return Pulse(config, [*faults, *told], capture, sampling, memory, labels)

    def _labels(
        self, scene: Scene, memory: Memory, sampling: int | None, now: datetime
    ) -> tuple[LabelMemory | None, Sequence[Fault]]:
        """What is known of labels now, and what is wrong with them; told with the newest window."""
        config, settings = scene.config, scene.config.ground_truth
        matches = self.joiner.matches(config) if self.joiner else None
        if settings is None or matches is None or not memory.newest(scene.task.window):
            return memory.labels, ()
        horizon = timedelta(hours=settings.label_horizon_hours)
        files = files_by_day(matches, now, horizon)
        rows = 0 if scene.task.window.start in memory.objects else scene.profile.rows
        known = (memory.labels or LabelMemory()).after(files, rows, now, horizon)
        sampled = memory.sampling if sampling is None else sampling
        return known, tuple(
            label_faults(config, settings, known, matches, sampling=sampled, now=now)
        )


def _sampling(scene: Scene, capture: CaptureState | None, memory: Memory) -> int | None:
    """Percentage of the requests that are captured; ``None`` where nobody could say.

    SageMaker says its own. Where it captures nothing, or nothing of one model, the keys of what our
    inference API captured say it; those of a window judged again say what once was.
    """
    if capture and capture.enabled and not scene.config.target_model:
        return capture.sampling
    return newest_share(scene.captured) if memory.newest(scene.task.window) else None


@dataclass(frozen=True)
class Pulse:
    """What was felt in one window."""

    config: MonitorConfig
    faults: Sequence[Fault]
    capture: CaptureState | None
    sampling: int | None
    memory: Memory
    labels: LabelMemory | None = None
    claims: Sequence[Claim] = field(default=())

    def section(self, judged: Sequence[JudgedClaim], judgement: Judgement) -> Section:
        """The section. Plain silence is told by the verdict on the columns already."""
        faults = [fault for fault in self.faults if fault.known]
        aspects = tuple(dict.fromkeys(fault.aspect for fault in faults))
        name = watched(self.config)
        what = "Captures and labels" if self.labels else "Captures"
        return Section(
            kind="heartbeat",
            verdict="drift" if faults else "healthy",
            features=aspects,
            findings=tuple(
                Finding("", f.aspect, "heartbeat", f.share, None, None, f.sentence, "heartbeat")
                for f in self.faults
            ),
            alarm=f"{what} of {name}: {', '.join(aspects)}",
            recovered=f"{what} of {name} are in order again",
            document=self._document,
            metrics={"HeartbeatFaults": float(len(self.faults))},
        )

    @property
    def _document(self) -> Mapping[str, object]:
        capture, share = self.capture, self.sampling
        if share is None and capture:
            share = capture.sampling
        document: dict[str, object] = {
            "endpoint_status": capture.status if capture else None,
            "capture_enabled": bool(capture and capture.enabled),
            "sampling_percentage": share,
            "last_looked": self.memory.looked and instant(self.memory.looked),
            "faults": list(dict.fromkeys(fault.aspect for fault in self.faults)),
        }
        if self.labels:
            document["last_labels"] = self.labels.arrived and instant(self.labels.arrived)
        return document
