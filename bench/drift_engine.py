"""The engine as the acceptance benches plug it in: ``bench.drift_engine:factory``, ``:profile``.

Run the benches from the checkout. ``profile`` counts a capture file on the baseline that the
environment variable ``DRIFT_BASELINE`` names (``mlops drift baseline REFERENCE -o FILE``).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mlops_framework.drift.baseline import Baseline  # noqa: E402
from mlops_framework.drift.blocks import BLOCK  # noqa: E402
from mlops_framework.drift.columns import top_categories  # noqa: E402
from mlops_framework.drift.policy import Policy, judge  # noqa: E402
from mlops_framework.drift.profile import Profile  # noqa: E402
from mlops_framework.drift.profiling import profile_chunks  # noqa: E402
from mlops_framework.drift.tally import counted  # noqa: E402
from mlops_framework.drift.values import Numbers, Texts, Values  # noqa: E402
from mlops_framework.drift.windows import Window  # noqa: E402

DAY = datetime(2026, 1, 5, tzinfo=UTC)
WINDOW = Window.containing(DAY, 24 * 60)
POLICY = Policy(effect_threshold=0.02, rate_threshold=0.005, minimum_records=30)


class Engine:
    """The method interface of ``bench_quality.py``."""

    name = "mlops"

    def fit(
        self,
        ref: Mapping[str, NDArray[Any]],
        kinds: Mapping[str, str],
        blocks: Sequence[int] | None,
        n: int,
    ) -> None:
        """Make the baseline."""
        self._kinds = kinds
        columns = {name: self._values(name, column) for name, column in ref.items()}
        self._baseline = Baseline.of_columns(columns, hours=blocks, source="bench")

    def check(self, cur: Mapping[str, NDArray[Any]]) -> dict[str, list[str]]:
        """The columns of a window that alarm, with the tests that did."""
        columns = self._baseline.columns
        window = Profile(
            self._baseline.id,
            tuple(counted(c.spec, self._values(c.spec.name, cur[c.spec.name])) for c in columns),
        )
        found: dict[str, list[str]] = {}
        for breach in judge(self._baseline, window, POLICY).breaches:
            found.setdefault(breach.column, []).append(breach.test)
        return found

    def _values(self, name: str, column: NDArray[Any]) -> Values:
        if self._kinds[name] == "num":
            return Numbers(column.astype(np.float64))
        most = int(column.max(initial=0)) + 1
        texts = [*(f"v{code}" for code in range(most)), ""]
        return Texts(np.where(column < 0, most, column).astype(np.int64), texts)


def factory() -> Engine:
    """For ``bench_quality.py --plug``."""
    return Engine()


def profile(path: str) -> dict[str, Any]:
    """For ``bench_speed.py --plug``."""
    source = os.environ["DRIFT_BASELINE"]
    baseline = Baseline.from_document(json.loads(Path(source).read_text()), source)

    def chunks() -> Iterator[bytes]:
        with Path(path).open("rb") as file:
            while chunk := file.read(BLOCK):
                yield chunk

    found = profile_chunks(chunks(), baseline, window_of=lambda _: WINDOW, time=DAY)[WINDOW]
    shown: dict[str, Any] = {"rows": found.rows}
    for column, counts in zip(baseline.columns, found.columns, strict=True):
        top = None if column.spec.ordered else top_categories(column.spec, counts, 3)[0]
        mean = counts.mean(column.spec.centre)
        shown[column.spec.name] = {"mean": mean, "missing": counts.missing, "top": top}
    return shown
