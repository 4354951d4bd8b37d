"""What batch transform captured: manifests are followed to what was read and to its answers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import DocumentInvalid
from mlops_framework.drift.layout import baseline_key
from mlops_framework.drift.objects import ObjectVersion, StoredProfile, latest_versions
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.record_forms import RecordForm
from mlops_framework.drift.rows import CapturedRows
from mlops_framework.drift.service import DriftMonitor, Profiled
from mlops_framework.drift.values import as_texts
from mlops_framework.drift.watching import Artefact, Keeping
from mlops_framework.drift.windows import Window
from mlops_framework.testing.drift import (
    MONITOR,
    InMemoryBucket,
    InMemoryMonitors,
    RecordingMetrics,
    RecordingPublisher,
    SetClock,
)

BUCKET = MONITOR.data_bucket
ROOT = f"captures/{MONITOR.name}"
ID = "0f8fad5b-d9cb-469f-a165-70867728950{}"


class Kept:
    """A keeper that remembers rows: id, place, income, colour, prediction."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, str, str, str]] = []

    def start(self, config: MonitorConfig, baseline: Baseline) -> Keeping:
        self.rows.clear()
        return self

    def add(self, window: Window, rows: CapturedRows) -> None:
        columns = [rows.inputs[0], rows.inputs[2]]
        found = [as_texts(column) for column in columns]
        answers = next((as_texts(rows.outputs[name]) for name in sorted(rows.outputs)), None)
        for row in range(len(rows)):
            texts = [text.distinct[text.indices[row]] for text in found]
            answer = answers.distinct[answers.indices[row]] if answers else ""
            identity = rows.ids[rows.records[row]]
            self.rows.append((identity, int(rows.places[row]), texts[0], texts[1], answer))

    def artefacts(self) -> Mapping[Window, Artefact]:
        return {}


class World:
    def __init__(self, baseline: Baseline, **config: Any) -> None:
        self.bucket, self.kept = InMemoryBucket(), Kept()
        self.config = replace(MONITOR, **config)
        self.service = DriftMonitor(
            monitors=InMemoryMonitors({MONITOR.name: self.config}),
            sources=self.bucket,
            store=self.bucket,
            publisher=RecordingPublisher(),
            metrics=RecordingMetrics(),
            clock=SetClock(),
            keepers=(self.kept,),
        )
        self.put(baseline_key(MONITOR), json.dumps(baseline.to_document()))

    def put(self, key: str, text: str | bytes) -> None:
        if isinstance(text, bytes):
            self.bucket.files[BUCKET, key] = text
        else:
            self.bucket.objects[BUCKET, key] = text

    def job(self, objects: dict[str, str | bytes], answers: dict[str, str | bytes]) -> None:
        """What a job leaves behind."""
        for name, text in objects.items():
            self.put(f"in/{name}", text)
        for name, text in answers.items():
            self.put(f"out/{name}", text)
        self.manifest("input", "in/", list(objects))
        self.manifest("output", "out/", list(answers))

    def manifest(self, side: str, folder: str, names: list[str], hour: str = "14") -> None:
        text = json.dumps([{"prefix": f"s3://{BUCKET}/{folder}"}, *names])
        self.put(f"{ROOT}/{side}/2026/03/01/{hour}/{side}-1.json", text)

    def event(self, side: str, hour: str = "14") -> Profiled:
        key = f"{ROOT}/{side}/2026/03/01/{hour}/{side}-1.json"
        return self.service.profile_object(ObjectVersion(BUCKET, key, f"v-{side}", "0A"))

    def profile(self) -> Profile:
        """The only one that counts."""
        keys = [key for key in self.bucket.keys(BUCKET, "drift/") if "/profiles/" in key]
        found = self.bucket.read_all(BUCKET, keys)
        (stored,) = latest_versions(StoredProfile.from_document(each, "it") for each in found)
        assert stored.window.start == datetime.fromisoformat("2026-03-01T14:00:00Z")
        return stored.profile


ROWS = "".join(f"{40 + n},1,red\n" for n in range(6))
SCORES = "".join(f"0.{n},{ID.format(n)},2026-03-01T14:20:0{n}Z\n" for n in range(6))


@pytest.mark.parametrize("order", [("input", "output"), ("output", "input")])
def test_inputs_and_answers_are_counted_once_whichever_event_comes_first(
    baseline: Baseline, order: tuple[str, str]
) -> None:
    world = World(baseline)
    world.job({"a.csv": ROWS, "b.csv": ROWS}, {"a.csv.out": SCORES, "b.csv.out": SCORES})
    for side in order:
        assert world.event(side).rows == 12
    profile = world.profile()
    assert (profile.rows, profile.left_out) == (12, 0)
    assert profile.predictions["prediction"].records == 12
    assert world.kept.rows[3] == (ID.format(3), 0, "43", "red", "0.3")


def test_an_answer_that_comes_later_replaces_what_was_counted_without_it(
    baseline: Baseline,
) -> None:
    world = World(baseline)
    world.job({"a.csv": ROWS}, {"a.csv.out": SCORES})
    output = world.bucket.objects.pop((BUCKET, f"{ROOT}/output/2026/03/01/14/output-1.json"))
    world.event("input")
    assert (world.profile().rows, world.profile().predictions) == (6, {})
    world.put(f"{ROOT}/output/2026/03/01/15/output-1.json", output)
    world.event("output", "15")
    assert world.profile().predictions["prediction"].records == 6


