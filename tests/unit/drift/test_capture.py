"""Capture records in every form SageMaker writes, and what is said of those that cannot be read."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.drift.capture import REASONS, CaptureReader, Unreadable
from mlops_framework.testing.drift import capture_line

COLUMNS = ("age", "income", "city")
READER = CaptureReader(COLUMNS)


def record(side: Any = None, output: Any = None, **metadata: Any) -> str:
    captured = {"endpointInput": side, "endpointOutput": output}
    data = {name: value for name, value in captured.items() if value is not None}
    return json.dumps({"eventMetadata": metadata, "eventVersion": "0", "captureData": data})


def side(data: str, encoding: str, content_type: str = "text/csv") -> dict[str, str]:
    return {"data": data, "encoding": encoding, "observedContentType": content_type}


def inputs(payload: str, encoding: str, content_type: str = "text/csv") -> list[list[str]]:
    return [list(row) for row in READER.read(record(side(payload, encoding, content_type))).inputs]


def test_csv_with_a_trailing_line_feed_is_one_row() -> None:
    assert inputs("42,1200.5,Boston\n", "CSV") == [["42", "1200.5", "Boston"]]


def test_a_batched_request_holds_several_rows() -> None:
    rows = inputs("1,2,a\n3,4,b\r\n5,,c", "CSV")
    assert rows == [["1", "2", "a"], ["3", "4", "b"], ["5", "", "c"]]


def test_quoted_csv_keeps_commas_and_line_feeds_inside_a_field() -> None:
    assert inputs('1,2,"Boston, MA"\n3,4,"two\nlines"', "CSV") == [
        ["1", "2", "Boston, MA"],
        ["3", "4", "two\nlines"],
    ]


@pytest.mark.parametrize(
    "payload",
    [
        '{"age": 42, "income": null, "city": "Boston"}',
        '{"city": "Boston", "age": 42}',
        '[42, null, "Boston"]',
        '[[42, null, "Boston"]]',
        '{"instances": [[42, null, "Boston"]]}',
        '{"instances": [{"features": [42, null, "Boston"]}]}',
        '[{"age": 42, "city": "Boston"}]',
    ],
)
def test_flat_json_objects_arrays_and_instances_are_rows(payload: str) -> None:
    assert inputs(payload, "JSON", "application/json") == [["42", "", "Boston"]]


def test_json_lines_are_several_rows() -> None:
    lines = '{"age": 1, "income": 2, "city": "a"}\n{"age": 3, "income": 4, "city": "b"}\n'
    assert inputs(lines, "JSON") == [["1", "2", "a"], ["3", "4", "b"]]


@pytest.mark.parametrize(
    ("payload", "content_type"),
    [
        ("42,,Boston\n", "text/csv"),
        ("42,,Boston", "application/octet-stream"),
        ('{"age": 42, "city": "Boston"}', "application/json; charset=utf-8"),
        ('{"age": 42, "city": "Boston"}', "application/x-unknown"),
    ],
)
def test_base64_holds_what_its_content_type_or_its_beginning_says(
    payload: str, content_type: str
) -> None:
    encoded = base64.b64encode(payload.encode()).decode()
    assert inputs(encoded, "BASE64", content_type) == [["42", "", "Boston"]]


def test_booleans_are_spelt_the_same_whoever_wrote_them() -> None:
    reader = CaptureReader(["flag"])
    line = record(side('{"flag": true}', "JSON"))
    assert list(reader.read(line).inputs[0]) == ["true"]


def test_members_the_baseline_does_not_have_are_named() -> None:
    invocation = READER.read(record(side('{"age": 1, "zip": 2, "born": 3}', "JSON")))
    assert invocation.unexpected == ("born", "zip")


def test_the_two_sides_may_be_encoded_differently() -> None:
    line = record(
        side('{"age": 1, "income": 2, "city": "a"}', "JSON"),
        side(base64.b64encode(b"0.25\n").decode(), "BASE64"),
        inferenceTime="2026-03-01T14:07:31Z",
        inferenceId="caller-7",
    )
    invocation = READER.read(line)
    assert invocation.outputs == {"prediction": ["0.25"]}
    assert invocation.time == "2026-03-01T14:07:31Z"


def test_a_missing_response_is_no_fault() -> None:
    invocation = READER.read(record(side("1,2,a", "CSV")))
    assert invocation.outputs == {}
    assert invocation.faults == ()


def test_a_response_alone_is_read_for_labels_and_the_missing_request_is_counted() -> None:
    invocation = READER.read(record(output=side("0.5\n0.25", "CSV"), inferenceId="caller-7"))
    assert invocation.inputs == ()
    assert invocation.outputs == {"prediction": ["0.5", "0.25"]}
    assert invocation.faults == ("no-input",)
    assert invocation.identity == "caller-7"


def test_a_row_left_out_does_not_move_the_predictions_of_the_others() -> None:
    invocation = READER.read(record(side("1,2,a\n1,2\n3,4,b", "CSV"), side("7\n8\n9", "CSV")))
    assert invocation.places == (0, 2)
    assert invocation.outputs == {"prediction": ["7", "8", "9"]}
    assert invocation.faults == ("field-count",)


def test_a_member_that_only_some_predictions_have_is_missing_in_the_others() -> None:
    payload = '[{"score": 0.1}, {"score": 0.2, "why": "old"}]'
    invocation = READER.read(record(side("1,2,a\n3,4,b", "CSV"), side(payload, "JSON")))
    assert invocation.outputs == {
        "prediction.score": ["0.1", "0.2"],
        "prediction.why": ["", "old"],
    }
    assert invocation.faults == ()


def test_batch_inference_writes_its_response_under_another_name() -> None:
    line = json.dumps(
        {
            "captureData": {
                "endpointInput": side("1,2,a", "CSV"),
                "batchTransformOutput": side("0.5", "CSV"),
            }
        }
    )
    assert READER.read(line).outputs == {"prediction": ["0.5"]}


@pytest.mark.parametrize(
    ("payload", "encoding", "outputs"),
    [
        ("0.1\n", "CSV", {"prediction": ["0.1"]}),
        ("yes,0.9", "CSV", {"prediction.0": ["yes"], "prediction.1": ["0.9"]}),
        ('{"predictions": [0.1]}', "JSON", {"prediction": ["0.1"]}),
        (
            '{"prediction": 1, "score": 0.9}',
            "JSON",
            {"prediction": ["1"], "prediction.score": ["0.9"]},
        ),
        ("[0.25]", "JSON", {"prediction": ["0.25"]}),
        ("0.25", "JSON", {"prediction": ["0.25"]}),
        (
            '{"predictions": [{"label": "a", "p": 0.5}]}',
            "JSON",
            {"prediction.label": ["a"], "prediction.p": ["0.5"]},
        ),
    ],
)
def test_responses_become_columns_of_predictions(
    payload: str, encoding: str, outputs: dict[str, list[str]]
) -> None:
    invocation = READER.read(record(side("1,2,a", "CSV"), side(payload, encoding)))
    assert invocation.outputs == outputs
    assert invocation.faults == ()


def test_rows_of_the_wrong_width_are_left_out_and_the_others_kept() -> None:
    invocation = READER.read(record(side("1,2,a\n1,2\n3,4,b", "CSV")))
    assert len(invocation.inputs) == 2
    assert invocation.faults == ("field-count",)


def test_a_response_of_another_length_is_counted() -> None:
    invocation = READER.read(record(side("1,2,a\n3,4,b", "CSV"), side("0.5", "CSV")))
    assert invocation.faults == ("output-rows",)


def test_an_unreadable_response_leaves_the_request_alone() -> None:
    invocation = READER.read(record(side("1,2,a", "CSV"), side("{", "JSON")))
    assert len(invocation.inputs) == 1
    assert invocation.faults == ("output-unreadable",)


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\xff").decode()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not-json"),
        ("[1]", "not-json"),
        ("[" * 100_000, "not-json"),
        ('{"eventVersion": "0"}', "no-capture-data"),
        (record(), "no-input"),
        (record(output=side("{", "JSON")), "no-input"),
        (record(side("1,2,a", "CSV"), inferenceTime=7), "no-time"),
        (record({"encoding": "CSV"}), "no-payload"),
        (record("text"), "no-payload"),
        (record(side("1,2,a", "AVRO")), "unknown-encoding"),
        (record(side("***", "BASE64")), "bad-base64"),
        (record(side(PNG, "BASE64", "image/png")), "not-text"),
        (record(side('1,2,"open', "CSV")), "bad-csv"),
        (record(side("{oops", "JSON")), "bad-json-payload"),
        (record(side('{"age": {"years": 3}}', "JSON")), "nested-json"),
        (record(side("1,2", "CSV")), "field-count"),
    ],
)
def test_what_cannot_be_read_has_a_reason(line: str, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        READER.read(line)
    assert caught.value.reason == reason
    assert str(caught.value) == REASONS[reason]


def test_an_unreadable_record_keeps_its_time() -> None:
    with pytest.raises(Unreadable) as caught:
        READER.read(record(side("1,2", "CSV"), inferenceTime="2026-03-01T14:00:00Z"))
    assert caught.value.time == "2026-03-01T14:00:00Z"


def reason_of(line: str) -> str:
    """Why a line cannot be read; empty if it can."""
    try:
        READER.read(line)
    except Unreadable as fault:
        return fault.reason
    return ""


@given(st.text())
def test_no_line_brings_the_reader_down(line: str) -> None:
    assert reason_of(line) in REASONS


@given(st.text(), st.sampled_from(["CSV", "JSON", "BASE64", ""]))
def test_no_payload_brings_the_reader_down(payload: str, encoding: str) -> None:
    assert reason_of(capture_line(payload, payload, encoding=encoding)) in {*REASONS, ""}
