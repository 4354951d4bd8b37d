"""Use case: count a captured object, and keep of it what watchers need later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.layout import kept_key, profile_key
from mlops_framework.drift.objects import CaptureKey, ObjectVersion, StoredProfile
from mlops_framework.drift.ports import Metrics, Monitors, Sources, Store
from mlops_framework.drift.profiling import profile_chunks
from mlops_framework.drift.records import Records
from mlops_framework.drift.rows import CapturedRows
from mlops_framework.drift.watching import Keeper
from mlops_framework.drift.windows import Window


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


@dataclass(frozen=True, kw_only=True)
class ProfileObjects:
    """Counts captured objects; the ports are those of the service."""

    monitors: Monitors
    sources: Sources
    store: Store
    metrics: Metrics
    keepers: Sequence[Keeper] = ()

    def __call__(self, source: ObjectVersion) -> Profiled:
        """See :meth:`DriftMonitor.profile_object`."""
        captured = CaptureKey.parse(source.key)
        if captured is None:
            return Profiled("", skipped=f"{source} is not named like a capture object")
        config = self.monitors.get(captured.endpoint)
        expected = config.captures
        if source.bucket != expected.bucket or not source.key.startswith(f"{expected.key}/"):
            why = f"{source} lies outside {expected}, where this monitor's captures are"
            return Profiled(config.name, skipped=why)
        return self._counted(config, source, captured)

    def _counted(
        self, config: MonitorConfig, source: ObjectVersion, captured: CaptureKey
    ) -> Profiled:
        records = Records(self.store, config)
        baseline = records.baseline()
        started = (keeper.start(config, baseline) for keeper in self.keepers)
        keepings = [keeping for keeping in started if keeping is not None]

        def keep(window: Window, rows: CapturedRows) -> None:
            for keeping in keepings:
                keeping.add(window, rows)

        profiles = profile_chunks(
            self.sources.captured(source),
            baseline,
            window_of=lambda moment: Window.containing(moment, config.window_minutes),
            time=captured.time,
            rows=keep if keepings else None,
        )
        # Before the profiles, so that whoever finds a profile finds what was kept with it.
        for keeping in keepings:
            for window, kept in keeping.artefacts().items():
                key = kept_key(config, kept.name, window, f"{source.digest}{kept.suffix}")
                self.store.write_bytes(config.data_bucket, key, kept.data, kept.media_type)
        keys = []
        for window, profile in profiles.items():
            keys.append(profile_key(config, window, source.digest))
            stored = StoredProfile(source, window, profile)
            records.write(keys[-1], stored.to_document())
        rows = sum(profile.rows for profile in profiles.values())
        left_out = sum(profile.left_out for profile in profiles.values())
        values = {"RecordsProfiled": float(rows), "UnreadableRecords": float(left_out)}
        self.metrics.record(config.name, values)
        return Profiled(config.name, tuple(keys), rows, left_out)


__all__ = ["ProfileObjects", "Profiled"]
