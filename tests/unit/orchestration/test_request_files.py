"""Request files as text: what YAML or JSON would swallow is told, file by file."""

from __future__ import annotations

import pytest

from mlops_framework.orchestration.request_files import (
    Reading,
    is_request_file,
    keys_named,
    read_files,
)

VALUES = {"data-bucket-name": "the-bucket"}


def read(**texts: str) -> Reading:
    return read_files({name.replace("_", "."): text for name, text in texts.items()}, VALUES)


def test_yaml_and_json_say_the_same() -> None:
    reading = read(
        a_yaml="model_name: income\nmax_runtime_seconds: 60\n",
        a_json='{"model_name": "income", "max_runtime_seconds": 60}',
    )

    assert reading.faults == ()
    assert reading.bodies["a.yaml"] == reading.bodies["a.json"]


def test_values_of_the_platform_are_filled_in_wherever_they_stand() -> None:
    texts = {"a.yaml": 'data: ["s3://{data-bucket-name}/x"]\n'}

    assert keys_named(texts) == ("data-bucket-name",)
    assert read_files(texts, VALUES).bodies == {"a.yaml": {"data": ["s3://the-bucket/x"]}}


@pytest.mark.parametrize(
    ("file", "text", "path", "told"),
    [
        ("a.yaml", "a: 1\na: 2\n", "a", "Said twice"),
        ("a.yaml", "a: [1\n", "", "line"),
        ("a.yaml", "- 1\n", "", "keys and values"),
        ("a.yaml", "since: 2026-01-01\n", "since", "quotes"),
        ("a.yaml", "uri: s3://{data-bucket}/x\n", "uri", "Did you mean {data-bucket-name}"),
        ("a.json", '{"a": 1, "a": 2}', "a", "said twice"),
        ("a.json", '{"a": }', "", "line 1, column 7"),
        ("a.json", '{"a": NaN}', "", "NaN is no JSON value"),
        ("a.json", "[" * 100_000, "", "nested too deeply"),
    ],
)
def test_what_is_wrong_is_told_with_its_file_and_place(
    file: str, text: str, path: str, told: str
) -> None:
    reading = read_files({file: text, "good.json": "{}"}, VALUES)

    (fault,) = reading.faults
    assert (fault.file, fault.path) == (file, path)
    assert told in fault.message
    assert reading.bodies == {"good.json": {}}, "the other files are read all the same"


def test_only_json_and_yaml_that_is_not_hidden_is_taken() -> None:
    files = ["a.yaml", "team/b.yml", "c.json", "README.md", ".d.yaml", ".git/e.json", "f.py"]

    assert [file for file in files if is_request_file(file)] == ["a.yaml", "team/b.yml", "c.json"]


def test_a_file_that_is_no_utf_8_is_told_with_its_line() -> None:
    text = b"pipeline_type: training\nmodel_name: caf\xe9\n".decode("utf-8", "surrogateescape")

    reading = read_files({"a.yaml": text, "b.json": "{}"}, {})

    (fault,) = reading.faults
    assert (fault.file, fault.message) == ("a.yaml", "It is not text in UTF-8, line 2.")
    assert fault.found == "byte 0xe9"
    assert reading.bodies == {"b.json": {}}
