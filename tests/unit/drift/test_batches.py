"""The quick way of reading captures counts what the real parser counts, whatever is sent."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.batches import Batch, BatchReader
from mlops_framework.drift.blocks import blocks
from mlops_framework.drift.capture import CaptureReader, Unreadable
from mlops_framework.drift.profile import Profiler
from mlops_framework.drift.profiling import chunks_of, profile_chunks, profile_lines
from mlops_framework.drift.windows import Window, instant, moment

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

number = (
    st.floats(-1e6, 1e6).map(repr)
    | st.integers(-3, 60).map(str)
    | st.sampled_from(["", "nan", "NA", "1e300", "inf", "abc", "-0.0", " 7 ", "+5", "1_0", "0x1"])
)
colour = st.sampled_from(["green", "red", "bläu", "mau ve", "", "True", "null", "\ufeff", "a\tb"])
row = st.tuples(number, st.integers(0, 3).map(str), colour).map(",".join)
odd = st.sampled_from(
    ["", "\n", "1,2", "1,2,3,4", '1,2,"a,b"', '1,2,"open', "1,2,a\\n", "a\r\n", "1,2,\\u00e9", "\0"]
)
csv_payload = st.one_of(
    row, row.map("{}\n".format), st.lists(row, min_size=1, max_size=3).map("\n".join), odd
)
member = st.none() | st.floats(-1e6, 1e6) | st.integers(0, 60) | st.sampled_from(["x", True, "é"])
plain_member = st.floats(-1e6, 1e6) | st.none()
json_payload = st.one_of(
    st.fixed_dictionaries(
        {"income": plain_member, "children": st.integers(0, 3), "colour": st.sampled_from("ab")}
    ),
    st.dictionaries(st.sampled_from(["income", "children", "colour", "zip", "values"]), member),
    st.lists(plain_member, max_size=4),
    st.just({"instances": [[1, 2, "red"]]}),
).map(json.dumps)
output = st.one_of(
    st.floats(0, 1).map(repr), st.sampled_from(["", "yes", "1,2", "0.5\n0.5", "0.5\n", '"a"'])
)
json_output = st.one_of(
    st.floats(0, 1).map(lambda p: {"score": p}), st.just({"predictions": [0.5]}), st.just([1])
).map(json.dumps)
when = st.sampled_from(
    [
        "2026-03-01T14:07:31Z",
        "2026-03-01T15:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-03-01T14:07:31+01:00",
    ]
)


def side(data: str, encoding: str) -> dict[str, str]:
    kind = "application/json" if encoding == "JSON" else "text/csv"
    if encoding == "BASE64":
        data = base64.b64encode(data.encode("utf-8", "replace")).decode()
    return {"observedContentType": kind, "mode": "INPUT", "data": data, "encoding": encoding}


def record(
    inputs: tuple[str, str], outputs: tuple[str, str], time: str, identity: str, order: bool
) -> str:
    sides = {"endpointInput": side(*inputs), "endpointOutput": side(*outputs)}
    metadata: dict[str, Any] = {"eventId": "e-1", "inferenceTime": time}
    if identity:
        metadata["inferenceId"] = identity
    parts = [("captureData", sides), ("eventMetadata", metadata), ("eventVersion", "0")]
    return json.dumps(dict(parts if order else reversed(parts)), separators=(",", ":"))


any_input = st.one_of(
    st.tuples(csv_payload, st.just("CSV")),
    st.tuples(json_payload, st.just("JSON")),
    st.tuples(csv_payload, st.just("BASE64")),
)
any_output = st.one_of(
    st.tuples(output, st.just("CSV")),
    st.tuples(json_output, st.just("JSON")),
    st.tuples(output, st.just("BASE64")),
)
records = st.builds(
    record, any_input, any_output, when, st.sampled_from(["", "a", "id-7"]), st.booleans()
)
junk = st.sampled_from(["{", "", "   ", "[1]", '{"captureData": {}}', "\udcff"])
captured = st.lists(records | junk, max_size=12).flatmap(
    # The same forms many times over, so that layouts are learnt and used.
    lambda lines: st.lists(st.sampled_from(lines or ["{"]), max_size=60)
)


def by_the_real_parser(
    baseline: Baseline, lines: Iterable[str], farthest: timedelta | None = None
) -> dict[Window, str]:
    reader, profilers = CaptureReader(baseline.names), dict[Window, Profiler]()

    def at(time: str | None) -> Profiler:
        try:
            found = moment(time) if time else NOON
        except ValueError:
            raise Unreadable("no-time") from None
        return profilers.setdefault(Window.containing(found, 60), Profiler(baseline))

    def is_off(time: str | None) -> bool:
        if time is None or farthest is None:
            return False
        with suppress(ValueError):
            return abs(moment(time) - NOON) > farthest
        return False

    for line in lines:
        if not line.strip():
            continue
        raw = line.encode("utf-8", "surrogatepass")
        try:
            invocation = reader.read(raw)
            if is_off(invocation.time):
                raise Unreadable("time-off")
            at(invocation.time).add(invocation, raw)
        except Unreadable as fault:
            try:
                at(None if is_off(fault.time) else fault.time).leave_out(fault.reason, raw)
            except Unreadable:
                at(None).leave_out(fault.reason, raw)
    return {window: profiler.profile().to_json() for window, profiler in profilers.items()}


@settings(max_examples=80, deadline=None)
@given(captured)
def test_the_quick_way_counts_what_the_real_parser_counts(
    baseline: Baseline, lines: list[str]
) -> None:
    quick = profile_lines(lines, baseline, minutes=60, time=NOON)
    plain = by_the_real_parser(baseline, lines)
    assert {window: profile.to_json() for window, profile in quick.items()} == plain


@settings(max_examples=40, deadline=None)
@given(captured)
def test_both_ways_leave_out_what_is_too_far_off_the_objects_own_time(
    baseline: Baseline, lines: list[str]
) -> None:
    farthest = timedelta(hours=2, minutes=30)  # between the times that are made here
    window_of, chunks = (lambda time: Window.containing(time, 60)), chunks_of(lines)
    quick = profile_chunks(chunks, baseline, window_of=window_of, time=NOON, farthest=farthest)
    plain = by_the_real_parser(baseline, lines, farthest)
    assert {window: profile.to_json() for window, profile in quick.items()} == plain


@pytest.mark.parametrize(
    ("member", "value"),
    [("inferenceTime", 5), ("inferenceTime", None), ("inferenceId", 7), ("eventId", ["a"])],
)
def test_a_time_or_an_id_that_is_no_text_is_read_as_the_real_parser_reads_it(
    baseline: Baseline, member: str, value: object
) -> None:
    line = json.loads(record(("40,1,red", "CSV"), ("0.5, no", "CSV"), "", "", True))
    line["eventMetadata"] |= {"inferenceTime": "2026-03-01T14:07:31Z", member: value}
    lines = [json.dumps(line)] * 20
    quick = profile_lines(lines, baseline, minutes=60, time=NOON)
    assert {at: one.to_json() for at, one in quick.items()} == by_the_real_parser(baseline, lines)


@pytest.mark.parametrize("encoding", ["CSV", "JSON", "BASE64"])
@pytest.mark.parametrize("order", [True, False])
def test_ordinary_traffic_takes_the_quick_way(
    baseline: Baseline, encoding: str, order: bool
) -> None:
    source = random.Random(3)
    lines = []
    for number in range(400):
        values = [
            round(source.gauss(40, 10), 3),
            source.randrange(4),
            source.choice(["red", "blue"]),
        ]
        named = dict(zip(("income", "children", "colour"), values, strict=True))
        payload = json.dumps(named) if encoding == "JSON" else ",".join(map(str, values)) + "\n"
        score = source.random()
        response = json.dumps({"score": score}) if encoding == "JSON" else repr(score)
        time = instant(datetime(2026, 3, 1, 14, number // 60, number % 60, tzinfo=UTC))
        caller = f"request-{number}" if number % 2 else ""
        lines.append(record((payload, encoding), (response, encoding), time, caller, order))

    found = list(BatchReader(baseline.specs).read(chunks_of(lines)))

    batches = [batch for batch in found if isinstance(batch, Batch)]
    assert [line for line in found if not isinstance(line, Batch)] == []
    assert sum(map(len, batches)) == 400
    assert {one for batch in batches for one in batch.ids()} == {
        "e-1",
        *(f"request-{number}" for number in range(1, 400, 2)),
    }


def test_an_hour_of_requests_without_rows_has_no_predictions(baseline: Baseline) -> None:
    def asked(rows: str, hour: int) -> str:
        time = f"2026-03-01T{hour}:07:31Z"
        answer = '{"predictions": %s}' % ("[[0.5, 1]]" if rows else "[]")
        return record((f'{{"instances": [{rows}]}}', "JSON"), (answer, "JSON"), time, "", True)

    rows = '{"income": 1, "children": 2, "colour": "red"}'
    lines = [*[asked(rows, 14)] * 9, asked("", 15), *[asked(rows, 14)] * 9]
    quick = profile_lines(lines, baseline, minutes=60, time=NOON)
    assert {at: one.to_json() for at, one in quick.items()} == by_the_real_parser(baseline, lines)


def test_where_a_caller_gave_an_empty_id_the_events_counts(baseline: Baseline) -> None:
    answered = (("40,1,red", "CSV"), ("0.5", "CSV"), "2026-03-01T14:07:31Z")
    named = record(*answered, "a", True)
    (batch,) = BatchReader(baseline.specs).read(
        chunks_of([named, named.replace('"a"', '""'), named, named])
    )
    assert isinstance(batch, Batch)
    assert batch.ids() == ["a", "e-1", "a", "a"]


@given(st.lists(st.sampled_from(["", "a", "bb", "ccc" * 9]), max_size=30), st.integers(1, 9))
def test_blocks_hold_every_line_once_wherever_the_text_is_cut(lines: list[str], size: int) -> None:
    text = "".join(f"{line}\n" for line in lines).encode()
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    found = [bytes(block.data).decode().split("\n")[:-1] for block in blocks(parts)]
    assert sorted(line for block in found for line in block) == sorted(lines)
