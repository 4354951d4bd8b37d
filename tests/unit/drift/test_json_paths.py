"""Paths into payloads mean what they mean in JMESPath, which users of Clarify know."""

from __future__ import annotations

import jmespath  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.drift.json_paths import JsonPath

names = st.sampled_from(["a", "b", "post code", "é", "_x1"])
leaves = st.integers(0, 9) | st.text(max_size=2) | st.booleans()
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
member = names.map(lambda name: f".{name}" if name in ("a", "b", "_x1") else f'."{name}"')
item = st.integers(-2, 2).map("[{}]".format)
paths = st.lists(member | item, min_size=1, max_size=4).map(lambda s: "".join(s).lstrip("."))


@given(values, paths)
def test_a_path_finds_what_jmespath_finds(value: object, path: str) -> None:
    assert JsonPath.parse(path).find(value) == jmespath.search(path, value)
    assert str(JsonPath.parse(path)) == str(JsonPath.parse(str(JsonPath.parse(path))))


@given(st.lists(values, max_size=4), paths)
def test_a_projection_finds_what_jmespath_finds_and_drops_nothing(
    items: list[object], path: str
) -> None:
    step = path if path.startswith("[") else f".{path}"
    found = JsonPath.parse(f"rows[*]{step}").find({"rows": items})
    assert len(found) == len(items)
    expected = jmespath.search(f"rows[*]{step}", {"rows": items})
    assert [one for one in found if one is not None] == expected


def test_lists_in_lists_follow_each_other() -> None:
    value = {"batches": [{"rows": [1, 2]}, {}, {"rows": [3]}]}
    assert JsonPath.parse("batches[*].rows[*]").find(value) == [1, 2, 3]


def test_nothing_is_found_where_a_list_is_asked_for_and_none_is() -> None:
    assert JsonPath.parse("rows[*]").find({"rows": {"a": 1}}) is None
    assert JsonPath.parse("@").find(7) == 7


@pytest.mark.parametrize(
    "path", ["a.", ".a", "a..b", "a[", "a[x]", "a b", "a[?b]", "a | b", "a-b", "[0", "*", '"a', "ä"]
)
def test_what_is_no_path_is_named_with_what_is(path: str) -> None:
    with pytest.raises(ValueError, match=r"is no path at .*accepted are names joined by dots"):
        JsonPath.parse(path)
