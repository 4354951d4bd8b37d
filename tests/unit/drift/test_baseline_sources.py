"""A monitor's baseline from whatever the training data, or yesterday's traffic, lies in."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.captured_baseline import CapturedBaseline
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import BaselineInvalid, ObjectMissing
from mlops_framework.drift.layout import baseline_key
from mlops_framework.drift.record_forms import RecordForm
from mlops_framework.drift.service import DriftMonitor
from mlops_framework.drift.training_columns import Part, collected
from mlops_framework.drift.training_tables import csv_parts
from mlops_framework.drift.values import as_numbers
from mlops_framework.drift.windows import moment
from mlops_framework.testing.drift import (
    MONITOR,
    InMemoryBucket,
    InMemoryMonitors,
    RecordingMetrics,
    RecordingPublisher,
    SetClock,
    capture_key,
    capture_line,
)
from tests.unit.drift.conftest import csv_of, rows_of

BUCKET = MONITOR.data_bucket
NAMES = ("income", "children", "colour")
ROWS = rows_of(600, 1)
CSV = "".join(csv_of(ROWS))
EXPECTED = Baseline.of_csv(csv_of(ROWS), label_column="label", source="x")


def built(objects: Mapping[str, str | bytes], **config: Any) -> Baseline:
    """The baseline that a monitor builds, as it is stored."""
    bucket = InMemoryBucket()
    for key, text in objects.items():
        if isinstance(text, bytes):
            bucket.files[BUCKET, key] = text
        else:
            bucket.objects[BUCKET, key] = text
    defaults = {"baseline_data": f"s3://{BUCKET}/train", "label_column": "label"}
    own = MonitorConfig(
        **{name: getattr(MONITOR, name) for name in ("environment", "data_bucket", "model_name")},
        endpoint_name=MONITOR.name,
        **(defaults | config),
    )
    service = DriftMonitor(
        monitors=InMemoryMonitors({MONITOR.name: own}),
        sources=bucket,
        store=bucket,
        publisher=RecordingPublisher(),
        metrics=RecordingMetrics(),
        clock=SetClock(),
    )
    baseline = service.build_baseline(MONITOR.name)
    document = bucket.read(BUCKET, baseline_key(own))
    assert document is not None
    assert Baseline.from_document(document, "stored") == baseline
    return baseline


def json_lines() -> str:
    named = [dict(zip((*NAMES, "label"), (*row, 1), strict=True)) for row in ROWS]
    return "".join(f"{json.dumps(one)}\n" for one in named)


def parquet(rows: list[tuple[object, ...]], *, group: int = 100) -> bytes:
    columns = [*zip(*rows, strict=True), [1] * len(rows)]
    table = pa.table(dict(zip((*NAMES, "label"), map(list, columns), strict=True)))
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=group)
    return file.getvalue()


FORMS: dict[str, str | bytes] = {
    "csv": CSV,
    "csv with a mark, a blank line and line feeds of Windows": "\ufeff\r\n"
    + CSV.replace("\n", "\r\n"),
    "packed csv": gzip.compress(CSV.encode()),
    "json lines": json_lines(),
    "a json list": json.dumps([json.loads(line) for line in json_lines().splitlines()], indent=1),
    "parquet": parquet(ROWS),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_the_same_rows_gives_the_same_baseline(name: str) -> None:
    found = built({"train": FORMS[name]})
    assert replace(found, source="x") == EXPECTED


def test_all_objects_below_a_folder_are_one_table_whatever_their_form() -> None:
    objects: dict[str, str | bytes] = {
        "data/_SUCCESS": "",
        "data/part-1.csv": "".join(csv_of(ROWS[:200])),
        "data/part-2.parquet": parquet(ROWS[200:400]),
        "data/more/part-3.csv": "colour,label,children,income\n"
        + "".join(f"{colour},1,{children},{income}\n" for income, children, colour in ROWS[400:]),
    }
    found = built(objects, baseline_data=f"s3://{BUCKET}/data/")
    by_name = {column.spec.name: column for column in found.columns}
    assert {column.spec.name: column for column in EXPECTED.columns} == by_name


@pytest.mark.parametrize(
    ("objects", "config", "fault", "told"),
    [
        (
            {},
            {"baseline_data": f"s3://{BUCKET}/data/"},
            ObjectMissing,
            "nothing below s3://.*data/",
        ),
        ({}, {}, ObjectMissing, "train does not exist"),
        ({"train": b"\x00\x01"}, {}, BaselineInvalid, "is not UTF-8 text; accepted is CSV"),
        ({"train": "{}\n[1]\n"}, {"label_column": ""}, BaselineInvalid, "row 2 is no JSON object"),
        ({"train": "a;b\n1;2\n"}, {"label_column": ""}, BaselineInvalid, "with ';' in it; CSV is"),
        ({"train": "{oops"}, {}, BaselineInvalid, "is not JSON"),
        ({"train": b"PAR1 and more"}, {}, BaselineInvalid, "damaged Parquet"),
        (
            {"train": '{"a": {"b": 1}}\n'},
            {"label_column": ""},
            BaselineInvalid,
            "row 1 has an object or a list in a; say where its value is with records",
        ),
        (
            {"d/1": "a,b\n1,2\n", "d/2": "a,c\n1,2\n"},
            {"baseline_data": f"s3://{BUCKET}/d/", "label_column": ""},
            BaselineInvalid,
            "different columns: b, c is not in all",
        ),
    ],
)
def test_what_cannot_be_used_is_told(
    objects: Mapping[str, str | bytes], config: dict[str, Any], fault: type[Exception], told: str
) -> None:
    with pytest.raises(fault, match=told):
        built(objects, **config)


def test_nested_json_rows_are_read_by_the_paths_of_the_requests() -> None:
    form = RecordForm.from_document({"input": {"columns": {"income": "person.income"}}})
    lines = [
        json.dumps({"person": {"income": i}, "children": c, "colour": t, "label": 1})
        for i, c, t in ROWS
    ]
    found = built({"train": "\n".join(lines)}, records=form)
    assert replace(found, source="x") == EXPECTED


def test_a_member_that_some_rows_lack_is_missing_there() -> None:
    found = built({"train": '{"a": 1}\n{"b": "x", "a": 2}\n'}, label_column="")
    assert found.names == ("a", "b")
    assert [column.counts.missing for column in found.columns] == [0, 1]


def captures(encoding: str = "CSV") -> dict[str, str | bytes]:
    """An object an hour over two days, 50 requests each."""
    source = random.Random(4)
    objects: dict[str, str | bytes] = {}
    for hour in range(48):
        time = f"2026-03-{1 + hour // 24:02d}T{hour % 24:02d}:30:00Z"
        rows = [(round(source.gauss(hour, 1), 3), source.randrange(3), "007") for _ in range(50)]
        lines = [
            capture_line(row, time=time)
            if encoding == "CSV"
            else capture_line(
                json.dumps(dict(zip(NAMES, row, strict=True))),
                time=time,
                encoding=encoding,
                content_type="application/json",
            )
            for row in rows
        ]
        objects[capture_key(MONITOR.name, time)] = "\n".join([*lines, "{"])
    return objects


DAY_ONE = {"since": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z"}


def test_traffic_of_a_time_is_a_baseline_that_knows_its_hours() -> None:
    asked = CapturedBaseline.from_document(DAY_ONE | {"columns": list(NAMES)})
    found = built(captures(), baseline_data="", baseline_captures=asked, label_column="")
    assert found.names == NAMES
    assert found.rows == 24 * 50
    assert found.columns[0].counts.maximum is not None
    assert found.columns[0].counts.maximum < 30
    between = found.columns[0].between
    assert between is not None
    assert between.hours == 24
    assert found.blocks is not None
    first = moment(DAY_ONE["since"]).timestamp() // 3600
    assert found.blocks.starts == tuple(int(first) + hour for hour in range(24))
    assert found.source == (
        "captures from 2026-03-01T00:00:00Z to 2026-03-02T00:00:00Z in "
        f"s3://{BUCKET}/captures/{MONITOR.name}; 24 records were left out"
    )


def test_columns_of_traffic_are_named_by_json_and_counted_like_model_monitors_for_csv() -> None:
    asked = CapturedBaseline.from_document(DAY_ONE)
    common: dict[str, Any] = {"baseline_data": "", "baseline_captures": asked, "label_column": ""}
    of_csv = built(captures(), **common)
    of_json = built(captures("JSON"), **common)
    assert of_csv.names == ("_c0", "_c1", "_c2")
    assert of_json.names == NAMES
    assert [c.counts for c in of_csv.columns[:2]] == [c.counts for c in of_json.columns[:2]]
    assert of_json.columns[2].spec.kind == of_csv.columns[2].spec.kind


def test_traffic_of_one_variant_and_of_no_time_at_all() -> None:
    asked = CapturedBaseline.from_document(DAY_ONE)
    with pytest.raises(BaselineInvalid, match="none of 0 objects holds a request"):
        built(
            captures(),
            baseline_data="",
            baseline_captures=asked,
            label_column="",
            variant_name="blue",
        )


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"since": "2026-03-01"}, "since: accepted is a time in UTC"),
        ({"since": "2026-13-01T00:00:00Z"}, "not in the calendar"),
        (DAY_ONE | {"until": "2026-02-01T00:00:00Z"}, "until: accepted is a time after since"),
        (DAY_ONE | {"columns": ["a", "a"]}, "a name is there twice"),
        (DAY_ONE | {"from": 1}, "from: accepted are since, until, columns"),
    ],
)
def test_a_time_that_is_none_is_refused(document: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        CapturedBaseline.from_document(document)


STATISTICS = {
    "version": 0.0,
    "dataset": {"item_count": 1000},
    "features": [
        {
            "name": "income",
            "inferred_type": "Fractional",
            "numerical_statistics": {
                "common": {"num_present": 990, "num_missing": 10},
                "mean": 49.5,
                "sum": 49005.0,
                "std_dev": 28.9,
                "min": 0.0,
                "max": 99.0,
                "distribution": {
                    "kll": {
                        "buckets": [],
                        "sketch": {
                            "parameters": {"c": 0.64, "k": 2048.0},
                            "data": [[float(n % 100) for n in range(990)]],
                        },
                    }
                },
            },
        },
        {
            "name": "colour",
            "inferred_type": "String",
            "string_statistics": {
                "common": {"num_present": 1000, "num_missing": 0},
                "distinct_count": 2.0,
                "distribution": {
                    "categorical": {
                        "buckets": [{"value": "red", "count": 700}, {"value": "blue", "count": 300}]
                    }
                },
            },
        },
        {"name": "odd", "inferred_type": "Unknown"},
    ],
}


@pytest.mark.parametrize("place", ["train", "results/"])
def test_model_monitors_statistics_are_a_baseline(place: str) -> None:
    key = "train" if place == "train" else "results/statistics.json"
    objects: dict[str, str | bytes] = {
        key: json.dumps(STATISTICS),
        "results/constraints.json": "{}",
    }
    found = built(objects, baseline_data=f"s3://{BUCKET}/{place}", label_column="")
    assert (found.names, found.rows) == (("income", "colour", "odd"), 1000)
    income, colour, odd = found.columns
    assert income.counts.missing == 10
    assert income.counts.mean(income.spec.centre) == pytest.approx(49.5, abs=1)
    assert dict(zip(colour.spec.categories, colour.counts.cells, strict=False)) == {
        "red": 700,
        "blue": 300,
    }
    assert (odd.counts.missing, odd.counts.valid) == (1000, 0)


def test_a_baseline_made_by_hand_is_taken_as_it_is() -> None:
    text = json.dumps(EXPECTED.to_document(), indent=1)
    assert built({"train": text}, label_column="") == EXPECTED
    assert built({"train": text}, label_column="colour").names == ("income", "children")


def test_of_more_than_fits_a_fair_sample_is_kept_and_the_source_says_so() -> None:
    source = random.Random(3)
    lines = ["x,g\n", *(f"{source.gauss(0, 1)},{source.choice('ab')}\n" for _ in range(60_000))]
    found = collected(
        csv_parts(lines, "x.csv"), left_out="", time_column="", source="x.csv", most_distinct=10_000
    )
    assert found.rows == 60_000
    assert 5_000 < found.kept <= 10_000
    numbers, _ = as_numbers(found.columns["x"])
    assert len(numbers) == found.kept
    assert abs(float(numbers.mean())) < 0.05
    assert len(found.columns["g"]) == found.kept
    everything = collected(
        csv_parts(lines, "x.csv"), left_out="", time_column="", source="x.csv", most_values=30_000
    )
    assert everything.kept <= 15_000


def test_hours_follow_their_rows_into_the_sample() -> None:
    def parts() -> Any:
        for hour in range(20):
            texts = [f"{hour}.{row:04d}" for row in range(1000)]
            yield Part({"x": texts}, 1000, hours=np.full(1000, hour))

    found = collected(parts(), left_out="", time_column="", source="x", most_distinct=3_000)
    numbers, _ = as_numbers(found.columns["x"])
    assert found.hours is not None
    assert (numbers.astype(int) == found.hours).all()
    assert len(set(found.hours.tolist())) == 20
