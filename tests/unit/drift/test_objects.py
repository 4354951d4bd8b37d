from __future__ import annotations

from dataclasses import replace

import pytest

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.objects import (
    CaptureKey,
    ObjectVersion,
    StoredProfile,
    latest_versions,
    newest_share,
)
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.windows import Window, moment

KEY = "captures/employment-dev/AllTraffic/2026/08/08/02/35-17-940-757a2824-6167.jsonl"
HOUR = Window.containing(moment("2026-08-08T02:00:00Z"), 60)


def test_sagemakers_layout_names_endpoint_variant_and_time() -> None:
    found = CaptureKey.parse(KEY)
    assert found == CaptureKey("employment-dev", "AllTraffic", moment("2026-08-08T02:35:17Z"))


def test_the_api_of_a_multi_model_endpoint_names_the_model_behind_that() -> None:
    key = KEY.replace(".jsonl", ".model=eu!churn.tar.gz.jsonl")
    found = CaptureKey.parse(key)
    time = moment("2026-08-08T02:35:17Z")
    assert found == CaptureKey("employment-dev", "AllTraffic", time, "eu/churn.tar.gz")
    assert found.is_of("", "eu/churn.tar.gz")
    assert not found.is_of("", "churn.tar.gz")
    of_all = CaptureKey.parse(KEY)
    assert of_all is not None
    assert of_all.is_of("", "")
    assert not of_all.is_of("", "eu/churn.tar.gz")


@pytest.mark.parametrize(
    ("ending", "model", "share"),
    [
        (".share=20.jsonl", "", 20),
        (".share=100.model=eu!churn.tar.gz.jsonl", "eu/churn.tar.gz", 100),
        (".model=churn.share=5.jsonl", "churn.share=5", None),
    ],
)
def test_the_api_says_how_many_calls_it_captures(
    ending: str, model: str, share: int | None
) -> None:
    found = CaptureKey.parse(KEY.replace(".jsonl", ending))
    assert found is not None
    assert (found.variant, found.model, found.share) == ("AllTraffic", model, share)


def test_the_share_of_the_newest_call_counts_whichever_variant_answered() -> None:
    keys = [
        "c/e/blue/2026/08/08/02/59-00-000-b.share=20.jsonl",
        "c/e/red/2026/08/08/02/58-59-999-a.share=50.jsonl",
        "c/e/red/2026/08/08/02/59-59-999-a.jsonl",
    ]
    assert newest_share(ObjectVersion("b", key) for key in keys) == 20
    assert newest_share([ObjectVersion("b", KEY)]) is None


@pytest.mark.parametrize(
    "key",
    [
        "captures/employment-dev/AllTraffic/2026/08/08/02/35-17-940-757a.json",
        "captures/2026/08/08/02/35-17.jsonl",
        "employment-dev/AllTraffic/2026/13/08/02/35-17-940.jsonl",
        "datasets/train.csv",
        "",
    ],
)
def test_other_keys_are_no_captures(key: str) -> None:
    assert CaptureKey.parse(key) is None


def test_a_version_has_one_digest_however_often_its_event_comes() -> None:
    one = ObjectVersion("b", KEY, "v1", "0A")
    assert one.digest == replace(one, sequencer="0B").digest
    assert one.digest != replace(one, version="v2").digest


def test_an_overwritten_object_counts_once_with_its_last_version(baseline: Baseline) -> None:
    def stored(version: str, sequencer: str, key: str = KEY) -> StoredProfile:
        source = ObjectVersion("b", key, version, sequencer)
        return StoredProfile(source, HOUR, Profile.empty(baseline))

    old, new, other = stored("v9", "0055"), stored("v1", "00560"), stored("v1", "01", "other")
    for order in ([old, new, other], [other, new, old]):
        assert latest_versions(order) == (new, other)


def test_a_stored_profile_is_read_back_as_it_was(baseline: Baseline) -> None:
    source = ObjectVersion("b", KEY, "v1", "0A")
    stored = StoredProfile(source, HOUR, Profile.empty(baseline))
    assert StoredProfile.from_document(stored.to_document(), "s3://b/k") == stored
