"""What a transform job does with one object: filters, requests, joins, assembly."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from mlops_framework.blueprints.batch_transform.contract import BatchTransformRequest
from mlops_framework.local.plane.sagemaker.transform_paths import PathError, RecordPath
from mlops_framework.local.plane.sagemaker.transform_records import (
    RecordsError,
    Treatment,
    transform,
)

ROW = ["17", "0.5", "blue", "4"]
OBJECT = {"id": 7, "features": [1, 2], "owner": {"name": "a", "age": 3}}


def treatment(**members: Any) -> Treatment:
    """Lines of CSV in and out, unless said otherwise."""
    source = {"ContentType": "text/csv", "SplitType": "Line"} | members.pop("TransformInput", {})
    target = {"Accept": "text/csv", "AssembleWith": "Line"} | members.pop("TransformOutput", {})
    return Treatment.of({"TransformInput": source, "TransformOutput": target, **members})


def processing(**members: str) -> dict[str, Any]:
    return {"DataProcessing": members}


def json_lines(**members: Any) -> Treatment:
    lines = "application/jsonlines"
    return treatment(
        TransformInput={"ContentType": lines}, TransformOutput={"Accept": lines}, **members
    )


class Model:
    """Answers every line with what a function makes of it, and remembers the requests."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        self._answer = answer
        self.requests: list[str] = []

    def __call__(self, body: bytes) -> bytes:
        self.requests.append(body.decode())
        return "\n".join(self._answer(line) for line in body.decode().split("\n")).encode()


def columns(line: str) -> str:
    return str(len(line.split(",")))


@pytest.mark.parametrize(
    ("path", "record", "part"),
    [
        ("$", ROW, ROW),
        ("$[1:]", ROW, ["0.5", "blue", "4"]),
        ("$[0,-1]", ROW, ["17", "4"]),
        ("$[0,2:]", ROW, ["17", "blue", "4"]),
        ("$[:2]", ROW, ["17", "0.5"]),
        ("$[-1]", ROW, "4"),
        ("$.features", OBJECT, [1, 2]),
        ("$.features[0]", OBJECT, 1),
        ("$['id','features']", OBJECT, {"id": 7, "features": [1, 2]}),
        ("$.owner.['name','age']", OBJECT, {"name": "a", "age": 3}),
        ("$.owner.*", OBJECT, ["a", 3]),
        ("$.features[*]", OBJECT, [1, 2]),
    ],
)
def test_a_path_selects_what_sagemaker_documents(path: str, record: Any, part: Any) -> None:
    assert RecordPath.parse(path).select(record) == part
    # What runs here is also what a request may say.
    assert re.search(BatchTransformRequest.shapes["input_filter"].pattern or "", path)


@pytest.mark.parametrize(
    ("path", "record", "told"),
    [
        ("$[9]", ROW, "place 9 of a record with 4"),
        ("$.name", ROW, "columns are called by"),
        ("$.size", OBJECT, "no 'size'"),
        ("$[0]", OBJECT, "name its members"),
        ("$.id.*", OBJECT, "a single value"),
    ],
)
def test_a_path_that_finds_nothing_says_so(path: str, record: Any, told: str) -> None:
    with pytest.raises(PathError, match=told):
        RecordPath.parse(path).select(record)


@pytest.mark.parametrize("path", ["id", "$..id", "$[?(@.a)]", "$[a]", "$[", "$."])
def test_what_is_no_path_is_refused_here_and_in_a_request(path: str) -> None:
    with pytest.raises(PathError):
        RecordPath.parse(path)
    assert not re.search(BatchTransformRequest.shapes["input_filter"].pattern or "", path)


def test_as_many_lines_as_fit_make_a_request() -> None:
    model = Model(columns)
    line = "x" * 400_000
    body = "\n".join([line] * 6).encode()

    out = transform(body, treatment(MaxPayloadInMB=1), model)

    assert [request.count("\n") + 1 for request in model.requests] == [2, 2, 2]
    assert out == b"1\n1\n1\n1\n1\n1\n"


def test_single_records_are_sent_one_by_one() -> None:
    model = Model(columns)

    transform(b"1,2\n3,4\n", treatment(BatchStrategy="SingleRecord"), model)

    assert model.requests == ["1,2", "3,4"]


