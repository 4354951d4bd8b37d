"""The steps of a distributed run, whoever starts them: a state machine's functions, or Spark.

Each step can be repeated. Lists of work go through the store, so that nothing that is passed on
grows with the number of objects.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.errors import DocumentInvalid, ObjectMissing
from mlops_framework.drift.ground_truth.joins import PART_ROWS, Joins
from mlops_framework.drift.layout import run_key
from mlops_framework.drift.records import Records
from mlops_framework.drift.scale.gathering import Gathering
from mlops_framework.drift.scale.joining import FEW_ROWS, Joining
from mlops_framework.drift.scale.label_planning import LABELS, LabelPlanning
from mlops_framework.drift.scale.merging import MergeTree
from mlops_framework.drift.scale.planning import Listing, Plan, Planning, sources_of
from mlops_framework.drift.scale.runs import BACKFILL
from mlops_framework.drift.service import DriftMonitor
from mlops_framework.drift.windows import Window, instant, moment

LOGGER = logging.getLogger(__name__)

_JSON: Final = "application/json"
WINDOWS_AT_ONCE: Final = 24
"""Windows that one evaluation judges: each takes some tenths of a second and a few writes."""


@dataclass(frozen=True)
class Steps:
    """The steps over the drift service.

    Attributes:
        drift: The service.
        listing: Lists captured objects.
        few_rows: Windows of no more rows are joined with labels where they are judged.
        part_rows: Of others, about so many rows are joined at once.
    """

    drift: DriftMonitor
    listing: Listing
    few_rows: int = FEW_ROWS
    part_rows: int = PART_ROWS

    def plan(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Which objects are to be profiled, and in a backfill which labels are to be taken.

        ``from`` of the answer is where to go on.
        """
        config = self.drift.monitors.get(event["monitor"])
        since, until = moment(event["from"]), moment(event["to"])
        plan = self.planned(config, since, until, labels=event["run"].startswith(BACKFILL))
        answer = self._list(config, event["run"], f"plan-{event['from']}", plan.batches)
        return answer | {
            "more": plan.rest is not None,
            "from": instant(plan.rest or until),
        }

    def planned(
        self, config: MonitorConfig, since: datetime, until: datetime, *, labels: bool
    ) -> Plan:
        """Which captured objects are to be profiled next, and with them which labels taken."""
        records = Records(self.drift.store, config)
        plan = Planning(self.listing, records, config).plan(since, until)
        if not labels:
            return plan
        labelled = LabelPlanning(self.listing, self.drift.store, config)
        stop = plan.rest or labelled.horizon(until, self.drift.clock())
        return replace(plan, batches=[*plan.batches, *labelled.plan(since, stop)])

    def profile(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Profile a batch of objects, or take their labels.

        One that is gone by now, or damaged, is passed over.
        """
        config = self.drift.monitors.get(event["monitor"])
        Records(self.drift.store, config).baseline()  # which is no object's fault if it is damaged
        rows = 0
        for item in event["objects"]:
            try:
                rows += self._profiled(config, item)
            except (ObjectMissing, DocumentInvalid) as fault:
                LOGGER.warning("passed over: %s", fault)
        return {"rows": rows}

    def _profiled(self, config: MonitorConfig, item: Mapping[str, Any]) -> int:
        if item.get("of") != LABELS:
            (source,) = sources_of(config, [item])
            return self.drift.profile_object(source, config.name).rows
        bucket = S3Location.parse(config.ground_truth_location).bucket
        (source,) = sources_of(config, [item], bucket)
        self.drift.take_labels(config.name, source)
        return 0

    def group(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """What is to be merged next, and the times to be judged when that is nothing."""
        config = self.drift.monitors.get(event["monitor"])
        since, until = moment(event["from"]), moment(event["to"])
        groups = self._tree(config).groups(since, until)
        answer = self._list(config, event["run"], "groups", groups)
        return answer | {"times": [] if groups else _times(config, event["from"], event["to"])}

    def merge(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Merge one group into a part."""
        config = self.drift.monitors.get(event["monitor"])
        return {"part": self._tree(config).merge(event["group"])}

    def joins(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Which parts of windows are to be joined with labels; ``from`` is where to go on."""
        config = self.drift.monitors.get(event["monitor"])
        since, until = moment(event["from"]), moment(event["to"])
        joining = self.joining(config)
        plan = joining.plan(since, until, now=self.drift.clock(), run=event["run"])
        answer = self._list(config, event["run"], f"joins-{event['from']}", plan.items)
        return answer | {"more": plan.rest is not None, "from": instant(plan.rest or until)}

    def join(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Join one part of a window's rows with their labels."""
        config = self.drift.monitors.get(event["monitor"])
        return {"part": Joins(self.drift.store, config).join(event["part"])}

    def joining(self, config: MonitorConfig) -> Joining:
        """What plans the joining of a monitor's windows."""
        return Joining(self._tree(config).gathering, self.few_rows, self.part_rows)

    def _tree(self, config: MonitorConfig) -> MergeTree:
        baseline = Records(self.drift.store, config).baseline()
        return MergeTree(Gathering(self.drift.store, config, baseline))

    def _list(
        self, config: MonitorConfig, run: str, name: str, items: Sequence[Any]
    ) -> dict[str, Any]:
        """Write a list of work for a map state to read."""
        key = run_key(config, run, name.replace(":", ""))
        self.drift.store.write(config.data_bucket, key, json.dumps(items), _JSON)
        return {"bucket": config.data_bucket, "key": key, "items": len(items)}


def _times(config: MonitorConfig, since: str, until: str) -> list[dict[str, str]]:
    """The run's time in pieces that one evaluation can judge."""
    start, end = moment(since), moment(until)
    length = timedelta(minutes=config.window_minutes * WINDOWS_AT_ONCE)
    found = []
    while start < end:
        # A piece ends where a window does, or a window would be judged twice.
        stop = min(end, Window.containing(start + length, config.window_minutes).start)
        stop = max(stop, Window.containing(start, config.window_minutes).end)
        found.append({"from": instant(start), "to": instant(min(stop, end))})
        start = stop
    return found
