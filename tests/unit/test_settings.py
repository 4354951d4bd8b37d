"""A Lambda's settings, as the stack gives them and as the function reads them."""

from __future__ import annotations

import dataclasses

import pytest

from mlops_framework.errors import SettingsInvalid
from mlops_framework.settings import LambdaSettings


class Settings(LambdaSettings):
    """For these tests."""

    table_name: str
    page_size: int = 50
    verbose: bool = False


def test_fields_are_upper_case_variables() -> None:
    assert Settings.names() == {"TABLE_NAME", "PAGE_SIZE", "VERBOSE"}
    assert Settings.required_names() == {"TABLE_NAME"}


def test_the_stack_may_give_tokens_and_leave_out_defaults() -> None:
    assert Settings.environment(table_name="${Token[TOKEN.7]}") == {
        "TABLE_NAME": "${Token[TOKEN.7]}"
    }


def test_the_stack_is_told_what_is_missing_and_what_is_unknown_at_once() -> None:
    with pytest.raises(SettingsInvalid, match=r"missing: table_name; not declared: tabel_name"):
        Settings.environment(tabel_name="t")


def test_the_function_reads_typed_values() -> None:
    settings = Settings.from_environ({"TABLE_NAME": "t", "PAGE_SIZE": "7", "VERBOSE": "true"})

    assert (settings.table_name, settings.page_size, settings.verbose) == ("t", 7, True)


def test_the_function_takes_defaults_and_ignores_other_variables() -> None:
    assert Settings.from_environ({"TABLE_NAME": "t", "PATH": "/bin"}) == Settings(table_name="t")


def test_the_function_is_told_every_bad_variable_at_once() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        Settings.from_environ({"PAGE_SIZE": "many", "VERBOSE": "True"})

    assert "TABLE_NAME is not set" in str(refused.value)
    assert "PAGE_SIZE is 'many'; accepted: a whole number" in str(refused.value)
    assert "VERBOSE is 'True'; accepted: true or false" in str(refused.value)


def test_settings_cannot_be_changed() -> None:
    settings = Settings(table_name="t")

    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.table_name = "u"  # type: ignore[misc]


def test_a_field_of_another_type_is_refused() -> None:
    class Wrong(LambdaSettings):
        sizes: list[int]

    with pytest.raises(SettingsInvalid, match="read as str, int or bool"):
        Wrong.from_environ({"SIZES": "[1]"})


def test_the_process_environment_is_read_when_none_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TABLE_NAME", "from-the-process")

    assert Settings.from_environ().table_name == "from-the-process"
