"""What became of rows is counted in the pass that counts their columns, and merges like these."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_framework.drift.attribution.settings import AttributionSettings
from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.bias.settings import BiasSettings
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.ground_truth.predictions import KeepPredictions
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.ground_truth.tables import FACET, table_of
from mlops_framework.drift.outcomes.counting import Counting
from mlops_framework.drift.outcomes.sums import OutcomeSums
from mlops_framework.drift.profile import Profile, merge
from mlops_framework.drift.profiling import chunks_of, profile_chunks
from mlops_framework.drift.values import Texts
from mlops_framework.drift.windows import Window
from tests.unit.drift.test_service import CONFIG

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = Window.containing(NOON, 60)
BINARY = GroundTruth(problem_type="BinaryClassification", probability_attribute="0")
BIAS = BiasSettings.from_document(
    {
        "facets": [{"column": "colour", "values": ["green"]}, {"column": "income", "above": 40}],
        "group_column": "children",
        "flip_test_columns": ["income", "children"],
        "flip_test_rows": 50,
    }
)
OUTPUTS = {name: f"prediction.{n}" for n, name in enumerate(("income", "children", "colour"), 1)}
CAPTURED = AttributionSettings.from_document({"source": "captured", "outputs": OUTPUTS})
ASKED = AttributionSettings.from_document({"source": "endpoint", "rows": 10, "minimum_rows": 10})
EVERYTHING = replace(CONFIG, ground_truth=BINARY, bias=BIAS, attribution=CAPTURED)


def record(
    number: int, request: str, response: str | None, truth: str | None, *, quick: bool = True
) -> str:
    sides = {"endpointInput": {"data": request, "encoding": "CSV", "mode": "INPUT"}}
    if response is not None:
        sides["endpointOutput"] = {"data": response, "encoding": "CSV", "mode": "OUTPUT"}
    metadata = {"eventId": f"e{number}" if number else ""}
    found: dict[str, object] = {"captureData": sides, "eventMetadata": metadata}
    if truth is not None:
        found["groundTruthData"] = {"data": truth, "encoding": "CSV"}
    text = json.dumps(found | {"eventVersion": "0"})
    return text if quick else text.replace('"mode"', '"\\u006dode"', 1)


def profiled(
    baseline: Baseline, lines: Sequence[str], config: MonitorConfig = EVERYTHING
) -> Profile:
    counting = Counting.of(config, baseline)
    found = profile_chunks(
        chunks_of(lines), baseline, window_of=lambda _: HOUR, time=NOON, counting=counting
    )
    return found.get(HOUR, Profile.empty(baseline))


def outcomes(profile: Profile) -> OutcomeSums:
    (found,) = profile.outcomes.values()
    return found


value = st.sampled_from(["40", "40.0", "41.5", "", "3", "x", "1e300", "-0.0", "None"])
rows = st.lists(
    st.tuples(
        value, st.sampled_from(["0", "1", "2.0", "?"]), st.sampled_from(["green", "red", ""])
    ),
    min_size=1,
    max_size=2,
)
answer = st.sampled_from(
    ["0.7,0.1,-0.2,0.3", "0.2,0.5,0.25,0", "0.9", ",,,", "no,1,x,2", "7,1,1,1"]
)


@st.composite
def lines(draw: st.DrawFn) -> str:
    request = draw(rows)
    answers = [draw(answer) for _ in range(draw(st.sampled_from([len(request), 1])))]
    labels = [draw(st.sampled_from(["0", "1", ""])) for _ in range(draw(st.integers(0, 2)))]
    return record(
        draw(st.integers(0, 40)),
        "\n".join(map(",".join, request)),
        "\n".join(answers) if draw(st.booleans()) else None,
        "\n".join(labels) if labels else None,
        quick=draw(st.booleans()),
    )


@settings(max_examples=50, deadline=None)
@given(
    st.lists(lines() | st.just("{"), max_size=40),
    st.sampled_from([CAPTURED, ASKED]),
    st.randoms(use_true_random=False),
    st.integers(1, 4),
)
def test_any_split_into_objects_and_any_merge_order_give_the_same_profile(
    baseline: Baseline,
    captured: list[str],
    attribution: AttributionSettings,
    source: random.Random,
    parts: int,
) -> None:
    config = replace(EVERYTHING, attribution=attribution)
    whole = profiled(baseline, captured, config)
    shuffled = source.sample(captured, len(captured))
    tree = [profiled(baseline, shuffled[part::parts], config) for part in range(parts)]
    assert merge(baseline, tree).to_json() == whole.to_json()
    while len(tree) > 1:
        tree.append(tree.pop(source.randrange(len(tree))).merged(tree.pop(0)))
    assert tree[0].to_json() == whole.to_json()
    read = Profile.from_document(json.loads(whole.to_json()), "a profile")
    assert read.to_json() == whole.to_json()


def test_a_monitor_of_columns_alone_has_the_profiles_it_had(baseline: Baseline) -> None:
    captured = [record(n, f"4{n % 10},1,red", "0.7", str(n % 2)) for n in range(40)]
    plain = profiled(baseline, captured, CONFIG)
    assert Counting.of(CONFIG, baseline) is None
    assert "outcomes" not in plain.to_document()
    asked = profiled(baseline, captured)
    assert replace(asked, outcomes={}).to_json() == plain.to_json()


@pytest.mark.parametrize("quick", [True, False])
def test_labels_that_records_have_themselves_are_counted_in_the_same_pass(
    baseline: Baseline, quick: bool
) -> None:
    captured = [
        record(n, f"4{n % 10},1,{'green' if n % 4 else 'red'}", "0.7", str(n % 2), quick=quick)
        for n in range(40)
    ]
    found = outcomes(profiled(baseline, captured))
    assert (found.counts.rows, found.counts.labelled) == (40, 40)
    assert found.quality is not None
    assert found.quality.confusion == {("other", "positive"): 20, ("positive", "positive"): 20}
    assert found.bias is not None
    inside = found.bias.facets[0].outcomes(facet=True)
    assert (inside.tp, inside.fp) == (20, 10)


@pytest.mark.parametrize("quick", [True, False])
def test_a_record_of_several_rows_has_as_many_labels_or_none_that_count(
    baseline: Baseline, quick: bool
) -> None:
    two = "40,1,red\n41,2,green"
    captured = [
        *(record(n, two, "0.7\n0.2", "1\n0", quick=quick) for n in range(10)),
        *(record(n, two, "0.7\n0.2", "1", quick=quick) for n in range(10, 20)),
    ]
    found = outcomes(profiled(baseline, captured))
    assert (found.counts.labelled, found.counts.labels_of_other_shape) == (20, 20)
    assert found.quality is not None
    assert found.quality.confusion == {("other", "other"): 10, ("positive", "positive"): 10}


def test_rows_without_an_id_are_counted_and_sampled(baseline: Baseline) -> None:
    found = outcomes(profiled(baseline, [record(0, f"4{n},1,red", "0.7", None) for n in range(9)]))
    assert found.counts.without_id == 9
    assert found.flips is not None
    assert sorted(found.flips.numbers(0)) == list(range(40, 49))


def test_endpoints_that_answer_in_two_ways_have_all_their_answers_counted(
    baseline: Baseline,
) -> None:
    captured = [record(n, "40,1,red", "0.7" if n % 2 else "0.2,1,1,1", None) for n in range(20)]
    found = outcomes(profiled(baseline, captured))
    assert found.quality is not None
    assert found.quality.unscored_rows == 20
    assert found.quality.scores[2].sum(1).tolist() == [10, 10]


@pytest.mark.parametrize("missing", ["", "null", "NaN"])
def test_a_value_spelt_as_missing_belongs_to_no_group_whoever_comes_with_it(
    baseline: Baseline, missing: str
) -> None:
    def row(n: int, children: str) -> str:
        return record(n, f"40,{children},{missing if n % 2 else 'red'}", "0.7", None)

    apart = [row(n, missing if n % 4 else "2") for n in range(20)]
    torn = [*apart, row(20, "x")]  # which makes texts of the column's numbers
    parts = [profiled(baseline, part) for part in (torn[:10], torn[10:20], torn[20:])]
    found = outcomes(merge(baseline, parts))
    assert outcomes(profiled(baseline, torn)).to_document() == found.to_document()
    assert found.bias is not None
    green, old = found.bias.facets
    assert green.unknown == 10
    assert set(old.groups) == {"2", "x"}

    keeping = KeepPredictions().start(EVERYTHING, baseline)
    assert keeping is not None
    profile_chunks(chunks_of(torn), baseline, window_of=lambda _: HOUR, time=NOON, rows=keeping.add)
    kept = table_of(keeping.artefacts()[HOUR].data, "predictions")
    for name, values in (("children", {"", "2", "x"}), ("colour", {"", "red"})):
        texts = kept.values(f"{FACET}{name}")
        assert isinstance(texts, Texts)
        assert set(texts.distinct) == values


@pytest.mark.parametrize("quick", [True, False])
def test_half_a_surrogate_pair_in_a_text_does_not_stop_an_object(
    baseline: Baseline, quick: bool
) -> None:
    half = "\ud800"
    captured = [
        record(n, f"40,1,{half}", half, half, quick=quick).replace(f"e{n}", f"\\ud800{n}")
        for n in range(10)
    ]
    config = replace(
        EVERYTHING,
        ground_truth=GroundTruth(problem_type="MulticlassClassification", inference_attribute="0"),
        attribution=ASKED,
    )
    keeping = KeepPredictions().start(config, baseline)
    assert keeping is not None
    found = profile_chunks(
        chunks_of(captured),
        baseline,
        window_of=lambda _: HOUR,
        time=NOON,
        rows=keeping.add,
        counting=Counting.of(config, baseline),
    )[HOUR]
    assert outcomes(found).counts.labelled == 10
    assert len(keeping.artefacts()[HOUR].data) > 0
