"""Whether what was published still holds: two JSON Schemas, or two API documents, compared.

A *request* must be taken as before: every document that the released schema accepts is accepted,
and means the same. What is *sent* (an answer, an event) must be readable as before: every field
that was promised is there, in a type that was promised. New fields, and new words of a list, may be
sent; readers pass over what they do not know.

It knows the keywords that our own schemas are written in, patterns among them, and tells every
other one that changed: what cannot be judged is not waved through. Libraries that decide the
general question stop at Draft 4 (jsonsubschema) or call themselves alpha (jsoncompat), and none of
them sees a default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from mlops_framework.contracts.patterns import takes_all

Schema = Mapping[str, Any]
Role = Literal["request", "sent"]

_LOWER: Final = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")
_UPPER: Final = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
_TEXT: Final = frozenset(
    ("$schema", "$id", "$defs", "$comment", "title", "description", "examples", "deprecated")
)
_READ: Final = frozenset(
    (
        *(*_LOWER, *_UPPER, *_TEXT),
        *("$ref", "type", "enum", "const", "pattern", "default", "required", "properties"),
        *("additionalProperties", "patternProperties", "propertyNames", "items"),
        *("anyOf", "oneOf", "discriminator"),
    )
)
_PLACE: Final = 3
"""Words that say where in an API a schema is: method, path, and body or status."""
_METHODS: Final = ("get", "put", "post", "patch", "delete", "head", "options")
_NONE: Final = object()


@dataclass(frozen=True, order=True)
class Break:
    """Something that was published and does not hold any more.

    Attributes:
        path: Where, from the document's root: fields with dots, items as ``[]``.
        said: What changed.
    """

    path: str
    said: str

    def __str__(self) -> str:
        return f"{self.path}: {self.said}"


def schema_breaks(released: Schema, current: Schema, *, role: Role) -> tuple[Break, ...]:
    """What a schema breaks of its released form.

    Args:
        released: As published; references point into it.
        current: As it is now; references point into it.
        role: Whether documents of it are taken or given.
    """
    return _sorted(_Comparison(released, current).of(released, current, "", role))


def api_breaks(released: Schema, current: Schema) -> tuple[Break, ...]:
    """What an OpenAPI document breaks of its released form.

    Args:
        released: As published.
        current: As it is now.
    """
    return _sorted(_operations(_Comparison(released, current)))


def _sorted(found: Iterator[Break]) -> tuple[Break, ...]:
    return tuple(sorted(set(found)))


class _Comparison:
    def __init__(self, released: Schema, current: Schema) -> None:
        self.released, self.current = released, current
        self._seen: set[tuple[str, str, Role]] = set()

    def of(self, old: Any, new: Any, path: str, role: Role) -> Iterator[Break]:
        """Breaks at a place of both documents."""
        old, new = _whole(old), _whole(new)
        names = (str(old.get("$ref", "")), str(new.get("$ref", "")))
        if all(names):
            if (*names, role) in self._seen:
                return
            self._seen.add((*names, role))
            path = _named(path, names[0])
        old, new = resolved(self.released, old), resolved(self.current, new)
        old_branches, new_branches = _branches(old), _branches(new)
        if old_branches or new_branches:
            yield from self._alternatives(old_branches or [old], new_branches or [new], path, role)
            yield from _defaults(old, new, path, role)
            return
        yield from _types(old, new, path, role)
        yield from _words(old, new, path, role)
        yield from _defaults(old, new, path, role)
        if role == "request":
            yield from _limits(old, new, path)
        yield from self._members(old, new, path, role)
        yield from _unknown(old, new, path)

    def _alternatives(
        self, old: list[Any], new: list[Any], path: str, role: Role
    ) -> Iterator[Break]:
        """Each alternative that was taken is taken; each that is given was given before."""
        asked, offered = (old, new) if role == "request" else (new, old)
        for each in asked:
            same = [other for other in offered if _name(each) and _name(other) == _name(each)]
            found = []
            for other in same or offered:
                pair = (each, other) if role == "request" else (other, each)
                trial = _Comparison(self.released, self.current)
                trial._seen = set(self._seen)
                found.append(list(trial.of(*pair, path, role)))
                if not found[-1]:
                    break
            if same or not _name(each) or not found[-1]:
                yield from min(found, key=len)
            else:
                name = _name(each).rpartition("/")[2]
                lost = "is not taken any more" if role == "request" else "was never given before"
                yield Break(path, f"{name} {lost}")

    def _members(self, old: Schema, new: Schema, path: str, role: Role) -> Iterator[Break]:
        was, now = old.get("properties", {}), new.get("properties", {})
        must, had_to = new.get("required", ()), old.get("required", ())
        for name, before in was.items():
            if name in now:
                yield from self.of(before, now[name], _joined(path, name), role)
            else:
                yield Break(_joined(path, name), "the field was removed")
        if role == "request":
            for name in (each for each in must if each not in had_to):
                kind = "is required now" if name in was else "is new and required"
                yield Break(_joined(path, name), f"the field {kind}")
        else:
            for name in (each for each in had_to if each not in must and each in now):
                yield Break(_joined(path, name), "the field may be missing now")
        yield from self._others(old, new, path, role)

    def _others(self, old: Schema, new: Schema, path: str, role: Role) -> Iterator[Break]:
        """Items, and members that are not named one by one."""
        for word, place in (
            ("items", "[]"),
            ("propertyNames", ".*"),
            ("additionalProperties", ".*"),
        ):
            before, now = old.get(word, True), new.get(word, True)
            if before == now or now is True or (before is False and role == "request"):
                continue
            if isinstance(before, Mapping) and isinstance(now, Mapping):
                yield from self.of(before, now, f"{path}{place}", role)
            elif role == "request":
                yield Break(f"{path}{place}", f"{word} takes less than before")
        before, now = old.get("patternProperties", {}), new.get("patternProperties", {})
        for pattern in before.keys() - now.keys():
            yield Break(f"{path}.*", f"names like {pattern} are not taken as before")
        for pattern in before.keys() & now.keys():
            yield from self.of(before[pattern], now[pattern], f"{path}.*", role)


def _operations(both: _Comparison) -> Iterator[Break]:
    paths = both.current.get("paths", {})
    for path, methods in both.released.get("paths", {}).items():
        current = paths.get(path, {})
        for method in _METHODS:
            if method not in methods:
                continue
            where = f"{method.upper()} {path}"
            if method not in current:
                yield Break(where, "the operation was removed")
                continue
            before = _parameters(both.released, methods, methods[method])
            now = _parameters(both.current, current, current[method])
            yield from _parameter_breaks(both, before, now, where)
            yield from _operation(both, methods[method], current[method], where)


def _parameters(document: Schema, path: Schema, operation: Schema) -> dict[str, Schema]:
    """What an operation is asked with, its path's own parameters among it."""
    listed = (*path.get("parameters", ()), *operation.get("parameters", ()))
    given = (resolved(document, each) for each in listed)
    return {f"{each['name']} ({each['in']})": each for each in given}