def test_answers_that_come_after_a_window_was_judged_re_open_it(baseline: Baseline) -> None:
    world = World(baseline)

    def judged(now: str) -> list[int]:
        service = replace(world.service, clock=SetClock(datetime.fromisoformat(now)))
        return [entry["records"] for entry in service.evaluate(MONITOR.name).evaluations]

    assert judged("2026-03-01T14:00:00Z") == []
    world.job({"a.csv": ROWS}, {"a.csv.out": SCORES})
    output = world.bucket.objects.pop((BUCKET, f"{ROOT}/output/2026/03/01/14/output-1.json"))
    world.event("input")
    assert judged("2026-03-01T15:30:00Z") == [6]
    world.put(f"{ROOT}/output/2026/03/01/15/output-1.json", output)
    world.event("output", "15")
    assert judged("2026-03-01T15:40:00Z") == [6]
    assert judged("2026-03-01T15:45:00Z") == []
    report = f"drift/{MONITOR.name}/reports/2026/03/01/1400/report.json"
    document = json.loads(world.bucket.objects[BUCKET, report])
    assert document["captures"]["objects"] == 1
    assert [each["name"] for each in document["predictions"]] == ["prediction"]


def test_objects_may_be_packed_have_a_header_and_stand_in_subfolders(baseline: Baseline) -> None:
    world = World(baseline)
    text = "colour,children,income\n" + "red,1,40\nblue,2,41\n"
    world.job({"x/a.csv.gz": gzip.compress(text.encode())}, {"x/a.csv.gz.out": "0.5\n0.6\n"})
    world.event("input")
    assert world.profile().left_out == 0
    assert [row[2:] for row in world.kept.rows] == [("40", "red", "0.5"), ("41", "blue", "0.6")]


def test_json_lines_with_ids_and_declared_paths(baseline: Baseline) -> None:
    form = RecordForm.from_document({"input": {"columns": {"income": "person.income"}}})
    world = World(baseline, records=form)
    line = json.dumps({"person": {"income": 7}, "children": 1, "colour": "red"})
    answer = {"score": 0.5, "SageMakerInferenceTime": "2026-03-01T14:00:00Z"}
    lines = [json.dumps(answer | {"SageMakerInferenceId": f"id-{n}"}) for n in range(5)]
    world.job({"a.jsonl": f"{line}\n" * 5}, {"a.jsonl.out": "\n".join(lines)})
    world.event("output")
    assert world.kept.rows[4] == ("id-4", 0, "7", "red", "0.5")
    assert set(world.profile().predictions) == {"prediction.score"}


def test_answers_that_the_job_joined_with_the_input_are_taken_apart(baseline: Baseline) -> None:
    world = World(baseline)
    joined = "".join(f"{row},{n}\n" for n, row in enumerate(ROWS.splitlines()))
    world.job({"a.csv": ROWS}, {"a.csv.out": joined})
    world.event("input")
    assert [row[4] for row in world.kept.rows] == ["0", "1", "2", "3", "4", "5"]


def test_one_json_document_is_one_request_of_several_rows(baseline: Baseline) -> None:
    world = World(baseline)
    document = {"instances": [{"income": n, "children": 1, "colour": "red"} for n in range(3)]}
    world.job(
        {"a.json": json.dumps(document, indent=1)}, {"a.json.out": '{"predictions": [1, 2, 3]}'}
    )
    world.event("input")
    assert [(row[1], row[2], row[4]) for row in world.kept.rows] == [
        (0, "0", "1"),
        (1, "1", "2"),
        (2, "2", "3"),
    ]


@pytest.mark.parametrize("header", [False, True])
def test_answers_of_another_number_are_joined_to_no_row_and_counted(
    baseline: Baseline, header: bool
) -> None:
    world = World(baseline)
    rows = ("income,children,colour\n" if header else "") + ROWS
    world.job({"a.csv": rows}, {"a.csv.out": "0.5\n0.6\n"})
    world.event("input")
    assert world.profile().unreadable == {"output-rows": 1}
    assert {row[4] for row in world.kept.rows} == {""}
    assert world.profile().rows == 6


def test_a_header_that_the_model_answered_moves_no_answer(baseline: Baseline) -> None:
    world = World(baseline)
    world.job({"a.csv": f"income,children,colour\n{ROWS}"}, {"a.csv.out": f"9\n{SCORES}"})
    world.event("input")
    assert [row[4] for row in world.kept.rows] == ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]


def test_two_jobs_of_one_hour_with_the_same_names_leave_answers_out(baseline: Baseline) -> None:
    world = World(baseline)
    world.job({"a.csv": ROWS}, {"a.csv.out": SCORES})
    other = json.dumps([{"prefix": f"s3://{BUCKET}/out2/"}, "a.csv.out"])
    world.put(f"{ROOT}/output/2026/03/01/14/other.json", other)
    world.event("input")
    assert (world.profile().rows, world.profile().predictions) == (6, {})


def test_an_answer_that_was_never_written_leaves_its_input_counted(baseline: Baseline) -> None:
    world = World(baseline)
    world.job({"a.csv": ROWS}, {"a.csv.out": SCORES})
    del world.bucket.objects[BUCKET, "out/a.csv.out"]
    world.event("input")
    assert (world.profile().rows, world.profile().predictions) == (6, {})


def test_an_object_that_is_no_manifest_is_named(baseline: Baseline) -> None:
    world = World(baseline)
    world.put(f"{ROOT}/input/2026/03/01/14/input-1.json", '{"rows": 3}')
    with pytest.raises(DocumentInvalid, match=r"no manifest of batch transform; accepted is"):
        world.event("input")


def test_one_variant_may_be_watched_alone(baseline: Baseline) -> None:
    world = World(baseline, variant_name="blue")
    key = f"{ROOT}/green/2026/03/01/14/07-31-000-a.jsonl"
    done = world.service.profile_object(ObjectVersion(BUCKET, key))
    assert "another variant or model than blue" in done.skipped
