"""Leaving the monitor's own questions to the endpoint out of the traffic it watches.

The endpoint captures whatever it is asked, the rows that :mod:`.kernel_shap` makes up included.
They carry an inference id that begins with ``mlops-shap-``, which SageMaker writes into the
capture's ``eventMetadata``; lines that have one are passed over before anything counts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

PREFIX: Final = "mlops-shap-"
_MARK: Final = PREFIX.encode()


class TrafficOnly:
    """The lines of captures that somebody else asked for.

    Attributes:
        left_out: Lines passed over so far.
    """

    def __init__(self) -> None:
        self.left_out = 0

    def lines(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Parts of a text, cut anywhere, without the lines of own calls.

        Parts without the mark are handed on as they are, but for their last line, which waits for
        its end.
        """
        waiting = b""
        for chunk in chunks:
            head, end, tail = chunk.rpartition(b"\n")
            if not end:
                waiting += chunk
                continue
            whole = waiting + head + end
            waiting = tail
            yield self._without(whole) if _MARK in whole else whole
        if waiting:
            yield self._without(waiting) if _MARK in waiting else waiting

    def _without(self, text: bytes) -> bytes:
        kept = []
        for line in text.splitlines(keepends=True):
            if _MARK in line and _own(line):
                self.left_out += 1
            else:
                kept.append(line)
        return b"".join(kept)


def _own(line: bytes) -> bool:
    """Whether the line is of an own call: the mark may also be in somebody's payload."""
    try:
        record: Any = orjson.loads(line)
    except ValueError:
        return False
    metadata = record.get("eventMetadata") if isinstance(record, dict) else None
    found = metadata.get("inferenceId") if isinstance(metadata, dict) else None
    return isinstance(found, str) and found.startswith(PREFIX)