def _parameter_breaks(
    both: _Comparison, before: Mapping[str, Schema], now: Mapping[str, Schema], where: str
) -> Iterator[Break]:
    for name, parameter in before.items():
        if name not in now:
            yield Break(f"{where} {name}", "the parameter was removed")
            continue
        schemas = (parameter.get("schema", {}), now[name].get("schema", {}))
        yield from both.of(*schemas, f"{where} {name}", "request")
    for name, parameter in now.items():
        if parameter.get("required") and not before.get(name, {}).get("required"):
            yield Break(f"{where} {name}", "the parameter is required now")


def _operation(both: _Comparison, old: Schema, new: Schema, where: str) -> Iterator[Break]:
    body, new_body = old.get("requestBody"), new.get("requestBody", {})
    if body is not None:
        yield from _content(both, body, new_body, f"{where} body", "request")
    if new_body.get("required") and not (body or {}).get("required"):
        yield Break(f"{where} body", "the body is required now")
    for status, answer in old.get("responses", {}).items():
        if status not in new.get("responses", {}):
            yield Break(f"{where} {status}", "the answer was removed")
            continue
        answers = (
            resolved(both.released, answer),
            resolved(both.current, new["responses"][status]),
        )
        yield from _content(both, *answers, f"{where} {status}", "sent")


def _content(
    both: _Comparison, old: Schema, new: Schema, where: str, role: Role
) -> Iterator[Break]:
    for media, form in old.get("content", {}).items():
        now = new.get("content", {}).get(media)
        if now is None:
            yield Break(where, f"{media} was removed")
        else:
            yield from both.of(form.get("schema", {}), now.get("schema", {}), where, role)


