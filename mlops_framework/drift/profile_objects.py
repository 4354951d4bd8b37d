"""Use case: count a captured object, and keep of it what watchers need later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mlops_framework.drift.attribution.own_calls import TrafficOnly
from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.layout import kept_key, profile_key
from mlops_framework.drift.objects import (
    PLACE_DIGITS,
    CaptureKey,
    ManifestKey,
    ObjectVersion,
    StoredProfile,
)
from mlops_framework.drift.outcomes.counting import Counting
from mlops_framework.drift.ports import Metrics, Monitors, Sources, Store
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.profile_batches import BatchJobs
from mlops_framework.drift.profiling import profile_chunks
from mlops_framework.drift.records import Records
from mlops_framework.drift.rows import CapturedRows
from mlops_framework.drift.watching import Keeper, Keeping
from mlops_framework.drift.windows import LATE_HORIZON, Window


@dataclass(frozen=True)
class Profiled:
    """What became of a capture object.

    Attributes:
        monitor: The monitor; empty if the object belongs to none.
        keys: Keys of the profiles written, one per window.
        rows: Rows counted.
        left_out: Records, rows or sides that could not be read.
        skipped: Why it was not profiled; empty if it was.
        own_calls: Records of calls that the monitor itself made, which are no traffic.
    """

    monitor: str
    keys: tuple[str, ...] = ()
    rows: int = 0
    left_out: int = 0
    skipped: str = ""
    own_calls: int = 0


@dataclass(frozen=True, kw_only=True)
class ProfileObjects:
    """Counts captured objects; the ports are those of the service."""

    monitors: Monitors
    sources: Sources
    store: Store
    metrics: Metrics
    keepers: Sequence[Keeper] = ()

    def __call__(self, source: ObjectVersion, monitor: str = "") -> Profiled:
        """See :meth:`DriftMonitor.profile_object`."""
        captured, manifest = CaptureKey.parse(source.key), ManifestKey.parse(source.key)
        found = captured or manifest
        if found is None:
            return Profiled("", skipped=f"{source} is not named like a capture object")
        config = self.monitors.get(monitor or found.endpoint)
        expected = config.captures
        if source.bucket != expected.bucket or not source.key.startswith(f"{expected.key}/"):
            why = f"{source} lies outside {expected}, where this monitor's captures are"
            return Profiled(config.name, skipped=why)
        if manifest is not None:
            return self._batches(config, source, manifest)
        if captured is not None and not captured.is_of(config.variant_name, config.target_model):
            watched = " ".join(filter(None, (config.variant_name, config.target_model)))
            why = f"{source} is of another variant or model than {watched}, which is watched"
            return Profiled(config.name, skipped=why)
        count, traffic = self._counting(config), TrafficOnly()
        chunks = self.sources.captured(source)
        if config.attribution and config.attribution.asks:
            chunks = traffic.lines(chunks)
        done = count.written(source, count(chunks, found.time), found.time)
        if traffic.left_out:
            self.metrics.record(config.name, {"OwnCallsLeftOut": float(traffic.left_out)})
        return replace(done, own_calls=traffic.left_out)

    def _batches(self, config: MonitorConfig, source: ObjectVersion, key: ManifestKey) -> Profiled:
        """Count the batch jobs that a manifest belongs to, with the answers that are there."""
        jobs = BatchJobs(sources=self.sources, store=self.store)
        done = []
        for job in jobs.of(source, key):
            own = ManifestKey.parse(job.source.key) or key
            while True:
                count = self._counting(config)
                counted = count(jobs.chunks(job, own, count.baseline.names), own.time)
                now = jobs.again(job.source)
                if now == job:
                    break
                job = now  # answers became known meanwhile
            done.append(count.written(job.source, counted, own.time))
        if not done:
            return Profiled(config.name, skipped=f"{source} answers nothing that is known yet")
        return Profiled(
            config.name,
            tuple(key for one in done for key in one.keys),
            sum(one.rows for one in done),
            sum(one.left_out for one in done),
        )

    def _counting(self, config: MonitorConfig) -> _Counting:
        records = Records(self.store, config)
        baseline = records.baseline()
        started = (keeper.start(config, baseline) for keeper in self.keepers)
        keepings = [keeping for keeping in started if keeping is not None]
        return _Counting(config, baseline, records, self.store, self.metrics, keepings)


@dataclass(frozen=True)
class _Counting:
    """Counting one object on a baseline, and writing what was counted."""

    config: MonitorConfig
    baseline: Baseline
    records: Records
    store: Store
    metrics: Metrics
    keepings: Sequence[Keeping]

    def __call__(self, chunks: Iterable[bytes], time: datetime) -> Mapping[Window, Profile]:
        return profile_chunks(
            chunks,
            self.baseline,
            window_of=lambda moment: Window.containing(moment, self.config.window_minutes),
            time=time,
            form=self.config.records,
            counting=Counting.of(self.config, self.baseline),
            rows=self._keep if self.keepings else None,
            # No scheduled evaluation would look at the window of such a time.
            farthest=LATE_HORIZON + timedelta(minutes=self.config.window_minutes),
        )

    def _keep(self, window: Window, rows: CapturedRows) -> None:
        for keeping in self.keepings:
            keeping.add(window, rows)

    def written(
        self, source: ObjectVersion, profiles: Mapping[Window, Profile], time: datetime
    ) -> Profiled:
        """Write artefacts and profiles under names that depend on the object version alone.

        The profile of the window of the object's own time is written last: where it is, the object
        is done with.
        """
        config = self.config
        own = Window.containing(time, config.window_minutes)
        if not profiles and self._counted_before(source, own):
            profiles = {own: Profile.empty(self.baseline)}  # what was taken out counts no more
        # Before the profiles, so that whoever finds a profile finds what was kept with it.
        for keeping in self.keepings:
            for window, kept in keeping.artefacts().items():
                key = kept_key(config, kept.name, window, f"{source.digest}{kept.suffix}")
                self.store.write_bytes(config.data_bucket, key, kept.data, kept.media_type)
        keys = []
        for window, profile in sorted(profiles.items(), key=lambda item: (item[0] == own, item[0])):
            keys.append(profile_key(config, window, source.digest))
            stored = StoredProfile(source, window, profile)
            self.records.write(keys[-1], stored.to_document())
        rows = sum(profile.rows for profile in profiles.values())
        left_out = sum(profile.left_out for profile in profiles.values())
        values = {"RecordsProfiled": float(rows), "UnreadableRecords": float(left_out)}
        self.metrics.record(config.name, values)
        return Profiled(config.name, tuple(sorted(keys)), rows, left_out)

    def _counted_before(self, source: ObjectVersion, window: Window) -> bool:
        """Whether an earlier version of an object, which is empty now, was counted."""
        same = profile_key(self.config, window, source.digest[:PLACE_DIGITS])
        found = self.store.keys(self.config.data_bucket, same.removesuffix(".json"))
        return any(True for _ in found)


__all__ = ["ProfileObjects", "Profiled"]
