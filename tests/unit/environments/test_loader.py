"""Environment files: layered, validated, and explained when they are wrong."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_framework.environments.loader import (
    environment_names,
    environment_schema,
    load_environment,
    merge,
)
from mlops_framework.environments.models import EnvironmentConfig
from mlops_framework.errors import EnvironmentInvalid, Fault

SHIPPED = Path(__file__).parents[3] / "environments"
BASE = "region: us-east-1\ntags: {application: a, team: base}\nretain_data: true\n"
OVERLAY = "stages: [{name: dev}]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    return tmp_path


def load(folder: Path, text: str, name: str = "dev") -> EnvironmentConfig:
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_environment(name, folder)


def faults(folder: Path, text: str) -> dict[str, Fault]:
    with pytest.raises(EnvironmentInvalid) as refused:
        load(folder, text)
    return {fault.path: fault for fault in refused.value.faults}


def told_of(folder: Path) -> tuple[Fault, ...] | None:
    """The faults of ``dev.yaml``, or none if it loads."""
    try:
        load_environment("dev", folder)
    except EnvironmentInvalid as refused:
        return refused.faults or (Fault("", "", "", ""),)
    return None


@pytest.mark.parametrize("name", environment_names(SHIPPED))
def test_every_shipped_environment_loads(name: str) -> None:
    config = load_environment(name, SHIPPED)

    assert config.prefix == f"mlops-{name}"
    assert config.stage_names == (name,)


def test_what_the_shipped_environments_decide() -> None:
    local, dev, staging, prod = (
        load_environment(name, SHIPPED) for name in ("local", "dev", "staging", "prod")
    )

    assert (local.retain_data, local.lambda_bundle, local.account) == (
        False,
        "host",
        "111122223333",
    )
    assert dev.account is None
    assert staging.stages[0].approval
    assert (prod.retain_data, prod.termination_protection) == (True, True)
    assert prod.stages[0].approval


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_shipped_file_is_what_editors_are_told(file: Path) -> None:
    jsonschema.validate(yaml.safe_load(file.read_text(encoding="utf-8")), environment_schema())


def test_the_schema_for_editors_is_current() -> None:
    written = json.loads((SHIPPED / "schema.json").read_text(encoding="utf-8"))

    assert written == environment_schema(), (
        "Write it anew: python -m mlops_framework.environments.schema environments/schema.json"
    )


def test_an_overlay_is_merged_key_by_key(folder: Path) -> None:
    config = load(folder, OVERLAY + "tags: {team: mine}\n")

    assert config.tags == {"application": "a", "team": "mine"}


def test_an_overlay_without_base_is_enough(tmp_path: Path) -> None:
    assert load(tmp_path, OVERLAY + "region: eu-west-1\n").region == "eu-west-1"


def test_an_unknown_environment_is_told_with_the_files_there_are() -> None:
    with pytest.raises(EnvironmentInvalid, match=r"Did you mean 'prod'.*dev, local, prod, staging"):
        load_environment("prd", SHIPPED)


def test_an_unknown_key_names_file_line_and_the_nearest(folder: Path) -> None:
    fault = faults(folder, OVERLAY + "regoin: eu-west-1\n")["regoin"]

    assert "Did you mean 'region'?" in fault.message
    assert "dev.yaml:2" in fault.message


def test_a_bad_value_of_the_base_names_the_base(folder: Path) -> None:
    (folder / "base.yaml").write_text("region: europe\n", encoding="utf-8")

    fault = faults(folder, OVERLAY)["region"]

    assert "base.yaml:1" in fault.message
    assert fault.found == '"europe"'
    assert "eu-west-1" in fault.accepted


def test_every_fault_is_told_at_once(folder: Path) -> None:
    text = "stages: [{name: Dev}]\nlog_retention_days: 8\nalarms: {enabled: 1}\nx: 1\n"

    assert set(faults(folder, text)) == {
        "stages.0.name",
        "log_retention_days",
        "alarms.enabled",
        "x",
    }


def test_an_account_without_quotes_is_explained(folder: Path) -> None:
    fault = faults(folder, OVERLAY + "account: 111122223333\n")["account"]

    assert "text in quotes" in fault.message
    assert fault.found == "111122223333"


def test_a_missing_key_names_the_overlay(folder: Path) -> None:
    fault = faults(folder, "")["stages"]

    assert "dev.yaml" in fault.message
    assert fault.found == "nothing"


def test_one_switch_alone_does_not_give_up_data(folder: Path) -> None:
    fault = faults(folder, OVERLAY + "retain_data: false\n")["retain_data_confirmation"]

    assert "One switch is not enough" in fault.message
    assert fault.accepted == '"data of dev may be deleted"'


def test_both_switches_give_up_data(folder: Path) -> None:
    text = OVERLAY + "retain_data: false\nretain_data_confirmation: data of dev may be deleted\n"

    assert not load(folder, text).retain_data


def test_a_copied_confirmation_is_of_another_environment(folder: Path) -> None:
    text = OVERLAY + "retain_data: false\nretain_data_confirmation: data of local may be deleted\n"

    assert "retain_data_confirmation" in faults(folder, text)


def test_a_confirmation_cannot_stand_in_the_base(folder: Path) -> None:
    (folder / "base.yaml").write_text(
        BASE + "retain_data_confirmation: data of dev may be deleted\n", encoding="utf-8"
    )

    assert "retain_data_confirmation" in faults(folder, OVERLAY + "retain_data: false\n")


def test_the_base_cannot_give_up_data_for_everybody(folder: Path) -> None:
    (folder / "base.yaml").write_text(BASE.replace("true", "false"), encoding="utf-8")

    text = OVERLAY + "retain_data_confirmation: data of dev may be deleted\n"

    assert "retain_data" in faults(folder, text)


@pytest.mark.parametrize("line", ["region: eu-west-1", 'account: "222233334444"'])
def test_a_stage_elsewhere_is_refused_by_name(folder: Path, line: str) -> None:
    text = f"stages:\n  - name: dev\n    {line}\n"

    ((path, fault),) = faults(folder, text).items()

    assert path.startswith("stages.0.")
    assert "which this release does not carry" in fault.message
    assert "dev.yaml:3" in fault.message


def test_two_stages_of_one_name_are_refused(folder: Path) -> None:
    assert "stages.1.name" in faults(folder, "stages: [{name: a}, {name: a}]\n")


def test_a_name_that_two_stages_stand_for_is_refused(folder: Path) -> None:
    text = "stages: [{name: a, stands_for: [dev]}, {name: b, stands_for: [prod, dev]}]\n"

    assert "'dev' is the stage 'a' already" in faults(folder, text)["stages.1.stands_for"].message


def test_a_key_in_another_region_is_refused(folder: Path) -> None:
    text = OVERLAY + "kms_key_arn: arn:aws:kms:eu-west-1:111122223333:key/abc\n"

    assert "another region" in faults(folder, text)["kms_key_arn"].message


def test_the_name_of_an_environment_is_its_file(folder: Path) -> None:
    assert "remove the key" in faults(folder, OVERLAY + "name: other\n")["name"].message


def test_a_file_name_that_is_no_environment_name_is_refused(folder: Path) -> None:
    with pytest.raises(EnvironmentInvalid, match="lower-case letters"):
        load(folder, OVERLAY, name="Dev_1")


def test_a_key_said_twice_is_refused_with_both_lines(folder: Path) -> None:
    fault = faults(folder, OVERLAY + "tags:\n  a: b\n  a: c\n")["tags.a"]

    assert "in lines 3 and 4" in fault.message


def test_a_file_that_is_not_yaml_says_where(folder: Path) -> None:
    assert "line 1, column" in faults(folder, "stages: [{name: dev}")[""].message


@pytest.mark.parametrize(
    "text",
    ["a: &a [*a]", "a: !!python/object:os.system x", "a: 1\n---\nb: 2", "a: \x07", "a: *nowhere"],
)
def test_what_yaml_allows_and_we_do_not_is_refused_without_traceback(
    folder: Path, text: str
) -> None:
    assert "" in faults(folder, text)


def test_a_file_that_is_no_mapping_is_refused(folder: Path) -> None:
    assert faults(folder, "- dev\n")[""].accepted == "a mapping"


def test_a_file_that_is_not_text_is_refused(folder: Path) -> None:
    (folder / "dev.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(EnvironmentInvalid, match="cannot be read"):
        load_environment("dev", folder)


_KEYS = st.sampled_from([*EnvironmentConfig.model_fields, "emails", "enabled", "", "0", "<<"])
_DOCUMENTS = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.integers()),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner | st.integers()),
    max_leaves=8,
)


_YAML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(_KEYS, _YAML, max_size=6))
def test_any_file_loads_or_is_refused_with_faults(folder: Path, document: object) -> None:
    (folder / "dev.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")

    told = told_of(folder)

    assert told is None or all(fault.message and fault.accepted for fault in told)


@given(_DOCUMENTS)
def test_merging_with_nothing_changes_nothing(document: dict[str, object]) -> None:
    assert merge(document, {}) == merge({}, document) == document


@given(_DOCUMENTS, _DOCUMENTS)
def test_an_overlay_always_wins(base: dict[str, object], overlay: dict[str, object]) -> None:
    merged = merge(base, overlay)

    assert merged.keys() == base.keys() | overlay.keys()
    assert merge(merged, overlay) == merged


CONNECTION = (
    "arn:aws:codeconnections:eu-west-1:111122223333:connection/11111111-2222-4333-8444-555555555555"
)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("{name: a}", "git_sources.0.repository"),
        ("{name: a, repository: acme/models}", "git_sources.0.repository"),
        (f"{{name: a, connection_arn: '{CONNECTION}', repository: b}}", "git_sources.0.repository"),
        ("{name: a, repository: b, archive: git/a.zip}", "git_sources.0.repository"),
        ("{name: a, archive: git/a.tar}", "git_sources.0.archive"),
        ("{name: a, repository: b}, {name: a, repository: c}", "git_sources.1.name"),
    ],
)
def test_git_sources_that_cannot_be_followed_are_refused(
    folder: Path, source: str, path: str
) -> None:
    assert path in faults(folder, OVERLAY + f"git_sources: [{source}]\n")


@pytest.mark.parametrize(
    "source",
    [
        "{name: a, repository: models}",
        f"{{name: a, connection_arn: '{CONNECTION}', repository: acme/models}}",
        "{name: a, archive: git/a.zip}",
    ],
)
def test_each_form_of_git_source_is_accepted(folder: Path, source: str) -> None:
    (folder / "dev.yaml").write_text(OVERLAY + f"git_sources: [{source}]\n", encoding="utf-8")

    assert load_environment("dev", folder).git_sources[0].name == "a"