def _types(old: Schema, new: Schema, path: str, role: Role) -> Iterator[Break]:
    was, now = _type_set(old), _type_set(new)
    taken, offered = (was, now) if role == "request" else (now, was)
    if offered is None or (taken is not None and taken <= offered):
        return
    lost = sorted(taken - offered) if taken else ["any type"]
    said = "is not taken any more" if role == "request" else "was never given before"
    yield Break(path, f"{', '.join(lost)} {said}; it is {_typed(new)}, and was {_typed(old)}")


def _words(old: Schema, new: Schema, path: str, role: Role) -> Iterator[Break]:
    was, now = _listed(old), _listed(new)
    if now is None or (was is None and role == "sent"):
        return
    if was is None:
        yield Break(path, f"only {_shown(now)} {'is' if len(now) == 1 else 'are'} taken now")
    elif role == "request":
        for value in (each for each in was if each not in now):
            yield Break(path, f"the value {value!r} was removed; there is {_shown(now)}")
    elif was and not any(each in now for each in was):
        yield Break(path, f"it was {_shown(was)} and is {_shown(now)}")


def _defaults(old: Schema, new: Schema, path: str, role: Role) -> Iterator[Break]:
    before, now = old.get("default", _NONE), new.get("default", _NONE)
    if role == "sent" or before is _NONE or (type(before), before) == (type(now), now):
        return
    said = "none is said" if now is _NONE else repr(now)
    yield Break(
        path, f"the default was {before!r}, now {said}: who left it out gets something else"
    )


def _limits(old: Schema, new: Schema, path: str) -> Iterator[Break]:
    for word in _LOWER:
        before, now = old.get(word), new.get(word)
        if now is not None and (now > before if before is not None else _bites(word, now)):
            yield Break(path, f"{word} is {now}, and was {'nothing' if before is None else before}")
    for word in _UPPER:
        before, now = old.get(word), new.get(word)
        if now is not None and (before is None or now < before):
            yield Break(path, f"{word} is {now}, and was {'nothing' if before is None else before}")
    yield from _pattern(old, new, path)


def _pattern(old: Schema, new: Schema, path: str) -> Iterator[Break]:
    before, now = old.get("pattern", ""), new.get("pattern", "")
    if now in ("", before):
        return
    taken = takes_all(now, before)
    if not taken:
        verdict = "takes less" if taken is False else "nothing here can tell whether it takes all"
        yield Break(path, f"the pattern is {now}, and was {before or 'nothing'}; {verdict}")


def _bites(word: str, limit: Any) -> bool:
    """A lower limit where there was none: of a length or a number of items, 0 is none."""
    return word in ("minimum", "exclusiveMinimum") or limit > 0


def _unknown(old: Schema, new: Schema, path: str) -> Iterator[Break]:
    for word in sorted((old.keys() | new.keys()) - _READ):
        if not word.startswith("x-") and old.get(word, _NONE) != new.get(word, _NONE):
            yield Break(path, f"{word} changed, which nothing here can judge")


def resolved(document: Schema, schema: Schema) -> Schema:
    """A schema, a parameter or an answer in the place of its reference."""
    while isinstance(schema.get("$ref"), str):
        node: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        schema = {**node, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _whole(schema: Any) -> Schema:
    return schema if isinstance(schema, Mapping) else {} if schema else {"enum": []}


def _branches(schema: Schema) -> list[Any]:
    return list(schema.get("oneOf") or schema.get("anyOf") or ())


def _name(schema: Any) -> str:
    return str(schema.get("$ref", "")) if isinstance(schema, Mapping) else ""


def _named(path: str, reference: str) -> str:
    """A path into a named schema begins at it: it is told once, wherever it is used."""
    name = reference.rpartition("/")[2]
    return " ".join([*path.split(" ")[:_PLACE], name]) if " " in path else name


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _type_set(schema: Schema) -> set[str] | None:
    given = schema.get("type")
    if given is None:
        return None
    types = {given} if isinstance(given, str) else set(given)
    return types | {"integer"} if "number" in types else types


def _typed(schema: Schema) -> str:
    given = schema.get("type", "anything")
    return given if isinstance(given, str) else " or ".join(given)


def _listed(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return None if values is None else list(values)


def _shown(values: list[Any]) -> str:
    return ", ".join(map(repr, values)) or "nothing"