def test_an_id_column_is_kept_from_the_model_and_stands_beside_its_prediction() -> None:
    model = Model(columns)
    keep = processing(InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-1]")

    out = transform(b'17,0.5,"blue, dark"\n18,0.6,red\n', treatment(**keep), model)

    assert model.requests == ['0.5,"blue, dark"\n0.6,red']
    assert out == b"17,3\n18,2\n"


def test_json_lines_get_their_prediction_as_a_member() -> None:
    keep = processing(
        InputFilter="$.features", JoinSource="Input", OutputFilter="$['id','SageMakerOutput']"
    )
    body = b'{"id":1,"features":[1,2]}\n{"id":2,"features":[3,4]}\n'

    out = transform(body, json_lines(**keep), Model(lambda line: str(sum(json.loads(line)))))

    assert [json.loads(line) for line in out.splitlines()] == [
        {"id": 1, "SageMakerOutput": 3},
        {"id": 2, "SageMakerOutput": 7},
    ]


def test_json_that_is_no_object_stands_in_one_of_its_own() -> None:
    out = transform(
        b"[1,2]\n", json_lines(**processing(JoinSource="Input")), Model(lambda _: "0.5")
    )

    assert json.loads(out) == {"SageMakerInput": [1, 2], "SageMakerOutput": 0.5}


def test_a_whole_object_is_one_request() -> None:
    model = Model(columns)
    whole = treatment(
        TransformInput={"SplitType": "None"}, TransformOutput={"AssembleWith": "None"}
    )

    assert transform(b"1,2\n3,4,5\n", whole, model) == b"2\n3\n1"
    assert model.requests == ["1,2\n3,4,5\n"]


def test_rows_of_a_whole_csv_object_are_joined_one_by_one() -> None:
    model = Model(columns)
    whole = treatment(TransformInput={"SplitType": "None"}, **processing(JoinSource="Input"))

    assert transform(b"1,2\n3,4,5\n", whole, model) == b"1,2,2\n3,4,5,3\n"
    assert len(model.requests) == 1


def test_compressed_objects_are_read_and_answered_plainly() -> None:
    packed = treatment(TransformInput={"CompressionType": "Gzip"})

    assert transform(gzip.compress(b"1,2\n"), packed, Model(columns)) == b"2\n"


def test_inference_ids_and_times_end_each_row() -> None:
    capture = {"DataCaptureConfig": {"DestinationS3Uri": "s3://b/c", "GenerateInferenceId": True}}

    out = transform(b"1,2\n3,4\n", treatment(**capture), Model(columns))
    row = json.loads(transform(b"[1]\n", json_lines(**capture), Model(lambda _: "1")))

    assert re.fullmatch(rb"(2,[0-9a-f-]{36},\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n){2}", out)
    assert sorted(row) == ["SageMakerInferenceId", "SageMakerInferenceTime", "SageMakerOutput"]


def test_an_object_without_records_has_predictions_without_records() -> None:
    assert transform(b"", treatment(), Model(columns)) == b""


@pytest.mark.parametrize(
    ("body", "members", "told"),
    [
        (b"1,2\n3,4", processing(JoinSource="Input"), "answered 1 rows to 2 records"),
        (b"x" * 1_100_000, {"MaxPayloadInMB": 1}, "larger than MaxPayloadInMB"),
        (b"1\n", processing(InputFilter="$[1:]", OutputFilter="$[4]"), "OutputFilter: .* place 4"),
        (b"1\n", processing(InputFilter="$[4]"), "InputFilter, record 1: "),
        (b"1\n", {"TransformInput": {"CompressionType": "Gzip"}}, "not compressed"),
    ],
)
def test_an_object_that_cannot_be_transformed_says_why(
    body: bytes, members: dict[str, Any], told: str
) -> None:
    with pytest.raises(RecordsError, match=told):
        transform(body, treatment(**members), lambda _: b"5")


@pytest.mark.parametrize(
    ("members", "told"),
    [
        (
            {"TransformInput": {"ContentType": "image/png"}, **processing(InputFilter="$[1:]")},
            "image/png",
        ),
        ({"TransformOutput": {"Accept": "x/y"}, **processing(OutputFilter="$[0]")}, "x/y"),
        (
            {"TransformOutput": {"Accept": "application/json"}, **processing(JoinSource="Input")},
            "one format",
        ),
        (processing(InputFilter="id"), "does not begin with"),
    ],
)
def test_a_job_whose_filters_cannot_work_is_told_before_it_reads(
    members: dict[str, Any], told: str
) -> None:
    with pytest.raises(RecordsError, match=told):
        treatment(**members)
