"""What the data bucket deletes after a time, and what never."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
import pytest

from mlops_framework.drift.ageing import AGES, TAG, age_of
from mlops_framework.environments.loader import load_environment
from mlops_framework.environments.models import DriftConfig
from stacks.foundation_stack import FoundationStack
from tests.stacks.conftest import ROOT, Synthesized, resources, statements


def rules_of(template: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The data bucket's rules about objects below a prefix, by id."""
    (bucket,) = [
        bucket
        for name, bucket in resources(template, "AWS::S3::Bucket").items()
        if name.startswith("Data")
    ]
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    return {rule["Id"]: rule for rule in rules if "Prefix" in rule}


def test_profiles_and_single_rows_go_after_the_environments_days(dev: Synthesized) -> None:
    rules = rules_of(dev.platform["Foundation"])

    ages = {age: rules[f"expire-{age}"] for age in AGES}
    assert {age: rule["ExpirationInDays"] for age, rule in ages.items()} == {
        "profiles": 400,
        "rows": 90,
        "work": 35,
    }
    for age, rule in ages.items():
        assert rule["Prefix"] == "drift/"
        assert rule["TagFilters"] == [{"Key": TAG, "Value": age}]
        assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
        assert "AbortIncompleteMultipartUpload" not in rule  # S3 takes it with no tag
    markers = rules["clear-markers-of-drift"]
    assert markers["ExpiredObjectDeleteMarker"] is True
    assert "TagFilters" not in markers


def test_notes_of_captured_calls_go_when_no_answer_can_come_any_more(dev: Synthesized) -> None:
    rules = rules_of(dev.platform["Foundation"])
    rule = rules["expire-notes"]
    assert (rule["Prefix"], rule["ExpirationInDays"]) == ("unanswered/", 35)
    assert rule["TagFilters"] == [{"Key": TAG, "Value": "notes"}]
    assert rules["clear-markers-of-unanswered"]["ExpiredObjectDeleteMarker"] is True


def test_nothing_without_a_tag_expires(dev: Synthesized) -> None:
    for bucket in resources(dev.platform["Foundation"], "AWS::S3::Bucket").values():
        if "LoggingConfiguration" in bucket["Properties"]:  # not the logs themselves
            for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]:
                assert "TagFilters" in rule or "ExpirationInDays" not in rule


def test_an_environment_may_keep_everything_or_other_times() -> None:
    context = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    config = load_environment("dev", ROOT / "environments")
    kept = config.model_copy(update={"drift": DriftConfig(keep_profiles_days=None)})
    shorter = config.model_copy(update={"drift": DriftConfig(keep_rows_days=30)})

    def rules(config: Any) -> Mapping[str, Mapping[str, Any]]:
        app = cdk.App(context=context, builtin_cloud_formation_validation=False)
        FoundationStack(app, "Foundation", config=config)
        return rules_of(app.synth().get_stack_by_name("Foundation").template)

    assert "expire-profiles" not in rules(kept)
    assert rules(shorter)["expire-rows"]["ExpirationInDays"] == 30


def test_what_writes_such_objects_may_tag_them(dev: Synthesized) -> None:
    """PutObject with a tag needs the permission for tags, too."""
    writing = [
        (resource, "s3:PutObjectTagging" in statement["Action"])
        for statement in statements(dev.platform["Drift"])
        if "s3:PutObject" in statement["Action"]
        for resource in statement["Resource"]
    ]
    for resource, tags in writing:
        key = resource["Fn::Join"][1][-1].partition("/")[2]
        named = key.replace("/*/", "/monitor/").replace("kept/*", "kept/labels/2026/x")
        assert tags == (age_of(named.replace("*", "x")) is not None), key
    assert sum(tags for _, tags in writing) >= 7


@pytest.mark.parametrize(
    ("key", "age"),
    [
        ("profiles/2026/03/01/1400/0123.json", "profiles"),
        ("kept/predictions/2026/03/01/1400/0123.arrow", "rows"),
        ("kept/labels/2026/03/01/14/a~0.01.v-0000.arrow", "rows"),
        ("parts/2026/03/01/1400/0123.json", "work"),
        ("runs/20260301T1400-01/plan.json", "work"),
        ("kept/labels/index.json", None),
        ("kept/quality/reference.json", None),
        ("kept/quality/history.json", None),
        ("kept/bias/reference.json", None),
        ("kept/attribution/reference.json", None),
        ("reports/2026/03/01/1400/report.json", None),
        ("baseline.json", None),
        ("state.json", None),
        ("sequence.json", None),
        ("heartbeat.json", None),
        ("latest.json", None),
    ],
)
def test_keys_tell_how_long_an_object_is_kept(key: str, age: str | None) -> None:
    assert age_of(f"drift/employment-dev/{key}") == age
