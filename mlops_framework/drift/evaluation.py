"""Use case: judge the windows of a monitor that are due, report, remember, and tell."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from mlops_framework.drift import alerting, retraining
from mlops_framework.drift.alerting import AlertState
from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import StateConflict
from mlops_framework.drift.findings import findings_of
from mlops_framework.drift.first_windows import learnt
from mlops_framework.drift.layout import report_keys
from mlops_framework.drift.messages import (
    DETECTED,
    EVALUATED,
    RETRAINING,
    alert_text,
    column_metrics_of,
    event_detail,
    metrics_of,
    section_alert_text,
)
from mlops_framework.drift.outbox import Outbox
from mlops_framework.drift.policy import Judgement, Policy, judge
from mlops_framework.drift.ports import Distribution, Metrics, Publisher, Store
from mlops_framework.drift.recent import recent_of
from mlops_framework.drift.records import Records
from mlops_framework.drift.report import Evaluation, report_document
from mlops_framework.drift.report_html import report_page
from mlops_framework.drift.retraining import RetrainingDecision
from mlops_framework.drift.rulings import Rule, Ruling
from mlops_framework.drift.scale.gathering import Gathering
from mlops_framework.drift.scale.runs import Load, start_runs
from mlops_framework.drift.state import Evaluated, Found, MonitorState
from mlops_framework.drift.watching import Filer, Scene, Waiting, Watcher
from mlops_framework.drift.windows import LATE_HORIZON, Task, Window, due

LATEST_VERSION: Final = 1
_HTML: Final = "text/html; charset=utf-8"
_SKIPPED: Final = RetrainingDecision(False, "No window with enough data was judged.")


@dataclass(frozen=True)
class Outcome:
    """What an evaluation did.

    Attributes:
        monitor: The monitor.
        evaluations: One entry per window judged, oldest first: window, verdict, features, records
            and where the report is.
        retraining: The decision on the newest judged window.
        distributed: Windows that are too large for one function; they are being merged, or joined
            with labels, by many and judged when that is done.
    """

    monitor: str
    evaluations: tuple[Mapping[str, Any], ...]
    retraining: RetrainingDecision
    distributed: tuple[Window, ...] = ()


@dataclass
class _Round:
    """What one evaluation collects on its way."""

    now: datetime
    state: MonitorState
    evaluations: list[Mapping[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    decision: RetrainingDecision = _SKIPPED
    latest: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Judges one monitor's windows; the ports are those of the service.

    Attributes:
        distribution: Takes windows that are too large for one function; ``None`` where there is
            nobody, or when they have done their part.
        later: Whether windows can be given to many later, should they have to be.
        written: By what the windows were judged whose reports were written, also by an attempt that
            failed: where another evaluation judged them by something else, its report is gone.
    """

    config: MonitorConfig
    store: Store
    publisher: Publisher
    metrics: Metrics
    watchers: Sequence[Watcher] = ()
    filers: Sequence[Filer] = ()
    rules: Sequence[Rule] = ()
    distribution: Distribution | None = None
    later: bool = False
    written: dict[Window, str] = field(default_factory=dict)

    def __call__(
        self, baseline: Baseline, now: datetime, since: datetime | None, until: datetime | None
    ) -> Outcome:
        """See :meth:`DriftMonitor.evaluate`; once, without trying again.

        Raises:
            StateConflict: If another evaluation wrote the state meanwhile.
        """
        state, tag = self._records.state(now)
        asked = since is not None or until is not None
        start, end = since or now - self._reach, until or now
        profiles = self._records.profile_keys(start, end)
        news = self._news(profiles, now)
        if not asked:
            # Later than captures may be, a window is judged again for its news alone.
            latest = now - LATE_HORIZON
            profiles = {w: keys for w, keys in profiles.items() if w.end > latest or w in news}
        tasks, fingerprints = self._tasks(state, profiles, news, now, asked=asked)
        minutes = self.config.window_minutes
        remembered = state.remembered(now, minutes, self._reach)
        done = _Round(now, replace(state, windows=remembered))
        distributed: list[tuple[Window, str]] = []
        gathering, load = Gathering(self.store, self.config, baseline), Load()
        for task in tasks:
            fingerprint = fingerprints.get(task.window, _digest())
            if self.distribution is not None and task.keys:  # silence is never too much
                units = gathering.cover(task).units
                if not load.takes(units, gathering.limit):
                    distributed.append((task.window, fingerprint))
                    continue
            told = news.get(task.window, "")
            scene = self._scene(gathering, task, told, done.state.windows)
            waits = any(isinstance(one, Waiting) and one.waits(scene) for one in self.watchers)
            if waits and self.distribution is not None:
                distributed.append((task.window, fingerprint))
                continue
            # What it waits for came after others had begun to prepare it; it will be judged again.
            self._judge(scene, _digest(fingerprint) if waits and self.later else fingerprint, done)
        if self.distribution is not None:
            name = self.config.name
            start_runs(self.distribution, name, distributed, baseline_id=baseline.id, now=now)
        self._finish(done, tag)
        windows = tuple(window for window, _ in distributed)
        return Outcome(self.config.name, tuple(done.evaluations), done.decision, windows)

    @property
    def _records(self) -> Records:
        return Records(self.store, self.config)

    @property
    def _reach(self) -> timedelta:
        return max((LATE_HORIZON, *(watcher.reach(self.config) for watcher in self.watchers)))

    def _news(
        self, profiles: Mapping[Window, Sequence[str]], now: datetime
    ) -> Mapping[Window, str]:
        found: dict[Window, str] = {}
        for watcher in self.watchers:
            for window, text in watcher.news(self.config, profiles, now).items():
                found[window] = f"{found.get(window, '')}{text}\n"
        return found

    def _tasks(
        self,
        state: MonitorState,
        profiles: Mapping[Window, Sequence[str]],
        news: Mapping[Window, str],
        now: datetime,
        *,
        asked: bool,
    ) -> tuple[Sequence[Task], Mapping[Window, str]]:
        """The windows to judge, and the fingerprint of what each of them is judged by."""
        config = self.config
        grace = timedelta(seconds=config.grace_seconds)
        # Of profiles and news alone: a new rule or baseline judges what comes, and rewrites no
        # history.
        fingerprints = {
            window: _digest(*sorted(keys), *((news[window],) if window in news else ()))
            for window, keys in profiles.items()
        }
        if asked:
            return [
                Task(window, tuple(sorted(keys)), now >= window.end + grace)
                for window, keys in sorted(profiles.items())
            ], fingerprints
        windows = (
            (Window.containing(s, config.window_minutes), seen) for s, seen in state.windows.items()
        )
        return due(
            profiles,
            {
                window: (seen.fingerprint, seen.complete)
                for window, seen in windows
                if self.written.get(window, seen.fingerprint) == seen.fingerprint
            },
            now=now,
            minutes=config.window_minutes,
            grace=grace,
            fingerprint=fingerprints,
            watching_since=state.watching_since,
        ), fingerprints

    def _judge(self, scene: Scene, fingerprint: str, done: _Round) -> None:
        """Judge one window, write its report, and note what is to be remembered and said."""
        evaluation, task = self._evaluation(scene), scene.task
        self.written[task.window] = fingerprint
        report = self._write_report(evaluation)
        before = done.state.windows.get(task.window.start)
        seen = Evaluated(
            fingerprint,
            task.complete,
            evaluation.judgement.verdict,
            evaluation.features,
            {part.kind: Found(part.verdict, part.features) for part in evaluation.sections},
            evaluation.since,
        )
        decision = self._retraining(evaluation, done)
        detail = event_detail(evaluation, decision, report)
        done.messages.append({"event": EVALUATED, "detail": detail})
        if seen.breaches and not (before and seen.breaches <= before.breaches):
            done.messages.append({"event": DETECTED, "detail": detail})
        if decision.requested:
            done.messages.append({"event": RETRAINING, "detail": detail})
        self._alert(evaluation, before, decision, report, done)
        done.state = replace(done.state, windows={**done.state.windows, task.window.start: seen})
        done.messages.append({"metrics": metrics_of(evaluation, decision)})
        for column, effects in column_metrics_of(evaluation).items():
            done.messages.append({"metrics": effects, "column": column})
        entry: dict[str, Any] = {
            "window": detail["window"],
            "verdict": evaluation.verdict,
            **{name: detail[name] for name in ("features", "features_left_out") if name in detail},
            "report": report,
        }
        done.evaluations.append(entry | {"records": evaluation.profile.rows})
        newest = done.state.alerts.window
        if newest is None or task.window.start >= newest:
            done.latest = {"version": LATEST_VERSION, "monitor": self.config.name} | entry

    def _scene(
        self, gathering: Gathering, task: Task, news: str, judged: Mapping[datetime, Evaluated]
    ) -> Scene:
        found, config = gathering(task), self.config
        baseline = learnt(self.store, config, gathering.baseline, task, found.profile)
        return Scene(
            config, task, baseline, found.profile, found.sources, news, judged, found.stale
        )

    def _evaluation(self, scene: Scene) -> Evaluation:
        config, task, baseline = scene.config, scene.task, scene.baseline
        profile, stale, judged = scene.profile, scene.stale, scene.judged
        sights = [sight for w in self.watchers if (sight := w.look(scene)) is not None]
        policy = Policy.of(config)
        claims = [claim for sight in sights for claim in sight.claims]
        judgement = judge(baseline, profile, policy, claims)
        if judgement.verdict == "no-data" and stale:
            # There was traffic, counted otherwise.
            judgement = Judgement("insufficient-data", (), judgement.claims)
        sections = []
        rest = list(judgement.claims)
        for sight in sights:
            own, rest = rest[: len(sight.claims)], rest[len(sight.claims) :]
            sections.append(sight.section(own, judgement))
        findings = findings_of(judgement, baseline, profile, policy, stale=stale)
        window = task.window
        ruled = (rule.rule(config, window, baseline, profile, judgement) for rule in self.rules)
        ruling = next((found for found in ruled if found is not None), Ruling(judgement))
        return Evaluation(
            config,
            task,
            baseline,
            profile,
            ruling.judgement,
            findings if ruling.findings is None else ruling.findings,
            stale=stale,
            sections=tuple(sections),
            further=ruling.document,
            recent=recent_of(judged, task.window),
            judged=judged,
        )

    def _retraining(self, evaluation: Evaluation, done: _Round) -> RetrainingDecision:
        if evaluation.verdict not in ("healthy", "drift"):
            return _SKIPPED
        minutes = timedelta(minutes=self.config.window_minutes)
        state, decision = retraining.decide(
            done.state.retraining,
            self.config,
            evaluation.task.window,
            drifted=evaluation.verdict == "drift",
            now=done.now,
            keep=self._reach // minutes if self._reach > LATE_HORIZON else 0,
        )
        done.state = replace(done.state, retraining=state)
        done.decision = decision
        return decision

    def _alert(
        self,
        evaluation: Evaluation,
        before: Evaluated | None,
        decision: RetrainingDecision,
        report: Mapping[str, str],
        done: _Round,
    ) -> None:
        """Take the window into account for the columns, and for each section by itself.

        What sections say may come days after the traffic, so that each needs a newest window of
        its own to know what is news.
        """
        task = evaluation.task
        alerts, alert = alerting.decide(
            done.state.alerts,
            task.window,
            evaluation.judgement.verdict,
            evaluation.features,
            complete=task.complete,
            before=before.verdict if before else None,
            now=done.now,
        )
        done.state = replace(done.state, alerts=alerts)
        if alert:
            subject, text = alert_text(alert, evaluation, decision, report)
            done.messages.append({"alert": subject, "text": text})
        for part in evaluation.sections:
            if part.verdict not in ("healthy", "drift"):
                continue
            earlier = before.sections.get(part.kind) if before else None
            told = done.state.sections.get(part.kind, AlertState())
            known, alert = alerting.decide(
                told,
                task.window,
                part.verdict,
                part.features,
                complete=task.complete,
                before=earlier.verdict if earlier else None,
                now=done.now,
            )
            done.state = replace(done.state, sections={**done.state.sections, part.kind: known})
            late = told.window is not None and task.window.start < told.window
            if late and told.status == "drift" and set(part.features) <= set(told.features):
                continue  # labels of an earlier window say what people know of a later one
            if alert:
                subject, text = section_alert_text(alert, part, evaluation, decision, report)
                done.messages.append({"alert": subject, "text": text})

    def _finish(self, done: _Round, tag: str) -> None:
        """Write the state with what is to be said, say it, and note that it was said."""
        if not done.evaluations and not done.state.outbox and tag:
            return
        if done.latest:
            done.messages.insert(0, {"latest": done.latest})
        done.state = replace(done.state, outbox=(*done.state.outbox, *done.messages))
        tag = self._records.write_state(done.state, tag)
        left, fault = Outbox(self._records, self.metrics, self.publisher).send(done.state.outbox)
        if left != done.state.outbox:
            # A conflict here means that another evaluation read the outbox and sends it once more.
            with suppress(StateConflict):
                self._records.write_state(replace(done.state, outbox=left), tag)
        if fault is not None:
            raise fault

    def _write_report(self, evaluation: Evaluation) -> dict[str, str]:
        config, window = self.config, evaluation.task.window
        document = report_document(evaluation)
        keys = report_keys(config, window)
        self._records.write(keys["json_key"], document)
        page = report_page(document)
        self.store.write(config.data_bucket, keys["html_key"], page, _HTML)
        beside = keys["json_key"].rpartition("/")[0]
        for filer in self.filers:
            for file in filer.files(evaluation, document):
                bucket, folder = config.data_bucket, beside
                if file.folder is not None:
                    bucket, folder = file.folder.bucket, file.folder.key
                self.store.write(bucket, f"{folder}/{file.name}", file.text, file.media_type)
        return {"bucket": config.data_bucket} | keys


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
