"""Payloads of every form: both ways of reading count the same, and the usual forms go quickly."""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.batches import Batch, BatchReader
from mlops_framework.drift.capture import CaptureReader, Unreadable
from mlops_framework.drift.profile import Profile, Profiler
from mlops_framework.drift.profiling import profile_chunks
from mlops_framework.drift.record_forms import RecordForm, SideForm
from mlops_framework.drift.rows import CapturedRows
from mlops_framework.drift.values import as_texts, number_of
from mlops_framework.drift.windows import Window, instant, moment

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = Window.containing(NOON, 1440)
NAMES = ("income", "children", "colour")
NUMERIC = ("income", "children")


def baseline_of(*names: str) -> Baseline:
    source = random.Random(1)
    rows = [
        {"income": source.gauss(40, 10), "children": source.randrange(4), "colour": "red"}
        for _ in range(300)
    ]
    lines = [",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)]
    return Baseline.of_csv([f"{line}\n" for line in lines], label_column="", source="train.csv")


MIXED = baseline_of(*NAMES)
NUMBERS = baseline_of(*NUMERIC)
BASELINES = {"MIXED": MIXED, "NUMBERS": NUMBERS}


def record(request: bytes | None, response: bytes | None, encodings: tuple[str, str]) -> bytes:
    sides = {}
    for name, payload, encoding in zip(
        ("endpointInput", "endpointOutput"), (request, response), encodings, strict=True
    ):
        if payload is None:
            continue
        encoding, _, kind = encoding.partition(" ")
        if encoding == "BASE64":
            data = base64.b64encode(payload).decode()
        else:
            data = payload.decode("utf-8", "replace")
        sides[name] = {"observedContentType": kind, "mode": "X", "data": data, "encoding": encoding}
    metadata = {"eventId": "e-1", "inferenceTime": "2026-03-01T14:07:31Z"}
    line = {"captureData": sides, "eventMetadata": metadata, "eventVersion": "0"}
    return json.dumps(line, separators=(",", ":")).encode()


def quickly(baseline: Baseline, text: bytes, form: RecordForm, *, size: int = 1 << 20) -> str:
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    found = profile_chunks(parts, baseline, window_of=lambda _: WINDOW, time=NOON, form=form)
    return found.get(WINDOW, Profile.empty(baseline)).to_json()


def at(time: str) -> None:
    """A record whose time is none belongs to no window."""
    try:
        instant(moment(time))
    except (ValueError, OverflowError):
        raise Unreadable("no-time") from None


def one_by_one(baseline: Baseline, text: bytes, form: RecordForm) -> str:
    reader, profiler = CaptureReader(baseline.names, form), Profiler(baseline)
    for line in text.split(b"\n"):
        if not line.strip():
            continue
        try:
            invocation = reader.read(line)
            if invocation.time is not None:
                at(invocation.time)
            profiler.add(invocation, line)
        except Unreadable as fault:
            profiler.leave_out(fault.reason, line)
    return profiler.profile().to_json()


LITERALS = ["NaN", "-Infinity", "Inf", "1e400", "-1e400", "9" * 40, "-0.0", "1E5", "0.1e-3"]
STRINGS = [
    '"red"',
    '"blä u"',
    '"\\u00e9"',
    '"a\\nb"',
    '"\\ud800"',
    '"3"',
    '" x "',
    '"Inf"',
    '"\x07"',
]
number = (
    st.floats(-1e6, 1e6).map(repr)
    | st.integers(-3, 60).map(str)
    | st.sampled_from([*LITERALS, "null"])
)
anything = number | st.sampled_from([*STRINGS, "true", "null", "{}", "[1]", '{"a":{"b":1}}'])
plain = st.tuples(st.floats(0, 99).map(repr), st.integers(0, 3).map(str), st.just('"red"'))


def object_of(values: tuple[str, ...], names: tuple[str, ...] = NAMES) -> str:
    return "{{{}}}".format(",".join(f'"{n}":{v}' for n, v in zip(names, values, strict=False)))


row = st.one_of(
    plain.map(object_of),
    st.tuples(anything, anything, anything).map(object_of),
    plain.map(lambda v: object_of(v, ("income", "zip", "colour"))),
    plain.map(lambda v: "[{}]".format(",".join(v))),
    plain.map(lambda v: "[{}]".format(",".join(v[:2]))),
    st.lists(anything, max_size=4).map(lambda v: "[{}]".format(",".join(v))),
    plain.map(lambda v: '{{"features":[{}]}}'.format(",".join(v[:2]))),
    plain.map(lambda v: '{{"person":{{"income":{},"all":[{},{}]}},"colour":{}}}'.format(v[0], *v)),
    anything,
)
rows = st.lists(row, max_size=3)
nested = st.one_of(
    row,
    rows.map(lambda r: "[{}]".format(",".join(r))),
    rows.map(lambda r: '{{"instances":[{}]}}'.format(",".join(r))),
    rows.map(lambda r: '{{"inputs": [{}], "instances": 3}}'.format(", ".join(r))),
    rows.map("\n".join),
    rows.map("\r\n".join),
    rows.map(lambda r: "\n".join([*r, ""])),
    st.sampled_from(["", " ", "{", "}\n{", "[1,\n2]", '{"a":1}{"a":2}', "\ufeff{}", " [1,2]", "]"]),
)
csv_row = st.one_of(
    plain.map(",".join),
    plain.map(lambda v: ",".join(v).replace('"', "")),
    st.lists(number | st.sampled_from(["red", "a b", "ü", "\x01", "\t"]), max_size=4).map(",".join),
    st.sampled_from(
        ["income,children,colour", "colour,children,income", "id,income,children,colour,z"]
    ),
)
csv_text = st.one_of(
    csv_row,
    st.lists(csv_row, max_size=3).map("\n".join),
    st.lists(csv_row, max_size=3).map("\r\n".join),
    csv_row.map("\ufeff{}\n".format),
    st.sampled_from(["\n", "\n\n1,2,red", '1,2,"red', '1,2,"re\nd"', "1,2,red\x00", "\ufeff"]),
)
payload = st.one_of(
    st.tuples(
        csv_text.map(str.encode),
        st.sampled_from(["CSV text/csv", "BASE64 text/csv", "BASE64 application/x", "BASE64 "]),
    ),
    st.tuples(
        nested.map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.sampled_from(
            ["JSON application/json", "BASE64 application/json", "BASE64 application/x", "CSV "]
        ),
    ),
    st.tuples(st.binary(max_size=5), st.sampled_from(["BASE64 text/csv", "BASE64 x", "OTHER "])),
)
response = st.none() | st.one_of(
    payload,
    st.tuples(
        st.sampled_from(
            [
                b"0.5",
                b"0.5\n",
                b"0.5,0.5",
                b"0.5\n0.6",
                b"[0.5]",
                b"[0.5,0.6]",
                b"[[0.5],[0.6]]",
                b"[[0.1,0.9]]",
                b'{"predictions":[0.5]}',
                b'{"predictions":[[0.1,0.9]]}',
                b'{"predictions":[{"score":0.1,"label":"a"}]}',
                b'{"predictions":[{"score":0.1,"label":"a"},{"score":2}]}',
                b'{"score":0.25}',
                b'{"score":0.25}\n{"score":1}',
                b'{"score":"2026-03-01"}',
                b'{"predictions":[]}',
            ]
        ),
        st.sampled_from(["CSV text/csv", "JSON application/json", "BASE64 application/json"]),
    ),
)
line = st.builds(
    lambda asked, answered: record(
        asked[0] if asked else None,
        answered[0] if answered else None,
        (asked[1] if asked else "", answered[1] if answered else ""),
    ),
    st.none() | payload,
    response,
)
rubbish = st.sampled_from(
    [b"{", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"captureData":1}', b" ", b"\x00", b"[]", b"{}\r"]
)
inserted = st.tuples(
    st.integers(0, 300),
    st.sampled_from([b"\t", b"\r", b"\x00", b"\x7f", b"\xff", b"\xc3\xa9", b" "]),
)
FORMS = [
    {},
    {"input": {"rows": "instances[*]"}},
    {"input": {"columns": {"income": "person.income", "children": "person.all[1]"}}},
    {"input": {"columns": {"income": "instances[*].person.income"}}},
    {"input": {"values": "instances[*].features"}},
    {"input": {"rows": "[*]"}},
    {"output": {"columns": {"score": "predictions[*].score"}}},
    {"output": {"columns": {"score": "predictions[*][0]"}}},
    {"output": {"rows": "predictions[*]"}, "input": {"values": "person.all"}},
]


@st.composite
def captured(draw: st.DrawFn) -> bytes:
    """Some lines many times over, so that layouts are learnt and used, some of them damaged."""
    kinds = draw(st.lists(line, min_size=1, max_size=4))
    lines = draw(st.lists(st.sampled_from(kinds), min_size=4, max_size=40))
    damage = st.tuples(st.integers(0, len(lines) - 1), rubbish | st.integers(1, 300) | inserted)
    for place, how in draw(st.lists(damage, max_size=2)):
        own = lines[place]
        if isinstance(how, tuple):
            lines[place] = own[: how[0]] + how[1] + own[how[0] :]
        else:
            lines[place] = how if isinstance(how, bytes) else own[:how]
    return draw(st.sampled_from([b"\n", b"\r\n"])).join(lines)


@settings(max_examples=150, deadline=None)
@given(
    captured(), st.sampled_from(FORMS), st.sampled_from(["MIXED", "NUMBERS"]), st.integers(1, 4000)
)
def test_both_ways_count_the_same_whatever_is_sent(
    text: bytes, document: dict[str, Any], columns: str, size: int
) -> None:
    baseline = BASELINES[columns]
    form = RecordForm.from_document(document)
    expected = one_by_one(baseline, text, form)
    assert quickly(baseline, text, form) == expected
    assert quickly(baseline, text, form, size=size) == expected


def values_of(source: random.Random) -> dict[str, Any]:
    return {
        "income": round(source.gauss(40, 10), 3),
        "children": source.randrange(4),
        "colour": source.choice(["red", "blue"]),
    }


def two_lists(make: Callable[[dict[str, Any]], Any]) -> Callable[[random.Random], str]:
    return lambda source: json.dumps({"instances": [make(values_of(source)) for _ in range(2)]})


ORDINARY: dict[str, tuple[Baseline, dict[str, Any], Callable[[random.Random], str]]] = {
    "objects in instances": (MIXED, {}, two_lists(dict)),
    "lists of numbers in instances": (
        NUMBERS,
        {},
        two_lists(lambda row: [row["income"], row["children"]]),
    ),
    "features in instances": (
        NUMBERS,
        {},
        two_lists(lambda row: {"features": [row["income"], row["children"]]}),
    ),
    "a list of lists": (
        NUMBERS,
        {},
        lambda s: json.dumps([[s.random(), s.randrange(4)] for _ in range(2)]),
    ),
    "JSON lines": (
        MIXED,
        {},
        lambda s: "".join(f"{json.dumps(values_of(s))}\n" for _ in range(2)),
    ),
    "declared paths": (
        MIXED,
        {"input": {"columns": {"income": "rows[*].person.pay", "children": "rows[*].of[0]"}}},
        lambda s: json.dumps(
            {
                "id": 7,
                "rows": [
                    {"person": {"pay": s.random()}, "of": [s.randrange(4), 1], "colour": "red"}
                    for _ in range(2)
                ],
            }
        ),
    ),
    "several rows of CSV": (MIXED, {}, lambda s: f"{s.random()},1,red\n{s.random()},2,blue"),
}
ANSWERS = {
    "numbers": '{"predictions":[0.25,0.5]}',
    "lists": '{"predictions":[[0.1,0.9],[0.7,0.3]]}',
    "objects": '{"predictions":[{"label":"a","score":0.1},{"label":"b","score":0.3}]}',
    "list of lists": "[[0.25],[0.5]]",
    "JSON lines": '{"score":0.1}\n{"score":0.2}',
}


@pytest.mark.parametrize("encoding", ["plain", "BASE64"])
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_forms_take_the_quick_way(name: str, answer: str, encoding: str) -> None:
    baseline, document, make = ORDINARY[name]
    csv = "CSV" in name
    kind = "text/csv" if csv else "application/json"
    plainly = "CSV" if csv else "JSON"
    encodings = (
        f"{plainly if encoding == 'plain' else encoding} {kind}",
        f"{'JSON' if encoding == 'plain' else encoding} application/json",
    )
    source = random.Random(5)
    lines = [record(make(source).encode(), ANSWERS[answer].encode(), encodings) for _ in range(20)]
    form = RecordForm.from_document(document)

    found = list(BatchReader(baseline.specs, form).read([b"\n".join(lines)]))

    assert [one for one in found if not isinstance(one, Batch)] == []
    assert sum(len(batch) for batch in found if isinstance(batch, Batch)) == 40
    text = b"\n".join(lines)
    assert quickly(baseline, text, form) == one_by_one(baseline, text, form)


def inputs(payload: str, kind: str = "CSV", **form: Any) -> list[list[str]]:
    reader = CaptureReader(NAMES, RecordForm(SideForm.from_document(form)))
    read = reader.read(record(payload.encode(), None, (kind, "")))
    return [list(row) for row in read.inputs]


def test_a_header_line_with_the_columns_names_is_no_row() -> None:
    assert inputs("income,children,colour\n1,2,red\n3,4,blue") == [
        ["1", "2", "red"],
        ["3", "4", "blue"],
    ]


def test_a_header_line_puts_columns_in_order_and_names_the_others() -> None:
    reader = CaptureReader(NAMES)
    read = reader.read(record(b"id,colour,income,children\n9,red,1,2", None, ("CSV", "")))
    assert [list(row) for row in read.inputs] == [["1", "2", "red"]]
    assert read.unexpected == ("id",)


@pytest.mark.parametrize("rows", [1, 3])
def test_members_that_training_did_not_have_are_counted_by_row(rows: int) -> None:
    values = {"income": 1, "children": 2, "colour": "red", "zip": 7}
    asked = json.dumps({"instances": [values] * rows}).encode()
    text = b"\n".join([record(asked, None, ("JSON", ""))] * 9)
    form = RecordForm()
    assert quickly(MIXED, text, form) == one_by_one(MIXED, text, form)
    read = CaptureReader(NAMES).read(record(asked, None, ("JSON", "")))
    assert read.unexpected == ("zip",) * rows


def test_paths_lead_to_nested_values() -> None:
    payload = '{"instances":[{"who":{"income":1,"of":[0,2]},"colour":"red"},{"colour":"blue"}]}'
    paths = {"income": "instances[*].who.income", "children": "instances[*].who.of[1]"}
    assert inputs(payload, "JSON", columns=paths | {"colour": "instances[*].colour"}) == [
        ["1", "2", "red"],
        ["", "", "blue"],
    ]


def test_nothing_where_the_rows_should_be_is_said() -> None:
    with pytest.raises(Unreadable) as caught:
        inputs('{"rows": []}', "JSON", rows="instances[*]")
    assert caught.value.reason == "no-rows"


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        (b'{"predictions": [[{"p": 0.25}]]}', "predictions[*][0].p"),
        (b'{"predictions": [[0.25]]}', "predictions[*][0]"),
        (b'{"predictions": [[0.75, 0.25]]}', "predictions[*][1]"),
    ],
)
def test_paths_lead_into_a_list_that_is_one_row(answer: bytes, path: str) -> None:
    form = RecordForm.from_document({"output": {"columns": {"score": path}}})
    line = record(b"1,2,red", answer, ("CSV", "JSON"))
    assert CaptureReader(NAMES, form).read(line).outputs == {"prediction.score": ["0.25"]}
    assert quickly(MIXED, b"\n".join([line] * 9), form) == one_by_one(
        MIXED, b"\n".join([line] * 9), form
    )


