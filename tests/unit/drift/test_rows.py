"""Rows that have to be told apart: whose they are, whichever way their record was read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.profiling import chunks_of, profile_chunks
from mlops_framework.drift.rows import CapturedRows
from mlops_framework.drift.values import as_texts
from mlops_framework.drift.windows import Window

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def record(
    number: int, payload: str | None, response: str | None = None, *, hour: int = 14, **more: Any
) -> str:
    sides: dict[str, Any] = {}
    if payload is not None:
        sides["endpointInput"] = {"data": payload, "encoding": "CSV", "mode": "INPUT"}
    if response is not None:
        sides["endpointOutput"] = {"data": response, "encoding": "CSV", "mode": "OUTPUT"}
    metadata = {"eventId": f"e{number}", "inferenceTime": f"2026-03-01T{hour}:07:31Z"} | more
    return json.dumps({"captureData": sides, "eventMetadata": metadata, "eventVersion": "0"})


def told_apart(baseline: Baseline, lines: Iterable[str]) -> dict[tuple[str, str, int], list[str]]:
    """Income, colour and outputs by (hour, id, place)."""
    found: dict[tuple[str, str, int], list[str]] = {}

    def meet(window: Window, rows: CapturedRows) -> None:
        columns = [rows.inputs[0], rows.inputs[2], *(rows.outputs[o] for o in sorted(rows.outputs))]
        texts = [as_texts(column) for column in columns]
        for row in range(len(rows)):
            key = (f"{window.start:%H}", rows.ids[rows.records[row]], int(rows.places[row]))
            assert key not in found
            found[key] = [text.distinct[text.indices[row]] for text in texts]

    profile_chunks(
        chunks_of(lines),
        baseline,
        window_of=lambda moment: Window.containing(moment, 60),
        time=NOON,
        rows=meet,
    )
    return found


def test_both_ways_of_reading_tell_the_same_rows_apart(baseline: Baseline) -> None:
    quick = [
        record(n, f"{n},1,red\n{n}.5,2,blue", f"0.{n}\n1", hour=14 + n % 2) for n in range(10, 40)
    ]
    slow = [line.replace("red", "\\u0072ed") for line in quick]  # an escape: the real parser's
    found = told_apart(baseline, quick)
    assert len(found) == 60
    assert found["15", "e11", 1] == ["11.5", "blue", "1"]
    assert told_apart(baseline, slow) == found


def test_the_callers_id_goes_before_the_events(baseline: Baseline) -> None:
    lines = [record(n, "1,1,red", "1", inferenceId=f"call-{n}") for n in range(6)]
    assert {key[1] for key in told_apart(baseline, lines)} == {f"call-{n}" for n in range(6)}


def test_rows_that_cannot_be_read_do_not_move_the_others(baseline: Baseline) -> None:
    found = told_apart(baseline, [record(1, "1,1,red\n2,2\n3,3,blue", "7\n8\n9")])
    assert found == {("14", "e1", 0): ["1", "red", "7"], ("14", "e1", 2): ["3", "blue", "9"]}


def test_a_response_of_another_length_is_joined_to_no_row(baseline: Baseline) -> None:
    found = told_apart(baseline, [record(1, "1,1,red\n3,3,blue", "7"), record(2, "4,1,red", "8")])
    assert found == {
        ("14", "e1", 0): ["1", "red", ""],
        ("14", "e1", 1): ["3", "blue", ""],
        ("14", "e2", 0): ["4", "red", "8"],
    }


def test_a_response_without_its_request_still_has_rows(baseline: Baseline) -> None:
    assert told_apart(baseline, [record(1, None, "7\n8")]) == {
        ("14", "e1", 0): ["", "", "7"],
        ("14", "e1", 1): ["", "", "8"],
    }
