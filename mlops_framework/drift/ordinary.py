"""What is ordinary: between which shares a column's values lay in windows of the training data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from mlops_framework.drift.baseline import BaselineColumn
from mlops_framework.drift.hour_blocks import HourBlocks, Places, group_of
from mlops_framework.drift.statistics.between_hours import FEWEST_HOURS, FEWEST_ROWS
from mlops_framework.drift.sums import Floats

_NINE_OF_TEN: Final = (0.05, 0.95)


@dataclass(frozen=True)
class Ordinary:
    """The shares of a column's cells in ordinary windows.

    Attributes:
        shares: A row for each window of the training data, a column for each group of cells.
        groups: The group of each cell.
        own: What part of its group a cell is in all of the training data.
    """

    shares: Floats
    groups: Places
    own: Floats

    @classmethod
    def of(cls, column: BaselineColumn, blocks: HourBlocks | None, minutes: int) -> Self | None:
        """What the hour blocks say of windows of a length; of an hour, for shorter ones.

        Returns:
            ``None`` where the blocks are longer, or fewer than eight such windows are known.

        Raises:
            ValueError: If the blocks are damaged.
        """
        hours = max(1, minutes // 60)
        if blocks is None or not column.by_block or hours % blocks.length:
            return None
        table = blocks.table(column.spec, column.counts, column.by_block)
        windows = blocks.joined(table, hours).astype(np.float64)
        windows = windows[windows.sum(1) > FEWEST_ROWS]
        if len(windows) < FEWEST_HOURS:
            return None
        cells = np.array(column.counts.cells, np.float64)
        groups = group_of(column.spec, column.counts, blocks.groups)
        own: Floats = cells / np.maximum(1.0, np.bincount(groups, cells))[groups]
        return cls(windows / windows.sum(1, keepdims=True), groups, own)

    def range_of(self, cells: Sequence[int]) -> tuple[float, float]:
        """The smallest and the largest share of some cells together in nine of ten windows.

        Cells that were counted together have the parts that they have in all of the data.
        """
        places = list(cells)
        parts = np.bincount(self.groups[places], self.own[places], self.shares.shape[1])
        low, high = np.quantile(self.shares @ parts, _NINE_OF_TEN).tolist()
        return low, high
