"""The use cases of drift monitoring over its ports: profile, evaluate, build a baseline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from mlops_framework.drift import alerting, retraining
from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.errors import BaselineMissing, StateConflict
from mlops_framework.drift.findings import findings_of
from mlops_framework.drift.layout import (
    baseline_key,
    latest_key,
    profile_key,
    profiles_prefix,
    report_keys,
    state_key,
)
from mlops_framework.drift.messages import (
    DETECTED,
    EVALUATED,
    RETRAINING,
    alert_text,
    event_detail,
    metrics_of,
)
from mlops_framework.drift.objects import CaptureKey, ObjectVersion, StoredProfile, latest_versions
from mlops_framework.drift.policy import Judgement, Policy, judge
from mlops_framework.drift.ports import Clock, Metrics, Monitors, Publisher, Sources, Store
from mlops_framework.drift.profile import merge
from mlops_framework.drift.profiling import profile_chunks
from mlops_framework.drift.report import Evaluation, report_document
from mlops_framework.drift.report_html import report_page
from mlops_framework.drift.retraining import RetrainingDecision
from mlops_framework.drift.state import Evaluated, MonitorState
from mlops_framework.drift.windows import LATE_HORIZON, Task, Window, due

LATEST_VERSION: Final = 1
_ATTEMPTS: Final = 3
_JSON: Final = "application/json"
_HTML: Final = "text/html; charset=utf-8"
_SKIPPED: Final = RetrainingDecision(False, "No window with enough data was judged.")


@dataclass(frozen=True)
class Profiled:
    """What became of a capture object.

    Attributes:
        monitor: The monitor; empty if the object belongs to none.
        keys: Keys of the profiles written, one per window.
        rows: Rows counted.
        left_out: Records, rows or sides that could not be read.
        skipped: Why it was not profiled; empty if it was.
    """

    monitor: str
    keys: tuple[str, ...] = ()
    rows: int = 0
    left_out: int = 0
    skipped: str = ""


@dataclass(frozen=True)
class Outcome:
    """What an evaluation did.

    Attributes:
        monitor: The monitor.
        evaluations: One entry per window judged, oldest first: window, verdict, features, records
            and where the report is.
        retraining: The decision on the newest judged window.
    """

    monitor: str
    evaluations: tuple[Mapping[str, Any], ...]
    retraining: RetrainingDecision


@dataclass
class _Round:
    """What one evaluation collects on its way."""

    state: MonitorState
    evaluations: list[Mapping[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[dict[str, float]] = field(default_factory=list)
    decision: RetrainingDecision = _SKIPPED
    latest: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class DriftMonitor:
    """Drift monitoring of every endpoint of an environment.

    Attributes:
        monitors: Configurations.
        sources: Captures and training data.
        store: Baselines, profiles, reports, state.
        publisher: Events and alerts.
        metrics: Metrics.
        clock: The present.
    """

    monitors: Monitors
    sources: Sources
    store: Store
    publisher: Publisher
    metrics: Metrics
    clock: Clock

    def build_baseline(self, monitor: str) -> Baseline:
        """Build a monitor's baseline from its training data and store it.

        Raises:
            MonitorUnknown: If there is no such monitor.
            ObjectMissing: If the training data is not there.
            BaselineInvalid: If it cannot be used.
        """
        config = self.monitors.get(monitor)
        location = S3Location.parse(config.baseline_data)
        baseline = Baseline.of_csv(
            self.sources.table_lines(location),
            label_column=config.label_column,
            time_column=config.time_column,
            source=config.baseline_data,
        )
        self._write_json(config, baseline_key(config), baseline.to_document())
        return baseline

    def profile_object(self, source: ObjectVersion) -> Profiled:
        """Count a capture object; the same version again writes the same profiles again.

        Raises:
            MonitorUnknown: If no monitor watches the object's endpoint.
            BaselineMissing: If the monitor has no baseline yet; try again later.
            ObjectMissing: If the object is gone.
        """
        captured = CaptureKey.parse(source.key)
        if captured is None:
            return Profiled("", skipped=f"{source} is not named like a capture object")
        config = self.monitors.get(captured.endpoint)
        expected = config.captures
        if source.bucket != expected.bucket or not source.key.startswith(f"{expected.key}/"):
            why = f"{source} lies outside {expected}, where this monitor's captures are"
            return Profiled(config.name, skipped=why)
        baseline = self._baseline(config)
        profiles = profile_chunks(
            self.sources.captured(source),
            baseline,
            window_of=lambda moment: Window.containing(moment, config.window_minutes),
            time=captured.time,
        )
        keys = []
        for window, profile in profiles.items():
            keys.append(profile_key(config, window, source.digest))
            stored = StoredProfile(source, window, profile)
            self._write_json(config, keys[-1], stored.to_document())
        rows = sum(profile.rows for profile in profiles.values())
        left_out = sum(profile.left_out for profile in profiles.values())
        values = {"RecordsProfiled": float(rows), "UnreadableRecords": float(left_out)}
        self.metrics.record(config.name, values)
        return Profiled(config.name, tuple(keys), rows, left_out)

    def evaluate(
        self, monitor: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> Outcome:
        """Judge every window that is due; with a range, every window with data in it.

        Args:
            monitor: The monitor.
            since: Start of the range; default: as far back as late captures are looked for.
            until: End of the range (exclusive); default: now.

        Raises:
            MonitorUnknown: If there is no such monitor.
            BaselineMissing: If its baseline has not been built.
            StateConflict: If other evaluations kept changing the state.
        """
        config = self.monitors.get(monitor)
        baseline = self._baseline(config)
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._evaluate(config, baseline, since, until)
            except StateConflict:
                continue
        return self._evaluate(config, baseline, since, until)

    def _evaluate(
        self,
        config: MonitorConfig,
        baseline: Baseline,
        since: datetime | None,
        until: datetime | None,
    ) -> Outcome:
        now = self.clock()
        state, tag = self._state(config, now)
        grace = timedelta(seconds=config.grace_seconds)
        asked = since is not None or until is not None
        start, end = since or now - LATE_HORIZON, until or now
        profiles = self._profile_keys(config, start, end)
        # Of the profiles alone: a new rule or baseline judges what comes, and rewrites no history.
        fingerprints = {window: _digest(*sorted(keys)) for window, keys in profiles.items()}
        if asked:
            tasks: Sequence[Task] = [
                Task(window, tuple(sorted(keys)), now >= window.end + grace)
                for window, keys in sorted(profiles.items())
            ]
        else:
            windows = (
                (Window.containing(s, config.window_minutes), seen)
                for s, seen in state.windows.items()
            )
            tasks = due(
                profiles,
                {window: (seen.fingerprint, seen.complete) for window, seen in windows},
                now=now,
                minutes=config.window_minutes,
                grace=grace,
                fingerprint=fingerprints,
                watching_since=state.watching_since,
            )
        done = _Round(replace(state, windows=state.remembered(now, config.window_minutes)))
        for task in tasks:
            fingerprint = fingerprints.get(task.window, _digest())
            self._judge(config, baseline, task, fingerprint, now, done)
        self._finish(config, done, tag, now)
        return Outcome(config.name, tuple(done.evaluations), done.decision)

    def _judge(
        self,
        config: MonitorConfig,
        baseline: Baseline,
        task: Task,
        fingerprint: str,
        now: datetime,
        done: _Round,
    ) -> None:
        """Judge one window, write its report, and note what is to be remembered and said."""
        stored = [
            StoredProfile.from_document(document, f"a profile of {task.window}")
            for document in self.store.read_all(config.data_bucket, task.keys)
        ]
        latest = latest_versions(stored)
        fitting = [one.profile for one in latest if one.profile.baseline_id == baseline.id]
        profile = merge(baseline, fitting)
        policy = Policy.of(config)
        stale = len(latest) - len(fitting)
        judgement = judge(baseline, profile, policy)
        if judgement.verdict == "no-data" and stale:
            judgement = Judgement("insufficient-data")  # there was traffic, counted otherwise
        evaluation = Evaluation(
            config,
            task,
            baseline,
            profile,
            judgement,
            findings_of(judgement, baseline, profile, policy, stale=stale),
            stale=stale,
        )
        report = self._write_report(evaluation)
        before = done.state.windows.get(task.window.start)
        alerts, alert = alerting.decide(
            done.state.alerts,
            task.window,
            evaluation.verdict,
            evaluation.features,
            complete=task.complete,
            before=before.verdict if before else None,
            now=now,
        )
        state, decision = done.state.retraining, _SKIPPED
        if evaluation.verdict in ("healthy", "drift"):
            drifted = evaluation.verdict == "drift"
            state, decision = retraining.decide(
                state, config, task.window, drifted=drifted, now=now
            )
            done.decision = decision
        seen = Evaluated(fingerprint, task.complete, evaluation.verdict, evaluation.features)
        done.state = replace(
            done.state,
            windows={**done.state.windows, task.window.start: seen},
            alerts=alerts,
            retraining=state,
        )
        detail = event_detail(evaluation, decision, report)
        done.messages.append({"event": EVALUATED, "detail": detail})
        if evaluation.verdict == "drift" and not _told(before, evaluation):
            done.messages.append({"event": DETECTED, "detail": detail})
        if decision.requested:
            done.messages.append({"event": RETRAINING, "detail": detail})
        if alert:
            subject, text = alert_text(alert, evaluation, decision, report)
            done.messages.append({"alert": subject, "text": text})
        done.metrics.append(metrics_of(evaluation, decision))
        entry = {
            "window": detail["window"],
            "verdict": evaluation.verdict,
            "features": detail["features"],
            "report": report,
        }
        done.evaluations.append(entry | {"records": profile.rows})
        if alerts.window is None or task.window.start >= alerts.window:
            done.latest = {"version": LATEST_VERSION, "monitor": config.name} | entry

    def _finish(self, config: MonitorConfig, done: _Round, tag: str, now: datetime) -> None:
        """Write the state with what is to be said, say it, and note that it was said."""
        if not done.evaluations and not done.state.outbox and tag:
            return
        done.state = replace(done.state, outbox=(*done.state.outbox, *done.messages))
        key = state_key(config)
        tag = self._write_state(config, key, done.state, tag)
        if done.latest:
            self._write_json(config, latest_key(config), done.latest)
        for values in done.metrics:
            self.metrics.record(config.name, values)
        for message in done.state.outbox:
            if "event" in message:
                self.publisher.event(message["event"], message["detail"])
            else:
                self.publisher.alert(message["alert"], message["text"])
        if done.state.outbox:
            # A conflict here means that another evaluation read the outbox and sends it once more.
            try:
                self._write_state(config, key, replace(done.state, outbox=()), tag)
            except StateConflict:
                return

    def _baseline(self, config: MonitorConfig) -> Baseline:
        key = baseline_key(config)
        document = self.store.read(config.data_bucket, key)
        if document is None:
            raise BaselineMissing(config.name)
        return Baseline.from_document(document, f"s3://{config.data_bucket}/{key}")

    def _state(self, config: MonitorConfig, now: datetime) -> tuple[MonitorState, str]:
        key = state_key(config)
        document, tag = self.store.read_state(config.data_bucket, key)
        if document is None:
            return MonitorState(watching_since=now), tag
        return MonitorState.from_document(document, f"s3://{config.data_bucket}/{key}"), tag

    def _write_state(self, config: MonitorConfig, key: str, state: MonitorState, tag: str) -> str:
        text = json.dumps(state.to_document(), sort_keys=True)
        return self.store.write_state(config.data_bucket, key, text, tag)

    def _profile_keys(
        self, config: MonitorConfig, start: datetime, end: datetime
    ) -> Mapping[Window, tuple[str, ...]]:
        """Keys of the stored profiles by window, for windows that touch ``start .. end``."""
        found: dict[Window, list[str]] = {}
        root = profiles_prefix(config)
        first = Window.containing(start, config.window_minutes).start
        day = first.replace(hour=0, minute=0, second=0, microsecond=0)
        while day <= end:
            for key in self.store.keys(config.data_bucket, f"{root}{day:%Y/%m/%d}/"):
                path = key.removeprefix(root).rpartition("/")[0]
                window = Window.of_path(path, config.window_minutes)
                if window.end > start and window.start < end:
                    found.setdefault(window, []).append(key)
            day += timedelta(days=1)
        return {window: tuple(keys) for window, keys in found.items()}

    def _write_report(self, evaluation: Evaluation) -> dict[str, str]:
        config, window = evaluation.config, evaluation.task.window
        document = report_document(evaluation)
        keys = report_keys(config, window)
        self._write_json(config, keys["json_key"], document)
        page = report_page(document)
        self.store.write(config.data_bucket, keys["html_key"], page, _HTML)
        return {"bucket": config.data_bucket} | keys

    def _write_json(self, config: MonitorConfig, key: str, document: Mapping[str, Any]) -> None:
        text = json.dumps(document, sort_keys=True, ensure_ascii=False)
        self.store.write(config.data_bucket, key, text, _JSON)


def _told(before: Evaluated | None, evaluation: Evaluation) -> bool:
    """Whether this window's drift, in these columns, was an event already."""
    if before is None or before.verdict != "drift":
        return False
    return set(evaluation.features) <= set(before.features)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
