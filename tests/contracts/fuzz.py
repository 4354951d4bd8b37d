"""Bodies that somebody might send: from the schemas, from the predecessor's, and any JSON."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from hypothesis import strategies as st

Strategy = st.SearchStrategy[Any]

TEXTS = (
    "",
    " ",
    "x",
    "True",
    "0",
    "1e9",
    "-1",
    "dev",
    "s3://bucket/key",
    "s3://",
    "bucket/prefix/",
    "/",
    "ml.m5.large",
    "cron(0 * ? * * *)",
    "arn:aws:kms:us-east-1:111122223333:key/k",
    "${AWS::AccountId}",
    "{{resolve:ssm:secret}}",
    '"}],"Resources":{',
    "\x00",
    "\u2028",
    "ß" * 300,
    "a" * 5000,
    "[1, 2]",
    '{"a": 1}',
    "xgboost",
)
scalars: Strategy = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from((0, 1, -1, 10**18, 0.5, 1e300, -0.0)),
    st.sampled_from(TEXTS),
    st.text(max_size=12),
)
anything: Strategy = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def of_schema(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Strategy:
    """Values of about the form that a schema asks for, now and then of another one."""
    if "$ref" in schema:
        return st.deferred(
            lambda: of_schema(definitions[schema["$ref"].rpartition("/")[2]], definitions)
        )
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return st.one_of([of_schema(each, definitions) for each in schema[word]])
    match schema.get("type"):
        case "string":
            return _text(schema)
        case "integer":
            low, high = schema.get("minimum", -5), schema.get("maximum", 10**6)
            return st.integers(int(low), int(high))
        case "number":
            return st.sampled_from((0.0, 0.5, 1.0, -1.0, 1e-9, 1e9, 3))
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(of_schema(schema.get("items", {}), definitions), max_size=3)
        case "object":
            return _object(schema, definitions)
    return scalars


def _text(schema: Mapping[str, Any]) -> Strategy:
    if "default" in schema:
        return st.sampled_from((schema["default"], *TEXTS))
    pattern = schema.get("pattern")
    given = st.sampled_from(TEXTS)
    return st.one_of(given, st.from_regex(pattern, fullmatch=True)) if pattern else given


def _object(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Strategy:
    members = {
        name: of_schema(each, definitions) for name, each in schema.get("properties", {}).items()
    }
    needed = {name: members.pop(name) for name in schema.get("required", ()) if name in members}
    if not members and not needed:
        values = schema.get("additionalProperties")
        inner = of_schema(values, definitions) if isinstance(values, dict) else scalars
        return st.dictionaries(st.text(max_size=6), inner, max_size=2)
    return _some(needed, members)


@st.composite
def _some(
    draw: st.DrawFn, needed: Mapping[str, Strategy], members: Mapping[str, Strategy]
) -> dict[str, Any]:
    chosen = draw(st.lists(st.sampled_from(sorted(members)), max_size=6)) if members else []
    return {name: draw({**needed, **members}[name]) for name in [*needed, *chosen]}


def changed(dice: Random, body: Mapping[str, Any]) -> dict[str, Any]:
    """A body with up to three fields left out, renamed, or given another value.

    Drawn with plain dice: ten times as many bodies in the time that strategies take for them.
    """
    result = dict(body)
    for _ in range(dice.randint(0, 3)):
        if not result:
            break
        name = dice.choice(list(result))
        match dice.randint(0, 5):
            case 0:
                del result[name]
            case 1:
                result[dice.choice((name.upper(), name[1:], f"{name}s", "~", ""))] = result.pop(
                    name
                )
            case 2:
                stages = ("dev", "prod", "staging", "DEV ", "x", "")
                chosen = dice.sample(stages, dice.randint(0, 3))
                result[name] = {stage: value(dice) for stage in chosen}
            case 3 if isinstance(result[name], dict):
                result[name] = changed(dice, result[name])
            case 4 if isinstance(result[name], str):
                result[name] = dice.choice((f"{result[name]} ", result[name].upper(), [name]))
            case _:
                result[name] = value(dice)
    return result


def value(dice: Random, depth: int = 0) -> Any:
    """Any JSON value."""
    match dice.randint(0, 9 if depth < 3 else 6):
        case 0:
            return None
        case 1:
            return dice.random() < 0.5
        case 2:
            return dice.choice((0, 1, -1, 20, 3600, 10**18, 0.5, 1e300, -0.0))
        case 3 | 4 | 5 | 6:
            return dice.choice(TEXTS)
        case 7:
            return [value(dice, depth + 1) for _ in range(dice.randint(0, 3))]
        case _:
            names = ("name", "values", "label", "baseline", "0", "~", "eta")
            return {dice.choice(names): value(dice, depth + 1) for _ in range(dice.randint(0, 3))}
