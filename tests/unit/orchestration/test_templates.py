from __future__ import annotations

from typing import Any

import pytest

from mlops_framework.orchestration.templates import declaration_faults, value_faults


def test_names_that_match_have_no_fault() -> None:
    template = {"Parameters": {"A": {"Type": "String"}, "B": {"Type": "String", "Default": "x"}}}

    assert declaration_faults(template, frozenset({"A"})) == []


def test_every_difference_between_template_and_values_is_named() -> None:
    template = {"Parameters": {"A": {"Type": "String"}}}

    assert declaration_faults(template, frozenset({"B"})) == [
        "the template does not declare the parameter B",
        "the template's parameter A has no default and nothing gives it a value",
    ]


def test_more_parameters_than_cloudformation_takes_are_refused() -> None:
    template = {"Parameters": {f"P{n}": {"Type": "String", "Default": ""} for n in range(201)}}

    assert "201 parameters" in declaration_faults(template, frozenset())[0]


@pytest.mark.parametrize(
    ("rule", "value", "accepted"),
    [
        ({"AllowedValues": ["a", "b"]}, "c", "a, b"),
        ({"AllowedPattern": "^[a-z]+$"}, "abc1", "text that matches ^[a-z]+$"),
        ({"AllowedPattern": "^x$", "ConstraintDescription": "an x"}, "y", "an x"),
        ({"MinLength": 2, "MaxLength": 3}, "abcd", "2 to 3 characters"),
        ({"Type": "Number", "MinValue": 1, "MaxValue": 5}, "6", "1 to 5"),
        ({"Type": "Number"}, "six", "a number"),
        ({}, "x" * 5000, "at most 4096 bytes"),
    ],
    ids=["listed", "pattern", "described", "length", "range", "number", "size"],
)
def test_a_value_that_cloudformation_would_refuse_is_told_with_what_it_accepts(
    rule: dict[str, Any], value: str, accepted: str
) -> None:
    faults = list(value_faults({"Parameters": {"P": rule}}, {"P": value}))

    assert [(name, wanted) for name, _, wanted in faults] == [("P", accepted)]


def test_a_pattern_is_matched_against_the_whole_value_as_cloudformation_does() -> None:
    template = {"Parameters": {"P": {"AllowedPattern": "[a-z]+"}}}

    assert list(value_faults(template, {"P": "abc!"}))
    assert not list(value_faults(template, {"P": "abc"}))
