"""A monitor's own documents in the store: baseline, state, and what is written beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import BaselineMissing
from mlops_framework.drift.layout import baseline_key, profiles_prefix, state_key
from mlops_framework.drift.ports import Store
from mlops_framework.drift.state import MonitorState
from mlops_framework.drift.windows import Window

_JSON: Final = "application/json"


@dataclass(frozen=True)
class Records:
    """The documents of one monitor.

    Attributes:
        store: Where they are.
        config: The monitor.
    """

    store: Store
    config: MonitorConfig

    def baseline(self) -> Baseline:
        """The baseline.

        Raises:
            BaselineMissing: If it has not been built.
        """
        key = baseline_key(self.config)
        document = self.store.read(self.config.data_bucket, key)
        if document is None:
            raise BaselineMissing(self.config.name)
        return Baseline.from_document(document, f"s3://{self.config.data_bucket}/{key}")

    def state(self, now: datetime) -> tuple[MonitorState, str]:
        """What the monitor remembers, and the tag of this reading; of a new one, nothing."""
        key = state_key(self.config)
        document, tag = self.store.read_state(self.config.data_bucket, key)
        if document is None:
            return MonitorState(watching_since=now), tag
        return MonitorState.from_document(document, f"s3://{self.config.data_bucket}/{key}"), tag

    def write_state(self, state: MonitorState, tag: str) -> str:
        """Replace what is remembered if nobody else did since.

        Raises:
            StateConflict: If somebody did.
        """
        text = json.dumps(state.to_document(), sort_keys=True)
        return self.store.write_state(self.config.data_bucket, state_key(self.config), text, tag)

    def write(self, key: str, document: Mapping[str, Any]) -> None:
        """Write a document."""
        text = json.dumps(document, sort_keys=True, ensure_ascii=False)
        self.store.write(self.config.data_bucket, key, text, _JSON)

    def profile_keys(self, start: datetime, end: datetime) -> Mapping[Window, tuple[str, ...]]:
        """Keys of the stored profiles by window, for windows that touch ``start .. end``."""
        return self.keys_by_window(profiles_prefix(self.config), start, end)

    def keys_by_window(
        self, root: str, start: datetime, end: datetime
    ) -> Mapping[Window, tuple[str, ...]]:
        """Keys below ``<root>yyyy/mm/dd/HHMM/`` by window, for windows that touch a span."""
        config = self.config
        found: dict[Window, list[str]] = {}
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


__all__ = ["Records"]
