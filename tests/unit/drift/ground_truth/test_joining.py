"""Labels find their rows, each exactly once, in whatever order and however often they come."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.drift.ground_truth.answers import predicted
from mlops_framework.drift.ground_truth.id_hashes import hashes_of
from mlops_framework.drift.ground_truth.joined import JoinedRows, join
from mlops_framework.drift.ground_truth.labels import Labels, parts_of, read_labels
from mlops_framework.drift.ground_truth.settings import GroundTruth, outputs_of
from mlops_framework.drift.ground_truth.tables import Table, column_of, table_bytes, table_of
from mlops_framework.drift.values import Numbers, Texts, texts_of


def label_line(identity: str, data: str, **changes: object) -> str:
    record = {
        "groundTruthData": {"data": data, "encoding": "CSV"},
        "eventMetadata": {"eventId": identity},
        "eventVersion": "0",
    }
    return json.dumps(record | changes)


def in_json(identity: str, data: object) -> str:
    return label_line(identity, "", groundTruthData={"data": data, "encoding": "JSON"})


def in_base64(identity: str, data: str) -> str:
    text = base64.b64encode(data.encode()).decode()
    return label_line(identity, "", groundTruthData={"data": text, "encoding": "BASE64"})


def labels_of(*lines: str, attribute: str = "") -> Labels:
    (found,) = parts_of(read_labels([("\n".join(lines) + "\n").encode()], attribute=attribute))
    return found


def predictions_of(
    rows: Sequence[tuple[str, int, str]], *, minutes: Sequence[int] | None = None
) -> Table:
    """Rows of (id, place in the record, predicted class); a record is a run of one id."""
    records, record = [], -1
    for place, (_, row, _) in enumerate(rows):
        record += row == 0 or place == 0
        records.append(record)
    return Table(
        {
            "id": pa.array([one for one, _, _ in rows], pa.string()),
            "record": pa.array(records, pa.int32()),
            "row": pa.array([row for _, row, _ in rows], pa.int32()),
            "minute": pa.array(minutes or [202603011400] * len(rows), pa.int64()),
            "prediction": column_of(texts_of([name for _, _, name in rows])),
            "score": pa.array([0.5] * len(rows), pa.float64()),
        }
    )


def joined(tables: Sequence[Table], *labels: Labels) -> JoinedRows:
    found = join(tables, labels, classes=True)
    assert found is not None
    return found


def seen(rows: JoinedRows) -> list[str]:
    """The label of each row, empty for none."""
    assert isinstance(rows.labels, Texts)
    return [rows.labels.distinct[code] for code in rows.labels.indices]


def test_labels_come_to_their_rows_and_the_others_stay_without() -> None:
    rows = joined(
        [predictions_of([("a", 0, "1"), ("b", 0, "0"), ("c", 0, "1")])],
        labels_of(label_line("c", "1"), label_line("z", "1"), label_line("a", "0\n")),
    )
    assert seen(rows) == ["0", "", "1"]
    assert rows.labelled.tolist() == [True, False, True]
    assert (rows.counts.rows, rows.counts.labelled) == (3, 2)


def test_a_record_of_several_rows_takes_as_many_lines_of_labels() -> None:
    tables = [predictions_of([("a", 0, "1"), ("a", 1, "0"), ("b", 0, "1"), ("b", 1, "1")])]
    rows = joined(tables, labels_of(label_line("a", "1\n0\n"), label_line("b", "1")))
    assert seen(rows) == ["1", "0", "", ""]
    assert rows.counts.labels_of_other_shape == 1


def test_of_labels_sent_again_the_last_collected_counts_and_all_are_told() -> None:
    tables = [predictions_of([("a", 0, "1"), ("b", 0, "1"), ("c", 0, "1")])]
    first = labels_of(label_line("a", "1"), label_line("b", "0"), label_line("a", "0"))
    then = labels_of(label_line("b", "0"), label_line("c", "1"))
    rows = joined(tables, first, then)
    assert seen(rows) == ["0", "0", "1"]
    assert (rows.counts.labels_repeated, rows.counts.labels_conflicting) == (2, 1)


def test_an_id_used_twice_gives_its_label_to_the_last_record_alone() -> None:
    first = predictions_of([("a", 0, "1"), ("b", 0, "1")], minutes=[202603011401, 202603011400])
    then = predictions_of([("a", 0, "0")], minutes=[202603011400])
    rows = joined([first, then], labels_of(label_line("a", "1")))
    assert seen(rows) == ["1", "", ""]
    assert rows.counts.repeated_ids == 1


def test_rows_without_an_id_are_counted_and_never_joined() -> None:
    rows = joined([predictions_of([("", 0, "1")])], labels_of(label_line("a", "1")))
    assert seen(rows) == [""]
    assert rows.counts.without_id == 1


def test_classes_are_the_same_however_they_are_spelt() -> None:
    rows = joined(
        [predictions_of([("a", 0, "1"), ("b", 0, "1"), ("c", 0, "yes")])],
        labels_of(label_line("a", "1.0"), label_line("b", "True"), label_line("c", " yes ")),
    )
    assert seen(rows) == ["1", "true", "yes"]


def test_nothing_was_kept_and_nothing_is_joined() -> None:
    assert join([], [labels_of(label_line("a", "1"))], classes=True) is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not-json"),
        ("[1]", "not-json"),
        ('{"captureData": {}}', "no-ground-truth"),
        (label_line("a", "1", groundTruthData={"data": 1, "encoding": "CSV"}), "no-ground-truth"),
        (label_line("a", "1", groundTruthData={"data": "1"}), "label-encoding"),
        (label_line("a", "1", groundTruthData={"data": "1", "encoding": "XML"}), "label-encoding"),
        (in_json("a", "{"), "label-json"),
        (in_json("a", None), "no-ground-truth"),
        (in_json("a", "[]"), "label-column"),
        (in_json("a", {"label": 1, "by": "me"}), "label-column"),
        (in_json("a", [[1, [0]], [[2], 0]]), "label-column"),
        (label_line("a", "", groundTruthData={"data": "1", "encoding": "BASE64"}), "label-base64"),
        (label_line("", "1"), "no-event-id"),
        (label_line("a", "1", eventMetadata=None), "no-event-id"),
        (label_line("a", '"1'), "label-column"),
    ],
)
def test_what_cannot_be_read_is_counted_with_its_reason(line: str, reason: str) -> None:
    found = labels_of(label_line("b", "1"), line)
    assert found.ids.to_pylist() == ["b"]
    assert found.faults == {reason: 1}


@pytest.mark.parametrize(
    ("attribute", "data", "labels"),
    [
        ("", "1", ["1"]),
        ("", "1.50", ["1.50"]),
        ("", ' "yes " ', ["yes"]),
        ("", "true", ["true"]),
        ("", "null", [""]),
        ("", 1, ["1"]),
        ("", {"label": 1}, ["1"]),
        ("", '{"label": 007}', None),
        ("", '{"label": 0.10}', ["0.10"]),
        ("", "[1, 0, null]", ["1", "0", ""]),
        ("", '1\n{"label": 0}\n', ["1", "0"]),
        ("1", "[[5, 1], [6, 0]]", ["1", "0"]),
        ("1", "1", None),
        ("truth.label", {"truth": {"label": "b", "by": "me"}, "at": 9}, ["b"]),
        ("label", '[{"label": 1, "at": 5}, {"label": null}]', ["1", ""]),
        ("label", {"lable": 1}, None),
        ("label", 1, ["1"]),
        ("[1]", [[5, 1], [6, 0]], ["1", "0"]),
        ("rows[*].label", {"rows": [{"label": 1}, {"label": 0}]}, ["1", "0"]),
        ("rows[*].label", {"row": []}, None),
    ],
)
def test_labels_may_be_json(attribute: str, data: object, labels: list[str] | None) -> None:
    found = labels_of(in_json("a", data), attribute=attribute)
    assert found.texts.to_pylist() == (labels or [])
    assert (found.rows.tolist(), found.of.tolist()) == (
        list(range(len(labels or []))),
        [len(labels or [])] * len(labels or []),
    )
    assert sum(found.faults.values()) == (labels is None)


def test_csv_may_be_in_base64_and_all_encodings_in_one_file() -> None:
    lines = [label_line("a", "1"), in_json("b", "1"), in_base64("c", '1\n"0"'), in_json("d", "2")]
    found = labels_of(*lines)
    assert found.ids.to_pylist() == ["a", "b", "c", "c", "d"]
    assert found.texts.to_pylist() == ["1", "1", "1", "0", "2"]
    assert found.faults == {}


@given(st.lists(st.one_of(st.integers(), st.floats(-1e9, 1e9)), min_size=1, max_size=9))
def test_plain_labels_are_read_at_once_as_they_are_one_by_one(numbers: list[float]) -> None:
    lines = [in_json(str(place), json.dumps(one)) for place, one in enumerate(numbers)]
    quick, slow = labels_of(*lines), labels_of(*lines, "{")
    assert quick.texts.to_pylist() == slow.texts.to_pylist() == [json.dumps(n) for n in numbers]
    assert quick.ids.to_pylist() == slow.ids.to_pylist()


def test_a_path_reads_single_fields_of_csv_and_no_others() -> None:
    found = labels_of(label_line("a", "1"), label_line("b", "1,2"), attribute="truth.label")
    assert found.ids.to_pylist() == ["a"]
    assert found.faults == {"label-column": 1}


def test_a_label_among_other_fields_is_found_by_its_position() -> None:
    found = labels_of(label_line("a", '7,"x, y",1'), label_line("b", "8"), attribute="2")
    assert found.texts.to_pylist() == ["1"]
    assert found.faults == {"label-column": 1}


def test_many_labels_are_stored_in_parts_and_none_is_lost() -> None:
    lines = [label_line(str(number), "1") for number in range(25)]
    text = ("\n".join(lines) + "\n{\n").encode()
    parts = list(parts_of(read_labels([text]), most=10))
    assert [len(part) for part in parts] == [10, 10, 5]
    assert [dict(part.faults) for part in parts] == [{}, {}, {"not-json": 1}]
    assert [one for part in parts for one in part.ids.to_pylist()] == [*map(str, range(25))]


def test_the_quick_way_reads_as_the_slow_one_does() -> None:
    lines = [label_line(f"id-{number}", f" {number}.5 ") for number in range(100)]
    quick = labels_of(*lines)
    slow = labels_of(*lines, label_line("odd", "1\n2"))
    assert quick.ids.to_pylist() == slow.ids.to_pylist()[:100]
    assert quick.texts.to_pylist() == slow.texts.to_pylist()[:100]


@given(st.lists(st.text(max_size=40), max_size=60))
def test_equal_ids_have_equal_hashes_whatever_is_around_them(ids: list[str]) -> None:
    ids = [one.encode("utf-8", "replace").decode() for one in ids]
    together = hashes_of(pa.array(ids, pa.string()))
    alone = [int(hashes_of(pa.array([one], pa.string()))[0]) for one in ids]
    assert together.tolist() == alone
    assert len(set(alone)) == len(set(ids))


def test_a_slice_of_ids_has_the_hashes_of_its_ids() -> None:
    ids = pa.array([f"id-{number:x}" for number in range(50)])
    assert hashes_of(ids.slice(7, 20)).tolist() == hashes_of(ids)[7:27].tolist()


def test_a_table_comes_back_as_it_was_written() -> None:
    columns = {
        "number": column_of(Numbers(np.array([1.0, np.nan]))),
        "text": column_of(texts_of(["green", ""])),
    }
    data = table_bytes(Table(columns, {"key": "a.jsonl"}))
    assert data == table_bytes(Table(columns, {"key": "a.jsonl"}))
    back = table_of(data, "x")
    assert back.notes == {"key": "a.jsonl"}
    assert back.numbers("number").tolist()[0] == 1.0
    text = back.values("text")
    assert isinstance(text, Texts)
    assert [text.distinct[code] for code in text.indices] == ["green", ""]


@given(st.integers(0, 2**32))
def test_joining_agrees_with_a_dictionary(seed: int) -> None:
    dice = random.Random(seed)
    rows: list[tuple[str, int, str]] = []
    for number in range(dice.randrange(1, 30)):
        for place in range(size := dice.choice([1, 1, 2, 3])):
            rows.append((f"id{number}", place, str(size)))
    sizes = {identity: int(size) for identity, _, size in rows}
    expected: dict[tuple[str, int], str] = {}
    parts = []
    for _ in range(dice.randrange(4)):
        lines = []
        for _ in range(dice.randrange(20)):
            identity = f"id{dice.randrange(40)}"
            texts = [str(dice.randrange(3)) for _ in range(dice.choice([1, 1, 2, 3]))]
            lines.append(label_line(identity, "\n".join(texts)))
            if sizes.get(identity) == len(texts):
                expected |= {(identity, place): text for place, text in enumerate(texts)}
        parts.append(labels_of(*lines))
    found = joined([predictions_of(rows)], *parts)
    assert seen(found) == [expected.get((one, place), "") for one, place, _ in rows]


@pytest.mark.parametrize(
    ("attribute", "outputs", "found"),
    [
        ("0", ["prediction"], "prediction"),
        ("", ["prediction"], "prediction"),
        ("0", ["prediction.0", "prediction.1"], "prediction.0"),
        ("1", ["prediction.0", "prediction.1"], "prediction.1"),
        ("score", ["prediction.label", "prediction.score"], "prediction.score"),
        ("predictions[0].score", ["prediction.label", "prediction.score"], "prediction.score"),
        ("predictions", ["prediction"], "prediction"),
        ("prediction.score", ["prediction.score"], "prediction.score"),
        ("1", ["prediction"], ""),
        ("score", [], ""),
    ],
)
def test_a_prediction_is_found_by_position_name_or_path(
    attribute: str, outputs: list[str], found: str
) -> None:
    assert next(iter(outputs_of(attribute, dict.fromkeys(outputs))), "") == found


def test_a_probability_gives_the_prediction_where_none_is_named() -> None:
    settings = GroundTruth(
        problem_type="BinaryClassification",
        probability_attribute="0",
        probability_threshold=0.7,
        positive_label="yes",
    )
    outputs = {"prediction": Numbers(np.array([0.69, 0.7, np.nan]))}
    classes, scores = predicted(settings, outputs, 3)
    assert isinstance(classes, Texts)
    assert [classes.distinct[code] for code in classes.indices] == ["other", "yes", ""]
    assert scores.tolist()[:2] == [0.69, 0.7]
