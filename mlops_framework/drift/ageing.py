"""Which of a monitor's stored objects may go after a time, told by their keys.

The data bucket's lifecycle rules delete by the tag that the store writes these objects with. What
has no tag stays: baselines, references, reports, what monitors remember.
"""

from __future__ import annotations

import re
from typing import Final, Literal, get_args

from mlops_framework import naming

Age = Literal["profiles", "rows", "work"]

TAG: Final = "mlops:kept-as"
"""Key of the tag; its value is the age."""
NOTES: Final = "notes"
"""Of captured requests that wait for answers, beside the monitors' own ages."""
AGES: Final[tuple[Age, ...]] = get_args(Age)

_MONITOR: Final = rf"{naming.DRIFT_PREFIX}/[^/]+"
_KEYS: Final[tuple[tuple[Age, re.Pattern[str]], ...]] = (
    ("profiles", re.compile(rf"{_MONITOR}/profiles/.+")),
    # Of a window; what lies beside its years is compared with for as long as there is a monitor.
    ("rows", re.compile(rf"{_MONITOR}/kept/[^/]+/\d{{4}}/.+")),
    ("work", re.compile(rf"{_MONITOR}/(parts|runs)/.+")),
)


def age_of(key: str) -> Age | None:
    """What an object is kept as.

    Returns:
        ``profiles``: counts of captured objects, and samples of rows where a monitor asks for what
        takes some (see :mod:`.outcomes`). ``rows``: single predictions, labels and what was
        computed of them. ``work``: what is computed again when it is gone. ``None`` for what stays.
    """
    return next((age for age, keys in _KEYS if keys.fullmatch(key)), None)
