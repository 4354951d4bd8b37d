"""Whether one pattern takes all that another took."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_framework.contracts.openapi import openapi_document
from mlops_framework.contracts.patterns import takes_all
from mlops_framework.registry import Registry

BUCKET = "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"


@pytest.mark.parametrize(
    ("new", "old", "all_"),
    [
        ("^a*$", "^a{0,9}$", True),
        ("^a{0,9}$", "^a*$", False),
        ("^(a|b)?$", "^a$", True),
        ("^[a-z]+$", "^[a-f0-9]+$", False),
        ("^[a-z0-9]+$", "^[a-f0-9]+$", True),
        ("^[^x]$", "^[a-w]$", True),
        ("^[^x]$", "^[a-x]$", False),
        ("a", "^cat$", True),
        ("^a", "^abc$", True),
        ("^a$", "a", False),
        (r"^\d{3}$", "^[0-9]{3}$", True),
        (r"^[^\x00-\x1f]*$", "^[A-Za-z ]*$", True),
        ("^(ab)+$", "^(ab){2}$", True),
        ("^(ab){2}$", "^(ab)+$", False),
        ("^([a-z]+(-[a-z]+)*)?$", "^[a-z]+-[a-z]+$", True),
        ("^.$", "^\n$", False),
        ("^([^{]|[{]$)*$", "^[a-z]*$", True),
        ("^([^{]|[{]$)*$", "^[a-z]*[{]$", True),
        ("^([^{]|[{]$)*$", "^[a-z{]*$", False),
        # The two forms of a location, and a change of it that was made.
        (f"^(s3://{BUCKET}(/[A-Za-z0-9]*)?)?$", f"^s3://{BUCKET}/([A-Za-z0-9]+)$", True),
        (f"^s3://{BUCKET}/([A-Za-z0-9]+)$", f"^(s3://{BUCKET}(/[A-Za-z0-9]*)?)?$", False),
    ],
)
def test_a_pattern_takes_all_of_another_or_does_not(new: str, old: str, all_: bool) -> None:
    assert takes_all(new, old) is all_


@pytest.mark.parametrize("pattern", [r"^(a)\1$", "^(?=a)a$", "^a+?$", "^a^b$", "^[a$", r"^\bx$"])
def test_what_is_not_read_is_not_decided(pattern: str) -> None:
    assert takes_all(pattern, "^a$") is None
    assert takes_all("^a$", pattern) is None


LETTERS = st.sampled_from("ab")
PATTERNS = st.recursive(
    st.sampled_from(["a", "b", "[ab]", "[^a]", "."]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}"])).map(
            lambda pair: f"({pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=5,
)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(PATTERNS, PATTERNS, st.lists(st.text("ab", max_size=6), min_size=20, max_size=20))
def test_it_agrees_with_what_the_patterns_match(new: str, old: str, texts: list[str]) -> None:
    taken = takes_all(f"^{new}$", f"^{old}$")

    lost = [t for t in texts if re.fullmatch(old, t) and not re.fullmatch(new, t)]
    assert taken is not None
    assert not (taken and lost), lost


@settings(max_examples=100, derandomize=True, deadline=None)
@given(PATTERNS, PATTERNS)
def test_more_alternatives_take_all(one: str, other: str) -> None:
    assert takes_all(f"^({one}|{other})$", f"^{one}$") is True
    assert takes_all(f"^({one}{other})?$", f"^{one}{other}$") is True


def test_every_pattern_of_our_contracts_is_read() -> None:
    api = json.dumps(openapi_document(Registry.discover(), version="1.0.0"))
    patterns = {json.loads(found) for found in re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', api)}

    assert len(patterns) > 50
    assert [each for each in patterns if takes_all(each, "^$") is None] == []