def test_one_list_of_predictions_for_several_rows_is_one_each() -> None:
    reader = CaptureReader(NAMES)
    for answer, kind in ((b"0.25,0.5", "CSV"), (b"[0.25, 0.5]", "JSON")):
        read = reader.read(record(b"1,2,red\n3,4,blue", answer, ("CSV", kind)))
        assert read.outputs == {"prediction": ["0.25", "0.5"]}
        assert read.faults == ()


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"request": {}}, "request: accepted are input and output"),
        ({"input": {"row": "a"}}, "input: row: accepted are rows, columns, values"),
        ({"input": {"columns": {"a": "b["}}}, r"input: columns.a: 'b\[' is no path"),
        ({"input": {"columns": {"a": 3}}}, "input: columns.a: accepted is a path"),
        ({"output": {"values": "a", "columns": {"b": "c"}}}, "one of both"),
        ({"output": {"columns": {"a": "x[*].a", "b": "y[*].b"}}}, "different lists; say rows"),
        ({"output": {"columns": {"a": "x[*].a", "b": "b"}}}, "different lists; say rows"),
    ],
)
def test_what_is_no_form_is_refused_with_what_is(document: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        RecordForm.from_document(document)


@pytest.mark.parametrize("document", FORMS)
def test_a_form_is_written_as_it_is_read(document: dict[str, Any]) -> None:
    form = RecordForm.from_document(document)
    assert RecordForm.from_document(form.to_document()) == form


def rows_told(baseline: Baseline, parts: list[bytes], form: RecordForm) -> Counter[Any]:
    """Place, inputs and outputs of every row, numbers as numbers."""
    found: Counter[Any] = Counter()

    def plain(text: str) -> object:
        try:
            number = number_of(text)
        except ValueError:
            # Of numbers that are too large, each way keeps its own spelling.
            found = text.strip()
            with suppress(ValueError):
                return float(found)
            return found
        return number if number == number else None

    def meet(_: Window, rows: CapturedRows) -> None:
        named = dict(zip(baseline.names, rows.inputs, strict=True)) | dict(rows.outputs)
        texts = {name: as_texts(values) for name, values in named.items()}
        for row in range(len(rows)):
            values = {n: plain(t.distinct[t.indices[row]]) for n, t in texts.items()}
            known = tuple(sorted((n, v) for n, v in values.items() if v is not None))
            found[rows.ids[rows.records[row]], int(rows.places[row]), repr(known)] += 1

    for part in parts:
        profile_chunks(
            [part], baseline, window_of=lambda _: WINDOW, time=NOON, form=form, rows=meet
        )
    return found


@settings(max_examples=100, deadline=None)
@given(captured(), st.sampled_from(FORMS), st.sampled_from(["MIXED", "NUMBERS"]))
def test_both_ways_tell_the_same_rows_apart_whatever_is_sent(
    text: bytes, document: dict[str, Any], columns: str
) -> None:
    form, baseline = RecordForm.from_document(document), BASELINES[columns]
    # A line by itself teaches no layout and is read by the real parser.
    assert rows_told(baseline, [text], form) == rows_told(baseline, text.split(b"\n"), form)
