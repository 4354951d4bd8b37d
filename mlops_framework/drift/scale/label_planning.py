"""Which objects of labels no event announced, such as those that are older than their monitor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.ground_truth.label_files import LabelFile, files_by_origin, origin_of
from mlops_framework.drift.objects import ObjectVersion, sequenced_after
from mlops_framework.drift.ports import Store
from mlops_framework.drift.scale.planning import BATCH_BYTES, BATCH_OBJECTS, Listing, hours_of

LABELS: Final = "labels"
"""What an item of a batch is of, where it is no captured object."""


@dataclass(frozen=True)
class LabelPlanning:
    """Plans the taking of labels that were collected in a time.

    Attributes:
        listing: Lists objects.
        store: A monitor's documents.
        config: The monitor.
    """

    listing: Listing
    store: Store
    config: MonitorConfig

    def horizon(self, until: datetime, now: datetime) -> datetime:
        """Until when labels of windows before a moment are looked for."""
        truth = self.config.ground_truth
        late = timedelta(hours=truth.label_horizon_hours if truth else 0)
        return max(until, min(until + late, now))

    def plan(self, since: datetime, until: datetime) -> list[list[dict[str, str]]]:
        """Versions of label objects that are not taken yet, in batches, oldest first."""
        if self.config.ground_truth is None or not self.config.ground_truth_location:
            return []
        place = S3Location.parse(self.config.ground_truth_location)
        taken = files_by_origin(self.config, self.store, since, until)
        found: list[list[dict[str, str]]] = []
        size = 0
        for hour in hours_of(since, until):
            folder = S3Location(place.bucket, f"{place.key}/{hour:%Y/%m/%d/%H}/")
            for version, length in self.listing.versions(folder):
                files = taken.get(origin_of(version), ())
                if any(file.is_of(version) for file in files):
                    continue
                if not found or size + length > BATCH_BYTES or len(found[-1]) >= BATCH_OBJECTS:
                    found.append([])
                    size = 0
                found[-1].append(_item(version, files))
                size += length
        return found


def _item(version: ObjectVersion, earlier: Sequence[LabelFile]) -> dict[str, str]:
    item = {"of": LABELS, "key": version.key, "version": version.version}
    if earlier:
        item["sequencer"] = sequenced_after(file.sequencer for file in earlier)
    return item
