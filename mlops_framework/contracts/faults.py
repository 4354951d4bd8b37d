"""Pydantic's findings rewritten for people: where, what, what is accepted, what was found.

Used for request bodies and for environment files, so both speak the same way.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from mlops_framework.errors import Fault

NOTHING: Final = "nothing"
_FOUND_LENGTH: Final = 120

_KINDS: Mapping[str, str] = {
    "string_type": "text in quotes",
    "int_type": "a whole number, without quotes",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number, without quotes",
    "float_parsing": "a number",
    "bool_type": "true or false, without quotes",
    "bool_parsing": "true or false, without quotes",
    "dict_type": "an object of keys and values",
    "model_type": "an object of keys and values",
    "model_attributes_type": "an object of keys and values",
    "list_type": "a list",
    "tuple_type": "a list",
    "finite_number": "a finite number",
}


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or none when nothing is near."""
    near = difflib.get_close_matches(word.lower(), sorted(known), n=1, cutoff=0.6)
    return near[0] if near else None


def shown(value: Any) -> str:
    """A value as short JSON text for a message."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _FOUND_LENGTH else f"{text[: _FOUND_LENGTH - 1]}…"


def faults_of(
    error: ValidationError,
    model: type[BaseModel],
    *,
    accepted: Callable[[Sequence[str | int]], str | None] = lambda _: None,
) -> tuple[Fault, ...]:
    """Every finding of pydantic as a :class:`~mlops_framework.errors.Fault`, in its order.

    Args:
        error: What pydantic raised.
        model: The model that was validated, for the names it knows.
        accepted: What a location accepts in words, if the caller knows better than the finding.
    """
    faults: list[Fault] = []
    findings = error.errors(include_url=False)
    places = [finding["loc"] for finding in findings]
    for finding in findings:
        if _is_consequence(finding["type"], finding["loc"], places):
            continue
        where = _place(finding)
        context = finding.get("ctx", {})
        if "faults" in context:
            faults.extend(context["faults"])
            continue
        faults.append(_fault(finding, where, context, model, accepted(where)))
    return tuple(faults)


def _place(finding: Mapping[str, Any]) -> list[str | int]:
    """Where a finding is, without the tags of unions; an unknown field may be called anything."""
    *above, last = finding["loc"] or ("",)
    named = finding["type"] == "extra_forbidden" or not str(last).startswith("~")
    return [part for part in above if not str(part).startswith("~")] + ([last] if named else [])


def _is_consequence(kind: str, where: Sequence[str | int], places: Sequence[Sequence[Any]]) -> bool:
    """Whether it only follows from another: a default not made, a list without its bad item."""
    if kind == "too_short":
        return any(len(other) > len(where) and other[: len(where)] == where for other in places)
    return kind == "default_factory_not_called"


def _fault(
    finding: Mapping[str, Any],
    where: Sequence[str | int],
    context: Mapping[str, Any],
    model: type[BaseModel],
    words: str | None,
) -> Fault:
    path = ".".join(map(str, where))
    kind, found = finding["type"], shown(finding["input"])
    if kind == "missing":
        description = _description(model, where)
        said = "Required, but not given." + (f" {description}" if description else "")
        return Fault(path, said, words or "a value", NOTHING)
    if kind == "extra_forbidden":
        return _unknown(path, str(where[-1]), _names_at(model, where[:-1]), found)
    if kind == "literal_error":
        # Pydantic words it "'a', 'b' or 'c'".
        return _choice(path, finding["input"], words or context["expected"], found)
    accepted = words or _KINDS.get(kind) or _limit(kind, context) or finding["msg"]
    if kind in _KINDS:
        return Fault(path, f"Must be {_KINDS[kind]}; found {found}.", accepted, found)
    limit = _limit(kind, context)
    if limit:
        return Fault(path, f"Must be {limit}; found {found}.", accepted, found)
    if kind == "string_pattern_mismatch":
        wanted = words or f"text that matches {context['pattern']}"
        return Fault(path, f"Not accepted: {found}. Give {wanted}.", wanted, found)
    said = str(finding["msg"]).removeprefix("Value error, ")
    return Fault(path, said[:1].upper() + said[1:], accepted, found)


def _unknown(path: str, name: str, known: Sequence[str], found: str) -> Fault:
    suggestion = closest(name, known)
    hint = f" Did you mean {suggestion!r}?" if suggestion else ""
    return Fault(
        path,
        f"There is no field {name!r} here.{hint}",
        "one of " + ", ".join(sorted(known)) if known else "no further field",
        found,
    )


def _choice(path: str, given: Any, accepted: str, found: str) -> Fault:
    plain = accepted.removeprefix("one of ").replace(" or ", ", ").replace("'", "")
    suggestion = closest(given, plain.split(", ")) if isinstance(given, str) else None
    hint = f" Did you mean {suggestion!r}?" if suggestion else ""
    return Fault(path, f"Not accepted: {found}.{hint} Give one of {plain}.", plain, found)


def _limit(kind: str, context: Mapping[str, Any]) -> str | None:
    match kind:
        case "greater_than_equal":
            return f"at least {context['ge']}"
        case "less_than_equal":
            return f"at most {context['le']}"
        case "string_too_long" | "too_long":
            return f"at most {context['max_length']} {_unit(kind)}"
        case "string_too_short" | "too_short":
            return f"at least {context['min_length']} {_unit(kind)}"
    return None


def _unit(kind: str) -> str:
    return "characters long" if kind.startswith("string") else "entries"


def model_at(model: type[BaseModel], where: Sequence[str | int]) -> type[BaseModel] | None:
    """The model of the object at a location inside ``model``, if there is one."""
    here: type[BaseModel] | None = model
    for part in where:
        if isinstance(part, int):
            continue
        field = here.model_fields.get(part) if here else None
        here = next(_models_in(field.annotation), None) if field else None
    return here


def _models_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)


def _names_at(model: type[BaseModel], where: Sequence[str | int]) -> list[str]:
    here = model_at(model, where)
    return list(here.model_fields) if here else []


def _description(model: type[BaseModel], where: Sequence[str | int]) -> str:
    here = model_at(model, where[:-1])
    field = here.model_fields.get(str(where[-1])) if here and where else None
    return (field.description or "") if field else ""
